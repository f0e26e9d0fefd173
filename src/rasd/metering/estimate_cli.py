"""``rasd estimate``: how good estimates are, on this installation's own readings."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table


@click.group("estimate")
def estimate() -> None:
    """What is billed where nobody read."""


@estimate.command("backtest")
@click.option(
    "--months",
    default=12,
    show_default=True,
    type=click.IntRange(1, 60),
    help="Estimate so many last readings.",
)
@click.option(
    "--gap",
    default=1,
    show_default=True,
    type=click.IntRange(1, 3),
    help="2: the month before was not read either.",
)
@click.option(
    "--sample",
    default=500,
    show_default=True,
    type=click.IntRange(1),
    help="Registers of each kind of customer.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a kind and method on standard output.")
def backtest(months: int, gap: int, sample: int, as_json: bool) -> None:
    """Estimate months that are known, from what was known before them, beside three simple rivals.

    Reads only; the formula is told in docs/estimates.md.
    """
    from django.utils import timezone

    from rasd.metering.backtesting import LOOKS_BACK, Row, backtest
    from rasd.metering.usual import drawn

    found = drawn(timezone.now(), back=LOOKS_BACK, sample=sample)
    tables: list[tuple[str, list[Row]]] = []
    for (commodity, kind), counters in sorted(found.items()):
        tables.append((f"{commodity}, {kind}", backtest(counters, months=months, gap=gap)))
    if not any(rows for _kind, rows in tables):
        raise click.ClickException("no register has readings of two years: nothing can be tested yet")
    if as_json:
        for kind, rows in tables:
            for row in rows:
                click.echo(json.dumps({"kind": kind, **vars(row)}))
        return
    for kind, rows in tables:
        Console().print(as_table(kind, rows))


def as_table(title: str, rows: list) -> Table:
    """Of :class:`rasd.metering.backtesting.Row`; shares in per cent."""
    table = Table(title=title, title_justify="left")
    for column in (
        "method",
        "months",
        "error",
        "half are within",
        "bias",
        "80 % interval holds",
        "its width",
    ):
        table.add_column(column, justify="left" if column == "method" else "right", overflow="fold")
    for row in rows:
        held, width = "", ""
        if row.between is not None:
            held = f"{row.coverage:.1%} ({row.between[0]:.1%}–{row.between[1]:.1%})"
            width = f"{row.width:.0%}"
        table.add_row(
            row.method,
            f"{row.cases:,}",
            f"{row.error:.1%}",
            f"{row.typical:.1%}",
            f"{row.bias:+.1%}",
            held,
            width,
        )
    return table
