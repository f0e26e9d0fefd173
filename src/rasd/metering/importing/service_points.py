# ruff: noqa: S608 - the only names put into statements are those of columns, and they are ours
"""Who pays, where it is delivered, which meter hangs there: accounts, contacts, service points, meters and registers."""

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
    "service_point": ("رقم نقطة الخدمة", "نقطة الخدمة", "service point number", "usage point"),
    "account": ("رقم الحساب", "الحساب", "account number"),
    "holder_name": ("اسم صاحب الحساب", "اسم المشترك", "الاسم", "name", "customer name"),
    "phones": ("الهواتف", "الهاتف", "رقم الهاتف", "phone", "mobile"),
    "commodity": ("الخدمة", "نوع الخدمة"),
    "place": ("العنوان", "المكان", "address"),
    "district": ("الولاية", "المنطقة", "wilayat"),
    "latitude": ("خط العرض", "lat"),
    "longitude": ("خط الطول", "lon", "lng"),
    "meter_serial": ("رقم العداد", "الرقم التسلسلي للعداد", "meter", "serial", "meter number"),
    "installed_on": ("تاريخ التركيب", "installed", "installation date"),
    "digits": ("عدد الأرقام", "الأرقام"),
    "decimals": ("الخانات العشرية", "عدد الخانات العشرية"),
    "unit": ("الوحدة",),
    "customer_class": ("فئة المشترك", "الفئة", "class", "tariff"),
    "language": ("اللغة",),
}
"""Our name of each column → other headings it may have. Case, spaces, ``-`` and ``_`` do not matter."""

REQUIRED = (
    ("service_point",), ("account",), ("holder_name",), ("meter_serial",), ("installed_on",), ("digits",),
)  # fmt: skip

COMMODITIES = {
    "electricity": "electricity", "كهرباء": "electricity", "الكهرباء": "electricity",
    "water": "water", "ماء": "water", "مياه": "water", "المياه": "water",
}  # fmt: skip
LANGUAGES = {
    "ar": "ar",
    "arabic": "ar",
    "العربية": "ar",
    "عربي": "ar",
    "en": "en",
    "english": "en",
    "الإنجليزية": "en",
}
UNIT = "CASE p.commodity WHEN 'water' THEN 'm³' ELSE 'kWh' END"
REGISTER = "CASE p.commodity WHEN 'water' THEN '8-0:1.0.0' ELSE '1.8.0' END"
"""OBIS codes (IEC 62056-61) of the register customers read: volume of cold water, active energy imported."""

STAGED = {
    "row": "integer", "number": "text", "account": "text", "holder_name": "text", "phones": "text[]",
    "commodity": "text", "place": "text", "district": "text", "latitude": "float8", "longitude": "float8",
    "serial": "text", "installed_on": "date", "digits": "smallint", "decimals": "smallint", "unit": "text",
    "customer_class": "text", "language": "text",
}  # fmt: skip


def import_service_points(
    path: Path,
    *,
    at: datetime,
    actor: str,
    dry_run: bool = False,
    on_rows: Callable[[int, int], object] = lambda done, of: None,
) -> Outcome:
    """Import ``path`` in one transaction; what exists already is brought up to date.

    A column that the file does not have leaves what is on record as it is. An account's imported telephone numbers become
    those of the file, so that a number given up no longer speaks for it. Another serial than the recorded one, installed
    later, is an exchange of the meter.

    Args:
        dry_run: do everything, keep nothing, write the errors file all the same.
        on_rows: called now and then with how many rows of how many are checked.

    Raises:
        UnreadableTable: the file is no table, or has not the columns it needs.
    """
    table = read_table(path, COLUMNS, REQUIRED)
    outcome, staged = _check(table, on_rows)
    with transaction.atomic(), connection.cursor() as cursor:
        staging.stage(cursor, "incoming", STAGED, staged)
        _refuse_earlier_meters(cursor, table, outcome)
        cursor.execute("SELECT count(*) FROM incoming")
        valid = cursor.fetchone()[0]
        outcome.created, outcome.changed = _write(cursor, table, at)
        outcome.unchanged = valid - outcome.created - outcome.changed
        staging.finish(outcome, table, path, kind="service-points", at=at, actor=actor, dry_run=dry_run)
    return outcome


