"""G5: a customer's reading against the meter reader's of the same register and month. The formula, and why: docs/field-reads.md.

The rule stands here twice: :func:`compared` for people and tests, and in one statement for a whole month. A test holds the
two equal.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rasd.metering import signals
from rasd.metering.adopting import ACTUAL
from rasd.metering.models import Comparison, Cycle
from rasd.vision import PastReading

ROUNDING = 1.0
"""Whole units: each of the two looked at a counter that goes on between them, and read its last wheel up or down."""

SWING = 1.0
"""Usual use of a day: a single day may have none of it or twice as much; of several days these even out, with their root."""

DRIFT = 0.5
"""A share: this month may use half as much again a day as the weeks before, or half, by season or by guests."""

UNKNOWN_PER_DAY = {"kWh": 60.0, "Wh": 60_000.0, "MWh": 0.06, "m³": 2.0, "m3": 2.0, "L": 2_000.0}
"""Where no past tells, by the register's unit: more than nine of ten homes use. Half as high a guess would open cases by chance.
Of a unit that is not here, :data:`UNHEARD_OF`."""

UNHEARD_OF = UNKNOWN_PER_DAY["kWh"]

LEAST_PAST_DAYS = 20
"""Between the two readings of the past that say what is usual: over fewer days a single weekend would."""

DAY = 86_400  # seconds


@dataclass(frozen=True)
class Compared:
    """``days`` from the customer's reading to the reader's; the rest in the register's unit. ``difference`` is the reader's less
    the customer's less what was ``expected`` between the two."""

    days: float
    expected: float
    difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= self.tolerance


def compared(
    customer: PastReading, reader: PastReading, *, per_day: float | None, digits: int, unit: str
) -> Compared:
    """G5: whether two readings of one register may both be right, rounded to thousandths as they are kept.

    Args:
        per_day: what the register usually uses a day, from before both; None where no past tells.
        digits: whole places of the counter, which goes on from zero after its highest value.
    """
    days = (reader.taken_at - customer.taken_at).total_seconds() / DAY
    apart = _apart(float(reader.value - customer.value), 10.0**digits)
    rate = UNKNOWN_PER_DAY.get(unit, UNHEARD_OF) if per_day is None else per_day
    expected = 0.0 if per_day is None else rate * days
    difference = apart - expected
    tolerance = ROUNDING + rate * (SWING * math.sqrt(abs(days)) + DRIFT * abs(days))
    if difference * days < 0:  # less than expected went through it: no counter runs backwards
        tolerance = min(tolerance, ROUNDING + abs(expected))
    return Compared(round(days, 2), round(expected, 3), round(difference, 3), round(tolerance, 3))


def _apart(difference: float, turn: float) -> float:
    """The way round the counter that is the shorter one."""
    if difference > turn / 2:
        return difference - turn
    return difference + turn if difference < -turn / 2 else difference


def compare(cursor: Any, cycle: Cycle, at: datetime) -> int:
    """Compare every field read of ``cycle`` with what the customer of the same register sent in it; how many there are then.

    Done again, it adds what came since. A comparison is made anew where the customer's reading is another by now and nobody
    has decided it. Each beyond its tolerance that has no case is told (:data:`rasd.metering.signals.readings_differ`).
    """
    about = {"cycle": cycle.pk, "at": at, "least": LEAST_PAST_DAYS, "day": DAY}
    about |= {"rounding": ROUNDING, "swing": SWING, "drift": DRIFT}
    about |= {"unknown": json.dumps(UNKNOWN_PER_DAY), "unheard_of": UNHEARD_OF}
    cursor.execute(_COMPARE, about)
    differ = Comparison.objects.filter(cycle=cycle, agrees=False, case="").order_by("pk")
    if without_case := list(differ.values_list("pk", flat=True)):
        signals.readings_differ.send(Comparison, comparisons=without_case)
    return Comparison.objects.filter(cycle=cycle).count()


