"""The stage of the watch's rehearsals: real applications, a proxy before each that puts faults in, a mail server, a way out."""

import asyncio
import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from tests.watch.players.postoffice import PASSWORD, PostOffice, opened

from bench.watch.targets import APPLICATIONS, served
from bench.watch.targets.proxy import Wrong, before

BURNERS = 8  # processes that do nothing but compute: four to a core of this machine
BURN = "while True: pass"


@dataclass
class Stage:
    """``wrong``: by application, what its proxy puts in. ``now``: the rehearsal's time, in which mail is late too."""

    office: PostOffice
    wrong: dict[str, Wrong]
    urls: dict[str, str]
    way_out: "WayOut"
    late_mail_of: bytes = b""
    """Whose letters are late, by their sender."""
    late: list[bytes] = field(default_factory=list)
    """Letters that are under way; :meth:`bring` delivers them."""
    _burning: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def burn(self, on: bool) -> None:
        """The host is overloaded, or is not any more."""
        if on and not self._burning:
            self._burning = [
                subprocess.Popen([sys.executable, "-c", BURN], start_new_session=True) for _ in range(BURNERS)
            ]
        elif not on:
            for each in self._burning:
                each.kill()
                each.wait()
            self._burning = []

    def post(self, letter: bytes) -> None:
        """What the applications send arrives at once, or is late."""
        if self.late_mail_of and self.late_mail_of in letter:
            self.late.append(letter)
        else:
            self.office.deliver(letter)

    def bring(self) -> None:
        """Late letters arrive, when nobody waits for them any more, and lie in the mailbox of those who come after."""
        while self.late:
            self.office.deliver(self.late.pop(0))


class Delivering(PostOffice):
    """Whatever the applications send is put into the mailbox."""

    stage: Stage

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        await asyncio.to_thread(self.stage.post, envelope.content)
        return "250 OK"


class WayOut:
    """A place by which the watch knows whether its own network works; it can be taken away."""

    def __init__(self) -> None:
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            self.port = int(door.getsockname()[1])
        self._server: http.server.ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def works(self, works: bool) -> None:
        if works and self._server is None:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), _Answers)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        elif not works and self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def stage(
    folder: Path, now: datetime, names: tuple[str, ...] = tuple(APPLICATIONS), port: int = 8740
) -> Iterator[Stage]:
    """``port`` and those above it are taken: two an application."""
    os.environ["RASD_WATCH_SECRET_MAILBOX"] = PASSWORD
    with ExitStack() as leaving:
        office = leaving.enter_context(opened(Delivering))
        made = Stage(office, {}, {}, WayOut())
        office.stage = made
        made.way_out.works(True)
        leaving.callback(made.way_out.works, False)
        leaving.callback(made.burn, False)
        for number, name in enumerate(names):
            inside, outside = port + 2 * number, port + 2 * number + 1
            public = f"http://127.0.0.1:{outside}"
            began = time.monotonic()
            url = leaving.enter_context(
                served(APPLICATIONS[name], folder, inside, public=public, smtp=str(office.smtp.port))
            )
            wrong = Wrong(folder / f"{name}.wrong.json", now)
            made.urls[name] = leaving.enter_context(before(url, outside, wrong, folder))
            made.wrong[name] = wrong
            print(f"» {name}: {made.urls[name]} ({time.monotonic() - began:.0f} s)", file=sys.stderr)
        yield made


def main() -> None:
    """Holds the stage open for trying by hand: ``python -m bench.watch._stage FOLDER``."""
    from datetime import UTC

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with stage(Path(sys.argv[1]), datetime.now(UTC)) as made:
        print(made.office.mailbox.model_dump_json(), made.way_out.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
