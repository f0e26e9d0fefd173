"""What is owed."""

from typing import Literal

from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from rasd.api import reading
from rasd.api.calling import ApiRequest, Bearer, Done, Id, Key, told, writes
from rasd.api.cases import Reason, Username, the_user
from rasd.api.models import Scope
from rasd.api.paging import USUAL, Cursor, Limit, Order, Page
from rasd.api.problems import Problem, ProblemOut, refusing
from rasd.api.shapes import ObligationOut
from rasd.desk.models import Obligation

router = Router(tags=["obligations"])
READ, WRITE = Bearer(Scope.OBLIGATIONS_READ), Bearer(Scope.OBLIGATIONS_WRITE)


class ObligationPage(Page):
    items: list[ObligationOut]


class ObligationFilters(Schema):
    state: Literal["open", "late", "unowned", "discharged", "all"] = Field(
        "open", description="late: open, and its time is over; unowned: open, and with nobody in particular"
    )
    kind: Literal["answer", "promise", "work"] | None = None
    queue: Id | None = None
    owner: Id | None = Field(None, description="primary key of the user who owes it")
    conversation: Id | None = None
    case: Id | None = None


class Giving(Schema):
    owner: Username | None = Field(
        description="username, of somebody who is on shift; null: whoever serves the queue"
    )
    why: Reason


class Moving(Schema):
    queue: Id
    why: Reason


class Waiving(Schema):
    why: Reason


@router.get("/obligations", response=ObligationPage, auth=READ, summary="List what is owed")
def list_obligations(
    request: ApiRequest, filters: Query[ObligationFilters], cursor: Cursor = "", limit: Limit = USUAL
) -> HttpResponse:
    """The soonest due first."""
    now = timezone.now()
    states = {
        "open": Q(discharged_at=None),
        "late": Q(discharged_at=None, running_since__isnull=False, due_at__lt=now),
        "unowned": Q(discharged_at=None, owner=None),
        "discharged": Q(discharged_at__isnull=False),
        "all": Q(),
    }
    rows = request.auth.obligations().filter(states[filters.state])
    plain = filters.dict(exclude={"state"})
    rows = rows.filter(**{name: wanted for name, wanted in plain.items() if wanted})
    found, following = Order("due_at").page(reading.whole_obligations(rows), cursor, limit)
    return told(
        request, ObligationPage(items=[ObligationOut.of(each, now) for each in found], next=following)
    )


@router.get("/obligations/{int:pk}", response=ObligationOut, auth=READ, summary="One of what is owed")
def get_obligation(request: ApiRequest, pk: Id) -> HttpResponse:
    found = reading.the(reading.whole_obligations(request.auth.obligations()), pk, "obligation")
    return told(request, ObligationOut.of(found, timezone.now()))


@router.post(
    "/obligations/{int:pk}/give",
    response={200: ObligationOut, 409: ProblemOut},
    auth=WRITE,
    summary="Give it to a person",
)
@writes("obligation.given")
def give(request: ApiRequest, pk: Id, body: Giving, idempotency_key: Key) -> Done:
    owed = _open(request, pk)
    owner = the_user(body.owner) if body.owner else None
    owed.hand_on(owner=owner, at=timezone.now(), actor=request.auth.actor, why=body.why)
    return _done(owed)


@router.post(
    "/obligations/{int:pk}/move",
    response={200: ObligationOut, 409: ProblemOut},
    auth=WRITE,
    summary="Move it to a queue",
)
@writes("obligation.moved")
def move(request: ApiRequest, pk: Id, body: Moving, idempotency_key: Key) -> Done:
    """Due by the earlier of the two queues' times; a promise by the moment that was promised."""
    owed = _open(request, pk)
    queue = reading.named(request.auth.all_queues(), body.queue, "queue")
    owed.hand_on(queue, owner=None, at=timezone.now(), actor=request.auth.actor, why=body.why)
    return _done(owed)


@router.post(
    "/obligations/{int:pk}/waive",
    response={200: ObligationOut, 409: ProblemOut},
    auth=WRITE,
    summary="It needs no answer",
)
@writes("obligation.waived")
def waive(request: ApiRequest, pk: Id, body: Waiving, idempotency_key: Key) -> Done:
    """Only an answer: a promise is kept, and a case's work ends with its closing answer (409 `cannot-be-waived`)."""
    owed = _open(request, pk)
    owed.waive(by=request.auth.user, at=timezone.now(), why=body.why)
    return _done(owed)


@router.post(
    "/obligations/{int:pk}/kept",
    response={200: ObligationOut, 409: ProblemOut, 422: ProblemOut},
    auth=WRITE,
    summary="A promise was kept",
)
@writes("obligation.kept")
def kept(request: ApiRequest, pk: Id, body: Waiving, idempotency_key: Key) -> Done:
    """Otherwise than by an answer that says that it keeps it (`keeps`); `why` says how. Only a promise (422)."""
    owed = _open(request, pk)
    with refusing("why"):
        owed.keep(by=request.auth.user, at=timezone.now(), why=body.why)
    return _done(owed)


def _open(request: ApiRequest, pk: int) -> Obligation:
    """Held from here on, so that it is still open when it is changed."""
    found = reading.the(request.auth.obligations(), pk, "obligation")
    owed = Obligation.hold(found.pk)
    if owed is None or owed.discharged_at is not None:
        raise Problem(409, "discharged", "it is discharged: nothing is owed any more", title="Discharged")
    return owed


def _done(changed: Obligation) -> Done:
    return Done(reading.of_obligation(changed.pk, timezone.now()), str(changed))
