"""What the machine left without an answer goes to people: the third message in a row (G8), and the one whose answer failed
for good (G7)."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from rasd.channels.models import Address, Incoming
from rasd.desk.errors import GoesOnElsewhere
from rasd.desk.models import Conversation, HandOver, Message, Obligation
from rasd.flows.speaking import hand_over, hold
from rasd.language import understand

MACHINE = "machine:flows"

MESSAGES_ALLOWED = 2
"""That expect an answer, in a row, before a person has the conversation."""

ANSWER_GOES_OUT_WITHIN = timedelta(minutes=2)
"""After which an answer that still lies in the outbox is none: the channel is down, or refuses it."""

LOOKED_AT_WITHIN = timedelta(minutes=2)
"""In which a file is fetched, looked at and answered; several at once are one matter."""

Kind = Incoming.Kind
SAYS_NOTHING = frozenset({Kind.REACTION, Kind.REVOCATION, Kind.SYSTEM, Kind.STICKER})
"""Seen by people in the conversation; no answer is expected."""

FILES = frozenset({Kind.IMAGE, Kind.DOCUMENT})
"""Answered when their file has been fetched and looked at."""


def is_one_too_many(message: Message, *, at: datetime) -> bool:
    """Whether more than ``MESSAGES_ALLOWED`` that expect an answer stand, ``message`` the last of them, since anything that
    the customer could read was said to him; by a person, or by the machine."""
    said = message.conversation.messages.filter(outgoing__isnull=False, outgoing__failed_at=None)
    out = Q(outgoing__accepted_at__isnull=False) | Q(outgoing__created_at__gt=at - ANSWER_GOES_OUT_WITHIN)
    last = said.filter(out).order_by("-at", "-pk").first()
    since = message.conversation.messages.filter(incoming__isnull=False).exclude(
        incoming__kind__in=SAYS_NOTHING
    )
    if last is not None:
        since = since.filter(at__gt=last.at)
    if since.count() <= MESSAGES_ALLOWED or not _expects_answer(message, at):
        return False
    return sum(_expects_answer(each, at) for each in since.select_related("incoming")) > MESSAGES_ALLOWED


def owe_what_failed(failed: Message, *, at: datetime) -> None:
    """``failed``, by the machine, could not be delivered: a person owes an answer to what the customer wrote last before it.

    Where it has been closed meanwhile it is opened again; where the customer has written since, which opened another, that
    one has it.

    Nothing where he was told something else since, or will be; where people have the conversation, or owe an answer in it,
    already, or have settled that very message; where he had written nothing that expects an answer; and where ``failed`` was
    sent again meanwhile.
    """
    conversation = failed.conversation
    with transaction.atomic():
        hold_open(conversation)
        if failed.outgoing is None or failed.outgoing.failed_at is None:
            return
        if conversation.is_with_people or conversation.owed:
            return
        written = conversation.messages.filter(incoming__isnull=False, pk__lt=failed.pk)
        asked = written.exclude(incoming__kind__in=SAYS_NOTHING).select_related("incoming").last()
        if asked is None or asked.incoming is None or Obligation.objects.filter(message=asked).exists():
            return
        of_text = asked.incoming.kind == Kind.TEXT and asked.incoming_id != failed.outgoing.replies_to_id
        if of_text and not understand(asked.incoming.text).expects_answer:
            return
        newer = conversation.goes_on_in if conversation.closed_at else None
        place = newer or conversation
        told = Message.objects.filter(outgoing__isnull=False, outgoing__failed_at=None, pk__gt=asked.pk)
        if told.filter(conversation__in=[conversation, place]).exists():
            return
        if newer is None:
            conversation.reopen(at=at, actor=MACHINE)
        elif newer.is_with_people or newer.owed:
            return
        else:
            asked = newer.messages.filter(incoming__isnull=False).order_by("pk").last() or asked
        why = "the answer could not be delivered"
        hand_over(place, asked, wish=HandOver.Wish.MACHINE, why=why, at=at)


def open_where_owed(failed: Message, *, at: datetime) -> None:
    """``failed``, by an employee, could not be delivered, and what it answered is owed again: where its conversation has been
    closed meanwhile, it is opened again. Where the customer has written since, the next answer there answers that too."""
    with transaction.atomic():
        hold_open(failed.conversation)
        if failed.conversation.obligations.open().exists():
            with suppress(GoesOnElsewhere):
                failed.conversation.reopen(at=at, actor=MACHINE)


def hold_open(conversation: Conversation) -> None:
    """As :func:`hold`, and nobody closes it or opens another: the address is locked first, as whoever takes a message in does."""
    Address.objects.select_for_update().get(pk=conversation.address_id)
    hold(conversation)
    conversation.refresh_from_db(fields=["closed_at"])


def _expects_answer(message: Message, at: datetime) -> bool:
    incoming = message.incoming
    if incoming is None:
        return False
    if incoming.kind in FILES:
        return message.at < at - LOOKED_AT_WITHIN
    return incoming.kind != Kind.TEXT or understand(incoming.text).expects_answer
