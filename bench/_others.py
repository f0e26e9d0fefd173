"""Programs of others beside ours: each in an environment of its own, and ended with the ``with``."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STARTS = 90  # seconds that one may take until it is ready, on a busy machine
GOODBYE = 15  # seconds that it is given to go


def installed(requirements: Path, home: Path) -> Path:
    """The folder of the commands of an environment with these pinned requirements, made in ``home`` the first time."""
    environment = home / "environment"
    if not (environment / "installed").exists():
        print(f"» installing {requirements.stem} into an environment of its own", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([environment / "bin" / "python", *pip, "-r", requirements], check=True)
        (environment / "installed").touch()
    return environment / "bin"


@contextmanager
def running(command: list[str], log: Path, is_ready: Callable[[], bool], **how: Any) -> Iterator[None]:
    """``how``: as of ``subprocess.Popen``. Raises SystemExit with the end of ``log`` where it does not get ready."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, **how)
        try:
            until = time.monotonic() + STARTS
            while not is_ready():
                if time.monotonic() > until or process.poll() is not None:
                    raise SystemExit(f"{command[0]} did not get ready:\n{log.read_text()[-3000:]}")
                time.sleep(0.3)
            yield
        finally:
            process.terminate()
            try:
                process.wait(GOODBYE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
