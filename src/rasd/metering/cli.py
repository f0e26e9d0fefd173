"""``rasd import …`` and ``rasd cycle …``. Django is ready when a command's function runs, and not before."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from rasd.metering.importing import Outcome
    from rasd.metering.models import Cycle

ERRORS_SHOWN = 10

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_dry_run = click.option("--dry-run", is_flag=True, help="Check everything and keep nothing.")


@click.group("import")
def import_() -> None:
    """Bring in the utility's own records, from CSV or XLSX.

    What is valid is kept; every other row goes to FILE.errors.csv with what is wrong and how to mend it. Exit status: 0 all
    rows were taken, 1 some were not, 2 the file could not be read at all.
    """


@import_.command("service-points")
@_file
@_dry_run
def service_points(file: Path, dry_run: bool) -> None:
    """Accounts, their telephone numbers, service points and meters."""
    from rasd.metering.importing import import_service_points

    _import(import_service_points, file, dry_run)


@import_.command("readings")
@_file
@_dry_run
def readings(file: Path, dry_run: bool) -> None:
    """Past readings, by service point or by meter."""
    from rasd.metering.importing import import_readings

    _import(import_readings, file, dry_run)


@import_.command("routes")
@_file
@_dry_run
def routes(file: Path, dry_run: bool) -> None:
    """Meter readers, their routes, and the order of the stops."""
    from rasd.metering.importing import import_routes

    _import(import_routes, file, dry_run)


@import_.command("field-reads")
@_file
@_dry_run
def field_reads(file: Path, dry_run: bool) -> None:
    """What meter readers brought from their routes."""
    from rasd.metering.importing import import_field_reads

    _import(import_field_reads, file, dry_run)


def _import(run: Callable[..., Outcome], file: Path, dry_run: bool) -> None:
    from django.utils import timezone

    from rasd.metering.importing import UnreadableTable

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            bar = progress.add_task("reading the file", total=None)

            def on_rows(done: int, of: int) -> None:
                words = "checking rows" if done < of else "writing"
                progress.update(bar, description=words, completed=done, total=of)

            outcome = run(file, at=timezone.now(), actor=actor_here(), dry_run=dry_run, on_rows=on_rows)
    except UnreadableTable as error:
        raise click.UsageError(str(error)) from error
    _tell(console, outcome, dry_run)
    sys.exit(1 if outcome.problems else 0)


def _tell(console: Console, outcome: Outcome, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    console.print(
        f"{outcome.rows:,} rows: {outcome.created:,} {would}created, {outcome.changed:,} {would}changed,"
        f" {outcome.unchanged:,} known already, {len(outcome.problems):,} left out"
        + (" (dry run: nothing was kept)" if dry_run else ""),
        highlight=False,
    )
    for one in outcome.problems[:ERRORS_SHOWN]:
        console.print(
            f"  row {one.row.number}, {one.field}: {one.problem}; {one.mend}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if len(outcome.problems) > ERRORS_SHOWN:
        console.print(f"  … and {len(outcome.problems) - ERRORS_SHOWN:,} more")
    if outcome.errors_file:
        console.print(
            f"All of them are in {outcome.errors_file}; mend them there and import that file.",
            highlight=False,
            soft_wrap=True,
        )


@click.group("cycle")
def cycle() -> None:
    """The month's billing round."""


@cycle.command("open")
@click.argument("name", metavar="MONTH")
@click.option("--from", "opens", type=click.DateTime(["%Y-%m-%d"]), help="First day of the window; the 15th.")
@click.option("--to", "closes", type=click.DateTime(["%Y-%m-%d"]), help="Last day, included; the 25th.")
@click.option(
    "--windows",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Districts with days of their own, CSV or XLSX: district, opens, closes. Of a round that is open they take the"
    " place of those before.",
)
def open_cycle(name: str, opens: datetime | None, closes: datetime | None, windows: Path | None) -> None:
    """Open the round of MONTH (2026-11) for readings."""
    from django.db import transaction
    from django.utils import timezone

    from rasd.metering.importing.tables import UnreadableTable
    from rasd.metering.importing.windows import read_windows
    from rasd.metering.models import Cycle

    try:
        of_districts = read_windows(windows) if windows else None
        with transaction.atomic():
            opened = Cycle.open(
                name,
                window_opens=opens.date() if opens else None,
                window_closes=closes.date() if closes else None,
                at=timezone.now(),
                actor=actor_here(),
            )
            if of_districts is not None:
                opened.put_windows(of_districts, at=timezone.now(), actor=actor_here())
    except (ValueError, UnreadableTable) as error:
        raise click.UsageError(str(error)) from error
    click.echo(
        f"Cycle {opened.name} is open; customers read from {opened.window_opens} to {opened.window_closes}.",
        err=True,
    )
    for one in opened.district_windows.order_by("opens", "district"):
        click.echo(f"  {one.district}: {one.opens} to {one.closes}", err=True)


@cycle.command("show")
@click.argument("name", metavar="MONTH")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def show_cycle(name: str, as_json: bool) -> None:
    """How far the round of MONTH is."""
    import json

    found = cycle_named(name)
    about: dict[str, Any] = {
        "cycle": found.name,
        "window_opens": found.window_opens.isoformat(),
        "window_closes": found.window_closes.isoformat(),
        "closed": found.closed_at is not None,
        **found.progress(),
    }
    if as_json:
        click.echo(json.dumps(about))
        return
    for key, value in about.items():
        click.echo(f"{key:<14} {value}")


def cycle_named(name: str) -> Cycle:
    """Raises click.UsageError, which names those that there are."""
    from rasd.metering.models import Cycle

    found = Cycle.objects.filter(name=name).first()
    if found is None:
        there = ", ".join(Cycle.objects.values_list("name", flat=True)) or "none"
        raise click.UsageError(f"there is no cycle {name!r}; there are: {there}")
    return found


def actor_here() -> str:
    """Who is at the keyboard, by the name this machine knows them by."""
    try:
        return f"user:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run as a number without a name
        return "user:unknown"
