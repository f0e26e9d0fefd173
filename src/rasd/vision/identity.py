"""Whose meter is it? Barcodes, QR codes and printed numbers on the face, and how well they go with a serial number.

Barcodes come first: they take some hundredths of a second, carry check digits, and are right or not read at all. Print is
read only where no barcode holds an expected serial number, as it takes PP-OCR some tenths of a second.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import zxingcpp

from rasd.vision import ocr
from rasd.vision.photograph import Picture
from rasd.vision.types import Box

LEAST = 6
"""Characters of a serial number that is looked for inside longer text, or with a letter misread: shorter ones are anywhere."""

LOOK_ALIKES = str.maketrans("OQDILZSGB", "000112568")
"""What OCR takes for each other on engraved and dot-matrix print, put on one side."""


class Closeness(IntEnum):
    """How near a number seen comes to a serial number; the lower the nearer."""

    EXACT = 0
    LOOK_ALIKE = 1  # but for 8 and B, 0 and O …
    ONE_LETTER = 2  # but for one letter misread, left out or put in


@dataclass(frozen=True)
class Barcode:
    """`text` as encoded, `format` in zxing's words (``Code 128``, ``QR Code``), `box` round it."""

    text: str
    format: str
    box: Box


@dataclass(frozen=True)
class Identity:
    """What a face says of which meter it is: `serials` are numbers that may be its serial number, barcodes' first."""

    barcodes: tuple[Barcode, ...]
    serials: tuple[str, ...]
    milliseconds: float


def identify(picture: Picture, *, expected: Collection[str] = (), counter: str = "") -> Identity:
    """Barcodes and numbers on the face in an upright RGB picture.

    `expected`: the serial numbers that it may be; print is read until one of them is found, or to the end, and not at all
    where none is given.
    `counter`: the digits of the reading, which are no serial number. Some hundredths of a second where a barcode
    holds an expected number, about half a second else (one core).
    """
    began = time.perf_counter()
    barcodes = read_barcodes(picture)
    serials = list(dict.fromkeys(word for code in barcodes for word in numbers_in(code.text)))
    if expected and not any(_settles(code.text, expected) for code in barcodes):
        for word in _printed(picture, expected):
            if word != counter and word not in serials:
                serials.append(word)
    return Identity(barcodes, tuple(serials), (time.perf_counter() - began) * 1000)


def read_barcodes(picture: Picture) -> tuple[Barcode, ...]:
    """Every barcode and QR code in it that can be read and whose check digits agree."""
    height, width = picture.shape[:2]
    found = []
    for code in zxingcpp.read_barcodes(np.ascontiguousarray(picture[:, :, ::-1])):
        corners = [
            (corner.x / width, corner.y / height)
            for corner in (
                code.position.top_left,
                code.position.top_right,
                code.position.bottom_right,
                code.position.bottom_left,
            )
        ]
        left, top = (min(max(min(values), 0.0), 1.0) for values in zip(*corners, strict=True))
        right, bottom = (min(max(max(values), 0.0), 1.0) for values in zip(*corners, strict=True))
        if text := code.text.replace("\x00", "").strip():
            found.append(Barcode(text, str(code.format), (left, top, right - left, bottom - top)))
    return tuple(found)


def _printed(picture: Picture, expected: Collection[str]) -> Iterator[str]:
    """Numbers printed on the face, the largest lines first, until an expected one was seen."""
    for quad in ocr.find_lines(picture)[: ocr.MAX_LINES]:
        text = ocr.text_of(picture, quad)
        yield from numbers_in(text)
        if _settles(text, expected):
            return


def numbers_in(text: str) -> list[str]:
    """Words of five characters or more with four digits or more: as printed, and joined where gaps part their digits, or a few
    letters from the digits that they go with."""
    found = []
    upper = text.upper()
    joined = re.sub(r"(?<=\d)[ .](?=\d)", "", upper)
    for version in (upper, joined, re.sub(r"\b([A-Z]{1,4})[ .:]+(?=\d)", r"\1", joined)):
        for word in re.findall(r"[0-9A-Z][0-9A-Z\-]{3,}[0-9A-Z]", version):
            if sum(letter.isdigit() for letter in word) >= 4 and word not in found:
                found.append(word)
    return found


def _settles(text: str, expected: Collection[str]) -> bool:
    """Whether there is nothing more to look for: one of the expected numbers alone is there, and not with a misread letter."""
    near = [closeness(text, serial) for serial in expected]
    return sum(each is not None and each <= Closeness.LOOK_ALIKE for each in near) == 1


def closeness(seen: str, serial: str) -> Closeness | None:
    """How near `seen`, a number or a line of print, comes to `serial`; None where it is another.

    A serial number of `LEAST` characters or more may stand inside a longer text (a maker's prefix, a URL).
    """
    seen, serial = _plain(seen), _plain(serial)
    if not seen or not serial:
        return None
    for degree, one, other in (
        (Closeness.EXACT, seen, serial),
        (Closeness.LOOK_ALIKE, seen.translate(LOOK_ALIKES), serial.translate(LOOK_ALIKES)),
    ):
        if one == other or (len(other) >= LEAST and other in one):
            return degree
    if len(serial) >= LEAST and _one_apart(seen.translate(LOOK_ALIKES), serial.translate(LOOK_ALIKES)):
        return Closeness.ONE_LETTER
    return None


def _plain(text: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def _one_apart(one: str, other: str) -> bool:
    """Whether one letter exchanged, left out or put in makes one of the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    same = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    skip_one, skip_other = (
        (1, 1) if len(one) == len(other) else (len(one) > len(other), len(one) < len(other))
    )
    return one[same + skip_one :] == other[same + skip_other :]
