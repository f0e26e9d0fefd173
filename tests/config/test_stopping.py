"""However it is told to stop, and whatever was killed before: Rasd leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from rasd.config.embedded import EmbeddedPostgres
from rasd.config.running import with_database


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One installation for all of them: its tables are made once."""
    folder = tmp_path_factory.mktemp("stopping") / "data"
    yield folder
    EmbeddedPostgres(folder / "postgres").stop()


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RASD_")}
    return subprocess.Popen(
        [sys.executable, "-c", "from rasd.cli import main; main()", *arguments],
        env={**environment, "RASD_DATA_DIR": str(folder), "RASD_LOG_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # The suite itself may run under nohup, whose wish a child inherits.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )


def wait_until(true: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with suppress(httpx.HTTPError):
            if true():
                return
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


def kill_the_database_and_wait_for_the_next(server: EmbeddedPostgres) -> int:
    killed = server.postmaster_pid()
    assert killed
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: server.postmaster_pid() not in {killed, None} and server.is_running())
    restarted = server.postmaster_pid()
    assert restarted
    return restarted


def lives(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_serve_stops_its_database_even_one_that_was_killed_and_restarted(
    folder: Path, number: signal.Signals
):
    serving = start(folder, "serve", "--port", "8421")
    try:
        wait_until(lambda: httpx.get("http://127.0.0.1:8421/readyz").status_code == httpx.codes.OK)
        children = psutil.Process(serving.pid).children(recursive=True)
        database = kill_the_database_and_wait_for_the_next(EmbeddedPostgres(folder / "postgres"))
        serving.send_signal(number)
        assert serving.wait(40) == 0
    finally:
        serving.kill()
    assert not lives(database)
    assert not any(lives(child.pid) for child in children)


def test_the_demo_stops_its_database_even_one_that_was_killed_and_restarted(folder: Path):
    playing = start(folder, "demo", "--port", "8431")
    try:
        assert playing.stdout
        for line in playing.stdout:
            if "press Ctrl-C" in line:
                break
        children = psutil.Process(playing.pid).children(recursive=True)
        database = kill_the_database_and_wait_for_the_next(EmbeddedPostgres(folder / "postgres"))
        playing.send_signal(signal.SIGTERM)
        playing.send_signal(signal.SIGINT)  # an impatient person's
        playing.stdout.read()
        assert playing.wait(40) == 0
    finally:
        playing.kill()
    assert not lives(database)
    assert not any(lives(child.pid) for child in children)


def test_the_web_process_alone_serves_without_complaint_and_stops_the_database_that_it_started(folder: Path):
    serving = start(folder, "web", "--port", "8441")
    try:
        wait_until(lambda: httpx.get("http://127.0.0.1:8441/healthz").status_code == httpx.codes.OK)
        database = EmbeddedPostgres(folder / "postgres").postmaster_pid()
        served = httpx.get("http://127.0.0.1:8441/static/console/app.js")
        assert served.status_code == httpx.codes.OK
        serving.terminate()
        said, _ = serving.communicate(timeout=40)
        assert "StreamingHttpResponse" not in said
    finally:
        serving.kill()
    assert database
    assert not lives(database)


def test_a_command_that_cannot_be_set_up_stops_the_database_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    server = EmbeddedPostgres(folder / "postgres")
    monkeypatch.setitem(vars(sys.modules["rasd.config.options"].options), "embedded", server)

    def fails() -> None:
        raise ImportError("a broken installation")

    monkeypatch.setattr("rasd.config.running.set_up_django", fails)
    with pytest.raises(ImportError, match="a broken installation"):
        with_database(lambda: None)()
    assert not server.is_running()
