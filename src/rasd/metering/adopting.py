"""G2: which reading a cycle bills on, as one table of precedence. What PostgreSQL is asked is made from the same table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.metering import numbers

CLOSER = "machine:closing"


@dataclass(frozen=True)
class Row:
    """One row of the table. ``code`` stands in ``Adoption.rule``, and is the reading's source but for the first two."""

    code: str
    what: Promise
    why: Promise


PRECEDENCE = (
    Row(
        "manual",
        _("What a person adopted by hand"),
        _("Someone allowed to has looked at the evidence, and gave a reason that stays on record."),
    ),
    Row(
        "final",
        _("The last reading of a meter that was taken down"),
        _("The meter is gone: nobody can read it later than whoever took it down."),
    ),
    Row(
        "field",
        _("The meter reader's reading"),
        _(
            "He stood before the meter for the utility. The customer's, where there is one, is compared with it."
        ),
    ),
    Row(
        "smart",
        _("The smart meter's own reading"),
        _("The meter sent it by itself; nobody had to read it off."),
    ),
    Row(
        "customer",
        _("The customer's reading"),
        _(
            "Only the customer read. What the machine was not sure of has been confirmed, or seen by a person."
        ),
    ),
    Row(
        "estimate",
        _("An estimate"),
        _(
            "Nobody read. From past use and the season; the customer is told that it is one, and the next reading puts it right."
        ),
    ),
)
"""The first that there is, is billed. Of several in one row the latest taken; of two taken at once, the one recorded last."""

RANK = {row.code: rank for rank, row in enumerate(PRECEDENCE)}


@dataclass(frozen=True)
class Candidate:
    """A reading that a register could be billed on. ``rule``: its row of the table; ``number``: the reading's."""

    rule: str
    taken_at: datetime
    number: int


def choose(candidates: Iterable[Candidate]) -> Candidate | None:
    """G2: the reading to bill on; None where there is none at all."""
    return min(
        candidates,
        key=lambda one: (RANK[one.rule], -one.taken_at.timestamp(), -one.number),
        default=None,
    )


# The same for PostgreSQL. Put together from this module's own words only; what comes from outside are parameters.
# ruff: noqa: S608

RANK_SQL = "array_position(ARRAY[" + ", ".join(f"'{row.code}'" for row in PRECEDENCE) + "], {rule})"
"""Of the text expression ``rule``: 1 comes first."""

CHOSEN = f"""
SELECT DISTINCT ON (register_id) * FROM candidate
ORDER BY register_id, {RANK_SQL.format(rule="rule")}, taken_at DESC, reading_id DESC
"""
"""Of a relation ``candidate (register_id, rule, taken_at, reading_id, …)``: what :func:`choose` chooses for each register."""

STANDS = """(r.submission_id IS NULL AND r.cycle_id IS NULL
    OR EXISTS (SELECT FROM metering_adoption d WHERE d.reading_id = r.id AND d.superseded_at IS NULL))"""
"""Of ``metering_reading r``: the utility's own from before, or one that stands adopted. What nobody billed on is no beginning."""

ACTUAL = f"""(r.source <> 'estimate' AND ({STANDS} OR r.submission_id IS NULL
    AND NOT EXISTS (SELECT FROM metering_readingexception x
        WHERE x.reading_id = r.id AND x.outcome IN ('estimated', 'replaced'))
    AND NOT EXISTS (SELECT FROM metering_adoption d WHERE d.register_id = r.register_id AND d.cycle_id = r.cycle_id
        AND d.superseded_at IS NULL AND d.rule = 'manual')))"""
"""Of ``metering_reading r``: no estimate; it stands, or the utility's own people read it and nobody has put it aside. What a
person refused is none, in its own cycle and ever after. The same for one register:
:meth:`rasd.metering.models.Register.actual_readings`."""

HUNG = """
SELECT r.id AS register_id, m.service_point_id, r.digits, r.decimals, r.unit, r.name, m.installed_on, m.removed_on
FROM metering_register r JOIN metering_meter m ON m.id = r.meter_id
WHERE m.installed_on <= %(closes)s AND (m.removed_on IS NULL OR m.removed_on > %(begins)s) {only}
"""
"""The registers that a cycle bills: of meters that hung there between the last day of the window before it and its own. ``only``:
nothing, or :data:`ONLY`."""

ONLY = "AND r.id = ANY(%(only)s)"
"""Some registers; put into the text, because a condition that may be none would be planned for all."""

