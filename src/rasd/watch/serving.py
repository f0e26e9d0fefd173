"""``rasd watch serve``: the watch's pages and its watchers on this machine, looked after."""

import getpass
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import structlog

if TYPE_CHECKING:
    from rasd.watch.watchfile import Watchfile

log = structlog.get_logger("rasd.watch")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before what died is started again; doubled each time that it dies within a minute."""
LIVED_WELL = 60.0  # seconds
STOP_TIMEOUT = 25.0
"""Seconds for a visit that is broken off to be tidied up (a crew gives its playing process fifteen)."""
EXAMPLE = """\
targets:
  helpdesk:
    title: The help desk
    url: http://127.0.0.1:8000/
    journeys: [journeys/*.yaml]"""


@click.command()
@click.option("--file", "path", default="watch.yaml", show_default=True, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8500, show_default=True)
@click.option("--no-watcher", is_flag=True, help="Pages only.")
@click.option(
    "--only-watcher", is_flag=True, help="No pages: for a machine at another place, over the same database."
)
@click.option(
    "--watchers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Visits at once; a browser wants a core.",
)
@click.option("--name", default="", help="Of this machine's watcher, where several share one watch.yaml.")
@click.option("--place", default="", help="Where it stands, likewise.")
@click.option("--end-with", "parent", type=int, hidden=True)
def serve(
    path: Path,
    host: str,
    port: int,
    no_watcher: bool,
    only_watcher: bool,
    watchers: int,
    name: str,
    place: str,
    parent: int | None,
) -> None:  # fmt: skip
    """Visits what watch.yaml names, day and night, and shows what was seen. Ctrl-C stops it cleanly.

    A changed watch.yaml is read at once; so it is on SIGHUP. With a wrong one it goes on with the last good one and says so.
    """
    if no_watcher and only_watcher:
        raise click.UsageError("--no-watcher and --only-watcher leave nothing to do")
    if parent:
        _end_with(parent)
    else:
        _prepare(path)
    _remember(path)
    ends = ("--end-with", str(os.getpid()))
    file = ("--file", str(path.resolve()))
    web = ("--no-watcher", "--host", host, "--port", str(port))
    if no_watcher:
        if not parent:
            _greet(host, port)
        _web(host, port)
    elif only_watcher and watchers == 1:
        _watch(path, name, place)
    else:
        from rasd.watch.watchfile import read_watchfile

        name = name or read_watchfile(path).watcher.name
        names = [name, *(f"{name}-{number}" for number in range(2, watchers + 1))]
        more = ("--place", place) if place else ()
        children = [
            Child(each, command("--only-watcher", "--name", each, *more, *file, *ends)) for each in names
        ]
        if not only_watcher:
            children.insert(0, Child("web", command(*web, *file, *ends)))
            _greet(host, port)
        Keeper(children).run()


serve.callback.needs_database = True  # type: ignore[union-attr]
serve.callback.keeps_database_up = True  # type: ignore[union-attr]


def _prepare(path: Path) -> None:
    """Its targets and the plans of the days ahead: before anything is served."""
    from django.utils import timezone

    from rasd.watch.lacking import without_leave
    from rasd.watch.models import Plan, Target
    from rasd.watch.watchfile import NotAWatch, read_whole

    try:
        whole = read_whole(path)
    except NotAWatch as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"{path}: cannot be read: {error.strerror}. It may begin so:\n\n{EXAMPLE}\n", err=True)
        sys.exit(2)
    if warning := _blind_spot(whole.file):
        click.echo(f"rasd watch: {warning}", err=True)
    for lacking in without_leave(whole, timezone.now()):
        click.echo(f"{path}:{lacking}", err=True)
    Target.objects.take(whole, timezone.now())
    Plan.objects.keep_ahead(timezone.now(), whole.file.weeks)


def _blind_spot(file: "Watchfile") -> str:
    """What this watch will not be able to tell, and the mend; empty where there is nothing."""
    from rasd.watch.places import is_loopback, place

    away = [name for name, entry in file.targets.items() if not is_loopback(place(entry.url))]
    if not away or file.watcher.own_network:
        return ""
    return (
        f"{', '.join(away)}: not on this machine, and watcher.own_network of watch.yaml names no place that tells whether "
        "our own line works: a visit that waits in vain will count for nobody (docs/watch-visits.md)"
    )


def _remember(path: Path) -> None:
    """For the pages: permissions lie beside the file."""
    from rasd.watch.options import options

    options.file = path.resolve()


def _greet(host: str, port: int) -> None:
    from rasd.watch.options import options
    from rasd.watch.pages.door import login_link

    here = f"http://{host}:{port}"
    if "RASD_WATCH_SITE" not in os.environ:
        options.site = os.environ["RASD_WATCH_SITE"] = here  # for links in alerts, of the children too
    click.echo(f"The watch is at {here}/ ; Ctrl-C stops it", err=True)
    click.echo(f"Come in, once and within 15 minutes: {login_link(getpass.getuser(), here)}", err=True)


def _web(host: str, port: int) -> None:
    import uvicorn

    uvicorn.run(
        "rasd.watch.asgi:application",
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
    )


def _watch(path: Path, name: str, place: str) -> None:
    from rasd.watch.crew import Crew
    from rasd.watch.players.base import Clock
    from rasd.watch.watcher import AlreadyAtWork, Watching
    from rasd.watch.watchfile import NotAWatch

    stopping = threading.Event()

    def pause(seconds: float) -> None:
        stopping.wait(seconds)

    crew = Crew()
    watching = Watching(path, crew, Clock(sleep=pause), name, place, stopping)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watching.stop())
    signal.signal(signal.SIGHUP, lambda *_: watching.read_again())
    try:
        watching.run()
    except (AlreadyAtWork, NotAWatch, OSError) as error:
        click.echo(f"rasd watch: {error}", err=True)
        sys.exit(2)


# Looking after the processes


def command(*arguments: str) -> list[str]:
    """This very installation's ``rasd watch serve``, whatever stands on the path."""
    return [sys.executable, "-c", "from rasd.cli import main; main()", "watch", "serve", *arguments]


@dataclass
class Child:
    """One process that should be running."""

    name: str
    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause: float = 0.0
    again: float | None = None
    """When it is started again, by the machine's clock; None: it runs."""

    def start(self) -> None:
        self.process, self.started, self.again = subprocess.Popen(self.command), time.monotonic(), None

    def look_after(self, now: float) -> None:
        if self.process is None or self.process.poll() is None:
            return
        if self.again is None:
            lived = now - self.started
            self.pause = (
                FIRST_PAUSE if lived > LIVED_WELL else min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self.pause))
            )
            self.again = now + self.pause
            log.warning(
                "died", child=self.name, status=self.process.returncode, lived_seconds=round(lived, 1)
            )
        if now >= self.again:
            self.start()


@dataclass
class Keeper:
    """Runs children until a signal; SIGHUP is passed on."""

    children: list[Child]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        signal.signal(signal.SIGHUP, lambda *_: self._tell(signal.SIGHUP))
        try:
            for child in self.children:
                child.start()
            while not self.stopping.wait(0.5):
                for child in self.children:
                    child.look_after(time.monotonic())
        finally:
            self._end()

    def _tell(self, number: signal.Signals) -> None:
        for child in self.children:
            if "--only-watcher" in child.command and child.process and child.process.poll() is None:
                child.process.send_signal(number)

    def _end(self) -> None:
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _end_with(parent: int, kill: Callable[[int, int], None] = os.kill) -> None:
    """A child whose keeper was killed ends too, in the ordinary way."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, daemon=True, name="end-with").start()
