"""The outbox: written first, sent in order, within the limits, and once."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.db import transaction
from django.utils import timezone

from rasd.channels import outbox, signals
from rasd.channels.models import Address, Incoming, Line, Outgoing, StatusEvent
from rasd.channels.whatsapp import api
from rasd.ledger import evidence
from tests.channels.doors import breaks, deliver, envelope, refused, status, waiting_jobs, wrote

pytestmark = pytest.mark.django_db(transaction=True)
State = Outgoing.State


def answer(line: Line, customer: Address, key: str = "answer-1", **other) -> Outgoing:
    return Outgoing.queue(line=line, address=customer, key=key, text="شكراً", **other)


def fresh(outgoing: Outgoing) -> Outgoing:
    return Outgoing.objects.get(pk=outgoing.pk)


def statuses(*items: dict) -> None:
    deliver(envelope({"statuses": list(items)}))


def test_queueing_writes_a_row_and_its_job_in_the_same_transaction(line, customer):
    with transaction.atomic():
        answer(line, customer)
        transaction.set_rollback(True)
    assert not Outgoing.objects.exists()
    assert waiting_jobs("send") == []
    outgoing = answer(line, customer)
    assert waiting_jobs("send") == [{"outgoing_id": outgoing.pk}]


def test_the_same_key_is_written_and_sent_once(line, customer, cloud):
    first, second = answer(line, customer), answer(line, customer)
    assert first.pk == second.pk
    assert len(waiting_jobs("send")) == 1
    first.send()
    second.send()
    assert len(cloud.sent) == 1


def test_it_sends_what_the_cloud_api_wants_and_records_the_acceptance(line, customer, cloud):
    before = timezone.now()
    question = Incoming.objects.get()
    outgoing = answer(line, customer, replies_to=question)
    assert outgoing.send() is None
    assert cloud.sent == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "+96890000001",
            "type": "text",
            "text": {"body": "شكراً"},
            "context": {"message_id": question.external_id},
            "biz_opaque_callback_data": "answer-1",
        }
    ]
    outgoing = fresh(outgoing)
    assert (outgoing.state, outgoing.external_id, outgoing.attempts) == (State.ACCEPTED, "wamid.out.1", 1)
    assert before <= outgoing.called_at <= outgoing.accepted_at


def test_someone_who_hides_the_number_is_written_to_by_the_user_id(line, cloud):
    hidden = Address.objects.create(channel="whatsapp", user_id="OM.77")
    wrote(line, hidden, timezone.now())
    answer(line, hidden).send()
    assert cloud.sent[0]["recipient"] == "OM.77"
    assert "to" not in cloud.sent[0]


# The 24-hour window


def test_outside_the_window_the_message_s_own_template_goes(line, address, cloud):
    wrote(line, address, timezone.now() - timedelta(hours=24, seconds=1))
    template = {
        "name": "receipt",
        "language": "ar",
        "parameters": ["04521", "line one\n  line two\t\tthree     four"],
    }
    answer(line, address, content={"template": template}).send()
    assert cloud.sent[0]["type"] == "template"
    assert cloud.sent[0]["template"] == {
        "name": "receipt",
        "language": {"code": "ar"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "04521"},
                    {"type": "text", "text": "line one · line two three four"},
                ],
            }
        ],
    }


def test_outside_the_window_the_line_s_template_carries_the_text(line, address, cloud):
    Line.objects.update(reopening_template={"name": "answer", "language": "en"})
    wrote(line, address, timezone.now() - timedelta(days=3))
    answer(line, address).send()
    parameters = cloud.sent[0]["template"]["components"][0]["parameters"]
    assert parameters == [{"type": "text", "text": "شكراً"}]


def test_within_the_window_no_template_is_spent(line, address, cloud):
    wrote(line, address, timezone.now() - timedelta(hours=23, minutes=59))
    answer(line, address, content={"template": {"name": "receipt", "language": "ar"}}).send()
    assert cloud.sent[0]["type"] == "text"


def test_outside_the_window_without_a_template_it_fails_in_plain_words_and_nothing_is_called(
    line, address, cloud
):
    wrote(line, address, timezone.now() - timedelta(days=2))
    outgoing = answer(line, address)
    assert outgoing.send() is None
    outgoing = fresh(outgoing)
    assert (outgoing.state, outgoing.error_code) == (State.FAILED, 131047)
    assert "24 hours" in outgoing.error_words
    assert cloud.sent == []
    assert not outgoing.could_be_received


def test_the_window_belongs_to_the_line_that_was_written_to(line, address, cloud):
    other = Line.objects.create(
        channel="whatsapp", purpose="service", external_id="99", name="Service", display_address="+968 2"
    )
    wrote(other, address, timezone.now())
    assert outbox.last_wrote_at(line, address) is None
    outgoing = answer(line, address)
    outgoing.send()
    assert fresh(outgoing).error_code == 131047


def test_a_failed_message_is_sent_when_a_person_says_so(line, address, cloud):
    outgoing = answer(line, address)
    outgoing.send()
    assert fresh(outgoing).state == State.FAILED
    wrote(line, address, timezone.now())
    assert outgoing.send_again()
    fresh(outgoing).send()
    assert fresh(outgoing).state == State.ACCEPTED
    assert not outgoing.send_again()


# Limits


def test_the_46th_message_in_a_row_waits_six_seconds(line, customer, cloud):
    results = [answer(line, customer, f"k{n}").send() for n in range(46)]
    assert results[:45] == [None] * 45
    assert len(cloud.sent) == 45
    wait = results[45] - timezone.now()
    assert timedelta(0) < wait <= timedelta(seconds=6)
    waiting = Outgoing.objects.get(key="k45")
    assert (waiting.state, waiting.attempts) == (State.WAITING, 0)


def test_a_line_sends_no_faster_than_its_rate(line, cloud):
    Line.objects.update(sends_per_second=20)
    people = [Address.objects.create(channel="whatsapp", user_id=f"OM.{n}") for n in range(10)]
    for person in people:
        wrote(line, person, timezone.now())
    outgoing = [answer(line, person, f"k{person.pk}") for person in people]
    began = timezone.now()
    assert [o.send() for o in outgoing] == [None] * 10
    assert timezone.now() - began >= timedelta(seconds=9 / 20)


def test_a_line_whose_rate_is_used_up_for_long_makes_the_job_come_back(line, customer, cloud):
    slot = timezone.now() + timedelta(seconds=30)
    Line.objects.update(next_send_slot=slot)
    assert answer(line, customer).send() == slot
    assert cloud.sent == []


# Errors


@pytest.mark.parametrize("code", sorted(api.RETRYABLE))
def test_a_code_that_may_pass_is_tried_again_later(line, customer, cloud, code):
    cloud.answers.append(refused(code))
    outgoing = answer(line, customer)
    assert outgoing.send() > timezone.now()
    outgoing = fresh(outgoing)
    assert (outgoing.state, outgoing.error_code) == (State.WAITING, code)
    assert outgoing.send() is None
    assert fresh(outgoing).state == State.ACCEPTED
    assert fresh(outgoing).error_code is None


@pytest.mark.parametrize("code", [100, 190, 131005, 131008, 131009, 131026, 131047, 131051, 132000, 368])
def test_any_other_code_fails_at_once_with_meta_s_code_and_words(line, customer, cloud, code):
    cloud.answers.append(refused(code))
    outgoing = answer(line, customer)
    assert outgoing.send() is None
    outgoing = fresh(outgoing)
    assert (outgoing.state, outgoing.error_code) == (State.FAILED, code)
    assert f"details of {code}" in outgoing.error_words
    assert outgoing.send() is None
    assert len(cloud.sent) == 1


def test_the_channel_s_own_wish_to_wait_is_honoured(line, customer, cloud):
    cloud.answers.append(refused(80007, 429, **{"Retry-After": "300"}))
    assert answer(line, customer).send() > timezone.now() + timedelta(seconds=290)


def test_it_gives_up_after_ten_attempts(line, customer, cloud):
    cloud.answers += [refused(131016)] * 10
    outgoing = answer(line, customer)
    waits = [outgoing.send() for _ in range(10)]
    assert all(waits)
    assert outgoing.send() is None
    outgoing = fresh(outgoing)
    assert (outgoing.state, len(cloud.sent), outgoing.error_code) == (State.FAILED, 10, 131016)
    assert "tried 10 times" in outgoing.error_words


def test_a_call_that_never_left_is_tried_again_without_waiting_for_a_proof(line, customer, cloud):
    cloud.answers.append(breaks(httpx.ConnectError))
    outgoing = answer(line, customer)
    assert outgoing.send() < timezone.now() + timedelta(seconds=5)
    assert fresh(outgoing).state == State.WAITING


# Once


@pytest.mark.parametrize(
    "lost",
    [
        breaks(httpx.ReadTimeout),
        breaks(httpx.RemoteProtocolError),
        lambda request: httpx.Response(502, text="bad gateway"),
        lambda request: httpx.Response(200, text="not json"),
        lambda request: httpx.Response(200, json={"messages": []}),
    ],
)
def test_an_answer_that_was_lost_is_not_sent_again_before_the_grace_is_over(line, customer, cloud, lost):
    cloud.answers.append(lost)
    outgoing = answer(line, customer)
    back = outgoing.send()
    called_at = fresh(outgoing).called_at
    assert back == called_at + outbox.GRACE
    assert fresh(outgoing).state == State.CALLING
    assert outgoing.send() == back
    assert len(cloud.sent) == 1
    Outgoing.objects.update(called_at=called_at - outbox.GRACE)
    assert outgoing.send() is None
    assert len(cloud.sent) == 2
    assert fresh(outgoing).attempts == 2


def test_a_status_proves_an_acceptance_that_we_did_not_see(line, customer, cloud):
    cloud.answers.append(breaks(httpx.ReadTimeout))
    outgoing = answer(line, customer)
    outgoing.send()
    statuses(status("wamid.unseen", "delivered", biz_opaque_callback_data="answer-1"))
    proven = fresh(outgoing)
    assert (proven.state, proven.external_id) == (State.DELIVERED, "wamid.unseen")
    assert proven.accepted_at is not None
    Outgoing.objects.update(called_at=proven.called_at - outbox.GRACE)
    assert outgoing.send() is None
    assert len(cloud.sent) == 1


def test_a_worker_that_dies_between_the_call_and_the_commit_leaves_a_row_that_waits_for_the_proof(
    line, customer, cloud, monkeypatch
):
    def dies(*args):
        raise SystemExit("kill -9")

    outgoing = answer(line, customer)
    monkeypatch.setattr(outbox, "_accepted", dies)
    with pytest.raises(SystemExit):
        outgoing.send()
    monkeypatch.undo()
    left = fresh(outgoing)
    assert (left.state, left.attempts, left.external_id) == (State.CALLING, 1, "")
    assert outgoing.send() == left.called_at + outbox.GRACE
    statuses(status("wamid.out.1", "sent", biz_opaque_callback_data="answer-1"))
    assert fresh(outgoing).state == State.SENT
    assert len(cloud.sent) == 1


def test_the_attempt_is_committed_before_the_call(line, customer, cloud):
    seen = []

    def look(request):
        seen.append(Outgoing.objects.get().called_at)
        return cloud.accept(request)

    cloud.answers.append(look)
    answer(line, customer).send()
    assert seen[0] is not None


def test_a_status_of_another_line_with_our_key_proves_nothing(line, customer, cloud):
    other = Line.objects.create(
        channel="whatsapp", purpose="service", external_id="99", name="Service", display_address="+968 2"
    )
    outgoing = Outgoing.queue(line=other, address=customer, key="answer-1", text="x")
    statuses(status("wamid.x", "delivered", biz_opaque_callback_data="answer-1"))
    assert fresh(outgoing).state == State.WAITING
    assert StatusEvent.objects.get().outgoing is None


# Statuses


def accepted(line: Line, customer: Address) -> Outgoing:
    outgoing = answer(line, customer)
    outgoing.send()
    return fresh(outgoing)


def test_statuses_are_merged_whatever_their_order_and_kept_raw(line, customer, cloud):
    outgoing = accepted(line, customer)
    now = int(timezone.now().timestamp())
    statuses(status("wamid.out.1", "read", now + 3))
    assert fresh(outgoing).state == State.READ
    statuses(status("wamid.out.1", "sent", now + 1), status("wamid.out.1", "read", now + 3))
    outgoing = fresh(outgoing)
    assert outgoing.state == State.READ
    assert outgoing.sent_at == datetime.fromtimestamp(now + 1, UTC)
    assert outgoing.delivered_at is None
    assert outgoing.status_events.count() == 2


def test_a_status_that_comes_before_our_own_commit_is_merged_when_we_know_the_id(line, customer, cloud):
    outgoing = answer(line, customer)
    statuses(status("wamid.out.1", "delivered"))
    assert StatusEvent.objects.get().outgoing is None
    outgoing.send()
    assert fresh(outgoing).state == State.DELIVERED
    assert StatusEvent.objects.get().outgoing == outgoing


def test_a_status_that_slipped_between_is_joined_by_the_sweep(line, customer, cloud):
    outgoing = accepted(line, customer)
    statuses(status("wamid.other", "read"))
    StatusEvent.objects.update(external_id="wamid.out.1")
    assert outbox.merge_orphans(timezone.now()) == 1
    assert fresh(outgoing).state == State.READ
    assert outbox.merge_orphans(timezone.now()) == 0


def test_a_failure_told_by_webhook_is_recorded_with_code_and_words(line, customer, cloud):
    outgoing = accepted(line, customer)
    errors = [{"code": 131026, "title": "Message undeliverable", "error_data": {"details": "no WhatsApp"}}]
    statuses(status("wamid.out.1", "failed", errors=errors))
    outgoing = fresh(outgoing)
    assert (outgoing.state, outgoing.error_code) == (State.FAILED, 131026)
    assert outgoing.error_words == "131026: Message undeliverable: no WhatsApp"
    assert not outgoing.could_be_received


def test_a_failure_that_may_pass_told_by_webhook_is_sent_again(line, customer, cloud):
    outgoing = accepted(line, customer)
    waiting = len(waiting_jobs("send"))
    statuses(status("wamid.out.1", "failed", errors=[{"code": 131000, "title": "Something went wrong"}]))
    assert fresh(outgoing).state == State.WAITING
    assert len(waiting_jobs("send")) == waiting + 1
    outgoing.send()
    assert (fresh(outgoing).state, fresh(outgoing).external_id) == (State.ACCEPTED, "wamid.out.2")
    statuses(status("wamid.out.1", "failed", errors=[{"code": 131000}]))
    assert fresh(outgoing).state == State.ACCEPTED


def test_a_late_word_of_a_copy_that_failed_does_not_stop_the_one_in_its_place(line, customer, cloud):
    outgoing = accepted(line, customer)
    key = {"biz_opaque_callback_data": "answer-1"}
    statuses(status("wamid.out.1", "failed", errors=[{"code": 131000}], **key))
    statuses(status("wamid.out.1", "sent", **key))
    assert fresh(outgoing).state == State.WAITING
    statuses(status("wamid.out.1", "delivered", **key))  # it reached him after all: nothing more to send
    assert fresh(outgoing).state == State.DELIVERED


def test_a_failure_after_the_delivery_changes_nothing(line, customer, cloud):
    outgoing = accepted(line, customer)
    statuses(status("wamid.out.1", "delivered"), status("wamid.out.1", "failed", errors=[{"code": 131026}]))
    assert fresh(outgoing).state == State.DELIVERED
    assert outgoing.status_events.count() == 2


def test_every_step_is_told_inside_its_transaction(line, customer, cloud):
    told = []

    def listen(outgoing, **_):
        told.append((outgoing.state, transaction.get_connection().in_atomic_block))

    signals.outgoing_changed.connect(listen)
    try:
        accepted(line, customer)
        statuses(status("wamid.out.1", "sent"), status("wamid.out.1", "read"))
    finally:
        signals.outgoing_changed.disconnect(listen)
    assert told == [(State.ACCEPTED, True), (State.SENT, True), (State.READ, True)]


# What can be sent


def test_buttons_lists_and_images_have_the_cloud_api_s_shape(line, customer, cloud):
    buttons = [{"id": "yes", "title": "نعم"}, {"id": "no", "title": "لا"}]
    answer(line, customer, "b", kind="buttons", content={"buttons": buttons}).send()
    rows = [{"id": "1", "title": "Villa 12", "description": "Al Khuwair"}, {"id": "2", "title": "Farm"}]
    answer(line, customer, "c", kind="choices", content={"button": "اختر", "rows": rows}).send()
    sha256, _ = evidence.keep([b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"], limit=100)
    answer(line, customer, "i", kind="image", content={"sha256": sha256}).send()
    answer(line, customer, "l", kind="image", content={"link": "https://example.org/a.png"}).send()
    bodies = [body[body["type"]] for body in cloud.sent]
    assert bodies[0]["action"]["buttons"] == [{"type": "reply", "reply": b} for b in buttons]
    assert bodies[1] == {
        "type": "list",
        "body": {"text": "شكراً"},
        "action": {"button": "اختر", "sections": [{"rows": rows}]},
    }
    assert bodies[2] == {"id": "up1", "caption": "شكراً"}
    assert b"image/png" in cloud.uploaded[0]
    assert bodies[3] == {"link": "https://example.org/a.png", "caption": "شكراً"}


@pytest.mark.parametrize(
    ("kind", "text", "content", "words"),
    [
        ("text", "", {}, "text: missing or empty"),
        ("text", "x" * 4097, {}, "text: 4097 characters; WhatsApp takes 4096"),
        ("poem", "x", {}, "kind: 'poem' is none of"),
        ("buttons", "x", {}, "buttons: there may be 1 to 3"),
        ("buttons", "x", {"buttons": [{"id": str(n), "title": str(n)} for n in range(4)]}, "1 to 3"),
        ("buttons", "x", {"buttons": [{"id": "1", "title": "x" * 21}]}, "buttons[0].title: 21 characters"),
        ("buttons", "x", {"buttons": [{"id": "1", "title": "a"}, {"id": "1", "title": "b"}]}, "the same id"),
        ("buttons", "x", {"buttons": [{"id": "1"}]}, "buttons[0].title: missing"),
        ("buttons", "x", {"buttons": ["yes"]}, "buttons[0].id: missing"),
        ("choices", "x", {"rows": [{"id": "1", "title": "a"}]}, "button: missing"),
        (
            "choices",
            "x",
            {"button": "b", "rows": [{"id": str(n), "title": "a"} for n in range(11)]},
            "1 to 10",
        ),
        ("choices", "x", {"button": "b", "rows": [{"id": "1", "title": "x" * 25}]}, "rows[0].title: 25"),
        (
            "choices",
            "x",
            {"button": "b", "rows": [{"id": "1", "title": "x", "description": "d" * 73}]},
            "rows[0].description",
        ),
        ("image", "x", {}, "image: give either"),
        ("image", "x" * 1025, {"link": "https://example.org"}, "a caption may have 1024"),
        ("template", "x", {}, "template: missing"),
        ("text", "x", {"template": {"name": "a"}}, "template.language: missing"),
    ],
)
def test_what_whatsapp_cannot_carry_is_refused_when_it_is_queued(line, customer, kind, text, content, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Outgoing.queue(line=line, address=customer, key="k", text=text, kind=kind, content=content)
    assert not Outgoing.objects.exists()
