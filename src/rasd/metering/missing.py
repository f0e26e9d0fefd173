"""Estimates for all registers that nobody read in a cycle: :mod:`rasd.metering.estimating` in SQL, set by set (G2).

Each step is a temporary table, analysed before the next one, so that PostgreSQL plans for the numbers that there are.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from rasd.metering import estimating, signals
from rasd.metering.adopting import ACTUAL
from rasd.metering.models import Cycle
from rasd.metering.models.estimates import MOST_IN_A_ROW
from rasd.metering.usual import KEPT, kinds, learn_usual

WORK_MEMORY = "192MB"  # of the transaction's sorts and hashes: what 2.4 million stretches need


def estimate_missing(
    cursor: Any, cycle: Cycle, at: datetime, *, only: Collection[int] | None = None
) -> dict[str, int]:
    """Write a reading of source ``estimate`` and its :class:`Estimate` for each register that hangs in ``cycle`` and that nobody
    read, as of noon of its window's last day. Adopting it is the closing's (or a person's) affair.

    Nobody read it: no adoption stands, and there is no reading of the cycle that could be adopted. Done again it makes only
    what is missing still. What is usual for a kind of customer is learnt first where that was last done before ``KEPT``.

    Args:
        cursor: of a transaction; nothing is kept where that fails.
        only: primary keys of registers to estimate whatever was read, as a person asked for it.

    Returns:
        ``missing`` registers without an estimate before; of these ``estimated``, ``unknown`` (nothing to go by: no reading of a
        meter hung up more than a year ago, or of a kind of which nothing is known), ``without_case`` (they would be the
        third in a row, and nobody opened a case). Of those estimated, ``third`` are the third or later in a row,
        each with its case.

    Raises:
        TransactionManagementError: outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("estimate_missing needs a transaction")
    _learn_if_old(cycle, at)
    known = {
        "cycle": cycle.pk,
        "closes": cycle.window_closes,
        "zone": timezone.get_default_timezone_name(),
        "only": list(only) if only is not None else None,
        **_CONSTANTS,
    }
    cursor.execute("SELECT set_config('work_mem', %s, true)", [WORK_MEMORY])
    cursor.execute("DROP TABLE IF EXISTS " + ", ".join(f"estimating_{name}" for name in _TABLES))
    cursor.execute(_KIND)
    cursor.executemany(
        "INSERT INTO estimating_kind VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            (commodity, kind, list(one.season), one.per_day, one.within, one.between, one.low, one.high)
            for (commodity, kind), one in kinds().items()
        ],
    )
    those = (
        _NOBODY_READ if only is None else _ASKED_FOR
    )  # not one with OR: PostgreSQL would ask for each register
    for name in _TABLES[1:]:
        cursor.execute(_STEPS[name].replace('"those"', those), known)
        cursor.execute(f"ANALYZE estimating_{name}")
    cursor.execute("SELECT count(*) FROM estimating_register")
    missing = cursor.fetchone()[0]
    third = _open_cases(cursor, cycle, at)
    cursor.execute(_WRITE, {"cycle": cycle.pk, "at": at, "most": MOST_IN_A_ROW, "method": estimating.METHOD})
    estimated = cursor.rowcount
    cursor.execute(
        'SELECT count(*) FROM estimating_result WHERE in_a_row > %s AND "case" = %s', [MOST_IN_A_ROW, ""]
    )
    without_case = cursor.fetchone()[0]
    return {
        "missing": missing,
        "estimated": estimated,
        "unknown": missing - estimated - without_case,
        "without_case": without_case,
        "third": third,
    }


def _learn_if_old(cycle: Cycle, at: datetime) -> None:
    from rasd.metering.models import UsualUse

    last = UsualUse.objects.order_by("-learnt_at").values_list("learnt_at", flat=True).first()
    if last is None or last < at - KEPT:
        learn_usual(at, apart_from=cycle.pk)


def _open_cases(cursor: Any, cycle: Cycle, at: datetime) -> int:
    """G2: a case for each third estimate in a row, before it is there; how many got one."""
    cursor.execute("SELECT register_id, in_a_row FROM estimating_result WHERE in_a_row > %s", [MOST_IN_A_ROW])
    registers = dict(cursor.fetchall())
    if not registers:
        return 0
    cases: dict[int, str] = {}
    answer: Any
    for _receiver, answer in signals.third_estimates.send(
        estimate_missing, cycle=cycle, at=at, registers=registers
    ):
        cases.update(answer or {})
    given = [(case, register) for register, case in cases.items() if case and register in registers]
    cursor.executemany('UPDATE estimating_result SET "case" = %s WHERE register_id = %s', given)
    return len(given)


