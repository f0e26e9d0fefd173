"""Every page in a real browser, in both languages, on a phone and on a desk: nothing overlaps the screen's edge, no script
fails. With RASD_SHOTS=FOLDER each is photographed, for people to look at."""

import pytest

from tests.console.filling import fill
from tests.console.looking import look_at

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def everybody(monkeypatch, person, utility):
    # Playwright keeps an event loop in this thread; the rows that this test makes are made beside it, not in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    user = person("administrator", username="salma")
    user.first_name, user.last_name = "سلمى", "المثال"
    user.save()
    return user, fill(utility, user)


def test_every_page_fits_the_screen_and_no_script_fails(everybody):
    user, rows = everybody
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
    look_at(user, pages)
    look_at(None, {"login": "/login"})
