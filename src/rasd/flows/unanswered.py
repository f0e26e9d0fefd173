"""What the machine left without an answer goes to people: the third message in a row (G8), and the one whose answer failed
for good (G7)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from rasd.channels.models import Incoming
from rasd.desk.models import HandOver, Message, Obligation
from rasd.flows.speaking import hand_over, hold
from rasd.language import understand

MESSAGES_ALLOWED = 2
"""That expect an answer, in a row, before a person has the conversation."""

ANSWER_GOES_OUT_WITHIN = timedelta(minutes=2)
"""After which an answer that still lies in the outbox is none: the channel is down, or refuses it."""

LOOKED_AT_WITHIN = timedelta(minutes=2)
"""In which a file is fetched, looked at and answered; several at once are one matter."""

Kind = Incoming.Kind
SAYS_NOTHING = [Kind.REACTION, Kind.REVOCATION, Kind.SYSTEM, Kind.STICKER]
FILES = [Kind.IMAGE, Kind.DOCUMENT]


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

    Nothing where he was told something else since, or will be; where people have the conversation, or owe an answer in it,
    already, or have settled that very message; where he had written nothing that expects an answer; and where ``failed`` was
    sent again meanwhile.
    """
    conversation = failed.conversation
    with transaction.atomic():
        hold(conversation)
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
        told = conversation.messages.filter(outgoing__isnull=False, outgoing__failed_at=None)
        if not told.filter(pk__gt=asked.pk).exists():
            why = "the answer could not be delivered"
            hand_over(conversation, asked, wish=HandOver.Wish.MACHINE, why=why, at=at)


def _expects_answer(message: Message, at: datetime) -> bool:
    incoming = message.incoming
    if incoming is None:
        return False
    if incoming.kind in FILES:
        return message.at < at - LOOKED_AT_WITHIN
    return incoming.kind != Kind.TEXT or understand(incoming.text).expects_answer
