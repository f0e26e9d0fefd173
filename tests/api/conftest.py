"""A program with a token, and a customer who wrote."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from rasd.api.models import ApiToken, Scope
from rasd.channels.models import Line
from rasd.desk.models import Message, Queue
from tests.desk.people import a_line, a_queue, an_address, an_employee, hears

ALL = [scope.value for scope in Scope]
BASE = "/api/v1"


class Program:
    """Calls with one token, as curl would: what it is answered is Django's response, ``.json()`` what it says."""

    def __init__(self, secret: str, token: ApiToken) -> None:
        self.token = token
        self.secret = secret
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})
        self.count = 0

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"{BASE}{path}", headers=headers)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        self.count += 1
        headers = {"Idempotency-Key": key or f"key-{self.token.pk}-{self.count}"}
        data = json.dumps(body) if body is not None else ""
        return self.client.post(f"{BASE}{path}", data, content_type="application/json", headers=headers)


def allowed(user: User, *permissions: str) -> User:
    for each in permissions:
        app, _dot, codename = each.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def sara(db) -> User:
    """An agent who may also move work: on shift at all times."""
    wanted = ("desk.change_conversation", "desk.change_case", "desk.change_employee", "desk.view_obligation")
    wanted += ("metering.add_fieldread",)
    return allowed(an_employee("sara"), *wanted)


@pytest.fixture
def omar(db) -> User:
    return allowed(an_employee("omar"), "desk.change_conversation", "desk.change_case")


@pytest.fixture
def queue(sara, omar) -> Queue:
    return a_queue(sara, omar, name="First line")


@pytest.fixture
def line(db) -> Line:
    return a_line()


@pytest.fixture
def program(sara) -> Callable[..., Program]:
    """``program("billing", "cases:read", lines=[line])``: with a token of its own; no scopes named: all."""

    def make(name: str = "portal", *scopes: str, user: User | None = None, **more: Any) -> Program:
        token, secret = ApiToken.make(name, user or sara, scopes or ALL, at=timezone.now(), **more)
        return Program(secret, token)

    return make


@pytest.fixture
def caller(program) -> Program:
    return program(per_minute=60_000)


@pytest.fixture
def asked(line, queue) -> Message:
    """What a customer wrote just now, and is owed an answer to."""
    message = hears(line, an_address("Made-up Maryam"), "متى تفتح فترة القراءة؟", at=timezone.now())
    message.conversation.owe(message, queue=queue)
    return message
