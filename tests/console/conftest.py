from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from rasd.console import waiting
from tests.console.making import Utility

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch) -> None:
    """Numbers are counted anew each time; a page in use remembers some for seconds."""
    monkeypatch.setattr(waiting, "REMEMBERED", 0)


@pytest.fixture
def person(db) -> Callable[..., User]:
    """``person("agent", "reviewer")``: somebody with those roles, and the password ``PASSWORD``."""

    def make(*roles: str, username: str = "") -> User:
        username = username or "-".join(roles) or "nobody"
        user = User.objects.create_user(username, password=PASSWORD)
        user.groups.set(Group.objects.filter(name__in=roles))
        return user

    return make


@pytest.fixture
def as_(person: Callable[..., User]) -> Callable[..., Client]:
    """``as_("agent", language="en")``: a browser in which an agent is logged in."""

    def enter(*roles: str, language: str = "en") -> Client:
        client = Client(HTTP_ACCEPT_LANGUAGE=language)
        client.force_login(person(*roles))
        return client

    return enter


@pytest.fixture
def utility(db) -> Utility:
    return Utility(timezone.now())