_COMPARE = f"""
INSERT INTO metering_comparison AS old (cycle_id, register_id, field_read_id, customer_reading_id, days, expected, difference,
    tolerance, agrees, "case", decided, decided_by, why, compared_at)
WITH customer AS (
    -- The last that the register's customer sent. One that was taken back has no adoption that stands or was followed.
    SELECT DISTINCT ON (r.register_id) r.id, r.register_id, r.value, r.taken_at
    FROM metering_reading r WHERE r.cycle_id = %(cycle)s AND r.source = 'customer' AND EXISTS (
        SELECT FROM metering_adoption a WHERE a.reading_id = r.id
        AND (a.superseded_at IS NULL OR EXISTS (SELECT FROM metering_adoption b WHERE b.supersedes_id = a.id)))
    ORDER BY r.register_id, r.taken_at DESC, r.id DESC
), pair AS (
    SELECT f.id, f.register_id, f.visited_at, f.value, c.id AS customer_id, c.value AS customer_value, c.taken_at,
        10::float8 ^ g.digits AS turn, coalesce((%(unknown)s::jsonb ->> g.unit)::float8, %(unheard_of)s) AS unknown,
        extract(epoch FROM f.visited_at - c.taken_at)::float8 / %(day)s AS days,
        least(f.visited_at, c.taken_at) AS first_at
    FROM metering_fieldread f JOIN customer c USING (register_id) JOIN metering_register g ON g.id = f.register_id
    WHERE f.cycle_id = %(cycle)s AND f.reading_id IS NOT NULL
), usual AS (
    SELECT pair.*, (past.value - before.value
            + CASE WHEN past.value < before.value THEN turn ELSE 0 END) / nullif(
            extract(epoch FROM past.taken_at - before.taken_at)::float8 / %(day)s, 0) AS per_day
    FROM pair
    LEFT JOIN LATERAL (
        SELECT r.value::float8, r.taken_at FROM metering_reading r
        WHERE r.register_id = pair.register_id AND r.taken_at < first_at AND {ACTUAL}
          AND r.cycle_id IS DISTINCT FROM %(cycle)s
        ORDER BY r.taken_at DESC LIMIT 1
    ) past ON true
    LEFT JOIN LATERAL (
        SELECT r.value::float8, r.taken_at FROM metering_reading r
        WHERE r.register_id = pair.register_id AND r.taken_at <= past.taken_at - make_interval(days => %(least)s)
          AND {ACTUAL}
        ORDER BY r.taken_at DESC LIMIT 1
    ) before ON true
), rated AS (
    -- More than half a turn of the counter in a month is no use but a mistake on record, and says nothing.
    SELECT *, CASE WHEN per_day * %(least)s < turn / 2 THEN per_day END AS known FROM usual
), measured AS (
    SELECT *, coalesce(known * days, 0) AS expected,
        value::float8 - customer_value::float8 - coalesce(known * days, 0)
            - CASE WHEN value - customer_value > turn / 2 THEN turn
                   WHEN value - customer_value < -turn / 2 THEN -turn ELSE 0 END AS difference,
        %(rounding)s + coalesce(known, unknown) * (%(swing)s * sqrt(abs(days)) + %(drift)s * abs(days)) AS tolerance
    FROM rated
), judged AS (
    SELECT *, round(difference::numeric, 3) AS apart, round(CASE WHEN difference * days < 0
        THEN least(tolerance, %(rounding)s + abs(expected)) ELSE tolerance END::numeric, 3) AS up_to
    FROM measured
)
SELECT %(cycle)s, register_id, id, customer_id, round(days::numeric, 2), round(expected::numeric, 3), apart, up_to,
    abs(apart) <= up_to, '', '', '', '', %(at)s
FROM judged ORDER BY id
ON CONFLICT (field_read_id) DO UPDATE SET customer_reading_id = excluded.customer_reading_id, days = excluded.days,
    expected = excluded.expected, difference = excluded.difference, tolerance = excluded.tolerance,
    agrees = excluded.agrees, compared_at = excluded.compared_at
WHERE old.decided = '' AND old.customer_reading_id <> excluded.customer_reading_id
"""  # noqa: S608 - names of this package only
