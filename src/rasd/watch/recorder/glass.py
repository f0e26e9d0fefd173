"""The window in which he does his errand: a browser as the persona has it, what it tells, and pictures of it."""

import base64
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Dialog, Error, FileChooser, Frame, JSHandle, Page

from rasd.watch.journeys.language import Persona
from rasd.watch.leave import Leave
from rasd.watch.permission import Refusal
from rasd.watch.players import pointing
from rasd.watch.players.browser import Browser
from rasd.watch.players.camera import picture
from rasd.watch.players.guard import keep_within
from rasd.watch.players.pointing import Node
from rasd.watch.players.traffic import Traffic

NOTING = (Path(__file__).parent / "noting.js").read_text("utf-8").rstrip()
READING = (Path(__file__).parents[1] / "players" / "reading.js").read_text("utf-8")
ANSWERS = 2000.0
"""Milliseconds that a page has to say what stands on it: he waits for them at a press."""
TRIED = 12
"""Things at one place that are asked whether they are the one."""
SHARP = 2
"""Picture points a CSS pixel of the live picture, at most."""

Note = dict[str, Any]
Show = Callable[[bytes], None]


class Glass:
    """``show`` hears of each new picture of the page (JPEG); without it nobody looks from afar, and the browser has a window.

    Belongs to the thread that made it. Raises CannotPlay (BROWSER) where there is no browser.
    """

    def __init__(self, browser: Browser, who: Persona, leave: Leave, show: Show | None) -> None:
        self.notes: deque[tuple[Frame, Note]] = deque()
        self.choosers: deque[FileChooser] = deque()
        self.dialogs: deque[str] = deque()
        self.traffic, self.show = Traffic(), show
        self._pages: list[Page] = []
        self._sessions: dict[Page, CDPSession] = {}
        self._shown: Page | None = None
        self.context: BrowserContext
        self.context, profile = browser.context(who)
        self.size, self.touches = profile.device.window, profile.device.fingers > 0
        self._overrides = profile.overrides()
        self.context.expose_binding(
            "rasdNote", lambda source, note: self.notes.append((source["frame"], note))
        )
        self.context.add_init_script(NOTING.removesuffix("(REMOTE)") + ("(true)" if show else "(false)"))
        page = self.context.new_page()
        self.refused: list[Refusal] = keep_within(
            self.context, lambda url, sends: leave.refusal(url, sends=sends)
        )
        self._take(page)
        self.context.on("page", self._take)

    def _take(self, page: Page) -> None:
        self._pages.append(page)
        page.on("close", lambda page: self._pages.remove(page))
        page.on("dialog", self._agree)
        page.on("filechooser", lambda chooser: self.choosers.append(chooser))
        self.traffic.listen(page)
        try:
            session = self._sessions[page] = self.context.new_cdp_session(page)
            for command, arguments in self._overrides:
                session.send(command, arguments)
            session.on("Page.screencastFrame", lambda event: self._frame(page, session, event))
        except Error:
            if not page.is_closed():
                raise

    def _agree(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message[:500])
        dialog.accept()

    @property
    def page(self) -> Page | None:
        """The newest window; None: there is none left."""
        return self._pages[-1] if self._pages else None

    # He is shown what is before him

    def look(self) -> None:
        """The live picture is of the window that is before him now."""
        page = self.page
        if self.show is None or page is None or page is self._shown:
            return
        if self._shown and not self._shown.is_closed():
            self._sessions[self._shown].send("Page.stopScreencast")
        width, height = self.size
        size = {"maxWidth": width * SHARP, "maxHeight": height * SHARP} if self.touches else {}
        self._sessions[page].send("Page.startScreencast", {"format": "jpeg", "quality": 70, **size})
        self._shown = page

    def _frame(self, page: Page, session: CDPSession, event: dict[str, Any]) -> None:
        if self.show and page is self._shown:
            self.show(base64.b64decode(event["data"]))
        with suppress(Error):  # the page was closed meanwhile
            session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    def pump(self, seconds: float) -> None:
        """Lets the browser's news in. Raises playwright's Error where the last window is gone."""
        if self.page is None:
            raise Error("there is no window left")
        try:
            self.page.wait_for_timeout(seconds * 1000)
        except Error:
            if self.page is None:
                raise

    # What stands there

    def root(self) -> Node:
        """Empty where the page does not react or is just left."""
        try:
            assert self.page is not None  # noqa: S101
            return pointing.tree(self.page.aria_snapshot(mode="ai", boxes=True, timeout=ANSWERS))
        except (Error, AssertionError):
            return Node("page")

    def words(self) -> str:
        """All that can be read, frames included."""
        return "\n".join(filter(None, map(self._words_of, self.page.frames if self.page else [])))

    def _words_of(self, frame: Frame) -> str:
        try:
            return str(frame.locator(":root").evaluate(READING, timeout=ANSWERS))
        except Error:
            return ""

    def node(self, root: Node, note: Note) -> Node | None:
        """The thing of which a note tells, among what a player sees; None: a player does not see it."""
        x, y, width, height = note["box"]
        px, py = note.get("x", x + width / 2), note.get("y", y + height / 2)
        near = [each for each in root.all() if each.ref and _over(each, px, py)]
        near.sort(key=lambda each: abs(_area(each) - width * height))
        around = None
        for each in near[:TRIED]:
            held = self._holds(each, note["id"])
            if held == 2:
                return each
            if held == 1 and (around is None or _area(each) < _area(around)):
                around = each
        return around

    def _holds(self, node: Node, id_: str) -> int:
        try:
            assert self.page is not None  # noqa: S101
            place = self.page.locator(f"aria-ref={node.ref}")
            return int(
                place.evaluate("(e, id) => window.rasdNoting?.holds(e, id) ?? 0", id_, timeout=ANSWERS)
            )
        except (Error, AssertionError):
            return 0

    def ask(self, frame: Frame, what: str, *about: Any) -> Any:
        """A question to the script that notes; None where the page is gone."""
        try:
            return frame.evaluate(f"about => window.rasdNoting?.{what}(...about)", list(about))
        except Error:
            return None

    def handle(self, frame: Frame, id_: str) -> JSHandle | None:
        try:
            return frame.evaluate_handle("id => window.rasdNoting?.thing(id)", id_)
        except Error:
            return None

    def picture(self, hidden: list[str]) -> bytes:
        """JPEG, ``hidden`` covered; empty where there is none to be had."""
        try:
            return picture(self.page, self._sessions[self.page], hidden) if self.page else b""
        except Error:
            return b""

    def close(self) -> None:
        with suppress(Error):  # the browser is gone
            self.context.close()


def _box(node: Node) -> tuple[float, float, float, float]:
    x, y, width, height = (float(each) for each in node.marks.get("box", "0,0,0,0").split(","))
    return x, y, width, height


def _over(node: Node, px: float, py: float) -> bool:
    """Boxes are rounded, and of the node's own frame, as notes are."""
    x, y, width, height = _box(node)
    return x - 1 <= px <= x + width + 1 and y - 1 <= py <= y + height + 1


def _area(node: Node) -> float:
    _, _, width, height = _box(node)
    return width * height
