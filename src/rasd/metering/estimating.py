"""What a register shows where nobody read it: an estimate with an interval (G2). Pure but for ``settings.TIME_ZONE``.

In words: take what was used between the actual readings of the last twelve months, divide it by the days, each counted as much
as its month weighs in the year of customers of that kind (:attr:`Usual.season`); the newest months count most, and those
of the same season a year ago count more than those between (:func:`weight`). Where few readings are known, lean towards
what is usual for the kind. Multiply by the days to be estimated, counted in the same way. The utility of Muscat estimates
alike: from the average of past consumption corrected for the season (Al-Shabiba, 28 November 2016).

Of ten true uses, eight shall lie between ``least`` and ``most``: how far apart these are follows from how unevenly this
register was used before, and from how far off estimates for its kind were (:mod:`rasd.metering.seasons` learns that by
estimating months that are known). How far this holds is measured: docs/estimates.md.

:mod:`rasd.metering.missing` says the same in SQL for a million registers; a test holds the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from django.utils import timezone

from rasd.metering.consumption import LEAST_STRETCH, used_between
from rasd.vision import PastReading

METHOD = "season-weighted mean, 1"
"""Kept with each estimate: what is changed here gets another number."""

LOOKS_BACK = timedelta(days=410)
"""Thirteen monthly readings, twelve months' use, with some days' grace."""

HALF_LIFE = 60.0  # days until a stretch counts half; chosen by back-test among 30 to 360: docs/estimates.md
YEAR_AGO = 0.5  # more weight for the same days a year ago; by the same back-test
YEAR, NEAR = 365.0, 40.0  # days; how far from a year ago a stretch may end to be of the same season

STALE, MONTH = (
    0.09,
    30.0,
)  # more deviation for each further month without an actual reading; by the same back-test
MOST_STALE = 12.0  # months: later ones add nothing

SHRINK_DAYS = 3.0
"""So many days of the kind's usual use are mixed in: of a month known they are a tenth, of a year next to nothing."""

OWN_SPREAD = 4.0  # stretches: with so many, a register's own unevenness counts as much as its kind's
LITTLE = 0.02  # of the usual use a day: below it, differences between uses say nothing
LEAST_LITTLE = 0.001  # units a day
NORMAL_80 = 1.2816  # of ten draws of a normal distribution, eight lie within so many deviations
MOST = 999_999_999.0  # what the records can hold of an amount
YEAR_OLD = timedelta(days=366)
"""A meter hung up longer ago, of which no reading is known, may show anything."""


@dataclass(frozen=True)
class Usual:
    """What is usual for a kind of customer: a commodity and a customer class.

    ``season``: January to December, mean 1. ``per_day``: use a day in a mean month of the home in the middle, in the
    register's unit; None: nothing is known. ``within``: deviation of the log of a month's use about its home's own level, the
    season taken out; ``between``: that of the homes' levels. ``low``, ``high``: where the lowest and the highest tenth of true
    uses begin, in the deviations that :func:`estimate` expects.
    """

    season: tuple[float, ...] = (1.0,) * 12
    per_day: float | None = None
    within: float = 0.35
    between: float = 0.8
    low: float = -NORMAL_80
    high: float = NORMAL_80


@dataclass(frozen=True)
class Counter:
    """A register that hung there, and its actual readings, oldest first."""

    digits: int
    decimals: int
    readings: tuple[PastReading, ...]


@dataclass(frozen=True)
class Estimated:
    """``value`` is what the register shows; ``use`` since ``since``, with its 80 % interval, in the register's unit.

    ``per_day``: in a mean month. ``scale``: the deviation expected of log(true use / use). ``stretches``: how many it was made
    from. ``little``: below it, differences of use say nothing. ``counts_on``: ``actual``, ``estimate`` or ``zero``
    (a new meter of which nothing is known).
    """

    value: Decimal
    use: Decimal
    least: Decimal
    most: Decimal
    since: datetime
    days: Decimal
    per_day: float
    scale: float
    little: float
    stretches: int
    counts_on: str


@dataclass(frozen=True)
class Stretch:
    """``use`` between two neighbouring readings."""

    start: datetime
    end: datetime
    use: float


def estimate(
    counters: Sequence[Counter],
    till: datetime,
    usual: Usual,
    *,
    estimated: PastReading | None = None,
    installed: datetime | None = None,
) -> Estimated | None:
    """What the last of ``counters`` (the one that hangs there) shows at ``till``.

    It counts on from its last actual reading; from ``estimated``, the last bill's estimate of it, where that is later; from
    zero where the meter is new (``installed``) and nothing is known of it. None where there is none of the three, or neither
    its own past nor its kind says how much is used.
    """
    current = counters[-1]
    found = _counts_on(current, till, estimated, installed)
    stretches = [one for counter in counters for one in stretches_of(counter, till)]
    level = level_of(stretches, till, usual)
    if found is None or level is None:
        return None
    counts_on, last = found
    counted = season_days(last.taken_at, till, usual.season)
    use, little = level.per_day * counted, level.little * counted
    step = 10.0**current.decimals
    shows = 10.0 ** (current.digits + current.decimals) - 1
    shown = Decimal(int(min(math.floor(use * step + 0.5), shows))).scaleb(-current.decimals)
    return Estimated(
        value=(last.value + shown) % Decimal(10) ** current.digits,
        use=shown,
        least=_thousandths((use + little) * math.exp(usual.low * level.scale) - little),
        most=_thousandths((use + little) * math.exp(usual.high * level.scale) - little),
        since=last.taken_at,
        days=Decimal(math.floor(max((till - last.taken_at).total_seconds(), 0) / 864 + 0.5)).scaleb(-2),
        per_day=level.per_day,
        scale=level.scale,
        little=little,
        stretches=level.stretches,
        counts_on=counts_on,
    )


