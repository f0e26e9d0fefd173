"""``rasd serve``: web and workers on this machine over one database, looked after."""

import contextlib
import os

import click
import structlog

from rasd.config.options import options
from rasd.config.supervisor import Child, Supervisor, end_with, rasd_command

log = structlog.get_logger("rasd.serve")


def children(host: str, port: int) -> list[Child]:
    """The processes of a small machine. On larger ones run ``rasd web`` and ``rasd worker`` as often as you like."""
    ends = ("--end-with", str(os.getpid()))
    found = [
        Child("web", rasd_command("web", "--host", host, "--port", str(port), *ends)),
        Child("worker", rasd_command("worker", *ends)),
        Child("vision", rasd_command("worker", "--queues", "vision", "--concurrency", "1", *ends)),
    ]
    if options.shadow_eye:
        # A process of its own: however slow the eye on trial is, and if it dies, those who read for customers go on.
        shadow = rasd_command("worker", "--queues", "shadow", "--concurrency", "1", *ends)
        found.append(Child("shadow", shadow))
    return found


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Web, workers and the embedded database, started again when they die; Ctrl-C stops all of it cleanly."""
    from rasd.config.manage import migrate_once

    migrate_once()
    click.echo(f"Rasd is at http://{host}:{port}/ ; Ctrl-C stops it", err=True)
    supervisor = Supervisor(children(host, port), also=keep_database_up)
    supervisor.stop_on_signals()
    supervisor.run()


def keep_database_up() -> None:
    if options.embedded and not options.embedded.is_running():
        log.warning("database_down", folder=str(options.embedded.folder))
        with contextlib.suppress(Exception):  # tried again in two seconds; its log says why
            options.embedded.ensure_running()
            log.info("database_up")


@click.command(hidden=True)
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=8000)
@click.option("--end-with", "parent", type=int)
def web(host: str, port: int, parent: int | None) -> None:
    """One web process, for ``rasd serve`` and for machines with a process manager of their own."""
    import uvicorn

    if parent:
        end_with(parent)
    uvicorn.run(
        "rasd.config.asgi:application",
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,  # live pages hold their connections open for ever
    )