def _check(table: Table, on_rows: Callable[[int, int], object]) -> tuple[Outcome, list[tuple[Any, ...]]]:
    outcome, staged = Outcome(rows=len(table.rows)), []
    seen: dict[str, int] = {}
    for done, row in enumerate(table.rows):
        if done % staging.TELL_EVERY == 0:
            on_rows(done, len(table.rows))
        try:
            values = _values(table, row)
            number = values[1]
            if number in seen:
                raise BadCell(
                    "service_point", f"{number} stands in row {seen[number]} already", "take one out"
                )
            seen[number] = row.number
            staged.append(values)
        except BadCell as bad:
            outcome.problems.append(Problem(row, bad.field, bad.problem, bad.mend))
    on_rows(len(table.rows), len(table.rows))
    return outcome, staged


def _values(table: Table, row: Row) -> tuple[Any, ...]:
    """In the order of ``STAGED``."""

    def cell(column: str) -> str:
        return table.cell(row, column)

    return (
        row.number,
        cells.identifier("service_point", cell("service_point")),
        cells.identifier("account", cell("account")),
        cells.needed("holder_name", cell("holder_name"), 200),
        cells.phones("phones", cell("phones")),
        cells.one_of("commodity", cell("commodity"), COMMODITIES, "electricity"),
        cells.optional("place", cell("place"), 200),
        cells.optional("district", cell("district"), 100),
        cells.degrees("latitude", cell("latitude"), 90),
        cells.degrees("longitude", cell("longitude"), 180),
        cells.serial("meter_serial", cell("meter_serial")),
        cells.day("installed_on", cell("installed_on")),
        cells.whole("digits", cells.needed("digits", cell("digits"), 3), least=1, most=9, default=0),
        cells.whole("decimals", cell("decimals"), least=0, most=3, default=0),
        cells.optional("unit", cell("unit"), 10) or None,
        cells.optional("customer_class", cell("customer_class"), 40) or "residential",
        cells.one_of("language", cell("language"), LANGUAGES, "ar"),
    )


def _refuse_earlier_meters(cursor: Any, table: Table, outcome: Outcome) -> None:
    cursor.execute(
        """DELETE FROM incoming i USING metering_servicepoint p, metering_meter m
           WHERE p.number = i.number AND m.service_point_id = p.id AND m.removed_on IS NULL
             AND m.serial <> i.serial AND m.installed_on >= i.installed_on
           RETURNING i.row, i.serial, m.serial, m.installed_on"""
    )
    rows = {row.number: row for row in table.rows}
    for number, serial, there, since in cursor.fetchall():
        outcome.problems.append(
            Problem(
                rows[number],
                "meter_serial",
                f"{serial} would replace {there}, which hangs there since {since}, but was installed no later",
                "correct installed_on where the meter was exchanged, or meter_serial where it was not",
            )
        )


