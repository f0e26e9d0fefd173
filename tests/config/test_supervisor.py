"""What dies is started again; what is stopped stays stopped; orphans end by themselves."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from rasd.config.supervisor import Child, Supervisor

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@contextmanager
def supervised(*children: Child) -> Iterator[Supervisor]:
    supervisor = Supervisor(list(children))
    running = threading.Thread(target=supervisor.run)
    running.start()
    try:
        wait_until(lambda: all(child.process for child in children))
        yield supervisor
    finally:
        supervisor.stop()
        running.join(20)
    assert not running.is_alive()


def wait_until(true: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def pid_of(child: Child) -> int:
    assert child.process
    return child.process.pid


def test_a_killed_child_is_started_again():
    child = Child("sleeper", SLEEPER)
    with supervised(child):
        first = pid_of(child)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: pid_of(child) != first)
        assert psutil.pid_exists(pid_of(child))
        assert child.deaths == 1


def test_one_that_dies_at_once_is_tried_with_growing_pauses():
    child = Child("hopeless", [sys.executable, "-c", "raise SystemExit(3)"])
    with supervised(child):
        time.sleep(4)
    assert 2 <= child.deaths <= 6
    assert child.pause > 0.2


def test_stopping_ends_every_child():
    children = [Child("one", SLEEPER), Child("two", SLEEPER)]
    with supervised(*children):
        pids = [pid_of(child) for child in children]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_child_whose_supervisor_was_killed_ends_by_itself():
    code = (
        "import subprocess, sys, time\n"
        "import os; child = [sys.executable, '-c', 'import time; from rasd.config.supervisor import end_with; "
        "end_with(%d); time.sleep(600)' % os.getpid()]\n"
        "print(subprocess.Popen(child).pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    orphan = int(parent.stdout.readline())
    parent.kill()  # before the child has looked for it
    parent.wait()
    wait_until(
        lambda: not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == psutil.STATUS_ZOMBIE
    )
