"""Every page of the watch in a real browser, in both languages, from the smallest telephone to a desk, light and dark: nothing
is wider than the screen, axe finds nothing serious, no script fails."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application

from rasd.watch.models import Alert
from rasd.watch.pages.door import login_link
from tests.console.browsing import DESKTOP
from tests.console.looking import SMALL, look_at
from tests.watch.pages.filling import fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_every_page_fits_the_screen_and_no_script_fails(monkeypatch, settings, tmp_path: Path):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop in this thread
    settings.WATCH_FOLDER = tmp_path
    seen = fill(tmp_path / "box")
    pages = {
        "home": "/",
        "target": "/targets/helpdesk",
        "nobody-came": "/targets/bills",
        "visits": "/targets/helpdesk/visits",
        "plan": "/targets/helpdesk/plan",
        "journey": "/targets/helpdesk/journeys/open-a-ticket",
        "chat-journey": "/targets/helpdesk/journeys/ask-about-the-bill",
        "alert": f"/alerts/{Alert.objects.get(closed_at=None).pk}",
        "maintenance": "/targets/helpdesk/maintenance",
        "league": "/league",
        "status": "/status",
        "nowhere": "/nowhere",
        "not-done": f"/probes/{seen['theirs'].token}",
        "chat": f"/probes/{seen['chat'].token}",
        "login": "/login",
        "come-in": login_link("said"),
    }
    site = get_asgi_application()
    look_at(User.objects.get(username="salma"), pages, SMALL, DESKTOP, site=site, sparing=True)
