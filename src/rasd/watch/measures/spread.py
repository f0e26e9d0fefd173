"""How a number spreads over visits: seconds, clicks, fields."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUANTILES = (0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Spread:
    """Quartiles, median and the 95th of a hundred, between neighbours linear, as PostgreSQL's percentile_cont."""

    of: int
    quarter: float
    median: float
    three_quarters: float
    p95: float


def spread(values: Sequence[float]) -> Spread | None:
    """None: of nothing."""
    if not len(values):
        return None
    return Spread(len(values), *(float(each) for each in np.quantile(values, QUANTILES)))
