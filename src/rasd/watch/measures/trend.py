"""Week after week."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from rasd.watch.measures.completion import Completion, Share, completion
from rasd.watch.measures.rows import Counted, Unpaid

A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Week:
    """Seven days in the target's zone."""

    begins_on: date
    completion: Completion

    @property
    def share(self) -> Share:
        return self.completion.share


def week_of(day: date, first_day: int = 0) -> date:
    """The day on which its week begins. ``first_day``: 0 for weeks that begin on Monday, 6 for those of the Gulf (Sunday)."""
    return day - timedelta(days=(day.weekday() - first_day) % 7)


def trend(
    rows: Iterable[Counted],
    unpaid: Iterable[Unpaid] = (),
    *,
    first: date | None = None,
    last: date | None = None,
    first_day: int = 0,
) -> list[Week]:
    """From the week of ``first`` to that of ``last`` (without them: of the first and last row), those with no visit too."""
    paid: defaultdict[date, list[Counted]] = defaultdict(list)
    left: defaultdict[date, list[Unpaid]] = defaultdict(list)
    for row in rows:
        paid[week_of(row.day, first_day)].append(row)
    for each in unpaid:
        left[week_of(each.day, first_day)].append(each)
    days = [*paid, *left]
    if first is None or last is None:
        if not days:
            return []
        first, last = first or min(days), last or max(days)
    begins, end, weeks = week_of(first, first_day), week_of(last, first_day), []
    while begins <= end:
        weeks.append(Week(begins, completion(paid[begins], left[begins])))
        begins += A_WEEK
    return weeks
