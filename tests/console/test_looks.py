"""Every page in a real browser, in both languages, on a phone and on a desk: nothing overlaps the screen's edge, no script
fails. With RASD_SHOTS=FOLDER each is photographed, for people to look at."""

import pytest
from playwright.sync_api import sync_playwright

from tests.console.browsing import DESKTOP, PHONE, opened, served, shoot
from tests.console.filling import fill

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

WIDER_THAN_THE_SCREEN = """() => [...document.querySelectorAll('main *, header *')]
    .filter(e => { const r = e.getBoundingClientRect();
        return r.width && r.height && (r.right > innerWidth + 1 || r.left < -1)
            && !e.closest('.frame, .scroll, .hidden, .skip, .window, svg') && getComputedStyle(e).position !== 'fixed'; })
    .slice(0, 5).map(e => e.outerHTML.slice(0, 160))"""


@pytest.fixture
def everybody(monkeypatch, person, utility):
    # Playwright keeps an event loop in this thread; the rows that this test makes are made beside it, not in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    user = person("administrator", username="salma")
    user.first_name, user.last_name = "سلمى", "المثال"
    user.save()
    return user, fill(utility, user)


def errors_of(page) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_fits_the_screen_and_no_script_fails(everybody, language, size):
    user, rows = everybody
    place = "phone" if size == PHONE else "desktop"
    pages = {
        "home": "/",
        "conversations": "/conversations/",
        "conversation": f"/conversations/{rows.conversation.pk}",
        "cycle": "/cycle/",
        "troubles": "/troubles/",
        "account": "/account",
        "nowhere": "/nowhere",
        "review": "/review/",
        "access": "/administration/",
        "access-person": f"/administration/people/{user.pk}",
        "persons": "/persons/",
        "person": f"/persons/{rows.conversation.contact_id}",
    }
    with served() as url, sync_playwright() as playwright:
        with opened(playwright, url, None, size=size, language=language) as page:
            page.goto("/login")
            shoot(page, f"login-{language}-{place}")
        for dark in (False, True):
            with opened(playwright, url, user, size=size, language=language, dark=dark) as page:
                wrong = errors_of(page)
                for name, path in pages.items():
                    page.goto(path)
                    page.wait_for_timeout(300)
                    shoot(page, f"{name}-{language}-{place}{'-dark' if dark else ''}")
                    assert page.evaluate("document.documentElement.dir") == (
                        "rtl" if language == "ar" else "ltr"
                    )
                    assert not page.evaluate(WIDER_THAN_THE_SCREEN), name
                assert not wrong
