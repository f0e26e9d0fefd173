"""10,000 targets planned for a year: seconds, growth, memory, and whether every plan holds what it promises.

    rasd bench watch planning [--targets 10000] [--runs 3] [--database 1000]

A year of a target is 13 plans of four weeks, drawn one after the other as the watch draws them, in zones with and without
summer time, with one to five journeys. Each plan is held against its promise while it is drawn (all 168 hours, no day above the
budget, no two visits closer than the gap); the seconds of the checks are told apart. Seconds are the wall's, CPU-seconds the
process's own: where others work on the machine, compare those. Memory: the process's resident set, sampled between targets.

Then with a real database: so many targets' plans made and stored as ``rasd watch serve`` makes them, and how long a watcher takes
to claim one of their visits. One JSON object a line; exit status 1 where a promise is broken.
"""

import argparse
import hashlib
import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psutil

from bench.watch.measures import watch_database
from rasd.watch.schedule import Drawing, Inputs, draw, next_hour, offsets_of

ZONES = ["Asia/Muscat", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
WEEKS, BUDGET, PLANS = 4, 48, 13
NOW = datetime(2026, 11, 22, 10, 5, tzinfo=UTC)


def seed_of(*what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()


def inputs_of(target: int, number: int, begins: int) -> Inputs:
    zone, journeys = ZONES[target % len(ZONES)], 1 + target % 5
    return Inputs(
        target=f"t{target}",
        zone=zone,
        offsets=offsets_of(zone, begins, WEEKS),
        weeks=WEEKS,
        visits_a_day=BUDGET,
        journeys=tuple(f"j{each}" for each in range(journeys)),
        rotation=seed_of("rotation", target, number // journeys),
        turn=number % journeys,
    )


def broken(inputs: Inputs, drawing: Drawing) -> str:
    """The promise that this plan does not hold; "" where it holds all."""
    hours = len(set(drawing.hour.tolist()) | set(drawing.absent))
    ahead = np.array(inputs.offsets)
    local = drawing.due + ahead[np.searchsorted(ahead[:, 0], drawing.due, side="right") - 1, 1]
    if hours != 168:
        return f"{168 - hours} hours are not covered"
    if drawing.absent:
        return f"hours {drawing.absent} have no place in four weeks"
    if np.unique(local // 86400, return_counts=True)[1].max() > inputs.visits_a_day:
        return "a day's budget is exceeded"
    if np.diff(np.sort(drawing.due)).min() < inputs.gap:
        return "two visits are closer than the gap"
    return ""


def a_year(targets: int, run: int) -> dict[str, Any]:
    process, start_memory = psutil.Process(), psutil.Process().memory_info().rss
    most, visits, plans, wrong, drawing_seconds, cpu_seconds = start_memory, 0, 0, [], 0.0, 0.0
    began = time.perf_counter()
    for target in range(targets):
        begins = next_hour(ZONES[target % len(ZONES)], NOW)
        for number in range(PLANS):
            start, cpu = time.perf_counter(), time.process_time()
            inputs = inputs_of(target, number, begins)
            drawing = draw(seed_of(run, target, number), inputs)
            begins = inputs.ends
            drawing_seconds += time.perf_counter() - start
            cpu_seconds += time.process_time() - cpu
            if why := broken(inputs, drawing):
                wrong.append(f"t{target} plan {number}: {why}")
            visits, plans = visits + len(drawing.due), plans + 1
        if target % 100 == 0:
            most = max(most, process.memory_info().rss)
    return {
        "part": "a year", "targets": targets, "plans": plans, "visits": visits, "seconds": round(drawing_seconds, 2),
        "cpu_seconds": round(cpu_seconds, 2), "seconds_of_checks": round(time.perf_counter() - began - drawing_seconds, 2),
        "cpu_microseconds_a_plan": round(cpu_seconds / plans * 1e6, 1), "memory_mb": round(most / 2**20, 1),
        "memory_grew_mb": round((most - start_memory) / 2**20, 1), "broken": wrong[:5], "broken_count": len(wrong),
    }  # fmt: skip


def in_the_database(targets: int) -> dict[str, Any]:
    from rasd.watch.models import Plan, Planned, Target, Watcher

    for number in range(targets):
        target = Target.objects.create(
            name=f"t{number}", title="t", url="http://127.0.0.1:9/", zone=ZONES[number % len(ZONES)], visits_a_day=BUDGET
        )  # fmt: skip
        target.take({f"j{each}": "" for each in range(1 + number % 5)}, NOW)
    began = time.perf_counter()
    while Plan.objects.keep_ahead(NOW, WEEKS):
        pass
    made = time.perf_counter() - began
    began = time.perf_counter()
    Plan.objects.keep_ahead(NOW + timedelta(minutes=1), WEEKS)
    nothing_to_do = time.perf_counter() - began
    watcher, claims, now = Watcher.objects.create(name="here"), [], NOW + timedelta(days=5)
    for _ in range(200):
        began = time.perf_counter()
        visit = Planned.objects.claim(watcher, now)
        claims.append((time.perf_counter() - began) * 1000)
        if visit is None:
            now += timedelta(minutes=1)
    return {
        "part": "database", "targets": targets, "visits": Planned.objects.count(), "seconds_to_plan": round(made, 1),
        "seconds_when_nothing_is_missing": round(nothing_to_do, 2), "claims": len(claims),
        "claim_ms_median": round(statistics.median(claims), 1), "claim_ms_95th": round(statistics.quantiles(claims, n=20)[-1], 1),
    }  # fmt: skip


def of(values: list[float]) -> dict[str, float]:
    return {"least": min(values), "median": round(statistics.median(values), 2), "most": max(values)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database", type=int, default=1000, help="targets; 0: none")
    asked = parser.parse_args()
    wrong = 0
    for targets in dict.fromkeys([max(1, asked.targets // 10), asked.targets]):
        seconds, cpu = [], []
        for run in range(asked.runs):
            told = a_year(targets, run)
            wrong += told["broken_count"]
            seconds.append(told["seconds"])
            cpu.append(told["cpu_seconds"])
            print(json.dumps({**told, "run": run}), flush=True)
        spread = {"least": min(seconds), "median": round(statistics.median(seconds), 2), "most": max(seconds)}
        print(
            json.dumps({"part": "spread", "targets": targets, "runs": asked.runs, "seconds": spread}),
            flush=True,
        )
    if asked.database:
        with watch_database():
            print(json.dumps(in_the_database(asked.database)), flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
