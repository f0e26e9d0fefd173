"""What he did, as it was noted: plain data between the browser and what is made of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rasd.watch.journeys.language import Persona
from rasd.watch.journeys.steps import Thing

LONG = 20.0
"""Seconds without a deed from which on it is told as a pause: he reads, searches or waits."""


class Kind(StrEnum):
    OPENED = "opened"
    PRESSED = "pressed"
    TYPED = "typed"
    ENTERED = "entered"
    CHOSE = "chose"
    TICKED = "ticked"
    ATTACHED = "attached"
    WENT_BACK = "went back"
    SAID = "said"
    SAW = "saw"
    """Words of which he said: they prove it."""


CLICKS = {Kind.PRESSED, Kind.CHOSE, Kind.TICKED, Kind.ATTACHED, Kind.WENT_BACK}


@dataclass(frozen=True)
class Field:
    """What the page itself says of a field: ``type`` as HTML has it, ``meaning`` (``autocomplete``), its ``label``."""

    type: str = "text"
    meaning: str = ""
    label: str = ""


@dataclass
class Deed:
    """``at``: seconds since he began. ``value``: the address, what he typed, chose, attached, said or saw."""

    kind: Kind
    at: float
    thing: Thing | None = None
    """As a player finds it again."""
    value: str = ""
    on: bool = True
    field: Field = Field()
    key: str = ""
    """Of the element: what is typed into it goes on being typed."""
    doubt: str = ""
    """Why a player may not find it again: English, into the journey's ``note``."""
    heard: bool = False
    """Of what was said in a chat: something came after it."""
    send: Thing | None = None
    """The button by which it was said; None: Enter."""
    nothing: bool = False
    """Pressed, and nothing came of it."""
    pressable: bool = True
    """It says of itself that it can be pressed."""
    picture: bytes = b""
    """What was before him after it: JPEG, what is personal covered."""


class End(StrEnum):
    CAME_BACK = "came back"
    ERROR = "error"
    NOTHING = "nothing"
    NOT_PERMITTED = "not permitted"
    GAVE_UP = "gave up"


@dataclass(frozen=True)
class DeadEnd:
    """``words``: the page's title, the error's number, what was pressed in vain, or his own words."""

    at: float
    end: End
    words: str


@dataclass
class Recording:
    """One errand, done by hand."""

    url: str
    """Where he began."""
    who: Persona
    began: datetime
    """UTC."""
    deeds: list[Deed] = field(default_factory=list)
    dead_ends: list[DeadEnd] = field(default_factory=list)
    ended: float = 0.0
    """Seconds since he began."""
    title: str = ""
    """What he came for, in his words."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What he attached, by name."""

    @property
    def gave_up(self) -> bool:
        return any(each.end is End.GAVE_UP for each in self.dead_ends)

    @property
    def clicks(self) -> int:
        """With those that led nowhere; Enter is none."""
        return sum(each.kind in CLICKS or each.send is not None for each in self.deeds)

    @property
    def typed(self) -> list[Deed]:
        """The fields that he typed into, the same field twice where he came back to it."""
        return [each for each in self.deeds if each.kind in {Kind.TYPED, Kind.SAID} and each.value]

    def pauses(self) -> list[tuple[float, Deed]]:
        """Seconds, and the deed before which he paused."""
        gaps = zip(self.deeds, self.deeds[1:], strict=False)
        return [(b.at - a.at, b) for a, b in gaps if b.at - a.at >= LONG]

    def asked_again(self) -> list[Deed]:
        """The fields into which he typed what he had already given, under the same label or to a field of the same meaning: as
        the web's player counts it (``players/web.py``)."""
        from rasd.watch.players.normal import normal

        given: set[tuple[str, str]] = set()
        again = []
        for each in self.typed:
            if each.kind is Kind.SAID:
                continue
            label = each.thing.name if each.thing else each.field.label
            meaning = each.field.meaning or (each.field.type if each.field.type in {"email", "tel"} else "")
            keys = {(normal(label), each.value), *({(meaning, each.value)} if meaning else set())}
            if keys & given:
                again.append(each)
            given |= keys
        return again
