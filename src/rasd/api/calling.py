"""What every call has in common: who calls, how often, at most once, and answers that need not be sent again."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from ninja import Header, Schema
from ninja.security import HttpBearer
from pydantic import Field, StringConstraints

from rasd.api.models import ApiToken, KeyedCall
from rasd.api.problems import MEDIA_TYPE, Problem
from rasd.flows.live import announce
from rasd.ledger.models import record

BIGGEST = 2**63 - 1  # of PostgreSQL's bigint
TEXT = r"^[^\x00]*[^\s\x00-\x1f][^\x00]*$"
"""Something that can be read, and no NUL, which PostgreSQL cannot keep."""

Id = Annotated[int, Field(ge=1, le=BIGGEST)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="Yours, for each thing that you want done: the same key and body again are answered the same for a"
        " day, and nothing is done twice.",
    ),
]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4096, pattern=TEXT)]
Keeps = Annotated[
    list[Id],
    Field(max_length=50, description="ids of the promises that this answer keeps; nothing else keeps one"),
]
Why = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00]*$")]


class ApiRequest(HttpRequest):
    """A request behind a :class:`Bearer`. For type checking; nobody makes one."""

    auth: ApiToken


class Bearer(HttpBearer):
    """A token that may do all of ``scopes``, and has not called too often."""

    def __init__(self, *scopes: str) -> None:
        super().__init__()
        self.scopes = scopes

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        now = timezone.now()
        known = ApiToken.of(token, now)
        if known is None:
            return None
        if wait := known.take_turn(now):
            seconds = math.ceil(wait.total_seconds())
            raise Problem(
                429,
                "too-often",
                f"{known.per_minute} calls a minute are this token's; come back in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )
        for scope in self.scopes:
            if not known.may(scope):
                raise Problem(403, "not-allowed", _missing(known, scope), scope=scope)
        return known


def _missing(token: ApiToken, scope: str) -> str:
    if scope not in token.scopes:
        return f"this token has no scope {scope}: use another, or have an administrator make one with it"
    return f"{token.user.get_username()}, as whom this token acts, may not do that: an administrator can allow it"


# Reading


def told(request: HttpRequest, shape: Schema) -> HttpResponse:
    """One object or one page, with an ``ETag``; 304 and nothing more to who has it already (``If-None-Match``)."""
    body = shape.model_dump_json()
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["ETag"] = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


# Writing


@dataclass(frozen=True)
class Done:
    """What a call did.

    shape    of what is told; None: nothing but that it is done.
    subject  what it was done to, as the ledger names it.
    topics   the pages that show it.
    """

    shape: Schema | None
    subject: str
    status: int = 200
    topics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """Refused, and yet something was kept that must not be rolled back with it."""

    problem: Problem
    subject: str
    topics: tuple[str, ...] = ()


def writes(action: str) -> Callable[[Callable[..., Done | Kept]], Callable[..., HttpResponse]]:
    """Around a call that does something: once for each key, in one transaction, with an entry in the ledger that names the token.

    ``action`` is the ledger's word for it. What is refused is rolled back and not kept: mended, it may come with the same key.
    """

    def decorate(view: Callable[..., Done | Kept]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def once(request: ApiRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            token, key, now = request.auth, kwargs["idempotency_key"], timezone.now()
            with transaction.atomic():
                call = KeyedCall.hold(token, key, _fingerprint(request), now)
                if call.fingerprint != _fingerprint(request):
                    raise Problem(
                        422,
                        "key-reused",
                        "another call was made with this key: use a new key for each thing to be done",
                        where="header",
                        field="Idempotency-Key",
                    )
                if call.status is not None:
                    return _stored(call)
                done = view(request, *args, **kwargs)
                call.answered(*_answer(done))
                if done.topics:
                    announce(*done.topics)
                facts = {"token": token.name, "key": key, "status": call.status}
                record(token.actor, f"api.{action}", done.subject, at=now, facts=facts)
                return _response(call)

        return once

    return decorate


def key_of(request: ApiRequest, idempotency_key: str, text: str) -> str:
    """For the desk, which keeps its keys for ever: other words are another message, whatever was forgotten after a day."""
    whole = f"{request.auth.pk}\0{idempotency_key}\0{text}"
    return f"api:{hashlib.sha256(whole.encode()).hexdigest()[:40]}"


def _fingerprint(request: HttpRequest) -> str:
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\0".encode())
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
    else:  # it was parsed on the way here, and is gone; the boundary between its parts may differ when it is sent again
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
                file.seek(0)
    return digest.hexdigest()


def _answer(done: Done | Kept) -> tuple[int, dict[str, str], str]:
    if isinstance(done, Kept):
        return done.problem.status, {"Content-Type": MEDIA_TYPE}, json.dumps(done.problem.told, default=str)
    if done.shape is None:
        return 204, {}, ""
    return done.status, {"Content-Type": "application/json; charset=utf-8"}, done.shape.model_dump_json()


def _response(call: KeyedCall) -> HttpResponse:
    response = HttpResponse(call.body, status=call.status)
    del response["Content-Type"]
    for name, value in call.headers.items():
        response[name] = value
    return response


def _stored(call: KeyedCall) -> HttpResponse:
    response = _response(call)
    response["Idempotent-Replayed"] = "true"
    return response
