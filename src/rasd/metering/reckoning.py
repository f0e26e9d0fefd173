"""What each register of a cycle comes to, for a million at once: one table that validation looks at and billing takes.

A table of the cycle's own beside the others, made anew by each closing and gone when it is done; not logged, because whatever
is in it can be made again.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from rasd.metering.adopting import HUNG, ONLY, STANDS
from rasd.metering.models.estimates import Season
from rasd.metering.truing import RECKONED
from rasd.vision.prior import GULF_SEASON

# Put together from this package's own words and a cycle's checked name; what comes from outside are parameters.
# ruff: noqa: S608

REACHES_BACK = 380
"""Days before the last real reading, from which on the use is counted that tells what is usual: a year and some grace."""

LEAST_BASE = 25
"""Days between two readings below which they do not tell what is usual."""

ROWS = f"""
WITH hung AS ({HUNG}),
adopted AS (
    SELECT a.id AS adoption_id, a.register_id, a.rule, r.id AS reading_id, r.value, r.taken_at, r.source, r.quality
    FROM metering_adoption a JOIN metering_reading r ON r.id = a.reading_id
    WHERE a.cycle_id = %(cycle)s AND a.superseded_at IS NULL AND r.cycle_id = %(cycle)s
),
corrected AS (
    -- What was adopted after the cycle before was closed: its bill was put right, so this one goes on from there.
    SELECT a.register_id, r.value, r.taken_at, r.source FROM metering_adoption a
    JOIN metering_billed b ON b.cycle_id = %(before)s AND b.register_id = a.register_id AND b.adoption_id <> a.id
    JOIN metering_reading r ON r.id = a.reading_id
    WHERE a.cycle_id = %(before)s AND a.superseded_at IS NULL
),
started AS (
    SELECT hung.*, adopted.adoption_id, adopted.rule, adopted.reading_id, adopted.value, adopted.taken_at, adopted.source,
        adopted.quality,
        coalesce(c.value, b.value, o.value, h.value) AS previous_value,
        coalesce(c.taken_at, b.taken_at, o.taken_at, h.taken_at) AS previous_at,
        coalesce(c.source, b.source, o.source, h.source) AS previous_source
    FROM hung LEFT JOIN adopted USING (register_id)
    LEFT JOIN metering_billed b ON b.cycle_id = %(before)s AND b.register_id = hung.register_id
    LEFT JOIN corrected c ON c.register_id = hung.register_id
    LEFT JOIN LATERAL (
        -- Not billed last time, but earlier.
        SELECT e.value, e.taken_at, e.source FROM metering_billed e
        WHERE b.register_id IS NULL AND e.register_id = hung.register_id AND e.cycle_id <> %(cycle)s
        ORDER BY e.taken_at DESC LIMIT 1
    ) AS o ON true
    LEFT JOIN LATERAL (
        -- Never billed by us: what the utility knew before.
        SELECT r.value, r.taken_at, r.source FROM metering_reading r
        WHERE b.register_id IS NULL AND o.value IS NULL AND r.register_id = hung.register_id
          AND r.taken_at < coalesce(adopted.taken_at, %(at)s) AND r.id IS DISTINCT FROM adopted.reading_id
          AND r.cycle_id IS DISTINCT FROM %(cycle)s AND {STANDS}
        ORDER BY r.taken_at DESC LIMIT 1
    ) AS h ON true
),
actual AS (
    SELECT started.*,
        CASE WHEN previous_source = 'estimate' THEN coalesce(l.value, previous_value) ELSE previous_value END AS real_value,
        CASE WHEN previous_source = 'estimate' THEN coalesce(l.taken_at, previous_at) ELSE previous_at END AS real_at
    FROM started LEFT JOIN LATERAL (
        SELECT r.value, r.taken_at FROM metering_reading r
        WHERE previous_source = 'estimate' AND r.register_id = started.register_id AND r.taken_at < previous_at
          AND r.source <> 'estimate' AND {STANDS}
        ORDER BY r.taken_at DESC LIMIT 1
    ) AS l ON true
),
based AS (
    SELECT actual.*, l.value AS base_value, l.taken_at AS base_at
    FROM actual LEFT JOIN LATERAL (
        SELECT r.value, r.taken_at FROM metering_reading r
        WHERE r.register_id = actual.register_id AND r.taken_at >= real_at - interval '{REACHES_BACK} days'
          AND r.taken_at < real_at - interval '{LEAST_BASE} days' AND r.source <> 'estimate' AND {STANDS}
        ORDER BY r.taken_at LIMIT 1
    ) AS l ON true
),
taken AS (
    SELECT based.*, p.district, p.commodity, a.customer_class,
        (taken_at AT TIME ZONE %(zone)s)::date AS day,
        CASE WHEN real_at IS NOT NULL AND taken_at > real_at
            THEN round((extract(epoch FROM taken_at - real_at) / 86400)::numeric, 2) END AS days,
        -- A meter hung up since the cycle before began at zero; of one of which nothing was known, this is the beginning.
        CASE WHEN value IS NULL THEN NULL
            WHEN installed_on > %(begins)s AND (taken_at AT TIME ZONE %(zone)s)::date > installed_on THEN value
            ELSE 0 END AS first_use
    FROM based JOIN metering_servicepoint p ON p.id = based.service_point_id
    JOIN metering_account a ON a.id = p.account_id
)
SELECT w.register_id, w.service_point_id, w.digits, w.decimals, w.unit, w.installed_on, w.removed_on, w.district, w.commodity,
    w.customer_class, w.adoption_id, w.rule, w.reading_id, w.value, w.taken_at, w.day, w.days, w.source, w.quality,
    w.previous_value, w.previous_at, w.previous_source, w.real_value, w.real_at,
    w.used, w.billed, w.own, w.gap, w.too_old, w.forgone, w.use, w.true_up,
    -- The year's use, as much of it as falls on these days by the season.
    CASE WHEN s1.total > s0.total
        THEN greatest(0, round((
            (w.real_value - w.base_value + CASE WHEN w.real_value < w.base_value THEN 10::numeric ^ w.digits ELSE 0 END)
            * (s2.total - s1.total)::numeric / (s1.total - s0.total)::numeric)::numeric, 3)) END AS expected,
    coalesce(e.in_a_row, 0) AS in_a_row,
    EXISTS (
        SELECT FROM metering_meter m WHERE m.service_point_id = w.service_point_id
        AND m.removed_on > %(begins)s AND m.removed_on <= %(closes)s
    ) AND w.removed_on IS NULL AS replaced
