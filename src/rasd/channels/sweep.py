"""What runs every minute so that nothing a crash left half done stays so: each kind of unfinished row has a job again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models import Q, QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.tasks import Task

from rasd.channels import jobs, outbox
from rasd.channels.models import Delivery, Media, Outgoing

log = structlog.get_logger("rasd.channels.sweep")

SETTLED = timedelta(minutes=1)  # a younger row is in its own job's hands
HEARTBEAT_LOST = 30  # seconds without a heartbeat (one every 5 or 10) after which a worker counts as dead
AT_ONCE = 1000  # rows of each kind a minute

# A job that failed for good is a person's to look at: another would only fail again.
KNOWN = ["todo", "doing", "failed"]


def sweep(now: datetime) -> dict[str, int]:
    """Returns how many of each it took up again."""
    before = now - SETTLED
    wanted = Media.objects.filter(stored_at=None, lost_at=None, incoming__received_at__lt=before)
    unsent = Outgoing.objects.filter(accepted_at=None, failed_at=None, created_at__lt=before)
    found = {
        "jobs": retry_stalled_jobs(now),
        "deliveries": _defer(
            Delivery.objects.filter(sorted_at=None, received_at__lt=before),
            jobs.sort,
            "delivery_id",
            Delivery.sort_later,
        ),
        "media": _defer(wanted, jobs.fetch, "media_id", Media.fetch_later),
        "outgoing": _defer(
            unsent.filter(Q(called_at=None) | Q(called_at__lt=now - outbox.GRACE)),
            jobs.send,
            "outgoing_id",
            Outgoing.send_later,
        ),
        "statuses": outbox.merge_orphans(now),
    }
    if any(found.values()):
        log.warning("taken up again", **found)
    return found


def _defer(
    rows: QuerySet[Any], task: Task[Any, Any, Any], argument: str, later: Callable[[Any], None]
) -> int:
    """Call ``later`` on those ``rows`` that no job of ``task`` is about: none has the row's key as ``argument``."""
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    if not keys:
        return 0
    known = ProcrastinateJob.objects.filter(
        task_name=task.name, status__in=KNOWN, **{f"args__{argument}__in": keys}
    )
    orphans = set(keys) - set(known.values_list(f"args__{argument}", flat=True))
    for row in rows.filter(pk__in=orphans).order_by("pk"):
        later(row)
    return len(orphans)


def retry_stalled_jobs(now: datetime) -> int:
    """Put back in the queue what killed workers held, of every room: a job is retried where it stands, its lock included."""
    stalled: list[Job] = list(
        async_to_sync(jobs.job_manager.get_stalled_jobs)(seconds_since_heartbeat=HEARTBEAT_LOST)
    )
    for job in stalled:
        if job.id is None:
            continue
        try:
            with transaction.atomic():
                jobs.job_manager.retry_job_by_id(job_id=job.id, retry_at=now)
        except UniqueViolation:  # another of its name waits already, and does what this one would have done
            async_to_sync(jobs.job_manager.finish_job_by_id_async)(job.id, Status.ABORTED, True)
    return len(stalled)
