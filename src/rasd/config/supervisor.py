"""Keeps the processes of one machine running: what dies is started again, with growing pauses where it dies at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("rasd.supervisor")

FIRST_PAUSE = 0.2  # seconds
LONGEST_PAUSE = 10.0
LIVED_WELL = 30.0  # seconds of life after which a death is not held against it
STOP_TIMEOUT = 10.0
ALSO_EVERY = 2.0


@dataclass
class Child:
    """One process that should be running."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    deaths: int = field(default=0)

    def start(self) -> None:
        self.process = subprocess.Popen(self.command)
        self.started = time.monotonic()
        log.info("started", child=self.name, pid=self.process.pid)

    def look_after(self) -> None:
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started
        if lived < self.pause:
            return
        self.deaths += 1
        self.pause = (
            FIRST_PAUSE if lived > LIVED_WELL else min(LONGEST_PAUSE, max(FIRST_PAUSE, self.pause * 2))
        )
        log.warning("died", child=self.name, status=self.process.returncode, lived_seconds=round(lived, 1))
        self.start()


class Supervisor:
    """Runs children until told to stop by :meth:`stop`, or by a signal after :meth:`stop_on_signals`."""

    def __init__(self, children: list[Child], *, also: Callable[[], None] | None = None) -> None:
        """``also`` is called every two seconds, to look after what is no child."""
        self.children = children
        self.also = also
        self._stopping = threading.Event()

    def run(self) -> None:
        try:
            for child in self.children:
                child.start()
            due = time.monotonic()
            while not self._stopping.wait(0.5):
                if self.also and time.monotonic() >= due:
                    self.also()
                    due = time.monotonic() + ALSO_EVERY
                for child in self.children:
                    child.look_after()
        finally:
            self._end()

    def stop(self) -> None:
        self._stopping.set()

    def stop_on_signals(self) -> None:
        """Ctrl-C, SIGTERM and a terminal that closes stop it; to be called from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup's wish is respected
                signal.signal(number, lambda *_: self.stop())

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


def rasd_command(*arguments: str) -> list[str]:
    """This very installation's ``rasd``, whatever stands on the path."""
    return [sys.executable, "-c", "from rasd.cli import main; main()", *arguments]


def end_with(parent: int) -> None:
    """A child whose supervisor was killed has nobody to restart or stop it: it ends too, in the ordinary way.

    ``parent`` is told, not asked for: it may be gone before the child has begun.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end-with").start()
