"""From what happens to who wants to be told of it: written in the transaction in which it became true, so no crash loses one."""

from datetime import datetime
from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from rasd.api import telling
from rasd.api.models import Event
from rasd.channels.models import Outgoing
from rasd.channels.signals import outgoing_changed
from rasd.desk.models import Case, CaseEntry, Conversation, Message, Obligation
from rasd.desk.signals import obligation_changed

OWED = {
    "obligation.owed": Event.OBLIGATION_OWED,
    "obligation.owed_again": Event.OBLIGATION_OWED,
    "obligation.given": Event.OBLIGATION_GIVEN,
    "obligation.moved": Event.OBLIGATION_GIVEN,
    "obligation.answered": Event.OBLIGATION_DISCHARGED,
    "obligation.waived": Event.OBLIGATION_DISCHARGED,
    "obligation.done": Event.OBLIGATION_DISCHARGED,
}
"""The ledger's words for what happened to an obligation, as subscribers know it."""

HISTORY = {
    CaseEntry.Kind.OPENED: Event.CASE_OPENED,
    CaseEntry.Kind.STAGE: Event.CASE_STAGE,
    CaseEntry.Kind.CLOSING: Event.CASE_STAGE,
    CaseEntry.Kind.FAILED: Event.CASE_STAGE,
    CaseEntry.Kind.REOPENED: Event.CASE_STAGE,
    CaseEntry.Kind.CLOSED: Event.CASE_CLOSED,
    CaseEntry.Kind.RATED: Event.CASE_RATED,
}


@receiver(post_save, sender=Message)
def tell_what_came(sender: Any, instance: Message, created: bool, raw: bool = False, **_: Any) -> None:
    if created and not raw and instance.incoming_id:
        telling.tell(Event.MESSAGE_RECEIVED, instance, at=instance.at)


@receiver(outgoing_changed)
def tell_what_was_sent(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    """Once, when the channel has taken it: before that the customer could not have it."""
    if outgoing.could_be_received and (message := Message.objects.filter(outgoing=outgoing).first()):
        telling.tell(Event.MESSAGE_SENT, message, at=outgoing.accepted_at or outgoing.created_at)


@receiver(post_save, sender=Conversation)
def tell_that_it_opened_or_closed(
    sender: Any,
    instance: Conversation,
    created: bool,
    raw: bool = False,
    update_fields: frozenset[str] | None = None,
    **_: Any,
) -> None:
    if raw:
        return
    if created:
        telling.tell(Event.CONVERSATION_OPENED, instance, at=instance.opened_at)
    elif update_fields and "closed_at" in update_fields:
        event = Event.CONVERSATION_CLOSED if instance.closed_at else Event.CONVERSATION_REOPENED
        at = instance.closed_at or timezone.now()
        telling.tell(event, instance, at=at, again=at.isoformat())


@receiver(obligation_changed)
def tell_what_is_owed(sender: Any, obligation: Obligation, action: str, **_: Any) -> None:
    now = timezone.now()
    if event := OWED.get(action):
        telling.tell(event, obligation, at=now, again=now.isoformat(), action=action)
    tell_if_late(obligation, now)


def tell_if_late(obligation: Obligation, at: datetime) -> None:
    """Once for each time that it had."""
    if obligation.discharged_at is None and obligation.is_late(at):
        due = obligation.due_at
        telling.tell(Event.OBLIGATION_LATE, obligation, at=due, again=due.isoformat())


@receiver(post_save, sender=CaseEntry)
def tell_how_a_case_goes_on(
    sender: Any, instance: CaseEntry, created: bool, raw: bool = False, **_: Any
) -> None:
    event = HISTORY.get(CaseEntry.Kind(instance.kind))
    if created and not raw and event:
        # A closing answer is written a moment before the stage that comes of it.
        stage = Case.Stage.ANSWERED if instance.kind == CaseEntry.Kind.CLOSING else instance.case.stage
        more: dict[str, Any] = {"entry": instance.pk, "stage": str(stage)}
        telling.tell(event, instance.case, at=instance.at, again=str(instance.pk), **more)
