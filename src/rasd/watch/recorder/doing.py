"""What he asks of the recorder is done: on its page, he presses and types through it; and he says when it is done."""

from contextlib import suppress
from pathlib import PurePath
from random import Random
from typing import Any

from playwright.sync_api import Error
from playwright.sync_api import TimeoutError as TookTooLong

from rasd.watch.players.drawing import photograph
from rasd.watch.players.reading import stands
from rasd.watch.recorder.deeds import Deed, End, Kind
from rasd.watch.recorder.hearing import Hearing

PICKERS = frozenset({"date", "time", "month", "week", "datetime-local", "color", "range"})
"""Fields that open something outside the page, and do not tell what is put into them from afar."""
DRAWN = "photograph"


class Doing(Hearing):
    """One errand, from its beginning to its end."""

    # What he asks of the recorder

    def state(self) -> dict[str, Any]:
        """For the recorder's page."""
        page, field = self.glass.page, self.field
        return {
            "began": round(self.recording.began.timestamp() * 1000),
            "url": page.url if page else "",
            "size": self.glass.size,
            "field": field and {key: field[key] for key in ("id", "said", "type", "lines", "value")},
            "list": self.list
            and {"said": self.list["said"], "choices": self.list["choices"], "value": self.list["value"]},
            "file": bool(self.glass.choosers),
            "picking": self.picking,
            "found": self.found,
            "proofs": [each.value for each in self.recording.deeds if each.kind is Kind.SAW],
            "deeds": len(self.recording.deeds),
            "chat": self.chat,
            "message": self.message,
            "finished": self.finished,
        }

    def obey(self, order: dict[str, Any]) -> None:
        """Raises KeyError and ValueError for what no page of ours asks; playwright's Error where a page does not take it."""
        self.message = ""
        page = self.glass.page
        if page is None:
            return
        match order["do"]:
            case "tap":
                x, y = order["x"] * self.glass.size[0], order["y"] * self.glass.size[1]
                page.touchscreen.tap(x, y) if self.glass.touches else page.mouse.click(x, y)
            case "move":
                page.mouse.move(order["x"] * self.glass.size[0], order["y"] * self.glass.size[1])
            case "scroll":
                page.mouse.wheel(float(order["dx"]), float(order["dy"]))
            case "key":
                self._key(str(order["key"]))
            case "type":
                self._type(str(order["value"]))
            case "choose":
                self._choose(int(order["n"]))
            case "file":
                self._attach(str(order["name"]), order["data"])
            case "no_file":
                self.glass.choosers.clear()
            case "back":
                self._go_back()
            case "pick":
                self._after()
                self.picking, self.found = bool(order["on"]), ""
            case "proof":
                self._prove(" ".join(str(order["words"]).split()))
            case "chat":
                self.chat = bool(order["on"])
            case "finish":
                self._finish(str(order["title"]))
            case "give_up":
                self._give_up(str(order["why"]), " ".join(str(order["words"]).split()))

    def _key(self, key: str) -> None:
        assert self.glass.page is not None  # noqa: S101
        keyboard = self.glass.page.keyboard
        keyboard.type(key) if len(key) == 1 else keyboard.press(key)

    def _type(self, value: str) -> None:
        if self.field is None:
            return
        note = self.field
        handle = self.glass.handle(self._frames[note["id"]], note["id"])
        element = handle.as_element() if handle else None
        if element is None:
            self.field = None
            return
        try:
            element.fill(value, timeout=2000)
        except TookTooLong:
            return
        note["value"] = value
        if note["type"] in PICKERS:
            self._typed(self._frames[note["id"]], note | {"value": value})

    def _choose(self, n: int) -> None:
        note, self.list = self.list, None
        if note is None or n < 0:
            return
        handle = self.glass.handle(self._frames[note["id"]], note["id"])
        if element := handle.as_element() if handle else None:
            words = next(label for number, label in note["choices"] if number == n)
            self._chose(self._frames[note["id"]], note | {"choices": [words]})
            element.select_option(index=n, timeout=2000)

    def _attach(self, name: str, data: bytes | None) -> None:
        """``data``: None for a picture that is drawn for each visit anew."""
        chooser = self.glass.choosers.popleft() if self.glass.choosers else None
        if chooser is None:
            return
        press = next((each for each in reversed(self.recording.deeds) if each.kind is Kind.PRESSED), None)
        if data is None:
            name, given = DRAWN, photograph(Random(0)).jpeg  # noqa: S311
            chooser.set_files({"name": "IMG.jpg", "mimeType": "image/jpeg", "buffer": given})
        else:
            name = PurePath(name).name or "file"
            self.recording.files[name] = data
            kind = "image/jpeg" if name.lower().endswith((".jpg", ".jpeg")) else "application/octet-stream"
            chooser.set_files({"name": name, "mimeType": kind, "buffer": data})
        if press is not None:
            press.kind, press.value, press.nothing = Kind.ATTACHED, name, False

    def _go_back(self) -> None:
        assert self.glass.page is not None  # noqa: S101
        self._after()
        left, url = self._title(), self.glass.page.url
        with suppress(Error):
            self.glass.page.go_back(wait_until="commit", timeout=5000)
        if self.glass.page is None or self.glass.page.url in {url, "about:blank"}:
            self.message = "no_way_back"
            return
        self._dead_end(End.CAME_BACK, left)
        self._add(Deed(Kind.WENT_BACK, self.seconds))

    def _prove(self, words: str) -> None:
        if not words or not stands(words, self.glass.words()):
            self.message = "not_there"
            return
        self.picking, self.found = False, ""
        self._after()
        self._add(Deed(Kind.SAW, self.seconds, value=words))
        self.message = "proved"

    def _finish(self, title: str) -> None:
        if not any(each.kind is Kind.SAW for each in self.recording.deeds):
            self.message = "no_proof"
            return
        self._end(title)

    def _give_up(self, why: str, words: str) -> None:
        self._after()
        self._dead_end(End.GAVE_UP, why)
        if words:
            self._add(Deed(Kind.SAW, self.seconds, value=words))
        self._end("")

    def _end(self, title: str) -> None:
        self._after()
        self.recording.title, self.recording.ended, self.finished = (
            " ".join(title.split()),
            self.seconds,
            True,
        )

    def end_without_a_word(self) -> None:
        """The window is closed, and nothing more can be seen."""
        self.recording.ended, self.finished = self.seconds, True
