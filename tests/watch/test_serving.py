"""``rasd watch serve``, from nothing: an empty folder, no database, nothing left running when it stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from rasd.config.embedded import EmbeddedPostgres
from tests.watch.models.test_targets import ASK, WATCH, write

PORT = 8461


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from rasd.cli import main; main()", "watch", "serve", *arguments]


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RASD_", "DJANGO_"))}
    return kept | {"RASD_DATA_DIR": str(folder / "data")}


@pytest.mark.crash
def test_the_watch_serves_from_nothing_and_leaves_nothing_running(tmp_path: Path):
    file = write(tmp_path, WATCH.replace("journeys: [", "public: true\n    journeys: ["), ask=ASK)
    serving = subprocess.Popen(
        command("--file", str(file), "--port", str(PORT)),
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stderr
        said = ""
        for line in serving.stderr:
            said += line
            if "Uvicorn running" in said and '"watching"' in said:
                break
        answer = httpx.get(f"http://127.0.0.1:{PORT}/targets/desk/plans.json")
        assert f"http://127.0.0.1:{PORT}/login/" in said
        (plan,) = answer.json()["plans"]
        assert len(plan["commitment"]) == 64
        assert plan["seed"] is None
        children = psutil.Process(serving.pid).children(recursive=True)
        assert len([each for each in children if "--only-watcher" in " ".join(each.cmdline())]) == 1
        serving.send_signal(signal.SIGTERM)
        serving.stderr.read()
        assert serving.wait(60) == 0
    finally:
        serving.kill()
        EmbeddedPostgres(tmp_path / "data" / "postgres").stop()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_watch_that_cannot_tell_its_own_line_from_the_services_says_so(capsys):
    from rasd.watch.serving import _blind_spot
    from rasd.watch.watchfile import Watchfile

    def file(url: str, *own: str) -> Watchfile:
        desk = {"title": "Desk", "url": url, "journeys": ["*.yaml"]}
        return Watchfile.model_validate({"targets": {"desk": desk}, "watcher": {"own_network": own}})

    assert "desk: not on this machine" in _blind_spot(file("https://desk.example.org/"))
    assert _blind_spot(file("https://desk.example.org/", "https://one.example.net/")) == ""
    assert _blind_spot(file("http://127.0.0.1:8000/")) == ""


def test_a_watch_yaml_that_is_wrong_or_missing_is_told_before_anything_is_served(
    tmp_path: Path, monkeypatch, capsys
):
    from rasd.watch.serving import _prepare

    with pytest.raises(SystemExit) as ended:
        _prepare(write(tmp_path, WATCH.replace("title", "titel")))
    assert ended.value.code == 2
    assert "3:5: 'titel' is not known here (did you mean 'title'?)" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        _prepare(tmp_path / "none.yaml")
    assert ended.value.code == 2
    assert "It may begin so:" in capsys.readouterr().err
