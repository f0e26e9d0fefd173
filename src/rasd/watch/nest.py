"""The folder of one playing process: all its temporary files lie in it, all its processes carry its name, and it goes with them.

A nest is held by a lock that the kernel takes away with the last process that has it, however that ends. So a nest that nobody
holds is left over, and whoever comes next clears it away.
"""

import fcntl
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

PREFIX = "rasd-watch-"
CARRIED_AS = "RASD_WATCH_NEST"
"""In the environment of every process of a nest."""
HELD = "held"
LONGEST_ROOT = 40
"""Bytes: Chromium makes a socket in its temporary folder, and the whole path of one has at most 107 (unix(7))."""


def _root(root: Path | None) -> Path:
    """The machine's temporary folder, where it is not too far away for a browser."""
    usual = Path(tempfile.gettempdir())
    return root or (usual if len(os.fsencode(usual)) <= LONGEST_ROOT else Path("/tmp"))  # noqa: S108 - a new folder in it


@contextmanager
def new_nest(root: Path | None = None) -> Iterator[tuple[Path, int]]:
    """A new folder, and the descriptor of its lock, to be given to who shall hold it; ours is closed at the end."""
    making = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=_root(root)))
    lock = os.open(making / HELD, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    nest = making.rename(making.with_name(making.name[1:]))  # now that it is held, others may see it
    try:
        yield nest, lock
    finally:
        os.close(lock)


def clear_away(nest: Path) -> None:
    """Ends every process that carries its name, wherever it hangs by now, and removes the folder."""
    while found := [process for process in psutil.process_iter() if _carries(process, nest)]:
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.02)  # until the kernel has done it
    shutil.rmtree(nest, ignore_errors=True)


def _carries(process: psutil.Process, nest: Path) -> bool:
    try:
        return process.environ().get(CARRIED_AS) == str(nest) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False  # it ended, or is somebody else's


def clear_what_was_left(root: Path | None = None) -> list[Path]:
    """Clears away the nests that nobody holds any more, and tells which. They are of watches that were killed, their keepers
    too."""
    left = []
    for nest in _root(root).glob(f"{PREFIX}*"):
        try:
            mine = nest.stat().st_uid == os.getuid()
            lock = os.open(nest / HELD, os.O_RDWR) if mine else -1
        except OSError:
            continue  # being made, or gone meanwhile
        if lock < 0:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
        clear_away(nest)
        left.append(nest)
    return left


def end_all_below() -> None:
    """Kills whatever this process has started and whatever was left to it, until nothing is left."""
    me = psutil.Process()
    while below := me.children(recursive=True):
        for process in below:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        reap(block=True)


def reap(block: bool = False) -> dict[int, int]:
    """Takes the dead off the list of processes; waits for one of them where it shall ``block``. Their ids, and how each ended
    as shells tell it: its status, or 128 and the signal."""
    dead: dict[int, int] = {}
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, 0 if block and not dead else os.WNOHANG)
            if pid == 0:
                break
            code = os.waitstatus_to_exitcode(status)
            dead[pid] = code if code >= 0 else 128 - code
    return dead
