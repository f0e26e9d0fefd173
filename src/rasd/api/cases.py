"""Cases."""

from typing import Annotated, Any, Literal

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from rasd.api import reading
from rasd.api.calling import TEXT, ApiRequest, Bearer, Done, Id, Keeps, Kept, Key, Words, key_of, told, writes
from rasd.api.models import ApiToken, Scope
from rasd.api.paging import USUAL, Cursor, Limit, Order, Page
from rasd.api.problems import Problem, ProblemOut, refusing
from rasd.api.shapes import CaseEntryOut, CaseOut, HeldOut
from rasd.desk.errors import AnswerHeld
from rasd.desk.models import Case, CaseEntry, CaseKind, Contact, Obligation
from rasd.desk.models.case_records import TITLE_MAX

router = Router(tags=["cases"])
READ, WRITE = Bearer(Scope.CASES_READ), Bearer(Scope.CASES_WRITE)

Stage = Literal["open", "working", "customer", "answered", "closed"]
Short = Annotated[str, Field(max_length=60, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Field(max_length=50, pattern=r"^[-\w]*$")]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=TEXT)]


Username = Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=r"^[\w.@+-]+$")]


class CasePage(Page):
    items: list[CaseOut]


class EntryPage(Page):
    items: list[CaseEntryOut]


class CaseFilters(Schema):
    stage: Stage | None = Field(None, description="empty: all")
    still_open: bool = Field(False, description="those that are not closed")
    kind: Code = Field("", description="the kind's code")
    reference: Short = ""
    service_point: Short = ""
    conversation: Id | None = None
    contact: Id | None = None
    queue: Id | None = Field(None, description="in which its work is owed now")
    owner: Id | None = Field(None, description="primary key of the user who owes its work now")


class NewCase(Schema):
    kind: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[-\w]+$")] = Field(
        description="the kind's code: complaint, visit, reading, meter, bill, other …"
    )
    title: Annotated[str, StringConstraints(min_length=1, max_length=TITLE_MAX, pattern=TEXT)] = Field(
        description="the customer sees it"
    )
    text: Annotated[str, Field(max_length=4096, pattern=r"^[^\x00]*$")] = Field(
        "", description="a note, for staff only"
    )
    conversation: Id | None = Field(None, description="where its answers go; empty: on its page only")
    contact: Id | None = Field(None, description="whose it is; empty: the conversation's")
    service_point: Short = ""


class Said(Schema):
    text: Words


class CaseReply(Said):
    seen: Id | None = Field(
        None, description="id of the last entry that was read: an answer given after it holds this one"
    )
    keeps: Keeps = []


class Closing(Schema):
    text: Words = Field(description="the written answer with which it closes")
    on_page: bool = Field(False, description="answered on its page, though there is a conversation")
    seen: Id | None = Field(
        None, description="id of the last entry that was read: an answer given after it stops this one"
    )
    keeps: Keeps = []


class HandOn(Schema):
    queue: Id
    owner: Username | None = Field(None, description="username, of somebody who is on shift now")
    why: Reason


class Reopening(Schema):
    why: Reason


@router.get("/cases", response=CasePage, auth=READ, summary="List cases")
def list_cases(
    request: ApiRequest, filters: Query[CaseFilters], cursor: Cursor = "", limit: Limit = USUAL
) -> HttpResponse:
    """The newest first."""
    now, rows = timezone.now(), request.auth.cases()
    plain = {
        "stage": filters.stage,
        "kind__code": filters.kind,
        "reference": filters.reference,
        "service_point": filters.service_point,
        "conversation": filters.conversation,
        "contact": filters.contact,
    }
    rows = rows.filter(**{name: wanted for name, wanted in plain.items() if wanted})
    if filters.still_open:
        rows = rows.exclude(stage=Case.Stage.CLOSED)
    work = Obligation.objects.open().filter(kind=Obligation.Kind.WORK, case=OuterRef("pk"))
    if filters.queue:
        work = work.filter(queue=filters.queue)
    if filters.owner:
        work = work.filter(owner=filters.owner)
    if filters.queue or filters.owner:
        rows = rows.filter(Exists(work))
    found, following = Order("opened_at", newest_first=True).page(reading.whole_cases(rows), cursor, limit)
    return told(request, CasePage(items=[CaseOut.of(each, now) for each in found], next=following))


