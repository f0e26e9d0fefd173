"""What so many visits can show, said before anyone concludes from them."""

import math

PROBABILITY = 0.95


def visits_needed(p: float, probability: float = PROBABILITY) -> int:
    """So that a fault that hits the share ``p`` of visits is seen at least once with this probability.

    ln(1 - probability) / ln(1 - p), rounded up: 299 for one in a hundred, 29 for one in ten.
    Raises ValueError where ``p`` or the probability is not between 0 and 1.
    """
    if not (0 < p <= 1 and 0 < probability < 1):
        raise ValueError("p and the probability are shares: above 0, and p at most 1")
    if p == 1:
        return 1
    return max(1, math.ceil(math.log1p(-probability) / math.log1p(-p) - 1e-9))


def seen_with(p: float, visits: int) -> float:
    """The probability that so many visits meet a fault that hits the share ``p`` at least once."""
    if p >= 1:
        return 1.0 if visits else 0.0
    return -math.expm1(visits * math.log1p(-p))


def may_hide(visits: int, probability: float = PROBABILITY) -> float:
    """The largest share of visits that a fault may hit and yet, with more than 1 - probability, not be met by so many."""
    return 1.0 if visits == 0 else -math.expm1(math.log1p(-probability) / visits)
