"""What the month's pictures show, as rows: for drawing, and as they are for a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from rasd.ledger.models import Entry
from rasd.metering import records
from rasd.metering.models import Adoption, Cycle, ReaderSign, Reading, ServicePoint

AFTERWARDS = 7
"""Days after the window that are shown: what meter readers and reviewers bring late."""

MONTHS = 13
"""Of bills that are shown: this month and the year before it."""

YEAR = 12
"""Cycles over which readers' disagreements are counted."""

LIFE = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Day:
    """``number`` 1 is the window's first day. ``this``, ``last``: share of service points of which a real reading was taken up to
    its end, in this round and in the one before; None: not yet, or no such round."""

    number: int
    day: date
    this: float | None
    last: float | None


def coverage(cycle: Cycle, today: date) -> list[Day]:
    """Day by day from the window's first to ``AFTERWARDS`` after its last; what was taken before counts on the first."""
    before = Cycle.objects.filter(window_opens__lt=cycle.window_opens).order_by("-window_opens").first()
    length = (cycle.window_closes - cycle.window_opens).days + AFTERWARDS
    points = _points()
    this = list(_filling(cycle, length, points))
    last = list(_filling(before, length, points)) if before else [None] * (length + 1)
    until = (today - cycle.window_opens).days
    return [
        Day(n + 1, cycle.window_opens + timedelta(days=n), this[n] if n <= until else None, last[n])
        for n in range(length + 1)
    ]


def _filling(cycle: Cycle, length: int, points: int) -> Iterator[float]:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_READINGS, [timezone.get_default_timezone_name(), cycle.pk])
        counts: dict[int, int] = {}
        for day, count in cursor.fetchall():
            place = min(max((day - cycle.window_opens).days, 0), length)
            counts[place] = counts.get(place, 0) + count
    total = 0
    for place in range(length + 1):
        total += counts.get(place, 0)
        yield total / points if points else 0.0


def _points() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT service_point_id) FROM metering_meter WHERE removed_on IS NULL")
        return int(cursor.fetchone()[0])


@dataclass(frozen=True)
class Month:
    """``name``: 2026-11. Registers billed, and of these on an estimate."""

    name: str
    registers: int
    estimated: int

    @property
    def share(self) -> float:
        return self.estimated / self.registers if self.registers else 0.0


def bills_on_estimates(upto: Cycle) -> list[Month]:
    """Of closed cycles up to ``upto``, oldest first: the totals that the ledger was told at each closing."""
    names = list(
        Cycle.objects.filter(closed_at__isnull=False, window_opens__lte=upto.window_opens)
        .order_by("-window_opens")
        .values_list("name", flat=True)[:MONTHS]
    )
    closings = Entry.objects.filter(action="cycle.closed", subject__in=[f"cycle:{name}" for name in names])
    totals = {one.subject.removeprefix("cycle:"): one.facts["totals"] for one in closings}
    return [_month(name, totals[name]) for name in reversed(names) if name in totals]


def _month(name: str, totals: list[dict[str, Any]]) -> Month:
    every = sum(one["registers"] for one in totals)
    return Month(
        name, every, sum(one["registers"] for one in totals if one["source"] == Reading.Source.ESTIMATE)
    )


@dataclass(frozen=True)
class District:
    """Service points with a meter, and those of which a real reading was taken in the cycle."""

    name: str
    points: int
    read: int

    @property
    def share(self) -> float:
        return self.read / self.points if self.points else 0.0


def districts(cycle: Cycle) -> list[District]:
    """The least read first."""
    with connection.cursor() as cursor:
        cursor.execute(_DISTRICTS, {"cycle": cycle.pk})
        found = [District(*row) for row in cursor.fetchall()]
    return sorted(found, key=lambda one: (one.share, one.name))


