"""A month of rounds by eight readers, one of whom may invent a third of his, for tests of their records."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np

from rasd.metering.importing.bringing import Visit, bring
from rasd.metering.models import (
    Account,
    Adoption,
    Cycle,
    Meter,
    Reader,
    Reading,
    Register,
    Route,
    ServicePoint,
)
from tests.metering.house import MUSCAT

READERS, STOPS = 8, 120
OVERLAP = 0.4  # of customers send a reading of their own
INVENTS = 1 / 3


def play(cycle: Cycle, *, seed: int, dishonest: int | None) -> None:
    """Homes with two months of readings, walked by eight readers in one day each; customers read some days before or after.

    Who invents writes last month's use again, or a number that pleases him, and never goes there: his handheld lies at home.
    Honest readers mistake a digit now and then, and so do customers.
    """
    chance = np.random.default_rng(seed)
    account = Account.objects.create(number="A-1", holder_name="Customer One")
    readers = Reader.objects.bulk_create([Reader(code=f"R-{n}", name=f"Reader {n}") for n in range(READERS)])
    routes = Route.objects.bulk_create(
        [Route(number=f"B-{n}", reader=reader) for n, reader in enumerate(readers)]
    )
    points = ServicePoint.objects.bulk_create(
        ServicePoint(
            number=f"{route.number}-{stop}",
            account=account,
            place=f"House {stop}",
            district="Bawshar",
            latitude=23.5 + 0.01 * n + 0.0004 * stop,
            longitude=58.4,
            route=route,
            stop=stop,
        )
        for n, route in enumerate(routes)
        for stop in range(STOPS)
    )
    meters = Meter.objects.bulk_create(
        Meter(service_point=point, serial=f"M{place}", installed_on=date(2024, 1, 1))
        for place, point in enumerate(points)
    )
    registers = Register.objects.bulk_create(Register(meter=meter, digits=5) for meter in meters)
    first = datetime(2026, 9, 20, 10, tzinfo=MUSCAT)
    rates = chance.lognormal(np.log(20), 0.5, len(points))
    starts = chance.integers(2_000, 80_000, len(points))
    past, visits, mine = [], [], []
    for place, (point, register) in enumerate(zip(points, registers, strict=True)):
        walker, stop = divmod(place, STOPS)
        months = rates[place] * 30 * chance.lognormal(0, 0.2, 3)
        shown = starts[place] + np.cumsum(np.round(months))
        at = first + timedelta(days=60, minutes=3 * stop - 120, seconds=int(chance.integers(0, 60)))
        for back in range(2):
            past.append(
                Reading(
                    service_point=point,
                    register=register,
                    value=Decimal(int(shown[back])),
                    source="field",
                    taken_at=first + timedelta(days=30 * back, minutes=4 * stop),
                )
            )
        value, latitude = int(shown[2]), point.latitude
        if chance.random() < 0.004:  # a digit mistaken
            value += int(chance.integers(1, 9)) * 100
        if walker == dishonest and chance.random() < INVENTS:
            latitude = 23.9
            value = int(shown[1] + (shown[1] - shown[0]))
            if chance.random() < 0.5:
                value = round(value * chance.uniform(0.98, 1.02) / 10) * 10
        visits.append(
            Visit(
                f"R-{walker}",
                f"v{place}",
                at,
                service_point=point.number,
                value=Decimal(value),
                latitude=latitude + chance.normal(0, 0.0003),
                longitude=58.4 + chance.normal(0, 0.0003),
                accuracy=10.0,
            )
        )
        if chance.random() < OVERLAP:
            days = float(chance.uniform(-5, 5))
            used = rates[place] * days * chance.lognormal(0, 0.3)
            slip = 1_000 if chance.random() < 0.004 else 0
            mine.append(
                Reading(
                    service_point=point,
                    register=register,
                    cycle=cycle,
                    value=Decimal(max(0, round(shown[2] + used) + slip)),
                    source="customer",
                    taken_at=at + timedelta(days=days),
                )
            )
    Reading.objects.bulk_create(past)
    Adoption.objects.bulk_create(
        Adoption(
            service_point=one.service_point,
            register=one.register,
            cycle=cycle,
            reading=one,
            actor="x",
            why="x",
            receipt=f"r{place}",
        )
        for place, one in enumerate(Reading.objects.bulk_create(mine))
    )
    brought = bring(enumerate(visits), at=first + timedelta(days=62))
    if len(brought.created) != len(points):
        raise ValueError(f"refused: {brought.refused[:3]}")
