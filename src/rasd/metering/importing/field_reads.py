"""What meter readers brought, from the file of their handhelds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction

from rasd.ledger import evidence
from rasd.metering.importing import bringing, cells, staging
from rasd.metering.importing.bringing import KEY_LONGEST, Visit
from rasd.metering.importing.cells import BadCell
from rasd.metering.importing.outcome import Outcome, Problem
from rasd.metering.importing.tables import Row, Table, read_table
from rasd.metering.models import FieldRead
from rasd.vision import NotAPhotograph, check_photograph

COLUMNS: dict[str, tuple[str, ...]] = {
    "reader": ("رمز القارئ", "رقم القارئ", "reader code", "meter reader"),
    "key": ("المعرف", "معرف الزيارة", "id", "visit"),
    "service_point": ("رقم نقطة الخدمة", "نقطة الخدمة", "service point number", "usage point"),
    "serial": ("رقم العداد", "الرقم التسلسلي للعداد", "meter_serial", "meter", "meter number"),
    "visited_at": ("وقت الزيارة", "تاريخ القراءة", "التاريخ", "date", "read at", "taken_at"),
    "value": ("القراءة", "قيمة القراءة", "reading"),
    "no_access": ("سبب عدم القراءة", "تعذر القراءة", "no access", "reason"),
    "note": ("ملاحظة", "ملاحظات"),
    "latitude": ("خط العرض", "lat"),
    "longitude": ("خط الطول", "lon", "lng"),
    "accuracy": ("الدقة",),
    "route": ("رقم المسار", "المسار", "خط السير", "route number"),
    "cycle": ("الدورة", "الشهر", "month"),
    "photograph": ("الصورة", "photo", "picture"),
}
REQUIRED = (("reader",), ("service_point", "serial"), ("visited_at",), ("value", "no_access"))
WHY_NOT = {
    **{str(code): str(code) for code in FieldRead.NoAccess},
    "not found": "not_found", "مغلق": "locked", "رفض": "refused", "رفض الدخول": "refused", "كلب": "dog",
    "غير موجود": "not_found", "محجوب": "blocked", "معطل": "broken", "عطل": "broken", "آخر": "other", "أخرى": "other",
}  # fmt: skip
PHOTOGRAPH_LARGEST = 20 * 1024 * 1024  # bytes
FARTHEST_OFF = 100_000.0  # metres: a handheld that is less sure knows nothing


def import_field_reads(
    path: Path,
    *,
    at: datetime,
    actor: str,
    dry_run: bool = False,
    on_rows: Callable[[int, int], object] = lambda done, of: None,
) -> Outcome:
    """Import ``path`` in one transaction; see :func:`rasd.metering.importing.bringing.bring` for what is taken.

    Without ``key`` a visit is known by its service point (or meter) and moment. ``photograph`` names a file beside the table
    or in a folder beside it. Arguments and errors as :func:`rasd.metering.importing.import_service_points`.
    """
    table = read_table(path, COLUMNS, REQUIRED)
    outcome = Outcome(rows=len(table.rows))
    rows = {row.number: row for row in table.rows}
    pictures: dict[int, Path] = {}

    def visits() -> Iterator[tuple[int, Visit]]:
        for done, row in enumerate(table.rows):
            if done % staging.TELL_EVERY == 0:
                on_rows(done, len(table.rows))
            try:
                picture = _picture(path, table.cell(row, "photograph"))
                visit = _visit(table, row)
            except BadCell as bad:
                outcome.problems.append(Problem(row, bad.field, bad.problem, bad.mend))
                continue
            if picture:
                pictures[row.number] = picture
            yield row.number, visit
        on_rows(len(table.rows), len(table.rows))

    with transaction.atomic():
        brought = bringing.bring(visits(), at=at)
        for refused in brought.refused:
            outcome.problems.append(
                Problem(rows[refused.place], refused.field, refused.problem, refused.mend)
            )
        outcome.created, outcome.unchanged = len(set(brought.created.values())), len(brought.known)
        outcome.unchanged += len(brought.created) - outcome.created
        taken = brought.known | brought.created
        if not dry_run:
            for number, picture in pictures.items():
                if number in taken:
                    _keep(picture, taken[number], rows[number], outcome)
        staging.finish(outcome, table, path, kind="field-reads", at=at, actor=actor, dry_run=dry_run)
    return outcome


def _visit(table: Table, row: Row) -> Visit:
    def cell(name: str) -> str:
        return table.cell(row, name)

    number, serial = cell("service_point"), cell("serial")
    if not number and not serial:
        raise BadCell("service_point", "is empty", "fill it in, or serial")
    value, why_not = cell("value"), cell("no_access")
    if bool(value) == bool(why_not):
        raise BadCell(
            "value",
            "and no_access are both filled in" if value else "and no_access are both empty",
            "give the value that was read, or the reason why none was",
        )
    visited_at = cells.moment("visited_at", cell("visited_at"))
    number = cells.identifier("service_point", number) if number else ""
    serial = cells.serial("serial", serial) if serial else ""
    accuracy = cell("accuracy")
    return Visit(
        reader=cells.identifier("reader", cell("reader")),
        key=cells.optional("key", cell("key"), KEY_LONGEST)
        or f"{number or serial}@{visited_at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        visited_at=visited_at,
        service_point=number,
        serial=serial,
        value=cells.reading("value", value) if value else None,
        no_access=cells.one_of("no_access", why_not, WHY_NOT, ""),
        cycle=cells.latin(cells.optional("cycle", cell("cycle"), 7)),
        route=cells.latin(cells.optional("route", cell("route"), 40)),
        note=cells.optional("note", cell("note"), 300),
        latitude=cells.degrees("latitude", cell("latitude"), 90),
        longitude=cells.degrees("longitude", cell("longitude"), 180),
        accuracy=_metres(accuracy) if accuracy else None,
    )


def _metres(text: str) -> float:
    try:
        metres = float(cells.latin(text))
    except ValueError:
        metres = float("nan")
    if not 0 <= metres <= FARTHEST_OFF:
        raise BadCell("accuracy", f"{text!r} is not a number of metres", "write it like 8, or leave it empty")
    return metres


def _picture(table: Path, text: str) -> Path | None:
    """The file that the cell names. Nothing outside the table's own folder can be named."""
    if not text:
        return None
    try:
        picture = (table.parent / text).resolve()
        is_there = picture.is_relative_to(table.parent.resolve()) and picture.is_file()
    except (OSError, ValueError):  # longer than a file's name can be, or with a NUL
        is_there = False
    if not is_there:
        raise BadCell(
            "photograph", f"{text!r} is no file beside the table", "put it there, or leave the cell empty"
        )
    if picture.stat().st_size > PHOTOGRAPH_LARGEST:
        raise BadCell("photograph", f"{text!r} is larger than 20 MB", "make it smaller")
    try:
        check_photograph(picture.read_bytes())
    except NotAPhotograph as error:
        raise BadCell(
            "photograph", f"{text!r} is no photograph", "put one there, or leave the cell empty"
        ) from error
    return picture


def _keep(picture: Path, pk: int, row: Row, outcome: Outcome) -> None:
    with picture.open("rb") as file:
        sha256, _ = evidence.keep(iter(lambda: file.read(1 << 16), b""), limit=PHOTOGRAPH_LARGEST)
    try:
        FieldRead.objects.get(pk=pk).keep_photograph(sha256)
    except ValueError:
        outcome.problems.append(
            Problem(row, "photograph", "the visit has another one", "bring it under a key of its own")
        )
