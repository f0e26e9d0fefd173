"""Agents who are logged in. Each of their requests says by its id what it is, so that the server's log tells its time."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore

from bench.desk.timing import Times

CSRF = "benchbenchbenchbenchbenchbenchbe"
_numbers = itertools.count(1)


def cookies_of(user: User) -> dict[str, str]:
    """Of a session of half a day; nobody types a password."""
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.set_expiry(12 * 3600)
    session.save()
    return {"sessionid": session.session_key or "", "csrftoken": CSRF}


def headers_of(cookies: dict[str, str], what: str, *, part: str = "") -> dict[str, str]:
    """``part``: the fragment of the page that a script asks for."""
    told = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-Request-ID": f"{what}.{next(_numbers)}",
        "X-CSRFToken": CSRF,
    }
    return told | ({"HX-Request": "true", "HX-Target": part} if part else {})


def client(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False, limits=limits)


def server_times(log: Path, since: int = 0) -> dict[str, Times]:
    """By what was asked for: milliseconds in the server, from its own log; ``since``: bytes of it that are left out."""
    found: dict[str, Times] = {}
    for line in _lines(log, since):
        name, dot, _number = str(line.get("request_id", "")).partition(".")
        if dot and "milliseconds" in line:
            found.setdefault(name, Times()).add(line["milliseconds"])
    return found


def errors_in(log: Path, since: int = 0) -> int:
    return sum(line.get("level") in {"error", "critical"} for line in _lines(log, since))


def _lines(log: Path, since: int) -> Iterator[dict]:
    with log.open("rb") as file:
        file.seek(since)
        for line in file:
            if line.startswith(b"{"):
                try:
                    yield json.loads(line)
                except ValueError:
                    continue
