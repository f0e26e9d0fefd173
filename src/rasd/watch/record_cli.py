"""``rasd watch verify`` and ``rasd watch export``: the record, held against itself, and taken along."""

import json
import sys
from datetime import date, datetime

import click

BEGINNING, END = date(2000, 1, 1), date(2999, 12, 31)
"""Of all days that a visit may have."""


@click.command()
@click.option(
    "--head", default="", help="A digest noted earlier: tells whether the record's end was cut off."
)
@click.option(
    "--evidence", metavar="WATCHER", default="", help="Read this watcher's evidence too: its machine's box."
)
def verify(head: str, evidence: str) -> None:
    """Holds every probe against its digest, its report and the probe before it, and the pages' counts against the probes.

    Exit status 1 where anything was changed; standard output names it, one JSON object a line.
    """

    from rasd.watch.models import Probe, Shown, Tally, the_box

    if changed := Probe.objects.verify(head.strip()):
        click.echo(json.dumps({"token": changed.token, "why": changed.why}))
        click.echo(f"rasd watch: {changed}", err=True)
    else:
        last = Probe.objects.order_by("-pk").first()
        click.echo(
            json.dumps({"probes": Probe.objects.count(), "head": last.digest if last else "", "holds": True})
        )
    if miscounted := Tally.objects.wrong():
        why = "its visits are not as many as the pages count"
        click.echo(json.dumps({"day": miscounted, "why": why}))
        click.echo(f"rasd watch: {miscounted}: {why}", err=True)
    found = list(Shown.objects.wrong(the_box(), evidence)) if evidence else []
    for each in found:
        click.echo(json.dumps({"token": each.token, "why": each.why}))
        click.echo(f"rasd watch: {each}", err=True)
    sys.exit(1 if changed or miscounted or found else 0)


@click.command()
@click.argument("kind", type=click.Choice(["probes", "steps", "visits"]))
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day, in the target's zone.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day, in the target's zone.")
@click.option("--target", "name", default="", help="One target, by name.")
@click.option("--bom", is_flag=True, help="Begin with a byte order mark, as Excel wants it for Arabic.")
def export(kind: str, since: datetime | None, until: datetime | None, name: str, bom: bool) -> None:
    """Writes probes, their steps, or the visits that were paid or skipped, as CSV to standard output."""
    from rasd.watch.export import BOM, lines
    from rasd.watch.models import About, Target

    target = Target.objects.filter(name=name).first()
    if name and target is None:
        known = ", ".join(Target.objects.values_list("name", flat=True))
        raise click.BadParameter(
            f"no target is named {name}; there are: {known or 'none yet'}", param_hint="--target"
        )
    about = About(since.date() if since else BEGINNING, until.date() if until else END, target)
    out = sys.stdout.buffer
    if bom:
        out.write(BOM)
    for line in lines(kind, about):
        out.write(line.encode())
    out.flush()


verify.callback.needs_database = True  # type: ignore[union-attr]
export.callback.needs_database = True  # type: ignore[union-attr]
