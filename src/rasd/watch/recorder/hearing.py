"""What the browser tells becomes deeds, each named as a player finds it again."""

import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from playwright.sync_api import Error, Frame

from rasd.watch.journeys.steps import Thing
from rasd.watch.players import pointing
from rasd.watch.recorder import naming, privacy
from rasd.watch.recorder.deeds import DeadEnd, Deed, End, Field, Kind, Recording
from rasd.watch.recorder.glass import Glass, Note

CALM = 0.4
"""Seconds after which a page shows what a deed has done."""
LEADS_ON = 3.0
"""Seconds within which a page that comes is what the last deed led to."""
AMBIGUOUS = "the recorder found no words that tell this from others on the page: look at it"
UNSEEN = "the recorder did not find this among what can be seen: look at it"


class Hearing:
    """``now``: seconds by a clock that never goes back. ``message``: what the recorder tells him, by its name."""

    def __init__(self, glass: Glass, recording: Recording, now: Callable[[], float] = time.monotonic) -> None:
        self.glass, self.recording, self.now = glass, recording, now
        self.began = now()
        self.field: Note | None = None
        self.list: Note | None = None
        self.picking = self.chat = self.finished = False
        self.found = self.message = ""
        self._names: dict[str, tuple[Thing | None, str]] = {}
        self._frames: dict[str, Frame] = {}
        self._before: tuple[str, str, float] | None = None
        """Of the last deed: what stood there before it, its address, when the line last stirred."""
        self._judged: object = None
        self._refusals = 0
        self._chat_words = ""

    @property
    def seconds(self) -> float:
        return self.now() - self.began

    def open(self, url: str) -> None:
        """Raises playwright's Error where it does not answer."""
        assert self.glass.page is not None  # noqa: S101
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._add(Deed(Kind.OPENED, self.seconds, value=path))
        self.glass.page.goto(url, wait_until="commit")

    # What the browser tells

    def hear(self) -> None:
        """All notes that came, in their order."""
        heard = {
            "press": self._press, "focus": self._focus, "blur": self._blur, "typed": self._typed, "enter": self._enter,
            "ticked": self._ticked, "chose": self._chose, "list": self._list, "came": self._came,
        }  # fmt: skip
        while self.glass.notes:
            frame, note = self.glass.notes.popleft()
            with suppress(
                KeyError, TypeError, ValueError
            ):  # a page that calls by itself what only our script should
                self._frames[note["id"]] = frame
                heard[note["kind"]](frame, note)
        self._look_at_answers()

    def _press(self, frame: Frame, note: Note) -> None:
        if self.picking:
            self.glass.ask(frame, "drop", note["held"])
            at_pointer = "x" in note and self.glass.ask(frame, "wordsAt", note["x"], note["y"])
            self.found = str(at_pointer or note["said"])
            return
        at = self.seconds
        self._after()
        root = self.glass.root()
        node = self.glass.node(root, note)
        thing, pressable = None, False
        if node is not None:
            meant = naming.pressable(node)
            thing, pressable = (
                naming.to_press(root, meant),
                meant is not node or meant.role in pointing.PRESSED,
            )
            pressable = pressable or "cursor" in meant.marks
        doubt = "" if thing else (UNSEEN if node is None else AMBIGUOUS)
        thing = thing or _called(note)
        self._before = (_looks(root), frame.page.url, self.glass.traffic.stirred)
        self.glass.ask(frame, "go", note["held"])
        deed = Deed(Kind.PRESSED, at, thing, key=note["id"], doubt=doubt, pressable=pressable)
        if not (self.chat and self._said_by(deed)):
            self._add(deed)

    def _focus(self, frame: Frame, note: Note) -> None:
        self._after(typing=True)
        self._name_field(note, pointing.to_type)
        self.field = note

    def _blur(self, frame: Frame, note: Note) -> None:
        if self.field and self.field["id"] == note["id"]:
            self.field = None

    def _typed(self, frame: Frame, note: Note) -> None:
        if self.field and self.field["id"] == note["id"]:
            self.field["value"] = note["value"]
        for deed in reversed(self.recording.deeds):
            if deed.key == note["id"] and deed.kind is Kind.TYPED:
                deed.value = note["value"]
                return
            if deed.kind not in {Kind.TYPED, Kind.TICKED, Kind.CHOSE}:
                break
        thing, doubt = self._names.get(note["id"], (None, UNSEEN))
        if doubt:  # it had the focus before the page was whole
            self._name_field(note, pointing.to_type)
            thing, doubt = self._names[note["id"]]
        told = Field(note["type"], note["meaning"], note["said"])
        self._add(
            Deed(Kind.TYPED, self.seconds, thing, note["value"], field=told, key=note["id"], doubt=doubt)
        )

    def _enter(self, frame: Frame, note: Note) -> None:
        if self.chat:
            self._say(note["id"], None)
        elif not note["lines"]:
            self._after(typing=True)
            self._add(Deed(Kind.ENTERED, self.seconds, key=note["id"]))

    def _ticked(self, frame: Frame, note: Note) -> None:
        self._after()
        root = self.glass.root()
        node = self.glass.node(root, note)
        thing = naming.to_tick(root, node) if node else None
        doubt = "" if thing else AMBIGUOUS
        thing = thing or _called(note)
        self._add(Deed(Kind.TICKED, self.seconds, thing, on=note["on"], key=note["id"], doubt=doubt))

    def _chose(self, frame: Frame, note: Note) -> None:
        self._after()
        self._name_field(note, pointing.to_choose)
        thing, doubt = self._names[note["id"]]
        for choice in filter(None, note["choices"]):
            told = Field("select", note.get("meaning", ""), note["said"])
            self._add(Deed(Kind.CHOSE, self.seconds, thing, choice, field=told, key=note["id"], doubt=doubt))

    def _list(self, frame: Frame, note: Note) -> None:
        self._after()
        self._name_field(note, pointing.to_choose)
        self.list = note

    def _came(self, frame: Frame, note: Note) -> None:
        """With a window of the browser's own, he goes back and writes addresses in its bar."""
        document = note["id"].partition("-")[0]
        if (
            self.field and self.field["id"].partition("-")[0] != document
        ):  # not the field that had the focus at once
            self.field = None
        self.list = None
        last = self.recording.deeds[-1] if self.recording.deeds else None
        if self.glass.show or last is None or frame.url == "about:blank":
            return
        if note["how"] == "back_forward":
            self._add(Deed(Kind.WENT_BACK, self.seconds))
            self._dead_end(End.CAME_BACK, self._title())
        elif note["how"] == "navigate" and not note["referrer"] and self.seconds - last.at > LEADS_ON:
            self._add(Deed(Kind.OPENED, self.seconds, value=frame.url))

    def _name_field(self, note: Note, kind: naming.Kind) -> None:
        root = self.glass.root()
        node = self.glass.node(root, note)
        if node and "".join(note["said"].split()) == "".join(node.name.split()):
            pointing.read_what_is_written(root, {node.name: note["said"]})  # a label in two pieces
        thing = naming.to_fill(root, node, kind) if node else None
        doubt = "" if thing else (UNSEEN if node is None else AMBIGUOUS)
        self._names[note["id"]] = (thing, doubt)
        note["said"] = thing.name if thing else note["said"]

    def _look_at_answers(self) -> None:
        answer = self.glass.traffic.answer
        if answer and answer is not self._judged:
            self._judged = answer
            if answer.status >= 400:
                self._dead_end(End.ERROR, f"{answer.status} {self._title()}".strip())
        if unreached := self.glass.traffic.unreached:
            self.glass.traffic.unreached = ""
            if len(self.glass.refused) == self._refusals:
                self._dead_end(End.ERROR, unreached)
        for refusal in self.glass.refused[self._refusals :]:
            self._dead_end(End.NOT_PERMITTED, refusal.words)
            self.message = "not_permitted"
        self._refusals = len(self.glass.refused)

    # A chat

    def _said_by(self, button: Deed) -> bool:
        """Whether what stood in the chat's field went away by this press."""
        typed = next((each for each in reversed(self.recording.deeds) if each.kind is Kind.TYPED), None)
        if typed is None or typed is not self.recording.deeds[-1] or button.thing is None:
            return False
        self.glass.pump(CALM)
        handle = self.glass.handle(self._frames[typed.key], typed.key)
        left = handle.evaluate("e => e?.isConnected ? (e.value ?? e.innerText).trim() : ''") if handle else ""
        if left:
            return False
        self._say(typed.key, button.thing)
        return True

    def _say(self, key: str, send: Thing | None) -> None:
        deeds = self.recording.deeds
        typed = next((each for each in reversed(deeds) if each.kind is Kind.TYPED and each.key == key), None)
        if typed is None or not typed.value.strip():
            return
        deeds.remove(typed)
        self._after(typing=True)
        said = Deed(
            Kind.SAID, self.seconds, typed.thing, typed.value.strip(), field=typed.field, doubt=typed.doubt, send=send
        )  # fmt: skip
        self._chat_words = self.glass.words()
        self._add(said)

    def _answered(self, said: Deed) -> bool:
        """Something stands there that did not, and that he did not write."""
        before = set(self._chat_words.split("\n"))
        return any(line not in before and line not in said.value for line in self.glass.words().split("\n"))

    # What came of it

    def _add(self, deed: Deed) -> None:
        self.recording.deeds.append(deed)

    def _dead_end(self, end: End, words: str) -> None:
        self.recording.dead_ends.append(DeadEnd(self.seconds, end, words))

    def _after(self, *, typing: bool = False) -> None:
        """Before the next deed: what the last one led to, and a picture of it."""
        last = self.recording.deeds[-1] if self.recording.deeds else None
        if last is None or (last.picture and last.kind is not Kind.TYPED):
            return
        if last.kind is Kind.SAID:
            last.heard = self._answered(last)
        if last.kind is Kind.PRESSED and self._before and not self.glass.choosers and not self.glass.dialogs:
            looks, url, stirred = self._before
            root = self.glass.root()
            same = self.glass.page is not None and self.glass.page.url == url and _looks(root) == looks
            if same and not typing and self.glass.traffic.stirred == stirred:
                last.nothing = True
                if last.thing:  # people press an empty place, and expect nothing of it
                    self._dead_end(End.NOTHING, last.thing.name)
        self._before = None
        self.glass.dialogs.clear()
        last.picture = self.glass.picture(self.hidden())

    def hidden(self) -> list[str]:
        """What is covered in pictures: all that he typed of himself."""
        return list(privacy.personal(self.recording.deeds))

    def _title(self) -> str:
        try:
            return self.glass.page.title() if self.glass.page else ""
        except Error:
            return ""


def _called(note: Note) -> Thing | None:
    """By the page's own words, untried; None: nothing is written on it, or a whole page."""
    words = str(note["said"])
    return Thing(name=words) if 0 < len(words) <= naming.LONGEST else None


def _looks(root: pointing.Node) -> str:
    """What stands there, without what changes by a press alone: what has the focus, and the numbers of things."""
    return "\n".join(
        f"{each.role} {each.name} {each.text} {sorted(set(each.marks) - {'ref', 'active', 'box'})} {each.properties}"
        for each in root.all()
    )
