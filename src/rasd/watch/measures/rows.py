"""The rows that measures are made of: counted in the database, or one visit each (``visits=1``)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from rasd.watch.verdicts import Verdict

PLANNED, CONFIRMATION, BY_HAND = "planned", "confirmation", "by hand"
"""Why a visit was paid. Only planned ones, drawn by lot, are a sample of the service: only they make a share."""


@dataclass(frozen=True, slots=True)
class Counted:
    """So many visits of one kind. What a question did not ask to be told apart is left at its default."""

    verdict: Verdict
    visits: int = 1
    why: str = PLANNED
    hour: int = 0
    """Of the week in the target's zone: 0 (Monday 00:00) to 167."""
    day: date = date.min
    """In the target's zone."""
    target: str = ""
    journey: str = ""

    @property
    def in_the_sample(self) -> bool:
        """Planned, and for or against the service: neither the watch's own fault nor a wall."""
        return self.why == PLANNED and self.verdict.counts


@dataclass(frozen=True, slots=True)
class Unpaid:
    """So many visits that were planned and not paid (G14)."""

    reason: str
    """Of ``models.plans.Skip.Reason``."""
    visits: int = 1
    hour: int = 0
    day: date = date.min
    target: str = ""
    journey: str = ""


def sample(rows: Iterable[Counted]) -> Iterator[Counted]:
    """The rows that make a share."""
    return (row for row in rows if row.in_the_sample)
