"""Local hours as numbers, so that days of 23 and 25 hours, and clocks that move by half an hour, need no case of their own.

The local hour of the moment ``u`` (Unix seconds) is floor((u + offset) / 3600), offset being the seconds that the zone is ahead
of UTC then. A local hour is a set of seconds: 3,600 mostly, none where the clock leaps over it, twice as many where it comes
again. A plan carries its zone's offsets, so that it can be drawn again without any list of time zones.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from rasd.watch.schedule.stream import Ints

HOUR = 3600  # seconds
WEEK = 168  # hours
DAY = 24  # hours
MONDAY = 72  # the local hour 0 is a Thursday's (1 January 1970), 72 hours into its week
STEP = 6 * HOUR  # no zone changes its clock twice in so short a time

Offsets = tuple[tuple[int, int], ...]
"""From when on (Unix seconds), and by how many seconds the clock is ahead of UTC; in order of time."""


def offset_at(zone: str, moment: int) -> int:
    offset = datetime.fromtimestamp(moment, ZoneInfo(zone)).utcoffset()
    if offset is None:
        raise ValueError(f"{zone} has no offset")
    return int(offset.total_seconds())


def hour_at(zone: str, moment: int) -> int:
    """The local hour's number."""
    return (moment + offset_at(zone, moment)) // HOUR


def hour_of_the_week(hour: int) -> int:
    """0 (Monday 00:00 to 01:00) to 167."""
    return (hour + MONDAY) % WEEK


def next_hour(zone: str, now: datetime) -> int:
    """The first second (Unix) of the next local hour after ``now``."""
    moment = int(now.timestamp())
    here = hour_at(zone, moment)
    moment = moment - moment % 60 + 60  # zones differ from UTC by whole minutes, and have since 1972
    while hour_at(zone, moment) <= here:
        moment += 60
    return moment


@lru_cache(maxsize=4096)
def offsets_of(zone: str, begins: int, weeks: int) -> Offsets:
    """The zone's offsets from ``begins`` on, for so many weeks and two days."""
    ends = begins + (weeks * WEEK + 2 * DAY) * HOUR
    found = [(begins, offset_at(zone, begins))]
    for moment in range(begins, ends, STEP):
        after = offset_at(zone, moment + STEP)
        if after != found[-1][1]:
            found.append((_change_between(zone, moment, moment + STEP), after))
    return tuple(found)


def _change_between(zone: str, before: int, after: int) -> int:
    """The first second at which the offset is that of ``after``."""
    old = offset_at(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if offset_at(zone, middle) == old else (before, middle)
    return after


@dataclass(frozen=True)
class Span:
    """So many weeks of local hours, from the one that ``offsets`` begin in. Arrays are by the hour's place in the span."""

    first: int
    """The local hour that it begins in."""
    starts: tuple[Ints, ...]
    """Of each stretch of one offset: the first second of the hour in it."""
    lengths: tuple[Ints, ...]
    """And how many seconds of the hour lie in it; 0: none."""

    @property
    def seconds(self) -> Ints:
        """How many seconds each hour has; 0: it does not exist."""
        total: Ints = np.sum(self.lengths, axis=0)
        return total

    def moments(self, places: Ints, seconds: Ints) -> Ints:
        """Unix seconds of the ``seconds``-th second (from 0) of each hour, in the order in which they pass."""
        moments, left = np.full(len(places), -1, np.int64), seconds.copy()
        for start, length in zip(self.starts, self.lengths, strict=True):
            here = (moments < 0) & (left < length[places])
            moments[here] = start[places][here] + left[here]
            left -= length[places]
        return moments

    def ends(self, places: Ints) -> Ints:
        """The second after the last of each hour."""
        ends = np.zeros(len(places), np.int64)
        for start, length in zip(self.starts, self.lengths, strict=True):
            ends = np.where(length[places] > 0, start[places] + length[places], ends)
        return ends


@lru_cache(maxsize=4096)
def span_of(offsets: Offsets, weeks: int) -> Span:
    begins, offset = offsets[0]
    first = (begins + offset) // HOUR
    hours = first + np.arange(weeks * WEEK, dtype=np.int64)
    starts, lengths = [], []
    for place, (since, ahead) in enumerate(offsets):
        until = offsets[place + 1][0] if place + 1 < len(offsets) else np.iinfo(np.int64).max
        start = np.maximum(since, HOUR * hours - ahead)
        end = np.minimum(until, HOUR * (hours + 1) - ahead)
        starts.append(start)
        lengths.append(np.maximum(0, end - start))
    return Span(first, tuple(starts), tuple(lengths))


def as_time(moment: int) -> datetime:
    """Unix seconds as a datetime in UTC."""
    return datetime.fromtimestamp(moment, UTC)
