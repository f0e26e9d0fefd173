"""The system's browser, as far as it is known without starting it; light enough for whoever only asks a question."""

import re
import shutil
import subprocess
from functools import cache

from rasd.watch.options import options

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def the_systems() -> str:
    """The path of the system's browser, or of the one that RASD_WATCH_BROWSER names; empty where there is none."""
    return options.browser or next((found for name in NAMES if (found := shutil.which(name))), "")


@cache
def version_of(path: str) -> str:
    """As it says itself, such as 142.0.7444.59, and once while this process lives. Empty: not known."""
    if not path:
        return ""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+(\.\d+){3}", said.stdout)
    return found[0] if found else ""
