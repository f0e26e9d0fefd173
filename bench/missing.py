"""How long the estimates of a closing take: a fifth of the registers unread, 24 monthly readings of each.

    rasd bench missing [POINTS]

Prints one JSON object a line: learning what is usual, then estimate_missing() of a full cycle, then again (nothing new).
"""

import argparse
import json
import resource
import time
from datetime import UTC, datetime

from bench._database import scratch_database

MONTHS = 24
AT = datetime(2026, 11, 26, 9, tzinfo=UTC)

# Each register's month: a level of its own (0.3 to 3 times the usual), the summer, and chance.
FILL = """
SET LOCAL session_replication_role = replica;
INSERT INTO metering_account (id, number, holder_name, customer_class, language)
    SELECT n, 'A-' || n, 'bench', CASE WHEN n %% 30 = 7 THEN 'commercial' ELSE 'residential' END, 'ar'
    FROM generate_series(1, %(points)s) n;
INSERT INTO metering_servicepoint (id, number, account_id, commodity, place, district)
    SELECT n, 'SP-' || n, n, CASE WHEN n %% 8 = 0 THEN 'water' ELSE 'electricity' END, 'bench', 'District ' || n %% 20
    FROM generate_series(1, %(points)s) n;
INSERT INTO metering_meter (id, service_point_id, serial, installed_on)
    SELECT n, n, 'E' || 10000000 + n, '2024-01-01' FROM generate_series(1, %(points)s) n;
INSERT INTO metering_register (id, meter_id, name, digits, decimals, unit)
    SELECT n, n, '1.8.0', 6, 0, 'kWh' FROM generate_series(1, %(points)s) n;
"""
READINGS = """
INSERT INTO metering_reading (service_point_id, register_id, value, source, quality, taken_at, recorded_at, cycle_id)
SELECT n, n, mod((n::bigint * 7919) %% 900000 + floor((0.3 + (n %% 97) / 36.0) * (
        300 * (m + 1) + 120 * sin((m + 7) * pi() / 6) * 6 / pi()) + 40 * random())::numeric, 1000000),
    'field', 'valid', timestamptz '2026-10-20 08:00+04' - make_interval(months => %(months)s - 1 - m)
        + make_interval(hours => n %% 72), now(), NULL
FROM generate_series(0, %(months)s - 1) m, generate_series(1, %(points)s) n;
"""
READ = """
INSERT INTO metering_reading (service_point_id, register_id, value, source, quality, taken_at, recorded_at, cycle_id)
SELECT n, n, 0, 'field', 'valid', '2026-11-20 08:00+04', now(), %(cycle)s FROM generate_series(1, %(points)s) n WHERE n %% 5 > 0
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rasd bench missing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("points", nargs="?", type=int, default=100_000)
    points = parser.parse_args().points
    with scratch_database("rasd_bench_missing"):
        measure(points)


def measure(points: int) -> None:
    from django.db import connection, transaction

    from rasd.metering.missing import estimate_missing
    from rasd.metering.models import Cycle
    from rasd.metering.usual import learn_usual

    cycle = Cycle.open("2026-11", at=AT, actor="machine:bench")
    numbers = {"points": points, "months": MONTHS, "cycle": cycle.pk}
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (FILL, READINGS, READ):
            cursor.execute(statement, numbers)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    tell("filled", began, points=points, readings=points * MONTHS)
    began = time.perf_counter()
    learnt = learn_usual(AT)
    tell("learnt", began, kinds=len(learnt))
    for name in ("estimated", "again"):
        began = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            counts = estimate_missing(cursor, cycle, AT)
        tell(name, began, **counts)


def tell(what: str, began: float, **numbers: float) -> None:
    took = round(time.perf_counter() - began, 1)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"what": what, "seconds": took, **numbers, "python_mib": memory}), flush=True)


if __name__ == "__main__":
    main()
