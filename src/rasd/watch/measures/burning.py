"""Whether a service spends its error budget too fast: multi-window burn rates as in Google's SRE workbook ("Alerting on SLOs"),
adapted to a few dozen visits a day.

There a burn rate over a window and over a twelfth of it opens an alert. A twelfth of six hours holds one visit here, and one
failure in it proves nothing, so three things must come together:

- the window's Wilson interval lies wholly below the objective. At 99.9 %, as it is looked at after every visit, all year;
- at least three visits in it failed;
- it goes on: the last visit failed, and the confirmation visit after it too (``alerting.py``).

It has recovered when the interval holds the objective again and the last visit was completed. A window that holds too few
visits reaches back until it holds enough. What that means in failures and hours: ``fewest_failures``, docs/watch-conduct.md and
``bench/watch/alarms.py``, which plays years of it.
"""

from dataclasses import dataclass

from scipy.special import ndtri

from rasd.watch.measures.completion import share

CONFIDENCE = 0.999
Z = float(ndtri((1 + CONFIDENCE) / 2))
FEWEST_FAILURES = 3
FAST_FEWEST, SLOW_FEWEST = 6, 24
"""Visits that a window holds at least, however far back they are."""


@dataclass(frozen=True)
class Burn:
    """``low`` and ``high``: of the share completed, Wilson, 99.9 %."""

    visits: int
    failures: int
    low: float
    high: float
    objective: float

    @property
    def rate(self) -> float:
        """Times as fast as the objective allows; 1 uses up the budget exactly. 0 where there was no visit."""
        return self.failures / self.visits / (1 - self.objective) if self.visits else 0.0

    @property
    def too_fast(self) -> bool:
        return self.failures >= FEWEST_FAILURES and self.high < self.objective


def burn(failures: int, visits: int, objective: float) -> Burn:
    """Of one window. ``objective``: the share that should be completed, above 0 and below 1."""
    found = share(visits - failures, visits, Z)
    return Burn(visits, failures, found.low, found.high, objective)


def fewest_failures(visits: int, objective: float) -> int | None:
    """So many of ``visits`` must fail before a window burns too fast; None: not even if all do."""
    return next((n for n in range(1, visits + 1) if burn(n, visits, objective).too_fast), None)
