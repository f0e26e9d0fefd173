"""What runs every minute so that nothing a crash left half done stays so: each kind of unfinished row has a job again."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from django.db.models import Q, QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.jobs import Job

from rasd.channels import outbox
from rasd.channels.jobs import job_manager
from rasd.channels.models import Delivery, Media, Outgoing

log = structlog.get_logger("rasd.channels.sweep")

SETTLED = timedelta(minutes=1)  # a younger row is in its own job's hands
HEARTBEAT_LOST = 45  # seconds without a heartbeat (one every 10) after which a worker counts as dead
AT_ONCE = 1000  # rows of each kind a minute

# A job that failed for good is a person's to look at: another would only fail again.
KNOWN = ["todo", "doing", "failed"]


def sweep(now: datetime) -> dict[str, int]:
    """Returns how many of each it took up again."""
    before = now - SETTLED
    found = {
        "jobs": retry_stalled_jobs(now),
        "deliveries": _defer(
            Delivery.objects.filter(sorted_at=None, received_at__lt=before), "sort", "sort_later"
        ),
        "media": _defer(
            Media.objects.filter(stored_at=None, lost_at=None, incoming__received_at__lt=before),
            "media",
            "fetch_later",
        ),
        "outgoing": _defer(
            Outgoing.objects.filter(accepted_at=None, failed_at=None, created_at__lt=before).filter(
                Q(called_at=None) | Q(called_at__lt=now - outbox.GRACE)
            ),
            "outgoing",
            "send_later",
        ),
        "statuses": outbox.merge_orphans(now),
    }
    if any(found.values()):
        log.warning("taken up again", **found)
    return found


def _defer(rows: QuerySet[Any], name: str, later: str) -> int:
    """Call ``later`` on those ``rows`` that no job is about. A job's name is in its queueing lock."""
    names = {f"{name}-{pk}": pk for pk in rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]}
    if not names:
        return 0
    known = ProcrastinateJob.objects.filter(queueing_lock__in=names, status__in=KNOWN)
    orphans = names.keys() - set(known.values_list("queueing_lock", flat=True))
    for row in rows.filter(pk__in=[names[n] for n in orphans]).order_by("pk"):
        getattr(row, later)()
    return len(orphans)


def retry_stalled_jobs(now: datetime) -> int:
    """Put back in the queue what killed workers held, of every room: a job is retried where it stands, its lock included."""
    stalled: list[Job] = list(
        async_to_sync(job_manager.get_stalled_jobs)(seconds_since_heartbeat=HEARTBEAT_LOST)
    )
    for job in stalled:
        if job.id is not None:
            job_manager.retry_job_by_id(job_id=job.id, retry_at=now)
    return len(stalled)
