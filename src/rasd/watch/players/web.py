"""The web, as an ordinary person with a telephone: he looks, presses, types and reads (G13)."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Locator, Page
from playwright.sync_api import TimeoutError as TookTooLong

from rasd.watch.journeys.steps import (
    Attach,
    Back,
    Choose,
    Fill,
    Go,
    Keep,
    Miss,
    Open,
    Press,
    Python,
    See,
    Step,
    Thing,
    Tick,
)
from rasd.watch.journeys.written import Channel
from rasd.watch.players import odd, pointing
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.camera import picture
from rasd.watch.players.drawing import photograph
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.normal import normal, within
from rasd.watch.players.pointing import Node
from rasd.watch.players.reading import Reading
from rasd.watch.players.window import LONGEST_LOOK, LOOK, REACTS, SETTLED, Window, news

Facts = dict[str, Any]
ENTER = "Enter"
"""``press: Enter`` is the key, where nothing on the page is called so."""
MEANING = """e => /^(|on|off)$/.test(e.autocomplete ?? '') ? (/^(email|tel)$/.test(e.type) ? e.type : '') : e.autocomplete"""
"""Of a field, as the page itself tells browsers: e-mail address, telephone, given name …"""
CAN_BE_A_LOSS = {Trouble.NOT_THERE, Trouble.OTHER_WORDS}
LOOKED_IN_VAIN = {*CAN_BE_A_LOSS, Trouble.OUT_OF_REACH}


class WebPlayer:
    """``folder``: where the journey's file lies, its attachments and its Python beside it. ``traces``: the share of visits that
    went well of which the trace is kept; that of a failure always is. The chat's player shares it: it may be closed twice."""

    channel = Channel.WEB

    def __init__(self, browser: Browser, folder: Path = Path(), traces: float = 0.0) -> None:
        self.window, self.folder = Window(browser, traces), folder
        self._given: set[tuple[str, str]] = set()
        """Labels and what he typed there, in this visit."""
        self._typed: dict[str, str] = {}
        """The same of the form before him."""
        self._sent = False
        self._only_read = False
        self._seen_before: object = None
        """What stood there after the step before, and when anything had last moved."""
        self._shown: tuple[Exhibit, ...] = ()
        """Its words and its picture."""

    @property
    def presented(self) -> Facts:
        return self.window.presented

    @property
    def page(self) -> Page:
        """What is before him. Raises CannotPlay where nothing is."""
        return self.window.page

    def play(self, step: Step, errand: Errand) -> Facts:
        self.window.open(errand)
        self.window.traffic.step()
        self._only_read = isinstance(step, See | Miss | Keep)
        try:
            facts = self._do(step, errand)
        except CannotPlay as error:
            explained = self._explained(error)
            if explained is error:
                raise
            raise explained from error
        except Error as error:
            raise self.window.broken(error) from error
        return self._seen() | facts

    def _do(self, step: Step, errand: Errand) -> Facts:
        match step:
            case Open():
                self.window.go(errand.address(step.open), step, errand)
                return {}
            case Go():
                return self._come_back(step, errand)
            case Press():
                return self._press(step, errand)
            case Fill():
                return self._fill(step, errand)
            case Choose():
                return self._choose(step, errand)
            case Tick():
                return self._tick(step, errand)
            case Attach():
                return self._attach(step, errand)
            case See() | Miss() | Keep():
                return self._read(step, errand)
            case Back():
                return self._back(step, errand)
            case Python():
                return odd.call(step, errand, self.folder, page=self.window.page)
            case _:
                raise CannotPlay(
                    Trouble.JOURNEY, f"{step.verb!r} cannot be done on a page: 'go' elsewhere first"
                )

    # Going

    def _come_back(self, step: Go, errand: Errand) -> Facts:
        if step.at or self.window.page.url == "about:blank":
            self.window.go(errand.address(step.at or ""), step, errand)
        return {}

    def _back(self, step: Back, errand: Errand) -> Facts:
        before = self.window.page.url
        try:
            self.window.page.go_back(
                wait_until="commit", timeout=max(1.0, min(errand.left(step), SETTLED) * 1000)
            )
        except TookTooLong as error:
            raise CannotPlay(
                Trouble.UNREACHABLE, "the page before did not come back", gave_up=True
            ) from error
        self.window.settle(step, errand)
        if self.window.page.url in {before, "about:blank"}:
            raise CannotPlay(Trouble.JOURNEY, "there is no page to go back to")
        return {"clicks": 1}

    # Pressing

    def _press(self, step: Press, errand: Errand) -> Facts:
        thing = _filled(step.press, errand)
        if thing == Thing(name=ENTER):
            self.window.page.keyboard.press(ENTER)
        else:
            self.tap(
                self._find(step, errand, pointing.to_press(thing), pointing.to_touch(thing)), step, errand
            )
        self._sent = True
        self.window.settle(step, errand)
        return {"clicks": 1}

    def tap(self, node: Node, step: Step, errand: Errand) -> None:
        """Raises CannotPlay: OUT_OF_REACH."""
        locator = self._at(node)
        self._deed(locator.tap if self.window.touches else locator.click, node, step, errand)

    def _at(self, node: Node) -> Locator:
        return self.window.page.locator(f"aria-ref={node.ref}")

    def _deed(self, deed: Callable[..., Any], node: Node, step: Step, errand: Errand) -> None:
        """Playwright waits until it can be done, and then does it once."""
        left = errand.left(step)
        waits = left if step.within else min(left, SETTLED)
        try:
            deed(timeout=max(1.0, waits * 1000))
        except TookTooLong as error:
            raise CannotPlay(
                Trouble.OUT_OF_REACH,
                _why_not(node, error.message),
                **({"gave_up": True} if waits == left else {}),
            ) from error

    def _find(self, step: Step, errand: Errand, *soughts: pointing.Sought) -> Node:
        while True:
            node = self.window.look_for(step, errand, *soughts)
            if self._at(node).count():  # it was not replaced since he looked
                return node
            if errand.left(step) <= 0:
                raise CannotPlay(
                    Trouble.OUT_OF_REACH, f"{node.words!r} is gone again at each look", gave_up=True
                )

    # Filling in

    def _fill(self, step: Fill, errand: Errand) -> Facts:
        asked_again = 0
        for label, template in step.fill.items():
            value = errand.text(template)
            node = self._find(step, errand, pointing.to_type(Thing(name=errand.text(label))))
            asked_again += self._was_asked(node, label, value)
            self._deed(partial(self._at(node).fill, value), node, step, errand)
            self._typed[label] = value
        self._sent = False
        return {"typed": len(step.fill), "asked_again": asked_again}

    def _was_asked(self, node: Node, label: str, value: str) -> bool:
        """Whether he already gave this, under this label or to a field of the same meaning."""
        meaning = self._at(node).evaluate(MEANING, timeout=REACTS * 1000)
        keys = {(normal(label), value), *({(meaning, value)} if meaning else set())}
        asked = bool(keys & self._given) and bool(value)
        self._given |= keys
        return asked

    def _choose(self, step: Choose, errand: Errand) -> Facts:
        for label, choice in step.choose.items():
            words = errand.text(choice)
            node = self._find(step, errand, pointing.to_choose(Thing(name=errand.text(label))))
            options = [each for each in node.all() if each.role == "option"]
            if node.role in {"combobox", "listbox"} and options:
                among = partial(self._at(node).select_option, label=_among(options, words))
                self._deed(among, node, step, errand)
                continue
            if node.role in {"combobox", "listbox"}:
                self.tap(node, step, errand)
                choices = pointing.to_press(Thing(name=words))
            else:  # a group of things to tick
                choices = pointing.to_tick(Thing(name=words, near=errand.text(label)))
            self.tap(self._find(step, errand, choices), step, errand)
        self.window.settle(step, errand)
        return {"clicks": len(step.choose)}

    def _tick(self, step: Tick, errand: Errand) -> Facts:
        thing = _filled(step.tick, errand)
        node = self._find(step, errand, pointing.to_tick(thing), pointing.to_touch(thing))
        if node.role in pointing.TICKED and ("checked" in node.marks) == step.on:
            return {"clicks": 0}
        self.tap(node, step, errand)
        self.window.settle(step, errand)
        return {"clicks": 1}

    def _attach(self, step: Attach, errand: Errand) -> Facts:
        facts: Facts = {"clicks": len(step.attach), "attached": len(step.attach)}
        for label, name in step.attach.items():
            if name == "photograph":
                drawn = photograph(errand.random)
                given: Any = {"name": "IMG.jpg", "mimeType": "image/jpeg", "buffer": drawn.jpeg}
                errand.kept["photograph"] = facts["photograph"] = drawn.words
            else:
                given = self.folder / errand.text(name)
                if not given.is_file():
                    raise CannotPlay(
                        Trouble.JOURNEY, f"{name} cannot be attached: it is not beside the journey"
                    )
            thing = Thing(name=errand.text(label))
            node = self._find(step, errand, pointing.to_press(thing), pointing.to_touch(thing))
            try:
                with self.window.page.expect_file_chooser(timeout=REACTS * 1000) as chooser:
                    self.tap(node, step, errand)
                chooser.value.set_files(given)
            except TookTooLong as error:
                raise CannotPlay(Trouble.OUT_OF_REACH, f"{label!r} does not ask for a file") from error
        self.window.settle(step, errand)
        return facts

    # Reading

    def _read(self, step: See | Miss | Keep, errand: Errand) -> Facts:
        reading = Reading.of(step, errand)
        wait, seen, changed = LOOK, "", 0.0
        while True:
            words = self.window.words()
            if news(words) != seen or not changed:
                seen, changed = news(words), time.monotonic()
            quiet = self.window.quiet_since(changed)
            if reading.is_there(words, quiet):
                errand.kept.update(reading.kept)
                return {}
            if self.window.given_up(step, errand, quiet):
                raise CannotPlay(
                    Trouble.OTHER_WORDS,
                    reading.instead(words),
                    **({"gave_up": True} if errand.left(step) <= 0 else {}),
                )
            self.window.pause(wait)
            wait = min(LONGEST_LOOK, wait * 1.5)

    # What was seen

    def _seen(self) -> Facts:
        traffic = self.window.traffic
        facts: Facts = {"status": traffic.answer.status if traffic.answer else None}
        facts |= {
            name: count for name in ("broken", "refused", "errors") if (count := getattr(traffic, name))
        }
        return facts | ({"downloads": list(self.window.downloads)} if self.window.downloads else {})

    def _explained(self, error: CannotPlay) -> CannotPlay:
        """The same, or what lies behind it: an error page that came late, a wall, a form that lost what was typed."""
        found = error
        try:
            if error.trouble in LOOKED_IN_VAIN:
                self.window.judge()
            if error.trouble in LOOKED_IN_VAIN and self.window.challenged():
                found = CannotPlay(Trouble.WALL, f"it asks him to prove that he is no robot; {error.words}")
            elif error.trouble in CAN_BE_A_LOSS and (lost := self._lost()):
                found = CannotPlay(
                    Trouble.LOST, f"what he typed is gone from {', '.join(lost)}; {error.words}"
                )
        except CannotPlay as behind:
            found = behind
        except Error:
            pass  # the page is just gone: what was seen first stands
        found.facts = self._seen() | error.facts | found.facts
        return found

    def _lost(self) -> list[str]:
        """The fields of the form that he sent, where all of them are there again and empty."""
        typed = {label: value for label, value in self._typed.items() if value}
        if not self._sent or not typed:
            return []
        root = pointing.tree(self.window.snapshot())
        for label in typed:
            try:
                node = pointing.find(root, pointing.to_type(Thing(name=label)), loosely=True)
            except CannotPlay:
                return []
            if node is None or node.value or node.role == "searchbox":
                return []
        return list(typed)

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        """A picture, the page's words, and what failed on the line and in the console where anything did."""
        exhibits: list[Exhibit] = []
        traffic = self.window.traffic
        for kind, lines in ((ExhibitKind.NETWORK, traffic.failures), (ExhibitKind.CONSOLE, traffic.console)):
            if lines:
                text = errand.masked(json.dumps(lines, ensure_ascii=False, indent=1))
                exhibits.append(errand.box.put(kind, text.encode(), "application/json"))
        with suppress(CannotPlay, Error):  # the page is gone: there is nothing to be seen
            exhibits += self._look_of_it(errand)
        return tuple(exhibits)

    def _look_of_it(self, errand: Errand) -> tuple[Exhibit, ...]:
        words = errand.masked(f"{self.window.page.url}\n\n{self.window.words()}\n").encode()
        seen = (words, self.window.traffic.stirred)
        if self._only_read and seen == self._seen_before:
            return self._shown  # he only read, and nothing has moved since: it looks as it did
        exhibits = [errand.box.put(ExhibitKind.WORDS, words, "text/plain; charset=utf-8")]
        if self.window.reacts:
            shot = picture(self.window.page, self.window.session, list(errand.secrets.values()))
            exhibits.append(errand.box.put(ExhibitKind.PICTURE, shot, "image/jpeg"))
        self._seen_before = seen
        self._shown = tuple(exhibits)
        return self._shown

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        return self.window.close(errand, went_well)


