"""What load balancers, orchestrators and Prometheus are told."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from rasd.channels.models import Channel, Refusal
from rasd.config.worker import QUEUES
from rasd.flows.models import WorkerPulse

pytestmark = pytest.mark.django_db


def test_healthz_answers_while_the_process_lives(client: Client):
    assert client.get("/healthz").content == b"ok\n"


def test_readyz_names_what_is_missing(client: Client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    told = json.loads(answer.content)
    assert told["database"] == told["migrations"] == "ok"
    assert "nobody serves" in told["workers"]
    assert "no worker has a reader loaded" in told["model"]


def test_readyz_is_well_when_every_queue_is_served_and_the_reader_is_loaded(client: Client):
    WorkerPulse.beat(host="a", pid=1, queues=QUEUES, model="")
    WorkerPulse.beat(host="a", pid=2, queues=["vision"], model="rasd-eye")
    assert client.get("/readyz").status_code == 200


def test_a_worker_that_fell_silent_does_not_count(client: Client):
    WorkerPulse.beat(host="a", pid=1, queues=[*QUEUES, "vision"], model="rasd-eye")
    WorkerPulse.objects.update(at=timezone.now() - timedelta(minutes=1))
    assert client.get("/readyz").status_code == 503


def test_metrics_count_what_every_process_shares(client: Client):
    Refusal.count_one(Channel.WHATSAPP, "unsigned", "127.0.0.1", timezone.now())
    text = client.get("/metrics").content.decode()
    assert "rasd_workers_living 0.0" in text
    assert "refus" in text
    assert all(line.startswith(("#", "rasd_")) for line in text.splitlines())


def test_every_answer_carries_a_request_id_and_keeps_the_proxys(client: Client):
    assert len(client.get("/healthz")["X-Request-ID"]) == 32
    assert client.get("/healthz", headers={"X-Request-ID": "abc"})["X-Request-ID"] == "abc"


def test_deployment_settings_pass_djangos_check(monkeypatch: pytest.MonkeyPatch):
    """In a process of its own, as the settings are read once."""
    import os
    import subprocess
    import sys

    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "rasd.config.settings",
        "RASD_HTTPS": "true",
        "RASD_SECRET_KEY": "x" * 25 + "0123456789abcdefghijklmnopqrstuvwxyz",
        "RASD_ALLOWED_HOSTS": '["service.example.om"]',
    }
    checked = subprocess.run(
        [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_no_model_change_lacks_its_migration():
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
