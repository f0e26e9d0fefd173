"""``rasd watch plan`` and ``rasd watch audit``: what is promised, and whether it was kept."""

import json
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import httpx

from rasd.watch.schedule.audit import Audited, NotAPublication, Publication, audit, hour_in_words, parse
from rasd.watch.schedule.costs import table

LONGEST_ANSWER = 30.0  # seconds


@click.command()
@click.option("--target", "name", default="", help="One target, by name.")
@click.option("--json", "as_json", is_flag=True, help="One object a plan, on standard output.")
def plan(name: str, as_json: bool) -> None:
    """Shows what is promised: how many visits, from when to when, under which commitment. Never when a visit comes, nor in
    which week an hour is visited: nobody sees that beforehand."""
    from django.utils import timezone

    from rasd.watch.models import Plan, Planned

    now, shown, weeks = timezone.now(), 0, set()
    plans = Plan.objects.in_force(now).select_related("target").order_by("target__name", "begins_at")
    for each in plans.filter(target__name=name) if name else plans:
        shown += 1
        weeks.add(each.weeks)
        visits = Planned.objects.filter(plan=each)
        told = {
            "target": each.target.name,
            "begins": each.begins_at.isoformat(),
            "ends": each.ends_at.isoformat(),
            "weeks": each.weeks,
            "visits": visits.count(),
            "paid": visits.exclude(probe=None).count(),
            "skipped": visits.exclude(skip=None).count(),
            "commitment": each.commitment,
            "committed_at": each.committed_at.isoformat(),
        }
        if as_json:
            click.echo(json.dumps(told))
            continue
        zone = ZoneInfo(each.target.zone)
        click.echo(
            f"{each.target.name}: {_local(each.begins_at, zone)} to {_local(each.ends_at, zone)} ({zone.key})\n"
            f"  N = {each.weeks}, so that every hour of the week is visited in it: {told['visits']} visits, "
            f"{told['paid']} paid, {told['skipped']} skipped so far\n"
            f"  commitment {each.commitment}, published {_local(each.committed_at, zone)}"
        )
    if not shown:
        click.echo("rasd watch: nothing is planned: 'rasd watch serve' plans what watch.yaml names", err=True)
        sys.exit(1)
    if not as_json:
        click.echo(costs(weeks))


plan.callback.needs_database = True  # type: ignore[union-attr]


def costs(chosen: set[int]) -> str:
    """What each N costs, and what its visits could show, as a table."""
    lines = [
        "",
        "weeks (N)  visits a day  a week  in 4 weeks  if all of those are completed,",
        "           at most                           the truth is at least (95 %)",
    ]
    for each in table(*chosen):
        mark = "*" if each.weeks in chosen else " "
        lines.append(
            f"{mark}{each.weeks:>8}  {each.visits_a_day:>12}  {each.visits_a_week:>6.4g}  {each.visits_in_four_weeks:>10}"
            f"  {each.bound_after_four_weeks:>20.1%}"
        )
    lines.append(
        "One visit a day comes in addition where the budget has room, and confirmations of what failed."
    )
    return "\n".join(lines)


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%d %b %Y %H:%M}"


@click.command(name="audit")
@click.argument("where", metavar="FILE|URL")
@click.option(
    "--commitment", "noted", multiple=True, help="One that you noted when it was published; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="One object a plan, on standard output.")
def audit_command(where: str, noted: tuple[str, ...], as_json: bool) -> None:
    """Draws the plans of a published file again (/targets/NAME/plans.json) and says whether every hour was visited or is shown as
    skipped, and whether anything was changed or hidden. Needs no database. Exit status 1 where anything is wrong."""
    try:
        publication = parse(_fetched(where))
    except (OSError, httpx.HTTPError, NotAPublication) as error:
        click.echo(f"rasd watch: {where}: {error}", err=True)
        sys.exit(2)
    audited, between = audit(publication, noted)
    for each in audited:
        click.echo(json.dumps(_as_json(publication, each)) if as_json else _in_words(publication, each))
    for finding in between:
        click.echo(f"rasd watch: {publication.target}: {finding}", err=True)
    if not audited:
        click.echo(f"rasd watch: {publication.target}: no plan is published", err=True)
    wrong = bool(between) or any(each.findings for each in audited)
    if not wrong:
        revealed = sum(each.revealed for each in audited)
        click.echo(f"{publication.target}: nothing is wrong in {revealed} plans that are over", err=True)
    sys.exit(1 if wrong else 0)


def _fetched(where: str) -> bytes:
    if where.startswith(("http://", "https://")):
        answer = httpx.get(where, timeout=LONGEST_ANSWER, follow_redirects=True).raise_for_status()
        return answer.content
    return Path(where).read_bytes()


def _in_words(publication: Publication, each: Audited) -> str:
    plan, zone = each.plan, ZoneInfo(publication.zone)
    since, until = _local(plan.begins, zone), _local(plan.ends, zone)
    lines = [
        f"{publication.target}: {since} to {until} ({publication.zone}), N = {plan.weeks}",
        f"  commitment {plan.commitment}, published {_local(plan.committed_at, zone)}",
    ]
    if plan.closed_at:
        lines.append(f"  ended early, {_local(plan.closed_at, zone)}: {plan.closed_because}")
    skipped = ", ".join(f"{reason} {count}" for reason, count in sorted(each.skipped.items()))
    lines.append(
        f"  visits: {each.paid} paid, {each.skipped.total()} skipped" + (f" ({skipped})" if skipped else "")
    )
    if not each.revealed:
        lines.append("  not over: its seed is not published yet, and nothing more can be said")
    elif each.drawn:
        lines.append(
            f"  drawn again: {each.drawn} visits; of the week's 168 hours {each.hours_visited} were visited, "
            f"{len(each.hours_skipped)} are shown as skipped, {len(each.hours_hidden)} are hidden"
        )
        lines += [f"  {hour_in_words(hour)} did not exist" for hour in each.hours_absent]
    lines += [f"  WRONG: {finding}" for finding in each.findings]
    return "\n".join(lines)


def _as_json(publication: Publication, each: Audited) -> dict[str, object]:
    return {
        "target": publication.target,
        "begins": each.plan.begins.isoformat(),
        "ends": each.plan.ends.isoformat(),
        "commitment": each.plan.commitment,
        "revealed": each.revealed,
        "drawn": each.drawn,
        "paid": each.paid,
        "skipped": dict(each.skipped),
        "hours_visited": each.hours_visited,
        "hours_skipped": each.hours_skipped,
        "hours_hidden": each.hours_hidden,
        "hours_absent": each.hours_absent,
        "findings": each.findings,
    }
