"""Working time: when a desk is open, and how long something takes that is counted in open hours only.

Pure: no database, no clock. Every moment is an aware ``datetime`` (a naive one raises ValueError), every answer is in UTC;
days and times of day are those of the desk's own zone. Lengths are of time that really passes: where clocks go forward within
a span, it is an hour shorter. A time of day that the clocks leave out is the moment at which they do; of one that comes twice,
the first is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

Span = tuple[time, time]
"""Opens, closes; a span that closes at 00:00 lasts to the end of its day."""

Week = Mapping[int, Sequence[Span]]
"""Weekday (0 is Monday) → its spans; a weekday that is missing is closed. Time that two spans share counts once."""

LOOKS_AHEAD = timedelta(days=400)
"""After so long, hours that do not open are taken to never open again."""

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class NeverOpen(Exception):
    """These hours do not open within ``LOOKS_AHEAD``, so that nothing can be due in them."""


class Working(Protocol):
    """Anything with hours: a desk's calendar, a person's shifts, round the clock."""

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches between two moments, in order, none sharing time with another, cut off at both, in UTC."""
        ...


@dataclass(frozen=True)
class RoundTheClock:
    """Never closed."""

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        begin, end = utc(begin), utc(end)
        if begin < end:
            yield begin, end


@dataclass(frozen=True)
class Hours:
    """The hours of a desk.

    week      the usual spans of each weekday.
    seasons   (first day, last day, week): other hours between two days, both included, such as those of Ramadan; of several
              that cover a day the last one counts.
    days      the spans of single days, before everything else: none on a holiday or at a closure.
    zone      the desk's.
    """

    week: Week
    zone: ZoneInfo
    seasons: Sequence[tuple[date, date, Week]] = ()
    days: Mapping[date, Sequence[Span]] = field(default_factory=dict)

    def on(self, day: date) -> Sequence[Span]:
        """The spans of a day."""
        if day in self.days:
            return self.days[day]
        week = self.week
        for first, last, other in self.seasons:
            if first <= day <= last:
                week = other
        return week.get(day.weekday(), ())

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        until, end = utc(begin), utc(end)
        day, last = until.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in sorted(self.on(day)):
                opened = max(until, _moment(day, opens, self.zone))
                closed = min(end, _moment(day + DAY if closes == time.min else day, closes, self.zone))
                if opened < closed:
                    yield opened, closed
                    until = closed
            day += DAY


@dataclass(frozen=True)
class Without:
    """Hours less stretches in which their owner is away."""

    hours: Working
    away: Sequence[tuple[datetime, datetime]]

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        away = sorted((utc(left), utc(back)) for left, back in self.away)
        for opened, closed in self.hours.spans(begin, end):
            for left, back in away:
                if back <= opened or left >= closed:
                    continue
                if left > opened:
                    yield opened, left
                opened = max(opened, back)
            if opened < closed:
                yield opened, closed


def is_open(hours: Working, at: datetime) -> bool:
    return next(hours.spans(at, at + timedelta(microseconds=1)), None) is not None


def open_until(hours: Working, at: datetime) -> datetime | None:
    """When the stretch that ``at`` lies in ends, in UTC; None where it does not end within ``LOOKS_AHEAD``.

    Raises:
        ValueError: it is not open at ``at``.
    """
    if not is_open(hours, at):
        raise ValueError(f"not open at {at.isoformat()}")
    end = utc(at)
    far = end + LOOKS_AHEAD
    for opened, closed in hours.spans(at, far):
        if opened > end:
            return end
        end = closed
    return end if end < far else None


def opens_at(hours: Working, at: datetime) -> datetime | None:
    """``at`` where it is open then, else the next opening, in UTC; None where there is none within ``LOOKS_AHEAD``."""
    found = next(hours.spans(at, utc(at) + LOOKS_AHEAD), None)
    return found[0] if found else None


def between(hours: Working, begin: datetime, end: datetime) -> timedelta:
    """How much open time lies between two moments; zero where ``end`` is not after ``begin``."""
    return sum((closed - opened for opened, closed in hours.spans(begin, end)), timedelta())


def after(hours: Working, begin: datetime, amount: timedelta) -> datetime:
    """The moment, in UTC, at which ``amount`` of open time has passed since ``begin``; for nothing, ``begin`` itself.

    Raises:
        NeverOpen: the hours do not have so much within ``LOOKS_AHEAD``.
    """
    if amount <= timedelta():
        return utc(begin)
    left = amount
    for opened, closed in hours.spans(begin, utc(begin) + LOOKS_AHEAD):
        if closed - opened >= left:
            return opened + left
        left -= closed - opened
    raise NeverOpen(f"no {amount} of open time in the {LOOKS_AHEAD.days} days after {begin.isoformat()}")


def due(hours: Working, begin: datetime, amount: timedelta) -> datetime:
    """As :func:`after`; hours that never open count as day and night: a mistake in a calendar must not make time without
    end."""
    try:
        return after(hours, begin, amount)
    except NeverOpen:
        return utc(begin) + amount


def utc(moment: datetime) -> datetime:
    """Python compares and subtracts two moments of one zone by what their clocks show, which is wrong in the hour that
    comes twice; so all arithmetic is done in UTC.

    Raises:
        ValueError: ``moment`` has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; give an aware datetime")
    return moment.astimezone(UTC)


def _moment(day: date, shown: time, zone: ZoneInfo) -> datetime:
    """When clocks in ``zone`` show ``shown`` on ``day``, in UTC."""
    wall = datetime.combine(day, shown, zone)
    found = wall.astimezone(UTC)
    if wall.utcoffset() == found.astimezone(zone).utcoffset():
        return found
    # They never do: fold=0 goes by the offset before the change and lies after it, fold=1 the other way round.
    before, found = wall.replace(fold=1).astimezone(UTC), found
    earlier = before.astimezone(zone).utcoffset()
    while found - before > SECOND:
        middle = before + (found - before) // 2
        if middle.astimezone(zone).utcoffset() == earlier:
            before = middle
        else:
            found = middle
    return found.replace(microsecond=0)
