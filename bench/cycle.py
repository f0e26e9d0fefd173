"""A reading month of a utility of some size: opened, read, closed and exported, with two years of readings before it.

    rasd bench cycle                       10,000 and 100,000 service points
    rasd bench cycle 10000 100000 1000000  the million takes half an hour and 12 GB

A database of its own beside the installation's, gone afterwards. Service points, last month's readings and what the meter
readers brought come in by files, as `rasd import` takes them (200,000 rows each); the 23 months before by INSERT … SELECT, and
what customers sent as it stands once it is adopted. Four in ten customers read, the meter readers half of all, one in ten both;
one reading in a thousand is less than the last. One JSON object a line: seconds of each, by the clock and of processor; the most
memory that Python held (all of it runs in this process); the size of the database.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bench._database import scratch_database

MONTHS = 24
A_FILE = 200_000  # service points
NOW = datetime(2026, 11, 27, 6, tzinfo=UTC)
BIG = ("metering_account", "metering_servicepoint", "metering_meter", "metering_register", "metering_reading",
       "metering_submission", "metering_fieldread", "metering_adoption")  # fmt: skip
SEASON = (0.60, 0.60, 0.70, 0.90, 1.25, 1.45, 1.50, 1.45, 1.30, 1.05, 0.70, 0.50)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rasd bench cycle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "points", nargs="*", type=int, default=[10_000, 100_000], help="service points, each a run"
    )
    for size in parser.parse_args().points:
        with scratch_database(f"rasd_bench_cycle_{size}"):
            measure(size)


def measure(size: int) -> None:
    from rasd.metering import billing, closing
    from rasd.metering.models import Cycle

    def timed(what: str, run: Callable[[], Any], **more: Any) -> Any:
        began, busy = time.perf_counter(), processors()
        found = run()
        took, busy = time.perf_counter() - began, processors() - busy
        a_point = round(took / size * 1e6, 1)
        tell(
            what,
            size,
            seconds=round(took, 2),
            processor_seconds=round(busy, 2),
            microseconds_a_point=a_point,
            **more,
        )
        return found

    with tempfile.TemporaryDirectory() as folder:
        points = list(in_files(Path(folder), "points", size, POINTS))
        timed("import service points", lambda: bring_in("service_points", points))
        timed("23 months of readings", lambda: history(size))
        readings = list(in_files(Path(folder), "readings", size, LAST_MONTH, **known()))
        timed("import last month's readings", lambda: bring_in("readings", readings))
    cycle = timed("open", lambda: Cycle.open("2026-11", at=NOW, actor="machine:bench"))
    timed("submissions", lambda: month(size, cycle.pk))
    with tempfile.TemporaryDirectory() as folder:
        reads = list(in_files(Path(folder), "reads", size, FIELD_READS))
        timed("import field reads", lambda: bring_in("field_reads", reads))
    told_memory(size)
    closed = timed(
        "close", lambda: closing.close(cycle, at=NOW, actor="machine:bench", with_open_reviews=True)
    )
    for step in closed.steps:
        begun, ended = (datetime.fromisoformat(step[one]) for one in ("begun", "ended"))
        counts = {name: count for name, count in step["counts"].items() if name != "blocks"}
        tell(f"close: {step['step']}", size, seconds=round((ended - begun).total_seconds(), 2), **counts)
    cycle.refresh_from_db()
    try:
        with tempfile.TemporaryDirectory() as folder:
            made = timed("export", lambda: billing.export(cycle, at=NOW, actor="machine:bench"))
            timed("export: written again", lambda: billing.write(made, Path(folder)), rows=made.rows)
    except billing.Refused as refused:
        tell("export", size, refused=str(refused), missing=[one.why for one in refused.missing[:3]])
    timed("verify", lambda: faults(cycle))
    told_memory(size)


def told_memory(size: int) -> None:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    tell("memory and disk", size, python_most_mb=most, database_mb=database_mb())


def in_files(folder: Path, name: str, size: int, query: str, **known: Any) -> Iterator[Path]:
    """``query``, whose rows are those of service points ``first`` to ``last``, as CSV files of ``A_FILE`` service points."""
    from django.db import connection

    with connection.cursor() as cursor:
        for first in range(1, size + 1, A_FILE):
            path = folder / f"{name}-{first}.csv"
            asked = cursor.mogrify(query, {"first": first, "last": min(first + A_FILE - 1, size), **known})
            with (
                path.open("wb") as file,
                cursor.copy(f"COPY ({asked}) TO STDOUT (FORMAT csv, HEADER)") as rows,
            ):
                for block in rows:
                    file.write(block)
            yield path


def bring_in(what: str, files: list[Path]) -> None:
    from rasd.metering import importing

    for path in files:
        outcome = getattr(importing, f"import_{what}")(path, at=NOW, actor="machine:bench")
        if outcome.problems:
            raise AssertionError(f"{path.name}: {outcome.problems[0]}")


def processors() -> float:
    """Seconds of processor that this process, its session in the database, and the helpers of all sessions have used: on a busy
    machine what the work costs, where the clock says what it waited."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = psutil.Process(cursor.fetchone()[0])
    helpers = session.parent().cpu_times()  # type: ignore[union-attr] - the server
    own = session.cpu_times()
    return time.process_time() + own.user + own.system + helpers.children_user + helpers.children_system


