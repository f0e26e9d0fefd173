"""An eye on trial never decides, delays or breaks what a customer is told."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.jobs import defer
from rasd.config import serve
from rasd.config.options import options
from rasd.config.worker import QUEUES
from rasd.flows import jobs
from rasd.metering.models import Adoption, Photograph, ServicePoint, ShadowReading
from rasd.metering.models import shadow as shadow_module
from rasd.vision import UnusableEye
from rasd.vision.eye import SHIPPED, write_manifest
from tests.flows.conftest import Customer, World, shows
from tests.jobs import do_jobs

pytestmark = pytest.mark.django_db
LIVE = {*QUEUES, "vision"}


class Trial:
    """Stands in for the eye in shadow; what it does, each test says."""

    name, version, checksum = "eye-on-trial", "2", "c" * 64

    def read(self, data: bytes, **_: Any) -> Any:
        return shows("09999", 0.999, model=self.name)


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Trial:
    trial = Trial()
    settings.SHADOW_EYE = "somewhere"
    monkeypatch.setattr(shadow_module, "in_shadow", lambda: trial)
    return trial


def test_the_customer_is_told_what_the_one_in_service_read(
    customer: Customer, point: ServicePoint, trial: Trial
) -> None:
    (answer,) = customer.sends_photograph(shows("04480"))
    assert "4480" in answer.text.replace("\u2068", "").replace("04480", "4480")
    assert Adoption.objects.get().reading.value == 4480
    assert ShadowReading.objects.get().seen["value"] == "9999"


def test_the_customer_is_answered_before_any_of_its_jobs_has_run(
    customer: Customer, point: ServicePoint, trial: Trial
) -> None:
    customer.deliver(customer.photograph(shows("04480")))
    done = do_jobs(queues=LIVE)
    assert "shadow" not in done
    assert Adoption.objects.get().reading.value == 4480
    assert [job.queue_name for job in ProcrastinateJob.objects.filter(status="todo", scheduled_at=None)] == [
        "shadow"
    ]


@pytest.mark.parametrize("error", [RuntimeError("no memory"), MemoryError(), UnusableEye("damaged")])
def test_one_that_breaks_leaves_no_trace_in_what_the_customer_hears(
    customer: Customer, point: ServicePoint, trial: Trial, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def breaks(data: bytes, **_: Any) -> Any:
        raise error

    monkeypatch.setattr(trial, "read", breaks)
    assert len(customer.sends_photograph(shows("04480"))) == 1
    assert Adoption.objects.get().reading.value == 4480
    assert not ProcrastinateJob.objects.filter(status__in=["failed", "todo"], queue_name="shadow").exists()


def test_one_whose_folder_is_damaged_reads_nothing_and_fails_nothing(
    customer: Customer, point: ServicePoint, settings: Any, tmp_path: Path
) -> None:
    settings.SHADOW_EYE = str(tmp_path / "nowhere")
    customer.sends_photograph(shows("04480"))
    assert Adoption.objects.exists()
    assert not ShadowReading.objects.exists()


def test_a_photograph_at_which_its_process_died_again_and_again_is_given_up(
    customer: Customer, point: ServicePoint, trial: Trial
) -> None:
    customer.deliver(customer.photograph(shows("04480")))
    do_jobs(queues=LIVE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET attempts = 3 WHERE queue_name = 'shadow'")
    do_jobs()
    assert ShadowReading.objects.get().error == "its process ended while it read this"


def test_without_one_nothing_is_deferred(customer: Customer, point: ServicePoint, world: World) -> None:
    customer.sends_photograph(shows("04480"))
    assert not ProcrastinateJob.objects.filter(queue_name="shadow").exists()


def test_where_one_worker_serves_both_the_live_reading_goes_first() -> None:
    """By Procrastinate's own way of choosing the next job."""
    app.perform_import_paths()
    for number in range(50):
        defer(jobs.shadow, photograph_id=number)
    defer(jobs.read, photograph_id=1)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        (worker,) = cursor.fetchone()
        cursor.execute(
            "SELECT task_name FROM procrastinate_fetch_job_v2(%s::varchar[], %s)",
            [["vision", "shadow"], worker],
        )
        assert cursor.fetchone() == ("rasd.flows.jobs.read",)


def test_it_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job that has begun cannot be interrupted: behind it in one process, a customer would wait."""

    def queues() -> dict[str, list[str]]:
        return {child.name: child.command for child in serve.children("127.0.0.1", 8000)}

    assert "shadow" not in queues()
    monkeypatch.setattr(options, "shadow_eye", str(tmp_path))
    commands = queues()
    assert commands["shadow"][commands["shadow"].index("--queues") + 1] == "shadow"
    assert all("shadow" not in command for name, command in commands.items() if name != "shadow")
    assert "shadow" not in QUEUES


def test_with_real_weights_a_photograph_is_read_twice(
    customer: Customer, point: ServicePoint, settings: Any, tmp_path: Path
) -> None:
    shutil.copytree(SHIPPED, tmp_path / "eye")
    write_manifest(tmp_path / "eye", name="eye-2", version="2")
    settings.SHADOW_EYE = str(tmp_path / "eye")
    customer.sends_photograph(shows("04480"))
    kept = ShadowReading.objects.get()
    assert (kept.model, kept.seen["kind"], kept.error) == ("eye-2", "none", "")
    assert Photograph.objects.get().model == "played"


def test_what_is_old_is_forgotten_at_night(customer: Customer, point: ServicePoint, trial: Trial) -> None:
    customer.sends_photograph(shows("04480"))
    ShadowReading.objects.update(read_at=timezone.now() - shadow_module.KEPT - timedelta(minutes=1))
    jobs.forget.func(0)
    assert not ShadowReading.objects.exists()
