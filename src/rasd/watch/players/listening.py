"""Hearing a page's conversation as it changes: ``listening.js`` in the frame of the chat, put there anew where the frame was
loaded anew."""

import contextlib
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import ElementHandle, Error, Frame, JSHandle
from playwright.sync_api import TimeoutError as TookTooLong

from rasd.watch.players.base import Clock
from rasd.watch.players.conversation import News

SCRIPT = (Path(__file__).parent / "listening.js").read_text("utf-8")
SETTLED = 0.8
"""Seconds without change after which a message's words are all there: answers are also written out word by word."""
ASKED = 100
"""Milliseconds between two questions, in the page, whether there is news. The times of messages are the page's own, not these."""
REACTS = 2.0
"""Seconds within which a page that works answers a question about itself."""


class Listener:
    """Hears the messages of the service. ``selector``: CSS of one of them; ``person``: a regular expression of words that only
    stand there once a person has joined."""

    def __init__(self, clock: Clock, selector: str | None, person: str | None) -> None:
        self.clock, self.selector, self.person = clock, selector, person
        self.frame: Frame | None = None
        self.person_at: float | None = None
        """By the visit's clock."""
        self._heard: dict[str, News] = {}
        self._script: JSHandle | None = None
        self._times = 0
        self._ahead = 0.0
        self._known: dict[str, int] = {}
        self._news = 0

    @property
    def heard(self) -> list[News]:
        """The messages in this frame, and in the frames before it that were loaded anew."""
        return list(self._heard.values())

    def begin(self, frame: Frame, box: ElementHandle) -> None:
        """``box``: where he writes, to tell the conversation from the rest of the page. Raises playwright's Error where the frame
        has gone meanwhile."""
        self.frame, self._times, self._news = frame, self._times + 1, -1
        told = {
            "selector": self.selector, "box": box, "known": self._known, "names": self.person is not None,
            "settle": SETTLED,
        }  # fmt: skip
        self._script = frame.evaluate_handle(SCRIPT, told)
        before = self.clock.monotonic()
        page = self._script.evaluate("script => script.now()")
        self._ahead = (before + self.clock.monotonic()) / 2 - page

    def read(self) -> bool:
        """Takes in what the page has now; False where nobody listens there any more: it was left, or loaded anew."""
        if self._script is None or self.frame is None:
            return False
        try:
            self.frame.wait_for_function(
                "script => script.look() >= 0", arg=self._script, timeout=REACTS * 1000, polling=ASKED
            )
            self._take(self._script.evaluate("script => script.state()"))
        except TookTooLong:  # it does not react: there is no news, and it may come to itself again
            return True
        except Error:
            self._script = None
            return False
        return True

    def _take(self, state: dict[str, Any]) -> None:
        self._news, self._known = state["news"], state["known"]
        here = {}
        for each in state["messages"]:
            key, settled = f"{self._times}.{each['id']}", state["now"] - each["changed"] >= SETTLED
            here[key] = News(key, each["at"] + self._ahead, each["text"], settled)
        before = {key: news for key, news in self._heard.items() if not key.startswith(f"{self._times}.")}
        self._heard = before | here
        if self.person and self.person_at is None:
            seen = [at for words, at in state["lines"] if re.search(self.person, words)]
            self.person_at = min(seen) + self._ahead if seen else None

    def he_sends(self, words: str) -> None:
        """Right before it is sent: from here on the page knows which words are his. Raises playwright's Error."""
        if self._script:
            self._script.evaluate("(script, words) => script.sends(words)", words)

    def sent_at(self) -> float:
        """When he pressed the key or the button, by the visit's clock, as exactly as the answer's time is known. Raises
        playwright's Error."""
        if self._script is None:
            return self.clock.monotonic()
        return self._ahead + float(self._script.evaluate("script => script.sent()"))

    def wait(self, seconds: float) -> None:
        """Until there is news, or so long."""
        if self._script is None or self.frame is None:
            return
        if any(not each.settled for each in self._heard.values()):
            seconds = min(seconds, SETTLED)
        try:
            self.frame.wait_for_function(
                "([script, news]) => script.news() !== news",
                arg=[self._script, self._news],
                timeout=max(1.0, seconds * 1000),
                polling=ASKED,
            )
        except TookTooLong:
            pass
        except Error:
            self._script = None

    def close(self) -> None:
        if self._script:
            with contextlib.suppress(Error):  # the page is gone, and the script with it
                self._script.evaluate("script => script.stop()")
            self._script = None
