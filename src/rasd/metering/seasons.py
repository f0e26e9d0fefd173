"""What is usual for a kind of customer, learnt from the readings of some of them. Pure but for ``settings.TIME_ZONE``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rasd.metering.estimating import (
    LEAST_LITTLE,
    LITTLE,
    LOOKS_BACK,
    Counter,
    Stretch,
    Usual,
    days_by_month,
    estimate,
    score,
    season_days,
    stretch_between,
)

LEARNS_FROM = 400
"""Registers of a kind, drawn by a hash of their ids: the season's factors are then known to about two per cent."""

SCORED = 120  # of them whose known months are estimated, to see how far off that is
SCORES_NEEDED = 100  # fewer say little of the lowest and highest tenth
ROUNDS = 8  # of fitting the season and the homes' levels in turn; the factors then change by less than 0.001
PULL = 0.2  # stretches: so much the season leans to that of all classes (or to none) where few are known
MOST_ODD = 5.0  # times a home's own level: a single stretch may pull no harder
EMPTY = 0.05  # of the usual level: who uses less tells nothing of the season
KNOWN_BEFORE = 6  # readings, for a month to be estimated in calibrating
ENOUGH_DAYS = 150.0  # of a home's readings, to tell anything of the season
LEAST_FACTOR = 0.02
LEAST_SPREAD = 0.05


def learn(homes: Sequence[Sequence[Stretch]], leaning_to: Usual | None = None) -> Usual:
    """From the stretches of each home, oldest first; what little is known leans to ``leaning_to``.

    ``low`` and ``high`` are those of a normal distribution: :func:`calibrated` learns them.
    """
    parent = leaning_to or Usual()
    season = _season(homes, parent.season)
    levels = [_level(stretches, season) for stretches in homes if stretches]
    if not levels:
        return parent
    usual = float(np.median(levels))
    little = max(LITTLE * usual, LEAST_LITTLE)
    logs = np.log(np.array(levels) + little)
    between = max(1.4826 * float(np.median(np.abs(logs - np.median(logs)))), LEAST_SPREAD)
    off = [
        min(
            abs(math.log((one.use / season_days(one.start, one.end, season) + little) / (level + little))),
            2.0,
        )
        for stretches, level in zip([home for home in homes if home], levels, strict=True)
        for one in stretches
    ]
    return Usual(
        season=season,
        per_day=usual,
        within=max(math.sqrt(float(np.mean(np.square(off)))), LEAST_SPREAD),
        between=between if len(levels) > 1 else parent.between,
    )


def _season(homes: Sequence[Sequence[Stretch]], leaning_to: tuple[float, ...]) -> tuple[float, ...]:
    """By least squares: (use a day / the home's level) = the mean of the factors of its days, levels and factors in turn."""
    rows, rates, owners = [], [], []
    for owner, stretches in enumerate(homes):
        if sum((one.end - one.start).days for one in stretches) < ENOUGH_DAYS:
            continue
        for one in stretches:
            share = np.zeros(12)
            for month, days in days_by_month(one.start, one.end):
                share[month] += days
            rows.append(share)
            rates.append(one.use)
            owners.append(owner)
    if not rows:
        return leaning_to
    by_month, uses, owner_of = np.array(rows), np.array(rates), np.array(owners)
    lengths = by_month.sum(axis=1)
    shares = by_month / lengths[:, None]
    towards = np.array(leaning_to)
    season: np.ndarray = towards.copy()
    for _ in range(ROUNDS):
        used = np.bincount(owner_of, uses, len(homes))
        counted = np.bincount(owner_of, by_month @ season, len(homes))
        level = np.divide(used, counted, out=np.zeros(len(homes)), where=counted > 0)
        floor = EMPTY * float(np.median(level[np.unique(owner_of)]))
        kept = level[owner_of] > max(floor, 1e-9)
        if not kept.any():
            return leaning_to
        ratio = np.minimum(uses[kept] / lengths[kept] / level[owner_of[kept]], MOST_ODD)
        some = shares[kept]
        solved = np.linalg.solve(some.T @ some + PULL * np.eye(12), some.T @ ratio + PULL * towards)
        factors: np.ndarray = np.maximum(solved, LEAST_FACTOR)
        season = factors / factors.mean()
    return tuple(float(factor) for factor in season)


def _level(stretches: Sequence[Stretch], season: Sequence[float]) -> float:
    counted = sum(season_days(one.start, one.end, season) for one in stretches)
    return sum(one.use for one in stretches) / counted if counted else 0.0


def calibrated(usual: Usual, counters: Sequence[Counter]) -> Usual:
    """``usual`` with the ``low`` and ``high`` between which eight of ten known uses lay, each estimated from what was known
    before it."""
    scores = [one for counter in counters for one in _scores(counter, usual)]
    if len(scores) < SCORES_NEEDED:
        return usual
    low, high = (float(cut) for cut in np.quantile(scores, [0.1, 0.9]))
    return replace(usual, low=min(low, 0.0), high=max(high, 0.0))


def _scores(counter: Counter, usual: Usual) -> list[float]:
    """Of the last year's stretches, where half a year was known before."""
    found = []
    for place in range(KNOWN_BEFORE, len(counter.readings)):
        one, two = counter.readings[place - 1 : place + 1]
        true = stretch_between(one, two, counter.digits)
        if true is None or two.taken_at < counter.readings[-1].taken_at - LOOKS_BACK:
            continue
        before = Counter(counter.digits, counter.decimals, counter.readings[:place])
        made = estimate([before], two.taken_at, usual)
        if made is not None:
            found.append(score(true.use, made))
    return found
