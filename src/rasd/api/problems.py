"""What is refused, as RFC 9457 says it: ``application/problem+json``, naming the field and the mend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

from rasd.desk.errors import (
    AnsweredMeanwhile,
    CannotReceive,
    Claimed,
    GoesOnElsewhere,
    IsClosed,
    NotInThisStage,
    NotOnShift,
    NotTheirLine,
    NotTheirs,
    NotWaivable,
    Settled,
    StillOwed,
)

log = structlog.get_logger("rasd.api")

MEDIA_TYPE = "application/problem+json"


class WrongField(Schema):
    where: str = Field(description="body, query, path or header")
    field: str
    detail: str = Field(description="what it should be")


class ProblemOut(Schema):
    """RFC 9457. More members than these may be there: each kind of problem says in the manual which."""

    type: str = Field(description="urn:rasd:problem:…: what kind of problem; for programs")
    title: str
    status: int
    detail: str = Field(description="what happened and what to do; for people")
    errors: list[WrongField] = Field([], description="each field that is not as it should be")


class Problem(Exception):
    """Answered as it says, from wherever it is raised; what the call did is rolled back.

    Args:
        code: the end of the problem's type.
        more: members of its own.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str = "",
        where: str = "",
        field: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.told: dict[str, Any] = {
            "type": f"urn:rasd:problem:{code}",
            "title": title or HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            **more,
        }
        if field:
            self.told["errors"] = [{"where": where or "body", "field": field, "detail": detail}]


@contextmanager
def refusing(field: str) -> Iterator[None]:
    """What the desk refuses as a value of ``field`` (ValueError) is told with the field's name."""
    try:
        yield
    except ValueError as error:
        raise Problem(422, "invalid", str(error), field=field) from error


def refused(error: Exception) -> Problem:
    """What the desk refuses, as a problem."""
    words = str(error)
    match error:
        case AnsweredMeanwhile():
            holder, since = error.holder.get_username(), error.since.isoformat()
            title = "Somebody else has answered"
            return Problem(409, "claimed", words, title=title, holder=holder, since=since)
        case Claimed():
            holder, since = error.holder.get_username(), error.since.isoformat()
            mend = f"{words}: wait, or claim by force and say why"
            return Problem(
                409, "claimed", mend, title="Somebody else is answering", holder=holder, since=since
            )
        case StillOwed():
            return Problem(409, "still-owed", words, title="Something is still owed", owed=error.what)
        case GoesOnElsewhere():
            return Problem(409, "goes-on-elsewhere", words, conversation=error.other.pk)
        case IsClosed():
            return Problem(409, "closed", words, title="It is closed")
        case NotOnShift():
            back = error.back_at.isoformat() if error.back_at else None
            return Problem(409, "not-on-shift", words, title="Not on shift", back_at=back)
        case NotTheirLine():
            return Problem(409, "not-their-line", words, title="Limited to other lines")
        case Settled():
            return Problem(409, "settled", words, title="Decided before")
        case NotWaivable():
            return Problem(409, "cannot-be-waived", words)
        case NotTheirs():
            return Problem(403, "not-allowed", words)
        case CannotReceive():
            return Problem(409, "cannot-receive", words, title="The customer could not receive it")
        case _:
            return Problem(409, "not-in-this-stage", words, title="Not in this stage")


REFUSED = (
    Claimed, StillOwed, GoesOnElsewhere, IsClosed, NotOnShift, Settled, CannotReceive, NotInThisStage, NotWaivable, NotTheirs,
    NotTheirLine,
)  # fmt: skip


def answer(api: NinjaAPI, request: HttpRequest, problem: Problem) -> HttpResponse:
    response = api.create_response(request, problem.told, status=problem.status)
    response["Content-Type"] = MEDIA_TYPE
    for name, value in problem.headers.items():
        response[name] = value
    return response


def handle(api: NinjaAPI) -> None:
    """All that goes wrong in ``api`` is answered as a problem."""

    def answered(make: Callable[[Any], Problem]) -> Callable[[HttpRequest, Any], HttpResponse]:
        return lambda request, error: answer(api, request, make(error))

    api.add_exception_handler(Problem, answered(lambda problem: problem))
    for kind in REFUSED:
        api.add_exception_handler(kind, answered(refused))
    api.add_exception_handler(ValidationError, answered(_invalid))
    api.add_exception_handler(HttpError, answered(_http))
    api.add_exception_handler(Http404, answered(lambda error: Problem(404, "not-found", str(error))))
    api.add_exception_handler(RequestDataTooBig, answered(_too_large))
    api.add_exception_handler(Exception, answered(_fault))


def _invalid(error: ValidationError) -> Problem:
    errors = []
    for each in error.errors:
        where, *path = map(str, each["loc"])
        # The name of the function's argument that holds the body says nothing to who calls.
        path = path[1:] if where == "body" and len(path) > 1 else path
        errors.append({"where": where, "field": ".".join(path), "detail": each["msg"]})
    named = "; ".join(f"{each['field']}: {each['detail']}" for each in errors)
    return Problem(422, "invalid", named, title="Not as it should be", errors=errors)


def _http(error: HttpError) -> Problem:
    if error.status_code == 401:
        words = "send the header Authorization: Bearer, and a token that is neither expired nor revoked"
        return Problem(401, "no-token", words, headers={"WWW-Authenticate": "Bearer"})
    if error.status_code == 400:
        return Problem(400, "no-json", "the body cannot be read: send JSON in UTF-8", where="body")
    return Problem(error.status_code, "http", str(error))


def _too_large(error: RequestDataTooBig) -> Problem:
    return Problem(413, "too-large", "the body is larger than is taken: send less at a time", where="body")


def _fault(error: Exception) -> Problem:
    """Ours. It is in the log with all that is known; who called learns that it may be tried again."""
    log.error("api.fault", exc_info=error)
    return Problem(500, "fault", "something is wrong on our side, and nothing was done: try again later")
