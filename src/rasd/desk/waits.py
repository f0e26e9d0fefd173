"""How long one waits for a person (G8): what was measured, where enough was, else the target, told as that. Nothing is made up.

Measured is the working time from a message's coming into a queue to its answer. Of the last ``MEASURED_OVER`` those count that
came at the same hour of the day on the same kind of day (one on which the queue works, or one on which it does not); where
fewer than ``NEEDS`` of them were answered, those of the same half of the day; where those are too few too, the target is told.

What is not answered yet counts as waiting longer than it has waited (Kaplan and Meier, JASA 53, 1958): otherwise a queue that is
not getting on would seem quick, as only the quick answers were there to be measured.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from rasd.desk import hours
from rasd.desk.account import Figure, Scope
from rasd.desk.hours import Working
from rasd.desk.models.account import AccountStretch

if TYPE_CHECKING:
    from rasd.desk.models.queues import Queue

MEASURED_OVER = timedelta(days=14)
NEEDS = 10  # answers; fewer prove nothing
MOSTLY = 0.8  # the share that the second time is told of: with ten answers, the eighth
AT_MOST = 2_000  # of the newest that are looked at: more would not change what is told
NOON = 12  # o'clock: where the halves of the day meet


class Basis(StrEnum):
    """What a told time rests on."""

    HOUR = "hour"
    HALF_DAY = "half_day"
    TARGET = "target"


@dataclass(frozen=True)
class Wait:
    """What can be told to somebody who comes into a queue now. Lengths are of the queue's working time."""

    basis: Basis
    usual: timedelta
    """What half of them did not wait longer than; the target, where nothing was measured."""

    mostly: timedelta | None
    """What eight in ten did not wait longer than; None where that is not known."""

    answers: int
    """How many answers it rests on."""

    slow: timedelta | None
    """How long the first in line has waited already, where that is longer than the times above: today they do not hold."""

    opens_at: datetime | None
    """The queue is closed, and the time counts from then."""

    closes_at: datetime | None
    """It is open, and closes before ``usual`` has passed; it goes on at ``goes_on_at``."""

    goes_on_at: datetime | None

    @property
    def is_measured(self) -> bool:
        return self.basis != Basis.TARGET


def honest_wait(queue: "Queue", at: datetime, *, target: timedelta | None = None) -> Wait:
    """What can be told at ``at``.

    Args:
        target: what is told where nothing was measured; the queue's own where none is given.
    """
    zone = queue.calendar.time_zone if queue.calendar else ZoneInfo(settings.TIME_ZONE)
    working = queue.hours
    spans = alike(at, working, zone)
    for basis in (Basis.HOUR, Basis.HALF_DAY):
        waits = _waits(queue, working, spans[basis], at)
        answers = sum(answered for _seconds, answered in waits)
        usual = longest_of(waits, 0.5) if answers >= NEEDS else None
        if usual is not None:
            mostly = longest_of(waits, MOSTLY)
            return _told(queue, working, at, basis, usual, mostly, answers)
    aim = (target or queue.answer_within).total_seconds()
    return _told(queue, working, at, Basis.TARGET, aim, None, 0)


def alike(at: datetime, working: Working, zone: ZoneInfo) -> dict[Basis, list[tuple[datetime, datetime]]]:
    """The stretches of the days before ``at`` that are like it: of its hour, and of its half of the day."""
    here = at.astimezone(zone)
    kind = _is_worked(here, working)
    begin = 0 if here.hour < NOON else NOON
    hour, half = [], []
    for back in range(MEASURED_OVER.days + 1):
        midnight = datetime.combine(here.date() - timedelta(days=back), time.min, zone)
        if _is_worked(midnight, working) != kind:
            continue
        hour.append(_hours_of(midnight, here.hour, 1))
        half.append(_hours_of(midnight, begin, NOON))
    return {Basis.HOUR: hour, Basis.HALF_DAY: half}


def longest_of(waits: Iterable[tuple[float, bool]], share: float) -> float | None:
    """Seconds that ``share`` of those who wait do not wait longer than; None where too many wait still to know.

    Kaplan and Meier's estimate; with nobody waiting, the plain quantile.
    """
    rows = sorted(waits, key=lambda row: (row[0], not row[1]))
    left = 1.0
    for place, (seconds, answered) in enumerate(rows):
        if answered:
            left *= 1 - 1 / (len(rows) - place)
            if left <= 1 - share + 1e-9:
                return seconds
    return None


def _waits(
    queue: "Queue", working: Working, spans: Iterable[tuple[datetime, datetime]], at: datetime
) -> list[tuple[float, bool]]:
    within = Q(pk=None)
    for begins, ends in spans:
        within |= Q(begin__gte=begins, begin__lt=min(ends, at))
    rows = AccountStretch.objects.filter(
        within,
        Q(how="obligation.answered") | Q(figure=Figure.WAITING, running=True),
        scope=Scope.QUEUE,
        name=queue.name,
        kind="answer",
    ).order_by("-begin")
    return list(_lengths(rows.values_list("begin", "until", "worked")[:AT_MOST], working, at))


def _lengths(
    rows: Iterable[tuple[datetime, datetime | None, int]], working: Working, at: datetime
) -> Iterator[tuple[float, bool]]:
    for begin, until, worked in rows:
        if until is not None and until <= at:
            yield float(worked), True
        else:
            yield hours.between(working, begin, at).total_seconds(), False


def _told(
    queue: "Queue",
    working: Working,
    at: datetime,
    basis: Basis,
    usual: float,
    mostly: float | None,
    answers: int,
) -> Wait:
    closes_at = goes_on_at = None
    opens_at = hours.opens_at(working, at)
    if opens_at is not None and opens_at <= at:
        opens_at = None
        closes_at = hours.open_until(working, at)
        if closes_at is None or at + timedelta(seconds=usual) <= closes_at:
            closes_at = None
        else:
            goes_on_at = hours.opens_at(working, closes_at)
    return Wait(
        basis,
        timedelta(seconds=usual),
        timedelta(seconds=mostly) if mostly is not None else None,
        answers,
        _longer(queue, working, at, mostly or usual),
        opens_at,
        closes_at,
        goes_on_at,
    )


def _longer(queue: "Queue", working: Working, at: datetime, seconds: float) -> timedelta | None:
    """What the first in line has waited, where it is more than so many seconds."""
    waiting = AccountStretch.objects.filter(
        scope=Scope.QUEUE, name=queue.name, figure=Figure.WAITING, kind="answer", running=True, begin__lt=at
    )
    first = waiting.order_by("begin").values_list("begin", flat=True).first()
    waited = hours.between(working, first, at) if first else timedelta()
    return waited if waited.total_seconds() > seconds else None


def _is_worked(moment: datetime, working: Working) -> bool:
    midnight = datetime.combine(moment.date(), time.min, moment.tzinfo)
    return next(iter(working.spans(midnight, midnight + timedelta(days=1))), None) is not None


def _hours_of(midnight: datetime, first: int, many: int) -> tuple[datetime, datetime]:
    begins = midnight.replace(hour=first)
    ends = midnight + timedelta(days=1) if first + many == 24 else midnight.replace(hour=first + many)
    return begins, ends
