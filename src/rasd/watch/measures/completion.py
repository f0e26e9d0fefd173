"""The share of visits in which he got what he came for, and how sure so many visits make us."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from scipy.special import ndtri

from rasd.watch.measures.rows import BY_HAND, CONFIRMATION, Counted, Unpaid, sample
from rasd.watch.verdicts import Verdict

CONFIDENCE = 0.95
Z = float(ndtri((1 + CONFIDENCE) / 2))
DONE = frozenset({Verdict.COMPLETED, Verdict.COMPLETED_BUT})


@dataclass(frozen=True, slots=True)
class Share:
    """``done`` of ``of``, with Wilson's 95 % interval from ``low`` to ``high``; 0 to 1 where nothing is known."""

    done: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """None: no visit."""
        return self.done / self.of if self.of else None

    def is_told_apart_from(self, other: "Share") -> bool:
        """Whether the two intervals do not touch. Stricter than a test of the difference: nobody is ranked by chance."""
        return self.low > other.high or self.high < other.low


def share(done: int, of: int, z: float = Z) -> Share:
    """``z``: the normal quantile of the confidence, where it is another than 95 %.

    Raises ValueError where ``done`` is below 0 or above ``of``."""
    if not 0 <= done <= of:
        raise ValueError(f"{done} of {of} is no share")
    if of == 0:
        return Share(0, 0, 0.0, 1.0)
    # As scipy's binomtest, which works out a p-value too: a page of 168 cells would wait for it.
    middle = (done + z * z / 2) / (of + z * z)
    half = z / (of + z * z) * math.sqrt(done * (of - done) / of + z * z / 4)
    return Share(done, of, middle - half if done else 0.0, middle + half if done < of else 1.0)


@dataclass(frozen=True)
class Completion:
    """``share`` is of the planned visits that speak for or against the service. What does not is beside it, never in it."""

    share: Share
    but: int = 0
    """Of those done: with something on the way that was not as it should be."""
    ours: int = 0
    """The watch's own fault (G15)."""
    wall: int = 0
    """Robots were kept out."""
    unpaid: dict[str, int] = field(default_factory=dict)
    """Planned and not paid, by reason (G14)."""
    confirmations: Share = Share(0, 0, 0.0, 1.0)
    """Visits after one that failed. Not drawn by lot: a second fact about that failure, and no share of the service."""
    by_hand: Share = Share(0, 0, 0.0, 1.0)

    @property
    def skipped(self) -> int:
        return sum(self.unpaid.values())


def completion(rows: Iterable[Counted], unpaid: Iterable[Unpaid] = ()) -> Completion:
    rows = list(rows)
    counted: Counter[tuple[str, Verdict]] = Counter()
    for row in rows:
        counted[row.why, row.verdict] += row.visits
    left: Counter[str] = Counter()
    for each in unpaid:
        left[each.reason] += each.visits
    planned = Counter[Verdict]()
    for row in rows:
        if row.why not in {CONFIRMATION, BY_HAND}:
            planned[row.verdict] += row.visits
    return Completion(
        share=_share(sample(rows)),
        but=planned[Verdict.COMPLETED_BUT],
        ours=planned[Verdict.OURS],
        wall=planned[Verdict.WALL],
        unpaid=dict(left),
        confirmations=_share(row for row in rows if row.why == CONFIRMATION and row.verdict.counts),
        by_hand=_share(row for row in rows if row.why == BY_HAND and row.verdict.counts),
    )


def _share(rows: Iterable[Counted]) -> Share:
    done = of = 0
    for row in rows:
        of += row.visits
        done += row.visits if row.verdict in DONE else 0
    return share(done, of)
