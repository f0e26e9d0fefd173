"""What an errand costs him who runs it: steps, clicks, fields, and being asked the same again."""

from collections.abc import Iterable
from dataclasses import dataclass

from rasd.watch.measures.spread import Spread, spread


@dataclass(frozen=True, slots=True)
class Toil:
    """Of one visit that was completed."""

    steps: int
    clicks: int
    typed: int
    asked_again: int


@dataclass(frozen=True)
class Effort:
    steps: Spread | None
    clicks: Spread | None
    typed: Spread | None
    asked_again: Spread | None


def effort(visits: Iterable[Toil]) -> Effort:
    """None: no visit was completed."""
    visits = list(visits)
    return Effort(
        steps=spread([each.steps for each in visits]),
        clicks=spread([each.clicks for each in visits]),
        typed=spread([each.typed for each in visits]),
        asked_again=spread([each.asked_again for each in visits]),
    )
