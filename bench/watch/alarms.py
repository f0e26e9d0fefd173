"""How often the watch cries wolf, and how soon it sees a fault: years of visits played through the rule of alerts.

``python -m bench.watch.alarms``. Visits fall by lot, 6 to 48 a day; each fails by itself with the given probability; every
failure is followed by a confirmation visit five minutes later, which fails alike. No network and no database is asked.
"""

import random
from bisect import bisect_right
from statistics import median, quantiles

from rasd.watch.measures.burning import FAST_FEWEST, SLOW_FEWEST, burn, fewest_failures

OBJECTIVE = 0.95
FAST, SLOW = 6 / 24, 3.0  # days
CONFIRMED = 5 / 60 / 24
YEARS, OUTAGES = 20, 200


def openings(
    times: list[float], fails: list[bool], confirmed: list[bool], days: float, fewest: int
) -> list[float]:
    """When an alert opens, in days: as ``alerting.look`` after every visit and confirmation."""
    before, opened, standing = [0], [], False
    for n, (time, failed) in enumerate(zip(times, fails, strict=True), 1):
        before.append(before[-1] + failed)
        first = min(bisect_right(times, time - days), max(n - fewest, 0))
        burning = burn(before[n] - before[first], n - first, OBJECTIVE)
        goes_on = failed and confirmed[n - 1]
        if not standing and burning.too_fast and goes_on:
            standing = True
            opened.append(time + CONFIRMED)
        elif standing and not burning.too_fast and not goes_on:
            standing = False
    return opened


def visits(
    a_day: int, days: float, fails: float, rng: random.Random
) -> tuple[list[float], list[bool], list[bool]]:
    times = sorted(rng.random() * days for _ in range(int(a_day * days)))
    return times, [rng.random() < fails for _ in times], [rng.random() < fails for _ in times]


def main() -> None:
    rng = random.Random(20261122)
    print(
        f"objective {OBJECTIVE:.0%}; fast window 6 h, slow window 72 h; {YEARS} years, {OUTAGES} faults each\n"
    )
    print("failures that open an alert, of so many visits in a window:")
    print(
        "  "
        + ", ".join(f"{fewest_failures(n, OBJECTIVE)} of {n}" for n in (3, 6, 12, 24, 48, 72, 144))
        + "\n"
    )
    for a_day in (6, 24, 48):
        for name, days, fewest in (("fast", FAST, FAST_FEWEST), ("slow", SLOW, SLOW_FEWEST)):
            wolves = []
            for p in (0.01, 0.03, 0.05):
                found = [len(openings(*visits(a_day, 365, p, rng), days, fewest)) for _ in range(YEARS)]
                wolves.append(f"{sum(found) / YEARS:.2f}")
            print(
                f"{a_day:2} visits a day, {name}: false alarms a year at 99, 97, 95 % completed: {', '.join(wolves)}"
            )
            for p in (1.0, 0.5, 0.2):
                print(f"     {p:4.0%} of visits fail: {_seen(a_day, p, days, fewest, rng)}")


def _seen(a_day: int, fails: float, days: float, fewest: int, rng: random.Random) -> str:
    """Ten good days, then the fault for a week."""
    after = []
    for _ in range(OUTAGES):
        good, bad = visits(a_day, 10, 0.01, rng), visits(a_day, 7, fails, rng)
        whole = ([*good[0], *(10 + each for each in bad[0])], good[1] + bad[1], good[2] + bad[2])
        opened = [when for when in openings(*whole, days, fewest) if when >= 10]
        if opened:
            after.append((opened[0] - 10) * 24)
    if len(after) < 2:
        return f"seen in {len(after)} of {OUTAGES}"
    return f"seen after {median(after):.1f} h (95 %: {quantiles(after, n=20)[-1]:.1f} h) in {len(after)} of {OUTAGES}"


if __name__ == "__main__":
    main()
