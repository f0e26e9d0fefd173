"""``make demo ONCE=1``, as a newcomer runs it, in a data folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rasd.vision.rendered import render_no_meter


def run_demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RASD_")}
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "from rasd.cli import main; main()",
            "demo",
            "--once",
            "--port",
            "8890",
            *arguments,
        ],
        env={**environment, "RASD_DATA_DIR": str(folder / "demo")},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


def test_the_demo_tells_every_step_and_ends_well(folder: Path):
    played = run_demo(folder)
    assert played.returncode == 0, played.stdout[-3000:] + played.stderr[-3000:]
    told = played.stdout
    positions = [told.index(f"  {step}") for step in ("stored", "downloaded", "read", "judged", "adopted")]
    positions.append(told.rindex("  answered"))  # the last one: the machine may have asked first
    assert positions == sorted(positions)
    assert "http://127.0.0.1:8890/" in told
    assert "password" in told
    assert "demo-agent-1 or demo-agent-2" in told
    assert "an emulator, not WhatsApp" in told


def test_a_photograph_that_cannot_be_read_ends_with_the_reason(folder: Path):
    wall = folder / "wall.jpg"
    wall.write_bytes(render_no_meter())
    played = run_demo(folder, "--photo", str(wall))
    assert played.returncode == 1, played.stdout[-3000:]
    assert "not adopted" in played.stderr
