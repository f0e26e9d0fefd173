"""The third message without an answer goes to people (G8)."""

from datetime import datetime, timedelta

from django.db.models import Q

from rasd.channels.models import Incoming
from rasd.desk.models import Message
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


def _expects_answer(message: Message, at: datetime) -> bool:
    incoming = message.incoming
    if incoming is None:
        return False
    if incoming.kind in FILES:
        return message.at < at - LOOKED_AT_WITHIN
    return incoming.kind != Kind.TEXT or understand(incoming.text).expects_answer