_CONSTANTS: dict[str, Any] = {
    "back": estimating.LOOKS_BACK,
    "half_life": estimating.HALF_LIFE,
    "year_ago": estimating.YEAR_AGO,
    "year": estimating.YEAR,
    "near": estimating.NEAR,
    "mixed": estimating.SHRINK_DAYS,
    "stale": estimating.STALE,
    "month": estimating.MONTH,
    "most_stale": estimating.MOST_STALE,
    "own": estimating.OWN_SPREAD,
    "little": estimating.LITTLE,
    "least_little": estimating.LEAST_LITTLE,
    "least_stretch": timedelta(days=1),
    "new": estimating.YEAR_OLD,
    "within": estimating.Usual().within,
    "between": estimating.Usual().between,
    "low": estimating.Usual().low,
    "high": estimating.Usual().high,
    "flat": [1.0] * 12,
    "most": estimating.MOST,
}

_KIND = """
CREATE TEMPORARY TABLE estimating_kind (
    commodity text, customer_class text, season float8[], per_day float8, within float8, between_homes float8,
    low float8, high float8
) ON COMMIT DROP
"""

_NOBODY_READ = """NOT EXISTS (SELECT FROM metering_adoption a
    WHERE a.cycle_id = %(cycle)s AND a.register_id = g.id AND a.superseded_at IS NULL)
AND NOT EXISTS (SELECT FROM metering_reading r
    WHERE r.cycle_id = %(cycle)s AND r.register_id = g.id AND r.submission_id IS NULL)"""
"""Of what customers sent only what stands adopted could be; all else, an estimate made before too, has no submission."""

_ASKED_FOR = """g.id = ANY(%(only)s) AND NOT EXISTS (SELECT FROM metering_reading r
    WHERE r.cycle_id = %(cycle)s AND r.register_id = g.id AND r.source = 'estimate')"""

