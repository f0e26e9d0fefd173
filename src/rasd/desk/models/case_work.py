"""A case's work as an obligation: begun with the case, given to who takes it up, begun anew where it is reopened."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth.models import User

from rasd.desk.errors import NotOnShift
from rasd.desk.models.obligations import Obligation

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case

Kind = Obligation.Kind


def begin(case: "Case", *, at: datetime, actor: str, allowance: timedelta | None = None) -> Obligation:
    """Owed from ``at`` on, in the time of its kind unless ``allowance`` says otherwise: by those who had it last, else by
    its kind's queue."""
    last = case.obligations.filter(kind=Kind.WORK).select_related("queue", "owner").last()
    work = Obligation.begin(
        kind=Kind.WORK,
        case=case,
        queue=last.home if last else case.kind.queue,
        since=at,
        allowance=case.kind.settle_within if allowance is None else allowance,
        matter=case.kind.matter,
        words=case.title,
        actor=actor,
    )
    if last and last.owner:
        with suppress(NotOnShift):  # the queue's then: somebody who serves it is there
            work.give(last.owner, at=at, actor=_giver(actor), why="had it before")
    return work


def left_of(work: Obligation) -> timedelta:
    """Of its allowance; nothing where it was used up."""
    return max(timedelta(), work.allowance - work.spent)


def owe_answer(case: "Case", text: str, *, at: datetime) -> None:
    """To what the customer wrote on the page: by whoever works on the case. Several in a row are one, from the first."""
    if case.answer_owed or (work := case.work) is None:
        return
    answer = Obligation.begin(
        kind=Kind.ANSWER,
        case=case,
        queue=work.home,
        since=at,
        matter=case.kind.matter,
        words=text[: Obligation._meta.get_field("words").max_length],
        actor=case.customer,
    )
    if work.owner:
        with suppress(NotOnShift):
            answer.give(work.owner, at=at, actor=_giver(case.customer), why="works on the case")


def _giver(actor: str) -> str:
    """Who gives it, in the ledger: a customer whose words begin something does not choose who has it; the machine does."""
    return "machine:flows" if actor.startswith("customer:") else actor


def user_of(actor: str) -> User | None:
    """The employee that an actor of the ledger is."""
    word, _colon, name = actor.partition(":")
    return User.objects.filter(username=name).first() if word == "user" else None


def said(text: str) -> str:
    """Raises ValueError where nothing was said."""
    if not (words := text.strip()):
        raise ValueError("text: empty; write what the customer is to read")
    return words
