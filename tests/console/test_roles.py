"""Who may open what, as a table; and that no page forgot to ask."""

import itertools
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.urls import get_resolver, reverse

from rasd.console import roles, urls
from rasd.console.models import HandedOut

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
    "calendars": {"supervisor", "administrator"},
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
    # The session, the person, what both may, and whether a second factor is demanded.
    with django_assert_max_num_queries(5) as asked:
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


# Permissions are handed out once


def permissions_of(role: str) -> set[str]:
    found = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in found}


def permission(dotted: str) -> Permission:
    app, _, codename = dotted.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_new_installation_has_the_four_groups_with_all_that_they_usually_may(role):
    if role != "administrator":
        assert permissions_of(role) == set(roles.ROLES[role])
    else:
        assert permissions_of(role) > {
            each for name in roles.ROLES for each in roles.ROLES[name] if each != "*"
        }


@pytest.mark.parametrize("role", roles.ROLES)
def test_what_an_administrator_took_away_stays_away(role):
    Group.objects.get(name=role).permissions.clear()
    roles.hand_out()
    assert not permissions_of(role)


def test_what_an_administrator_gave_besides_stays_too():
    Group.objects.get(name="agent").permissions.add(permission(roles.REVIEW))
    roles.hand_out()
    assert permissions_of("agent") == {*roles.ROLES["agent"], roles.REVIEW}


def test_a_permission_that_a_later_version_brings_is_given_to_a_group_that_exists_but_once(monkeypatch):
    Group.objects.get(name="reviewer").permissions.remove(permission(roles.REVIEW))
    monkeypatch.setitem(roles.ROLES, "reviewer", (roles.REVIEW, roles.TROUBLES))
    roles.hand_out()
    assert permissions_of("reviewer") == {roles.TROUBLES}
    Group.objects.get(name="reviewer").permissions.clear()
    roles.hand_out()
    assert not permissions_of("reviewer")


def test_an_administrator_gets_the_permissions_of_a_model_that_a_later_version_brings_but_once():
    kind = ContentType.objects.get(app_label="desk", model="queue")
    new = Permission.objects.create(content_type=kind, codename="paint_queue", name="Can paint queues")
    roles.hand_out()
    assert "desk.paint_queue" in permissions_of("administrator")
    Group.objects.get(name="administrator").permissions.remove(new)
    roles.hand_out()
    assert "desk.paint_queue" not in permissions_of("administrator")


def test_a_group_that_was_deleted_is_made_anew_with_all_that_it_usually_may():
    Group.objects.get(name="supervisor").delete()
    roles.hand_out()
    assert permissions_of("supervisor") == set(roles.ROLES["supervisor"])


def test_an_installation_from_before_gets_what_is_new_and_not_what_its_administrator_took_away():
    """As the migration finds it: groups, with what the version before gave them, and no memory of it."""
    HandedOut.objects.all().delete()
    Group.objects.get(name="agent").permissions.clear()  # the administrator took conversations away
    Group.objects.get(name="supervisor").permissions.set(
        [permission(roles.CYCLE), permission(roles.TROUBLES)]
    )
    Group.objects.get(name="administrator").permissions.remove(permission("auth.delete_user"))

    import_module("rasd.console.migrations.0003_handed_out").remember(apps, None)
    roles.hand_out()

    assert permissions_of("agent") == {roles.CASES}
    assert permissions_of("supervisor") == set(roles.ROLES["supervisor"])
    assert "auth.delete_user" not in permissions_of("administrator")
