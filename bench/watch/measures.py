"""A million visits in the tables, and how long the server works on what the pages ask of them.

    rasd bench watch measures [--probes 1000000] [--targets 50] [--calls 40]

The database is made for it (some minutes; 4 GB at a million probes of six steps) and gone afterwards. Visits are spread evenly
over the targets, 48 a day each and two errands, so that a million of 50 targets is the record of 14 months; every call asks about
another target. Pages are asked for by Django's test client: all that the server does, and no network. One JSON object a line;
milliseconds; cold: the first call of each question; python, database: what
each took of the processors in the mean, however busy the machine is with other things.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from bench._database import scratch_database
from bench.desk.timing import Times

OK = 200
ADDRESSES = ["/", "/targets/{}", "/targets/{}?weeks=52", "/targets/{}/journeys/ask", "/targets/{}/journeys/ask?weeks=52",
             "/targets/{}/visits", "/league", "/status"]  # fmt: skip
UNDER = 100  # milliseconds, at the 95th of a hundred
A_DAY = 48  # visits of a target
STEPS = 6
UNTIL = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
ZONE = "Asia/Muscat"

# n is the probe's number, in the order in which they were recorded.
VISITS = """
INSERT INTO watch_planned (id, plan_id, target_id, journey, due_at, until, hour)
SELECT n, p.id, t.id, CASE WHEN (n / %(targets)s) %% 2 = 0 THEN 'ask' ELSE 'order' END, due, due + interval '1 hour',
       (extract(isodow FROM due AT TIME ZONE t.zone)::int - 1) * 24 + extract(hour FROM due AT TIME ZONE t.zone)::int
FROM generate_series(1, %(probes)s) n
CROSS JOIN LATERAL (SELECT %(begins)s::timestamptz + n * %(apart)s::interval AS due) d
JOIN watch_target t ON t.id = %(first_target)s + n %% %(targets)s
JOIN watch_plan p ON p.target_id = t.id
"""
SKIPS = """
INSERT INTO watch_skip (visit_id, reason, words, noticed_at)
SELECT id, (ARRAY['busy', 'stopped', 'maintenance'])[1 + id %% 3], '', due_at FROM watch_planned WHERE id %% 31 = 0
"""
PROBES = """
INSERT INTO watch_probe (id, token, target_id, journey_id, watcher_id, why, visit_id, began_at, ended_at, zone, day, hour,
                         verdict, because, done_after, gave_up_after, first_answer, waited, person, waited_for_person, taken,
                         clicks, typed, asked_again, report, digest, previous)
SELECT v.id, substr(md5(v.id::text), 1, 22), v.target_id, j.id, %(watcher)s, why, CASE WHEN why = 'planned' THEN v.id END,
       v.due_at, v.due_at + interval '1 minute', %(zone)s, (v.due_at AT TIME ZONE %(zone)s)::date, v.hour, verdict,
       CASE verdict WHEN 'completed' THEN '[]'::jsonb ELSE '["step.error-page"]' END,
       CASE WHEN verdict LIKE 'completed%%' THEN 20 + 60 * luck END,
       CASE WHEN verdict = 'theirs' AND v.id %% 3 = 0 THEN 180 END,
       CASE WHEN asks AND NOT lost THEN 1 + 20 * luck END, CASE WHEN asks AND lost THEN 180 END,
       CASE WHEN asks AND NOT lost THEN 5 + 90 * luck END, CASE WHEN asks AND lost THEN 180 END,
       STEPS, 4 + v.id %% 3, 3, 0, %(report)s::jsonb || jsonb_build_object('seed', md5(v.id::text)),
       encode(sha256(v.id::text::bytea), 'hex'), CASE v.id WHEN 1 THEN '' ELSE encode(sha256((v.id - 1)::text::bytea), 'hex') END
FROM watch_planned v
JOIN watch_journeyfile j ON j.target_id = v.target_id AND j.name = v.journey
CROSS JOIN LATERAL (SELECT (hashint8(v.id) & 65535) / 65536.0 AS luck, (hashint8(v.id * 7) & 1023) AS lot) a
CROSS JOIN LATERAL (SELECT CASE WHEN luck < CASE WHEN v.hour %% 24 < 6 THEN 0.12 ELSE 0.03 END THEN 'theirs'
    WHEN lot < 10 THEN 'ours' WHEN lot < 14 THEN 'wall' WHEN lot < 30 THEN 'completed, but' ELSE 'completed' END AS verdict,
    CASE WHEN v.id %% 31 = 0 THEN 'confirmation' WHEN lot > 1015 THEN 'by hand' ELSE 'planned' END AS why) b
CROSS JOIN LATERAL (SELECT verdict = 'theirs' AND v.id %% 6 = 2 AS lost,
    v.journey = 'ask' AND (verdict <> 'theirs' OR v.id %% 6 >= 2) AS asks) c
