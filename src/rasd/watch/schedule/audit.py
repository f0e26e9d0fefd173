"""Was the watch there when it said, and does it hide an hour? Drawn again from what is published; needs no database (G14)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from rasd.watch.journeys.written import Strict
from rasd.watch.schedule.drawing import GRACE, Drawing, Inputs, draw
from rasd.watch.schedule.hours import HOUR, WEEK, as_time
from rasd.watch.schedule.sealing import commitment_of

REPLANNED = "replanned"
EARLY = timedelta(seconds=1)  # clocks are read to the microsecond, visits are due by the second
REVEALED_WITHIN = timedelta(days=2)
"""Of the plan's end; the last visit may be still under way then, and the machine may be stopped for a night."""
SHOWN = 10  # hours or moments that a finding names before it says "and so many more"


class NotAPublication(ValueError):
    """What was read is no published plan; the message says why."""


class Paid(Strict):
    began: AwareDatetime
    probe: str
    digest: str
    verdict: str


class Skipped(Strict):
    reason: str
    words: str = ""
    noticed: AwareDatetime


class Visit(Strict):
    due: AwareDatetime
    hour: int = Field(ge=0, lt=WEEK)
    journey: str
    paid: Paid | None = None
    skipped: Skipped | None = None


class Published(Strict):
    """One plan. Before it is revealed: no seed, no inputs, and of the visits only those whose fate is settled."""

    begins: AwareDatetime
    ends: AwareDatetime
    weeks: int
    commitment: str
    committed_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    closed_because: str = ""
    revealed_at: AwareDatetime | None = None
    seed: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    inputs: str | None = Field(None, description="the text that was committed to, as it is")
    visits: tuple[Visit, ...]


class Publication(Strict):
    """All plans of a target, in order of time."""

    format: Literal["rasd-watch-plans-1"] = "rasd-watch-plans-1"
    target: str
    zone: str
    made_at: AwareDatetime
    plans: tuple[Published, ...]

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is not a time zone of this machine's list") from error
        return zone


@dataclass
class Audited:
    """One plan. ``findings``: what is not as it should be, in sentences; none: it is as it was promised."""

    plan: Published
    drawn: int = 0
    paid: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    hours_visited: int = 0
    hours_skipped: tuple[int, ...] = ()
    """Never visited in this plan, and each shown as skipped with its reason."""
    hours_absent: tuple[int, ...] = ()
    """Leapt over by the zone's clock in the only week that they had."""
    hours_hidden: tuple[int, ...] = ()
    findings: list[str] = field(default_factory=list)

    @property
    def revealed(self) -> bool:
        return self.plan.seed is not None


def parse(text: str | bytes) -> Publication:
    """Raises NotAPublication."""
    try:
        return Publication.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise NotAPublication(f"this is no published plan of a watch: {where}: {first['msg']}") from error


def audit(publication: Publication, noted: Iterable[str] = ()) -> tuple[list[Audited], list[str]]:
    """Each plan, and what is wrong between them. ``noted``: commitments that somebody wrote down when they were published."""
    audited = [audit_plan(plan, publication.target) for plan in publication.plans]
    between = []
    until: datetime | None = None
    for plan in publication.plans:
        if plan.ends <= plan.begins:
            continue  # closed before it began: another stands in its place
        if until and plan.begins > until:
            hours = round((plan.begins - until).total_seconds() / HOUR)
            between.append(
                f"no plan from {until.isoformat()} to {plan.begins.isoformat()}: {hours} hours in which nothing was promised"
            )
        until = max(until or plan.ends, plan.ends)
    for plan in publication.plans:
        if plan.seed is None and plan.ends + REVEALED_WITHIN < publication.made_at:
            between.append(f"the plan {plan.commitment} is over and was not revealed")
    shown = {plan.commitment for plan in publication.plans}
    between += [f"no plan has the commitment {each} that was noted" for each in noted if each not in shown]
    return audited, between


def audit_plan(plan: Published, target: str) -> Audited:
    found = Audited(plan)
    say = found.findings.append
    if plan.committed_at >= plan.begins:
        say(f"committed to at {plan.committed_at.isoformat()}, when it had begun")
    _count(plan.visits, found)
    if plan.seed is None or plan.inputs is None:
        return found
    if commitment_of(plan.seed, plan.inputs) != plan.commitment:
        say("the seed and the inputs are not those that were committed to")
    try:
        inputs = Inputs.model_validate_json(plan.inputs)
        drawing = draw(plan.seed, inputs)
    except ValueError as error:
        say(f"it cannot be drawn again: {str(error).splitlines()[0]}")
        return found
    if inputs.target != target:
        say(f"it was drawn for {inputs.target}")
    if int(plan.begins.timestamp()) != inputs.begins or int(plan.ends.timestamp()) > inputs.ends:
        say("it was drawn for another time")
    if plan.closed_at is None and int(plan.ends.timestamp()) != inputs.ends:
        say("it ended early, and nothing says why")
    _compare(plan, inputs, drawing, found)
    return found


def _count(visits: Iterable[Visit], found: Audited) -> None:
    for visit in visits:
        if visit.paid:
            found.paid += 1
        elif visit.skipped:
            found.skipped[visit.skipped.reason] += 1


def _compare(plan: Published, inputs: Inputs, drawing: Drawing, found: Audited) -> None:
    shown = {int(visit.due.timestamp()): visit for visit in plan.visits}
    if len(shown) != len(plan.visits):
        found.findings.append("a visit is shown twice")
    found.drawn, found.hours_absent = len(drawing.due), drawing.absent
    visited: set[int] = set()
    excused: set[int] = set()
    hidden, silent, changed, untimely, misused = [], [], [], [], []
    for due, until, hour, which in zip(
        drawing.due.tolist(), drawing.until.tolist(), drawing.hour.tolist(), drawing.journey.tolist(), strict=True
    ):  # fmt: skip
        visit = shown.pop(due, None)
        if visit is None:
            hidden.append(as_time(due))
            continue
        if (visit.hour, visit.journey) != (hour, inputs.journeys[which]):
            changed.append(as_time(due))
        if visit.paid:
            if not _in_time(visit.paid.began, due, until):
                untimely.append(as_time(due))
            else:
                visited.add(hour)
        elif visit.skipped:
            excused.add(hour)
            if (visit.skipped.reason == REPLANNED) != (visit.due >= plan.ends):
                misused.append(as_time(due))
        else:
            silent.append(as_time(due))
    found.hours_visited = len(visited)
    found.hours_skipped = tuple(sorted(excused - visited))
    found.hours_hidden = tuple(sorted(set(range(WEEK)) - visited - excused - set(drawing.absent)))
    for moments, words in [
        (hidden, "drawn and not shown: a hidden visit"),
        ([as_time(due) for due in shown], "shown and not drawn: an invented visit"),
        (changed, "shown with another journey or hour than was drawn"),
        (silent, "neither paid nor skipped"),
        (untimely, "not paid in its hour"),
        (misused, "replanned without a new plan in its place, or the reverse"),
    ]:
        if moments:
            found.findings.append(f"{words}: {_some([each.isoformat() for each in moments])}")
    if found.hours_hidden:
        hours = _some([hour_in_words(each) for each in found.hours_hidden])
        found.findings.append(f"hours of the week neither visited nor shown as skipped: {hours}")


def _in_time(began: datetime, due: int, until: int) -> bool:
    return as_time(due) - EARLY <= began <= as_time(max(until, due + GRACE))


def _some(words: list[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def hour_in_words(hour: int) -> str:
    """``Monday 09:00``"""
    return f"{WEEKDAYS[hour // 24]} {hour % 24:02}:00"
