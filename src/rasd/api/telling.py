"""One event for each who wants it and may read what it is about: a row now, sent by a job."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from rasd.api import reading
from rasd.api.models import ApiToken, Event, WebhookDelivery, WebhookSubscription
from rasd.api.shapes import CaseOut, ConversationOut, MessageOut, ObligationOut
from rasd.desk.models import Case, Conversation, Message, Obligation

OVERLAP = timedelta(minutes=10)

Subject = Message | Conversation | Obligation | Case


def tell(event: Event, subject: Subject, *, at: datetime, again: str = "", **more: Any) -> None:
    """Write it down for whoever is to be told, in the caller's transaction. Where nobody is, that costs one query.

    Args:
        again: what tells it from the same event of the same subject at another time; empty: it happens once.
        more: beside what the subject is now, in the event's ``data``.
    """
    now = timezone.now()
    wanting = list(WebhookSubscription.wanting(event, now))
    wanting = [each for each in wanting if _may_read(each.token, subject)]
    if not wanting:
        return
    name, shape = _shaped(subject, now)
    data = {name: shape, **more}
    key = f"{event}:{subject.pk}:{again}" if again else f"{event}:{subject.pk}"
    rows = [
        WebhookDelivery(
            subscription=each,
            event=event,
            key=key,
            about=f"{name}:{subject.pk}",
            at=at,
            since=now,
            data=data,
        )
        for each in wanting
    ]
    WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
    for each in wanting:
        each.send_later()


def tell_late(at: datetime) -> int:
    """What became late since the last look, for those who want to know; how many subscriptions were looked after.

    Looks back over ``OVERLAP`` too: a row may have been committed after its time was over and after the last look.
    """
    from rasd.api.receivers import tell_if_late

    wanting = list(WebhookSubscription.wanting(Event.OBLIGATION_LATE, at))
    if not wanting:
        return 0
    since = min(each.late_until for each in wanting) - OVERLAP
    rows = Obligation.objects.open().filter(running_since__isnull=False, due_at__gt=since, due_at__lt=at)
    for owed in rows.order_by("due_at"):
        tell_if_late(owed, at)
    WebhookSubscription.objects.filter(pk__in=[each.pk for each in wanting]).update(late_until=at)
    return len(wanting)


def _may_read(token: ApiToken, subject: Subject) -> bool:
    """Within the token's lines and queues. What has only just come lies in no queue yet, and is told of by what is owed."""
    if not token.is_limited:
        return True
    rows: QuerySet[Any] = {
        Message: token.messages,
        Conversation: token.conversations,
        Obligation: token.obligations,
        Case: token.cases,
    }[type(subject)]()
    return rows.filter(pk=subject.pk).exists()


def _shaped(subject: Subject, now: datetime) -> tuple[str, dict[str, Any]]:
    """As the API's own address for it would say."""
    shape: MessageOut | ConversationOut | ObligationOut | CaseOut
    match subject:
        case Message():
            name, shape = "message", reading.of_message(subject.pk)
        case Conversation():
            name, shape = "conversation", reading.of_conversation(subject.pk, now)
        case Obligation():
            name, shape = "obligation", reading.of_obligation(subject.pk, now)
        case Case():
            name, shape = "case", reading.of_case(subject.pk, now)
    return name, shape.model_dump(mode="json")
