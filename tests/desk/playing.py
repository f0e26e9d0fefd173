"""A desk to play with: queues, people with hours, customers who write, answers that arrive or do not. Time is given, never now.

What follows by itself is done by :meth:`Desk.tick`, as a worker does each minute.
"""

import itertools
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta

from django.contrib.auth.models import Group, User

from rasd.channels.models import Address, Delivery, Incoming, Line
from rasd.channels.signals import outgoing_changed
from rasd.desk import assigning
from rasd.desk.models import (
    Calendar,
    Contact,
    Conversation,
    Employee,
    Message,
    Obligation,
    OpenSpan,
    Queue,
    Skill,
)
from rasd.ledger.models import Entry

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)
"""Ten in the morning in Muscat (UTC+4), a working day."""

OFFICE = ((time(8), time(16)),)
WORKING_DAYS = (6, 0, 1, 2, 3)  # Sunday to Thursday
HALF_AN_HOUR = timedelta(minutes=30)


class Desk:
    def __init__(self) -> None:
        self.count = itertools.count(1)
        self.line = Line.objects.create(
            channel="whatsapp", purpose="service", external_id="100", name="Service", display_address="+968"
        )
        self.delivery = Delivery.objects.create(channel="whatsapp", body=b"{}")

    def queue(self, name: str = "Questions", *, within: timedelta = HALF_AN_HOUR, **more: object) -> Queue:
        return Queue.objects.create(name=name, answer_within=within, **more)

    def hours(
        self,
        name: str = "office",
        spans: Sequence[tuple[time, time]] = OFFICE,
        days: Iterable[int] = WORKING_DAYS,
        zone: str = "Asia/Muscat",
    ) -> Calendar:
        calendar = Calendar.objects.create(name=name, zone=zone)
        for day in days:
            for opens, closes in spans:
                OpenSpan.objects.create(calendar=calendar, weekday=day, opens=opens, closes=closes)
        return calendar

    def employee(
        self,
        name: str,
        *queues: Queue,
        calendar: Calendar | None = None,
        languages: Sequence[str] = ("ar", "en"),
        capacity: int = 8,
        skills: Iterable[Skill] = (),
        roles: Iterable[str] = (),
    ) -> Employee:
        user = User.objects.create_user(name, email=f"{name}@utility.example")
        user.groups.set(Group.objects.filter(name__in=roles))
        employee = Employee.objects.create(
            user=user, calendar=calendar, languages=list(languages), capacity=capacity
        )
        employee.skills.set(skills)
        user.queues.set(queues)
        return employee

    def conversation(self, language: str = "ar", at: datetime = MONDAY) -> Conversation:
        address = Address.objects.create(
            channel="whatsapp", phone=f"+9689{next(self.count):07}", last_wrote_at=at
        )
        return Conversation.objects.create(
            line=self.line,
            address=address,
            contact=Contact.objects.create(name="زبون المثال"),
            language=language,
            opened_at=at,
            last_message_at=at,
        )

    def writes(self, conversation: Conversation, at: datetime) -> Message:
        incoming = Incoming.objects.create(
            line=self.line,
            address=conversation.address,
            delivery=self.delivery,
            external_id=f"wamid.{next(self.count)}",
            kind="text",
            text="متى تُقرأ عداداتنا؟",
            payload={},
            sent_at=at,
        )
        return Conversation.take_in(incoming)

    def owed(
        self,
        queue: Queue,
        at: datetime = MONDAY,
        *,
        language: str = "ar",
        conversation: Conversation | None = None,
    ) -> Obligation:
        """A customer asks something."""
        conversation = conversation or self.conversation(language, at)
        return conversation.owe(self.writes(conversation, at), queue=queue)

    def answer(
        self,
        conversation: Conversation,
        author: User,
        at: datetime,
        *,
        arrives: bool | None = True,
        keeps: Collection[int] = (),
    ) -> Message:
        """An employee answers, and keeps promises with it; it arrives, fails, or (None) lies in the outbox."""
        key = str(next(self.count))
        message = conversation.reply("غدًا صباحًا", author=author, key=key, at=at, keeps=keeps)
        if arrives is not None:
            self.outcome(message, at, arrives=arrives)
        return message

    def outcome(self, message: Message, at: datetime, *, arrives: bool) -> None:
        sent = message.outgoing
        assert sent is not None
        if arrives:
            sent.accepted_at = at
        else:
            sent.failed_at = at
        sent.save()
        outgoing_changed.send(sender=type(sent), outgoing=sent)

    def tick(self, at: datetime) -> dict[str, int]:
        return assigning.tick(at)


def owner_of(obligation: Obligation) -> str | None:
    obligation.refresh_from_db()
    return obligation.owner.get_username() if obligation.owner else None


def queue_of(obligation: Obligation) -> str:
    obligation.refresh_from_db()
    return obligation.queue.name


def entries(obligation: Obligation) -> list[Entry]:
    return list(Entry.objects.filter(subject=str(obligation)).order_by("number"))


def told(obligation: Obligation) -> list[str]:
    return [entry.action.removeprefix("obligation.") for entry in entries(obligation)]
