"""The proxy that puts faults in, and the file by which a rehearsal turns them on and off."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from bench._others import installed, running

REQUIREMENTS = Path(__file__).with_name("proxy-requirements.txt")
ADDON = Path(__file__).parents[1] / "faults.py"


class Wrong:
    """What is wrong now, and the time that the faults believe in. Written whole, so that the proxy never reads half of it."""

    def __init__(self, path: Path, now: datetime) -> None:
        self.path, self.now, self.faults = path, now, list[dict[str, Any]]()
        self.write()

    def at(self, now: datetime, faults: list[dict[str, Any]] | None = None) -> None:
        self.now, self.faults = now, self.faults if faults is None else faults
        self.write()

    def write(self) -> None:
        unfinished = self.path.with_suffix(".new")
        unfinished.write_text(json.dumps({"now": self.now.isoformat(), "faults": self.faults}), "utf-8")
        unfinished.rename(self.path)


@contextmanager
def before(upstream: str, port: int, wrong: Wrong, folder: Path) -> Iterator[str]:
    """The proxy's address. The application behind it hears its own public name, so that its forms and links fit."""
    home = folder / "proxy"
    home.mkdir(parents=True, exist_ok=True)
    command = [
        str(installed(REQUIREMENTS, home) / "mitmdump"), "-q", "--mode", f"reverse:{upstream}", "--listen-host", "127.0.0.1",
        "--listen-port", str(port), "--set", "keep_host_header=true", "--set", f"confdir={home}", "--set", "http2=false",
        "--set", f"faults={wrong.path}", "-s", str(ADDON),
    ]  # fmt: skip
    with running(command, home / f"{port}.log", lambda: _listens(port), start_new_session=True):
        yield f"http://127.0.0.1:{port}"


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
