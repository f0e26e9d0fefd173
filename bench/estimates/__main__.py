"""Estimates against three simple rivals: how far off each is, and how often ours' interval held.

    .venv/bin/python -m bench.estimates [HOMES]

Prints the tables of docs/estimates.md. On an installation's own readings: rasd estimate backtest.
"""

import os
import sys

import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")
HOMES = int(sys.argv[1]) if len(sys.argv) > 1 else 400
SEED = 20261122


def main() -> None:
    import django

    django.setup()
    from rich.console import Console

    from bench.estimates.homes import lively, real, steady
    from rasd.config.options import options
    from rasd.metering.backtesting import backtest
    from rasd.metering.estimate_cli import as_table

    chance = np.random.default_rng(SEED)
    kinds = {
        "made up, steady": (steady(HOMES, 60, chance), 12),
        "made up, lively": (lively(HOMES, 60, chance), 12),
    }
    home = options.data_dir / "bench" / "estimates"
    kinds |= {name: (counters, 72) for name, counters in real(home).items()}
    console = Console(width=110)
    for name, (counters, months) in kinds.items():
        for gap in (1, 2, 3):
            unread = ("", ", the month before unread, too", ", two months before unread, too")[gap - 1]
            console.print(as_table(name + unread, backtest(counters, months=months, gap=gap)))


if __name__ == "__main__":
    main()
