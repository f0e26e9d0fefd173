"""``rasd export …`` and ``rasd trace …``. Django is ready when a command's function runs, and not before."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from rasd.metering.cli import actor_here, cycle_named

SHOWN = 20


@click.group("export")
def export() -> None:
    """What other systems take from here."""


@export.command("billing")
@click.argument("name", metavar="MONTH")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder to write to; this one.",
)
@click.option("--number", type=click.IntRange(min=1), help="A file that was written before, again.")
def billing(name: str, folder: Path, number: int | None) -> None:
    """What the closed cycle MONTH (2026-11) is billed on: CSV, and MeterReadings of IEC 61968-9 in XML.

    The first time all of it; later what was corrected since, or the last file again where nothing was. On standard output one
    JSON object about what was written. Exit status: 0 written, 1 refused because something is missing, 2 no such cycle or file.
    """
    from django.utils import timezone
    from rich.console import Console

    from rasd.metering import billing

    cycle = cycle_named(name)
    console = Console(stderr=True)
    try:
        if number is None:
            with console.status("putting the rows together") as status:
                made = billing.export(
                    cycle,
                    at=timezone.now(),
                    actor=actor_here(),
                    tell=lambda rows: status.update(f"{rows:,} rows"),
                )
        else:
            there = cycle.exports.filter(number=number).first()
            if there is None:
                raise click.UsageError(
                    f"--number: cycle {name} has {cycle.exports.count()} files, none of them {number}"
                )
            made = there
        files = billing.write(made, folder)
    except billing.Refused as refused:
        click.echo(f"Nothing was written: {refused}", err=True)
        for one in refused.missing[:SHOWN]:
            click.echo(f"  {one.service_point}  {one.meter}  {one.why}", err=True)
        if len(refused.missing) > SHOWN:
            click.echo(f"  … and {len(refused.missing) - SHOWN:,} more", err=True)
        sys.exit(1)
    about = {"cycle": name, "number": made.number, "rows": made.rows, **made.totals}
    hashes = {"csv_sha256": made.csv_sha256, "xml_sha256": made.xml_sha256}
    click.echo(json.dumps(about | {"files": [str(path) for path in files]} | hashes, ensure_ascii=False))


@click.command("trace")
@click.argument("what", metavar="RECEIPT|MONTH")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line on standard output, of each number."
)
def trace(what: str, as_json: bool) -> None:
    """Where a billed number comes from: of one adoption by its RECEIPT (2611-00042-7), or of all that stand in MONTH (2026-11).

    Exit status: 0 every number is traced to its evidence, 1 something is missing, 2 there is nothing of that name.
    """
    from django.core.serializers.json import DjangoJSONEncoder

    from rasd.metering import tracing
    from rasd.metering.models import Adoption

    one = Adoption.objects.filter(receipt=what).first()
    found = iter([tracing.trace(one)]) if one else tracing.traces(cycle_named(what))
    traced = lacking = 0
    for each in found:
        traced += 1
        lacking += bool(each["lacks"])
        if as_json or one:
            click.echo(
                json.dumps(each, cls=DjangoJSONEncoder, ensure_ascii=False, indent=None if as_json else 2)
            )
        if each["lacks"]:
            click.echo(
                f"{each['receipt']} {each['service_point']}: lacks {', '.join(each['lacks'])}", err=True
            )
    click.echo(
        f"{traced:,} numbers, {traced - lacking:,} traced to their evidence, {lacking:,} not.", err=True
    )
    sys.exit(1 if lacking else 0)
