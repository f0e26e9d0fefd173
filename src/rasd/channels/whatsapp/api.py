"""The Cloud API: sending, looking media up, and downloading them.

Errors are :class:`ChannelError` throughout. Which codes deserve another try: Meta's "Error codes".
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import puremagic
from django.conf import settings

from rasd.channels.errors import ChannelError
from rasd.channels.models import Line
from rasd.channels.whatsapp.payload import Problem, words
from rasd.ledger import evidence

# API too many calls; rate limit of the account; throughput; something went wrong; service unavailable; pair rate limit;
# account in maintenance.
RETRYABLE = {4, 80007, 130429, 131000, 131016, 131056, 131057}

TIMEOUT = httpx.Timeout(30, connect=5)  # seconds; Meta answers within 2, a large download pauses for longer
CHUNK = 64 * 1024  # bytes

# The call never left: trying again cannot double anything.
NOT_CALLED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@functools.cache
def client() -> httpx.Client:
    """One a process, for its connections; safe to use from many threads."""
    return httpx.Client(timeout=TIMEOUT, limits=httpx.Limits(max_connections=50))


def send(line: Line, body: dict[str, Any]) -> str:
    """``POST /{phone-number-id}/messages``.

    Args:
        body: as :func:`compose.body` makes it; an image kept as evidence is uploaded first, and in ``body`` its ``sha256`` is
            exchanged for the id.

    Returns:
        The id of the message.

    Raises:
        ChannelError: with ``unanswered`` where the message may have been accepted all the same.
    """
    image = body.get("image") or body.get("interactive", {}).get("header", {}).get("image", {})
    if sha256 := image.pop("sha256", ""):
        image["id"] = upload(line, evidence.fetch(sha256))
    answer = _call("POST", f"{line.external_id}/messages", json=body)
    messages = answer.get("messages")
    external_id = words(messages[0].get("id")) if isinstance(messages, list) and messages else ""
    if not external_id:
        raise ChannelError(
            f"an answer without a message id: {str(answer)[:200]}", permanent=False, unanswered=True
        )
    return external_id


def upload(line: Line, data: bytes) -> str:
    """``POST /{phone-number-id}/media``. Returns the media id, which lives 30 days."""
    try:
        kind = puremagic.from_string(data[:CHUNK], mime=True)
    except puremagic.PureError:
        kind = "application/octet-stream"
    answer = _call(
        "POST",
        f"{line.external_id}/media",
        data={"messaging_product": "whatsapp", "type": kind},
        files={"file": ("image", data, kind)},
    )
    if not (media_id := words(answer.get("id"))):
        raise ChannelError(f"an upload without an id: {str(answer)[:200]}", permanent=False)
    return media_id


@contextmanager
def download(line: Line, media_id: str) -> Iterator[Iterator[bytes]]:
    """Look ``media_id`` up and stream the file: its address is good for five minutes and wants the token.

    Raises:
        ChannelError: it could not be had, or fewer or more bytes came than Meta said there are.
    """
    found = _call("GET", media_id, params={"phone_number_id": line.external_id})
    url, size = words(found.get("url")), words(found.get("file_size"))
    if not url:
        raise ChannelError(f"no address for media {media_id}: {str(found)[:200]}", permanent=False)
    try:
        with client().stream("GET", url, headers=_authorization()) as response:
            if response.status_code != 200:
                response.read()
                raise _refused(response)
            yield _counted(response.iter_bytes(CHUNK), int(size) if size.isdigit() else None)
    except httpx.HTTPError as error:
        raise ChannelError(f"download broke off: {_describe(error)}", permanent=False) from error


def _counted(chunks: Iterator[bytes], expected: int | None) -> Iterator[bytes]:
    received = 0
    for chunk in chunks:
        received += len(chunk)
        yield chunk
    if expected is not None and received != expected:
        raise ChannelError(f"{received} bytes came; Meta said {expected}", permanent=False)


def _authorization() -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.WHATSAPP['TOKEN']}"}


def _call(method: str, path: str, **request: Any) -> dict[str, Any]:
    try:
        response = client().request(
            method, f"{settings.WHATSAPP['API_URL']}/{path}", headers=_authorization(), **request
        )
    except NOT_CALLED as error:
        raise ChannelError(f"WhatsApp cannot be reached: {_describe(error)}", permanent=False) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ChannelError(
            f"WhatsApp did not answer: {_describe(error)}", permanent=False, unanswered=True
        ) from error
    if response.is_success:
        answer = _json(response)
        if answer is None:
            raise ChannelError("an answer that is not JSON", permanent=False, unanswered=True)
        return answer
    raise _refused(response)


def _refused(response: httpx.Response) -> ChannelError:
    """Meta's code decides; without one, the HTTP status: 429 and 5xx may pass."""
    error = (_json(response) or {}).get("error")
    problem = Problem.model_validate(error)
    told = f"{problem}" if isinstance(error, dict) else response.text[:200]
    passing = response.status_code >= 500 or response.status_code == 429
    return ChannelError(
        f"WhatsApp refused ({response.status_code}): {told}",
        code=problem.number,
        permanent=not (passing or problem.number in RETRYABLE),
        retry_after=_retry_after(response),
        # A gateway that gives up tells nothing of what happened behind it.
        unanswered=response.status_code >= 500 and problem.number is None,
    )


def _retry_after(response: httpx.Response) -> timedelta | None:
    seconds = response.headers.get("Retry-After", "")
    return timedelta(seconds=min(int(seconds), 3600)) if seconds.isascii() and seconds.isdigit() else None


def _json(response: httpx.Response) -> dict[str, Any] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _describe(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()
