"""What pages say of a whole month is counted over every service point: seconds, where there are a million.

Where there are that many, a count is kept, shown with its time, and made anew by a job as pages ask for it: nobody waits for one.
Where there are few, each page counts for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from rasd.channels.jobs import defer
from rasd.console.models import KeptCount
from rasd.metering import billing, days, pictures
from rasd.metering.billing import Missing
from rasd.metering.models import Cycle

MANY = 50_000
"""Meters, by the planner's estimate, from which counts are kept: below, each takes less than some 30 ms."""

AGE = 60
"""Times as long as counting takes, after which a kept count is made anew: it costs at most a sixtieth of one processor."""


class Count(NamedTuple):
    """``make``: what JSON holds of it; ``read``: that, as the page wants it."""

    make: Callable[[Cycle, datetime], Any]
    read: Callable[[Any], Any] = lambda kept: kept


COUNTS = {
    "progress": Count(lambda cycle, _at: cycle.progress()),
    "by_day": Count(
        lambda cycle, _at: [[one["day"].isoformat(), one["adopted"]] for one in cycle.progress_by_day()],
        lambda kept: [{"day": date.fromisoformat(day), "adopted": adopted} for day, adopted in kept],
    ),
    "coverage": Count(
        lambda cycle, at: [
            [one.number, one.day.isoformat(), one.this, one.last]
            for one in pictures.coverage(cycle, days.local_day(at))
        ],
        lambda kept: [
            pictures.Day(number, date.fromisoformat(day), this, last) for number, day, this, last in kept
        ],
    ),
    "districts": Count(
        lambda cycle, _at: [astuple(one) for one in pictures.districts(cycle)],
        lambda kept: [pictures.District(*one) for one in kept],
    ),
    "missing": Count(
        lambda cycle, _at: [astuple(one) for one in billing.missing(cycle)],
        lambda kept: [Missing(*one) for one in kept],
    ),
    "corrected": Count(lambda cycle, at: _corrected(cycle, at)),
}


def _corrected(cycle: Cycle, at: datetime) -> list[Any]:
    """Number of the last file that billing took, and whether something was adopted otherwise since."""
    last = cycle.exports.order_by("-number").first()
    return [last.number, billing.is_corrected(cycle, last.as_of, at)] if last else [0, False]


def of(what: str, cycle: Cycle, at: datetime) -> tuple[Any, datetime | None]:
    """The count ``what`` of ``cycle``, and when it was made; None: just now."""
    count = COUNTS[what]
    if not _are_many():
        return count.read(count.make(cycle, at)), None
    kept = KeptCount.objects.filter(name=_name(what, cycle)).first() or make(what, cycle, at)
    if at - kept.made_at > timedelta(seconds=AGE * kept.seconds) and kept.is_wanted(at):
        from rasd.console.jobs import count_again

        defer(count_again, what=what, cycle_id=cycle.pk)
    return count.read(kept.found), kept.made_at


def make(what: str, cycle: Cycle, at: datetime) -> KeptCount:
    """Count, and keep it."""
    begun = time.perf_counter()
    found = COUNTS[what].make(cycle, at)
    about = {"found": found, "seconds": time.perf_counter() - begun, "made_at": at, "wanted_at": None}
    return KeptCount.objects.update_or_create(name=_name(what, cycle), defaults=about)[0]


def _name(what: str, cycle: Cycle) -> str:
    return f"{what}:{cycle.pk}"


def _are_many() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples >= %s FROM pg_class WHERE oid = 'metering_meter'::regclass", [MANY])
        return bool(cursor.fetchone()[0])
