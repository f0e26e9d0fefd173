"""Whether a visit may be paid, asked before it is: maintenance, the owner's permission, robots.txt, and the rates of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from django.utils import timezone

from rasd.watch.asking import Ask, ask
from rasd.watch.journeys.language import Journey
from rasd.watch.journeys.steps import Get, Go, Open, Write
from rasd.watch.leave import Leave
from rasd.watch.models import Maintenance, Probe, Skip, Target
from rasd.watch.permission import NotAPermission, Permission, Refusal, Statement, permitted
from rasd.watch.places import PORTS, is_loopback, place
from rasd.watch.robots import UNREAD, delay, lets
from rasd.watch.signposts import posted_at, robots_of
from rasd.watch.watchfile import TargetEntry

VALUE = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True)
class NotPaid:
    """``words``: for the operator, in English; the reason has words in both languages (``pages/words.py``)."""

    reason: Skip.Reason
    words: str


def leave_for(
    target: Target, journey: Journey, folder: Path, now: datetime, ask: Ask = ask
) -> Leave | NotPaid:
    """The leave with which the visit is paid, or why it is not. ``folder``: of ``watch.yaml``, from which paths are taken.

    ``ask`` asks a place for its signposts where they were not read for a day.
    """
    if standing := Maintenance.objects.covering(target, now).first():
        return NotPaid(Skip.Reason.MAINTENANCE, standing.words)
    entry = target.entry
    try:
        permission = permission_of(entry, folder, now, ask)
    except (NotAPermission, OSError) as error:
        return NotPaid(Skip.Reason.PERMISSION, f"{entry.permission}: {error}")
    addresses = [target.url, *own_addresses(journey, target.url)]
    statement = None
    for address in [*addresses, *_letters(journey)]:
        answer = permitted(address, permission, now)
        if isinstance(answer, Refusal):
            return NotPaid(Skip.Reason.PERMISSION, answer.words)
        statement = statement or answer.statement
    pages = [address for address in addresses if address.partition(":")[0].lower() in PORTS]
    leave = Leave(permission=permission, robots=_robots(pages, permission, now, ask), at=now)
    return _full(target, statement, now) or _kept_out(pages, leave) or _too_soon(target, leave, now) or leave


def permission_of(entry: TargetEntry, folder: Path, now: datetime, ask: Ask = ask) -> Permission | None:
    """The target's permission with what its origins publish of it; None where ``watch.yaml`` names no file.

    Raises NotAPermission; OSError where the file cannot be read."""
    if entry.permission is None:
        return None
    text = (folder / entry.permission).read_text("utf-8")
    permission = Permission(text=text, owner_key=entry.owner_key or "")
    origins = {each for each in permission.signed.statement.publishers if not is_loopback(place(each))}
    return permission.model_copy(
        update={"posted": {origin: posted_at(origin, now, ask) for origin in sorted(origins)}}
    )


def own_addresses(journey: Journey, url: str) -> Iterator[str]:
    """The addresses that the journey itself names; for a value of the visit stands ``x``. Where it is led beyond these, it
    asks leave on the way."""
    for step in journey.every_step():
        written = {Open: "open", Go: "at"}.get(type(step))
        found = getattr(step, written) if written else step.get.url if isinstance(step, Get) else None
        if found and not found.startswith("{") and not (isinstance(step, Go) and "@" in found):
            yield urljoin(url, VALUE.sub("x", found))
    for other in journey.otherwise:
        if other.at and not other.at.startswith("{") and "@" not in other.at:
            yield urljoin(url, VALUE.sub("x", other.at))


def _letters(journey: Journey) -> Iterator[str]:
    for step in journey.every_step():
        if isinstance(step, Write) and "{" not in step.write.to:
            yield f"mailto:{step.write.to}"


def _full(target: Target, statement: Statement | None, now: datetime) -> NotPaid | None:
    """Whether the owner's number of visits a day is used up: his day, in his zone, whatever they were for, those that broke off
    too."""
    if statement is None:
        return None
    local = now.astimezone(ZoneInfo(statement.zone))
    morning = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    paid = target.probes.filter(began_at__gte=morning, began_at__lte=now).count()
    broken_off = target.visits.filter(skip__reason=Skip.Reason.DIED, claim__claimed_at__gte=morning).count()
    if paid + broken_off < statement.visits_a_day:
        return None
    return NotPaid(Skip.Reason.BUDGET, f"the permission is for {statement.visits_a_day} visits a day")


def _robots(addresses: list[str], permission: Permission | None, now: datetime, ask: Ask) -> dict[str, str]:
    origins = {place(address).origin for address in addresses}
    if permission:
        origins |= {each.origin for each in permission.signed.statement.places}
    return {origin: robots_of(origin, now, ask) for origin in sorted(origins)}


def _kept_out(addresses: list[str], leave: Leave) -> NotPaid | None:
    for address in addresses:
        origin = place(address).origin
        if leave.robots[origin] == UNREAD:
            return NotPaid(Skip.Reason.UNREAD, f"{origin}/robots.txt could not be read")
        if not lets(leave.robots[origin], address):
            return NotPaid(Skip.Reason.ROBOTS, f"{origin}/robots.txt keeps robots out of {address}")
    return None


def _too_soon(target: Target, leave: Leave, now: datetime) -> NotPaid | None:
    """What the last visit leaves to wait for. Within a visit he turns pages as people do; the rate of robots.txt is kept over
    visits: after one of ten steps, ten times its delay."""
    last = Probe.objects.filter(target=target).order_by("-ended_at").first()
    if last is None:
        return None
    played = [each for each in last.report["findings"] if each["outcome"] != "not reached"]
    between = max(map(delay, leave.robots.values()), default=0.0)
    until = [last.ended_at + timedelta(seconds=between * len(played))]
    until += [
        datetime.fromisoformat(each["began"])
        + timedelta(seconds=each["seconds"] + each["facts"]["retry_after"])
        for each in played
        if each["facts"].get("retry_after")
    ]
    if now >= max(until):
        return None
    local = timezone.localtime(max(until), ZoneInfo(target.zone))
    return NotPaid(Skip.Reason.RATE, f"the service asks to be left alone until {local:%Y-%m-%d %H:%M:%S %Z}")
