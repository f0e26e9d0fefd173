"""How many rows a second `rasd import` takes, on the installation's own PostgreSQL, in a database of its own.

    rasd bench metering [ROWS]

Prints one JSON object a line: import of service points, of readings, each again (nothing new), progress() of a full cycle,
and claim_next() with that many open reviews.
"""

import argparse
import json
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench._database import scratch_database

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DATABASE = "rasd_bench_metering"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rasd bench metering", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="?", type=int, default=100_000)
    rows = parser.parse_args().rows
    with scratch_database(DATABASE):
        measure(rows)


def measure(rows: int) -> None:
    from django.contrib.auth.models import User

    from rasd.metering.importing import import_readings, import_service_points
    from rasd.metering.models import Cycle, Review, ServicePoint, Submission

    who = {"at": NOW, "actor": "machine:bench"}
    with tempfile.TemporaryDirectory() as folder:
        points, readings = made_up_files(Path(folder), rows)
        for name, run, path in (
            ("service points", import_service_points, points),
            ("service points again", import_service_points, points),
            ("readings", import_readings, readings),
            ("readings again", import_readings, readings),
        ):
            began = time.perf_counter()
            outcome = run(path, **who)
            took = time.perf_counter() - began
            tell(
                f"import {name}",
                rows=outcome.rows,
                seconds=round(took, 2),
                rows_a_second=round(outcome.rows / took),
                created=outcome.created,
                left_out=len(outcome.problems),
            )
    cycle = Cycle.open("2026-11", at=NOW, actor="machine:bench")
    submissions = Submission.objects.bulk_create(
        Submission(
            identifier=f"tel:+9689{point.pk:07}",
            origin=f"bench:{point.pk}",
            service_point=point,
            cycle=cycle,
            sent_at=NOW + timedelta(seconds=index),
            received_at=NOW,
        )
        for index, point in enumerate(ServicePoint.objects.all()[: rows // 2])
    )
    Review.objects.bulk_create(
        Review(submission=one, opened_at=one.sent_at, why="unsure") for one in submissions[: rows // 10]
    )
    began = time.perf_counter()
    progress = cycle.progress()
    tell("cycle progress", milliseconds=round((time.perf_counter() - began) * 1000, 1), **progress)
    user = User.objects.create_user("bench")
    times = []
    for index in range(200):
        began = time.perf_counter()
        review = Review.claim_next(user, NOW + timedelta(minutes=6 * index))
        times.append(time.perf_counter() - began)
        if review is None:
            raise AssertionError("the queue ran empty")
    times.sort()
    tell(
        "claim next of a queue",
        open=rows // 10,
        p50_milliseconds=round(times[100] * 1000, 2),
        p99_milliseconds=round(times[198] * 1000, 2),
    )


def tell(what: str, **numbers: object) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"bench": what, **numbers, "peak_memory_mb": memory}), flush=True)


def made_up_files(folder: Path, rows: int) -> tuple[Path, Path]:
    points, readings = folder / "points.csv", folder / "readings.csv"
    with points.open("w") as file:
        file.write(
            "service_point,account,holder_name,phones,commodity,place,district,latitude,longitude,"
            "meter_serial,installed_on,digits,decimals,customer_class,language\n"
        )
        for index in range(rows):
            file.write(
                f"SP-{index:07},A-{index:07},زبون رقم {index},9{index:07};+968 7{index:07},electricity,منزل {index},بوشر,"
                f"23.5{index % 100:02},58.4{index % 100:02},E{index:08},2024-01-{index % 28 + 1:02},6,0,residential,ar\n"
            )
    with readings.open("w") as file:
        file.write("service_point,taken_at,value,source\n")
        for index in range(rows):
            file.write(
                f"SP-{index:07},2026-10-{index % 28 + 1:02} 1{index % 10}:30,{index % 1_000_000},field\n"
            )
    return points, readings


if __name__ == "__main__":
    main()
