"""The cheap first look: an address is asked for without a browser, by who comes with one."""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from rasd.watch.journeys.steps import Get, Go, Python, Step
from rasd.watch.journeys.written import Channel
from rasd.watch.players import odd
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.persona import Profile, asks
from rasd.watch.players.reading import search
from rasd.watch.robots import retry_after

REDIRECTS = 20  # as many as Chrome follows
LONGEST = 24 * 3600.0  # seconds: httpx wants a number
TURNED_AWAY = {401, 403, 429}
READ = 1_000_000
"""Characters of an answer that are kept as evidence."""


class HttpPlayer:
    """``browser``: as whose user it comes; it is not started for that."""

    channel = Channel.HTTP

    def __init__(self, browser: Browser, folder: Path = Path()) -> None:
        self.browser, self.folder = browser, folder
        self.presented: dict[str, Any] = {}
        self._client: httpx.Client | None = None
        self._words = ""

    def play(self, step: Step, errand: Errand) -> dict[str, Any]:
        self._words = ""
        match step:
            case Get():
                return self._get(step, errand)
            case Python():
                return odd.call(step, errand, self.folder)
            case Go():
                return {}
            case _:
                raise CannotPlay(Trouble.JOURNEY, f"{step.verb!r} needs a browser: 'go' to the web first")

    def _get(self, step: Get, errand: Errand) -> dict[str, Any]:
        clock = errand.clock
        began = clock.monotonic()
        answer = self._follow(errand.address(step.get.url), step, errand)
        seconds = clock.monotonic() - began
        self._words = _readable(answer)
        facts: dict[str, Any] = {
            "status": answer.status_code,
            "seconds": round(seconds, 3),
            "bytes": len(answer.content),
        }
        if answer.status_code != step.get.status:
            said = f"{answer.url} answered {answer.status_code}, not {step.get.status}"
            trouble = Trouble.WALL if answer.status_code in TURNED_AWAY else Trouble.ERROR_PAGE
            again = retry_after(answer.headers.get("retry-after", ""), clock.now())
            raise CannotPlay(trouble, said, **facts, retry_after=again)
        if step.get.words and search(errand.pattern(step.get.words), self._words) is None:
            raise CannotPlay(
                Trouble.OTHER_WORDS,
                f"/{step.get.words}/ does not stand there; there stands {' '.join(self._words.split())[:160]!r}",
                **facts,
            )
        return facts

    def _follow(self, url: str, step: Get, errand: Errand) -> httpx.Response:
        """Leave is asked for each redirect, too."""
        client = self._client = self._client or self._come(errand)
        try:
            for _ in range(REDIRECTS):
                errand.ask_leave(url)
                answer = client.get(url, timeout=max(0.001, min(errand.left(step), LONGEST)))
                if not answer.has_redirect_location:
                    return answer
                url = urljoin(url, answer.headers["location"])
        except httpx.TimeoutException as error:
            raise CannotPlay(Trouble.UNREACHABLE, f"{url} did not answer", gave_up=True) from error
        except httpx.TransportError as error:
            raise CannotPlay(Trouble.UNREACHABLE, f"{url}: {error}") from error
        except httpx.InvalidURL as error:
            raise CannotPlay(Trouble.JOURNEY, f"{url} is no address: {error}") from error
        raise CannotPlay(Trouble.ERROR_PAGE, f"{url} leads in a circle: {REDIRECTS} redirects")

    def _come(self, errand: Errand) -> httpx.Client:
        profile = Profile(errand.journey.who, self.browser.version)
        headers = asks(errand.journey.who.language, profile.user_agent)
        self.presented = {
            "user_agent": headers["User-Agent"],
            "languages": headers["Accept-Language"],
            "browser": "",
        }
        return httpx.Client(headers=headers)

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        if not self._words:
            return ()
        words = errand.masked(self._words[:READ])
        return (errand.box.put(ExhibitKind.WORDS, words.encode(), "text/plain; charset=utf-8"),)

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        if self._client:
            self._client.close()
            self._client = None
        return ()


def _readable(answer: httpx.Response) -> str:
    if "html" not in answer.headers.get("content-type", ""):
        return answer.text
    text = re.sub(r"(?is)<(script|style|template)\b.*?</\1\s*>", " ", answer.text)
    return "\n".join(filter(None, map(str.strip, html.unescape(re.sub(r"<[^>]+>", "\n", text)).split("\n"))))
