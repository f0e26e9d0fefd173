"""Merging contacts shows them as one person, and never sends an answer to another address (chatwoot #15359)."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.desk.errors import NotMerged
from rasd.desk.models import Case, Contact, ContactAddress, Conversation, Merge
from rasd.ledger.models import Entry
from tests.desk.people import NOON, a_line, a_queue, an_address, an_employee, hears

A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def salma(db: None) -> User:
    return an_employee("salma")


@pytest.fixture
def chats(db: None) -> list[Conversation]:
    """The same man from three telephones, to two lines."""
    first, second = a_line("Service"), a_line("Readings")
    return [
        hears(first, an_address("سالم"), "العداد معطل").conversation,
        hears(first, an_address("Salim"), "the meter").conversation,
        hears(second, an_address("أبو أحمد"), "04521").conversation,
    ]


def whose() -> dict[str, Any]:
    """All that a merge can move."""
    return {
        "addresses": dict(ContactAddress.objects.values_list("address_id", "contact_id")),
        "conversations": dict(Conversation.objects.values_list("pk", "contact_id")),
        "cases": dict(Case.objects.values_list("pk", "contact_id")),
        "merged": dict(Contact.objects.values_list("pk", "merged_into_id")),
    }


def test_after_a_merge_a_reply_goes_to_the_address_and_line_that_were_written_from(chats, salma):
    one, two, three = chats
    one.contact.merge(two.contact, by=salma, at=NOON)
    one.contact.merge(three.contact, by=salma, at=NOON)
    for n, chat in enumerate(Conversation.objects.order_by("pk")):
        assert chat.contact == one.contact
        sent = chat.reply("نعم", author=salma, key=f"k{n}", at=NOON).outgoing
        assert (sent.address, sent.line) == (chats[n].address, chats[n].line)


def test_after_a_merge_what_is_new_from_either_address_is_the_kept_contacts(chats, salma):
    one, two, _three = chats
    one.contact.merge(two.contact, by=salma, at=NOON)
    for chat in (one, two):
        Conversation.objects.filter(pk=chat.pk).update(closed_at=NOON)
        message = hears(chat.line, chat.address, "مرة أخرى", at=NOON + A_MINUTE)
        assert message.conversation.contact == one.contact
        assert message.conversation.address == chat.address


def test_undone_everything_is_as_before_and_what_was_written_since_is_his_who_wrote_it(chats, salma):
    one, two, three = chats
    before = whose()
    merge = one.contact.merge(two.contact, by=salma, at=NOON)
    Conversation.objects.filter(pk=two.pk).update(closed_at=NOON)
    new = hears(two.line, two.address, "مرة أخرى", at=NOON + A_MINUTE).conversation
    later = three.contact.merge(one.contact, by=salma, at=NOON + A_MINUTE)
    assert set(Conversation.objects.values_list("contact", flat=True)) == {three.contact_id}
    merge.undo(by=salma, at=NOON + 2 * A_MINUTE)
    new.refresh_from_db()
    assert new.contact_id == two.contact_id
    later.undo(by=salma, at=NOON + 3 * A_MINUTE)
    after = whose()
    assert after["conversations"].pop(new.pk) == two.contact_id
    assert after == before


def test_cases_go_with_the_contact_and_come_back(chats, salma):
    one, two, _three = chats
    his = two.contact_id
    Case.open("visit", "أ", at=NOON, actor="user:salma", origin=Case.Origin.EMPLOYEE, contact=two.contact)
    before = whose()
    merge = one.contact.merge(two.contact, by=salma, at=NOON)
    assert Case.objects.get().contact == one.contact
    two.refresh_from_db()
    since = Case.open(
        "visit", "ب", at=NOON, actor="user:salma", origin=Case.Origin.EMPLOYEE, conversation=two
    )
    merge.undo(by=salma, at=NOON + A_MINUTE)
    after = whose()
    assert after["cases"].pop(since.pk) == his
    assert after == before


def test_one_that_was_merged_stands_for_the_one_that_was_kept(chats, salma):
    one, two, three = chats
    one.contact.merge(two.contact, by=salma, at=NOON)
    merge = two.contact.merge(three.contact, by=salma, at=NOON)
    assert (merge.kept, merge.gone) == (one.contact, three.contact)
    assert Contact.objects.get(pk=two.contact_id).kept == one.contact


def test_nobody_is_merged_with_himself(chats, salma):
    one, two, _three = chats
    with pytest.raises(NotMerged):
        one.contact.merge(one.contact, by=salma, at=NOON)
    one.contact.merge(two.contact, by=salma, at=NOON)
    for pair in ((one, two), (two, one)):
        with pytest.raises(NotMerged):
            pair[0].contact.merge(pair[1].contact, by=salma, at=NOON)


def test_a_merge_is_undone_once(chats, salma):
    merge = chats[0].contact.merge(chats[1].contact, by=salma, at=NOON)
    merge.undo(by=salma, at=NOON)
    with pytest.raises(NotMerged):
        merge.undo(by=salma, at=NOON)


def test_merging_and_parting_are_on_record(chats, salma):
    merge = chats[0].contact.merge(chats[1].contact, by=salma, at=NOON)
    merge.undo(by=salma, at=NOON + A_MINUTE)
    entries = Entry.objects.filter(subject=f"contact:{chats[0].contact_id}").order_by("number")
    assert [entry.action for entry in entries] == ["contact.merged", "contact.unmerged"]
    assert entries[0].facts["moved"]["conversations"] == [chats[1].pk]
    assert {entry.actor for entry in entries} == {"user:salma"}


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
        st.tuples(st.just("undo"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("write"), st.integers(0, 4), st.just(0)),
        st.tuples(st.just("case"), st.integers(0, 4), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_whatever_is_merged_and_parted_in_whatever_order_each_address_stays_with_its_own(deeds, salma):
    """Against a model that knows only who was merged into whom."""
    line = a_line()
    chats = [hears(line, an_address(f"p{n}"), "x").conversation for n in range(5)]
    own = {chat.address_id: chat.contact_id for chat in chats}
    into: dict[int, int] = {}
    standing: list[Merge] = []

    def root(contact: int) -> int:
        while contact in into:
            contact = into[contact]
        return contact

    cases: dict[int, int] = {}
    for deed, a, b in deeds:
        if deed == "merge":
            kept, gone = root(chats[a].contact_id), root(chats[b].contact_id)
            people = Contact.objects.in_bulk([chats[a].contact_id, chats[b].contact_id])
            pair = people[chats[a].contact_id], people[chats[b].contact_id]
            if kept == gone:
                with pytest.raises(NotMerged):
                    pair[0].merge(pair[1], by=salma, at=NOON)
            else:
                standing.append(pair[0].merge(pair[1], by=salma, at=NOON))
                into[gone] = kept
        elif deed == "undo" and a < len(standing):
            merge = standing.pop(a)
            merge.undo(by=salma, at=NOON)
            del into[merge.gone_id]
        elif deed == "write":
            Conversation.objects.filter(address=chats[a].address).update(closed_at=NOON)
            hears(line, chats[a].address, "y")
        elif deed == "case":
            newest = Conversation.objects.filter(address=chats[a].address).latest("pk")
            case = Case.open(
                "visit", "x", at=NOON, actor="user:salma", origin=Case.Origin.EMPLOYEE, conversation=newest
            )
            cases[case.pk] = newest.address_id
    for chat in Conversation.objects.filter(line=line):
        assert chat.contact_id == root(own[chat.address_id])
    for address in ContactAddress.objects.filter(address__in=own):
        assert address.contact_id == root(own[address.address_id])
    for case, address in cases.items():
        assert Case.objects.get(pk=case).contact_id == root(own[address])


def test_g7_what_is_owed_stays_owed_after_a_merge(chats, salma):
    queue = a_queue(salma)
    message = chats[1].messages.first()
    owed = chats[1].owe(message, queue=queue)
    chats[0].contact.merge(chats[1].contact, by=salma, at=NOON)
    owed.refresh_from_db()
    assert owed.conversation == chats[1]
