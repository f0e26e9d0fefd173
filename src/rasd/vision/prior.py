"""What the history of a register makes likely: a distribution over the next value that it shows.

Consumption per day between two actual readings is taken as log-normal (Kuusela et al., IEEE Trans. Smart Grid 6(2),
2015, for households), with the season as its one regressor:

    log(rate) = base + alpha * log(season) + noise

`season` is the Gulf's shape over the days in question; `alpha` says how much of it this place has (0: none, as in an
empty house; 1: all of it), so that a register's own year replaces the general one as readings come in: same months
last year count through it. Base, alpha and the noise have conjugate priors and the prediction is the posterior's
(Bayesian linear regression, normal-inverse-gamma; Gelman et al., Bayesian Data Analysis, 3rd ed., ch. 14), each
stretch weighted by its length and, halved for each `HALF_LIFE`, by its age. The utility of Muscat estimates alike:
from the average of past consumption corrected for the season (Al-Shabiba, 28 November 2016).

`FLOOR` of the mass lies evenly over all values from the last reading upwards, so that a genuine surprise is asked
about and never forced to the nearest ordinary value; `BELOW` lies over all values whatever, so that a wrong entry in
the books cannot make a clear picture impossible.

The arithmetic is in log space. Values are whole steps of the register's last place modulo 10^(digits + decimals):
a register that rolls over goes on from zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from rasd.vision.types import History

FLOOR = 0.02
"""Share of readings that are real surprises: a move, a new cooler, a long absence. Assumed, to be measured in service."""

BELOW = 1e-6
"""Share of readings below the last one with neither roll-over nor exchange on the books. Assumed."""

HALF_LIFE = 365.0  # days until a stretch counts half
BASE_MEAN, BASE_SD = (
    math.log(10.0),
    2.0,
)  # log of units a day: 0.2 to 550 within two deviations; water and power
ALPHA_MEAN, ALPHA_SD = 0.8, 0.4
NOISE_SHAPE, NOISE_SCALE = (
    3.0,
    0.35,
)  # inverse gamma: as if 6 stretches with a deviation of 0.34 had been seen
NOISE_LEAST = 0.08  # of log consumption: no home repeats itself better than to 8 %
USUAL_DAYS = 30.0  # a stretch of a month counts as one observation
LEAST_DAYS = 0.5  # two photographs of one day
LEAST_USED = 0.5  # steps: log of "nothing used"
REACH = 20.0  # times the expected consumption: as far as a surprise is held possible beyond a roll-over
NEW_METER_SHARE = 0.5  # of an exchanged meter's mass: it began at zero since; else it may show anything

GULF_SEASON = (0.60, 0.60, 0.70, 0.90, 1.25, 1.45, 1.50, 1.45, 1.30, 1.05, 0.70, 0.50)
"""January to December, mean 1: the shape of a home cooled by electricity in Oman, made for this project; a general
shape, replaced by the register's own."""


@dataclass(frozen=True)
class Prior:
    """A distribution over `size` states of a register. `mu` and `sigma` are of log(steps used since `last`)."""

    size: int
    decimals: int
    last: int | None  # None: nothing is known, every state is as likely
    mu: float = 0.0
    sigma: float = 1.0
    meter_changed: bool = False

    def log_probability(self, value: Decimal) -> float:
        """Natural log of the probability that the register shows `value`.

        Raises ValueError where the register cannot show it.
        """
        steps = value.scaleb(self.decimals)
        if steps != steps.to_integral_value() or not 0 <= steps < self.size:
            raise ValueError(
                f"{value} is not a value of a register of {self.size} steps, {self.decimals} decimals"
            )
        return self.log_state(int(steps))

    def log_state(self, state: int) -> float:
        """Natural log of the probability of a state, 0 <= state < size. Over all states it sums to 1."""
        if self.last is None:
            return -math.log(self.size)
        if self.meter_changed:
            began_at_zero = math.log(NEW_METER_SHARE) + self._log_usual(state, self.size)
            return _log_add(began_at_zero, math.log1p(-NEW_METER_SHARE) - math.log(self.size))
        used = (state - self.last) % self.size
        anywhere = math.log(BELOW) - math.log(self.size)
        reach = self.reach()
        if used >= reach:
            return anywhere
        usual = math.log(1 - FLOOR - BELOW) + self._log_usual(used, reach)
        surprise = math.log(FLOOR) - math.log(reach)
        return _log_add(_log_add(usual, surprise), anywhere)

    def surprise(self, value: Decimal) -> float:
        """Share of usual consumptions (0 to 1) at least as far out as this one, on either side: small is unusual."""
        if self.last is None or self.meter_changed:
            return 1.0
        state = int(value.scaleb(self.decimals))
        used = max((state - self.last) % self.size, LEAST_USED)
        return math.erfc(abs(math.log(used + 0.5) - self.mu) / self.sigma / math.sqrt(2))

    def is_below_last(self, value: Decimal) -> bool:
        """Whether the value could only come after the last one by the register running round against all likelihood."""
        if self.last is None or self.meter_changed:
            return False
        return (int(value.scaleb(self.decimals)) - self.last) % self.size >= self.reach()

    def reach(self) -> int:
        """Steps ahead of the last reading that a reading may be: to the register's end, and past it by no more
        than `REACH` times what is expected."""
        last = self.last or 0
        return max(self.size - last, min(self.size, math.ceil(REACH * math.exp(min(self.mu, 60.0)))))

    def _log_usual(self, used: int, within: int) -> float:
        """Log of the log-normal's mass on [used, used + 1), given that it is less than `within`."""
        low = (math.log(used) - self.mu) / self.sigma if used else -math.inf
        high = (math.log(used + 1) - self.mu) / self.sigma
        total = (math.log(within) - self.mu) / self.sigma
        return _log_between(low, high) - _log_between(-math.inf, total)


