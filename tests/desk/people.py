"""Customers who write, and staff: rows as the doors and the admin make them."""

import itertools
from datetime import UTC, datetime, timedelta

from django.contrib.auth.models import User

from rasd.channels.models import Address, Delivery, Incoming, Line
from rasd.desk.models import Contact, Conversation, Employee, Message, Queue

NOON = datetime(2026, 11, 22, 8, tzinfo=UTC)  # a Sunday, noon in Muscat
_numbers = itertools.count(1)


def a_line(name: str = "Service") -> Line:
    return Line.objects.create(
        channel="whatsapp",
        purpose=Line.Purpose.SERVICE,
        external_id=f"line-{next(_numbers)}",
        name=name,
        display_address="+968 2400 0000",
    )


def an_address(name: str = "", *, phone: str | None = None) -> Address:
    phone = phone or f"+9689{next(_numbers):07}"
    return Address.objects.create(channel="whatsapp", phone=phone, profile_name=name, last_wrote_at=NOON)


def hears(line: Line, address: Address, text: str, *, at: datetime = NOON) -> Message:
    """A customer writes; the message is in its conversation."""
    delivery = Delivery.objects.create(channel="whatsapp", body=b"{}")
    incoming = Incoming.objects.create(
        line=line,
        address=address,
        delivery=delivery,
        external_id=f"wamid.{next(_numbers)}",
        kind=Incoming.Kind.TEXT,
        text=text,
        payload={},
        sent_at=at,
    )
    return Conversation.take_in(incoming)


def an_employee(name: str, **more: object) -> User:
    user = User.objects.create_user(name)
    Employee.objects.create(user=user, **more)
    return user


def a_queue(*people: User, name: str = "Service") -> Queue:
    queue = Queue.objects.create(name=name, answer_within=timedelta(hours=4))
    queue.people.set(people)
    return queue


def a_chat(language: str = "ar") -> Conversation:
    """One that has been opened, and in which nothing has been said."""
    return Conversation.objects.create(
        line=a_line(),
        address=an_address(phone="+96890000001"),
        contact=Contact.objects.create(name="سالم المثال"),
        opened_at=NOON,
        last_message_at=NOON,
        language=language,
    )
