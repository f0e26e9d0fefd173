"""``kill -9`` of the worker at random moments: every message is stored once, every photograph kept, each answer sent once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels import sweep as sweeping
from rasd.channels.models import Incoming, Media, Outgoing
from rasd.channels.whatsapp.emulator.client import Emulator
from tests.channels.whatsapp.test_with_the_emulator import PHOTOS, QUEUES, copies, emulator, line, web

__all__ = ["emulator", "line", "web"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.crash]

PHONES, TEXTS = 6, 4
KILLS = 3

# A worker as `rasd worker` runs it, which answers every message; its grace is short so that the test is.
WORKER = """
from datetime import timedelta
import django
django.setup()
from procrastinate.contrib.django import app
from rasd.channels import outbox, signals
from rasd.channels.models import Outgoing
outbox.GRACE = timedelta(seconds=15)
def answer(incoming, **_):
    Outgoing.queue(line=incoming.line, address=incoming.address, key=incoming.external_id,
                   text="re: " + incoming.text, replies_to=incoming)
signals.message_arrived.connect(answer)
with app.replace_connector(app.connector.get_worker_connector()) as working:
    working.run_worker(queues=%r, concurrency=4, update_heartbeat_interval=1, stalled_worker_timeout=3,
                       fetch_job_polling_interval=0.3)
"""


def start_worker(emulator: Emulator, folder: Path) -> subprocess.Popen:
    at = connection.settings_dict
    host = at["HOST"] or "localhost"
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@/{at['NAME']}?host={host}"
    if at["PORT"]:
        url += f"&port={at['PORT']}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "rasd.config.settings",
        "RASD_DATABASE_URL": url,
        "RASD_DATA_DIR": str(folder),
        "RASD_LOG_LEVEL": "ERROR",
        "RASD_WHATSAPP_API_URL": f"{emulator.url}/v23.0",
        "RASD_WHATSAPP_TOKEN": emulator.settings.token,
    }
    return subprocess.Popen([sys.executable, "-c", WORKER % QUEUES], env=environment)


def doing() -> QuerySet[ProcrastinateJob]:
    """Jobs in the hands of a worker, alive or not, of these queues."""
    return ProcrastinateJob.objects.filter(queue_name__in=QUEUES, status="doing")


def wait_for_work(seconds: float = 20) -> None:
    """Until the worker that was just started has taken a job; the last kill finds it idle where nothing is left."""
    held = set(doing().values_list("pk", flat=True))
    until = time.monotonic() + seconds
    while time.monotonic() < until and not all_done():
        if set(doing().values_list("pk", flat=True)) - held:
            return
        time.sleep(0.02)


def all_done() -> bool:
    return (
        not ProcrastinateJob.objects.filter(queue_name__in=QUEUES, status__in=["todo", "doing"]).exists()
        and Outgoing.objects.exclude(accepted_at=None).count() == PHONES * (TEXTS + 1)
        and not Media.objects.filter(stored_at=None).exists()
    )


def test_nothing_is_lost_and_nothing_doubled(emulator, line, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "HEARTBEAT_LOST", 3)
    monkeypatch.setattr(sweeping, "SETTLED", timedelta(seconds=5))
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    emulator.faults(duplicate_rate=0.1, reorder=1.0)
    worker = start_worker(emulator, tmp_path)
    try:
        for n in range(PHONES):
            phone = emulator.phone(f"+968 9000 00{n:02d}")
            for m in range(TEXTS):
                phone.send_text(f"text {n}.{m}")
            phone.send_photo(PHOTOS[n % len(PHOTOS)], f"photo {n}")
        interrupted = 0
        for _ in range(KILLS):
            wait_for_work()
            time.sleep(chance.uniform(0, 0.4))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            interrupted += doing().count()
            worker = start_worker(emulator, tmp_path)
            sweeping.sweep(timezone.now())
        until = time.monotonic() + 150
        while not all_done():
            assert time.monotonic() < until, (
                seed,
                list(ProcrastinateJob.objects.filter(status="todo").values()),
            )
            time.sleep(1)
            sweeping.sweep(timezone.now())  # what the periodic job does, sooner
        assert interrupted, "no job was hit"
        emulator.settle()
    finally:
        worker.kill()
        worker.wait()
    expected = Counter(
        [f"text {n}.{m}" for n in range(PHONES) for m in range(TEXTS)] + [f"photo {n}" for n in range(PHONES)]
    )
    assert Counter(Incoming.objects.values_list("text", flat=True)) == expected, seed
    assert Media.objects.filter(stored_at__isnull=False).count() == PHONES
    assert Counter(copies(emulator)) == Counter({f"re: {text}": 1 for text in expected}), seed
