"""Readings of the past: of meter readers, of customers, estimates, smart meters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from rasd.metering.importing import cells, staging
from rasd.metering.importing.cells import BadCell
from rasd.metering.importing.outcome import Outcome, Problem
from rasd.metering.importing.tables import Row, Table, read_table

COLUMNS: dict[str, tuple[str, ...]] = {
    "service_point": ("رقم نقطة الخدمة", "نقطة الخدمة", "service point number", "usage point"),
    "meter_serial": ("رقم العداد", "الرقم التسلسلي للعداد", "meter", "serial", "meter number"),
    "taken_at": ("تاريخ القراءة", "التاريخ", "وقت القراءة", "date", "reading date", "read at"),
    "value": ("القراءة", "قيمة القراءة", "reading"),
    "source": ("المصدر", "مصدر القراءة"),
}
REQUIRED = (("service_point", "meter_serial"), ("taken_at",), ("value",))
SOURCES = {
    "field": "field", "meter reader": "field", "ميداني": "field", "قارئ": "field", "قارئ العدادات": "field",
    "customer": "customer", "مشترك": "customer", "المشترك": "customer",
    "estimate": "estimate", "estimated": "estimate", "تقدير": "estimate", "تقديري": "estimate", "مقدر": "estimate",
    "smart": "smart", "ذكي": "smart", "عداد ذكي": "smart",
}  # fmt: skip
STAGED = {
    "row": "integer", "number": "text", "serial": "text", "taken_at": "timestamptz", "value": "numeric", "source": "text",
}  # fmt: skip
TOMORROW = timedelta(days=1)
"""A clock may be wrong by this much before a reading counts as one of the future."""


def import_readings(
    path: Path,
    *,
    at: datetime,
    actor: str,
    dry_run: bool = False,
    on_rows: Callable[[int, int], object] = lambda done, of: None,
) -> Outcome:
    """Import ``path`` in one transaction. A reading that is on record already is left alone; another value for the same
    meter, source and moment is a problem of that row, never an overwriting.

    Where both columns stand, ``service_point`` says where and ``meter_serial`` which meter. Arguments and errors as
    :func:`rasd.metering.importing.import_service_points`.
    """
    table = read_table(path, COLUMNS, REQUIRED)
    outcome, staged = _check(table, at, on_rows)
    rows = {row.number: row for row in table.rows}
    with transaction.atomic(), connection.cursor() as cursor:
        staging.hold_cycles(cursor)
        staging.stage(cursor, "incoming", STAGED, staged)
        staging.drop(cursor, "found")
        cursor.execute(_FIND, {"zone": timezone.get_default_timezone_name()})
        cursor.execute("ANALYZE found")
        for number, field, problem, mend in _problems(cursor):
            outcome.problems.append(Problem(rows[number], field, problem, mend))
        cursor.execute(_INSERT, {"at": at, "zone": timezone.get_default_timezone_name()})
        outcome.created = cursor.rowcount
        outcome.unchanged = outcome.rows - outcome.created - len({one.row.number for one in outcome.problems})
        staging.finish(outcome, table, path, kind="readings", at=at, actor=actor, dry_run=dry_run)
    return outcome


def _check(
    table: Table, at: datetime, on_rows: Callable[[int, int], object]
) -> tuple[Outcome, list[tuple[Any, ...]]]:
    outcome, staged = Outcome(rows=len(table.rows)), []
    for done, row in enumerate(table.rows):
        if done % staging.TELL_EVERY == 0:
            on_rows(done, len(table.rows))
        try:
            staged.append(_values(table, row, at))
        except BadCell as bad:
            outcome.problems.append(Problem(row, bad.field, bad.problem, bad.mend))
    on_rows(len(table.rows), len(table.rows))
    return outcome, staged


def _values(table: Table, row: Row, at: datetime) -> tuple[Any, ...]:
    """In the order of ``STAGED``; number or serial is None where its cell is empty."""
    number, serial = table.cell(row, "service_point"), table.cell(row, "meter_serial")
    if not number and not serial:
        raise BadCell("service_point", "is empty", "fill it in, or meter_serial")
    taken_at = cells.moment("taken_at", table.cell(row, "taken_at"))
    if taken_at > at + TOMORROW:
        raise BadCell("taken_at", f"{table.cell(row, 'taken_at')} is in the future", "correct the date")
    return (
        row.number,
        cells.identifier("service_point", number) if number else None,
        cells.serial("meter_serial", serial) if serial else None,
        taken_at,
        cells.reading("value", table.cell(row, "value")),
        cells.one_of("source", table.cell(row, "source"), SOURCES, "field"),
    )


_FIND = """
-- The meter that hung there on that day, and the register customers read on it. Two joins, each on equality: one join
-- with an OR in it would be a loop over all pairs.
CREATE TEMPORARY TABLE found ON COMMIT DROP AS
WITH hung AS (
    SELECT i.*, m.id AS meter_id, m.service_point_id FROM incoming i
    LEFT JOIN metering_servicepoint p ON p.number = i.number
    LEFT JOIN metering_meter m ON m.service_point_id = p.id AND coalesce(i.serial, m.serial) = m.serial
        AND (i.taken_at AT TIME ZONE %(zone)s)::date >= m.installed_on
        AND (i.taken_at AT TIME ZONE %(zone)s)::date < coalesce(m.removed_on, 'infinity')
    WHERE i.number IS NOT NULL
    UNION ALL
    SELECT i.*, m.id, m.service_point_id FROM incoming i
    LEFT JOIN metering_meter m ON m.serial = i.serial
        AND (i.taken_at AT TIME ZONE %(zone)s)::date >= m.installed_on
        AND (i.taken_at AT TIME ZONE %(zone)s)::date < coalesce(m.removed_on, 'infinity')
    WHERE i.number IS NULL
)
SELECT DISTINCT ON (hung.row) hung.*, r.id AS register_id, r.digits, r.decimals,
    count(*) OVER (PARTITION BY hung.row, r.name) AS meters