_STEPS = {
    # The registers, with what is usual for their kind: of its class, else of the commodity, else nothing.
    "register": """
CREATE TEMPORARY TABLE estimating_register ON COMMIT DROP AS
SELECT g.id AS register_id, g.name, g.digits, g.decimals, m.installed_on, p.id AS service_point_id,
    (COALESCE(w.closes, %(closes)s::date) + time '12:00') AT TIME ZONE %(zone)s AS till,
    COALESCE(k.commodity, p.commodity) AS commodity, COALESCE(k.customer_class, '') AS customer_class,
    COALESCE(k.season, %(flat)s::float8[]) AS season, k.per_day,
    COALESCE(k.within, %(within)s) AS within, COALESCE(k.between_homes, %(between)s) AS between_homes,
    COALESCE(k.low, %(low)s) AS low, COALESCE(k.high, %(high)s) AS high
FROM metering_register g
JOIN metering_meter m ON m.id = g.meter_id
JOIN metering_servicepoint p ON p.id = m.service_point_id
JOIN metering_account o ON o.id = p.account_id
LEFT JOIN metering_districtwindow w ON w.cycle_id = %(cycle)s AND w.district = p.district
LEFT JOIN estimating_kind own ON own.commodity = p.commodity AND own.customer_class = o.customer_class
LEFT JOIN estimating_kind k ON k.commodity = p.commodity
    AND k.customer_class = CASE WHEN own.commodity IS NULL THEN '' ELSE o.customer_class END
WHERE m.installed_on <= %(closes)s AND (m.removed_on IS NULL OR m.removed_on > %(closes)s)
AND "those"
""",
    # Where each month begins, in days counted by the season's factors since 1980.
    "month": """
CREATE TEMPORARY TABLE estimating_month ON COMMIT DROP AS
SELECT commodity, customer_class, begins, factor,
    sum(factor * days) OVER (PARTITION BY commodity, customer_class ORDER BY begins) - factor * days AS counted
FROM (SELECT k.commodity, k.customer_class, begins, k.season[extract(month FROM begins)::int] AS factor,
        extract(day FROM begins + interval '1 month - 1 day')::float8 AS days
    FROM (SELECT DISTINCT commodity, customer_class, season FROM estimating_register) k,
        generate_series(timestamp '1980-01-01', %(closes)s::timestamp + interval '2 months', '1 month') begins) all_months
""",
    # Actual readings of the year before, of what hung there before as well.
    "reading": f"""
CREATE TEMPORARY TABLE estimating_reading ON COMMIT DROP AS
SELECT e.register_id AS of_register, r.register_id, g.digits, r.id, r.taken_at, r.value, e.till,
    s.counted + s.factor * extract(epoch FROM (r.taken_at AT TIME ZONE %(zone)s) - s.begins)::float8 / 86400 AS counted
FROM estimating_register e
JOIN metering_meter m ON m.service_point_id = e.service_point_id
JOIN metering_register g ON g.meter_id = m.id AND g.name = e.name
JOIN metering_reading r ON r.register_id = g.id
    AND r.taken_at < e.till AND r.taken_at >= e.till - %(back)s AND {ACTUAL}
JOIN estimating_month s ON s.commodity = e.commodity AND s.customer_class = e.customer_class
    AND s.begins = date_trunc('month', r.taken_at AT TIME ZONE %(zone)s)
""",  # noqa: S608 - of constants only
    "stretch": """
CREATE TEMPORARY TABLE estimating_stretch ON COMMIT DROP AS
SELECT of_register, used, counted, age,
    0.5 ^ (age / %(half_life)s) + %(year_ago)s * greatest(0, 1 - abs(age - %(year)s) / %(near)s) AS weight
FROM (SELECT of_register, (used + CASE WHEN used < 0 THEN 10::numeric ^ digits ELSE 0 END)::float8 AS used,
        counted, extract(epoch FROM till - taken_at)::float8 / 86400 AS age, length,
        used < 0 AND used + 10::numeric ^ digits > 10::numeric ^ digits / 2 AS dropped
    FROM (SELECT of_register, digits, till, taken_at, value - lag(value) OVER line AS used,
            counted - lag(counted) OVER line AS counted, taken_at - lag(taken_at) OVER line AS length
        FROM estimating_reading WINDOW line AS (PARTITION BY of_register, register_id ORDER BY taken_at, id)
    ) neighbours WHERE length >= %(least_stretch)s
) known WHERE NOT dropped
""",
    # What it counts on from: its last actual reading, or what was billed before where that is a later estimate.
    "base": f"""
CREATE TEMPORARY TABLE estimating_base ON COMMIT DROP AS
SELECT register_id, in_a_row, counts_on, since, value
FROM (SELECT e.register_id,
        CASE WHEN b.source = 'estimate' THEN COALESCE(b.in_a_row, 1) + 1 ELSE 1 END AS in_a_row,
        CASE WHEN b.source = 'estimate' AND b.register_id = e.register_id AND b.taken_at < e.till
                AND (a.taken_at IS NULL OR b.taken_at > a.taken_at) THEN 'estimate'
            WHEN a.taken_at IS NOT NULL THEN 'actual'
            WHEN e.till - (e.installed_on::timestamp AT TIME ZONE %(zone)s) < %(new)s THEN 'zero' END AS counts_on,
        a.taken_at, a.value AS actual, b.taken_at AS billed_at, b.value AS billed,
        e.installed_on::timestamp AT TIME ZONE %(zone)s AS installed
    FROM estimating_register e
    LEFT JOIN (SELECT DISTINCT ON (of_register) of_register, taken_at, value FROM estimating_reading
        WHERE register_id = of_register ORDER BY of_register, taken_at DESC, id DESC) l ON l.of_register = e.register_id
    LEFT JOIN LATERAL (SELECT r.taken_at, r.value FROM metering_reading r
        WHERE l.of_register IS NULL AND r.register_id = e.register_id AND r.taken_at < e.till AND {ACTUAL}
        ORDER BY r.taken_at DESC, r.id DESC LIMIT 1) older ON true
    CROSS JOIN LATERAL (SELECT COALESCE(l.taken_at, older.taken_at) AS taken_at, COALESCE(l.value, older.value) AS value) a
    LEFT JOIN LATERAL (SELECT d.register_id, r.source, r.taken_at, r.value, t.in_a_row
        FROM metering_adoption d
        JOIN metering_cycle c ON c.id = d.cycle_id AND c.window_closes < %(closes)s
        JOIN metering_register g ON g.id = d.register_id AND g.name = e.name
        JOIN metering_reading r ON r.id = d.reading_id
        LEFT JOIN metering_estimate t ON t.reading_id = r.id
        WHERE d.service_point_id = e.service_point_id AND d.superseded_at IS NULL
        ORDER BY c.window_closes DESC, r.taken_at DESC LIMIT 1) b ON true) found
CROSS JOIN LATERAL (SELECT
    CASE counts_on WHEN 'estimate' THEN billed_at WHEN 'actual' THEN taken_at ELSE installed END AS since,
    CASE counts_on WHEN 'estimate' THEN billed WHEN 'actual' THEN actual ELSE 0 END AS value) chosen
WHERE counts_on IS NOT NULL
""",  # noqa: S608 - of constants only
    "level": """
CREATE TEMPORARY TABLE estimating_level ON COMMIT DROP AS
WITH level AS (
    SELECT e.register_id, e.within, e.between_homes, (w.used + CASE WHEN e.per_day IS NULL THEN 0 ELSE %(mixed)s * e.per_day END)
            / (w.counted + CASE WHEN e.per_day IS NULL THEN 0 ELSE %(mixed)s END) AS per_day,
        e.per_day AS usual, w.as_many, had.age
    FROM estimating_register e
    LEFT JOIN (SELECT of_register, sum(weight * used) AS used, sum(weight * counted) AS counted,
            sum(weight) ^ 2 / sum(weight ^ 2) AS as_many, min(age) AS age
        FROM estimating_stretch GROUP BY 1) had ON had.of_register = e.register_id
    CROSS JOIN LATERAL (SELECT COALESCE(had.used, 0) AS used, COALESCE(had.counted, 0) AS counted,
        COALESCE(had.as_many, 0) AS as_many) w
    WHERE w.counted > 0 OR e.per_day IS NOT NULL
), little AS (
    SELECT *, greatest(%(little)s * COALESCE(usual, per_day), %(least_little)s) AS little FROM level
), off AS (
    SELECT register_id, count(*) AS stretches, sum(ln((s.used / s.counted + little) / (per_day + little)) ^ 2) AS squares
    FROM little JOIN estimating_stretch s ON s.of_register = register_id GROUP BY 1
)
SELECT register_id, per_day, little, COALESCE(stretches, 0) AS stretches,
    sqrt(spread + 1 / (as_many / spread + 1 / between_homes ^ 2))
        * (1 + %(stale)s * COALESCE(least(greatest(age / %(month)s - 1, 0), %(most_stale)s), 0)) AS scale
FROM little LEFT JOIN off USING (register_id)
CROSS JOIN LATERAL (SELECT (COALESCE(squares, 0) + %(own)s * within ^ 2) / (COALESCE(stretches, 0) + %(own)s) AS spread) s
""",
    "result": """
CREATE TEMPORARY TABLE estimating_result ON COMMIT DROP AS
SELECT e.register_id, e.service_point_id, e.till, b.in_a_row, b.counts_on, b.since,
    mod(b.value + u.shown, 10::numeric ^ e.digits) AS value, u.shown AS use, c.counted,
    round((extract(epoch FROM greatest(e.till - b.since, interval '0')) / 86400)::numeric, 2) AS days,
    floor(least(greatest((u.use + u.little) * exp(e.low * l.scale) - u.little, 0), %(most)s) * 1000 + 0.5)::numeric
        / 1000 AS least,
    floor(least(greatest((u.use + u.little) * exp(e.high * l.scale) - u.little, 0), %(most)s) * 1000 + 0.5)::numeric
        / 1000 AS most,
    l.per_day, l.scale, l.stretches, ''::varchar AS "case"
FROM estimating_register e
JOIN estimating_base b USING (register_id)
JOIN estimating_level l USING (register_id)
JOIN estimating_month s ON s.commodity = e.commodity AND s.customer_class = e.customer_class
    AND s.begins = date_trunc('month', b.since AT TIME ZONE %(zone)s)
JOIN estimating_month t ON t.commodity = e.commodity AND t.customer_class = e.customer_class
    AND t.begins = date_trunc('month', e.till AT TIME ZONE %(zone)s)
CROSS JOIN LATERAL (SELECT greatest(
    t.counted + t.factor * extract(epoch FROM (e.till AT TIME ZONE %(zone)s) - t.begins)::float8 / 86400
    - s.counted - s.factor * extract(epoch FROM (b.since AT TIME ZONE %(zone)s) - s.begins)::float8 / 86400, 0) AS counted) c
CROSS JOIN LATERAL (SELECT l.per_day * c.counted AS use, l.little * c.counted AS little,
    least(floor(l.per_day * c.counted * 10::float8 ^ e.decimals + 0.5), 10::float8 ^ (e.digits + e.decimals) - 1)::numeric
        / 10::numeric ^ e.decimals AS shown) u
""",
}

_TABLES = ["kind", *_STEPS]

_WRITE = """
WITH made AS (
    INSERT INTO metering_reading (service_point_id, register_id, cycle_id, value, source, quality, taken_at, recorded_at)
    SELECT service_point_id, register_id, %(cycle)s, value, 'estimate', 'estimated', till, %(at)s
    FROM estimating_result WHERE in_a_row <= %(most)s OR "case" <> ''
    ON CONFLICT DO NOTHING
    RETURNING id, register_id
)
INSERT INTO metering_estimate (reading_id, method, since, days, use, least, most, in_a_row, "case", facts)
SELECT made.id, %(method)s, since, days, use, least, most, in_a_row, "case", jsonb_build_object(
    'per_day', round(per_day::numeric, 4), 'stretches', stretches, 'counted_days', round(counted::numeric, 2),
    'scale', round(scale::numeric, 4), 'counts_on', counts_on)
FROM made JOIN estimating_result USING (register_id)
"""
