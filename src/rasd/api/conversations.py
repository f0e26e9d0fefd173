"""Conversations and messages. Whatever may not be done in the console may not be done here, for the same reason."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field

from rasd.api import reading
from rasd.api.calling import ApiRequest, Bearer, Done, Id, Keeps, Kept, Key, Why, Words, key_of, told, writes
from rasd.api.models import Scope
from rasd.api.paging import USUAL, Cursor, Limit, Order, Page
from rasd.api.problems import Problem, ProblemOut, refusing
from rasd.api.shapes import ConversationOut, HeldOut, MessageOut
from rasd.desk.errors import AnswerHeld
from rasd.desk.inbox import Filters, State
from rasd.desk.models import Conversation, HandOver, Message
from rasd.desk.models.queues import Matter
from rasd.flows.live import topics_of

router = Router(tags=["conversations"])
READ, WRITE = Bearer(Scope.CONVERSATIONS_READ), Bearer(Scope.CONVERSATIONS_WRITE)

FARTHEST_PROMISE = timedelta(days=366)

MatterWord = Literal["enquiry", "complaint", "request", "reading", "document", ""]
Language = Literal["ar", "en"]


class ConversationPage(Page):
    items: list[ConversationOut]


class MessagePage(Page):
    items: list[MessageOut]


class ConversationFilters(Schema):
    q: Annotated[
        str, Field("", max_length=200, pattern=r"^[^\x00]*$", description="words, a name, a part of a number")
    ]
    mine: bool = Field(False, description="in which the token's user owes something")
    queue: Id | None = None
    owner: Id | None = Field(None, description="primary key of the user who owes something in it")
    line: Id | None = None
    matter: MatterWord = ""
    state: State = State.ALL
    language: Language | None = None


class Reply(Schema):
    text: Words
    seen: Id | None = Field(
        None, description="id of the last message that was read: an answer given after it holds this one"
    )
    promise_by: AwareDatetime | None = Field(None, description="what the answer promises will be until then")
    keeps: Keeps = []


class Note(Schema):
    text: Words = Field(description="for staff only; `@username` tells that colleague")


class ClaimIn(Schema):
    why: Why = Field("", description="needed to take it from whoever has it")


class MatterIn(Schema):
    matter: MatterWord


@router.get("/conversations", response=ConversationPage, auth=READ, summary="List conversations")
def list_conversations(
    request: ApiRequest, filters: Query[ConversationFilters], cursor: Cursor = "", limit: Limit = USUAL
) -> HttpResponse:
    """The last spoken in first. With `q` only the best are given, best first, and there is no next page."""
    now = timezone.now()
    wanted = Filters(**filters.dict() | {"language": filters.language or ""})
    within = request.auth.conversations()
    if wanted.q:
        found = wanted.conversations(request.auth.user, now)
        rows = list(reading.whole_conversations(found.filter(pk__in=within.values("pk")))[:limit])
        following = None
    else:
        found = wanted.conversations(request.auth.user, now)
        if request.auth.is_limited:
            found = found.filter(pk__in=within.values("pk"))
        order = Order("last_message_at", newest_first=True)
        rows, following = order.page(reading.whole_conversations(found), cursor, limit)
    return told(
        request, ConversationPage(items=[ConversationOut.of(each, now) for each in rows], next=following)
    )


@router.get("/conversations/{int:pk}", response=ConversationOut, auth=READ, summary="One conversation")
def get_conversation(request: ApiRequest, pk: Id) -> HttpResponse:
    found = _the(request, pk)
    return told(request, reading.of_conversation(found.pk, timezone.now()))


@router.get(
    "/conversations/{int:pk}/messages", response=MessagePage, auth=READ, summary="What was said in it"
)
def list_messages(
    request: ApiRequest,
    pk: Id,
    cursor: Cursor = "",
    limit: Limit = USUAL,
    newest_first: Annotated[bool, Query()] = False,
) -> HttpResponse:
    """In the order in which it was said."""
    rows = reading.whole_messages(Message.objects.filter(conversation=_the(request, pk)))
    found, following = Order("at", newest_first=newest_first).page(rows, cursor, limit)
    return told(request, MessagePage(items=[MessageOut.of(each) for each in found], next=following))


@router.get("/messages/{int:pk}", response=MessageOut, auth=READ, tags=["messages"], summary="One message")
def get_message(request: ApiRequest, pk: Id) -> HttpResponse:
    found = reading.the(reading.whole_messages(request.auth.messages()), pk, "message")
    return told(request, MessageOut.of(found))


@router.post(
    "/conversations/{int:pk}/replies",
    response={201: MessageOut, 409: ProblemOut},
    auth=WRITE,
    summary="Answer the customer",
)
@writes("conversation.replied")
def reply(request: ApiRequest, pk: Id, body: Reply, idempotency_key: Key) -> Done | Kept:
    """Sent, unless somebody else is answering, or has answered after `seen`: then it is held (409 `answer-held`, with
    `held`), and its author and whoever was quicker decide. With `promise_by` it is a promise too, owed from then on; only
    what it `keeps` is kept by it.

    A closed conversation is not answered in: 409 `closed`, or `goes-on-elsewhere` with `conversation`, the one that is open."""
    asked, token, now = _the(request, pk), request.auth, timezone.now()
    key, by = key_of(request, idempotency_key, body.text), body.promise_by
    if by is not None and not now < by <= now + FARTHEST_PROMISE:
        words = "promise a moment to come, within a year"
        raise Problem(422, "invalid", words, field="promise_by")
    reading.promises_made(asked, body.keeps)
    what: dict[str, Any] = {
        "author": token.user,
        "key": key,
        "at": now,
        "seen": body.seen,
        "keeps": body.keeps,
    }
    try:
        with refusing("text"):
            if by is not None:
                message, _owed = asked.promise(body.text, by=by, **what)
            else:
                message = asked.reply(body.text, **what)
    except AnswerHeld as error:
        held = HeldOut.of(error.held).model_dump(mode="json")
        words = f"{error}; it is kept: send it after all, or drop it"
        problem = Problem(409, "answer-held", words, title="The answer is held", held=held)
        return Kept(problem, str(asked), _topics(asked))
    asked.release(token.user, at=now)
    return Done(reading.of_message(message.pk), str(asked), 201, _topics(asked))


@router.post(
    "/conversations/{int:pk}/notes", response={201: MessageOut}, auth=WRITE, summary="Note for staff"
)
@writes("conversation.noted")
def note(request: ApiRequest, pk: Id, body: Note, idempotency_key: Key) -> Done:
    asked = _the(request, pk)
    message = asked.note(body.text, at=timezone.now(), author=request.auth.user)
    return Done(reading.of_message(message.pk), str(asked), 201, _topics(asked))


@router.post(
    "/conversations/{int:pk}/claim",
    response={200: ConversationOut, 409: ProblemOut},
    auth=WRITE,
    summary="Take it",
)
@writes("conversation.claimed")
def claim(request: ApiRequest, pk: Id, body: ClaimIn, idempotency_key: Key) -> Done:
    """The token's user answers here, and no machine. It holds for a minute; claiming again (with another key) is the sign
    of life that keeps it. From a colleague only with a word why."""
    asked, token, now = _the(request, pk), request.auth, timezone.now()
    asked.claim(token.user, at=now, by_force=bool(body.why.strip()), why=body.why.strip())
    asked.hand_over(wish=HandOver.Wish.STAFF, why=body.why.strip(), at=now, actor=token.actor)
    return _done(asked)


@router.post("/conversations/{int:pk}/release", response=ConversationOut, auth=WRITE, summary="Let it go")
@writes("conversation.released")
def release(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    asked = _the(request, pk)
    asked.release(request.auth.user, at=timezone.now())
    return _done(asked)


@router.post(
    "/conversations/{int:pk}/give-back", response=ConversationOut, auth=WRITE, summary="The machine may speak"
)
@writes("conversation.given_back")
def give_back(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    asked = _the(request, pk)
    asked.give_back(at=timezone.now(), actor=request.auth.actor)
    return _done(asked)


@router.post(
    "/conversations/{int:pk}/close",
    response={200: ConversationOut, 409: ProblemOut},
    auth=WRITE,
    summary="Close it",
)
@writes("conversation.closed")
def close(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    """Refused (409 `still-owed`) while an answer, a promise or a case is open in it."""
    asked = _the(request, pk)
    asked.close(at=timezone.now(), actor=request.auth.actor)
    return _done(asked)


@router.post(
    "/conversations/{int:pk}/reopen",
    response={200: ConversationOut, 409: ProblemOut},
    auth=WRITE,
    summary="Open it again",
)
@writes("conversation.reopened")
def reopen(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    """Refused (409 `goes-on-elsewhere`) where the customer has written since."""
    asked = _the(request, pk)
    asked.reopen(at=timezone.now(), actor=request.auth.actor)
    return _done(asked)


@router.post(
    "/conversations/{int:pk}/matter", response=ConversationOut, auth=WRITE, summary="What it is about"
)
@writes("conversation.matter_set")
def set_matter(request: ApiRequest, pk: Id, body: MatterIn, idempotency_key: Key) -> Done:
    asked = _the(request, pk)
    with refusing("matter"):
        asked.is_about(
            Matter(body.matter) if body.matter else "", at=timezone.now(), actor=request.auth.actor
        )
    return _done(asked)


# Answers that were held


@router.get("/held-answers/{int:pk}", response=HeldOut, auth=READ, summary="One held answer")
def get_held_answer(request: ApiRequest, pk: Id) -> HttpResponse:
    rows = request.auth.held_answers().select_related("author", "other", "settled_by")
    return told(request, HeldOut.of(reading.the(rows, pk, "held answer")))


@router.post(
    "/held-answers/{int:pk}/send",
    response={201: MessageOut, 409: ProblemOut},
    auth=WRITE,
    summary="Send it after all",
)
@writes("held_answer.sent")
def send_held(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    """As its author's."""
    held = reading.the(request.auth.held_answers().select_related("conversation"), pk, "held answer")
    message = held.send(by=request.auth.user, at=timezone.now())
    return Done(reading.of_message(message.pk), str(held), 201, _topics(held.conversation))


@router.post(
    "/held-answers/{int:pk}/drop",
    response={200: HeldOut, 409: ProblemOut},
    auth=WRITE,
    summary="Do not send it",
)
@writes("held_answer.dropped")
def drop_held(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    held = reading.the(request.auth.held_answers().select_related("conversation"), pk, "held answer")
    held.drop(by=request.auth.user, at=timezone.now())
    return Done(HeldOut.of(held), str(held), 200, _topics(held.conversation))


def _the(request: ApiRequest, pk: int) -> Conversation:
    rows = request.auth.conversations().select_related("address", "contact", "line")
    return reading.the(rows, pk, "conversation")


def _done(changed: Conversation) -> Done:
    shape = reading.of_conversation(changed.pk, timezone.now())
    return Done(shape, str(changed), 200, _topics(changed))


def _topics(changed: Conversation) -> tuple[str, ...]:
    return tuple(topics_of(changed))
