"""The watch's pages behind the watch's own door: its addresses, its middleware."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from rasd.watch.evidence.box import Box
from tests.watch.making import box_in


@pytest.fixture(autouse=True)
def _the_watchs_own_site(settings, tmp_path: Path) -> None:
    settings.ROOT_URLCONF = "rasd.watch.urls"
    settings.LOGIN_URL = "watch:login"
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        "rasd.watch.pages.policy.content_security_policy",
    ]
    settings.WATCH_FOLDER = tmp_path
    cache.clear()  # the public page remembers itself for a minute


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """The one that the pages read."""
    return box_in(tmp_path / "box")


@pytest.fixture
def salma(db) -> Client:
    """Somebody who came in by a link, and reads English."""
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(User.objects.create(username="salma"))
    return client
