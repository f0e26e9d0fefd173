"""How long something takes that some did not live to see: Kaplan and Meier's estimate.

Who gave up after three minutes waited at least three minutes: left out, or counted as three, the service would look faster than
it is.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import CensoredData, ecdf

from rasd.watch.measures.completion import CONFIDENCE


@dataclass(frozen=True, slots=True)
class Wait:
    """``happened``: after so many seconds. Otherwise he gave up after them (censored)."""

    seconds: float
    happened: bool = True


@dataclass(frozen=True)
class Waiting:
    """Seconds. A time that is None was not reached by that share of those who waited: at least as long as they waited."""

    of: int
    happened: int
    quarter: float | None = None
    median: float | None = None
    three_quarters: float | None = None
    p95: float | None = None
    low: float | None = None
    """Of the median's 95 % interval (Brookmeyer and Crowley, from the log-log band)."""
    high: float | None = None
    """None: open upwards."""
    longest: float | None = None
    """That anybody waited, in vain or not."""

    @property
    def gave_up(self) -> int:
        return self.of - self.happened

    @property
    def not_reached_by_half(self) -> bool:
        return self.of > 0 and self.median is None


def waiting(waits: Iterable[Wait]) -> Waiting:
    """Raises ValueError where a wait is negative or not a number."""
    waits = list(waits)
    return waited(
        [each.seconds for each in waits if each.happened],
        [each.seconds for each in waits if not each.happened],
    )


def waited(happened: Sequence[float], in_vain: Sequence[float]) -> Waiting:
    """The same of seconds that are told apart already."""
    every = np.concatenate([np.asarray(happened, float), np.asarray(in_vain, float)])
    if not np.all((every >= 0) & (every < np.inf)):
        raise ValueError("a wait is a number of seconds, 0 or more")
    longest = float(every.max()) if len(every) else None
    if not len(happened):
        return Waiting(len(every), 0, longest=longest)
    survival = ecdf(CensoredData(uncensored=happened, right=in_vain)).sf
    times, left = survival.quantiles, survival.probabilities
    low, high = _band(survival, left)
    return Waiting(
        of=len(every),
        happened=len(happened),
        quarter=_first(times, left, 0.75),
        median=_first(times, left, 0.5),
        three_quarters=_first(times, left, 0.25),
        p95=_first(times, left, 0.05),
        low=_first(times, low, 0.5),
        high=_first(times, high, 0.5),
        longest=longest,
    )


def _band(survival: Any, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # undefined where nobody is left: closed below, open above
        band = survival.confidence_interval(CONFIDENCE, method="log-log")
    low = np.where(left > 0, band.low.probabilities, 0.0)
    high = np.where(left > 0, band.high.probabilities, 1.0)
    return low, np.minimum.accumulate(high)


def _first(times: np.ndarray, left: np.ndarray, at_most: float) -> float | None:
    """The first time at which no more than this share is left waiting."""
    reached = np.flatnonzero(left <= at_most + 1e-12)
    return float(times[reached[0]]) if len(reached) else None
