"""G8: the third message without an answer goes to people."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from rasd.channels.errors import ChannelError
from rasd.channels.models import Outgoing
from rasd.channels.signals import outgoing_changed
from rasd.channels.whatsapp import api
from rasd.desk.models import Conversation, Employee, HandOver, Notice, Obligation
from tests.flows.conftest import Customer, shows
from tests.jobs import do_jobs

pytestmark = pytest.mark.django_db


def fail_all() -> None:
    """The channel refused whatever was said: the customer has read none of it."""
    Outgoing.objects.filter(failed_at=None).update(failed_at="2026-11-20T08:00:00Z", accepted_at=None)


def test_g8_a_third_message_that_nothing_readable_was_said_to_is_a_persons(customer: Customer):
    for question in ("hello, can you hear me?", "good morning to you"):
        customer.says(question)
        fail_all()
        assert not HandOver.objects.exists()
    customer.says("hello, good evening to you")
    assert HandOver.objects.get().why == "a third message without an answer"
    assert Obligation.objects.get().queue.purpose == "first_line"


def test_g8_where_the_machine_answers_each_no_third_one_goes_to_people(customer: Customer):
    for _ in range(4):
        customer.says("hello, can you hear me?")
    assert not HandOver.objects.exists()


def test_g8_an_answer_that_lies_in_the_outbox_for_long_is_none(customer: Customer):
    for minute, question in enumerate(
        ("hello, can you hear me?", "good morning to you", "hello, good evening to you")
    ):
        customer.clock.shift(timedelta(minutes=3 * minute))
        customer.deliver({"type": "text", "text": {"body": question}})
        do_jobs(queues={"inbox", "flows"})
    assert HandOver.objects.get().why == "a third message without an answer"


def test_g8_three_quick_messages_are_not_without_an_answer_while_theirs_are_on_their_way(customer: Customer):
    for question in ("hello, can you hear me?", "good morning to you", "hello, good evening to you"):
        customer.deliver({"type": "text", "text": {"body": question}})
    do_jobs()
    assert "third message" not in "".join(HandOver.objects.values_list("why", flat=True))


def test_g7_what_the_machine_could_not_tell_is_owed_by_people_and_once(customer: Customer, monkeypatch):
    def refuse(line, body):
        raise ChannelError("131026: Message undeliverable", code=131026, permanent=True)

    monkeypatch.setattr(api, "send", refuse)
    customer.says("كم فاتورتي هذا الشهر؟")
    owed = customer.conversation.owed
    assert owed is not None
    assert (owed.message.words, owed.queue.purpose) == (
        "كم فاتورتي هذا الشهر؟",
        "first_line",
    )
    assert HandOver.objects.get().why == "the answer could not be delivered"
    customer.says("هل من أحد؟")
    assert Obligation.objects.get() == owed


def fails(outgoing: Outgoing) -> None:
    """The channel took it, and says later that it could not be delivered."""
    Outgoing.objects.filter(pk=outgoing.pk).update(failed_at="2026-11-20T08:05:00Z", error_code=131026)
    outgoing_changed.send(sender=Outgoing, outgoing=Outgoing.objects.get(pk=outgoing.pk))
    do_jobs()


def closed(customer: Customer) -> Conversation:
    conversation = customer.conversation
    conversation.close(at=conversation.last_message_at, actor="user:salma")
    return conversation


def test_g7_an_answer_that_fails_once_all_is_closed_is_owed_where_somebody_can_answer(customer: Customer):
    customer.says("كم فاتورتي هذا الشهر؟")
    conversation = closed(customer)
    fails(Outgoing.objects.get())
    conversation.refresh_from_db()
    assert conversation.closed_at is None
    assert conversation.owed is not None


def test_g7_nor_is_it_owed_in_the_closed_one_where_the_customer_has_written_since(customer: Customer):
    [answer] = customer.says("كم فاتورتي هذا الشهر؟")
    before = closed(customer)
    assert not customer.says("شكرا")
    fails(answer)
    newer = Conversation.objects.get(closed_at=None)
    assert before.owed is None
    assert newer.owed is not None


@pytest.fixture
def salma(db) -> User:
    user = User.objects.create_user("salma")
    Employee.objects.create(user=user)
    return user


def answered(customer: Customer, salma: User) -> Outgoing:
    """By an employee; the channel took it."""
    customer.says("أريد التحدث مع موظف")
    conversation = customer.conversation
    message = conversation.reply("تفضل", author=salma, key="k", at=conversation.last_message_at)
    do_jobs()
    assert conversation.owed is None
    return message.outgoing


def test_whose_answer_failed_is_told_once(customer: Customer, salma):
    sent = answered(customer, salma)
    for _again in range(2):
        fails(sent)
    assert [(told.to, told.conversation) for told in Notice.objects.filter(kind="failed")] == [
        (salma, customer.conversation)
    ]


def test_g7_what_is_owed_again_opens_what_was_closed(customer: Customer, salma):
    sent = answered(customer, salma)
    conversation = closed(customer)
    fails(sent)
    conversation.refresh_from_db()
    assert conversation.closed_at is None
    assert conversation.owed is not None


def test_g7_what_is_owed_again_in_a_closed_one_is_answered_in_the_one_that_is_open(customer: Customer, salma):
    sent = answered(customer, salma)
    before = closed(customer)
    customer.says("شكرا")
    fails(sent)
    assert before.owed is not None
    newer = Conversation.objects.get(closed_at=None)
    newer.reply("تفضل", author=salma, key="k2", at=newer.last_message_at)
    do_jobs()
    assert not Obligation.objects.open().exists()


def test_an_answer_that_fails_after_another_was_received_is_owed_by_nobody(customer: Customer):
    customer.says("hello, can you hear me?")
    [first, *_] = Outgoing.objects.order_by("pk")
    customer.conversation.say("and welcome", key="more", at=customer.conversation.last_message_at)
    do_jobs()
    Outgoing.objects.filter(pk=first.pk).update(failed_at="2026-11-20T08:00:00Z", accepted_at=None)
    outgoing_changed.send(sender=Outgoing, outgoing=Outgoing.objects.get(pk=first.pk))
    assert "not_delivered" in do_jobs()
    assert not Obligation.objects.exists()


def test_g8_thanks_and_photographs_being_looked_at_are_not_messages_without_an_answer(
    customer: Customer, point
):
    customer.deliver(*[customer.photograph(shows("04480")) for _ in range(3)])
    do_jobs(queues={"inbox", "flows"})
    assert not HandOver.objects.exists()
    customer.says("thanks")
    assert not HandOver.objects.exists()
