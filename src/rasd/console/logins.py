"""Every login and every failed one is in the ledger (G12), and guessing is slowed down before it gets there."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from rasd.console.models import FailedLogin, LoginSession
from rasd.ledger.models import actor_of, record

WITHIN = timedelta(minutes=15)
TRIES_FROM_ONE_PLACE = 5
"""Failures of one name from one address. More than people need who mistype (three to four), too few to guess."""
TRIES_OF_A_NAME = 30
"""From everywhere: slows down many addresses guessing together; higher, as it locks out the owner of the name as well."""
TRIES_OF_AN_ADDRESS = 60
"""Of all names: an office behind one address has many people."""
KEPT = timedelta(days=1)


def address_of(request: HttpRequest | None) -> str | None:
    """The caller's, as the server saw it: behind a proxy, uvicorn puts the forwarded one there where it trusts the proxy."""
    return (request.META.get("REMOTE_ADDR") or None) if request else None


def may_try(username: str, from_address: str | None, at: datetime) -> bool:
    """Whether another try is allowed now. Asked before the password is looked at, so a right one is refused as well."""
    recent = FailedLogin.objects.filter(at__gt=at - WITHIN)
    of_name = recent.filter(username=_plain(username))
    if of_name.filter(from_address=from_address).count() >= TRIES_FROM_ONE_PLACE:
        return False
    if of_name.count() >= TRIES_OF_A_NAME:
        return False
    return from_address is None or recent.filter(from_address=from_address).count() < TRIES_OF_AN_ADDRESS


def record_failure(username: str, request: HttpRequest | None, at: datetime, *, why: str) -> None:
    """Count it and write it down. A name that is nobody's is not written: people type passwords into the wrong field."""
    known = get_user_model().objects.filter(username=username).exists()
    from_address = address_of(request)
    with transaction.atomic():
        FailedLogin.objects.filter(at__lt=at - KEPT).delete()
        FailedLogin.objects.create(username=_plain(username), from_address=from_address, at=at)
        subject = f"user:{username}" if known else "user:?"
        record(
            "machine:console", "login.failed", subject, at=at, why=why, facts={"from_address": from_address}
        )


def connect() -> None:
    user_logged_in.connect(_on_login, dispatch_uid="console.login")
    user_logged_out.connect(_on_logout, dispatch_uid="console.logout")
    user_login_failed.connect(_on_failure, dispatch_uid="console.login_failed")


def _on_login(sender: Any, request: HttpRequest, user: Any, **_signal: Any) -> None:
    at, actor = timezone.now(), actor_of(user)
    with transaction.atomic():
        FailedLogin.objects.filter(username=_plain(user.get_username())).delete()
        record(actor, "login.succeeded", actor, at=at, facts={"from_address": address_of(request)})
        if key := request.session.session_key:
            browser = request.headers.get("User-Agent", "")
            LoginSession.begin(user, key, at=at, from_address=address_of(request), browser=browser)


def _on_logout(sender: Any, request: HttpRequest, user: Any, **_signal: Any) -> None:
    if user is not None:
        actor = actor_of(user)
        with transaction.atomic():
            record(actor, "logout", actor, at=timezone.now())


def _on_failure(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any
) -> None:
    record_failure(str(credentials.get("username", "")), request, timezone.now(), why="password")


def _plain(username: str) -> str:
    return username.strip().lower()[:150]
