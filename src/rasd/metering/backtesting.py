"""How good estimates are: months that are known are estimated from what was known before them, beside three simple rivals.

Pure but for ``settings.TIME_ZONE``. What is usual for the kind is learnt from what was known before each year that is
estimated, so no estimate sees its own future.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from rasd.metering.estimating import Counter, Stretch, Usual, estimate, stretch_between
from rasd.metering.statistics import wilson
from rasd.metering.usual import LEARNS_BACK, learn_kind
from rasd.vision import PastReading

OURS, LAST_MONTH, LAST_YEAR, AVERAGE = "rasd", "last month", "same month last year", "average of a year"
YEAR_OFF = timedelta(days=20)  # how far from a year earlier the same month may begin
MONTHS = 12  # readings estimated before what is usual is learnt anew; and how many the average is of


@dataclass(frozen=True)
class Case:
    """One month estimated. ``uses``: by method, in the register's unit; ``covered``: whether ours' interval held the true use."""

    true: float
    uses: dict[str, float]
    covered: bool
    width: float


@dataclass(frozen=True)
class Row:
    """``error``: sum of the absolute errors over the sum of true uses. ``typical``: half of the months are off by less, as a
    share of the true use. ``bias``: above 0, estimates are too high. Of ours only: ``coverage`` with its 95 % interval, and
    ``width``, of intervals over the sum of true uses."""

    method: str
    cases: int
    error: float
    typical: float
    bias: float
    coverage: float | None = None
    between: tuple[float, float] | None = None
    width: float | None = None


def backtest(counters: Sequence[Counter], *, months: int = MONTHS, gap: int = 1) -> list[Row]:
    """The table for one kind of customer, ours first; empty where nothing could be estimated.

    Args:
        months: how many of the last readings are estimated.
        gap: 1: the reading before was an actual one; 2: that month was estimated, too; 3: the two months before.
    """
    cases = [case for block in _blocks(months) for case in _cases(counters, *block, gap)]
    return [_row(method, cases) for method in (OURS, LAST_MONTH, LAST_YEAR, AVERAGE)] if cases else []


def _blocks(months: int) -> Iterator[tuple[int, int]]:
    """(from, to) counted from the end, a year at a time."""
    for first in range(months, 0, -MONTHS):
        yield first, max(first - MONTHS, 0)


def _cases(counters: Sequence[Counter], first: int, last: int, gap: int) -> Iterator[Case]:
    before = [
        Counter(one.digits, one.decimals, one.readings[: len(one.readings) - first])
        for one in counters
        if len(one.readings) > first + 1
    ]
    if not before:
        return
    begins = max(one.readings[-1].taken_at for one in before) + timedelta(seconds=1)
    if (usual := learn_kind(before, begins)) is None:
        return
    for one in counters:
        count = len(one.readings)
        for place in range(max(count - first, MONTHS + gap), count - last):
            if case := _case(one, place, gap, usual):
                yield case


def _case(counter: Counter, place: int, gap: int, usual: Usual) -> Case | None:
    """The reading at ``place``, of which what came ``gap`` readings before is the last that is known."""
    readings, digits = counter.readings, counter.digits
    known = Counter(digits, counter.decimals, readings[: place - gap + 1])
    true = stretch_between(readings[place - 1], readings[place], digits)
    carried: PastReading | None = None
    for unread in range(place - gap + 1, place):
        step = estimate([known], readings[unread].taken_at, usual, estimated=carried)
        if step is None:
            return None
        carried = PastReading(readings[unread].taken_at, step.value)
    made = estimate([known], readings[place].taken_at, usual, estimated=carried)
    rivals = _rivals(known, readings[place - 1 : place + 1])
    if true is None or made is None or rivals is None:
        return None
    days = (true.end - true.start).total_seconds() / 86400
    return Case(
        true.use,
        {OURS: float(made.use), **{name: rate * days for name, rate in rivals.items()}},
        float(made.least) <= true.use <= float(made.most),
        float(made.most - made.least),
    )


def _rivals(known: Counter, asked: Sequence[PastReading]) -> dict[str, float] | None:
    """Use a day by each; None where one of them has nothing to go by."""
    stretches = [
        stretch_between(one, two, known.digits)
        for one, two in zip(known.readings, known.readings[1:], strict=False)
    ]
    year = [one for one in stretches if one is not None][-MONTHS:]
    if len(year) < MONTHS:
        return None
    begins = asked[0].taken_at - timedelta(days=365)
    same = min((one for one in stretches if one is not None), key=lambda one: abs(one.start - begins))
    if abs(same.start - begins) > YEAR_OFF:
        return None
    return {
        LAST_MONTH: _per_day(year[-1:]),
        LAST_YEAR: _per_day([same]),
        AVERAGE: _per_day(year),
    }


def _per_day(stretches: Sequence[Stretch]) -> float:
    return sum(one.use for one in stretches) / sum(
        (one.end - one.start).total_seconds() / 86400 for one in stretches
    )


def _row(method: str, cases: Sequence[Case]) -> Row:
    true = sum(case.true for case in cases) or 1.0
    off = [case.uses[method] - case.true for case in cases]
    shares = [abs(one) / case.true for one, case in zip(off, cases, strict=True) if case.true > 0]
    ours = method == OURS
    covered = sum(case.covered for case in cases)
    return Row(
        method,
        len(cases),
        error=sum(map(abs, off)) / true,
        typical=median(shares) if shares else 0.0,
        bias=sum(off) / true,
        coverage=covered / len(cases) if ours else None,
        between=wilson(covered, len(cases)) if ours else None,
        width=sum(case.width for case in cases) / true if ours else None,
    )


LOOKS_BACK = LEARNS_BACK + timedelta(days=400)
"""What is read of a register to estimate its last year from what was known before it."""
