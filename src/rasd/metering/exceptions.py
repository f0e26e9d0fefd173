"""What the rules find in a cycle becomes rows, each with an owner; what is no longer so is closed. Set-based."""

from __future__ import annotations

from typing import Any

from rasd.metering.importing.staging import stage
from rasd.metering.models import Rule, ValidationSetting
from rasd.metering.reckoning import kinds_of
from rasd.metering.validating import CONDITIONS, USUAL, Setting

# Put together from this package's own words only; what comes from outside are parameters.
# ruff: noqa: S608

UNDECIDED = "not decided when the cycle was closed"

_SETTINGS = {
    "rule": "text", "customer_class": "text", "is_on": "boolean", "lim": "numeric", "holds_back": "boolean", "owner_id": "bigint",
}  # fmt: skip


def settings_of(customer_class: str) -> dict[Rule, Setting]:
    """How each rule is applied to a class: its own row, else that for all, else :data:`USUAL`."""
    return _settings(
        {(one.rule, one.customer_class): one for one in ValidationSetting.objects.all()}, customer_class
    )


def _settings(rows: dict[tuple[str, str], ValidationSetting], customer_class: str) -> dict[Rule, Setting]:
    found = {}
    for rule, usual in USUAL.items():
        row = rows.get((rule, customer_class)) or rows.get((rule, ""))
        found[rule] = usual if row is None else Setting(
            row.is_on, usual.limit if row.limit is None else row.limit, row.holds_back, row.owner_id
        )  # fmt: skip
    return found


def _setting_rows(classes: set[str]) -> list[tuple[Any, ...]]:
    rows = {(one.rule, one.customer_class): one for one in ValidationSetting.objects.all()}
    return [
        (rule.value, customer_class, one.is_on, one.limit, one.holds_back, one.owner)
        for customer_class in sorted(classes)
        for rule, one in _settings(rows, customer_class).items()
    ]


# Another reading of the same source, meter and day: by how many days' use it differs.
_DIFFERING = """
CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT a.id AS reading_id, max(abs(a.value - b.value)) AS by_units
FROM metering_reading a JOIN metering_reading b ON b.register_id = a.register_id AND b.cycle_id = a.cycle_id
    AND b.source = a.source AND b.id <> a.id
    AND (b.taken_at AT TIME ZONE %(zone)s)::date = (a.taken_at AT TIME ZONE %(zone)s)::date
WHERE a.cycle_id = %(cycle)s AND a.source IN ('field', 'smart') GROUP BY a.id
"""

_FACTS = """jsonb_strip_nulls(jsonb_build_object(
    'value', value, 'previous', real_value, 'since', real_at, 'days', days, 'used', used, 'expected', expected, 'use', use,
    'limit', s.lim, 'in_a_row', nullif(in_a_row, 0), 'differs', differs, 'source', source))"""


def _found_by(rule: Rule) -> str:
    """Of ``looked_at``: the registers in which ``rule`` finds something. Rules about readings do not ask estimates."""
    condition = CONDITIONS[rule].replace("s.limit", "s.lim")
    # Of a meter taken down without a last reading nothing more is billed; that need not stop a month.
    held = "s.holds_back AND removed_on IS NULL" if rule == Rule.MISSING else "s.holds_back"
    of = {Rule.PROLONGED: "source = 'estimate'", Rule.MISSING: "true"}.get(rule, "source <> 'estimate'")
    return (
        f"SELECT service_point_id, register_id, reading_id, '{rule.value}' AS rule, {_FACTS} AS facts, {held} AS holds_back,"
        " s.owner_id"
        f" FROM looked_at JOIN settings s ON s.customer_class = looked_at.customer_class AND s.rule = '{rule.value}' AND s.is_on"
        f" WHERE {of} AND ({condition})"
    )


_FOUND = (
    "CREATE TEMPORARY TABLE found ON COMMIT DROP AS WITH looked_at AS ("
    "SELECT w.*, round(d.by_units / greatest(w.expected / nullif(w.days, 0), 1), 3) AS differs"
    " FROM {table} w LEFT JOIN differing d USING (reading_id) WHERE true {only}) "
    + " UNION ALL ".join(_found_by(rule) for rule in CONDITIONS)
)

_RAISE = """
INSERT INTO metering_readingexception
    (cycle_id, service_point_id, register_id, reading_id, rule, facts, holds_back, raised_at, owner_id, outcome, why)
SELECT %(cycle)s, service_point_id, register_id, reading_id, rule, facts, holds_back, %(at)s, coalesce(owner_id, %(closer)s),
    '', '' FROM found
ON CONFLICT DO NOTHING
"""

