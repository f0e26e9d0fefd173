"""Rows with all that their shapes say, in a number of queries that does not depend on how many rows there are."""

from datetime import datetime
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Prefetch, QuerySet

from rasd.api.problems import Problem
from rasd.api.shapes import (
    CaseOut,
    ConversationOut,
    MessageOut,
    ObligationOut,
)
from rasd.desk.models import Case, Conversation, HandOver, HeldAnswer, Message, Obligation, Rating


def whole_conversations(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    open_answers = Obligation.objects.open().filter(kind=Obligation.Kind.ANSWER)
    standing = HandOver.objects.filter(conversation=OuterRef("pk"), ended_at=None)
    return (
        rows.select_related("line", "contact", "address", "standing_claim__holder")
        .annotate(with_people=Exists(standing))
        .prefetch_related(
            Prefetch("obligations", open_answers.select_related("queue", "owner"), to_attr="open_answers"),
            Prefetch(
                "held_answers", HeldAnswer.objects.filter(outcome="").order_by("pk"), to_attr="undecided"
            ),
        )
    )


def whole_messages(rows: QuerySet[Message]) -> QuerySet[Message]:
    return rows.select_related("incoming__media", "outgoing", "author").defer("search")


def whole_cases(rows: QuerySet[Case]) -> QuerySet[Case]:
    work = Obligation.objects.open().filter(kind=Obligation.Kind.WORK).select_related("queue", "owner")
    return rows.select_related("kind", "contact").prefetch_related(
        Prefetch("obligations", work, to_attr="open_work"),
        Prefetch("ratings", Rating.objects.select_related("closing"), to_attr="rated"),
    )


def whole_obligations(rows: QuerySet[Obligation]) -> QuerySet[Obligation]:
    return rows.select_related("queue", "owner", "waived_by")


def of_conversation(pk: int, at: datetime) -> ConversationOut:
    return ConversationOut.of(whole_conversations(Conversation.objects.all()).get(pk=pk), at)


def of_message(pk: int) -> MessageOut:
    return MessageOut.of(whole_messages(Message.objects.all()).get(pk=pk))


def of_case(pk: int, at: datetime) -> CaseOut:
    return CaseOut.of(whole_cases(Case.objects.all()).get(pk=pk), at)


def of_obligation(pk: int, at: datetime) -> ObligationOut:
    return ObligationOut.of(whole_obligations(Obligation.objects.all()).get(pk=pk), at)


Row = TypeVar("Row", bound=Model)


def the(rows: QuerySet[Row], pk: int, what: str) -> Row:
    """That one of ``rows``; Problem 404 where there is none that this token may see."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Problem(
            404, "not-found", f"there is no {what} {pk}, or this token may not see it", title="Not found"
        )
    return found


def promises_made(conversation: Conversation | None, keeps: list[int]) -> None:
    """Raises Problem 422 where ``keeps`` names what is no promise made to the customer of ``conversation``."""
    if keeps:
        contact = conversation.contact_id if conversation else None
        made = Obligation.objects.filter(kind=Obligation.Kind.PROMISE, conversation__contact=contact)
        for pk in keeps:
            named(made, pk, "keeps")


def named(rows: QuerySet[Row], pk: int, field: str) -> Row:
    """That one of ``rows`` which a field of the body names; Problem 422 where there is none that this token may see."""
    found = rows.filter(pk=pk).first()
    if found is None:
        words = f"there is no {field} {pk}, or this token may not see it"
        raise Problem(422, "invalid", words, field=field)
    return found