ORDER BY v.id
"""
PLAYED = """
INSERT INTO watch_stepplayed (probe_id, number, part, verb, says, outcome, trouble, seconds, first_answer, person, waited,
                              waited_for_person)
SELECT p.id, s, CASE s WHEN 6 THEN 'done' ELSE 'steps' END, (ARRAY['open', 'press', 'hear', 'fill', 'press', 'see'])[s],
       'press: what is written on it ' || s, outcome, CASE outcome WHEN 'failed' THEN 'error page' ELSE '' END, 2 + luck * s,
       CASE WHEN asks AND outcome = 'done' THEN 1 + 20 * luck END, CASE WHEN asks AND outcome = 'done' THEN 5 + 90 * luck END,
       CASE WHEN asks AND outcome = 'failed' THEN 180 END, CASE WHEN asks AND outcome = 'failed' THEN 180 END
FROM watch_probe p CROSS JOIN generate_series(1, 6) s
CROSS JOIN LATERAL (SELECT (hashint8(p.id * 8 + s) & 65535) / 65536.0 AS luck,
    s = 3 AND coalesce(p.first_answer, p.waited) IS NOT NULL AS asks,
    CASE WHEN p.verdict <> 'theirs' OR s < 1 + p.id %% 6 THEN 'done' WHEN s = 1 + p.id %% 6 THEN 'failed' ELSE 'not reached' END
    AS outcome) a
WHERE p.id BETWEEN %(low)s AND %(high)s
ORDER BY p.id, s
"""


def tell(name: str, **what: object) -> None:
    print(json.dumps({"measured": name, "load": round(os.getloadavg()[0], 1), **what}), flush=True)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--probes", type=int, default=1_000_000)
    asked.add_argument("--targets", type=int, default=50)
    asked.add_argument("--calls", type=int, default=40)
    options = asked.parse_args()
    with watch_database():
        began = time.monotonic()
        fill(options.probes, options.targets)
        tell(
            "machine", processors=psutil.cpu_count(), memory_gib=round(psutil.virtual_memory().total / 2**30)
        )
        tell("filled", probes=options.probes, seconds=round(time.monotonic() - began), **sizes())
        held = [
            measured(*each, options.calls) for each in questions(options.targets) + pages(options.targets)
        ]
        return 0 if all(held) else 1


@contextmanager
def watch_database() -> Iterator[None]:
    """The watch's own settings, on the server that Rasd uses here."""
    from rasd.config.options import options

    with tempfile.TemporaryDirectory(prefix="rasd-bench-") as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "rasd.watch.settings"
        os.environ["RASD_WATCH_DATA_DIR"] = folder
        os.environ["RASD_WATCH_DATABASE_URL"] = options.effective_database_url
        with scratch_database("bench_watch_measures"):
            yield


def fill(probes: int, targets: int) -> None:
    from django.db import connection

    from rasd.watch.models import JourneyFile, Plan, Target, Watcher

    rows = [Target(name=f"target-{n}", title=f"Target {n}", url=f"http://127.0.0.1/{n}", zone=ZONE, visits_a_day=A_DAY)
            for n in range(targets)]  # fmt: skip
    Target.objects.bulk_create(rows)
    JourneyFile.objects.bulk_create(
        JourneyFile(target=each, name=name, text=TEXT.format(name=name, target=each.name), sha256="0" * 64, added_at=UNTIL)
        for each in rows
        for name in ("ask", "order")
    )  # fmt: skip
    apart = timedelta(days=1) / (A_DAY * targets)
    begins = UNTIL - apart * probes
    Plan.objects.bulk_create(
        Plan(target=each, begins_at=begins, ends_at=UNTIL + timedelta(days=7), weeks=4, inputs={}, seed="0" * 64,
             commitment="0" * 64, committed_at=begins)
        for each in rows
    )  # fmt: skip
    values: dict[str, Any] = {
        "probes": probes, "targets": targets, "first_target": rows[0].pk, "begins": begins, "apart": apart, "zone": ZONE,
        "watcher": Watcher.objects.create(name="here", place="Muscat").pk, "report": json.dumps(REPORT),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        for sql in (VISITS, SKIPS, PROBES.replace("STEPS", str(STEPS))):
            cursor.execute(sql, values)
        for low in range(1, probes + 1, 100_000):
            cursor.execute(PLAYED, {"low": low, "high": low + 99_999})
        # As the server does by itself on a table that only grows.
        cursor.execute("VACUUM ANALYZE")


def sizes() -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid) / 1048576 FROM pg_class WHERE relname IN "
            "('watch_probe', 'watch_stepplayed', 'watch_planned')"
        )
        return {f"{name}_mib": int(size) for name, size in cursor.fetchall()}


Question = tuple[str, Callable[[int], object]]


