"""The watch's pages by keyboard; and the report on paper."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from playwright.sync_api import expect, sync_playwright

from rasd.watch.evidence.box import Box
from tests.console.browsing import launched, page_of, served, shoot
from tests.watch.making import NOW, make_journey, make_probe, make_target

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_keys_lead_over_the_visits_and_what_is_folded_away_is_unfolded_on_paper(monkeypatch, box: Box):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop in this thread
    journey = make_journey(make_target())
    older = make_probe(journey, NOW - timedelta(hours=2), "theirs", box=box)
    make_probe(journey, NOW - timedelta(hours=1), box=box)
    salma = User.objects.create(username="salma")
    with (
        served(get_asgi_application()) as url,
        sync_playwright() as playwright,
        launched(playwright) as browser,
        page_of(browser, url, salma, language="en") as page,
    ):
        page.goto("/targets/helpdesk/visits")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        stops = page.locator(".visits a")
        page.keyboard.press("j")
        expect(stops.nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(stops.nth(1)).to_be_focused()
        page.keyboard.press("k")
        expect(stops.nth(0)).to_be_focused()
        page.keyboard.press("Shift+?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{url}/probes/{older.token}")
        seen_as = page.get_by_text("Mozilla/5.0")
        expect(seen_as).to_be_hidden()
        page.emulate_media(media="print")
        expect(seen_as).to_be_visible()
        expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
        shoot(page, "on-paper")