FROM hung LEFT JOIN metering_register r ON r.meter_id = hung.meter_id
ORDER BY hung.row, r.id
"""


def _problems(cursor: Any) -> list[tuple[int, str, str, str]]:
    """(row, field, what is wrong, how to mend it); the rows are taken out of ``found``."""
    problems = []
    for statement, field, problem, mend in _CHECKS:
        cursor.execute(statement)
        problems += [
            (number, field, problem.format(*facts), mend.format(*facts))
            for number, *facts in cursor.fetchall()
        ]
    return problems


_CHECKS = [
    (
        """DELETE FROM found f WHERE number IS NOT NULL
           AND NOT EXISTS (SELECT FROM metering_servicepoint p WHERE p.number = f.number) RETURNING row, number""",
        "service_point",
        "{0} is not on record",
        "correct it, or import the service points first",
    ),
    (
        """DELETE FROM found f WHERE serial IS NOT NULL
           AND NOT EXISTS (SELECT FROM metering_meter m WHERE m.serial = f.serial) RETURNING row, serial""",
        "meter_serial",
        "{0} is not on record",
        "correct it, or import the service points first",
    ),
    (
        "DELETE FROM found WHERE meter_id IS NULL RETURNING row, coalesce(number, serial), taken_at::date",
        "taken_at",
        "no such meter hung at {0} on {1}",
        "correct the date, or installed_on of the meter",
    ),
    (
        "DELETE FROM found WHERE meters > 1 RETURNING row, serial",
        "meter_serial",
        "{0} is the serial of several meters",
        "add the column service_point",
    ),
    (
        "DELETE FROM found WHERE register_id IS NULL RETURNING row, coalesce(serial, number)",
        "meter_serial",
        "the meter {0} has no register",
        "import the service points with digits first",
    ),
    (
        "DELETE FROM found WHERE value >= 10::numeric ^ digits RETURNING row, trim_scale(value), digits",
        "value",
        "{0} is more than a counter of {1} digits shows",
        "correct it, or digits of the service point",
    ),
    (
        "DELETE FROM found WHERE scale(trim_scale(value)) > decimals RETURNING row, trim_scale(value), decimals",
        "value",
        "{0} has more decimals than the {1} that the counter shows",
        "round it, or correct decimals of the service point",
    ),
    (
        """DELETE FROM found f USING metering_reading r
           WHERE r.register_id = f.register_id AND r.source = f.source AND r.taken_at = f.taken_at
             AND r.submission_id IS NULL AND r.value <> f.value RETURNING f.row, trim_scale(r.value)""",
        "value",
        "{0} is on record for the same meter, source and time",
        "a reading on record is not overwritten: correct the file, or the time",
    ),
    (
        """DELETE FROM found f USING found o
           WHERE o.register_id = f.register_id AND o.source = f.source AND o.taken_at = f.taken_at
             AND o.row < f.row AND o.value <> f.value RETURNING f.row, o.row, trim_scale(o.value)""",
        "value",
        "row {0} says {1} for the same meter, source and time",
        "take one of the two out",
    ),
]

_INSERT = """
-- What meter readers and smart meters read in the window of a round that is open counts for it (G2).
INSERT INTO metering_reading (service_point_id, register_id, cycle_id, value, source, quality, taken_at, recorded_at)
SELECT service_point_id, register_id, c.id, value, source,
    CASE source WHEN 'estimate' THEN 'estimated' ELSE 'valid' END, taken_at, %(at)s::timestamptz
FROM found LEFT JOIN metering_cycle c ON c.closed_at IS NULL AND source IN ('field', 'smart')
    AND (taken_at AT TIME ZONE %(zone)s)::date BETWEEN c.window_opens AND c.window_closes
ORDER BY register_id, taken_at
ON CONFLICT (register_id, source, taken_at) WHERE submission_id IS NULL DO NOTHING
"""