def prior_for(history: History | None, *, digits: int, decimals: int) -> Prior:
    """The prior for a register of `digits` integer places and `decimals`; even where there is no history."""
    size = 10 ** (digits + decimals)
    if history is None or not history.readings:
        return Prior(size, decimals, None)
    states = [int(past.value.scaleb(decimals)) for past in history.readings]
    times = [past.taken_at for past in history.readings]
    rows, logs, weights = [], [], []
    for index in range(1, len(states)):
        days = (times[index] - times[index - 1]).total_seconds() / 86400
        used = (states[index] - states[index - 1]) % size
        if days < LEAST_DAYS or (states[index] < states[index - 1] and used > size // 2):
            continue  # the same day, or a drop: an exchange or a wrong entry, no consumption
        age = (history.at - times[index]).total_seconds() / 86400
        rows.append([1.0, math.log(season(times[index - 1], times[index]))])
        logs.append(math.log(max(used, LEAST_USED) / days))
        weights.append(min(2.0, days / USUAL_DAYS) * 0.5 ** (max(age, 0.0) / HALF_LIFE))
    since = max((history.at - times[-1]).total_seconds() / 86400, LEAST_DAYS)
    ahead = np.array(
        [1.0, math.log(season(times[-1], max(history.at, times[-1] + timedelta(days=LEAST_DAYS))))]
    )
    step = math.log(10.0) * decimals
    mean, deviation = _predict(np.array(rows).reshape(-1, 2), np.array(logs), np.array(weights), ahead, step)
    return Prior(size, decimals, states[-1] % size, mean + math.log(since), deviation, history.meter_changed)


def _predict(
    rows: np.ndarray, logs: np.ndarray, weights: np.ndarray, ahead: np.ndarray, step: float
) -> tuple[float, float]:
    """Mean and deviation of the next log(steps a day); `step` turns units into steps of the last place."""
    noise = NOISE_SCALE / NOISE_SHAPE
    centre = np.array([BASE_MEAN + step, ALPHA_MEAN])
    inverse = np.diag([1 / BASE_SD**2, 1 / ALPHA_SD**2]) * noise  # relative to the noise, as conjugacy asks
    weighted = rows * weights[:, None]
    precision = inverse + weighted.T @ rows
    found = np.linalg.solve(precision, inverse @ centre + weighted.T @ logs)
    residual = float((weights * (logs - rows @ found) ** 2).sum())
    residual += float((found - centre) @ inverse @ (found - centre)) if len(rows) else 0.0
    variance = (NOISE_SCALE + residual / 2) / (NOISE_SHAPE + weights.sum() / 2)
    spread = variance * (1 + float(ahead @ np.linalg.solve(precision, ahead)))
    return float(ahead @ found), max(math.sqrt(spread), NOISE_LEAST)


def season(start: datetime, end: datetime) -> float:
    """Mean of `GULF_SEASON` over the days from `start` to `end` (aware datetimes, `end` later)."""
    days = max(1, round((end - start).total_seconds() / 86400))
    # One sample a day is exact enough, and two years of days are few.
    months = [(start + timedelta(days=day + 0.5)).month for day in range(min(days, 730))]
    return float(np.mean([GULF_SEASON[month - 1] for month in months]))


def _log_add(a: float, b: float) -> float:
    return float(np.logaddexp(a, b))


def _log_between(low: float, high: float) -> float:
    """Log of the standard normal's mass between `low` and `high`, in the tail where precision is left."""
    if low > 0:
        low, high = -high, -low
    mass = 0.5 * (
        math.erfc(-high / math.sqrt(2)) - (math.erfc(-low / math.sqrt(2)) if low > -math.inf else 0.0)
    )
    return math.log(mass) if mass > 0 else -math.inf
