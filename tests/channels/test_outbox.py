"""The outbox: written first, sent in order, within the limits, and once."""

import pytest
from django.db import transaction
from django.utils import timezone
from doors import deliver, envelope, waiting_jobs, wrote

from rasd.channels.models import Address, Incoming, Line, Outgoing

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
