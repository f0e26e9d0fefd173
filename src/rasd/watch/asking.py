"""One question to a place, as a stranger asks it: for a file that lies there for whoever comes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urljoin

import httpx

from rasd.watch.journeys.language import Persona
from rasd.watch.permission import WELL_KNOWN
from rasd.watch.places import NotPlain, is_loopback, place
from rasd.watch.players.persona import Profile, asks
from rasd.watch.players.systems import the_systems, version_of
from rasd.watch.robots import BROWSER, MOST

PATIENCE = 10.0
"""Seconds for each answer, those of redirects too."""
REDIRECTS = 5
"""RFC 9309, 2.3.1.2."""


@dataclass(frozen=True)
class Answer:
    status: int
    text: str = ""


class Unanswered(Exception):
    """The place did not answer, or with an error of its own: nothing is known that was not known before."""


Ask = Callable[[str], Answer]


def as_whom() -> dict[str, str]:
    """The headers of the telephone's browser, of the version that this machine has: a visit that follows is its user's."""
    version = version_of(the_systems())
    profile = Profile(Persona(patience=timedelta(minutes=1)), version)
    return asks(profile.persona.language, profile.user_agent if version else BROWSER)


def ask(url: str) -> Answer:
    """One GET, as any browser would send it. Raises Unanswered: no connection, 429, 5xx, too many redirects."""
    asked, home = url, is_loopback(place(url))
    try:
        with httpx.Client(timeout=PATIENCE, headers=as_whom()) as client:
            for _ in range(REDIRECTS + 1):
                with client.stream("GET", asked) as response:
                    if not response.has_redirect_location:
                        return _answer(response)
                    asked = urljoin(asked, response.headers["location"])
                    there = place(asked)
                    if url.endswith(WELL_KNOWN) and there.origin != place(url).origin:
                        return Answer(404)  # another origin's word is not this one's
                    if is_loopback(there) and not home:
                        raise Unanswered(f"redirected to {there.origin}, which is this machine itself")
    except (httpx.HTTPError, httpx.InvalidURL, NotPlain) as error:
        raise Unanswered(f"{type(error).__name__}: {error}") from error
    raise Unanswered(f"more than {REDIRECTS} redirects")


def _answer(response: httpx.Response) -> Answer:
    if response.status_code == 429 or response.status_code >= 500:
        raise Unanswered(f"answered {response.status_code}")
    if not response.is_success:
        return Answer(response.status_code)
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) >= MOST:
            break
    return Answer(response.status_code, body[:MOST].decode("utf-8", "replace").replace("\0", ""))
