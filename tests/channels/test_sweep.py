"""After a crash: whatever was left half done has a job again within a minute or two."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.tasks import configure_task

from rasd.channels import outbox
from rasd.channels.jobs import ComeBack, Patience, job_manager, send
from rasd.channels.metrics import counts
from rasd.channels.models import Address, Channel, Delivery, Line, Media, Outgoing, Refusal
from rasd.channels.sweep import sweep
from tests.channels.doors import waiting_jobs, wrote

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(minutes=10)


@pytest.fixture
def unfinished(line: Line, customer: Address) -> tuple[Delivery, Media, Outgoing]:
    """A delivery, a file and an answer of ten minutes ago, each without a job."""
    before = timezone.now() - LONG_AGO
    delivery = Delivery.objects.create(channel=Channel.WHATSAPP, body=b"{}", received_at=before)
    incoming = wrote(line, customer, timezone.now())
    incoming.received_at = before
    incoming.save()
    media = Media.objects.create(
        incoming=incoming, external_id="m", gives_up_at=timezone.now() + timedelta(days=1)
    )
    outgoing = Outgoing.objects.create(
        line=line, address=customer, key="k", kind="text", text="x", created_at=before
    )
    return delivery, media, outgoing


def test_rows_without_a_job_get_one_and_only_one(unfinished):
    delivery, media, outgoing = unfinished
    for _ in range(3):
        sweep(timezone.now())
    assert waiting_jobs("sort") == [{"delivery_id": delivery.pk}]
    assert waiting_jobs("fetch") == [{"media_id": media.pk}]
    assert waiting_jobs("send") == [{"outgoing_id": outgoing.pk}]


def test_rows_of_this_minute_are_left_to_their_own_jobs(unfinished):
    assert not any(sweep(timezone.now() - LONG_AGO).values())


def test_a_row_whose_job_failed_for_good_is_a_person_s_to_look_at(unfinished):
    sweep(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert not any(sweep(timezone.now()).values())


def test_an_answer_handed_over_is_left_alone_until_the_grace_is_over(unfinished):
    outgoing = unfinished[2]
    Outgoing.objects.update(called_at=timezone.now())
    sweep(timezone.now())
    assert waiting_jobs("send") == []
    Outgoing.objects.update(called_at=timezone.now() - outbox.GRACE - timedelta(seconds=1))
    sweep(timezone.now())
    assert waiting_jobs("send") == [{"outgoing_id": outgoing.pk}]


def test_what_a_killed_worker_held_waits_again_with_its_lock(unfinished):
    outgoing = unfinished[2]
    outgoing.send_later()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        worker = cursor.fetchone()[0]
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])
    sweep(timezone.now())
    assert waiting_jobs("send") == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 minutes'")
    assert sweep(timezone.now())["jobs"] == 1
    assert waiting_jobs("send") == [{"outgoing_id": outgoing.pk}]
    assert ProcrastinateJob.objects.get(task_name=send.name).lock == f"address-{outgoing.address_id}"


def test_a_job_that_asks_to_come_back_does_so_at_its_time_and_an_error_after_doubling_waits():
    job = ProcrastinateJob(attempts=3)
    at = timezone.now() + timedelta(seconds=42)
    assert Patience().get_retry_decision(exception=ComeBack(at), job=job).retry_at == at
    wait = Patience().get_retry_decision(exception=RuntimeError(), job=job).retry_at - timezone.now()
    assert timedelta(seconds=7) < wait <= timedelta(seconds=8)
    job.attempts = 25
    assert Patience().get_retry_decision(exception=RuntimeError(), job=job) is None
    assert Patience().get_retry_decision(exception=ComeBack(at), job=job).retry_at == at


def test_a_killed_worker_s_job_of_which_another_waits_already_is_dropped(line):
    named = {"name": send.name, "job_manager": job_manager, "queue": "outbox", "queueing_lock": "x"}
    configure_task(**named).defer(outgoing_id=1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    configure_task(**named).defer(outgoing_id=2)
    assert sweep(timezone.now())["jobs"] == 1
    assert waiting_jobs("send") == [{"outgoing_id": 2}]
    assert ProcrastinateJob.objects.count() == 1


def test_the_counts_tell_what_is_unfinished(unfinished):
    Refusal.count_one("whatsapp", "unsigned", None, timezone.now())
    Refusal.count_one("whatsapp", "unsigned", None, timezone.now())
    told = counts()
    assert told["deliveries_unsorted"] == 1
    assert told["media_wanted"] == 1
    assert told["outgoing_waiting"] == 1
    assert told["webhooks_refused"] == 2
    assert told["incoming_messages"] == 2
