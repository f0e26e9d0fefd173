"""The numbers that the stream tells: those that his own page would show each, with his own rights, counted once for all."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rasd.channels.models import Line, LineLimit
from rasd.console import waiting
from rasd.console.numbers import BAR, VIEWS, told
from rasd.desk.models import SavedView
from tests.console.staff import owed

pytestmark = pytest.mark.django_db


def on_the_page(user: User, path: str) -> dict[str, str]:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return dict(re.findall(r'data-number="([^"]+)">([^<]*)<', answer.content.decode()))


def both(user: User) -> dict[str, str]:
    return (found := told({(BAR, user.pk), (VIEWS, user.pk)}, timezone.now()))[BAR, user.pk] | found[
        VIEWS, user.pk
    ]


@pytest.fixture
def busy(utility, person) -> dict[str, User]:
    """Some who owe something, one of them on one line only, and saved views of all kinds."""
    salma, nora, other = (
        person("agent", username="salma"),
        person("agent", username="nora"),
        person("administrator"),
    )
    utility.review("04521")
    elsewhere = Line.objects.create(
        channel="whatsapp", purpose="service", external_id="200", name="Service", display_address="+968"
    )
    for whose, due_in in ((salma, 10), (salma, -10), (nora, -5), (None, 20)):
        owed(utility, owner=whose, due_in=due_in)
    there = owed(utility, owner=nora, due_in=-30).conversation
    there.line = elsewhere
    there.save()
    LineLimit.put(nora, [elsewhere], by=other, at=utility.now)
    SavedView.objects.create(owner=None, name="late ones of mine", filters={"state": "late", "mine": "1"})
    SavedView.objects.create(owner=None, name="there", filters={"line": elsewhere.pk})
    SavedView.objects.create(owner=salma, name="all of mine", filters={"state": "all", "mine": "1"})
    return {"salma": salma, "nora": nora, "other": other}


def test_each_is_told_what_his_own_page_shows(busy, person):
    seen = {}
    for name, user in busy.items():
        seen[name] = on_the_page(user, "/conversations/")
        groups = {place: words for place, words in both(user).items() if place in seen[name]}
        assert groups == seen[name], name
    assert seen["salma"]["conversations"] == "5"
    assert seen["salma"]["view-m"] == "2"
    assert seen["nora"]["conversations"] == seen["nora"]["view-m"] == "1"
    reviewer = person("reviewer")
    assert told({(BAR, reviewer.pk), (VIEWS, reviewer.pk)}, timezone.now()).keys() == {(BAR, reviewer.pk)}
    assert told({(BAR, reviewer.pk)}, timezone.now())[BAR, reviewer.pk]["review"] == "1"


def test_who_lost_a_right_or_a_line_since_he_opened_the_page_is_told_no_number_of_it(busy, utility):
    salma = busy["salma"]
    LineLimit.put(Group.objects.get(name="agent"), [utility.line], by=busy["other"], at=utility.now)
    assert both(salma)["conversations"] == "4"
    salma.groups.clear()
    assert told({(BAR, salma.pk), (VIEWS, salma.pk)}, timezone.now()) == {
        (BAR, salma.pk): {"answers-group": "", "readings-group": ""}
    }
    User.objects.filter(pk=salma.pk).update(is_active=False)
    assert told({(BAR, salma.pk)}, timezone.now()) == {}


def test_a_hundred_people_take_as_many_questions_as_one(busy, person):
    def questions(people: list[User]) -> int:
        shown = {(what, each.pk) for each in people for what in (BAR, VIEWS)}
        with CaptureQueriesContext(connection) as asked:
            told(shown, timezone.now())
        return len(asked)

    agent = Group.objects.get(name="agent")
    many = User.objects.bulk_create([User(username=f"agent{n}") for n in range(100)])
    agent.user_set.add(*many)
    for each in many[:3]:
        SavedView.objects.create(owner=each, name="his own", filters={"state": "late", "mine": "1"})
    assert questions([busy["salma"], *many]) == questions([busy["salma"]])


def test_a_page_counts_anew_what_is_ones_own_and_only_for_those_who_see_the_same_lines_what_is_not(
    busy, utility, monkeypatch
):
    """G12: who sees one line is not shown what was counted a moment ago for who sees all."""
    monkeypatch.setattr(waiting, "REMEMBERED", 60)
    cache.clear()
    places = ("view-m", "view-i", "view-l")
    seen = {
        name: [on_the_page(user, "/conversations/")[each] for each in places] for name, user in busy.items()
    }
    assert seen == {"salma": ["2", "5", "3"], "nora": ["1", "1", "1"], "other": ["0", "5", "3"]}
    owed(utility, owner=busy["salma"], due_in=30)
    page = on_the_page(busy["salma"], "/conversations/")
    assert [page[each] for each in places] == ["3", "5", "3"]
    assert both(busy["salma"])["view-i"] == "6", "which the stream tells at once"
    cache.clear()
