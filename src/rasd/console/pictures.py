"""Geometry of the drawings; the templates put it into SVG. All lengths in the drawing's own units.

Time runs from left to right in Latin pages and from right to left in Arabic ones: the templates mirror the bars, never
the letters.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rasd.console.reading import Beside, use_by_month

WIDTH, HEIGHT, GAP = 320.0, 110.0, 3.0


@dataclass(frozen=True)
class Bar:
    """``start`` from the side where time begins."""

    start: float
    top: float
    width: float
    height: float
    at: datetime
    amount: float
    now: bool = False


@dataclass(frozen=True)
class UseChart:
    """Consumption a day, stretch by stretch, and the one that the suggested value would mean."""

    bars: list[Bar]
    width: float = WIDTH
    height: float = HEIGHT


def use_chart(beside: Beside) -> UseChart | None:
    if beside.register is None:
        return None
    uses = [(at, amount, False) for at, amount in use_by_month(beside.past, beside.register.digits)]
    if beside.consumption is not None:
        uses.append((beside.submission.sent_at, float(beside.consumption.per_day), True))
    if not uses:
        return None
    # One absurd value must not flatten all others: bars end at three times the largest of the past.
    usual = [amount for _at, amount, now in uses if not now] or [amount for _at, amount, _now in uses]
    most = min(max(amount for _at, amount, _now in uses), 3 * max(usual)) or 1.0
    step = WIDTH / len(uses)
    bars = []
    for place, (at, amount, now) in enumerate(uses):
        height = max(1.5, min(amount / most, 1.0) * HEIGHT)
        bars.append(Bar(place * step, HEIGHT - height, step - GAP, height, at, amount, now))
    return UseChart(bars)


@dataclass(frozen=True)
class Part:
    """A stretch of the bar that fills: per cent of all service points."""

    name: str
    count: int
    percent: float
    start: float


@dataclass(frozen=True)
class Filling:
    """How far the cycle is, as parts of one whole."""

    parts: list[Part]
    points: int
    read_percent: float


def filling(progress: dict[str, int]) -> Filling:
    points = progress["points"]
    reading = max(progress["read"] - progress["adopted"] - progress["in_review"] - progress["asked"], 0)
    counts = {
        "adopted": progress["adopted"],
        "in_review": progress["in_review"],
        "asked": progress["asked"],
        "reading": reading,
        "missing": progress["missing"],
    }
    parts, start = [], 0.0
    for name, count in counts.items():
        share = 100 * count / points if points else 0.0
        parts.append(Part(name, count, share, start))
        start += share
    return Filling(parts, points, 100 * progress["read"] / points if points else 0.0)


@dataclass(frozen=True)
class Day:
    """A day of the window; ``adopted`` is None where it has not come yet."""

    day: date
    adopted: int | None
    new: int
    start: float
    top: float
    width: float
    height: float
    is_today: bool


@dataclass(frozen=True)
class Days:
    """Adopted up to the end of each day, as steps that climb towards all service points (the drawing's full height)."""

    days: list[Day]
    width: float = 640.0
    height: float = 200.0


def days_chart(rows: list[dict[str, Any]], points: int, today: date) -> Days | None:
    """None where there is nothing to draw."""
    if not rows or not points:
        return None
    width, height = Days.width, Days.height
    step = width / len(rows)
    days, before = [], 0
    for place, row in enumerate(rows):
        come = row["day"] <= today
        tall = min(row["adopted"] / points, 1.0) * height if come else 0.0
        days.append(
            Day(
                row["day"],
                row["adopted"] if come else None,
                row["adopted"] - before if come else 0,
                place * step,
                height - tall,
                step - 6,
                tall,
                row["day"] == today,
            )
        )
        before = row["adopted"]
    return Days(days)