FROM ({RECKONED}) AS w
LEFT JOIN metering_estimate e ON w.source = 'estimate' AND e.reading_id = w.reading_id
LEFT JOIN season s0 ON s0.commodity = w.commodity AND s0.customer_class = w.customer_class
    AND s0.day = (w.base_at AT TIME ZONE %(zone)s)::date
LEFT JOIN season s1 ON s1.commodity = w.commodity AND s1.customer_class = w.customer_class
    AND s1.day = (w.real_at AT TIME ZONE %(zone)s)::date
LEFT JOIN season s2 ON s2.commodity = w.commodity AND s2.customer_class = w.customer_class AND s2.day = w.day
"""


def reckon_all(cursor: Any, table: str, facts: dict[str, Any]) -> int:
    """Make ``table`` anew; how many registers are in it. The season must be staged (:func:`season_rows`)."""
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE UNLOGGED TABLE {table} AS {ROWS.format(only='')}", facts)
    count: int = cursor.rowcount
    cursor.execute(f"CREATE INDEX ON {table} (register_id)")
    cursor.execute(f"ANALYZE {table}")
    return count


def reckon_again(cursor: Any, table: str, facts: dict[str, Any], only: list[int]) -> int:
    """Put these registers into ``table`` anew; how many."""
    cursor.execute(f"DELETE FROM {table} WHERE register_id = ANY(%s)", [only])
    cursor.execute(f"INSERT INTO {table} {ROWS.format(only=ONLY)}", facts | {"only": only})
    count: int = cursor.rowcount
    return count


SEASON = {"commodity": "text", "customer_class": "text", "day": "date", "total": "float8"}


def season_rows(kinds: list[tuple[str, str]], first: date, last: date) -> list[tuple[str, str, date, float]]:
    """(commodity, class, day, what was used up to its end in days of a mean month), for each day from ``first`` to ``last``.

    ``kinds``: those that there are. Where nothing was learnt of one, the Gulf's shape for electricity, and none for water.
    """
    learnt = {(one.commodity, one.customer_class, one.month): one.factor for one in Season.objects.all()}
    rows = []
    for commodity, customer_class in kinds:
        general = GULF_SEASON if commodity == "electricity" else (1.0,) * 12
        factors = [
            learnt.get(
                (commodity, customer_class, month), learnt.get((commodity, "", month), general[month - 1])
            )
            for month in range(1, 13)
        ]
        total, day = 0.0, first
        while day <= last:
            total += factors[day.month - 1]
            rows.append((commodity, customer_class, day, total))
            day += timedelta(days=1)
    return rows


def kinds_of(cursor: Any) -> list[tuple[str, str]]:
    cursor.execute(
        "SELECT DISTINCT p.commodity, a.customer_class FROM metering_servicepoint p"
        " JOIN metering_account a ON a.id = p.account_id"
    )
    found: list[tuple[str, str]] = cursor.fetchall()
    return found
