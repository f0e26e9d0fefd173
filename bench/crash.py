"""What is left standing when web, workers and database are killed at random moments while messages pour in (G6).

Messages and photographs come from emulated phones, some of them delivered twice and out of order. In the meantime
``kill -9`` meets the web process, a worker, the reader or the database. Afterwards, when the jobs have come to rest:
is every message stored once, is every photograph read, was anything answered twice?
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal

import click

from bench._house import House, house

PHONES_PER_MESSAGE = 0.1
FIRST_NUMBER = 96870000000
LAST = Decimal("4170.0")
VICTIMS = ("web", "worker", "vision", "database")
RESTS_WITHIN = (
    600.0  # seconds: detection of dead workers, grace of unanswered calls, and reading what is left
)


@dataclass
class Outcome:
    messages: int
    stored: int
    stored_twice: int
    photographs: int
    read: int
    answers: int
    sent_twice: int
    """Messages that the emulated WhatsApp took twice for one row of ours."""
    grace_ran_out: int
    """Rows sent again because no status proved the first attempt: what the outbox's docstring admits."""
    unfinished: int
    kills: dict[str, int]
    seconds: float

    @property
    def holds(self) -> bool:
        return (
            self.stored == self.messages
            and not self.stored_twice
            and self.read == self.photographs
            and self.sent_twice <= self.grace_ran_out
            and not self.unfinished
        )


def play(messages: int, photographs: int, kills: int, *, rate: float, seed: int, port: int = 8790) -> Outcome:
    with house(port) as home:
        phones = max(5, round(messages * PHONES_PER_MESSAGE))
        make_customers(phones)
        began = time.monotonic()
        killed: Counter[str] = Counter()
        killer = threading.Thread(
            target=kill, args=(home, kills, messages / rate, random.Random(seed), killed)
        )
        killer.start()
        progress = home.emulator.load(
            photos=pictures(),
            messages=messages,
            phones=phones,
            rate=rate,
            photo_share=photographs / messages,
            duplicate_rate=0.1,
            reorder=2.0,
            seconds=max(120.0, 3 * messages / rate),
            text="السلام عليكم",
            first_number=FIRST_NUMBER,
        )
        killer.join()
        home.emulator.settle(timeout=180)
        unfinished = come_to_rest()
        return count(home, progress, unfinished, dict(killed), time.monotonic() - began)


def make_customers(phones: int) -> None:
    from django.utils import timezone

    from rasd.metering.models import Account, AccountContact, Cycle, Meter, Reading, Register, ServicePoint

    now = timezone.now()
    today = timezone.localdate(now)
    Cycle.open(
        f"{today:%Y-%m}",
        window_opens=today - timedelta(days=3),
        window_closes=today + timedelta(days=3),
        at=now,
        actor="machine:bench",
    )
    for number in range(phones):
        account = Account.objects.create(number=f"{500_000 + number}", holder_name=f"حساب رقم {number}")
        AccountContact.objects.create(account=account, identifier=f"tel:+{FIRST_NUMBER + number}")
        point = ServicePoint.objects.create(
            number=f"B-{number:06}", account=account, place="بوشر", district="بوشر"
        )
        meter = Meter.objects.create(
            service_point=point,
            serial=f"B{90_000_000 + number}",
            installed_on=today.replace(year=today.year - 3),
        )
        register = Register.objects.create(meter=meter, digits=5, decimals=1)
        Reading.objects.bulk_create(
            Reading(
                service_point=point,
                register=register,
                value=LAST - 300 * (ago - 1),
                source=Reading.Source.FIELD,
                taken_at=now - timedelta(days=30.5 * ago),
            )
            for ago in range(1, 13)
        )


def pictures() -> list[bytes]:
    """RENDERED meters, a few, each sent many times."""
    from rasd.vision.rendered import render_meter

    return [render_meter(44_700 + 31 * number, 5, 1, seed=number) for number in range(8)]


