"""Who may open what, as a table; and that no page forgot to ask."""

import itertools

import pytest
from django.urls import get_resolver, reverse

from rasd.console import urls

pytestmark = pytest.mark.django_db

PAGES = {
    # page: the roles that may
    "home": {"agent", "reviewer", "supervisor", "administrator"},
    "account": {"agent", "reviewer", "supervisor", "administrator"},
    "review": {"reviewer", "administrator"},
    "conversations": {"agent", "administrator"},
    "cases": {"agent", "supervisor", "administrator"},
    "standards": {"supervisor", "administrator"},
    "cycle": {"supervisor", "administrator"},
    "troubles": {"supervisor", "administrator"},
    "team": {"supervisor", "administrator"},
    "team_week": {"supervisor", "administrator"},
    "team_queues": {"supervisor", "administrator"},
    "team_work": {"supervisor", "administrator"},
    "wall": {"supervisor", "administrator"},
    "wall_screens": {"supervisor", "administrator"},
}
OPEN_TO_ALL = {"login", "code", "logout", "language", "theme"}
ASKS_BY_ITSELF = {"live", "wall_tv"}  # see test_live.py, test_wall.py


@pytest.mark.parametrize("role", ["agent", "reviewer", "supervisor", "administrator"])
@pytest.mark.parametrize("page", PAGES)
def test_a_role_opens_its_own_pages_only(as_, page, role):
    answer = as_(role).get(reverse(f"console:{page}"))
    assert answer.status_code == (200 if role in PAGES[page] else 403)
    if answer.status_code == 403:
        assert "Not yours to open" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_led_to_the_login_and_back(client, page):
    address = reverse(f"console:{page}")
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("console:login"))
    assert answer["Location"].endswith(address)


def test_every_view_is_guarded(db):
    included = [getattr(pattern, "url_patterns", [pattern]) for pattern in urls.urlpatterns]
    for pattern in itertools.chain(*included):
        if pattern.name not in OPEN_TO_ALL | ASKS_BY_ITSELF:
            assert hasattr(pattern.callback, "permissions"), f"{pattern.name} has no @page(...)"
    assert get_resolver()


def test_a_page_that_is_not_there_asks_the_database_nothing(as_, django_assert_num_queries):
    """Django makes it in a thread whose connection nobody closes: each such thread would keep one of the pool's."""
    client = as_("agent")
    with django_assert_num_queries(0):
        assert client.get("/nowhere").status_code == 404


def test_a_page_that_is_refused_asks_only_who_is_there(as_, django_assert_max_num_queries):
    client = as_("agent")
    with django_assert_max_num_queries(4) as asked:  # the session, the person, and what both may
        assert client.get(reverse("console:review")).status_code == 403
    assert not [each for each in asked.captured_queries if "COUNT" in each["sql"]]


def test_a_fragment_asked_for_after_the_session_ended_sends_the_whole_page_to_the_login(client):
    answer = client.get(
        reverse("console:review"),
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/review/"},
    )
    assert answer["HX-Redirect"] == "/login?next=/review/"


def test_somebody_without_a_role_is_told_whom_to_ask(as_):
    assert "Ask an administrator" in as_().get(reverse("console:home")).content.decode()


def test_a_role_that_an_administrator_changed_stays_as_it_is(db):
    from django.contrib.auth.models import Group

    from rasd.console.roles import make_missing_roles

    Group.objects.get(name="agent").permissions.clear()
    make_missing_roles()
    assert not Group.objects.get(name="agent").permissions.exists()
