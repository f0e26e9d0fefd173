"""MADE-UP histories that fit a label, to see what a history brings where nobody has a real one.

Six readings a month apart: the last is the label less a usual month with noise, the others go on backwards. The real
world has moves, long absences and new coolers; these have not, so "with history" is the kindest case.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rasd.vision import History

MONTH = timedelta(days=30.5)
MONTHS = 6
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)

USUAL = {"water": 15.0, "gas": 60.0, "odometer": 1200.0}
USUAL_ELSE = 350.0
"""Median use a month: m³, m³, km, and kWh where the kind says nothing else. Assumed."""

BETWEEN_METERS, BETWEEN_MONTHS = 0.5, 0.25
"""Deviations of the log of consumption. Assumed."""


def made_up(reading: str, kind: str, seed: str) -> dict[str, Any] | None:
    """The history as JSON's types, the same for the same arguments; None where a register cannot show the reading."""
    whole, _, fraction = reading.partition(".")
    if not 1 <= len(whole) <= 12 or len(fraction) > 6:
        return None
    chance = random.Random(seed)
    median = next((value for word, value in USUAL.items() if word in kind.lower()), USUAL_ELSE)
    value = Decimal(reading)
    # A counter that shows little has not stood long, or little is used.
    usual = min(
        median * math.exp(chance.gauss(0, BETWEEN_METERS)),
        max(float(value) / (2 * MONTHS), 10.0 ** -len(fraction)),
    )
    step, size = Decimal(1).scaleb(-len(fraction)), Decimal(10) ** len(whole)
    past = []
    for months_ago in range(1, MONTHS + 1):
        used = Decimal(usual * math.exp(chance.gauss(0, BETWEEN_MONTHS))).quantize(step)
        value = (value - used) % size if value >= used else value - used + size
        past.append([months_ago, str(value)])
    return {"digits": len(whole), "decimals": len(fraction), "past": past[::-1]}


def as_history(made: dict[str, Any]) -> History:
    from rasd.vision import History, PastReading

    return History(
        readings=tuple(PastReading(AT - months * MONTH, Decimal(value)) for months, value in made["past"]),
        at=AT,
        digits=made["digits"],
        decimals=made["decimals"],
    )