def _counts_on(
    current: Counter, till: datetime, estimated: PastReading | None, installed: datetime | None
) -> tuple[str, PastReading] | None:
    actual = next((one for one in reversed(current.readings) if one.taken_at < till), None)
    if estimated is not None and (actual is None or estimated.taken_at > actual.taken_at):
        return "estimate", estimated
    if actual is not None:
        return "actual", actual
    if installed is not None and till - installed < YEAR_OLD:
        return "zero", PastReading(installed, Decimal(0))
    return None


def stretches_of(counter: Counter, till: datetime, back: timedelta = LOOKS_BACK) -> list[Stretch]:
    """Between neighbours of the last ``back``; less than a day says nothing, nor a drop that no roll-over explains."""
    known = [one for one in counter.readings if till - back <= one.taken_at < till]
    found = (stretch_between(one, two, counter.digits) for one, two in pairwise(known))
    return [stretch for stretch in found if stretch is not None]


def stretch_between(one: PastReading, two: PastReading, digits: int) -> Stretch | None:
    used = used_between(one.value, two.value, digits)
    if two.taken_at - one.taken_at < timedelta(days=LEAST_STRETCH):
        return None
    if two.value < one.value and used > Decimal(10) ** digits / 2:
        return None
    return Stretch(one.taken_at, two.taken_at, float(used))


@dataclass(frozen=True)
class Level:
    """How much a register counts a day in a mean month, and how unevenly."""

    per_day: float
    little: float
    scale: float
    stretches: int


def level_of(stretches: Sequence[Stretch], till: datetime, usual: Usual) -> Level | None:
    """None where neither the past nor the kind says anything."""
    ages = [(till - one.end).total_seconds() / 86400 for one in stretches]
    weights = [weight(age) for age in ages]
    counted = [season_days(one.start, one.end, usual.season) for one in stretches]
    mixed = SHRINK_DAYS if usual.per_day is not None else 0.0
    days = sum(w * d for w, d in zip(weights, counted, strict=True)) + mixed
    if not days:
        return None
    known = usual.per_day or 0.0
    per_day = (sum(w * one.use for w, one in zip(weights, stretches, strict=True)) + mixed * known) / days
    little = max(LITTLE * (per_day if usual.per_day is None else known), LEAST_LITTLE)
    off = [
        math.log((one.use / d + little) / (per_day + little)) ** 2
        for one, d in zip(stretches, counted, strict=True)
    ]
    spread = (sum(off) + OWN_SPREAD * usual.within**2) / (len(off) + OWN_SPREAD)
    as_many = sum(weights) ** 2 / sum(w * w for w in weights) if weights else 0.0
    stale = min(max(min(ages) / MONTH - 1, 0.0), MOST_STALE) if ages else 0.0
    scale = math.sqrt(spread + 1 / (as_many / spread + 1 / usual.between**2)) * (1 + STALE * stale)
    return Level(per_day, little, scale, len(stretches))


def weight(age: float) -> float:
    """Of a stretch that ended ``age`` days before the day to be estimated."""
    return 0.5 ** (age / HALF_LIFE) + YEAR_AGO * max(0.0, 1 - abs(age - YEAR) / NEAR)


def season_days(start: datetime, end: datetime, season: Sequence[float]) -> float:
    """The days from ``start`` to ``end`` by the utility's calendar, each counted as much as its month weighs."""
    return sum(days * season[month] for month, days in days_by_month(start, end))


def days_by_month(start: datetime, end: datetime) -> Iterator[tuple[int, float]]:
    """(0 for January … 11, days) of each calendar month that ``start`` to ``end`` touches; nothing where ``end`` is earlier."""
    zone = timezone.get_default_timezone()
    here, there = start.astimezone(zone).replace(tzinfo=None), end.astimezone(zone).replace(tzinfo=None)
    while here < there:
        month = here.month
        next_month = datetime(here.year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001 - local, like `here`
        until = min(next_month, there)
        yield month - 1, (until - here).total_seconds() / 86400
        here = until


def score(true: float, made: Estimated) -> float:
    """How many of the deviations expected the ``true`` use lies from the estimated one."""
    return math.log((true + made.little) / (float(made.use) + made.little)) / made.scale


def _thousandths(number: float) -> Decimal:
    return Decimal(math.floor(min(max(number, 0.0), MOST) * 1000 + 0.5)).scaleb(-3)
