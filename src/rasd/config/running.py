"""What a command needs before it can touch the database: Django set up, and the embedded server kept running."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import wraps
from typing import Any

import click

from rasd.config.embedded import EmbeddedPostgres
from rasd.config.manage import migrate_once

KEPT_UP_EVERY = 2.0  # seconds


def with_database(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    """Set Django up and keep the embedded database running while the command runs. A command that may do without says so by
    itself: its ``needs_database`` is asked with what was typed."""
    if callback is None:
        raise TypeError("a command without a function")

    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        from rasd.config.options import options

        if not getattr(callback, "needs_database", lambda **_: True)(**kwargs):
            return callback(*args, **kwargs)

        with ExitStack() as leaving:  # however it ends, and whatever fails on the way out
            if options.embedded:
                leaving_at_a_signal()
                leaving.callback(options.embedded.release)
                options.embedded.hold()
            set_up_django()
            leaving.callback(close_database)
            leaving.enter_context(_missing_tables_told())
            return callback(*args, **kwargs)

    return run


@contextmanager
def _missing_tables_told() -> Iterator[None]:
    """Whoever tries a command first, or after an upgrade, is told what to do and shown no stack."""
    from django.db import ProgrammingError
    from psycopg.errors import UndefinedColumn, UndefinedTable

    try:
        yield
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
            raise
        words = str(error).splitlines()[0]
        raise click.ClickException(
            f"the database is not of this version ({words}): run rasd migrate"
        ) from error


def with_watch_database(callback: Callable[..., Any]) -> Callable[..., Any]:
    """The like for a command of the watch, which has settings and a database of its own: ``RASD_WATCH_DATABASE_URL``, or
    ``rasd_watch`` on the embedded server."""

    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        with ExitStack() as leaving:
            if not os.environ.get("RASD_WATCH_DATABASE_URL"):
                from rasd.config.options import options

                embedded = options.embedded or EmbeddedPostgres(options.data_dir / "postgres")
                leaving_at_a_signal()
                leaving.callback(embedded.release)
                embedded.hold()
                if getattr(callback, "keeps_database_up", False):
                    leaving.callback(_keep_up(embedded))
                os.environ["RASD_WATCH_DATABASE_URL"] = embedded.make_database("rasd_watch")
                os.environ.setdefault("RASD_WATCH_DATA_DIR", str(options.data_dir / "watch"))
            os.environ["DJANGO_SETTINGS_MODULE"] = "rasd.watch.settings"
            set_up_django()
            leaving.callback(close_database)
            migrate_once()  # whichever command a newcomer tries first
            return callback(*args, **kwargs)

    return run


def _keep_up(embedded: EmbeddedPostgres) -> Callable[[], None]:
    """For a command that runs for weeks: a server that died is started again, until what this gives is called."""
    leaving = threading.Event()

    def look_after() -> None:
        while not leaving.wait(KEPT_UP_EVERY):
            if not embedded.is_running():
                with suppress(Exception):  # tried again soon; its log says why
                    embedded.ensure_running()

    thread = threading.Thread(target=look_after, daemon=True, name="database")
    thread.start()

    def leave() -> None:
        leaving.set()
        thread.join()

    return leave


def leaving_at_a_signal() -> None:
    """SIGTERM, and a terminal that closes, end this process in order: by themselves they would let nobody stop the server.

    Commands that set handlers of their own overrule this. uvicorn too, which raises the signal again once it has ended.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:  # nohup's wish is respected
                signal.signal(number, _leave)


def _leave(number: int, _: object) -> None:
    ignore_signals()
    sys.exit(128 + number)


def ignore_signals() -> None:
    """While leaving: a second Ctrl-C would leave processes behind, to save a second."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def set_up_django() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")
    django.setup()


def close_database() -> None:
    """Leave no connection open: the embedded server waits for none when it stops."""
    from django.db import connection

    connection.close()
    if pool := getattr(connection, "close_pool", None):
        pool()
