"""The week as 7 × 24 cells, and what may be concluded from it: on hours pooled, not on single cells."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rasd.watch.measures.completion import Completion, Share, completion, share
from rasd.watch.measures.rows import Counted, Unpaid

HOURS = 168
HATCHED_BELOW = 10
"""Visits under which a cell is hatched: nine of nine completed still leave three in ten unknown."""


@dataclass(frozen=True)
class Cell:
    """An hour of the week in the target's zone, 0 (Monday 00:00) to 167."""

    hour: int
    completion: Completion

    @property
    def weekday(self) -> int:
        """0: Monday."""
        return self.hour // 24

    @property
    def hour_of_day(self) -> int:
        return self.hour % 24

    @property
    def share(self) -> Share:
        return self.completion.share

    @property
    def hatched(self) -> bool:
        """Too few visits to conclude anything from this cell by itself."""
        return self.share.of < HATCHED_BELOW


def week(rows: Iterable[Counted], unpaid: Iterable[Unpaid] = ()) -> list[Cell]:
    """All 168, in their order, those without a visit too."""
    paid: defaultdict[int, list[Counted]] = defaultdict(list)
    left: defaultdict[int, list[Unpaid]] = defaultdict(list)
    for row in rows:
        paid[row.hour].append(row)
    for each in unpaid:
        left[each.hour].append(each)
    return [Cell(hour, completion(paid[hour], left[hour])) for hour in range(HOURS)]


@dataclass(frozen=True)
class Pool:
    """Several hours taken together. ``rest``: all the others."""

    name: str
    share: Share
    rest: Share

    @property
    def hatched(self) -> bool:
        return self.share.of < HATCHED_BELOW

    @property
    def is_worse(self) -> bool:
        """Than the rest of the week, beyond what chance explains: the intervals do not touch."""
        return self.share.is_told_apart_from(self.rest) and self.share.high < self.rest.low


PARTS_OF_THE_DAY = ("night", "morning", "afternoon", "evening")
"""Six hours each, from midnight."""


def part_of_the_day(cell: Cell) -> str:
    return PARTS_OF_THE_DAY[cell.hour_of_day // 6]


def weekday(cell: Cell) -> str:
    """ "0" (Monday) to "6"."""
    return str(cell.weekday)


def pooled(cells: Sequence[Cell], by: Callable[[Cell], str] = part_of_the_day) -> list[Pool]:
    """The cells taken together by name, in the order in which the names first come: what conclusions rest on."""
    done: defaultdict[str, int] = defaultdict(int)
    of: defaultdict[str, int] = defaultdict(int)
    for cell in cells:
        name = by(cell)
        done[name] += cell.share.done
        of[name] += cell.share.of
    all_done, all_of = sum(done.values()), sum(of.values())
    return [
        Pool(name, share(done[name], of[name]), share(all_done - done[name], all_of - of[name]))
        for name in of
    ]
