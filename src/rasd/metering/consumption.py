"""What was used between two readings, and whether that is more than last year. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from rasd.metering.days import local_day
from rasd.vision import PastReading


@dataclass(frozen=True)
class Consumption:
    """``value``: what was used between the last actual reading (``since``, aware) and this one, in ``unit``, over ``days``
    (whole ones, at least 1).

    ``last_year_per_day``: mean use a day over the same days a year before; None where no readings tell.
    """

    value: Decimal
    since: datetime
    days: int
    unit: str
    last_year_per_day: Decimal | None

    @property
    def per_day(self) -> Decimal:
        return self.value / self.days

    @property
    def change(self) -> float | None:
        """Against the same days last year: 0.25 is a quarter more a day. None where nothing is known of them."""
        return float(self.per_day / self.last_year_per_day) - 1 if self.last_year_per_day else None


LEAST_STRETCH = 1.0  # day: less between two readings says nothing of a day's use
LEAST_COVERED = 0.5  # of last year's days must lie between readings, else nothing is said of them


def used_between(earlier: Decimal, later: Decimal, digits: int) -> Decimal:
    """What passed through a register of ``digits`` whole places, which goes on from zero after its highest value."""
    used = later - earlier
    return used if used >= 0 else used + Decimal(10) ** digits  # Decimal's % would keep the sign


def use_since(
    value: Decimal,
    at: datetime,
    *,
    digits: int,
    unit: str,
    past: list[PastReading],
    earlier_meters: list[tuple[int, list[PastReading]]],
) -> Consumption | None:
    """Use since the last of ``past`` (oldest first, all before ``at``), and that of the same days a year before.

    ``earlier_meters`` are the (digits, readings) of registers that hung there before: they tell of last year only.
    None where ``past`` is empty.
    """
    if not past:
        return None
    last = past[-1]
    stretches = [
        stretch
        for places, readings in [*earlier_meters, (digits, past)]
        for stretch in _stretches(readings, places)
    ]
    year = timedelta(days=365)
    return Consumption(
        value=used_between(last.value, value, digits),
        since=last.taken_at,
        days=max((local_day(at) - local_day(last.taken_at)).days, 1),
        unit=unit,
        last_year_per_day=_per_day(stretches, last.taken_at - year, at - year),
    )


def _stretches(readings: list[PastReading], digits: int) -> list[tuple[datetime, datetime, float]]:
    """(from, to, use a day) between neighbours; a day's readings of one day and drops that no roll-over explains are left out."""
    found = []
    for one, two in pairwise(readings):
        days = (two.taken_at - one.taken_at).total_seconds() / 86400
        used = used_between(one.value, two.value, digits)
        if days >= LEAST_STRETCH and not (two.value < one.value and used > Decimal(10) ** digits / 2):
            found.append((one.taken_at, two.taken_at, float(used) / days))
    return found


def _per_day(
    stretches: list[tuple[datetime, datetime, float]], start: datetime, end: datetime
) -> Decimal | None:
    """Mean use a day from ``start`` to ``end``, each stretch weighing by the days it shares with them."""
    shares = [
        ((min(to, end) - max(since, start)).total_seconds(), rate)
        for since, to, rate in stretches
        if min(to, end) > max(since, start)
    ]
    covered = sum(seconds for seconds, _ in shares)
    if covered < LEAST_COVERED * (end - start).total_seconds() or not covered:
        return None
    return Decimal(sum(seconds * rate for seconds, rate in shares) / covered).quantize(Decimal("0.001"))
