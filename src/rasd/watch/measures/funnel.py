"""Step by step: how many came so far, how many got on, and what stopped the others."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from rasd.watch.measures.completion import Share, share
from rasd.watch.measures.spread import Spread

DONE, NOT_REACHED = "done", "not reached"
"""Of ``players.finding.Outcome``."""
CLEAN_UP = "clean_up"


@dataclass(frozen=True, slots=True)
class StepCounted:
    """So many visits in which this step came out so."""

    part: str
    number: int
    says: str
    verb: str
    outcome: str
    trouble: str = ""
    visits: int = 1


@dataclass(frozen=True)
class Stage:
    """A step. Who did not reach it is in none of its numbers."""

    part: str
    """steps, done, otherwise:N, otherwise:N:done or clean_up."""
    number: int
    says: str
    verb: str
    passed: Share
    """Of those who reached it."""
    stopped: dict[str, int] = field(default_factory=dict)
    """The others, by trouble (``players.finding.Trouble``), the most frequent first."""
    seconds: Spread | None = None
    """That it took those who passed."""

    @property
    def reached(self) -> int:
        return self.passed.of

    @property
    def lost(self) -> int:
        return self.passed.of - self.passed.done


Key = tuple[str, int, str]


def key_of(part: str, number: int, says: str) -> Key:
    """What tells a step of a journey's wording from its others.

    Its number does, as parts are played in one order. Not so for the tidying up, which begins at a number of its own where he
    tried another channel first: there its words do.
    """
    return (part, 0, says) if part == CLEAN_UP else (part, number, "")


def funnel(rows: Iterable[StepCounted], seconds: dict[Key, Spread] | None = None) -> list[Stage]:
    """The steps of one wording of a journey in the order played. ``seconds``: of those who passed, by :func:`key_of`."""
    steps: dict[Key, StepCounted] = {}
    reached: Counter[Key] = Counter()
    passed: Counter[Key] = Counter()
    stopped: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for row in rows:
        key = key_of(row.part, row.number, row.says)
        steps[key] = min(row, steps.get(key, row), key=lambda each: each.number)
        if row.outcome == NOT_REACHED:
            continue
        reached[key] += row.visits
        if row.outcome == DONE:
            passed[key] += row.visits
        else:
            stopped[key][row.trouble] += row.visits
    return [
        Stage(
            part=step.part,
            number=step.number,
            says=step.says,
            verb=step.verb,
            passed=share(passed[key], reached[key]),
            stopped=dict(stopped[key].most_common()),
            seconds=(seconds or {}).get(key),
        )
        for key, step in sorted(steps.items(), key=lambda item: (item[0][0] == CLEAN_UP, item[1].number))
    ]