def questions(targets: int) -> list[Question]:
    """By name; each is given a number that tells which target it is about."""
    from rasd.watch.models import About, JourneyFile, Target

    today = UNTIL.date()
    all_targets = list(Target.objects.order_by("pk"))
    files = {each.target_id: each for each in JourneyFile.objects.filter(name="ask")}

    def about(n: int, weeks: int, journey: str = "") -> About:
        return About.weeks(weeks, today, all_targets[n % targets], journey)

    found: list[Question] = [
        ("home: each target, 4 weeks", lambda n: About.weeks(4, today).of_each("target")),
        ("league of targets, 12 weeks", lambda n: About.weeks(12, today).league("target")),
        ("league of journeys, 12 weeks", lambda n: About.weeks(12, today).league("journey")),
    ]
    for weeks in (12, 52):
        found += [
            (f"target: share, {weeks} weeks", lambda n, w=weeks: about(n, w).completion()),
            (f"target: trend, {weeks} weeks", lambda n, w=weeks: about(n, w).trend()),
            (f"target: time to done, {weeks} weeks", lambda n, w=weeks: about(n, w).time_to_done()),
            (f"target: each errand, {weeks} weeks", lambda n, w=weeks: about(n, w).of_each("journey")),
            (f"week: cells, {weeks} weeks", lambda n, w=weeks: about(n, w).week()),
            (f"journey: funnel, {weeks} weeks", lambda n, w=weeks: about(n, w, "ask").funnel(files[all_targets[n % targets].pk])),
            (f"journey: first answer, {weeks} weeks", lambda n, w=weeks: about(n, w, "ask").first_answer()),
            (f"journey: effort, {weeks} weeks", lambda n, w=weeks: about(n, w, "ask").effort()),
        ]  # fmt: skip
    return found


def pages(targets: int) -> list[Question]:
    """Of somebody who is logged in."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create(username="bench"))

    def page(address: str) -> Question:
        def ask(n: int) -> object:
            answer = client.get(address.format(f"target-{n % targets}"))
            if answer.status_code != OK:
                raise SystemExit(f"{address}: {answer.status_code}")
            return answer

        return f"page {address}", ask

    return [page(each) for each in ADDRESSES]


def measured(name: str, question: Callable[[int], object], calls: int) -> bool:
    from django.db import connection

    asked: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    began = time.perf_counter()
    with connection.execute_wrapper(count):
        question(0)
    cold = (time.perf_counter() - began) * 1000
    times, chance = Times(), random.Random(1)
    python, database = time.process_time(), database_time()
    for _ in range(calls):
        n = chance.randrange(10_000)
        began = time.perf_counter()
        question(n)
        times.add((time.perf_counter() - began) * 1000)
    python = (time.process_time() - python) * 1000 / calls
    database = (database_time() - database) * 1000 / calls
    holds = times.at(0.95) < UNDER
    tell(
        name,
        **times.row,
        cold=round(cold, 1),
        queries=len(asked),
        python=round(python, 1),
        database=round(database, 1),
        holds=holds,
    )
    return holds


def database_time() -> float:
    """Seconds of the processors that our connection's server process took so far."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")  # all of it is in this one process
        cursor.execute("SELECT pg_backend_pid()")
        spent = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return spent.user + spent.system


TEXT = """\
journey: {name}
title: {{ar: أسأل عن فاتورتي, en: I ask about my bill}}
target: {target}
who: {{patience: 3m}}
chat: {{box: Write}}
steps: [{{open: /}}, {{press: Chat}}, {{hear: bill}}, {{fill: {{Name: x}}}}, {{press: Send}}]
done: [{{see: Thank you}}]
"""
FINDING = {
    "number": 1, "part": "steps", "verb": "press", "says": "press: what is written on it", "channel": "web", "outcome": "done",
    "trouble": None, "words": "", "began": UNTIL.isoformat(), "seconds": 1.234, "host": {"load": 0.1, "late": 0.0},
    "exhibits": [{"kind": kind, "sha256": "0123456789abcdef" * 4, "media_type": "application/json", "size": 12345}
                 for kind in ("picture", "words", "network")],
    "facts": {"clicks": 1, "typed": 1, "status": 200},
}  # fmt: skip
CHECK = {"at": UNTIL.isoformat(), "network": True, "clock_off": 0.01, "load": 0.1, "steal": 0.0, "memory_free": 0.5,
         "disk_free": 10**11, "browser": True, "words": []}  # fmt: skip
REPORT = {
    "version": 1, "journey": "order", "journey_sha256": "0" * 64, "target": "target", "url": "http://127.0.0.1/",
    "began": UNTIL.isoformat(), "ended": UNTIL.isoformat(), "persona": {"device": "phone", "language": "ar", "network": "4g"},
    "presented": {"user_agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0.0.0 Mobile Safari/537.36"},
    "findings": [FINDING | {"number": n} for n in range(1, STEPS + 1)], "exhibits": [], "before": CHECK, "after": CHECK,
    "verdict": "completed", "because": [], "done_after": 42.0, "clicks": 4, "typed": 3, "asked_again": 0,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
