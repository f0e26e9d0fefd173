"""How little a few counts prove: intervals and tests, by their published formulas."""

import math

Z95 = 1.959964
"""Standard deviations either side that hold 95 per cent of a normal distribution."""


def wilson(right: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, JASA 22, 1927): honest with few trials and at 0 and 1. (0, 1) of none.

    Raises ValueError where ``right`` is not between 0 and ``of``.
    """
    if not 0 <= right <= of:
        raise ValueError(f"right must lie between 0 and {of}, not {right}")
    if of == 0:
        return 0.0, 1.0
    share, more = right / of, Z95**2 / of
    centre = (share + more / 2) / (1 + more)
    half = Z95 * math.sqrt(share * (1 - share) / of + more / (4 * of)) / (1 + more)
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar_exact(one: int, other: int) -> float:
    """Two-sided p of McNemar's exact test: how often chance alone would part ``one + other`` cases, in each of which
    exactly one of two readers was right, at least as unevenly (the binomial test with 1/2). 1 where there are none."""
    n = one + other
    tail = sum(math.comb(n, k) for k in range(min(one, other) + 1))
    return min(1.0, 2 * tail / 2**n)
