"""G6, through any crash: a small one of ``rasd bench crash``, in processes of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.mark.crash
def test_g6_nothing_is_lost_or_answered_twice_when_web_workers_and_database_are_killed():
    environment = {name: value for name, value in os.environ.items() if name != "RASD_DATABASE_URL"}
    played = subprocess.run(
        [
            sys.executable,
            "-m",
            "bench.crash",
            "--messages",
            "120",
            "--photographs",
            "12",
            "--kills",
            "4",
            "--rate",
            "8",
        ],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=420,
    )
    assert played.stdout, played.stderr[-3000:]
    outcome = json.loads(played.stdout.splitlines()[-1])
    assert outcome["holds"], outcome
    assert sum(outcome["kills"].values()) >= 4, outcome
