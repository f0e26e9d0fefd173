"""What the rooms say to each other reaches whom it is for: in the program as it is started, not only where a test imports it."""

import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
CONNECTS = re.compile(r"^@receiver\(|^@app\.(task|periodic)\b", re.MULTILINE)

LOADED = """
import django, sys
django.setup()
from procrastinate.contrib.django import app
print(*sys.modules)
"""


def test_g5_g6_what_listens_and_what_works_is_there_once_django_is_ready() -> None:
    """A module with a receiver or a job that nothing imports is silent: readers' photographs were once looked at by nobody."""
    should = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in SOURCE.rglob("*.py")
        if CONNECTS.search(path.read_text(encoding="utf-8"))
    }
    found = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert should
    assert should - set(found.stdout.split()) == set()