def kill(home: House, kills: int, seconds: float, chance: random.Random, killed: Counter[str]) -> None:
    """Each victim in turn, at random moments of the load."""
    moments = sorted(chance.uniform(0.5, max(1.0, seconds)) for _ in range(kills))
    began = time.monotonic()
    for number, moment in enumerate(moments):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        victim = VICTIMS[number % len(VICTIMS)]
        for pid in _pids(home, victim):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed[victim] += 1


def _pids(home: House, victim: str) -> list[int]:
    from rasd.config.options import options

    if victim == "database":
        pid = options.embedded.postmaster_pid() if options.embedded else None
        return [pid] if pid else []
    if victim == "vision":
        return home.pids("worker", "--queues")
    return [pid for pid in home.pids(victim) if pid not in home.pids("--queues")]


def come_to_rest() -> int:
    """Wait until nothing is left to do; how much is left where that takes too long."""
    from django.db import Error, connection

    from rasd.channels.models import Delivery, Media, Outgoing
    from rasd.metering.models import Photograph

    deadline, left, quiet = time.monotonic() + RESTS_WITHIN, -1, 0
    while time.monotonic() < deadline and quiet < 3:
        time.sleep(1)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    # What looks after an obligation waits for its moment; nothing is left to do before that. Each minute's
                    # own rounds come and go.
                    "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
                    " AND task_name NOT LIKE '%%sweep'"
                    " AND NOT (task_name LIKE '%%look_after' AND status = 'todo' AND scheduled_at > now())"
                )
                jobs = cursor.fetchone()[0]
            left = (
                jobs
                + Delivery.objects.filter(sorted_at=None).count()
                + Media.objects.filter(stored_at=None, lost_at=None).count()
                + Photograph.objects.filter(read_at=None).count()
                + Outgoing.objects.filter(accepted_at=None, failed_at=None).count()
            )
        except Error:  # the database is on its way back
            connection.close()
            left = -1
        quiet = quiet + 1 if left == 0 else 0
    return left


def count(home: House, progress: dict, unfinished: int, killed: dict[str, int], seconds: float) -> Outcome:
    from django.db.models import Count

    from rasd.channels.models import Incoming, Outgoing
    from rasd.metering.models import Photograph

    ids = set(progress["message_ids"])
    stored = Counter(Incoming.objects.filter(external_id__in=ids).values_list("external_id", flat=True))
    taken: Counter[str] = Counter()
    for phone in home.emulator.phones():
        for message in home.emulator.request("GET", f"/chats/{phone['key']}")["messages"]:
            if message["direction"] == "out":
                taken[message["biz_opaque_callback_data"] or ""] += 1
    taken.pop("", None)
    return Outcome(
        messages=len(ids),
        stored=len(stored),
        stored_twice=sum(times > 1 for times in stored.values()),
        photographs=progress["photos"],
        read=Photograph.objects.exclude(read_at=None).aggregate(n=Count("origin", distinct=True))["n"],
        answers=Outgoing.objects.exclude(accepted_at=None).count(),
        sent_twice=sum(times > 1 for times in taken.values()),
        grace_ran_out=Outgoing.objects.filter(attempts__gt=1).count(),
        unfinished=unfinished,
        kills=killed,
        seconds=round(seconds, 1),
    )


@click.command()
@click.option("--messages", default=2_000, show_default=True)
@click.option("--photographs", default=300, show_default=True)
@click.option("--kills", default=16, show_default=True)
@click.option("--rate", default=20.0, show_default=True, help="messages a second")
@click.option("--seed", default=1, show_default=True)
def main(messages: int, photographs: int, kills: int, rate: float, seed: int) -> None:
    """Kill web, worker, reader and database at random moments; then count what was lost or doubled."""
    outcome = play(messages, photographs, kills, rate=rate, seed=seed)
    click.echo(json.dumps({**asdict(outcome), "holds": outcome.holds}, ensure_ascii=False))
    raise SystemExit(0 if outcome.holds else 1)


if __name__ == "__main__":
    main()
