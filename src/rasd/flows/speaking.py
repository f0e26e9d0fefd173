"""How the machine speaks in a conversation, and how it falls silent."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from django.utils import translation

from rasd.channels.models import Incoming
from rasd.desk.models import Conversation, HandOver, Message, Obligation, Queue
from rasd.flows import words
from rasd.flows.live import announce, said_in
from rasd.flows.models import Dialogue

log = structlog.get_logger("rasd.flows")

PLACE_TOLD = "with-person:"  # begins the key of what tells somebody his place in the line


@contextmanager
def logging_of(conversation: Conversation) -> Iterator[None]:
    """Every line logged inside carries the conversation's id."""
    with structlog.contextvars.bound_contextvars(conversation_id=conversation.pk):
        yield


def hold(conversation: Conversation) -> None:
    """Nobody else changes what is said and owed in it until this transaction ends.

    First of all that a transaction locks, before anything is written to the ledger, as everybody does: two who wait for each
    other would wait for ever (see :meth:`Obligation.hold`).
    """
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)


def say(
    conversation: Conversation,
    message: words.Say,
    *,
    key: str,
    at: datetime,
    answers: Incoming | None = None,
    of_hand_over: bool = False,
) -> Message | None:
    """Queue ``message``; None where people have the conversation (G8)."""
    announce(*said_in(conversation))
    said = conversation.say(
        message.text,
        key=key,
        at=at,
        kind=message.kind,
        content=message.content,
        answers=answers,
        of_hand_over=of_hand_over,
    )
    log.info("said" if said else "silent, people have it", key=key)
    return said


def hand_over(
    conversation: Conversation,
    message: Message,
    *,
    wish: str,
    why: str,
    at: datetime,
    queue: Queue | None = None,
) -> None:
    """To people at once, with the place and the time told (G8), and an answer owed (G7).

    Where people have it already, no robot says so again; but who asks for a person and was not told the place is told it.

    Args:
        queue: whose it is; the first line's where none is named.
    """
    queue = queue or Queue.standing(Queue.Purpose.FIRST_LINE)
    if standing := conversation.standing_hand_over:
        owed = conversation.owe(message, queue=queue)
        told = conversation.messages.filter(outgoing__key__startswith=PLACE_TOLD, at__gte=standing.at)
        if wish == HandOver.Wish.CUSTOMER != standing.wish != HandOver.Wish.STAFF and not told.exists():
            _tell_place(conversation, message, owed, at=at)
        return
    actor = (
        f"customer:{conversation.address.identifier}" if wish == HandOver.Wish.CUSTOMER else "machine:flows"
    )
    conversation.hand_over(wish=wish, why=why, at=at, actor=actor)
    log.info("handed over", wish=str(wish), why=why)
    obligation = conversation.owe(message, queue=queue)
    if obligation.home != queue:
        # A photograph waited for a reviewer; its sender wants a person.
        obligation.move(queue, at=message.at, actor=actor, why=why)
    dialogue_of(conversation).expect(Dialogue.Expecting.NOTHING, at=at)
    _tell_place(conversation, message, obligation, at=at)


def _tell_place(conversation: Conversation, message: Message, owed: Obligation, *, at: datetime) -> None:
    queue = owed.queue
    with translation.override(conversation.language):
        wait = queue.honest_wait(at, target=queue.target(conversation.line, owed.matter))
        told = words.with_person(queue.place_of(owed), wait, at)
    say(conversation, told, key=f"{PLACE_TOLD}{message.pk}", at=at, of_hand_over=True)


def dialogue_of(conversation: Conversation) -> Dialogue:
    return Dialogue.objects.get_or_create(conversation=conversation)[0]
