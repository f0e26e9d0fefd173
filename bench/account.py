"""How fast the account of a big desk's month is, on the installation's own PostgreSQL, in a database of its own.

    rasd bench account [OBLIGATIONS]

Made up: OBLIGATIONS (1,000,000) of one month in the hands of 200 people and 8 queues, one in ten late. Prints one JSON object a
line: summing all days up anew, and the server time of the pages (median and worst of 9 calls, in milliseconds).
"""

import argparse
import json
import statistics
import time
from datetime import UTC, datetime

from bench._database import scratch_database

DATABASE = "rasd_bench_account"
FILL = """
INSERT INTO desk_accountstretch (
    scope, name, day, figure, obligation, kind, matter, queue, line, conversation, "case", message, answer, began, begin,
    ended, until, how, due_at, running, inherited, passed, came_back, worked, late, late_bin
)
SELECT
    %(scope)s, %(prefix)s || (n %% %(names)s), (begin AT TIME ZONE 'Asia/Muscat')::date,
    CASE WHEN late > 0 THEN 'late' WHEN n %% 9 = 0 THEN 'handed' WHEN n %% 400 = 1 THEN 'waiting' ELSE 'in_time' END,
    n, 'answer', '', 'queue', 'line', n, NULL, n, n, 2 * n, begin, 2 * n + 1, begin + interval '20 minutes',
    'obligation.answered', begin + interval '30 minutes', true, false, late > 0, n %% 200 = 0, 1200, late,
    CASE WHEN late > 0 THEN least(47, greatest(0, 1 + floor(ln(late / 60.0) / ln(2) * 3)))::int END
FROM (
    SELECT
        n, timestamptz '2026-11-01 00:00+04' + random() * interval '30 days' AS begin,
        CASE WHEN n %% 10 = 0 THEN exp(random() * 11)::int + 1 ELSE 0 END AS late
    FROM generate_series(1, %(rows)s) AS n
) AS made_up
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rasd bench account", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("obligations", nargs="?", type=int, default=1_000_000)
    obligations = parser.parse_args().obligations
    with scratch_database(DATABASE):
        measure(obligations)


def measure(obligations: int) -> None:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    from rasd.desk.account import Scope
    from rasd.desk.models import AccountDay

    with connection.cursor() as cursor:
        for scope, prefix, names in ((Scope.PERSON, "agent", 200), (Scope.QUEUE, "queue", 8)):
            cursor.execute(FILL, {"scope": scope, "prefix": prefix, "names": names, "rows": obligations})
        cursor.execute("ANALYZE desk_accountstretch")
    began = time.perf_counter()
    AccountDay.sum_up()
    tell("all days summed up anew", seconds=round(time.perf_counter() - began, 1), stretches=2 * obligations)
    began = time.perf_counter()
    AccountDay.sum_up(
        (Scope.PERSON, f"agent{n}", datetime(2026, 11, 12, tzinfo=UTC).date()) for n in range(200)
    )
    tell("one day of everybody summed up anew", seconds=round(time.perf_counter() - began, 2))
    client = Client()
    client.force_login(User.objects.create_superuser("salma"))
    month = "from=2026-11-01&to=2026-11-30"
    for name, address in {
        "everybody, a month": f"/accountability/?{month}",
        "queues, a month": f"/accountability/?by=queue&{month}",
        "one person, a month": f"/accountability/person/agent7?{month}",
        "one person, the late ones": f"/accountability/person/agent7?{month}&show=late",
        "one queue, a month": f"/accountability/queue/queue3?{month}",
        "one queue, the late ones": f"/accountability/queue/queue3?{month}&show=late",
    }.items():
        times = []
        for _ in range(10):
            began = time.perf_counter()
            assert client.get(address).status_code == 200
            times.append(1000 * (time.perf_counter() - began))
        times = times[1:]  # the first compiles the template
        tell(name, median=round(statistics.median(times)), worst=round(max(times)))


def tell(name: str, **what: object) -> None:
    print(json.dumps({"measured": name, **what}), flush=True)


main()
