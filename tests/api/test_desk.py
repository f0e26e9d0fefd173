"""The desk's own rules hold here as in the console: they are the same methods."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rasd.channels.models import Outgoing
from rasd.desk.models import Case, HandOver, HeldAnswer, Notice, Obligation
from rasd.ledger.models import Entry, verify
from tests.desk.people import a_queue, an_employee

pytestmark = pytest.mark.django_db


def accepted(outgoing: Outgoing) -> None:
    """The channel takes it."""
    from rasd.channels import outbox

    outbox._accepted(outgoing.pk, f"wamid.out{outgoing.pk}", timezone.now())


def test_g7_an_answer_discharges_what_is_owed_once_it_could_be_received(caller, asked):
    owed = asked.conversation.owed
    answer = caller.post(f"/conversations/{asked.conversation_id}/replies", {"text": "من الخامس عشر"})
    assert answer.status_code == 201
    assert answer.json()["author"] == "sara"
    assert caller.get(f"/obligations/{owed.pk}").json()["discharged_at"] is None
    accepted(Outgoing.objects.get())
    told = caller.get(f"/obligations/{owed.pk}").json()
    assert told["discharged_by"] == answer.json()["id"]
    assert caller.get(f"/messages/{answer.json()['id']}").json()["state"] == "accepted"


def test_an_answer_past_a_colleagues_claim_is_held_and_either_decides(caller, program, asked, omar):
    pk = asked.conversation_id
    asked.conversation.claim(omar, at=timezone.now())
    held = caller.post(f"/conversations/{pk}/replies", {"text": "me too"}, key="k")
    assert held.status_code == 409
    assert held.json()["type"] == "urn:rasd:problem:answer-held"
    assert held.json()["held"]["text"] == "me too"
    assert held.json()["held"]["other"] == "omar"
    assert not Outgoing.objects.exists()
    again = caller.post(f"/conversations/{pk}/replies", {"text": "me too"}, key="k")
    assert (again.status_code, HeldAnswer.objects.count()) == (409, 1)
    assert caller.get(f"/conversations/{pk}").json()["held_answers"] == [held.json()["held"]["id"]]
    other = program("omars", "conversations:read", "conversations:write", user=omar)
    path = f"/held-answers/{held.json()['held']['id']}"
    assert other.get(path).json()["outcome"] == ""
    sent = other.post(f"{path}/send")
    assert (sent.status_code, sent.json()["author"]) == (201, "sara")
    assert caller.post(f"{path}/drop").json()["type"] == "urn:rasd:problem:settled"


def test_an_answer_to_what_was_answered_meanwhile_is_held(caller, asked, omar):
    asked.conversation.reply("quicker", author=omar, key="o", at=timezone.now())
    answer = caller.post(
        f"/conversations/{asked.conversation_id}/replies", {"text": "late", "seen": asked.pk}
    )
    assert answer.status_code == 409


def test_a_promise_is_owed_by_the_moment_that_was_promised(caller, asked):
    by = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    body = {"text": "غدا", "promise_by": by.isoformat()}
    assert caller.post(f"/conversations/{asked.conversation_id}/replies", body).status_code == 201
    promise = Obligation.objects.get(kind="promise")
    assert (promise.due_at, promise.owner.username) == (by, "sara")
    kept = {"text": "تم", "keeps": [promise.pk]}
    caller.post(f"/conversations/{asked.conversation_id}/replies", kept, key="kept")
    assert not asked.conversation.promises.exists()
    none = {"text": "x", "keeps": [Obligation.objects.exclude(kind="promise").first().pk]}
    refused = caller.post(f"/conversations/{asked.conversation_id}/replies", none, key="none")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "keeps")
    past = {"text": "x", "promise_by": "2020-01-01T00:00:00Z"}
    refused = caller.post(f"/conversations/{asked.conversation_id}/replies", past)
    assert refused.json()["errors"][0]["field"] == "promise_by"


def test_g8_who_claims_silences_the_machine_until_it_is_given_back(caller, asked, omar):
    pk = asked.conversation_id
    told = caller.post(f"/conversations/{pk}/claim", {}).json()
    assert (told["claim"]["holder"], told["with_people"]) == ("sara", True)
    assert told["owed"]["owner"] == "sara"
    assert HandOver.objects.get().wish == "staff"
    assert caller.post(f"/conversations/{pk}/release").json()["claim"] is None
    assert caller.post(f"/conversations/{pk}/give-back").json()["with_people"] is False


def test_a_colleagues_claim_is_taken_only_with_a_word_why(caller, asked, omar):
    asked.conversation.claim(omar, at=timezone.now())
    refused = caller.post(f"/conversations/{asked.conversation_id}/claim", {})
    assert (refused.status_code, refused.json()["holder"]) == (409, "omar")
    taken = caller.post(f"/conversations/{asked.conversation_id}/claim", {"why": "he went home"})
    assert taken.json()["claim"]["holder"] == "sara"
    assert Entry.objects.filter(action="conversation.claim_taken", why="he went home").exists()


def test_nothing_is_closed_while_something_is_owed(caller, asked):
    path = f"/conversations/{asked.conversation_id}"
    assert caller.post(f"{path}/close").json()["type"] == "urn:rasd:problem:still-owed"
    waived = caller.post(f"/obligations/{asked.conversation.owed.pk}/waive", {"why": "a thank-you"})
    assert waived.json()["waived_by"] == "sara"
    assert caller.post(f"{path}/close").json()["closed_at"]
    refused = caller.post(f"{path}/replies", {"text": "and another thing"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:rasd:problem:closed")
    assert caller.post(f"{path}/reopen").json()["closed_at"] is None
    assert caller.post(f"{path}/matter", {"matter": "reading"}).json()["matter"] == "reading"


def test_who_is_mentioned_in_a_note_is_told(caller, asked, omar):
    caller.post(f"/conversations/{asked.conversation_id}/notes", {"text": "@omar please look"})
    assert Notice.objects.filter(to=omar, kind="mention").exists()


def test_what_is_looked_for_is_found_however_it_is_spelled(caller, asked):
    found = caller.get("/conversations?q=القراءه").json()["items"]
    assert [each["id"] for each in found] == [asked.conversation_id]
    assert caller.get("/conversations?q=فاتورة").json()["items"] == []


# Cases


def test_g11_a_case_goes_its_way_and_closes_once_the_answer_could_be_received(caller, asked):
    body = {
        "kind": "complaint",
        "title": "A visit",
        "conversation": asked.conversation_id,
        "text": "staff only",
    }
    made = caller.post("/cases", body)
    assert made.status_code == 201
    path = f"/cases/{made.json()['id']}"
    assert caller.post(f"{path}/take-up").json()["work"]["owner"] == "sara"
    assert caller.post(f"{path}/wait").json()["whose_turn"] == "customer"
    assert caller.post(f"{path}/replies", {"text": "Which day was it?"}).json()["public"] is True
    assert caller.post(f"{path}/notes", {"text": "look at the route"}).json()["public"] is False
    assert caller.post(f"{path}/close", {"text": "We are sorry."}).json()["stage"] == "answered"
    assert caller.post(f"{path}/take-up").status_code == 409
    accepted(Outgoing.objects.get(kind="buttons"))
    closed = caller.get(path).json()
    assert (closed["stage"], closed["work"], closed["whose_turn"]) == ("closed", None, "nobody")
    Case.objects.get().rate(3, "thanks", at=timezone.now())
    assert caller.get(path).json()["rating"]["score"] == 3
    assert caller.post(f"{path}/reopen", {"why": "not over"}).json()["work"]["owner"] == "sara"
    kinds = [each["kind"] for each in caller.get(f"{path}/entries").json()["items"]]
    assert kinds[0] == "opened"
    assert {"stage", "said", "note", "closing", "closed", "rated", "reopened"} <= set(kinds)


def test_a_case_is_handed_on_to_a_queue_and_to_somebody_who_is_there(caller, asked, omar):
    made = caller.post("/cases", {"kind": "meter", "title": "A meter", "conversation": asked.conversation_id})
    path, billing = f"/cases/{made.json()['id']}", a_queue(omar, name="Billing")
    told = caller.post(f"{path}/hand-on", {"queue": billing.pk, "owner": "omar", "why": "a bill"}).json()
    assert (told["work"]["queue"]["name"], told["work"]["owner"]) == ("Billing", "omar")
    away = an_employee("away")
    away.employee.be_absent(
        timezone.now() - timedelta(hours=1),
        timezone.now() + timedelta(hours=9),
        "ill",
        by=omar,
        at=timezone.now(),
    )
    refused = caller.post(f"{path}/hand-on", {"queue": billing.pk, "owner": "away", "why": "x"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:rasd:problem:not-on-shift")
    assert refused.json()["back_at"]


def test_a_case_without_a_page_that_the_customer_knows_cannot_be_closed_there(caller, queue):
    made = caller.post("/cases", {"kind": "other", "title": "Nobody's"})
    refused = caller.post(f"/cases/{made.json()['id']}/close", {"text": "done"})
    assert refused.json()["type"] == "urn:rasd:problem:cannot-receive"


def test_a_kind_that_there_is_not_is_named_with_those_that_there_are(caller, queue):
    refused = caller.post("/cases", {"kind": "nonsense", "title": "x"})
    assert refused.json()["errors"][0]["field"] == "kind"
    assert "complaint, visit, reading" in refused.json()["detail"]


# What is owed


def test_what_is_owed_is_given_and_moved_with_the_reason_in_the_ledger(caller, asked, omar):
    path, billing = f"/obligations/{asked.conversation.owed.pk}", a_queue(omar, name="Billing")
    assert caller.post(f"{path}/give", {"owner": "omar", "why": "knows it"}).json()["owner"] == "omar"
    assert (
        caller.post(f"{path}/move", {"queue": billing.pk, "why": "a bill"}).json()["queue"]["name"]
        == "Billing"
    )
    told = Entry.objects.filter(subject=path.strip("/").replace("obligations/", "obligation:"))
    assert set(told.exclude(why="").values_list("action", "actor", "why")) == {
        ("obligation.given", "user:sara", "knows it"),
        ("obligation.moved", "user:sara", "a bill"),
    }
    assert (
        caller.post(f"{path}/give", {"owner": "nobody", "why": "x"}).json()["errors"][0]["field"] == "owner"
    )


def test_work_and_promises_are_not_waived(caller, asked):
    made = caller.post("/cases", {"kind": "meter", "title": "A meter", "conversation": asked.conversation_id})
    work = Obligation.objects.get(case=made.json()["id"])
    assert caller.post(f"/obligations/{work.pk}/kept", {"why": "tired"}).status_code == 422
    refused = caller.post(f"/obligations/{work.pk}/waive", {"why": "tired"})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:rasd:problem:cannot-be-waived")


def test_g9_the_work_on_a_case_is_given_and_moved_in_one_way_which_its_history_tells(caller, asked, queue):
    made = caller.post("/cases", {"kind": "meter", "title": "A meter", "conversation": asked.conversation_id})
    work = Obligation.objects.get(case=made.json()["id"])
    given = caller.post(f"/obligations/{work.pk}/give", {"owner": "omar", "why": "knows it"})
    moved = caller.post(f"/obligations/{work.pk}/move", {"queue": queue.pk, "why": "a bill"})
    assert (given.json()["owner"], moved.json()["owner"]) == ("omar", None)
    lines = work.case.entries.filter(kind="handed").order_by("pk")
    assert [(each.actor, each.text) for each in lines] == [
        ("user:sara", "knows it"),
        ("user:sara", "a bill"),
    ]


def test_what_is_discharged_cannot_be_moved(caller, asked, queue):
    owed = asked.conversation.owed
    owed.waive(by=caller.token.user, at=timezone.now())
    for deed, body in (("give", {"owner": None}), ("move", {"queue": queue.pk}), ("waive", {})):
        refused = caller.post(f"/obligations/{owed.pk}/{deed}", body | {"why": "x"})
        assert refused.json()["type"] == "urn:rasd:problem:discharged", deed


def test_late_is_what_its_clock_says(caller, asked):
    assert caller.get("/obligations?state=late").json()["items"] == []
    Obligation.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert [each["late"] for each in caller.get("/obligations?state=late").json()["items"]] == [True]


def test_g12_every_write_is_in_the_ledger_with_the_user_and_the_tokens_name(caller, asked):
    pk = asked.conversation_id
    caller.post(f"/conversations/{pk}/claim", {})
    caller.post(f"/conversations/{pk}/notes", {"text": "n"}, key="my-key")
    caller.post(f"/conversations/{pk}/replies", {"text": "r"})
    caller.post(f"/conversations/{pk}/replies", {"text": ""})  # refused: nothing was done
    told = Entry.objects.filter(action__startswith="api.").order_by("number")
    assert [(each.actor, each.action, each.subject) for each in told] == [
        ("user:sara", "api.conversation.claimed", f"conversation:{pk}"),
        ("user:sara", "api.conversation.noted", f"conversation:{pk}"),
        ("user:sara", "api.conversation.replied", f"conversation:{pk}"),
    ]
    assert {each.facts["token"] for each in told} == {"portal"}
    assert told[1].facts["key"] == "my-key"
    assert verify() is None
