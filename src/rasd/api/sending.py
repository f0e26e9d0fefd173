"""Calling a subscriber's address, which a stranger chose: signed, never into our own network, never led elsewhere."""

import functools
import hashlib
import hmac
import ipaddress
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

TIMEOUT = httpx.Timeout(10, connect=5)  # seconds
READ = 300  # characters of what a subscriber says to a call that it did not take
BUSY = {408, 425, 429}
"""Of the 4xx, those that are no fault of what was sent."""


class NotAllowed(Exception):
    """The address lies where we do not call; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What became of a call.

    taken    with a 2xx.
    refused  by a 4xx that is about what was sent: sent again as it is, it is refused again, so the rest need not wait.
    words    for a person, where it was not taken.
    """

    taken: bool
    refused: bool = False
    words: str = ""


def check_address(url: str) -> None:
    """Raises ValueError where it is no address that we call; the name's own address is looked at before each call."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"url: {error}") from error
    schemes = ("https", "http") if settings.WEBHOOKS_TO_PRIVATE else ("https",)
    if parts.scheme not in schemes or not host:
        raise ValueError(f"url: must begin with {' or '.join(each + '://' for each in schemes)} and a host")
    if parts.username or parts.password:
        raise ValueError("url: no name or password in it; calls are signed instead")
    if not settings.WEBHOOKS_TO_PRIVATE:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return
        if not is_public(address):
            raise ValueError("url: a private or loopback address is not called; use a public one")


def signature(secret: str, body: bytes) -> str:
    """As Meta signs its webhooks: ``sha256=`` and the HMAC-SHA256 of the raw body in hexadecimal."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def post(url: str, secret: str, told: dict[str, Any]) -> Outcome:
    """``told`` as JSON; whether it was taken. Never raises for what the other side does."""
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        request = _request(url, body, signature(secret, body))
        answer = client().send(request, stream=True, follow_redirects=False)
    except NotAllowed as error:
        return Outcome(False, words=str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        return Outcome(False, words=f"nobody answered: {error or type(error).__name__}")
    try:
        if answer.is_success:
            return Outcome(True)
        said = _first_words(answer)
    finally:
        answer.close()
    if answer.is_redirect:
        return Outcome(False, words=f"{answer.status_code}: it leads elsewhere, which is not followed")
    refused = answer.is_client_error and answer.status_code not in BUSY
    return Outcome(False, refused=refused, words=f"{answer.status_code}: {said}".rstrip(": "))


def _request(url: str, body: bytes, signed: str) -> httpx.Request:
    """To the very address that was looked at: a name that points elsewhere a moment later leads nowhere."""
    target = httpx.URL(url)
    headers = {
        "Host": target.netloc.decode("ascii"),
        "Content-Type": "application/json",
        "User-Agent": "Rasd-Webhooks/1",
        "X-Hub-Signature-256": signed,
    }
    # The certificate is still the name's: it is asked for, and checked, by the name.
    named = {"sni_hostname": target.host} if target.scheme == "https" else {}
    address = _public_address(target.host, target.port or {"https": 443, "http": 80}[target.scheme])
    return client().build_request(
        "POST", target.copy_with(host=address), content=body, headers=headers, extensions=named
    )


def _public_address(host: str, port: int) -> str:
    """Raises NotAllowed where any address of the name is private; OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        if not settings.WEBHOOKS_TO_PRIVATE and not is_public(ipaddress.ip_address(address)):
            raise NotAllowed(
                f"{host} is {address}, a private or loopback address, which is not called"
                " (RASD_WEBHOOKS_TO_PRIVATE allows it)"
            )
    return addresses[0]


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it is anybody's in the internet. An IPv4 address written as IPv6 is what it is in IPv4."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    teredo = getattr(address, "teredo", None)
    if teredo is not None:
        return False
    return (inner or address).is_global and not (inner or address).is_multicast


@functools.cache
def client() -> httpx.Client:
    """One a process. No proxy of the environment: it would look names up by itself, where we cannot look."""
    return httpx.Client(timeout=TIMEOUT, trust_env=False, limits=httpx.Limits(max_connections=20))


def _first_words(answer: httpx.Response) -> str:
    try:
        first = next(answer.iter_bytes(READ), b"")
    except httpx.HTTPError:
        return ""
    return " ".join(first[:READ].decode("utf-8", "replace").replace("\0", "").split())
