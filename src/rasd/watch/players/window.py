"""What is before him: a browser's window, how he looks at it, waits for it and what he makes of what it shows."""

import re
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Dialog, Error, Frame, Page
from playwright.sync_api import TimeoutError as TookTooLong

from rasd.watch.journeys.steps import Step
from rasd.watch.permission import Refusal, Why
from rasd.watch.players import pointing
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.guard import keep_within
from rasd.watch.players.masking import without_secrets
from rasd.watch.players.normal import normal
from rasd.watch.players.pointing import Node, Sought
from rasd.watch.players.traffic import Answer, Traffic
from rasd.watch.robots import retry_after

READING = (Path(__file__).parent / "reading.js").read_text("utf-8")
HIDDEN = """() => [...document.querySelectorAll('a, button, input, select, textarea, label, summary, [role], [onclick]')]
    .filter(e => !e.checkVisibility({opacityProperty: true, visibilityProperty: true}))
    .slice(0, 500).map(e => e.getAttribute('aria-label') || e.placeholder || e.value || e.textContent || '')"""

NAMED_OTHERWISE = r"""() => [...document.querySelectorAll('[aria-label], [aria-labelledby], [title]')]
    .map(e => [e.getAttribute('aria-label') || e.title || [...(e.ariaLabelledByElements || [])].map(l => l.innerText).join(' '),
               e.innerText || e.value || ''])
    .concat([...document.querySelectorAll('label')].filter(e => e.children.length).map(e => {
        const texts = document.createTreeWalker(e, NodeFilter.SHOW_TEXT), pieces = [];
        while (texts.nextNode()) pieces.push(texts.currentNode.data);
        return [e.textContent.trim().replace(/\s+/g, ' '), pieces.join(' ')];
    }))
    .filter(([name, written]) => name && written && written.trim() !== name.trim()).slice(0, 500)"""
"""What a screen reader calls otherwise than it is written: people go by what is written. A label in two pieces ("E-mail",
"required") is one word to it where only the style keeps them apart; people read the pieces, though the style did not come."""
TICKS = re.compile(r"\d+")

CALM = 0.15
"""Seconds without anything new after which a page has taken in what was done to it."""
CALM_ENOUGH = 0.5
"""Seconds after which what stands there will do: until then something that fits better may come."""
SETTLED = 10.0
"""Seconds without anything new after which what is not there will not come: he sees it, and does not wait his whole patience
out. A step with ``within`` waits as long as that says."""
SETTLING = 5.0
"""Seconds at most that a step waits for pictures and scripts of a page that stands there already: people go on."""
LOOK = 0.1
"""Seconds between two looks; longer the longer he waits, up to LONGEST_LOOK."""
LONGEST_LOOK = 0.5
OPENS = 30.0
"""Seconds in which a browser opens a window, on a machine that has much else to do."""
REACTS = 5.0
"""Seconds within which a page that works answers a question about itself."""
LEAVING = 1.0
"""The same of a page that is being left: the next one may have its place at any moment."""
AT_THE_DOOR = {401, 403}
TOO_MANY = 429
CHALLENGES = re.compile(
    r"recaptcha/(api2|enterprise)/(anchor(?!.*size=invisible)|bframe)|hcaptcha\.com/captcha|challenges\.cloudflare\.com"
    r"|captcha-delivery\.com|arkoselabs\.com|funcaptcha\.com"
)
"""Addresses of frames in which a person is asked to prove that he is one."""
CHALLENGED = re.compile(
    r"verify (that )?you are (a )?human|are you a robot|i'?m not a robot|unusual traffic from your|checking your browser"
    r"|أنا لست (برنامج )?روبوت|تحقق من أنك إنسان|لست روبوت",
    re.IGNORECASE,
)
LARGE = 40  # CSS pixels: a challenge that is smaller is a badge