def _write(cursor: Any, table: Table, at: datetime) -> tuple[int, int]:
    """Everything in a handful of statements, whatever the number of rows. Returns points created and changed."""
    given = set(table.columns)
    staging.drop(cursor, "touched")
    cursor.execute("CREATE TEMPORARY TABLE touched (number text, created boolean) ON COMMIT DROP")

    accounts = ["holder_name", *[name for name in ("customer_class", "language") if name in given]]
    cursor.execute(
        f"""WITH done AS (
              INSERT INTO metering_account AS old (number, holder_name, customer_class, language)
              SELECT DISTINCT ON (account) account, holder_name, customer_class, language
              FROM incoming ORDER BY account, row DESC
              ON CONFLICT (number) DO UPDATE SET {_set(accounts)} WHERE {_differs(accounts)}
              RETURNING number)
            INSERT INTO touched SELECT i.number, false FROM done JOIN incoming i ON i.account = done.number"""
    )
    if "phones" in given:
        cursor.execute(
            """DELETE FROM metering_accountcontact c USING metering_account a
               WHERE a.id = c.account_id AND c.known = 'imported'
                 AND a.number IN (SELECT account FROM incoming)
                 AND NOT EXISTS (SELECT FROM incoming i WHERE i.account = a.number AND c.identifier = ANY(i.phones))"""
        )
        cursor.execute(
            """WITH done AS (
                 INSERT INTO metering_accountcontact (account_id, identifier, known, since)
                 SELECT DISTINCT a.id, unnest(i.phones), 'imported', %s::timestamptz
                 FROM incoming i JOIN metering_account a ON a.number = i.account
                 ON CONFLICT (account_id, identifier) DO NOTHING RETURNING account_id)
               INSERT INTO touched SELECT i.number, false FROM done
               JOIN metering_account a ON a.id = done.account_id JOIN incoming i ON i.account = a.number""",
            [at],
        )
    points = [
        "account_id",
        *[name for name in ("commodity", "place", "district", "latitude", "longitude") if name in given],
    ]
    cursor.execute(
        f"""WITH done AS (
              INSERT INTO metering_servicepoint AS old
                (number, account_id, commodity, place, district, latitude, longitude)
              SELECT i.number, a.id, i.commodity, i.place, i.district, i.latitude, i.longitude
              FROM incoming i JOIN metering_account a ON a.number = i.account ORDER BY i.row
              ON CONFLICT (number) DO UPDATE SET {_set(points)} WHERE {_differs(points)}
              RETURNING number, xmax = 0 AS created)
            INSERT INTO touched SELECT number, created FROM done"""
    )
    # The meter that hung there until the new one came
    cursor.execute(
        """UPDATE metering_meter m SET removed_on = i.installed_on
           FROM incoming i JOIN metering_servicepoint p ON p.number = i.number
           WHERE m.service_point_id = p.id AND m.removed_on IS NULL AND m.serial <> i.serial"""
    )
    cursor.execute(
        """WITH done AS (
             INSERT INTO metering_meter AS old (service_point_id, serial, installed_on)
             SELECT p.id, i.serial, i.installed_on
             FROM incoming i JOIN metering_servicepoint p ON p.number = i.number ORDER BY i.row
             ON CONFLICT (service_point_id) WHERE removed_on IS NULL
             DO UPDATE SET installed_on = excluded.installed_on WHERE old.installed_on <> excluded.installed_on
             RETURNING service_point_id)
           INSERT INTO touched SELECT p.number, false FROM done JOIN metering_servicepoint p ON p.id = service_point_id"""
    )
    registers = ["digits", *[name for name in ("decimals", "unit") if name in given]]
    cursor.execute(
        f"""WITH done AS (
              INSERT INTO metering_register AS old (meter_id, name, digits, decimals, unit)
              SELECT m.id, {REGISTER}, i.digits, i.decimals, coalesce(i.unit, {UNIT})
              FROM incoming i JOIN metering_servicepoint p ON p.number = i.number
              JOIN metering_meter m ON m.service_point_id = p.id AND m.removed_on IS NULL ORDER BY i.row
              ON CONFLICT (meter_id, name) DO UPDATE SET {_set(registers)} WHERE {_differs(registers)}
              RETURNING meter_id)
            INSERT INTO touched SELECT p.number, false FROM done JOIN metering_meter m ON m.id = done.meter_id
            JOIN metering_servicepoint p ON p.id = m.service_point_id"""
    )
    cursor.execute(
        """SELECT count(*) FILTER (WHERE new), count(*) FILTER (WHERE NOT new)
           FROM (SELECT bool_or(created) AS new FROM touched GROUP BY number) AS each"""
    )
    created, changed = cursor.fetchone()
    return created, changed


def _set(columns: list[str]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns)


def _differs(columns: list[str]) -> str:
    old, new = (", ".join(f"{row}.{name}" for name in columns) for row in ("old", "excluded"))
    return f"({old}) IS DISTINCT FROM ({new})"