_CANDIDATES = f"""
CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
WITH hung AS ({HUNG.format(only="{only}")}),
standing AS (
    SELECT a.id AS adoption_id, a.register_id, a.reading_id, coalesce(nullif(a.rule, ''), r.source) AS rule, r.taken_at
    FROM metering_adoption a JOIN metering_reading r ON r.id = a.reading_id
    WHERE a.cycle_id = %(cycle)s AND a.superseded_at IS NULL
),
set_aside AS (
    SELECT reading_id FROM metering_readingexception
    WHERE cycle_id = %(cycle)s AND outcome = 'estimated' AND reading_id IS NOT NULL
),
brought AS (
    -- What was read for this cycle; and of meters taken down since the one before, whenever that was.
    SELECT r.id, r.register_id, r.source, r.taken_at FROM metering_reading r
    WHERE r.cycle_id = %(cycle)s AND r.source IN ('field', 'smart', 'estimate')
    UNION
    SELECT r.id, r.register_id, r.source, r.taken_at FROM hung JOIN metering_reading r USING (register_id)
    WHERE hung.removed_on IS NOT NULL AND r.source IN ('field', 'smart') AND r.cycle_id IS NULL
      AND (r.taken_at AT TIME ZONE %(zone)s)::date > %(begins)s
),
candidate AS (
    SELECT hung.register_id, hung.service_point_id, b.id AS reading_id, b.taken_at,
        CASE WHEN b.source <> 'estimate' AND (b.taken_at AT TIME ZONE %(zone)s)::date >= hung.removed_on
            THEN 'final' ELSE b.source END AS rule
    FROM brought b JOIN hung USING (register_id)
    WHERE b.id NOT IN (SELECT reading_id FROM set_aside)
    UNION ALL
    SELECT hung.register_id, hung.service_point_id, s.reading_id, s.taken_at, s.rule FROM standing s JOIN hung USING (register_id)
)
SELECT chosen.*, standing.adoption_id AS standing FROM ({CHOSEN}) AS chosen LEFT JOIN standing USING (register_id)
WHERE standing.reading_id IS DISTINCT FROM chosen.reading_id
"""

_REPLACE = """
UPDATE metering_adoption a SET superseded_at = %(at)s FROM chosen
WHERE a.id = chosen.standing AND a.superseded_at IS NULL
"""

_ADOPT = f"""
WITH numbered AS (
    SELECT nextval(pg_get_serial_sequence('metering_adoption', 'id')) AS id, chosen.* FROM chosen
)
INSERT INTO metering_adoption
    (id, service_point_id, register_id, cycle_id, reading_id, adopted_at, actor, why, rule, receipt, supersedes_id)
SELECT id, service_point_id, register_id, %(cycle)s, reading_id, %(at)s, '{CLOSER}', 'precedence', rule,
    {numbers.receipt_sql("%(month)s", "id")}, standing
FROM numbered
ON CONFLICT (register_id, cycle_id) WHERE superseded_at IS NULL DO NOTHING
"""

_NOW_OF_THIS_CYCLE = """
UPDATE metering_reading r SET cycle_id = %(cycle)s FROM chosen WHERE r.id = chosen.reading_id AND r.cycle_id IS NULL
"""

_SETTLED_REVIEWS = """
UPDATE metering_review v SET closed_at = %(at)s, outcome = 'withdrawn'
FROM metering_submission s
JOIN metering_adoption a ON a.service_point_id = s.service_point_id AND a.cycle_id = s.cycle_id AND a.superseded_at IS NULL
WHERE v.submission_id = s.id AND v.closed_at IS NULL AND s.cycle_id = %(cycle)s
  AND a.rule IN ('manual', 'final', 'field', 'smart')
"""


def adopt(cursor: Any, facts: dict[str, Any], only: list[int] | None = None) -> dict[str, int]:
    """Adopt for each register of the cycle what comes first in the table, where that is not adopted already.

    ``facts``: see :func:`rasd.metering.closing.facts_of`; ``only``: these registers. What a reader's reading makes needless to
    look at is taken off the queue of reviews. Done again, it does what came in since. Customers' readings were adopted when
    they came.
    """
    cursor.execute("DROP TABLE IF EXISTS pg_temp.chosen")
    cursor.execute(_CANDIDATES.format(only="" if only is None else ONLY), facts | {"only": only})
    cursor.execute("ANALYZE chosen")
    cursor.execute(_REPLACE, facts)
    replaced = cursor.rowcount
    cursor.execute(_NOW_OF_THIS_CYCLE, facts)
    cursor.execute(_ADOPT, facts)
    adopted = cursor.rowcount
    cursor.execute(_SETTLED_REVIEWS, facts)
    return {"adopted": adopted, "replaced": replaced, "reviews_settled": cursor.rowcount}
