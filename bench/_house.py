"""A whole Rasd on this machine for a measurement: its own data folder, ``rasd serve``, and an emulated WhatsApp."""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

LINE_ID, LINE_NUMBER = "100000000000001", "+96824000000"
READY_WITHIN = 120.0  # seconds


@dataclass
class House:
    url: str
    emulator: Any
    serve: psutil.Process
    folder: Path

    def pids(self, *words: str) -> list[int]:
        """Processes under ``rasd serve`` whose command line holds all of ``words``."""
        found = []
        for process in self.serve.children(recursive=True):
            with suppress(psutil.Error):
                if all(word in process.cmdline() for word in words):
                    found.append(process.pid)
        return found


@contextmanager
def house(port: int = 8790) -> Iterator[House]:
    """With an emulated WhatsApp, and one line.

    Django is set up in this process too, on the same database, so that what happened can be asked of the rows.
    """
    from rasd.channels.whatsapp.emulator.server import run_emulator
    from rasd.channels.whatsapp.emulator.settings import Line, Settings

    with tempfile.TemporaryDirectory(prefix="rasd-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        url = f"http://127.0.0.1:{port}"
        settings = Settings(
            token=secrets.token_urlsafe(16),
            app_secret=secrets.token_urlsafe(16),
            verify_token=secrets.token_urlsafe(16),
            webhook_url=f"{url}/channels/whatsapp/webhook",
            lines=[Line(LINE_ID, LINE_NUMBER)],
            retry_scale=0.05,  # Meta's growing delays, twenty times shorter: a killed web process is back in a second
            seed=1,
        )
        with run_emulator(settings) as emulator:
            environment = {
                "RASD_DATA_DIR": str(folder / "data"),
                "RASD_WHATSAPP_API_URL": f"{emulator.url}/v23.0",
                "RASD_WHATSAPP_TOKEN": settings.token,
                "RASD_WHATSAPP_APP_SECRET": settings.app_secret,
                "RASD_WHATSAPP_VERIFY_TOKEN": settings.verify_token,
                "RASD_LOG_LEVEL": "WARNING",
            }
            with serving(port, folder, environment) as serve:
                from rasd.config.running import close_database, set_up_django

                set_up_django()
                from rasd.channels.models import Channel
                from rasd.channels.models import Line as OurLine

                OurLine.objects.create(
                    channel=Channel.WHATSAPP,
                    purpose=OurLine.Purpose.READINGS,
                    external_id=LINE_ID,
                    name="bench",
                    display_address=LINE_NUMBER,
                )
                emulator.set_webhook(f"{url}/channels/whatsapp/webhook")
                yield House(url, emulator, serve, folder)
                close_database()


@contextmanager
def serving(port: int, folder: Path, environment: dict[str, str]) -> Iterator[psutil.Process]:
    """``rasd serve`` until the end; what it says goes to ``serve.log`` in ``folder``. ``environment`` is this process's too."""
    os.environ |= environment
    with (folder / "serve.log").open("w") as log:
        command = [sys.executable, "-c", "from rasd.cli import main; main()", "serve", "--port", str(port)]
        serve = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", serve, folder)
            yield psutil.Process(serve.pid)
        finally:
            serve.terminate()
            serve.wait(30)


def _wait_until_ready(url: str, serve: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and serve.poll() is None:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=5).status_code == httpx.codes.OK:
                return
        time.sleep(0.3)
    raise SystemExit(f"rasd serve did not get ready:\n{(folder / 'serve.log').read_text()[-3000:]}")
