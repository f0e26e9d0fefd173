"""No secret in evidence (G13's conduct): not in words, not in pictures, not in traces. Pure, but for what it is given.

Secrets are never given to the page to be looked for: what stands on the page is taken out, and searched here.
"""

import html
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from PIL import Image, ImageDraw

MASK = "•••"
DIGITS = {str(n): f"[{n}{chr(0x660 + n)}{chr(0x6F0 + n)}]" for n in range(10)}
"""A digit as it is written in Latin, in Arabic and in Persian."""
LONG_NUMBER = 6
"""Digits: from here on services write a number in groups, and a group's break hides nothing."""
REFERENCES = frozenset(
    {"sha1", "_sha1", "callId", "pageId", "frameId", "contextId", "stepId", "type", "method"}
)
"""Entries of a trace that point at other entries, and hold no words of anybody."""

MARGIN = 2  # pixels: letters reach a little beyond their box

Box = tuple[float, float, float, float]  # left, top, right, bottom


def mask(text: str, secrets: Iterable[str]) -> str:
    """``text`` without any of ``secrets``, in whatever writing they stand in it."""
    for pattern in _patterns(secrets):
        text = pattern.sub(MASK, text)
    return text


def holds(text: str, secrets: Iterable[str]) -> list[tuple[int, int]]:
    """Where secrets stand in ``text``."""
    return [found.span() for pattern in _patterns(secrets) for found in pattern.finditer(text)]


def _patterns(secrets: Iterable[str]) -> Iterator[re.Pattern[str]]:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        yield _pattern(secret)


@lru_cache(maxsize=1000)
def _pattern(secret: str) -> re.Pattern[str]:
    apart = r"[\s\u200e\u200f-]{0,2}" if secret.isdecimal() and len(secret) >= LONG_NUMBER else ""
    return re.compile(apart.join(map(_letter, secret)))


def _letter(letter: str) -> str:
    """A letter as it is read, and as it stands in addresses, forms, HTML, JSON and JSON within JSON: each writes some letters as
    they are and others not, and no two agree on which."""
    percent = quote(letter, safe="") if not letter.isascii() else f"%{ord(letter):02X}"
    units = letter.encode("utf-16-be")
    escaped = "".join(rf"\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
    forms = {letter, html.escape(letter), f"&#{ord(letter)};", f"&#x{ord(letter):x};", f"&#x{ord(letter):X};"}
    forms |= {percent, percent.lower(), escaped, escaped.upper().replace("U", "u"), json.dumps(letter)[1:-1]}
    forms |= {json.dumps(each)[1:-1] for each in forms if "\\" in each} | ({"+"} if letter == " " else set())
    written = sorted(map(re.escape, forms - {letter}), key=len, reverse=True)
    return f"(?:{'|'.join([*written, DIGITS.get(letter, re.escape(letter))])})"


def covered(picture: bytes, boxes: Iterable[Box], width: float) -> bytes:
    """The JPEG with a black box over each of ``boxes``, of a window that is ``width`` wide; the same bytes where there is
    none."""
    boxes = [box for box in boxes if box[2] > box[0] and box[3] > box[1]]
    if not boxes:
        return picture
    image = Image.open(io.BytesIO(picture))
    draw, scale = ImageDraw.Draw(image), image.width / width
    for left, top, right, bottom in boxes:
        corners = (
            left * scale - MARGIN,
            top * scale - MARGIN,
            right * scale + MARGIN,
            bottom * scale + MARGIN,
        )
        draw.rectangle(corners, fill="black")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=60)
    return out.getvalue()


def without_secrets(trace: bytes, secrets: Iterable[str]) -> bytes:
    """A Playwright trace (a zip) with every secret masked: in what was typed, in the pages' snapshots, in what was sent and
    answered. Entries that are JSON stay so. What is neither text nor a known picture is left out where there are secrets."""
    secrets = [each for each in secrets if each]
    if not secrets:
        return trace
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(trace)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(mask(name, secrets), _member(name, old.read(name), secrets))
    return out.getvalue()


def _member(name: str, data: bytes, secrets: list[str]) -> bytes:
    try:
        text = data.decode("utf-8")
    except (
        UnicodeDecodeError
    ):  # a font, an image of the page: a secret may stand in it as bytes, and then it is not kept
        latin = data.decode("latin-1")
        return b"" if holds(latin, [each.encode().decode("latin-1") for each in secrets]) else data
    if name.endswith((".trace", ".network", ".stacks")):
        return "\n".join(_entry(line, secrets) for line in text.split("\n")).encode()
    return mask(text, secrets).encode()


def _entry(line: str, secrets: list[str]) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return mask(line, secrets)
    return json.dumps(_value(entry, secrets), ensure_ascii=False, separators=(",", ":"))


def _value(value: Any, secrets: list[str]) -> Any:
    """Numbers stay: a time may have a short secret's digits in it."""
    if isinstance(value, str):
        return mask(value, secrets)
    if isinstance(value, list):
        return [_value(each, secrets) for each in value]
    if isinstance(value, dict):
        return {key: each if key in REFERENCES else _value(each, secrets) for key, each in value.items()}
    return value
