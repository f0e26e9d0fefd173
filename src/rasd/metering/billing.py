"""The files that billing takes of a closed cycle: CSV, and MeterReadings of IEC 61968-9 in XML.

The first file of a cycle holds all of it, each later one what was corrected since the one before (a *delta*). A file is made once
and kept as evidence under its SHA-256, which stands in the ledger: whoever asks for it again gets the same bytes, or is told that
they were changed.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Literal
from xml.sax.saxutils import escape

from django.db import connection, transaction

from rasd.ledger import evidence
from rasd.ledger.models import record
from rasd.metering import billing_rows, signals
from rasd.metering.models import BillingExport, Cycle

NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#"

READING_TYPES = {
    # accumulation 1 (bulk quantity), flow 1 (forward), commodity 1 (electricity), kind 12 (energy), unit 72 (Wh)
    ("electricity", "Wh"): "0.0.0.1.1.1.12.0.0.0.0.{tier}.0.0.0.0.72.0",
    ("electricity", "kWh"): "0.0.0.1.1.1.12.0.0.0.0.{tier}.0.0.0.3.72.0",
    ("electricity", "MWh"): "0.0.0.1.1.1.12.0.0.0.0.{tier}.0.0.0.6.72.0",
    # commodity 9 (potable water), kind 58 (volume), unit 42 (cubic metre) or 134 (litre)
    ("water", "m³"): "0.0.0.1.1.9.58.0.0.0.0.{tier}.0.0.0.0.42.0",
    ("water", "m3"): "0.0.0.1.1.9.58.0.0.0.0.{tier}.0.0.0.0.42.0",
    ("water", "L"): "0.0.0.1.1.9.58.0.0.0.0.{tier}.0.0.0.0.134.0",
}
"""Commodity and unit → ReadingType (IEC 61968-9, annex C: eighteen numbers); ``tier`` is the time-of-use tier, 0 where there is
one register for all hours."""

QUALITIES = {"valid": "3.0.1", "questionable": "3.10.0", "estimated": "3.8.0", "manual": "3.7.0"}
"""Ours → ReadingQualityType (IEC 61968-9: system.category.index). System 3: meter data management; categories 0 valid (index 1:
validated), 7 edited (a person put a value of his own in the place of what was read), 8 estimated, 10 questionable."""

COLUMNS = (
    "cycle", "service_point", "account", "meter", "register", "unit", "previous_value", "previous_at", "value", "taken_at",
    "source", "quality", "quality_code", "use", "true_up", "receipt",
)  # fmt: skip
"""Of the CSV. Times are UTC; ``use`` is what this bill is for, true-up included, in ``unit``."""

DELTA_COLUMNS = ("replaces_value", "replaces_use", "why")
"""What a delta's rows have besides."""

MISSING_SHOWN = 1_000


@dataclass(frozen=True)
class Missing:
    """A register that cannot be billed, and why. ``about``: the rule by which a person must look, or the unit."""

    service_point: str
    meter: str
    reason: Literal["nothing", "person", "unit"]
    about: str = ""

    @property
    def why(self) -> str:
        return {
            "nothing": "nothing is adopted for it",
            "person": f"a person must look first: {self.about}",
            "unit": f"its unit has no name in IEC 61968-9: {self.about}",
        }[self.reason]


class Refused(Exception):
    """Nothing was written. ``missing``: all that stands in the way, or the first :data:`MISSING_SHOWN` of it."""

    def __init__(self, words: str, missing: list[Missing] | None = None) -> None:
        super().__init__(words)
        self.missing = missing or []


def missing(cycle: Cycle) -> list[Missing]:
    """What a complete file of ``cycle`` lacks: registers without a row, findings that hold back, units that IEC 61968-9 has no
    name for."""
    with connection.cursor() as cursor:
        known = [f"{commodity} {unit}" for commodity, unit in READING_TYPES]
        cursor.execute(billing_rows.MISSING, {"cycle": cycle.pk, "known": known, "most": MISSING_SHOWN})
        return [Missing(*row) for row in cursor.fetchall()]


def export(
    cycle: Cycle, *, at: datetime, actor: str, tell: Callable[[int], object] = lambda rows: None
) -> BillingExport:
    """The next file of ``cycle``: all of it, or what was corrected since; where nothing was, the last one again.

    Args:
        at: aware; corrections up to then are in a delta.
        tell: called now and then with how many rows are written.

    Raises:
        Refused: the cycle is not closed, or something is missing.
    """
    if cycle.closed_at is None:
        raise Refused(f"cycle {cycle} is not closed: close it first (rasd cycle close {cycle})")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM metering_cycle WHERE id = %s FOR UPDATE", [cycle.pk]
        )  # one export at a time
        last = cycle.exports.order_by("-number").first()
        if last and not is_corrected(cycle, last.as_of, at):
            return last
        if not last and (lacking := missing(cycle)):
            raise Refused(
                f"cycle {cycle} is not complete: {len(lacking)} registers cannot be billed", lacking
            )
        facts = {"cycle": cycle.pk, "name": cycle.name, "since": last.as_of if last else None, "as_of": at}
        facts["qualities"] = json.dumps(QUALITIES)
        with tempfile.TemporaryFile() as table, tempfile.TemporaryFile() as document:
            totals = _write(billing_rows.DELTA if last else billing_rows.ALL, facts, table, document, tell)
            made = BillingExport.objects.create(
                cycle=cycle,
                number=last.number + 1 if last else 1,
                as_of=at,
                actor=actor,
                rows=totals.pop("rows"),
                totals=totals,
                csv_sha256=_kept(table),
                xml_sha256=_kept(document),
            )
        told = {
            name: getattr(made, name) for name in ("number", "rows", "totals", "csv_sha256", "xml_sha256")
        }
        signals.billing_exported.send(BillingExport, export=made)
        record(actor, "billing.exported", f"cycle:{cycle}", at=at, facts=told)
    return made