def faults(cycle: Any) -> None:
    from django.db import connection

    from rasd.metering import sealing

    with connection.cursor() as cursor:
        if found := sealing.faults_of(cursor, cycle):
            raise AssertionError(found)


def tell(what: str, size: int, **facts: Any) -> None:
    load = round(os.getloadavg()[0], 1)
    print(json.dumps({"measured": what, "points": size, **facts, "load": load}), flush=True)


def database_mb() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database()) / 1000000")
        return int(cursor.fetchone()[0])


def known() -> dict[str, Any]:
    """What the readings follow from: days of a mean month counted up to each month."""
    counted, cumulative = 0.0, []
    for month in range(MONTHS + 2):
        cumulative.append(counted)
        counted += SEASON[(10 + month) % 12] * 30.4
    return {"months": MONTHS, "cumulative": cumulative}


def history(size: int) -> None:
    """A reading about the 20th of each month but the last."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM metering_register WHERE id BETWEEN 1 AND %s", [size])
        if cursor.fetchone() != (size,):
            raise AssertionError(
                "the registers are not numbered from 1 on, as what follows takes for granted"
            )
        cursor.execute("SET session_replication_role = replica")  # what refers to what is known to be there
        definitions = without_indexes(cursor)
        cursor.execute(HISTORY, {"size": size, **known()})
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for definition in definitions:
            cursor.execute(definition)
        cursor.execute("RESET maintenance_work_mem")
        cursor.execute("SET session_replication_role = origin")
        for table in BIG:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 1)) FROM {table}"
            )
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(BIG)}")


def without_indexes(cursor: Any) -> list[str]:
    cursor.execute(
        "SELECT x.indexdef, x.indexname FROM pg_indexes x WHERE tablename = ANY(%s) AND NOT EXISTS "
        "(SELECT FROM pg_constraint c WHERE c.conname = x.indexname)",
        [list(BIG)],
    )
    found = cursor.fetchall()
    for _definition, name in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for definition, _name in found]


def month(size: int, cycle: int) -> None:
    """What customers sent, adopted; and the meter readers who are to bring theirs."""
    from django.db import connection

    from rasd.metering import numbers

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        receipt = numbers.receipt_sql("%(month)s", "i")
        for statement in MONTH:
            cursor.execute(
                statement.replace("RECEIPT", receipt), {"size": size, "cycle": cycle, "month": "2611"}
            )
        cursor.execute("SET session_replication_role = origin")
        for table in BIG:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 1)) FROM {table}"
            )
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(BIG)}")


LEVEL = "(4 + 40 * (((i::bigint * 2654435761) %% 1000)::float8 / 1000) ^ 2)"  # units a day in a mean month
NOISE = "((((i::bigint * 40503 + k * 69069) %% 1000)::float8 / 1000) * 6)"  # days
VALUE = f"floor({LEVEL} * ((%(cumulative)s::float8[])[k + 1] + {NOISE}))"
TAKEN_AT = "(timestamptz '2024-11-18 05:00+00' + k * interval '1 month' + (i::bigint * 7919 %% 4320) * interval '1 minute')"
POINTS = """
SELECT 'SP-' || lpad(i::text, 8, '0') AS service_point, 'A' || i AS account, 'Holder ' || i AS holder_name,
    '9' || lpad(i::text, 7, '0') AS phones, 'electricity' AS commodity, 'House ' || i AS place,
    'District ' || i %% 30 AS district, 'E' || 70000000 + i AS meter_serial, '2019-05-01' AS installed_on, 6 AS digits,
    CASE WHEN i %% 30 = 7 THEN 'commercial' ELSE 'residential' END AS customer_class
