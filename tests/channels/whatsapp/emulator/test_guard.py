"""The control API has no token: it must be out of reach of web pages that a browser on this machine has open."""

import subprocess
import sys

import httpx
import pytest

from rasd.channels.whatsapp.emulator.client import Emulator


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/_emulator/state", "/", "/trouble"])
def test_another_host_or_origin_is_refused(emulator: Emulator, path: str, headers: dict) -> None:
    assert httpx.get(f"{emulator.url}{path}", headers=headers).status_code == 403


def test_its_own_pages_may(emulator: Emulator) -> None:
    answer = httpx.post(f"{emulator.url}/_emulator/reset", headers={"Origin": emulator.url})
    assert answer.status_code == 200


def test_it_says_what_it_is(emulator: Emulator) -> None:
    assert "not WhatsApp" in emulator.state()["emulator"]
    for page in ("/", "/phone/96890000001", "/trouble"):
        assert "Emulator — not WhatsApp" in httpx.get(f"{emulator.url}{page}").text


def test_it_knows_nothing_of_the_rest_of_rasd() -> None:
    """It shares neither framework nor code with what it judges."""
    code = (
        "import sys; from rasd.channels.whatsapp.emulator import app, client, cli, server; "
        "print([m for m in sys.modules if m.split('.')[0] in {'django', 'procrastinate', 'psycopg'} "
        "or m.startswith('rasd.') and not 'rasd.channels.whatsapp.emulator'.startswith(m) and 'emulator' not in m])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
