"""Geometry of the drawings; the templates put it into SVG and CSS. Lengths are per cents of the drawing.

Time runs from left to right in Latin pages and from right to left in Arabic ones: the style sheet mirrors the shapes; letters
are HTML beside them, so that they can be read at every size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rasd.watch.measures.completion import Share
from rasd.watch.measures.trend import Week
from rasd.watch.measures.week import Cell

DAYS = 7
FIRST_DAY = {"ar": 6}
"""0: Monday. In the Gulf the week is written from Sunday on; elsewhere from Monday."""


@dataclass(frozen=True)
class Point:
    """``at``: from where time begins; ``up``: from the bottom."""

    at: float
    up: float
    week: Week


@dataclass(frozen=True)
class Curve:
    """A share, week after week, with its interval as a band. Weeks without a visit are gaps in both."""

    points: list[Point]
    lines: list[str]
    """Of SVG polylines, in a box of 100 × 100."""
    bands: list[str]
    """Of SVG polygons."""


def curve(weeks: Sequence[Week]) -> Curve | None:
    """None: fewer than two weeks with visits are no curve."""
    step = 100 / max(len(weeks), 1)
    points, lines, bands = [], [], []
    placed = [(step * (n + 0.5), week) for n, week in enumerate(weeks)]
    for has_visits, run in groupby(placed, lambda each: each[1].share.of > 0):
        if not has_visits:
            continue
        some = list(run)
        points += [Point(at, 100 * (week.share.value or 0), week) for at, week in some]
        lines.append(_path((at, 100 * (week.share.value or 0)) for at, week in some))
        over = [(at, 100 * week.share.high) for at, week in _widened(some, step)]
        under = [(at, 100 * week.share.low) for at, week in _widened(some, step)]
        bands.append(_path([*over, *reversed(under)]))
    return Curve(points, lines, bands) if len(points) > 1 else None


def _widened(run: list[tuple[float, Week]], step: float) -> list[tuple[float, Week]]:
    """A week that stands alone has a band too."""
    if len(run) > 1:
        return run
    at, week = run[0]
    return [(at - step / 6, week), (at + step / 6, week)]


def _path(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{at:.2f},{100 - up:.2f}" for at, up in places)


@dataclass(frozen=True)
class Day:
    """A row of the week: 24 cells."""

    weekday: int
    """0: Monday."""
    cells: list[Cell]


def week_grid(cells: Sequence[Cell], language: str) -> list[Day]:
    """The seven days as the language writes its week."""
    first = FIRST_DAY.get(language, 0)
    order = [(first + n) % DAYS for n in range(DAYS)]
    return [Day(day, [each for each in cells if each.weekday == day]) for day in order]


def tone(share: Share) -> int:
    """0 (all failed) to 10 (all done): the steps of the colour scale; -1: no visit."""
    return -1 if share.value is None else int(share.value * 10)