class Window:
    """One visit's window. Opened when first needed; ``close`` may be called twice."""

    def __init__(self, browser: Browser, traces: float = 0.0) -> None:
        self.browser, self.traces = browser, traces
        self.presented: dict[str, Any] = {}
        self.traffic = Traffic()
        self.downloads: list[str] = []
        self.touches = True
        self.reacts = True
        """The page answered when it was last looked at; where not, no picture of it can be had either."""
        self._context: BrowserContext | None = None
        self._pages: list[Page] = []
        self._sessions: dict[Page, CDPSession] = {}
        self._refused: list[Refusal] = []
        self._overrides: list[tuple[str, dict[str, Any]]] = []
        self._judged: object = None

    # It opens

    def open(self, errand: Errand) -> None:
        """Raises CannotPlay (BROWSER)."""
        if self._context:
            return
        self._context, profile = self.browser.context(errand.journey.who)
        self._overrides, self.presented = profile.overrides(), profile.presented()
        self.touches = profile.device.fingers > 0
        try:
            self._context.tracing.start(screenshots=False, snapshots=True, sources=False)
            with self.browser.at_most(OPENS):
                page = self._context.new_page()
            # The guard first: a DevTools session that comes later takes the overrides of those before it away.
            self._refused = keep_within(
                self._context, lambda url, sends: errand.leave.refusal(url, sends=sends)
            )
            self._take(page)
            self._context.on("page", self._take)
            self.presented["user_agent"] = self._told("navigator.userAgent", REACTS)
        except Error as error:
            raise self.broken(error) from error

    def _take(self, page: Page) -> None:
        """A window that opens is the one before him, as on a telephone; the one before comes back when it closes."""
        self._pages.append(page)
        page.on("close", lambda page: self._pages.remove(page))
        page.on("dialog", self._read_and_agree)
        page.on("download", lambda download: self.downloads.append(download.suggested_filename))
        self.traffic.listen(page)
        try:
            session = self._sessions[page] = page.context.new_cdp_session(page)
            for command, arguments in self._overrides:
                session.send(command, arguments, timeout=REACTS * 1000)
        except Error:
            if not page.is_closed():
                raise

    def _read_and_agree(self, dialog: Dialog) -> None:
        self.traffic.console.append({"type": f"dialog: {dialog.type}", "text": dialog.message[:2000]})
        dialog.accept()

    @property
    def page(self) -> Page:
        """Raises CannotPlay where the service closed its own window, or the guard a window of somebody else's."""
        if self._refused:
            raise self._not_permitted()
        if not self._pages:
            raise CannotPlay(Trouble.BROWSER, "there is no window left")
        return self._pages[-1]

    @property
    def session(self) -> CDPSession:
        return self._sessions[self.page]

    # He goes somewhere

    def go(self, url: str, step: Step, errand: Errand) -> None:
        """Raises CannotPlay: NOT_PERMITTED, UNREACHABLE, ERROR_PAGE, WALL."""
        errand.ask_leave(url)
        try:
            self.page.goto(url, wait_until="commit", timeout=_milliseconds(errand.left(step)))
        except TookTooLong as error:
            raise CannotPlay(Trouble.UNREACHABLE, f"{url} did not answer", gave_up=True) from error
        except Error as error:
            if self._refused:
                raise self._not_permitted() from error
            if "net::" not in error.message:
                raise self.broken(error) from error
            if "ERR_ABORTED" not in error.message:
                raise CannotPlay(Trouble.UNREACHABLE, f"{url}: {_reason(error.message)}") from error
        self.settle(step, errand)

    def settle(self, step: Step, errand: Errand) -> None:
        """Waits until the page has taken in what was done, and looks whether it is one that he can go on with."""
        began = time.monotonic()
        while True:
            self.pause(CALM)
            late = errand.left(step) <= 0
            if self.traffic.navigating:
                if late:
                    raise CannotPlay(Trouble.UNREACHABLE, "the next page did not come", gave_up=True)
                continue
            waited = time.monotonic() - began
            quiet = not self.traffic.running and time.monotonic() - self.traffic.stirred >= CALM
            if (quiet and waited >= CALM) or waited > SETTLING or late:
                break
        self.judge()

    def pause(self, seconds: float) -> None:
        """Lets the browser's news in meanwhile. Not ``wait_for_timeout``: of that a trace keeps a page's copy each time."""
        try:
            self.page.wait_for_event("close", timeout=max(1.0, seconds * 1000))
        except TookTooLong:
            pass
        except Error as error:
            raise self.broken(error) from error

    def judge(self) -> None:
        """Raises CannotPlay where the page that came is none to go on with: ERROR_PAGE, WALL, UNREACHABLE, NOT_PERMITTED; BROWSER
        where it crashed."""
        if self._refused:
            raise self._not_permitted()
        if self.traffic.crashed:
            raise CannotPlay(Trouble.BROWSER, "the page crashed")
        if self.traffic.unreached:
            raise CannotPlay(Trouble.UNREACHABLE, f"the page did not come: {self.traffic.unreached}")
        answer = self.traffic.answer
        if answer is None or answer is self._judged:
            return
        self._judged = answer
        if answer.headers.get("cf-mitigated") == "challenge":
            raise CannotPlay(Trouble.WALL, "it asks him to prove that he is no robot", status=answer.status)
        if answer.status == TOO_MANY:
            raise CannotPlay(
                Trouble.WALL,
                "it says that there were too many requests",
                status=TOO_MANY,
                retry_after=_again(answer),
            )
        if answer.status in AT_THE_DOOR and answer.first:
            raise CannotPlay(
                Trouble.WALL, f"it turns him away at the door: {answer.status}", status=answer.status
            )
        if answer.status >= 400:
            wall = self.challenged()
            words = f"the page answered {answer.status}: {self.words()[:200]!r}"
            trouble = Trouble.WALL if wall else Trouble.ERROR_PAGE
            raise CannotPlay(trouble, words, status=answer.status, retry_after=_again(answer))

    def challenged(self) -> bool:
        """Whether a person is asked here to prove that he is one. It is reported, never evaded."""
        for frame in self.page.frames[1:]:
            if CHALLENGES.search(frame.url):
                try:
                    box = frame.frame_element().bounding_box()
                except Error:
                    continue
                if box and box["width"] > LARGE and box["height"] > LARGE:
                    return True
        return CHALLENGED.search(self.words()) is not None

    def _not_permitted(self) -> CannotPlay:
        refusal = self._refused[0]
        trouble = Trouble.WALL if refusal.why is Why.ROBOTS else Trouble.NOT_PERMITTED
        return CannotPlay(trouble, refusal.words, refused=refusal.why.value)

    def broken(self, error: Error) -> CannotPlay:
        """What Playwright could not do and no page can be blamed for."""
        return CannotPlay(Trouble.BROWSER, error.message.strip().split("\n")[0])

    # He looks

    def snapshot(self) -> str:
        """Empty while one page gives way to the next, or where the page does not react."""
        try:
            seen = self.page.aria_snapshot(mode="ai", boxes=True, timeout=REACTS * 1000)
        except Error as error:
            self._unless_it_goes_on(error)
            return ""
        self.reacts = True
        return seen

    def words(self) -> str:
        """What a person can read here, frames included."""
        return "\n".join(filter(None, map(self._words_of, self.page.frames)))

    def _words_of(self, frame: Frame) -> str:
        try:
            seconds = LEAVING if self.traffic.navigating else REACTS
            if frame == self.page.main_frame:
                read = str(self._told(f"({READING})()", seconds) or "")
            else:
                read = str(frame.locator(":root").evaluate(READING, timeout=seconds * 1000))
        except Error as error:
            self._unless_it_goes_on(error)
            return ""
        self.reacts = True
        return read

    def _told(self, expression: str, seconds: float) -> Any:
        """By the page itself. Playwright's own questions put copies of the page into the trace: dearer than the answer."""
        question = {"expression": expression, "returnByValue": True}
        told = self.session.send("Runtime.evaluate", question, timeout=seconds * 1000)
        return told["result"].get("value")

    def _unless_it_goes_on(self, error: Error) -> None:
        """A page that is just left, or does not react, is looked at again; a browser that is gone is not."""
        if self.traffic.crashed or "crashed" in error.message:
            raise CannotPlay(Trouble.BROWSER, "the page crashed") from error
        if (
            not self._pages
            or "browser has been closed" in error.message
            or "Connection closed" in error.message
        ):
            raise self.broken(error) from error
        if isinstance(error, TookTooLong):
            self.reacts = False

    def look_for(self, step: Step, errand: Errand, *soughts: Sought) -> Node:
        """What is meant by its words, the first of ``soughts`` before the next, as soon as it is there and can be used.

        Raises CannotPlay: NOT_THERE, OUT_OF_REACH, TWO_OF_THEM.
        """
        wait, seen, changed, root, read = LOOK, "", time.monotonic(), Node("page"), False
        while True:
            snapshot = self.snapshot()
            if snapshot != seen:
                if news(snapshot) != news(seen):
                    changed = time.monotonic()
                seen, root, read = snapshot, pointing.tree(snapshot), False
            quiet = self.quiet_since(changed)
            found, trouble = _found(root, soughts, quiet >= CALM_ENOUGH)
            if found is None and trouble is None and not read and quiet >= CALM_ENOUGH:
                pointing.read_what_is_written(root, self._named_otherwise())
                read = True
                found, trouble = _found(root, soughts, loosely=True)
            if found and not found.disabled:
                return found
            if self.given_up(step, errand, quiet):
                raise trouble or self._missed(root, found, soughts[0])
            self.pause(wait)
            wait = min(LONGEST_LOOK, wait * 1.5)

    def quiet_since(self, changed: float) -> float:
        """Seconds since which nothing has moved: neither on the page since ``changed``, nor on the line."""
        return 0.0 if self.traffic.running else time.monotonic() - max(changed, self.traffic.stirred)

    def given_up(self, step: Step, errand: Errand, quiet: float) -> bool:
        """His time is over, or he sees that nothing will come."""
        return errand.left(step) <= 0 or (step.within is None and quiet >= SETTLED)

    def _missed(self, root: Node, found: Node | None, sought: Sought) -> CannotPlay:
        name = sought.thing.name
        if found:
            return CannotPlay(Trouble.OUT_OF_REACH, f"{name!r} is there, and switched off")
        if self._is_hidden(name):
            return CannotPlay(Trouble.OUT_OF_REACH, f"{name!r} is on the page, and hidden from him")
        return CannotPlay(Trouble.NOT_THERE, pointing.not_there(root, sought))

    def _is_hidden(self, name: str) -> bool:
        words = normal(name)
        return any(words == normal(each) for each in self._asked(HIDDEN))

    def _named_otherwise(self) -> dict[str, str]:
        return dict(self._asked(NAMED_OTHERWISE))

    def _asked(self, question: str) -> list[Any]:
        """Of each frame."""
        try:
            return [each for frame in self.page.frames for each in frame.evaluate(question)]
        except Error as error:
            self._unless_it_goes_on(error)
            return []

    # It closes

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        context, self._context = self._context, None
        if context is None:
            return ()
        keeps = errand.random.random() < self.traces or not went_well
        if not (context.browser and context.browser.is_connected()):  # it is gone, and the trace with it
            return ()
        try:
            trace = self._trace(context, errand) if keeps else b""
            if not keeps:
                context.tracing.stop()
            context.close()
        except Error:  # it goes just now
            return ()
        return (errand.box.put(ExhibitKind.TRACE, trace, "application/zip"),) if trace else ()

    def _trace(self, context: BrowserContext, errand: Errand) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.zip"
            context.tracing.stop(path=path)
            return without_secrets(path.read_bytes(), errand.secrets.values())


def _found(root: Node, soughts: tuple[Sought, ...], loosely: bool) -> tuple[Node | None, CannotPlay | None]:
    """Only what fits exactly while the page still moves; what is switched off may be switched on yet."""
    off = None
    for sought in soughts if loosely else soughts[:1]:
        try:
            found = pointing.find(root, sought, loosely)
        except CannotPlay as error:
            return None, error
        if found and not found.disabled:
            return found, None
        off = off or found
    return off, None


def news(seen: str) -> str:
    """Without what only counts: a page with a clock on it would never be quiet."""
    return TICKS.sub("#", seen)


def _milliseconds(seconds: float) -> float:
    return max(1.0, min(seconds, 24 * 3600) * 1000)


def _reason(message: str) -> str:
    found = re.search(r"net::(ERR_\w+)", message)
    return found[1] if found else message.split("\n")[0]


def _again(answer: Answer) -> float | None:
    """Seconds until it wants to be asked again."""
    return retry_after(answer.headers.get("retry-after", ""), datetime.now(UTC))
