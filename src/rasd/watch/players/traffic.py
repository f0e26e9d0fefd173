"""What went over the line while a page was before him: the document's answer, what failed, what still runs."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Frame, Page, Request, Response

ENDLESS = frozenset({"eventsource", "websocket", "ping", "media", "manifest", "texttrack"})
"""What is open for as long as the page is, or of which nobody waits for the end."""
SHOWN = frozenset({"script", "stylesheet", "image", "font"})
"""What a page is drawn and worked with."""
KEPT = 200
"""Lines of failures and of the console that a step keeps: a page that fails in a loop does not fill the disk."""


@dataclass
class Answer:
    """Of the main document."""

    url: str
    status: int
    headers: dict[str, str]
    first: bool
    """It is the first of the visit: he is still at the door."""


@dataclass
class Traffic:
    """Listens to one visit's pages. Times by ``time.monotonic``: the browser lives in real time."""

    answer: Answer | None = None
    unreached: str = ""
    """The main document did not come: the browser's reason."""
    failures: list[dict[str, Any]] = field(default_factory=list)
    console: list[dict[str, Any]] = field(default_factory=list)
    broken: int = 0
    refused: int = 0
    """Of the broken: the service itself answered that they are not there, or with an error."""
    errors: int = 0
    crashed: bool = False
    stirred: float = field(default_factory=time.monotonic)
    """When anything last began or ended."""
    navigating: int = 0
    _running: set[Request] = field(default_factory=set)
    _documents: int = 0

    def listen(self, page: Page) -> None:
        page.on("request", self._begins)
        page.on("response", self._answers)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._fails)
        page.on("console", self._says)
        page.on("pageerror", self._errs)
        page.on("crash", self._crashes)

    def step(self) -> None:
        """A new step: what failed before it is of the step before."""
        self.failures, self.console = [], []
        self.broken = self.refused = self.errors = 0

    @property
    def running(self) -> bool:
        return bool(self._running)

    def _begins(self, request: Request) -> None:
        self.stirred = time.monotonic()
        if request.resource_type in ENDLESS:
            return
        self._running.add(request)
        if _is_main(request):
            self.navigating += 1
            self.unreached = ""

    def _answers(self, response: Response) -> None:
        request = response.request
        if _is_main(request) and not 300 <= response.status < 400:
            self._documents += 1
            self.answer = Answer(response.url, response.status, response.headers, self._documents == 1)
        if response.status >= 400:
            self._note(request, status=response.status)

    def _ends(self, request: Request) -> None:
        self._over(request)

    def _fails(self, request: Request) -> None:
        reason = request.failure or ""
        self._over(request)
        if "ERR_ABORTED" in reason:  # gone elsewhere meanwhile, a download, an answer without a page
            return
        if _is_main(request):
            self.unreached = reason
        self._note(request, reason=reason)

    def _over(self, request: Request) -> None:
        self.stirred = time.monotonic()
        if request in self._running:
            self._running.discard(request)
            if _is_main(request):
                self.navigating -= 1

    def _note(self, request: Request, **what: Any) -> None:
        kind = request.resource_type
        if kind in SHOWN and _is_same_site(request):
            self.broken += 1
            self.refused += "status" in what
        if len(self.failures) < KEPT:
            self.failures.append({"url": request.url, "method": request.method, "kind": kind, **what})

    def _says(self, message: ConsoleMessage) -> None:
        if message.location["url"].endswith("/favicon.ico"):  # asked for by the browser, not by the page
            return
        if message.type in {"error", "warning"} and len(self.console) < KEPT:
            self.console.append({"type": message.type, "text": message.text[:2000]})

    def _errs(self, error: Error) -> None:
        self.errors += 1
        if len(self.console) < KEPT:
            self.console.append({"type": "uncaught", "text": str(error)[:2000]})

    def _crashes(self, _: Page) -> None:
        self.crashed = True


def _is_main(request: Request) -> bool:
    return (
        request.is_navigation_request()
        and (frame := _frame(request)) is not None
        and frame.parent_frame is None
    )


def _frame(request: Request) -> Frame | None:
    try:
        return request.frame
    except Error:  # of a service worker, or of a page that is not there yet
        return None


def _is_same_site(request: Request) -> bool:
    frame = _frame(request)
    if frame is None:
        return True
    return _site(request.url) == _site(frame.page.main_frame.url)


def _site(url: str) -> str:
    """The end of the host that one owner has, as far as the name tells: ``nama.om`` of ``www.nama.om``, ``x.com.om``."""
    host = urlsplit(url).hostname or ""
    if host.replace(".", "").isdigit() or ":" in host:
        return host
    labels = host.split(".")
    under_a_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if under_a_country else -2 :])
