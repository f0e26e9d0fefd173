"""``rasd cycle close`` and ``rasd cycle verify``. Django is ready when a command's function runs, and not before."""

from __future__ import annotations

import json
import sys

import click

from rasd.metering.cli import actor_here, cycle, cycle_named

SHOWN = 20


@cycle.command("close")
@click.argument("name", metavar="MONTH")
@click.option(
    "--with-open-reviews",
    is_flag=True,
    help="What people have not decided is billed on an estimate; their decision later is a correction.",
)
def close_cycle(name: str, with_open_reviews: bool) -> None:
    """Settle what each register is billed on in MONTH (2026-11), and seal it.

    It may be stopped at any point, and called again goes on. On standard output one JSON object with how many are billed and
    the seal. Exit status: 0 closed, 1 people must decide first (the list says what), 2 it is not this month's turn.
    """
    from django.utils import timezone

    from rasd.metering import closing

    found = cycle_named(name)
    try:
        closed = closing.close(
            found,
            at=timezone.now(),
            actor=actor_here(),
            with_open_reviews=with_open_reviews,
            tell=lambda step: click.echo(f"  {step} …", err=True),
        )
    except closing.NotClosable as error:
        raise click.UsageError(str(error)) from error
    except closing.Undecided as waiting:
        click.echo(f"Cycle {name} is not closed: {waiting}.", err=True)
        for one in closing.undecided(found)[:SHOWN]:
            click.echo(f"  {one.service_point}  {one.why}", err=True)
        click.echo("Decide them and close it again, or close it with --with-open-reviews.", err=True)
        sys.exit(1)
    billed = next(step["counts"] for step in closed.steps if step["step"] == "bill")
    click.echo(
        json.dumps(
            {
                "cycle": name,
                "billed": billed["billed"],
                "true_ups": billed["true_ups"],
                "seal": billed["seal"],
            }
        )
    )


@cycle.command("verify")
@click.argument("name", metavar="MONTH")
def verify_cycle(name: str) -> None:
    """Whether the rows that MONTH was billed on are those that were sealed in the ledger when it was closed.

    One JSON object on standard output. Exit status: 0 they are, 1 one was changed, added or taken out, or it is not closed.
    """
    from django.db import connection

    from rasd.metering import sealing

    found = cycle_named(name)
    with connection.cursor() as cursor:
        faults = sealing.faults_of(cursor, found)
    for fault in faults:
        click.echo(fault, err=True)
    click.echo(json.dumps({"cycle": name, "sealed": not faults, "faults": faults}))
    sys.exit(1 if faults else 0)
