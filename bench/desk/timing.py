"""Times: median, the 95th of a hundred, and how they spread."""

import random
from dataclasses import dataclass, field

ROUNDS = 1_000  # of a bootstrap


@dataclass
class Times:
    """Milliseconds."""

    each: list[float] = field(default_factory=list)

    def add(self, milliseconds: float) -> None:
        self.each.append(milliseconds)

    def at(self, share: float) -> float:
        """Not a number where nothing was measured."""
        return _at(sorted(self.each), share)

    @property
    def row(self) -> dict[str, float | int]:
        """With the quarters, between which the middle half lies."""
        told = {name: round(self.at(share), 1) for name, share in
                (("median", 0.5), ("p95", 0.95), ("quarter", 0.25), ("three_quarters", 0.75), ("worst", 1.0))}  # fmt: skip
        return {"calls": len(self.each), **told}


def ratio(ours: Times, theirs: Times, share: float = 0.5, seed: int = 1) -> dict[str, float]:
    """How many times as long theirs takes, and between what that lies in 95 of 100 samples drawn anew from what was measured."""
    chance = random.Random(seed)
    found = sorted(
        _at(sorted(chance.choices(theirs.each, k=len(theirs.each))), share)
        / _at(sorted(chance.choices(ours.each, k=len(ours.each))), share)
        for _ in range(ROUNDS)
    )
    return {
        "ratio": round(theirs.at(share) / ours.at(share), 2),
        "from": round(_at(found, 0.025), 2),
        "to": round(_at(found, 0.975), 2),
    }


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
