"""``python -m rasd.watch.playing_process MODULE:CAST``: the process that holds the browser and plays what it is told to.

It is two. The **keeper** is small, imports next to nothing and plays nothing; the **player** (``players/visiting.py``) is its
child. Whatever ends the player, and when nobody is left at the other end of standard input (the watcher died, however), the
keeper kills all that was ever started below it, removes the nest and goes. Should the keeper be killed, the kernel kills the
player, and the crew, or the next one, clears the rest away (``nest.py``).
"""

import ctypes
import importlib
import os
import select
import shutil
import signal
import sys
import time
import traceback
from typing import NoReturn

from rasd.watch.nest import CARRIED_AS, end_all_below, reap

SAY_GOODBYE = 2.0
"""Seconds that the player has to close its browser, once nobody is left to play for."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2), Linux


def main(cast: str) -> NoReturn:
    _prctl(
        PR_SET_CHILD_SUBREAPER, 1
    )  # what loses its parent below comes to the keeper, not to the machine's first process
    wake, awake = os.pipe()
    os.set_blocking(awake, False)
    keeper = os.getpid()
    player = os.fork()
    if player == 0:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:
            os._exit(1)  # it died before that was asked for
        os.close(wake)
        os.close(awake)
        status = 1
        try:
            importlib.import_module("rasd.watch.players.visiting").play_all(cast)
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    signal.set_wakeup_fd(awake)
    for each in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(each, _asked_to_go if each == signal.SIGTERM else lambda *_: None)
    status = keep(player, wake)
    end_all_below()
    shutil.rmtree(os.environ[CARRIED_AS], ignore_errors=True)
    os._exit(status)


_told: list[int] = []


def _asked_to_go(number: int, frame: object) -> None:
    _told.append(number)


def keep(player: int, wake: int) -> int:
    """Until the player has ended, the keeper was told to go, or nobody is left to play for and the player has had its time.
    How the player ended; 0 where it did not."""
    os.close(1)
    listening = select.poll()
    listening.register(wake, select.POLLIN)
    listening.register(0, 0)  # nothing but the hang-up, which is always told
    goes_at: float | None = None
    while not _told and (goes_at is None or time.monotonic() < goes_at):
        for descriptor, _ in listening.poll(None if goes_at is None else 100):
            if descriptor == wake:
                os.read(wake, 1024)
            else:
                listening.unregister(0)
                goes_at = time.monotonic() + SAY_GOODBYE
        dead = reap()
        if player in dead:
            return dead[player]
    return 0


def _prctl(option: int, value: int) -> None:
    """Linux only. Elsewhere the crew clears away by itself what a killed keeper leaves."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1])
