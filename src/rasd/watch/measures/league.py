"""Journeys or targets side by side, with no rank that the visits do not bear out."""

from collections.abc import Mapping
from dataclasses import dataclass

from rasd.watch.measures.completion import Completion, Share


@dataclass(frozen=True)
class Place:
    """``best`` to ``worst``: the ranks that it may truly have. The same two: it is told apart from every other."""

    name: str
    completion: Completion
    best: int
    worst: int
    not_told_apart: tuple[str, ...] = ()
    """The others whose interval touches its own."""

    @property
    def share(self) -> Share:
        return self.completion.share


def league(of: Mapping[str, Completion]) -> list[Place]:
    """By the lower end of the interval, the best first: few visits are not rewarded. Those without any visit come last."""
    names = sorted(of, key=lambda name: (-of[name].share.low, -of[name].share.of, name))
    shares = {name: of[name].share for name in names}
    return [_place(name, of[name], shares) for name in names]


def _place(name: str, its: Completion, shares: Mapping[str, Share]) -> Place:
    others = [(other, share) for other, share in shares.items() if other != name]
    better = sum(1 for _other, share in others if share.low > its.share.high)
    worse = sum(1 for _other, share in others if share.high < its.share.low)
    tied = tuple(other for other, share in others if not share.is_told_apart_from(its.share))
    return Place(name, its, 1 + better, len(shares) - worse, tied)
