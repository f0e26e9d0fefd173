"""Rasd's settings, and the watch in the same database: in service it has settings and a database of its own."""

from pathlib import Path
from tempfile import gettempdir

from rasd.config.settings import *  # noqa: F403
from rasd.config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "rasd.watch.apps.WatchConfig"]
WATCH_FOLDER = Path(gettempdir()) / "rasd-watch-tests"