@dataclass(frozen=True)
class Disagreement:
    """G5: of a reader's readings that were compared with a customer's, how many differ beyond tolerance; Wilson's 95 % interval.
    ``others``: the share of all other readers together; None where they have none. By his code: the picture is printed."""

    reader: str
    found: int
    of: int
    share: float
    low: float
    high: float
    others: float | None
    stands_out: bool


def disagreements(cycle: Cycle) -> list[Disagreement]:
    """Of ``cycle`` and the eleven before it, as one month proves little; by the low end of the interval, the highest first."""
    cycles = Cycle.objects.filter(window_opens__lte=cycle.window_opens).order_by("-window_opens")[:YEAR]
    standings = records.standings(records.counts_of(cycles))
    found = [
        Disagreement(reader, one.found, one.of, one.share, one.low, one.high, one.others, one.stands_out)
        for (reader, kind), one in standings.items()
        if kind == ReaderSign.Kind.DISAGREES and one.of
    ]
    return sorted(found, key=lambda one: (-one.low, -one.share, one.reader))


@dataclass(frozen=True)
class Mark:
    """One reading in a meter's life. ``adopted``: its bill stands on it; ``least``, ``most``: of an estimate, what the register
    may have shown."""

    at: datetime
    serial: str
    register: str
    unit: str
    value: Decimal
    source: str
    quality: str
    cycle: str
    adopted: bool
    receipt: str
    photograph: str
    least: Decimal | None = None
    most: Decimal | None = None
    decimals: int = 0

    @property
    def shown(self) -> str:
        """With as many places after the point as the counter has."""
        return f"{self.value:.{self.decimals}f}"


def life(point: ServicePoint, at: datetime) -> list[Mark]:
    """Every reading of what hung there in the last three years, oldest first."""
    readings = (
        Reading.objects.filter(service_point=point, taken_at__gt=at - LIFE)
        .select_related("register__meter", "cycle", "submission", "estimate", "field_read__photograph")
        .prefetch_related("submission__photographs")
        .order_by("taken_at", "pk")
    )
    standing = {
        one.reading_id: one.receipt
        for one in Adoption.objects.filter(service_point=point, superseded_at=None)
    }
    return [_mark(one, standing.get(one.pk)) for one in readings]


def _mark(reading: Reading, receipt: str | None) -> Mark:
    made = getattr(reading, "estimate", None)
    return Mark(
        at=reading.taken_at,
        serial=reading.register.meter.serial,
        register=reading.register.name,
        unit=reading.register.unit,
        value=reading.value,
        source=reading.source,
        quality=reading.quality,
        cycle=reading.cycle.name if reading.cycle else "",
        adopted=receipt is not None,
        receipt=receipt or "",
        photograph=_photograph(reading),
        least=reading.value - made.use + made.least if made else None,
        most=reading.value - made.use + made.most if made else None,
        decimals=reading.register.decimals,
    )


def _photograph(reading: Reading) -> str:
    """Its SHA-256; empty where there is none."""
    field_read = getattr(reading, "field_read", None)
    if field_read is not None and field_read.photograph is not None:
        return str(field_read.photograph.sha256)
    taken = list(reading.submission.photographs.all()) if reading.submission else []
    return str(taken[0].sha256) if taken else ""


_FIRST_READINGS = """
SELECT (first AT TIME ZONE %s)::date, count(*) FROM (
    SELECT service_point_id, min(taken_at) AS first FROM metering_reading
    WHERE cycle_id = %s AND source <> 'estimate' GROUP BY 1) each GROUP BY 1
"""

_DISTRICTS = """
SELECT p.district, count(*), count(r.service_point_id)
FROM metering_servicepoint p
JOIN metering_meter m ON m.service_point_id = p.id AND m.removed_on IS NULL
LEFT JOIN (SELECT DISTINCT service_point_id FROM metering_reading
    WHERE cycle_id = %(cycle)s AND source <> 'estimate') r ON r.service_point_id = p.id
GROUP BY 1
"""