@router.get("/cases/{int:pk}", response=CaseOut, auth=READ, summary="One case")
def get_case(request: ApiRequest, pk: Id) -> HttpResponse:
    found = reading.the(reading.whole_cases(request.auth.cases()), pk, "case")
    return told(request, CaseOut.of(found, timezone.now()))


@router.get("/cases/{int:pk}/entries", response=EntryPage, auth=READ, summary="Its history")
def list_entries(request: ApiRequest, pk: Id, cursor: Cursor = "", limit: Limit = USUAL) -> HttpResponse:
    """In the order in which it happened."""
    rows = CaseEntry.objects.filter(case=_the(request, pk))
    found, following = Order("at").page(rows, cursor, limit)
    return told(request, EntryPage(items=[CaseEntryOut.of(each) for each in found], next=following))


@router.post("/cases", response={201: CaseOut}, auth=WRITE, summary="Open a case")
@writes("case.opened")
def open_case(request: ApiRequest, body: NewCase, idempotency_key: Key) -> Done:
    """Its work is owed from now on by its kind's queue, and its page is told to the customer."""
    token, now = request.auth, timezone.now()
    kind = CaseKind.usual().filter(code=body.kind).first()
    if kind is None:
        codes = ", ".join(CaseKind.objects.values_list("code", flat=True))
        raise Problem(422, "invalid", f"there is no kind {body.kind}; there are {codes}", field="kind")
    if not token.all_queues().filter(pk=kind.queue_id).exists():
        words = f"its work would be owed by {kind.queue}, which this token may not see"
        raise Problem(403, "not-allowed", words, field="kind")
    if token.limits[0] and body.conversation is None:
        words = "this token is limited to lines: name a conversation of one of them"
        raise Problem(403, "not-allowed", words, field="conversation")
    conversation = contact = None
    if body.conversation is not None:
        conversation = reading.named(token.conversations(), body.conversation, "conversation")
    if body.contact is not None:
        contact = reading.named(_contacts(token), body.contact, "contact")
    with refusing("title"):
        case = Case.open(
            kind,
            body.title,
            at=now,
            actor=token.actor,
            origin=Case.Origin.EMPLOYEE,
            conversation=conversation,
            contact=contact,
            service_point=body.service_point,
            text=body.text,
            key=key_of(request, idempotency_key, body.model_dump_json()),
        )
    return Done(reading.of_case(case.pk, now), str(case), 201)


@router.post(
    "/cases/{int:pk}/replies",
    response={201: CaseEntryOut, 409: ProblemOut},
    auth=WRITE,
    summary="Write to the customer",
)
@writes("case.said")
def say(request: ApiRequest, pk: Id, body: CaseReply, idempotency_key: Key) -> Done | Kept:
    """On its page, and in the conversation where there is one. Held like any answer (409 `answer-held`); where there is no
    conversation, and somebody answered after `seen`, it is refused (409 `claimed`)."""
    case, key = _the(request, pk), key_of(request, idempotency_key, body.text)
    reading.promises_made(case.conversation, body.keeps)
    what: dict[str, Any] = {"key": key, "at": timezone.now(), "seen": body.seen, "keeps": body.keeps}
    try:
        with refusing("text"):
            entry = case.say(body.text, author=request.auth.user, **what)
    except AnswerHeld as error:
        held = HeldOut.of(error.held).model_dump(mode="json")
        words = f"{error}; it is kept: send it after all, or drop it"
        problem = Problem(409, "answer-held", words, title="The answer is held", held=held)
        return Kept(problem, str(case))
    return Done(CaseEntryOut.of(entry), str(case), 201)