FROM generate_series(%(first)s, %(last)s) i ORDER BY i
"""
# As imports come: month by month.
HISTORY = f"""
INSERT INTO metering_reading (service_point_id, register_id, value, source, quality, taken_at, recorded_at)
SELECT i, i, {VALUE}, 'field', 'valid', {TAKEN_AT}, now()
FROM generate_series(0, %(months)s - 2) k, generate_series(1, %(size)s) i
"""
LAST_MONTH = f"""
SELECT 'SP-' || lpad(i::text, 8, '0') AS service_point, {TAKEN_AT} AS taken_at, {VALUE} AS value, 'field' AS source
FROM generate_series(%(months)s - 1, %(months)s - 1) k, generate_series(%(first)s, %(last)s) i
"""
LAST = """(SELECT r.value FROM metering_reading r WHERE r.register_id = i AND r.cycle_id IS NULL
    AND r.taken_at > '2026-10-15' ORDER BY taken_at DESC LIMIT 1)"""
NOW_SHOWS = f"({LAST} + CASE WHEN i %% 1000 = 3 THEN -50 ELSE floor({LEVEL} * (20 + i %% 5)) END)"
MONTH = (
    """INSERT INTO metering_submission
        (id, identifier, origin, conversation, service_point_id, cycle_id, typed, sent_at, received_at)
    SELECT i, 'tel:+9689' || lpad(i::text, 7, '0'), 'bench:' || i, '', i, %(cycle)s, '', timestamptz '2026-11-16 06:00+00'
        + (i %% 10000) * interval '1 minute', now() FROM generate_series(1, %(size)s) i WHERE i %% 10 < 4""",
    f"""INSERT INTO metering_reading
        (service_point_id, register_id, cycle_id, value, source, quality, taken_at, recorded_at, submission_id)
    SELECT i, i, %(cycle)s, {NOW_SHOWS}, 'customer', 'valid', s.sent_at, now(), i
    FROM (SELECT id AS i, sent_at FROM metering_submission) s""",
    """INSERT INTO metering_adoption
        (id, service_point_id, register_id, cycle_id, reading_id, adopted_at, actor, why, rule, confidence, receipt)
    SELECT i, i, i, %(cycle)s, reading_id, now(), 'machine:reader', 'sure', 'customer', 0.999, RECEIPT
    FROM (SELECT register_id::bigint AS i, id AS reading_id FROM metering_reading WHERE source = 'customer') s""",
    "INSERT INTO metering_reader (id, code, name) SELECT i, 'R' || i, 'Reader ' || i FROM generate_series(1, 100) i",
)
FIELD_READS = f"""
SELECT 'R' || 1 + i %% 100 AS reader, 'b' || i AS key, 'SP-' || lpad(i::text, 8, '0') AS service_point,
    timestamptz '2026-11-18 05:00+00' + (i %% 8000) * interval '1 minute' AS visited_at, {NOW_SHOWS} + 2 AS value
FROM generate_series(%(first)s, %(last)s) i WHERE i %% 10 BETWEEN 3 AND 7
"""


if __name__ == "__main__":
    main()
