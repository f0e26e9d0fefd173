"""Working time: when a desk is open, and how long something takes that is counted in open hours only.

Pure: no database, no clock. Every moment is an aware ``datetime``; days and times of day are those of the desk's own zone.
Lengths are of the clock that people live by: where clocks go forward within a span, the span is an hour shorter.
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
"""Weekday (0 is Monday) → its spans in order, none overlapping; a weekday that is missing is closed."""

LOOKS_AHEAD = 400
"""Days after which hours that never open again are taken as that."""


class NeverOpen(Exception):
    """These hours do not open within ``LOOKS_AHEAD`` days, so that nothing can be due in them."""


class Working(Protocol):
    """Anything with hours: a desk's calendar, a person's shifts, round the clock."""

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches between two moments, in order, cut off at both, in UTC."""
        ...


@dataclass(frozen=True)
class RoundTheClock:
    """Never closed."""

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        if begin < end:
            yield begin.astimezone(UTC), end.astimezone(UTC)


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
        day = begin.astimezone(self.zone).date()
        last = end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self.on(day):
                opened = datetime.combine(day, opens, self.zone).astimezone(UTC)
                closing_day = day + timedelta(days=1) if closes == time.min else day
                closed = datetime.combine(closing_day, closes, self.zone).astimezone(UTC)
                opened, closed = max(opened, begin), min(closed, end)
                if opened < closed:
                    yield opened.astimezone(UTC), closed.astimezone(UTC)
            day += timedelta(days=1)


@dataclass(frozen=True)
class Without:
    """Hours less stretches in which their owner is away."""

    hours: Working
    away: Sequence[tuple[datetime, datetime]]

    def spans(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        for opened, closed in self.hours.spans(begin, end):
            for left, back in sorted(self.away):
                if back <= opened or left >= closed:
                    continue
                if left > opened:
                    yield opened, left.astimezone(UTC)
                opened = max(opened, back.astimezone(UTC))
            if opened < closed:
                yield opened, closed


def is_open(hours: Working, at: datetime) -> bool:
    return next(hours.spans(at, at + timedelta(microseconds=1)), None) is not None


def open_until(hours: Working, at: datetime) -> datetime | None:
    """When the stretch that ``at`` lies in ends, in UTC; None where it does not end within ``LOOKS_AHEAD`` days.

    Raises:
        ValueError: it is not open at ``at``.
    """
    if not is_open(hours, at):
        raise ValueError(f"not open at {at.isoformat()}")
    far = at + timedelta(days=LOOKS_AHEAD)
    end = at.astimezone(UTC)
    for opened, closed in hours.spans(at, far):
        if opened > end:
            return end
        end = closed
    return end if end < far.astimezone(UTC) else None


def opens_at(hours: Working, at: datetime) -> datetime | None:
    """``at`` where it is open then, else the next opening, in UTC; None where there is none within ``LOOKS_AHEAD`` days."""
    found = next(hours.spans(at, at + timedelta(days=LOOKS_AHEAD)), None)
    return found[0] if found else None


def between(hours: Working, begin: datetime, end: datetime) -> timedelta:
    """How much open time lies between two moments; zero where ``end`` is not after ``begin``."""
    return sum((closed - opened for opened, closed in hours.spans(begin, end)), timedelta())


def after(hours: Working, begin: datetime, amount: timedelta) -> datetime:
    """The moment, in UTC, at which ``amount`` of open time has passed since ``begin``; for nothing, ``begin`` itself.

    Raises:
        NeverOpen: the hours do not have so much within ``LOOKS_AHEAD`` days.
    """
    if amount <= timedelta():
        return begin.astimezone(UTC)
    left = amount
    for opened, closed in hours.spans(begin, begin + timedelta(days=LOOKS_AHEAD)):
        if closed - opened >= left:
            return opened + left
        left -= closed - opened
    raise NeverOpen(f"no {amount} of open time in the {LOOKS_AHEAD} days after {begin.isoformat()}")