@router.post("/cases/{int:pk}/notes", response={201: CaseEntryOut}, auth=WRITE, summary="Note for staff")
@writes("case.noted")
def note(request: ApiRequest, pk: Id, body: Said, idempotency_key: Key) -> Done:
    case = _the(request, pk)
    with refusing("text"):
        entry = case.note(body.text, author=request.auth.user, at=timezone.now())
    return Done(CaseEntryOut.of(entry), str(case), 201)


@router.post(
    "/cases/{int:pk}/take-up", response={200: CaseOut, 409: ProblemOut}, auth=WRITE, summary="Work on it"
)
@writes("case.taken_up")
def take_up(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    """Its work is the token's user's, and its clock runs."""
    case = _the(request, pk)
    case.take_up(at=timezone.now(), actor=request.auth.actor)
    return _done(case)


@router.post(
    "/cases/{int:pk}/wait",
    response={200: CaseOut, 409: ProblemOut},
    auth=WRITE,
    summary="Wait for the customer",
)
@writes("case.waits")
def wait_for_customer(request: ApiRequest, pk: Id, idempotency_key: Key) -> Done:
    """Its clock stands still until they write or somebody takes it up."""
    case = _the(request, pk)
    case.wait_for_customer(at=timezone.now(), actor=request.auth.actor)
    return _done(case)


@router.post(
    "/cases/{int:pk}/hand-on", response={200: CaseOut, 409: ProblemOut}, auth=WRITE, summary="Hand it on"
)
@writes("case.handed_on")
def hand_on(request: ApiRequest, pk: Id, body: HandOn, idempotency_key: Key) -> Done:
    case, token = _the(request, pk), request.auth
    queue = reading.named(token.all_queues(), body.queue, "queue")
    owner = the_user(body.owner) if body.owner else None
    case.hand_on(queue, owner=owner, at=timezone.now(), actor=token.actor, why=body.why)
    return _done(case)


@router.post(
    "/cases/{int:pk}/close",
    response={200: CaseOut, 409: ProblemOut},
    auth=WRITE,
    summary="Close it, with an answer",
)
@writes("case.answered")
def close(request: ApiRequest, pk: Id, body: Closing, idempotency_key: Key) -> Done:
    """Closed once the customer could receive the answer, `answered` until then (G11). Refused (409 `claimed`) where somebody
    else is answering, or has answered after `seen`: read what he said, and close it with another key."""
    case, key = _the(request, pk), key_of(request, idempotency_key, body.text)
    reading.promises_made(case.conversation, body.keeps)
    what: dict[str, Any] = {"key": key, "at": timezone.now(), "seen": body.seen, "keeps": body.keeps}
    with refusing("text"):
        case.close(body.text, author=request.auth.user, on_page=body.on_page, **what)
    return _done(case)


@router.post(
    "/cases/{int:pk}/reopen", response={200: CaseOut, 409: ProblemOut}, auth=WRITE, summary="Open it again"
)
@writes("case.reopened")
def reopen(request: ApiRequest, pk: Id, body: Reopening, idempotency_key: Key) -> Done:
    """With a fresh time."""
    case = _the(request, pk)
    case.reopen(at=timezone.now(), actor=request.auth.actor, why=body.why)
    return _done(case)


def _the(request: ApiRequest, pk: int) -> Case:
    return reading.the(request.auth.cases(), pk, "case")


def _done(changed: Case) -> Done:
    return Done(reading.of_case(changed.pk, timezone.now()), str(changed))


def _contacts(token: ApiToken) -> QuerySet[Contact]:
    rows = Contact.objects.filter(merged_into=None)
    if not token.is_limited:
        return rows
    theirs = token.conversations().filter(contact=OuterRef("pk"))
    return rows.filter(Exists(theirs))


def the_user(username: str) -> User:
    """Raises Problem 422 where there is nobody of that name."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        words = (
            f"there is no active user {username}: send the username of somebody who answers, or leave it out"
        )
        raise Problem(422, "invalid", words, field="owner")
    return user
