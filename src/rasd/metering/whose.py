"""Whose meter is in the photographs, and what it means that one was sent before. Pure functions of what is on record.

Generous to the meter that is expected (letters that look alike, one misread), strict with another's: the faces of meters
are full of numbers, and a customer must not be told that their meter is not theirs because a stain was read as a digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from rasd.metering.numbers import SERIAL_LEAST, distance, plain_serial
from rasd.vision.identity import Closeness, closeness, numbers_in

Key = TypeVar("Key")

RESENT_WITHIN = timedelta(days=15)
"""A photograph that came before the window is asked for again in it: sent again within this time it is in good faith.
Assumed; between two windows lie about twenty days."""


@dataclass(frozen=True)
class Face:
    """What stands on the meter of one photograph: numbers as printed, and barcodes as encoded."""

    serials: tuple[str, ...] = ()
    barcodes: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        return (*self.barcodes, *self.serials)


class MeterSeen(TextChoices):
    """What the numbers on the faces say of the meter that was expected."""

    EXPECTED = "expected", _("its own serial number was seen")
    OTHER = "other", _("another meter's serial number was seen")
    TWO = "two", _("two meters' serial numbers were seen")
    UNKNOWN = "unknown", _("numbers were seen, but not its serial number")
    NOTHING = "nothing", _("no number was seen")


@dataclass(frozen=True)
class Whose:
    """The ``faces`` of a submission beside the serial number that is expected (empty: none is) and those of other meters."""

    faces: tuple[Face, ...]
    own: str
    others: frozenset[str]

    @property
    def meter_seen(self) -> MeterSeen:
        if self.are_two_meters:
            return MeterSeen.TWO
        if self.is_other_meter:
            return MeterSeen.OTHER
        if any(self.shows_own(face) for face in self.faces):
            return MeterSeen.EXPECTED
        return MeterSeen.UNKNOWN if any(face.texts for face in self.faces) else MeterSeen.NOTHING

    @property
    def is_other_meter(self) -> bool:
        """Whether a serial seen is, letter for letter, another meter's, and not this one's own with one letter misread.

        Neighbours' serials differ in few letters, so more than one counts. A barcode is not misread: what it says counts.
        """
        if not self.own or any(self.shows_own(face) for face in self.faces):
            return False
        if any(self.others_on(face, by_barcode=True) for face in self.faces):
            return True
        own = plain_serial(self.own)
        seen = {plain_serial(text) for face in self.faces for text in face.serials}
        return any(self.others_on(face) for face in self.faces) and all(
            distance(text, own) > 1 for text in seen
        )

    @property
    def are_two_meters(self) -> bool:
        """Whether two photographs show two meters by their serial numbers: one's reading is not the other's.

        That the pictures of an album look unlike says nothing: a close one and a far one of the same meter do.
        """
        own = {plain_serial(self.own)}
        shown = [self.others_on(face) | (own if self.shows_own(face) else set()) for face in self.faces]
        return any(one and other and not one & other for one in shown for other in shown)

    def shows_own(self, face: Face) -> bool:
        """Whether the expected serial number stands there; where another meter's does too, only letter for letter."""
        near = [closeness(text, self.own) for text in face.texts]
        if self.others_on(face):
            return Closeness.EXACT in near
        return any(each is not None for each in near)

    def others_on(self, face: Face, *, by_barcode: bool = False) -> set[str]:
        """Other meters' serial numbers that stand there, letter for letter."""
        texts = [word for text in face.barcodes for word in numbers_in(text)] if by_barcode else face.serials
        return {
            text for text in map(plain_serial, texts) if text in self.others and len(text) >= SERIAL_LEAST
        }


def shown_of(texts: Iterable[str], serials: Mapping[Key, str]) -> Key | None:
    """Whose of ``serials`` stands on a face among ``texts``: the one that comes nearest, with no letter misread but for those
    that look alike; None where none does, or several do."""
    seen = list(texts)
    found: dict[Key, Closeness] = {}
    for key, serial in serials.items():
        near = [each for text in seen if (each := closeness(text, serial)) is not None]
        if near and min(near) <= Closeness.LOOK_ALIKE:
            found[key] = min(near)
    nearest = [key for key, degree in found.items() if degree == min(found.values())]
    return nearest[0] if len(nearest) == 1 else None


@dataclass(frozen=True)
class Sending:
    """A submission, as far as it matters where its photograph comes again: by whom (``identifier``), for which service point
    and cycle (their keys, None where not known), and when."""

    identifier: str
    service_point: int | None
    cycle: int | None
    sent_at: datetime


def resent(now: Sending, before: Sending) -> str:
    """What it means that the photograph of ``now`` came ``before``: nothing (""), as people send a thing twice, or a code of
    ``rules.REASONS``.

    Two people of one household may send the same photograph for the same meter; nobody does for another meter, nor for
    another month.
    """
    if now.service_point is not None and before.service_point is not None:
        if now.service_point != before.service_point:
            return "sent_for_another"
    elif now.identifier != before.identifier:
        return "sent_for_another"
    other_cycle = before.cycle is not None and before.cycle != now.cycle
    if other_cycle or now.sent_at - before.sent_at > RESENT_WITHIN:
        return "sent_earlier"
    return ""
