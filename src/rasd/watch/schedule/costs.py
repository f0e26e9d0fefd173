"""What N costs in visits, and what so many visits could show: for who chooses ``weeks`` in watch.yaml."""

from dataclasses import dataclass

from rasd.watch.measures.completion import share
from rasd.watch.schedule.drawing import least_visits_a_day
from rasd.watch.schedule.hours import WEEK

CHOICES = (1, 2, 3, 4, 6, 8, 12, 26)
MONTH = 4  # weeks


@dataclass(frozen=True)
class Cost:
    """``weeks``: N. The visits are those that cover the week; one a day more comes where the budget has room for it."""

    weeks: int
    visits_a_day: int
    """The smallest daily budget that will do; on most days so many, on some one less."""
    visits_a_week: float
    visits_in_four_weeks: int
    bound_after_four_weeks: float
    """Wilson's lower 95 % bound of completion, if every visit of four weeks is completed."""
    bound_after_a_plan: float
    """The same after N weeks: 168 visits, whatever N is."""


def cost(weeks: int) -> Cost:
    visits = WEEK * MONTH // weeks
    return Cost(
        weeks=weeks,
        visits_a_day=least_visits_a_day(weeks),
        visits_a_week=WEEK / weeks,
        visits_in_four_weeks=visits,
        bound_after_four_weeks=share(visits, visits).low,
        bound_after_a_plan=share(WEEK, WEEK).low,
    )


def table(*more: int) -> list[Cost]:
    """Of the usual choices and ``more``, in order."""
    return [cost(weeks) for weeks in sorted({*CHOICES, *more})]
