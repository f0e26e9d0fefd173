"""Jobs of the doors: shallow, the deed is on the model. Queues: ``inbox`` (sorting), ``media``, ``outbox``."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from procrastinate import RetryDecision
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy
from procrastinate.tasks import Task, configure_task

from rasd.channels import rules

GIVES_UP_AFTER = (
    25  # attempts that ended in an error nobody foresaw: about three hours; then a dead job for a person
)

UNASKED = -5  # priority of what nobody waits for: behind the answers, where both wait

# Inside a worker, the app's own connector may be one with connections of its own, and a job deferred through it would
# not belong to the transaction of the row that it is about. Django's connection always does.
job_manager = JobManager(DjangoConnector())


class ComeBack(Exception):
    """Not an error: the job is to run again at ``at``."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"comes back at {at.isoformat()}")
        self.at = at


class Patience(BaseRetryStrategy):
    """Runs a job again at the time that it asked for, and after an unforeseen error with doubling waits up to ten minutes."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, ComeBack):
            return RetryDecision(retry_at=exception.at)
        if not isinstance(exception, Exception) or job.attempts >= GIVES_UP_AFTER:
            return None
        wait = rules.wait_before(job.attempts + 1, first=timedelta(seconds=1), longest=timedelta(minutes=10))
        return RetryDecision(retry_at=timezone.now() + wait)


def defer(
    task: Task[Any, Any, Any],
    *,
    lock: str | None = None,
    at: datetime | None = None,
    priority: int | None = None,
    **arguments: Any,
) -> None:
    """Defer a job in the caller's transaction: it exists if, and only when, the transaction commits.

    There is no way here to say "unless one waits already" (Procrastinate's queueing lock): a job that comes back while
    another of its name waits could not be put back in the queue. Jobs are harmless to run twice instead.

    Args:
        lock: jobs with the same lock run one after the other, in the order in which they were deferred.
        at: not before; aware.
        priority: the task's own where none is given; higher runs first.
    """
    configure_task(
        name=task.name,
        job_manager=job_manager,
        queue=task.queue,
        priority=task.priority if priority is None else priority,
        lock=lock,
        schedule_at=at,
    ).defer(**arguments)


@app.task(queue="inbox", retry=Patience())
def sort(delivery_id: int) -> None:
    from rasd.channels.models import Delivery

    Delivery.objects.get(pk=delivery_id).sort()


@app.task(queue="media", retry=Patience())
def fetch(media_id: int) -> None:
    from rasd.channels.models import Media

    if again := Media.objects.get(pk=media_id).fetch():
        raise ComeBack(again)


@app.task(queue="outbox", retry=Patience())
def send(outgoing_id: int) -> None:
    from rasd.channels.models import Outgoing

    if again := Outgoing.objects.get(pk=outgoing_id).send():
        raise ComeBack(again)


@app.periodic(cron="* * * * *")
@app.task(queue="inbox", queueing_lock="channels-sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Every minute: nothing that a crash left half done stays so."""
    from rasd.channels.sweep import sweep as sweep_

    sweep_(timezone.now())
