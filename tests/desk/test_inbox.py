"""Which conversations an inbox shows."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict

from rasd.desk.inbox import Filters, State, counted, counted_by_owner
from rasd.desk.models import Case, Conversation, Queue
from tests.desk.people import NOON, a_line, a_queue, an_address, an_employee, hears

LATER = NOON + timedelta(days=1)


@pytest.fixture
def salma(db: None) -> User:
    return an_employee("salma")


@pytest.fixture
def queue(salma: User) -> Queue:
    return a_queue(salma)


@pytest.fixture
def chats(salma: User, queue: Queue) -> dict[str, Conversation]:
    """One of each: hers, the queue's, standing still, answered, closed."""
    line, made = a_line(), {}
    for name in ("hers", "queues", "paused", "settled", "closed"):
        message = hears(line, an_address(name), f"العداد {name}")
        made[name] = message.conversation
        owed = message.conversation.owe(message, queue=queue)
        if name == "hers":
            message.conversation.claim(salma, at=NOON)
        if name == "paused":
            owed.pause(at=NOON, actor="user:salma")
        if name in {"settled", "closed"}:
            owed.waive(by=salma, at=NOON)
    made["closed"].close(at=NOON, actor="user:salma")
    made["hers"].is_about("complaint", at=NOON, actor="user:salma")
    Conversation.objects.filter(pk=made["settled"].pk).update(language="en")
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"hers", "queues", "paused"}),
        ("state=owed&mine=1", {"hers"}),
        ("state=late", {"hers", "queues"}),
        ("state=late&mine=1", {"hers"}),
        ("state=waiting", {"settled"}),
        ("state=closed", {"closed"}),
        ("state=all", {"hers", "queues", "paused", "settled", "closed"}),
        ("state=all&language=en", {"settled"}),
        ("matter=complaint", {"hers"}),
        ("q=العداد+hers", {"hers"}),
        ("q=عداد&state=closed", {"closed"}),
        ("state=nonsense&owner=x&line=99999999999999999999", set()),
        ("line=x", {"hers", "queues", "paused"}),
    ],
)
def test_filters_show_what_they_say(chats, salma, query, found):
    rows = Filters.of(QueryDict(query)).conversations(salma, LATER)
    names = {conversation.pk: name for name, conversation in chats.items()}
    assert {names[row.pk] for row in rows} == found


def test_a_queues_and_an_owners_are_found_by_their_keys(chats, salma, queue):
    other = a_queue(name="Billing")
    assert Filters(queue=queue.pk).conversations(salma, LATER).count() == 3
    assert Filters(queue=other.pk).conversations(salma, LATER).count() == 0
    assert [row.pk for row in Filters(owner=salma.pk).conversations(salma, LATER)] == [chats["hers"].pk]


def test_g7_while_a_case_of_it_is_worked_on_it_does_not_wait_for_the_customer(chats, salma):
    """The case's work is owed by its queue, under the case's number and not under the conversation's."""
    chat = chats["settled"]
    Case.open("visit", "الباب", at=NOON, actor="user:salma", origin="employee", conversation=chat)
    assert chat in Filters().conversations(salma, LATER)
    assert chat in Filters(queue=Case.objects.get().work.queue_id).conversations(salma, LATER)
    assert chat not in Filters(state=State.WAITING).conversations(salma, LATER)


def test_what_is_closed_with_something_owed_after_all_is_shown_as_owed(chats, salma):
    """Nothing hides behind a closing: what is owed is looked at by what is owed."""
    Conversation.objects.filter(pk=chats["queues"].pk).update(closed_at=NOON)
    assert chats["queues"] in Filters().conversations(salma, LATER)


def test_filters_are_kept_as_short_as_they_can_be_and_read_back(chats):
    kept = Filters(q="عداد", mine=True, state=State.ALL)
    assert kept.as_json() == {"q": "عداد", "mine": True, "state": "all"}
    assert Filters.of(kept.as_json()) == kept
    assert Filters().as_json() == {}


def test_the_views_are_counted_in_one_query_and_not_to_the_end(chats, salma, django_assert_num_queries):
    views = [Filters(), Filters(mine=True), Filters(state=State.CLOSED), Filters(state=State.ALL)]
    with django_assert_num_queries(2):  # the other: which lines she may see
        assert counted(views, salma, LATER, most=4) == [3, 1, 1, 4]
    assert counted([], salma, LATER, most=4) == []
    assert counted(views[:1], salma, LATER, most=4) == [3]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=late",
        "state=waiting",
        "state=closed",
        "state=all&language=en",
        "matter=complaint",
        "q=العداد",
        "owner=1",
    ],
)
def test_what_each_owes_is_counted_for_all_as_for_each(chats, salma, query, django_assert_num_queries):
    nora, view = an_employee("nora"), Filters.of(QueryDict(f"mine=1&{query}"))
    view = replace(view, owner=salma.pk) if view.owner else view
    chats["paused"].claim(nora, at=NOON)
    chats["queues"].claim(nora, at=NOON)
    for each in (salma, nora):
        each.refresh_from_db()
    found = counted_by_owner(view, salma, LATER)
    assert [found.get(each.pk, 0) for each in (salma, nora)] == [
        counted([view], each, LATER, most=99)[0] for each in (salma, nora)
    ]
