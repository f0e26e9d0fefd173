"""The honest page of an errand done by hand: one file that opens anywhere, in Arabic and English, and prints."""

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rasd.watch.players.masking import MASK, mask
from rasd.watch.players.persona import DESKTOP, PHONE
from rasd.watch.recorder import privacy
from rasd.watch.recorder.deeds import LONG, DeadEnd, Deed, End, Kind, Recording

STYLE = (Path(__file__).parent / "page.css").read_text("utf-8")


@dataclass(frozen=True)
class Line:
    """One deed, as the page tells it. ``seconds``: since the deed before it; ``symbol``: of its picture."""

    number: int
    words: str
    seconds: float
    paused: bool
    again: bool
    nothing: bool
    symbol: str


def page(recording: Recording, journey: str) -> str:
    """``journey``: the file's name, for who wants to look at it; empty: none was written."""
    sides = []
    for language in ("ar", "en"):
        with translation.override(language), timezone.override(recording.who.place):
            sides.append(
                {
                    "language": language,
                    "name": {"ar": "العربية", "en": "English"}[language],
                    "body": render_to_string("watch/recorder/side.html", _told(recording, journey)),
                }
            )
    pictures = [
        (f"p{n}", base64.b64encode(each.picture).decode())
        for n, each in enumerate(recording.deeds, 1)
        if each.picture
    ]
    sides.sort(key=lambda side: side["language"] != recording.who.language)
    context = {
        "sides": sides,
        "pictures": pictures,
        "title": recording.title,
        "size": _size(recording),
        "css": STYLE,
    }
    return render_to_string("watch/recorder/page.html", context)


def _size(recording: Recording) -> tuple[int, int]:
    """Of a picture, in CSS pixels."""
    return (PHONE if recording.who.device == "phone" else DESKTOP).window


def _told(recording: Recording, journey: str) -> dict[str, object]:
    again, hidden = recording.asked_again(), list(privacy.personal(recording.deeds))
    before, lines = 0.0, []
    for n, deed in enumerate(recording.deeds, 1):
        seconds, before = deed.at - before, deed.at
        symbol = f"p{n}" if deed.picture else ""
        repeated = any(each is deed for each in again)
        lines.append(
            Line(n, mask(said(deed), hidden), seconds, seconds >= LONG, repeated, deed.nothing, symbol)
        )
    ends = [mask(_end(each), hidden) for each in recording.dead_ends]
    ends += [
        ngettext(
            "For %(n)d second he did nothing: he read, searched or waited.",
            "For %(n)d seconds he did nothing: he read, searched or waited.",
            round(seconds),
        ) % {"n": round(seconds)}
        for seconds, _before in recording.pauses()
    ]  # fmt: skip
    host = urlsplit(recording.url).netloc
    return {
        "recording": recording, "journey": journey, "lines": lines, "ends": ends, "host": host, "size": _size(recording),
        "minutes": int(recording.ended // 60), "seconds": int(recording.ended % 60),
        "clicks": recording.clicks, "typed": len(recording.typed), "again": len(again), "dead": len(recording.dead_ends),
    }  # fmt: skip


def said(deed: Deed) -> str:
    """In the language of the moment, without what he typed of himself."""
    name = deed.thing.name if deed.thing else deed.field.label
    what = deed.value if deed.kind in {Kind.OPENED, Kind.SAW} else name
    own = deed.kind is Kind.TYPED and privacy.of(deed) != deed.value
    value = MASK if own else deed.value
    words = _words(deed)
    return words % {"what": what or "…", "value": value}


def _words(deed: Deed) -> str:
    match deed.kind:
        case Kind.OPENED:
            return _("opens %(what)s")
        case Kind.PRESSED:
            return _("presses “%(what)s”")
        case Kind.TYPED:
            return _("types into “%(what)s”: %(value)s")
        case Kind.ENTERED:
            return _("presses Enter")
        case Kind.CHOSE:
            return _("chooses “%(value)s” in “%(what)s”")
        case Kind.TICKED:
            return _("ticks “%(what)s”") if deed.on else _("takes the tick from “%(what)s”")
        case Kind.ATTACHED:
            return _("gives a file to “%(what)s”")
        case Kind.WENT_BACK:
            return _("goes back")
        case Kind.SAID:
            return _("writes in the chat: %(value)s")
        case Kind.SAW:
            return _("reads what he came for: “%(what)s”")


def _end(end: DeadEnd) -> str:
    match end.end:
        case End.CAME_BACK:
            words = _("He came back from “%(what)s”.")
        case End.ERROR:
            words = _("A page failed: %(what)s.")
        case End.NOTHING:
            words = _("He pressed “%(what)s”, and nothing happened.")
        case End.NOT_PERMITTED:
            words = _("The recorder may not go there: %(what)s")
        case End.GAVE_UP:
            words = _("He gave up: %(what)s")
    return words % {"what": end.words or "?"}