def _filled(thing: Thing, errand: Errand) -> Thing:
    near = errand.text(thing.near) if thing.near else None
    return Thing(name=errand.text(thing.name), near=near, nth=thing.nth)


def _among(options: list[Node], words: str) -> str:
    """The choice as it is written in the list. Raises CannotPlay: NOT_THERE, TWO_OF_THEM."""
    wanted = normal(words)
    exactly = [each for each in options if normal(each.words) == wanted]
    for fitting in (exactly, [each for each in options if within(wanted, normal(each.words))]):
        found = list(dict.fromkeys(each.words for each in fitting))
        if len(found) == 1:
            return found[0]
        if found:
            raise CannotPlay(Trouble.TWO_OF_THEM, f"{words!r} may be each of {', '.join(map(repr, found))}")
    names = {normal(each.words): each.words for each in options}
    raise CannotPlay(Trouble.NOT_THERE, f"no choice is called {words!r}{pointing.closest(words, names)}")


def _why_not(node: Node, log: str) -> str:
    """Of Playwright's log, why what he found could not be used."""
    name = node.words or node.properties.get("placeholder") or node.role
    if cover := re.search(r"<(\w+)[^>]*>.*intercepts pointer events", log):
        return f"{name!r} is there, and something lies over it ({cover[0][:120]})"
    for sign, words in NOT_NOW.items():
        if sign in log:
            return f"{name!r} is there, and {words}"
    return f"{name!r} is there, and could not be used"


NOT_NOW = {
    "not enabled": "switched off",
    "not editable": "cannot be typed into",
    "not stable": "does not stand still",
    "not visible": "is hidden from him",
    "outside of the viewport": "cannot be brought before his eyes",
}
