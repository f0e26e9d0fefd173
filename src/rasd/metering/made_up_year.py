"""A made-up year: what the meters of the made-up utility really show, who sends readings, and who walks the routes. Nothing
of it is read by the product: it plays those outside, and knows the truth that the product must find.

Everything follows from the seed. Amounts in the register's unit, moments aware, in the utility's time zone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
from django.utils import timezone

from rasd.metering.consumption import used_between
from rasd.metering.distances import metres_between
from rasd.metering.importing.bringing import Visit
from rasd.metering.models import Reader, Reading, Register, Route, ServicePoint

MONTHLY_NOISE = 0.12  # deviation of the log of a month's use, against the same month last year
SENDERS, NOW_AND_THEN = 0.45, 0.25  # shares of the customers; the rest never send
SENDS = {"always": 0.85, "sometimes": 0.25, "never": 0.0}  # in a month, by kind
MISTYPES = 0.004  # of what is typed
MISREADS = 0.004  # of what an honest reader notes
NO_ACCESS = 0.06
READERS = 8
A_DAY = 45  # stops that a reader makes
METRES_A_MINUTE = 250  # between two stops, by car and on foot
AT_THE_METER = timedelta(minutes=1, seconds=30)
ERROR = 9.0  # metres, of a handheld's position
INVENTS = 1 / 3  # of his round, the one who does
METRES_A_DEGREE = 111_320


@dataclass
class House:
    """A service point as it is: ``marks`` are (moment, what passed through since the year began), straight between them."""

    point: ServicePoint
    register: Register
    kind: str
    began: Decimal
    marks: list[tuple[datetime, float]]
    changes: list[tuple[datetime, Register, float]] = field(default_factory=list)
    """Meters hung up during the year: when, its register, and what had passed by then."""

    def passed(self, at: datetime) -> float:
        place = min(max(bisect_right(self.marks, at, key=lambda mark: mark[0]), 1), len(self.marks) - 1)
        (since, low), (till, high) = self.marks[place - 1], self.marks[place]
        return low + (high - low) * ((at - since) / (till - since))

    def hangs(self, at: datetime) -> Register:
        return next((register for since, register, _ in reversed(self.changes) if since <= at), self.register)

    def shows(self, at: datetime) -> Decimal:
        """What the counter that hangs there shows at ``at``."""
        register = self.hangs(at)
        start, before = next(
            ((Decimal(0), passed) for since, one, passed in self.changes if one == register),
            (self.began, 0.0),
        )
        step = Decimal(1).scaleb(-register.decimals)
        shown = (start + Decimal(self.passed(at) - before)).quantize(step, "ROUND_FLOOR")
        return shown % Decimal(10) ** register.digits

    def counted(self, at: datetime) -> Decimal:
        """What all counters that hung there have counted up to ``at`` since the year began, whole steps of each."""
        total, start, before = Decimal(0), self.began, 0.0
        register = self.register
        for since, following, passed in [*self.changes, (at, self.register, self.passed(at))]:
            until = min(since, at)
            step = Decimal(1).scaleb(-register.decimals)
            total += (start + Decimal(self.passed(until) - before)).quantize(step, "ROUND_FLOOR") - start
            if since >= at:
                break
            register, start, before = following, Decimal(0), passed
        return total


@dataclass(frozen=True)
class Sent:
    """What a customer sends: the digits as he types them, or a photograph of what the counter shows."""

    house: House
    at: datetime
    value: Decimal
    is_photograph: bool


class World:
    """``points`` service points through ``months`` months from ``begins`` (a first of a month) on."""

    def __init__(self, begins: date, *, months: int, seed: int, photographs: float) -> None:
        self.begins, self.photographs = begins, photographs
        self.chance = np.random.default_rng(seed)
        self.houses = [self._house(point, months) for point in ServicePoint.objects.order_by("number")]
        self.of = {house.point.pk: house for house in self.houses}
        self.readers = [self._reader(number) for number in range(READERS)]
        self.dishonest = self.readers[int(self.chance.integers(READERS))]
        self.routes = self._routes()
        self.invented: set[str] = set()
        """Keys of the visits that never were."""

    def _house(self, point: ServicePoint, months: int) -> House:
        """Each month's use is last year's of the same month, more or less."""
        register = point.current_register
        if register is None:
            raise LookupError(f"{point} has no meter")
        past = list(register.readings.order_by("taken_at").values_list("taken_at", "value"))[-13:]
        uses = [float(used_between(one, two, register.digits)) for (_, one), (_, two) in pairwise(past)]
        marks = [(past[-1][0], 0.0)]
        for month in range(months + 1):
            day = month_of(self.begins, month).replace(day=20)
            use = uses[month % len(uses)] * float(self.chance.lognormal(0, MONTHLY_NOISE))
            marks.append((moment_of(day, time(12)), marks[-1][1] + use))
        kind = str(self.chance.choice(list(SENDS), p=[SENDERS, NOW_AND_THEN, 1 - SENDERS - NOW_AND_THEN]))
        return House(point, register, kind, past[-1][1], marks)

    def _reader(self, number: int) -> Reader:
        return Reader.objects.create(code=f"R-{number + 1:02}", name=f"قارئ العدادات رقم {number + 1}")

    def _routes(self) -> list[Route]:
        """Neighbouring houses are one route, walked to the nearest that was not yet visited."""
        ordered = sorted(self.houses, key=lambda house: (house.point.district, house.point.latitude or 0.0))
        routes = []
        for number, part in enumerate(np.array_split(np.arange(len(ordered)), READERS)):
            route = Route.objects.create(number=f"RT-{number + 1:02}", reader=self.readers[number])
            left = [ordered[index] for index in part]
            here, stop = left[0], 0
            while left:
                here = min(left, key=lambda house: _metres(here, house))
                left.remove(here)
                stop += 1
                here.point.route, here.point.stop = route, stop
            routes.append(route)
        ServicePoint.objects.bulk_update(
            [house.point for house in ordered], ["route", "stop"], batch_size=1_000
        )
        return routes

    # What happens

    def hang_meter(self, house: House, at: datetime, register: Register) -> None:
        house.changes.append((at, register, house.passed(at)))

    def sent(self, month: int, opens: date, closes: date) -> Iterator[Sent]:
        """What customers send in the window, in the order in which they send it."""
        found = []
        for house in self.houses:
            if self.chance.random() >= SENDS[house.kind]:
                continue
            day = opens + timedelta(days=int(self.chance.integers((closes - opens).days + 1)))
            at = moment_of(day, time(int(self.chance.integers(7, 22)), int(self.chance.integers(60))))
            value = house.shows(at)
            if self.chance.random() < MISTYPES:
                value = _misread(value, house.hangs(at), self.chance)
            found.append(Sent(house, at, value, bool(self.chance.random() < self.photographs)))
        return iter(sorted(found, key=lambda one: one.at))

    def visits(self, month: int, *, share: float, walked: set[int], must: set[int]) -> Iterator[Visit]:
        """What the readers of the routes at ``walked`` (places in ``routes``) bring: of each, ``share`` of its houses, another
        part of it each month, and whatever service points are in ``must``."""
        for place in sorted(walked):
            route, reader = self.routes[place], self.readers[place]
            stops = sorted(
                (house for house in self.houses if house.point.route_id == route.pk),
                key=lambda house: house.point.stop or 0,
            )
            turn = round(1 / share)
            due = [
                house
                for index, house in enumerate(stops)
                if index % turn == month % turn or house.point.pk in must
            ]
            yield from self._round(month, reader, due)

    def _round(self, month: int, reader: Reader, stops: list[House]) -> Iterator[Visit]:
        day, at, before = 10 + int(self.chance.integers(3)), None, None
        for number, house in enumerate(stops):
            if number % A_DAY == 0:
                at = moment_of(
                    month_of(self.begins, month).replace(day=min(day + number // A_DAY, 27)), time(7, 45)
                )
                before = None
            if at is None:
                raise AssertionError("a round begins with a day")
            invents = reader == self.dishonest and self.chance.random() < INVENTS
            if invents:
                at += timedelta(seconds=int(self.chance.integers(15, 40)))
            else:
                way = _metres(before, house) if before else 200.0
                at += AT_THE_METER + timedelta(
                    minutes=way / METRES_A_MINUTE * float(self.chance.uniform(0.8, 1.6))
                )
                before = house
            yield self._visit(
                f"{self.begins.year}-{month + 1:02}-{house.point.number}",
                reader,
                house,
                before or house,
                at,
                invents,
            )

    def _visit(
        self, key: str, reader: Reader, house: House, where: House, at: datetime, invents: bool
    ) -> Visit:
        """``where`` he stands: one who invents notes the houses that follow from the last at which he was."""
        latitude, longitude = _place(where)
        told = Visit(
            reader=reader.code,
            key=key,
            visited_at=at,
            service_point=house.point.number,
            latitude=round(latitude + float(self.chance.normal(0, ERROR / METRES_A_DEGREE)), 6),
            longitude=round(longitude + float(self.chance.normal(0, ERROR / METRES_A_DEGREE)), 6),
            accuracy=ERROR,
        )
        if invents:
            self.invented.add(key)
            return replace(told, value=self._invention(house, at))
        if self.chance.random() < NO_ACCESS:
            why = str(self.chance.choice(["locked", "locked", "locked", "dog", "blocked"]))
            return replace(told, no_access=why)
        value = house.shows(at)
        if self.chance.random() < MISREADS:
            value = _misread(value, house.hangs(at), self.chance)
        return replace(told, value=value)

    def _invention(self, house: House, at: datetime) -> Decimal:
        """What somebody writes who was not there: the last reading that he has on his handheld, and about a month's use."""
        register = house.hangs(at)
        last = Reading.objects.filter(register=register).order_by("-taken_at").first()
        if last is None:
            return Decimal(0)
        days = (at - last.taken_at) / timedelta(days=1)
        year = float(house.marks[-1][1]) / max((house.marks[-1][0] - house.marks[0][0]).days, 1)
        guess = float(last.value) + year * days * float(self.chance.uniform(0.7, 1.3))
        step = 10 if self.chance.random() < 0.6 else 1
        return Decimal(int(guess // step * step)) % Decimal(10) ** register.digits


def _misread(value: Decimal, register: Register, chance: np.random.Generator) -> Decimal:
    """One digit of it another."""
    digits = register.as_shown(value).replace(".", "")
    place = int(chance.integers(len(digits)))
    other = str((int(digits[place]) + int(chance.integers(1, 10))) % 10)
    return Decimal(int(digits[:place] + other + digits[place + 1 :])).scaleb(-register.decimals)


def _place(house: House | None) -> tuple[float, float]:
    point = house.point if house else None
    return (point.latitude or 0.0, point.longitude or 0.0) if point else (0.0, 0.0)


def _metres(one: House, two: House) -> float:
    return metres_between(*_place(one), *_place(two)) or 0.0


def month_of(begins: date, month: int) -> date:
    months = begins.year * 12 + begins.month - 1 + month
    return date(months // 12, months % 12 + 1, 1)


def moment_of(day: date, at: time) -> datetime:
    return timezone.make_aware(datetime.combine(day, at), timezone.get_default_timezone())
