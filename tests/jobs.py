"""Does the jobs that wait, in this very transaction: what a worker does, without its processes and its patience."""

from datetime import datetime, timedelta
from types import SimpleNamespace

from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.jobs import ComeBack

ENOUGH = 2_000  # jobs; more means that jobs beget jobs for ever


def do_jobs(*, until: datetime | None = None, queues: set[str] | None = None) -> list[str]:
    """Every job due by ``until`` (by default now), in the order of their locks; the names of those that were done."""
    done = []
    for _ in range(ENOUGH):
        due = ProcrastinateJob.objects.filter(status="todo").order_by("id")
        limit = until or timezone.now()
        job = next(
            (
                job
                for job in due
                if (job.scheduled_at is None or job.scheduled_at <= limit)
                and (queues is None or job.queue_name in queues)
            ),
            None,
        )
        if job is None:
            return done
        app.perform_import_paths()
        task = app.tasks[job.task_name]
        context = [SimpleNamespace(job=job)] if task.pass_context else []
        try:
            task.func(*context, **job.args)
        except ComeBack as again:
            _set(job.pk, "todo", again.at + timedelta(microseconds=1))
            if again.at <= limit:
                raise AssertionError(f"{job.task_name} comes back at once") from again
        else:
            _set(job.pk, "succeeded", job.scheduled_at)
        done.append(job.task_name.rpartition(".")[2])
    raise AssertionError(f"more than {ENOUGH} jobs")


def _set(job_id: int, status: str, scheduled_at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = %s, scheduled_at = %s WHERE id = %s",
            [status, scheduled_at, job_id],
        )
