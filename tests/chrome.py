"""The system's browser, for tests marked ``browser``."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chrome() -> str | None:
    """Its path, or None where the machine has none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)
