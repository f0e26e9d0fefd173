"""What the customer does in a case: methods of :class:`Case`, kept apart as they are one concern."""

from datetime import datetime
from typing import TYPE_CHECKING

from rasd.desk.errors import NotInThisStage
from rasd.desk.models import case_work
from rasd.desk.models.case_records import CaseEntry, Rating
from rasd.desk.models.conversations import Message

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case

Kind = CaseEntry.Kind


def hear(
    case: "Case",
    text: str,
    *,
    at: datetime,
    expects_answer: bool,
    message: Message | None = None,
    key: str | None = None,
) -> "Case":
    """The customer wrote: in the conversation (``message``), or on the page (``key``, which the page makes).

    It is shown in the case, and it is our turn again. Where it expects an answer, a closed case is reopened within 14
    days; what was written on the page is owed one from the case's own queue.

    Returns:
        The case that it is in: this one, or a new one where it was closed too long ago.
    """
    with case._held():
        if known := _known(case, message, key):
            return known.case
        if case.stage == case.Stage.CLOSED and expects_answer and not case.may_reopen(at):
            return _begin_anew(case, text, at=at, message=message, key=key)
        case._write(
            Kind.HEARD,
            at=at,
            actor=case.customer,
            text=text,
            public=True,
            message=message,
            key=key,
            expects_answer=expects_answer,
        )
        if message is None:
            case.give_link(at=at, actor=case.customer)
        elif (
            message.conversation_id != case.conversation_id
        ):  # the one before was closed: answers go where he is now
            case.conversation = message.conversation
            case.save(update_fields=["conversation"])
        if case.stage == case.Stage.CUSTOMER:
            case._standing_work().resume(at=at, actor=case.customer)
            case._go(case.Stage.WORKING, at=at, actor=case.customer)
        elif case.stage == case.Stage.CLOSED and expects_answer:
            case.reopen(at=at, actor=case.customer, why="the customer replied")
        if message is None and expects_answer:
            case_work.owe_answer(case, text, at=at)
        return case


def rate(case: "Case", score: int, words: str = "", *, at: datetime) -> Rating:
    """What the customer says of the last closing; said again, the last word counts.

    Raises:
        ValueError: there is no such score.
        NotInThisStage: it was never closed, so there is nothing to rate.
    """
    if score not in Rating.Score:
        raise ValueError(f"score: one of {', '.join(map(str, Rating.Score.values))}, not {score}")
    with case._held():
        closing = case.entries.filter(kind=Kind.CLOSING).last()
        if closing is None:
            raise NotInThisStage("it was not closed yet: there is nothing to rate")
        before = Rating.objects.filter(closing=closing).first()
        words = words.strip() or (before.words if before else "")
        if before and (before.score, before.words) == (score, words):
            return before
        rating, _made = Rating.objects.update_or_create(
            closing=closing, defaults={"case": case, "score": score, "words": words, "at": at}
        )
        case._write(
            Kind.RATED, at=at, actor=case.customer, text=words, public=True, facts={"score": int(score)}
        )
        return rating


def _known(case: "Case", message: Message | None, key: str | None) -> CaseEntry | None:
    if message is not None:
        return case.entries.filter(message=message).first()
    # Wherever it landed: what is written on the page of a case closed long ago stands in a newer one.
    return CaseEntry.objects.filter(key=key).select_related("case").first() if key else None


def _begin_anew(case: "Case", text: str, *, at: datetime, message: Message | None, key: str | None) -> "Case":
    """A new case of the same matter, or the one that was begun so already and is open."""
    if case.contact_id and case.closed_at:
        same = case.__class__.objects.open().filter(
            contact=case.contact_id,
            kind=case.kind_id,
            service_point=case.service_point,
            opened_at__gt=case.closed_at,
        )
        if newer := same.order_by("pk").last():
            return newer.hear(text, at=at, expects_answer=True, message=message, key=key)
    return case.__class__.open(
        case.kind,
        case.title,
        at=at,
        actor=case.customer,
        origin=case.Origin.CUSTOMER,
        conversation=message.conversation if message else case.conversation,
        contact=case.contact,
        service_point=case.service_point,
        text=text,
        message=message,
        key=key,
    )
