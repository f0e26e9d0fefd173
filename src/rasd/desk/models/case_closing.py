"""How a case closes (G11): with a written answer that the customer could receive, and not before; and how it begins again.

Methods of :class:`Case`, kept apart as they are one concern.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rasd.channels.models import Outgoing
from rasd.desk.errors import AnsweredMeanwhile, CannotReceive, Claimed
from rasd.desk.models import case_saying, case_work
from rasd.desk.models.case_records import CaseEntry, Rating
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.notices import Notice
from rasd.desk.models.obligations import Obligation
from rasd.ledger.models import actor_of

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case

BUTTONS_WITH = 1024
"""Characters of a message that may have buttons under it [Meta's documentation]; under a longer one there are none, and it
is rated on the page."""


def close(
    case: "Case",
    text: str,
    *,
    author: User,
    key: str,
    at: datetime,
    on_page: bool = False,
    seen: int | None = None,
    keeps: Collection[int] = (),
) -> CaseEntry:
    """With a written answer (G11): it is closed once the customer could receive it, ``answered`` until then.

    In the conversation that is when the channel has taken it. A case without one is answered on its page, as is any
    case with ``on_page``, and the customer must be known to have that page: see :meth:`give_link`.

    Args:
        seen: the primary key of the last line of its history that the author's page showed. It is not held for two to decide
            like other answers: it cannot be taken back, so its author reads what was said and then says so again.
        keeps: the promises that it keeps, as :meth:`Conversation.reply`.

    Raises:
        ValueError: the text is empty or longer than the channel takes.
        NotInThisStage: it is closed, or an answer is on its way.
        AnsweredMeanwhile: somebody else has said something to the customer after what the author saw.
        CannotReceive: the customer is not known to have the page on which it would be answered.
        Claimed: somebody else is answering in the conversation.
    """
    with case._held():
        if known := case._written(key):
            return known
        case._must_be_in(case.Stage.OPEN, case.Stage.WORKING, case.Stage.CUSTOMER)
        quicker = case.said_meanwhile(author, seen).first()
        if quicker and quicker.author:
            raise AnsweredMeanwhile(quicker.author, quicker.at)
        chat = None if on_page else case.conversation
        if chat is None and case.page_known_at is None:
            raise CannotReceive(
                "the customer could not receive this: there is no conversation to send it in, and he is not known to"
                " have the address of the page. Give it to him and say so here, or wait until he writes there"
            )
        text = case_work.said(text)
        message = None
        if chat is not None:
            message = _send(case, chat, text, author=author, key=key, at=at, keeps=keeps)
        elif case.conversation is not None:
            for promise in case.conversation.promises.filter(pk__in=keeps):
                promise.keep(by=author, at=at, why="answered on the page")
        case.closing_answer = entry = case._write(
            CaseEntry.Kind.CLOSING,
            at=at,
            actor=actor_of(author),
            author=author,
            text=text,
            public=True,
            message=message,
            key=case_saying.entry_key(case, key),
        )
        case.stage = case.Stage.ANSWERED
        case.save(update_fields=["stage", "closing_answer"])
        case._answered_on_the_page(at=at, actor=actor_of(author))
        settle(case)
        return entry


def settle(case: "Case") -> None:
    """Closed where its answer could be received; back to work where the channel could not deliver it after all."""
    with case._held():
        closing = case.closing_answer
        if closing is None:
            return
        sent = closing.message.outgoing if closing.message else None
        if sent is not None and sent.state == Outgoing.State.FAILED:
            _back_to_work(case, sent)
        elif case.stage == case.Stage.ANSWERED and (sent is None or sent.could_be_received):
            _end(case, closing, at=(sent.accepted_at if sent else None) or closing.at)


def reopen(case: "Case", *, at: datetime, actor: str, why: str) -> None:
    """Work begins again, with a fresh time, by the same owner where he is there.

    Raises:
        NotInThisStage: it is not closed.
    """
    with case._held():
        case._must_be_in(case.Stage.CLOSED)
        case.closed_at = case.closing_answer = None
        case.stage = case.Stage.OPEN
        case.save(update_fields=["closed_at", "closing_answer", "stage"])
        case_work.begin(case, at=at, actor=actor)
        case._write(CaseEntry.Kind.REOPENED, at=at, actor=actor, public=True, stage=case.Stage.OPEN, why=why)


def _send(
    case: "Case",
    chat: Conversation,
    text: str,
    *,
    author: User,
    key: str,
    at: datetime,
    keeps: Collection[int],
) -> Message:
    """The closing answer into the conversation, with three buttons under it to rate by one tap.

    Raises:
        Claimed: somebody else is answering there.
    """
    if (claim := chat.claim_at(at)) and claim.holder != author:
        raise Claimed(claim.holder, claim.at)
    with translation.override(case.language):
        whole = "\n\n".join([text, _how_to_go_on(case)])
        buttons = [
            {"id": f"rate:{case.pk}:{score.value}", "title": str(score.label)}
            for score in reversed(Rating.Score)
        ]
    fits = len(whole) <= BUTTONS_WITH
    in_short = case.in_short(whole)
    message = chat._send(
        whole,
        key=f"case:{case.pk}:{key}",
        at=at,
        author=author,
        kind=Outgoing.Kind.BUTTONS if fits else Outgoing.Kind.TEXT,
        content=({"buttons": buttons} if fits else {}) | ({"in_short": in_short} if in_short else {}),
    )
    for owed in (chat.owed, case.work, *chat.promises.filter(pk__in=keeps)):
        if owed:
            owed.answer_with(message)
    return message


def _how_to_go_on(case: "Case") -> str:
    return _(
        "This closes your request %(reference)s. Is it settled? If not, write here within 14 days and it is opened again."
    ) % {"reference": f"\u2068{case.reference}\u2069"}


def _end(case: "Case", closing: CaseEntry, *, at: datetime) -> None:
    case.stage, case.closed_at = case.Stage.CLOSED, at
    case.save(update_fields=["stage", "closed_at"])
    if work := case.work:
        work.done(at=at, actor=closing.actor, why="the case is closed")
    case._write(CaseEntry.Kind.CLOSED, at=at, actor=closing.actor, public=True, stage=case.Stage.CLOSED)
    since = case.entries.filter(kind=CaseEntry.Kind.HEARD, pk__gt=closing.pk, expects_answer=True).first()
    if since is not None:
        case.reopen(at=at, actor=since.actor, why="the customer wrote before the answer was out")


def _back_to_work(case: "Case", sent: Outgoing) -> None:
    """Where it was closed, what was left of its time runs on from the failure."""
    at, actor = sent.failed_at or timezone.now(), f"machine:{sent.line.channel}"
    case.closed_at = case.closing_answer = None
    case.stage = case.Stage.WORKING
    case.save(update_fields=["closed_at", "closing_answer", "stage"])
    if work := case.work:
        work.resume(at=at, actor=actor)
    else:
        done = case.obligations.filter(kind=Obligation.Kind.WORK).latest("since")
        work = case_work.begin(case, at=at, actor=actor, allowance=case_work.left_of(done))
    case._write(
        CaseEntry.Kind.FAILED,
        at=at,
        actor=actor,
        text=sent.error_words,
        public=False,
        stage=case.Stage.WORKING,
        why="the channel could not deliver the closing answer",
    )
    if work.owner:
        Notice.tell(work.owner, Notice.Kind.FAILED, at=at, obligation=work, case=case)
