"""At most once; pages that lose nothing; answers that need not be sent twice; problems that name the field and the mend."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from rasd.api.models import ApiToken, KeyedCall
from rasd.channels.models import Outgoing
from rasd.desk.models import Claim, Message
from rasd.ledger.models import Entry
from tests.api.conftest import ALL, Program
from tests.desk.people import a_line, a_queue, an_address, an_employee, hears

pytestmark = pytest.mark.django_db


def answers(asked) -> int:
    return Message.objects.filter(conversation=asked.conversation, outgoing__isnull=False).count()


def test_the_same_key_and_body_again_is_answered_the_same_and_does_nothing(caller, asked):
    path = f"/conversations/{asked.conversation_id}/notes"
    first, again = (caller.post(path, {"text": "once"}, key="k1") for _ in range(2))
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, first.content)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Message.objects.filter(note="once").count() == 1
    assert Entry.objects.filter(action="api.conversation.noted").count() == 1


def test_the_same_key_with_another_body_is_refused(caller, asked):
    path = f"/conversations/{asked.conversation_id}/notes"
    caller.post(path, {"text": "one"}, key="k1")
    refused = caller.post(path, {"text": "two"}, key="k1")
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:rasd:problem:key-reused"
    assert refused.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not Message.objects.filter(note="two").exists()


def test_the_same_key_at_another_address_is_refused(caller, asked):
    caller.post(f"/conversations/{asked.conversation_id}/claim", {}, key="k1")
    assert (
        caller.post(f"/conversations/{asked.conversation_id}/notes", {"text": "x"}, key="k1").status_code
        == 422
    )


def test_each_token_has_keys_of_its_own(program, asked):
    path = f"/conversations/{asked.conversation_id}/notes"
    one, other = program("one"), program("other")
    assert [each.post(path, {"text": each.token.name}, key="k").status_code for each in (one, other)] == [
        201,
        201,
    ]


def test_what_was_refused_may_come_with_the_same_key_once_it_is_mended(caller, asked):
    path = f"/conversations/{asked.conversation_id}/close"
    assert caller.post(path, key="k").json()["owed"] == "answer"
    assert not KeyedCall.objects.exists()
    asked.conversation.owed.waive(by=caller.token.user, at=timezone.now())
    assert caller.post(path, key="k").status_code == 200


def test_a_key_is_forgotten_after_a_day_and_an_answer_still_goes_out_once(caller, asked):
    path = f"/conversations/{asked.conversation_id}/replies"
    first = caller.post(path, {"text": "غدا"}, key="k")
    KeyedCall.objects.update(at=timezone.now() - timedelta(hours=24))
    again = caller.post(path, {"text": "غدا"}, key="k")
    assert "Idempotent-Replayed" not in again
    assert again.json()["id"] == first.json()["id"]
    assert Outgoing.objects.count() == 1
    KeyedCall.objects.update(at=timezone.now() - timedelta(hours=25))
    assert KeyedCall.forget_old(timezone.now()) == 1


def test_a_post_without_a_key_is_told_so(caller, asked):
    answer = caller.client.post(
        f"/api/v1/conversations/{asked.conversation_id}/notes", {"text": "x"}, content_type="application/json"
    )
    assert answer.status_code == 422
    wrong = answer.json()["errors"]
    assert [(each["where"], each["field"]) for each in wrong] == [("header", "Idempotency-Key")]


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_with_one_key_one_is_done_and_all_are_answered_the_same():
    user = an_employee("sara")
    user.is_superuser = True
    user.save()
    asked = hears(a_line(), an_address(), "متى؟", at=timezone.now())
    asked.conversation.owe(asked, queue=a_queue(user))
    token, secret = ApiToken.make("portal", user, ALL, at=timezone.now(), per_minute=60_000)
    gate, told = threading.Barrier(8), []

    def call() -> None:
        try:
            program = Program(secret, token)
            gate.wait()
            told.append(
                program.post(f"/conversations/{asked.conversation_id}/replies", {"text": "غدا"}, key="k")
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {each.status_code for each in told} == {201}
    assert len({each.content for each in told}) == 1
    assert sum("Idempotent-Replayed" in each for each in told) == 7
    assert answers(asked) == 1


# Pages


def test_pages_give_everything_once_whatever_is_added_meanwhile(caller, line):
    now = timezone.now()
    there = [
        hears(line, an_address(), f"{n}", at=now - timedelta(minutes=n // 3)).conversation_id
        for n in range(11)
    ]
    seen, cursor, calls = [], "", 0
    while cursor is not None:
        page = caller.get(f"/conversations?limit=3&cursor={cursor}").json()
        seen += [each["id"] for each in page["items"]]
        cursor, calls = page["next"], calls + 1
        hears(line, an_address(), "new", at=timezone.now())
    assert sorted(seen) == sorted(there)
    assert len(seen) == len(set(seen)) == 11
    assert calls == 4


@pytest.mark.parametrize("cursor", ["abc", "W10", "e30", "WyIyMDI2IiwgMV0", "bnVsbA", "WzEsMl0", "_" * 200])
def test_a_cursor_that_is_none_of_ours_is_named(caller, cursor):
    answer = caller.get(f"/conversations?cursor={cursor}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {
        "where": "query",
        "field": "cursor",
        "detail": "it is none that was given out here: take `next` of the page before, or leave it out",
    }


@pytest.mark.parametrize("path", ["/conversations", "/cases", "/obligations"])
def test_a_page_costs_the_same_queries_however_much_is_on_it(
    caller, line, queue, path, django_assert_max_num_queries
):
    from rasd.desk.models import Case

    def one_more() -> None:
        message = hears(line, an_address(), "سؤال", at=timezone.now())
        message.conversation.owe(message, queue=queue)
        message.conversation.claim(caller.token.user, at=timezone.now())
        Case.open(
            "bill",
            "A bill",
            at=timezone.now(),
            actor="user:sara",
            origin="employee",
            conversation=message.conversation,
        )

    def cost() -> int:
        with django_assert_max_num_queries(14) as asked:
            found = caller.get(path).json()["items"]
        assert found
        return len(asked)

    one_more()
    few = cost()
    for _ in range(7):
        one_more()
    assert cost() == few


def test_nothing_is_ever_counted(caller, asked, django_assert_max_num_queries):
    with django_assert_max_num_queries(14) as queries:
        caller.get("/conversations")
    assert not [each for each in queries.captured_queries if "COUNT(" in each["sql"].upper()]


# ETags


def test_who_has_it_already_is_sent_nothing(caller, asked):
    path = f"/conversations/{asked.conversation_id}"
    first = caller.get(path)
    again = caller.get(path, **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    asked.conversation.claim(caller.token.user, at=timezone.now())
    changed = caller.get(path, **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["claim"]["holder"] == "sara"
    assert Claim.objects.get().holder == caller.token.user


# Problems


def test_a_problem_names_the_field_and_the_mend(caller, asked):
    answer = caller.post(f"/conversations/{asked.conversation_id}/replies", {"text": "", "seen": "x"})
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == 422
    assert {each["field"] for each in told["errors"]} == {"text", "seen"}


def test_no_json_is_a_problem_too(caller, asked):
    answer = caller.client.post(
        f"/api/v1/conversations/{asked.conversation_id}/notes",
        b"{text",
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:rasd:problem:no-json"


def test_no_address_is_a_problem_too(caller):
    assert caller.get("/nothing/here").json()["status"] == 404
    wrong = caller.client.delete("/api/v1/cases")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "urn:rasd:problem:wrong-method")
    assert set(wrong["Allow"].split(", ")) == {"GET", "POST"}


def test_a_fault_of_ours_says_so_and_undoes_what_was_begun(caller, asked, monkeypatch):
    monkeypatch.setattr("rasd.api.calling.record", lambda *_, **__: 1 / 0)
    answer = caller.post(f"/conversations/{asked.conversation_id}/notes", {"text": "lost?"})
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:rasd:problem:fault")
    assert not Message.objects.filter(note="lost?").exists()
    assert not KeyedCall.objects.exists()


def test_times_have_a_zone(caller, asked):
    told = caller.get(f"/messages/{asked.pk}").json()
    assert told["at"].endswith("Z")
    naive = {"text": "غدا", "promise_by": "2026-12-01T12:00:00"}
    refused = caller.post(f"/conversations/{asked.conversation_id}/replies", naive)
    assert refused.json()["errors"][0]["field"] == "promise_by"