def write(made: BillingExport, folder: Path) -> list[Path]:
    """Its files, into ``folder``: ``billing-2026-11-1.csv`` and ``….xml``. Each is there whole, or not at all.

    Raises:
        Refused: what is kept is not what was written then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for ending, sha256 in (("csv", made.csv_sha256), ("xml", made.xml_sha256)):
        path = folder / f"{made.name}.{ending}"
        beside, digest = path.with_name(f".{path.name}.part"), hashlib.sha256()
        try:
            with beside.open("wb") as file:
                for chunk in evidence.chunks(sha256):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise Refused(
                    f"{path.name} has been changed in storage since it was made: its SHA-256 is not the ledger's"
                )
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        written.append(path)
    return written


def is_corrected(cycle: Cycle, since: datetime, at: datetime) -> bool:
    """Whether something was adopted otherwise between the two moments."""
    with connection.cursor() as cursor:
        cursor.execute(billing_rows.CORRECTED + " LIMIT 1", {"cycle": cycle.pk, "since": since, "as_of": at})
        return cursor.fetchone() is not None


def _kept(file: IO[bytes]) -> str:
    size = file.tell()
    file.seek(0)
    sha256, _size = evidence.keep(iter(lambda: file.read(evidence.CHUNK), b""), limit=size)
    return sha256


BATCH = 5_000


def _write(
    query: str, facts: dict[str, Any], table: IO[bytes], document: IO[bytes], tell: Callable[[int], object]
) -> dict[str, Any]:
    """All rows of ``query`` into both, a batch at a time, so that a million take no more memory than a thousand."""
    uses: dict[str, tuple[int, Decimal]] = {}
    sources: dict[str, int] = {}
    replaced: dict[str, Decimal] = {}
    rows, lines = 0, io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(COLUMNS + (DELTA_COLUMNS if facts["since"] else ()))
    document.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<MeterReadings xmlns="{NAMESPACE}">\n'.encode())
    with connection.connection.cursor(name="billing") as cursor:
        cursor.execute(query, facts)
        while batch := cursor.fetchmany(BATCH):
            writer.writerows(row[:-2] for row in batch)
            table.write(lines.getvalue().encode())
            lines.seek(0)
            lines.truncate()
            document.write("".join(_element(*row) for row in batch).encode())
            for row in batch:
                count, use = uses.get(row[5], (0, Decimal(0)))
                uses[row[5]] = count + 1, use + Decimal(row[13])
                sources[row[10]] = sources.get(row[10], 0) + 1
                if facts["since"]:
                    replaced[row[5]] = replaced.get(row[5], Decimal(0)) + Decimal(row[17])
            rows += len(batch)
            tell(rows)
    table.write(lines.getvalue().encode())  # the headings, where there are no rows
    document.write(b"</MeterReadings>\n")
    return {
        "rows": rows,
        "use": {
            unit: {"registers": n, "use": str(use)}
            | ({"change": str(use - replaced[unit])} if unit in replaced else {})
            for unit, (n, use) in sorted(uses.items())
        },
        "sources": dict(sorted(sources.items())),
    }


def _element(
    _cycle: str, point: str, _account: str, meter: str, register: str, unit: str, _previous: str, _previous_at: str, value: str,
    taken_at: str, source: str, _quality: str, code: str, *rest: str,
) -> str:  # fmt: skip
    commodity, why = rest[-2:]
    kind = READING_TYPES[commodity, unit].format(tier=_tier(register))
    comment = f"<comment>{escape(why)}</comment>" if why else ""
    return (
        f"<MeterReading><Meter><Names><name>{escape(meter)}</name></Names></Meter><Readings><reason>billing</reason>"
        f"<source>{source}</source><timeStamp>{taken_at}</timeStamp><value>{value}</value><ReadingQualities>{comment}"
        f'<ReadingQualityType ref="{code}"/></ReadingQualities><ReadingType ref="{kind}"/></Readings>'
        f"<UsagePoint><mRID>{escape(point)}</mRID></UsagePoint></MeterReading>\n"
    )


def _tier(register: str) -> int:
    """The tariff of an OBIS code such as 1.8.2 (value group E, IEC 62056-61); 0: all of them."""
    last = register.rpartition(".")[2]
    return int(last) if last.isascii() and last.isdigit() else 0