# A reader's value of which no reading was made: by our records no such meter hung there. There is no row of it to look at above.
_UNFILED = """
INSERT INTO found
SELECT f.service_point_id, g.register_id, NULL, 'inactive',
    jsonb_strip_nulls(jsonb_build_object('value', f.value, 'source', 'field', 'field_read', f.id)), s.holds_back, s.owner_id
FROM (
    SELECT DISTINCT ON (service_point_id) id, service_point_id, value FROM metering_fieldread
    WHERE cycle_id = %(cycle)s AND value IS NOT NULL AND reading_id IS NULL ORDER BY service_point_id, visited_at DESC, id DESC
) f
JOIN metering_servicepoint p ON p.id = f.service_point_id
JOIN metering_account a ON a.id = p.account_id
JOIN settings s ON s.customer_class = a.customer_class AND s.rule = 'inactive' AND s.is_on
LEFT JOIN LATERAL (
    SELECT r.id AS register_id FROM metering_register r JOIN metering_meter m ON m.id = r.meter_id
    WHERE m.service_point_id = f.service_point_id AND m.removed_on IS NULL ORDER BY r.id LIMIT 1
) g ON true
WHERE NOT EXISTS (
    SELECT FROM metering_fieldread o
    WHERE o.cycle_id = %(cycle)s AND o.service_point_id = f.service_point_id AND o.reading_id IS NOT NULL)
  AND (%(only)s::bigint[] IS NULL OR g.register_id = ANY(%(only)s))
"""

_OWNED = """
UPDATE metering_readingexception SET owner_id = %(closer)s
WHERE cycle_id = %(cycle)s AND closed_at IS NULL AND owner_id IS NULL AND %(closer)s::bigint IS NOT NULL
"""

_OVER = """
UPDATE metering_readingexception x SET closed_at = %(at)s, outcome = 'over'
WHERE x.cycle_id = %(cycle)s AND x.closed_at IS NULL AND (%(only)s::bigint[] IS NULL OR x.register_id = ANY(%(only)s))
  AND NOT EXISTS (
    SELECT FROM found f WHERE f.register_id = x.register_id AND f.rule = x.rule
        AND f.reading_id IS NOT DISTINCT FROM x.reading_id)
"""

_AGAIN = """
UPDATE metering_readingexception x SET closed_at = NULL, outcome = '' FROM found f
WHERE x.cycle_id = %(cycle)s AND x.outcome = 'over' AND f.register_id = x.register_id AND f.rule = x.rule
  AND f.reading_id IS NOT DISTINCT FROM x.reading_id
"""


def raise_all(
    cursor: Any, table: str, facts: dict[str, Any], only: list[int] | None = None
) -> dict[str, int]:
    """The findings in ``table`` (:mod:`rasd.metering.reckoning`): each once, however often this is called.

    ``only``: these registers. What no setting gives to anybody is given to who closes the month, where he may settle it
    (``facts["closer"]``). What a person has settled is not raised again; what is no longer so is over. Returns how many each
    rule finds now.
    """
    classes = {customer_class for _commodity, customer_class in kinds_of(cursor)}
    stage(cursor, "settings", _SETTINGS, _setting_rows(classes))
    for name in ("differing", "found"):
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    cursor.execute(_DIFFERING, facts)
    cursor.execute("ANALYZE differing")
    facts = facts | {"only": only}
    theirs = "" if only is None else "AND w.register_id = ANY(%(only)s)"
    cursor.execute(_FOUND.format(table=table, only=theirs), facts)
    cursor.execute(_UNFILED, facts)
    cursor.execute("ANALYZE found")
    for statement in (_OVER, _AGAIN, _RAISE, _OWNED):
        cursor.execute(statement, facts)
    cursor.execute("SELECT rule, count(*) FROM found GROUP BY 1 ORDER BY 1")
    counts: dict[str, int] = dict(cursor.fetchall())
    return counts


_TAKEN_BACK = """
UPDATE metering_adoption a SET superseded_at = %(at)s FROM metering_readingexception x
WHERE x.cycle_id = %(cycle)s AND x.closed_at IS NULL AND x.holds_back AND a.cycle_id = x.cycle_id
  AND a.reading_id = x.reading_id AND a.superseded_at IS NULL
"""

_SET_ASIDE = f"""
UPDATE metering_readingexception SET closed_at = %(at)s, outcome = 'estimated', why = '{UNDECIDED}'
WHERE cycle_id = %(cycle)s AND closed_at IS NULL AND holds_back AND rule <> 'missing'
"""


def set_aside(cursor: Any, facts: dict[str, Any]) -> int:
    """Readings held back that nobody has decided on are not billed on: an estimate takes their place."""
    cursor.execute(_TAKEN_BACK, facts)
    count: int = cursor.rowcount
    cursor.execute(_SET_ASIDE, facts)
    return count


def without_reading(cursor: Any, facts: dict[str, Any]) -> list[int]:
    """Registers of which all that was read is set aside: an estimate is billed."""
    cursor.execute(_WITHOUT_READING, facts)
    return [register for (register,) in cursor.fetchall()]


_WITHOUT_READING = """
SELECT DISTINCT x.register_id FROM metering_readingexception x
WHERE x.cycle_id = %(cycle)s AND x.outcome = 'estimated' AND x.register_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM metering_adoption a WHERE a.cycle_id = x.cycle_id AND a.register_id = x.register_id AND a.superseded_at IS NULL)
"""
