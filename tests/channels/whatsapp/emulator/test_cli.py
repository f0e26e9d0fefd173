"""``rasd emulate whatsapp``: a process of its own."""

import socket
import subprocess
import sys
import time

import httpx
import pytest
from click.testing import CliRunner

from rasd.channels.whatsapp.emulator.cli import emulate
from rasd.channels.whatsapp.emulator.client import Emulator, EmulatorError

from .conftest import Webhook

RUN = "from rasd.channels.whatsapp.emulator.cli import emulate; emulate()"


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_it_runs_as_a_process_with_lines_templates_and_phones(webhook: Webhook) -> None:
    port = free_port()
    arguments = ["whatsapp", f"--port={port}", f"--webhook={webhook.url}", "--phone=+968 9000 0001:عميل"]
    arguments += ["--phone-number-id=1001", "--phone-number-id=1002", "--display-number=+968 2400 0001"]
    arguments += ["--display-number=+968 2400 0002", "--template=notice:ar:مرحبا {{1}}"]
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            assert "not WhatsApp" in process.stderr.readline()
            with Emulator(f"http://127.0.0.1:{port}") as emulator:
                for _ in range(100):
                    try:
                        state = emulator.state()
                        break
                    except (httpx.TransportError, EmulatorError):
                        time.sleep(0.1)
                assert [line["phone_number_id"] for line in state["lines"]] == ["1001", "1002"]
                assert {"name": "notice", "language": "ar", "body": "مرحبا {{1}}"} in state["templates"]
                emulator.phone("96890000001").send_text("؟")
                assert webhook.message()["from"] == "96890000001"
                webhook.wait(lambda _: emulator.delivery_summary()["verified"])  # the handshake at the start
        finally:
            process.terminate()
            process.wait(10)


def test_a_port_that_is_taken_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(emulate, ["whatsapp", f"--port={port}"])
    assert result.exit_code == 1
    assert "--port" in result.output


@pytest.mark.parametrize("arguments", [["--template=broken"], ["--phone-number-id=1", "--phone-number-id=2"]])
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(emulate, ["whatsapp", *arguments]).exit_code == 2
