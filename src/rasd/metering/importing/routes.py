"""Routes: who walks them, and at which service points they stop, in which order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from rasd.metering.importing import cells, staging
from rasd.metering.importing.cells import BadCell
from rasd.metering.importing.outcome import Outcome, Problem
from rasd.metering.importing.tables import Row, Table, read_table

COLUMNS: dict[str, tuple[str, ...]] = {
    "route": ("رقم المسار", "المسار", "خط السير", "route number"),
    "district": ("الولاية", "المنطقة"),
    "reader": ("رمز القارئ", "رقم القارئ", "reader code", "meter reader"),
    "reader_name": ("اسم القارئ", "reader's name"),
    "service_point": ("رقم نقطة الخدمة", "نقطة الخدمة", "service point number", "usage point"),
    "stop": ("الترتيب", "رقم التوقف", "order", "sequence"),
}
REQUIRED = (("route",), ("service_point", "reader"))
STAGED = {
    "row": "integer", "route": "text", "district": "text", "reader": "text", "reader_name": "text", "number": "text",
    "stop": "integer",
}  # fmt: skip
MOST_STOPS = 99_999


def import_routes(
    path: Path,
    *,
    at: datetime,
    actor: str,
    dry_run: bool = False,
    on_rows: Callable[[int, int], object] = lambda done, of: None,
) -> Outcome:
    """Import ``path`` in one transaction: a row is a stop of a route, or a route alone. Importing it again changes nothing.

    A service point that the file puts on another route moves there. What the file does not name stays as it is; so does what
    a missing column or an empty cell would say. Arguments and errors as
    :func:`rasd.metering.importing.import_service_points`.
    """
    table = read_table(path, COLUMNS, REQUIRED)
    outcome, staged = _check(table, on_rows)
    rows = {row.number: row for row in table.rows}
    with transaction.atomic(), connection.cursor() as cursor:
        staging.stage(cursor, "incoming", STAGED, staged)
        for statement, column, problem, mend in _CHECKS:
            cursor.execute(statement)
            for number, *facts in cursor.fetchall():
                outcome.problems.append(Problem(rows[number], column, problem.format(*facts), mend))
        staging.drop(cursor, "touched")
        cursor.execute("CREATE TEMPORARY TABLE touched (row integer, created boolean) ON COMMIT DROP")
        for statement in _WRITES:
            cursor.execute(statement, {"at": at} if "%(" in statement else None)
        cursor.execute(_COUNT)
        outcome.created, outcome.changed, outcome.unchanged = cursor.fetchone()
        staging.finish(outcome, table, path, kind="routes", at=at, actor=actor, dry_run=dry_run)
    return outcome


def _check(table: Table, on_rows: Callable[[int, int], object]) -> tuple[Outcome, list[tuple[Any, ...]]]:
    outcome, staged = Outcome(rows=len(table.rows)), []
    for done, row in enumerate(table.rows):
        if done % staging.TELL_EVERY == 0:
            on_rows(done, len(table.rows))
        try:
            staged.append(_values(table, row))
        except BadCell as bad:
            outcome.problems.append(Problem(row, bad.field, bad.problem, bad.mend))
    on_rows(len(table.rows), len(table.rows))
    return outcome, staged


def _values(table: Table, row: Row) -> tuple[Any, ...]:
    """In the order of ``STAGED``; None where a cell is empty."""
    stop = cells.latin(table.cell(row, "stop"))
    if stop and not (stop.isdecimal() and 0 < int(stop) <= MOST_STOPS):
        raise BadCell(
            "stop", f"{stop!r} is not a whole number from 1 to {MOST_STOPS}", "correct it, or leave it empty"
        )
    return (
        row.number,
        cells.identifier("route", table.cell(row, "route")),
        cells.optional("district", table.cell(row, "district"), 100) or None,
        cells.latin(cells.optional("reader", table.cell(row, "reader"), 40)) or None,
        cells.optional("reader_name", table.cell(row, "reader_name"), 200) or None,
        cells.latin(cells.optional("service_point", table.cell(row, "service_point"), 40)) or None,
        int(stop) if stop else None,
    )


_CHECKS = [
    (
        """DELETE FROM incoming i WHERE number IS NOT NULL
           AND NOT EXISTS (SELECT FROM metering_servicepoint p WHERE p.number = i.number) RETURNING row, number""",
        "service_point",
        "{0} is not on record",
        "correct it, or import the service points first",
    ),
    (
        """WITH first AS (SELECT DISTINCT ON (number) number, row, route, stop FROM incoming
               WHERE number IS NOT NULL ORDER BY number, row)
           DELETE FROM incoming i USING first f
           WHERE i.number = f.number AND i.row > f.row AND (i.route, i.stop) IS DISTINCT FROM (f.route, f.stop)
           RETURNING i.row, f.row""",
        "service_point",
        "row {0} puts it elsewhere",
        "a service point has one place on one route: take one of the two out",
    ),
    (
        """WITH first AS (SELECT DISTINCT ON (route) route, row, reader FROM incoming
               WHERE reader IS NOT NULL ORDER BY route, row)
           DELETE FROM incoming i USING first f
           WHERE i.route = f.route AND i.reader IS NOT NULL AND i.reader <> f.reader RETURNING i.row, f.row, f.reader""",
        "reader",
        "row {0} gives this route to {1}",
        "one reader walks a route: correct one of the two",
    ),
]

_WRITES = [
    """WITH named AS (
         SELECT DISTINCT ON (reader) reader, reader_name, row FROM incoming WHERE reader IS NOT NULL
         ORDER BY reader, (reader_name IS NULL), row),
       done AS (
         INSERT INTO metering_reader AS old (code, name) SELECT reader, coalesce(reader_name, reader) FROM named
         ON CONFLICT (code) DO UPDATE SET name = excluded.name
         WHERE old.name <> excluded.name AND excluded.name <> excluded.code RETURNING code, xmax = 0 AS created)
       INSERT INTO touched SELECT row, created FROM done JOIN named ON reader = code""",
    """WITH each AS (
         SELECT route, min(row) AS row, (array_agg(district ORDER BY row) FILTER (WHERE district IS NOT NULL))[1] AS district,
           (array_agg(reader ORDER BY row) FILTER (WHERE reader IS NOT NULL))[1] AS reader
         FROM incoming GROUP BY route),
       done AS (
         INSERT INTO metering_route AS old (number, district, reader_id)
         SELECT route, coalesce(district, ''), r.id FROM each LEFT JOIN metering_reader r ON r.code = reader
         ON CONFLICT (number) DO UPDATE SET
           district = coalesce(nullif(excluded.district, ''), old.district),
           reader_id = coalesce(excluded.reader_id, old.reader_id)
         WHERE (old.district, old.reader_id) IS DISTINCT FROM
           (coalesce(nullif(excluded.district, ''), old.district), coalesce(excluded.reader_id, old.reader_id))
         RETURNING number, xmax = 0 AS created)
       INSERT INTO touched SELECT row, created FROM done JOIN each ON route = number""",
    """WITH placed AS (
         SELECT DISTINCT ON (i.number) i.number, i.row, i.stop, t.id AS route_id FROM incoming i
         JOIN metering_route t ON t.number = i.route WHERE i.number IS NOT NULL ORDER BY i.number, i.row),
       done AS (
         UPDATE metering_servicepoint p SET route_id = placed.route_id, stop = coalesce(placed.stop, p.stop)
         FROM placed WHERE p.number = placed.number
           AND (p.route_id, p.stop) IS DISTINCT FROM (placed.route_id, coalesce(placed.stop, p.stop))
         RETURNING placed.row)
       INSERT INTO touched SELECT row, false FROM done""",
]

_COUNT = """
SELECT count(*) FILTER (WHERE t.created), count(*) FILTER (WHERE NOT t.created), count(*) FILTER (WHERE t.created IS NULL)
FROM incoming i LEFT JOIN (SELECT row, bool_or(created) AS created FROM touched GROUP BY row) t USING (row)
"""
