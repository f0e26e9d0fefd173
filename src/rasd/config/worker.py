"""``rasd worker``: does the jobs. Run as many as you like, on as many machines, each for all queues or some."""

import os
import socket
import threading
from typing import TYPE_CHECKING

import click
import structlog

if TYPE_CHECKING:
    from psycopg import AsyncConnection

log = structlog.get_logger("rasd.worker")

QUEUES = ["inbox", "media", "flows", "outbox"]
"""All but ``vision``, whose jobs would keep the others waiting, and ``shadow``, which may keep nobody waiting: each has
workers of its own."""

HEARTBEAT = 5.0  # seconds
STALLED_AFTER = 20.0  # seconds without a heartbeat: its jobs are given to others


@click.command()
@click.option("--queues", default=",".join(QUEUES), show_default=True, help="comma-separated")
@click.option("--concurrency", default=6, show_default=True, help="jobs at a time, each in a thread")
@click.option("--end-with", "parent", type=int, hidden=True)
def worker(queues: str, concurrency: int, parent: int | None) -> None:
    """Take jobs from the database and do them, until told to stop."""
    from procrastinate import PsycopgConnector
    from procrastinate.contrib.django import app, connector_params

    from rasd.config.supervisor import end_with

    if parent:
        end_with(parent)
    names = [name.strip() for name in queues.split(",") if name.strip()]
    model = ""
    if "vision" in names:
        model = _open_eye()
    if names == ["shadow"]:
        os.nice(19)  # whoever reads for a customer on this machine goes first
    ended = threading.Event()
    threading.Thread(target=_beat, args=(names, model, ended), daemon=True, name="pulse").start()
    try:
        connector = PsycopgConnector(kwargs=connector_params(), configure=_one_by_one)
        with app.replace_connector(connector) as working:
            working.run_worker(
                queues=names,
                concurrency=concurrency,
                name=f"{socket.gethostname()}:{os.getpid()}",
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED_AFTER,
                fetch_job_polling_interval=0.5,  # jobs that wait for a time or a lock are found by asking only
                shutdown_graceful_timeout=8.0,
                install_signal_handlers=True,
                delete_jobs="successful",
            )
    finally:
        ended.set()


async def _one_by_one(connection: "AsyncConnection") -> None:
    """Each question about jobs is one statement: none needs a BEGIN and a COMMIT of its own around it."""
    await connection.set_autocommit(True)


def _open_eye() -> str:
    """Have the eye in service ready, note that it is in service, and say its name."""
    from django.utils import timezone

    from rasd.metering.eyes import in_service
    from rasd.metering.models import EyeService
    from rasd.vision import UnusableEye

    try:
        eye = in_service()
    except UnusableEye as error:
        raise click.ClickException(f"RASD_EYE: {error}") from error
    eye.warm_up()
    EyeService.begin(eye, at=timezone.now())
    return eye.name


def _beat(queues: list[str], model: str, ended: threading.Event) -> None:
    """Say every few seconds that this worker lives, for ``/readyz`` and the troubles page."""
    from django.db import connection

    from rasd.flows.models import WorkerPulse

    while True:
        try:
            WorkerPulse.beat(host=socket.gethostname(), pid=os.getpid(), queues=queues, model=model)
        except Exception as error:  # the database may be down for a moment; the job loop says so louder
            log.warning("no_pulse", error=str(error))
        finally:
            connection.close()
        if ended.wait(HEARTBEAT):
            return
