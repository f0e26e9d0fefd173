"""Numbers in what people write, and which of them is meant as the meter's reading."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from rasd.language.lexicon import Lexicon
from rasd.language.text import INVISIBLE, LONGEST_TEXT, Word, fold, words

Kind = Literal[
    "plain",
    "reading",
    "account",
    "phone",
    "meter",
    "money",
    "count",
    "percent",
    "previous",
    "nothing",
    "negated",
]

LONGEST_READING = 8
"""Digits of a reading, decimals included, when no word says that it is one; one more when a word does."""
SHORTEST_BARE_READING = 3
"""Digits a number needs to count as a reading when no word says so; "1" and "12" are choices from a list."""
SHORTEST_BARE_ACCOUNT = 9
"""Digits from which a bare number is no reading but an account number."""


@dataclass(frozen=True, slots=True)
class NumberFound:
    """A number in a message.

    ``text`` is what was written, from ``start`` to ``end`` (places in the message). ``digits`` are all its digits
    in ASCII with leading zeros and without separators, of which the last ``decimals`` stand after the point:
    "٠٤٬٥٢١٫٣" is digits "045213", decimals 1, value 4521.3. Signs are ignored: no register shows one.
    ``unit`` is "kWh", "m3" or ``None``.
    """

    text: str
    digits: str
    value: Decimal
    start: int
    end: int
    decimals: int = 0
    kind: Kind = "plain"
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """All numbers of a message, the reading and the account number among them, and the places all of it takes.

    ``spans`` also covers what is no single number: dates, times, addresses of the web.
    """

    numbers: tuple[NumberFound, ...]
    reading: NumberFound | None
    account_number: str | None
    spans: tuple[tuple[int, int], ...]


SP = r"[ \u00a0\u2007\u2009\u202f]"
# Counted repetitions only, so that no text takes more than linear time. What is no number stands first, then
# numbers from the most to the least particular shape.
_SHAPES = re.compile(
    rf"""
    (?P<link>(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]{{1,64}}@[\w-]{{1,64}}\.[\w.-]+)
  | (?P<date>(?<!\d)(?:\d{{1,2}}[ ]?(?P<ds>[/.\-])[ ]?\d{{1,2}}[ ]?(?P=ds)[ ]?(?:19|20|١٩|٢٠|۱۹|۲۰)\d\d
        |(?:19|20|١٩|٢٠|۱۹|۲۰)\d\d(?P<di>[/.\-])\d{{1,2}}(?P=di)\d{{1,2}}
        |\d{{1,2}}/\d{{1,2}}(?:/\d\d)?)(?![\d/]))
  | (?P<time>(?<![\d:])\d{{1,2}}:\d\d(?::\d\d)?(?![\d:]))
  | (?P<phone>\+[ ]?\d(?:[ \-]?\d){{7,14}}(?!\d)
        |(?<!\d)(?:00|٠٠|۰۰)[ ]?[1-9١-٩۱-۹](?:[ \-]?\d){{9,12}}(?!\d)
        |(?<!\d)[79٧٩۷۹]\d{{3}}[ \-]\d{{4}}(?![\d]))
  | (?P<dashed>(?<![\d\-])\d{{2,12}}(?:-\d{{2,12}}){{1,5}}(?![\d\-]))
  | (?P<spelled>(?<!\d)(?<!\d[ .,،\-])\d
        (?:(?:{SP}\d){{2,11}}|(?:-\d){{3,11}}|(?:،\d){{3,11}}|(?:,\d){{3,11}}|(?:\.\d){{3,11}})(?![ .,،\-]?\d))
  | (?P<grouped>(?<!\d)\d{{1,3}}
        (?:(?:,\d{{3}}){{1,6}}|(?:٬\d{{3}}){{1,6}}|(?:['’]\d{{3}}){{1,6}}|(?:،\d{{3}}){{1,6}}|(?:{SP}\d{{3}}){{1,6}}
        |(?:\.\d{{3}}){{2,6}}|\.\d{{3}}(?=,\d))(?!\d)
        (?P<fraction>[.٫]\d+|(?<=\.\d{{3}}),\d+)?)
  | (?P<plain>(?<!\d)\d+(?P<decimal>[.٫]\d+|[,،]\d{{1,2}}(?!\d)|[,،]\d{{4,}}|(?<=\d{{4}})[,،]\d{{3}}(?!\d))?)
    """,
    re.VERBOSE,
)
_CLOCK_AFTER = re.compile(
    r"\s?(?:am|pm|a\.m|p\.m|o'?clock|صباحا|مساء|ظهرا|عصرا|ليلا|الصبح|العصر|المغرب|الظهر|الليل|ص|م)(?![\w³])",
    re.I,
)
# "kilo", "unit" and "gallon" are units of many things: they are noted, and alone make no reading of a number.
_UNIT_AFTER = re.compile(
    r"\s?(?:(?P<kwh>kwhr?|k\.w\.h|kw/h|kw|ك\.?\s?و\.?\s?س\.?|كيلو\s?و?ات|كيلو\s?واط(?:\s?[/.]?\s?ساعة)?)"
    r"|(?P<cubic>m3|m³|m\^3|cubic\s(?:meters?|metres?)|م3|م٣|م³|متر\s?مكعب)"
    r"|(?P<loose>units?|كيلو|وحدة|وحده|gallons?|غالون|جالون))(?![^\W\d_])",
    re.I,
)
_MONEY_AFTER = re.compile(r"\s?(?:ر\.\s?ع|[$€£])")
_WORD_AFTER = re.compile(r"\s?([^\W\d_]+)")
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_LETTER = re.compile(r"[^\W\d_]")

# Oman's mobile numbers have eight digits and begin with 7 or 9; the others are neighbours' national forms and
# numbers with a country's code but no plus sign.
_PHONE = re.compile(r"[79]\d{7}|05\d{8}|01[0125]\d{8}|07\d{8,9}|968[279]\d{7}|(?:966|971|974|965|973)\d{8,9}")

_SAYS = {"reading", "account", "meter", "phone", "previous", "nothing", "money"}


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The words that say what a number is."""
    return Lexicon(
        "number_words.toml", article=("reading", "account", "meter", "phone", "previous", "nothing")
    )


def figures(text: str) -> Figures:
    """The numbers of ``text`` (its first 10,000 characters) and what they mean. Never raises; linear time.

    ASCII, Arabic-Indic, Persian and every other decimal digit system of Unicode are read. ``, ٬ ' ،`` and
    spaces before groups of three digits separate thousands; ``. ٫`` begin decimals, and so does a comma where it
    cannot separate thousands. "4,521" is therefore 4521 and "4.521" is 4.521: people copy a register's point.

    The reading is the one number that a word or a unit calls so ("القراءة ٤٥٢١", "4521 kWh"), else the one
    number of a message that holds nothing else but politeness. Two different readings give none: better asked.
    """
    text = text[:LONGEST_TEXT]
    plain, place = _visible(text)
    context = _Context(words(text))
    found: list[NumberFound] = []
    spans: list[tuple[int, int]] = []
    for match in _SHAPES.finditer(plain):
        start, end = place(match.start()), place(match.end() - 1) + 1
        if match.lastgroup in ("link", "date", "time") or _is_clock(plain, match, context.before(start)):
            spans.append((start, end))
            context.skip(start, end)
            continue
        written = match.group()
        fraction = match["fraction"] or match["decimal"] or ""
        digits = "".join(str(unicodedata.decimal(c)) for c in written if c.isdecimal())
        decimals = len(fraction) - 1 if fraction else 0
        value = Decimal(f"{digits[: len(digits) - decimals]}.{digits[len(digits) - decimals :]}")
        kind, unit = _kind(plain, match, digits, context.before(start))
        if kind is None:
            continue
        spans.append((start, end))
        if kind == "nothing":
            context.skip(start, end)
        found.append(NumberFound(text[start:end], digits, value, start, end, decimals, kind, unit))
    found = _joined(found, context)
    numbers = tuple(found)
    reading = _reading(numbers, context, spans)
    return Figures(numbers, reading, _account(numbers), tuple(spans))


def covered(spans: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """True when one of the ``spans`` (in order, apart) shares a place with ``start`` to ``end``."""
    at = bisect_right(spans, (start, LONGEST_TEXT))
    return (at > 0 and spans[at - 1][1] > start) or (at < len(spans) and spans[at][0] < end)


def _visible(text: str) -> tuple[str, Callable[[int], int]]:
    """The text without bidi and zero-width marks, and where each of its places stood before."""
    if not _INVISIBLE.search(text):
        return text, lambda at: at
    kept = [at for at, c in enumerate(text) if not _INVISIBLE.match(c)]
    return "".join(text[at] for at in kept), kept.__getitem__


class _Context:
    """The words around the numbers of one message."""

    def __init__(self, message: list[Word]) -> None:
        self._message = message
        self._units = lexicon().units(message)
        self._ends = [message[last].end for _, _, last in self._units]
        self._skipped: list[tuple[int, int]] = []

    def skip(self, start: int, end: int) -> None:
        """Take what stands there (a date, a house number) for no part of the sentence; call it in order."""
        self._skipped.append((start, end))

    def before(self, start: int) -> str | None:
        """What the nearest telling word left of a number says of it: a role of the word list, or ``None``.

        Looks past filling words and up to three others in the same clause; never past another number.
        """
        at = bisect_right(self._ends, start) - 1
        strange, said, skipped = 0, None, False
        for step, (roles, first, _) in enumerate(reversed(self._units[max(0, at - 7) : at + 1])):
            if "boundary" in roles:
                if step and not (said and step == 1):
                    break
                continue
            if step == 0 and roles & {"clock", "joiner", "negation"}:
                said = next(iter(roles & {"clock", "negation", "joiner"}))
                if said != "joiner":
                    return said
            if "negation" in roles:
                return "negation"
            if covered(self._skipped, self._message[first].start, self._message[first].end):
                skipped = True
                continue
            telling = roles & _SAYS
            if skipped and telling == {"nothing"}:
                continue  # "reading of villa 12 is 4521": the villa has had its number
            if "previous" in telling:
                return "previous"
            if telling:
                role = next(iter(telling))
                if role == "reading" and self._is_previous(at - step):
                    return "previous"
                return role
            if self._message[first].folded[0].isdigit():
                return None
            if not roles & {"filler", "polite"}:
                strange += 1
                if strange > 3:
                    return None
        return None

    def _is_previous(self, at: int) -> bool:
        """True when an "old" or "previous" stands right before or behind the word for the reading."""
        around = self._units[max(0, at - 1) : at] + self._units[at + 1 : at + 2]
        return any("previous" in roles for roles, _, _ in around)

    def between(self, start: int, end: int) -> set[str]:
        """Roles of the words between two places; ``other`` for words with none."""
        met: set[str] = set()
        for roles, first, _ in self._units[bisect_right(self._ends, start) :]:
            if self._message[first].start >= end:
                break
            met |= roles or {"other"}
        return met

    def is_bare(self, spans: list[tuple[int, int]]) -> bool:
        """True when outside ``spans`` the message holds only filling words, politeness, units, marks."""
        for roles, first, last in self._units:
            if roles & {"filler", "polite", "boundary", "reading", "unit", "negation"}:
                continue
            start, end = self._message[first].start, self._message[last].end
            if not covered(spans, start, end):
                return False
        return True


def _is_clock(plain: str, match: re.Match[str], said: str | None) -> bool:
    """True for "10 am", "الساعة ١٠": at most two digits and half hours."""
    if len(match.group()) > 5 or len(match.group().split(".")[0]) > 2:
        return False
    return said == "clock" or bool(_CLOCK_AFTER.match(plain, match.end()))


def _kind(plain: str, match: re.Match[str], digits: str, said: str | None) -> tuple[Kind | None, str | None]:
    """What a number is by its shape, by what follows it and by what stands before it; ``None``: no number at all."""
    unit = _UNIT_AFTER.match(plain, match.end())
    name = None if unit is None or unit["loose"] else "kWh" if unit["kwh"] else "m3"
    before = plain[match.start() - 1 : match.start()]
    glued = _LETTER.match(plain, match.end()) and not unit
    follows = _WORD_AFTER.match(plain, match.end())
    after = lexicon().roles(fold(follows.group(1)[:64])) if follows else frozenset()
    if match.lastgroup == "phone":
        return "phone", None
    if (before and (_LETTER.match(before) or before == "_") and len(digits) < 3) or (
        glued and len(digits) < 3
    ):
        return None, None
    if plain[match.end() : match.end() + 2].strip()[:1] in ("%", "٪"):
        return "percent", None
    if (
        said == "money"
        or "money" in after
        or _MONEY_AFTER.match(plain, match.end())
        or before in ("$", "€", "£")
    ):
        return "money", None
    if said == "account" and len(digits) >= 4:
        return "account", None
    if said == "phone" and len(digits) >= 7:
        return "phone", None
    if said == "negation":
        return "negated", name
    if said in ("previous", "nothing", "meter"):
        return said, name  # type: ignore[return-value]
    if "month" in after and len(digits) <= 2:
        return "count", None
    if not unit and "count" in after and len(digits) <= 3:
        return "count", None
    short = len(digits) <= LONGEST_READING + 1
    if said == "reading" and short and match.lastgroup != "dashed":
        return "reading", name
    if _PHONE.fullmatch(digits) and not match["decimal"] and not match["fraction"]:
        return "phone", None
    if name and short and match.lastgroup != "dashed":
        return "reading", name
    if len(digits) >= SHORTEST_BARE_ACCOUNT and not match["decimal"]:
        return "account", None
    if match.lastgroup == "dashed" or (before and _LETTER.match(before) and before.isascii()):
        return "nothing", None
    return "plain", name


def _joined(numbers: list[NumberFound], context: _Context) -> list[NumberFound]:
    """A plain number joined by "and" to one with a kind is of that kind too."""
    for at, (first, second) in enumerate(pairwise(numbers)):
        if second.kind == "plain" and first.kind in ("reading", "previous") and len(second.digits) >= 3:
            between = context.between(first.end, second.start)
            if "joiner" in between and between <= {"joiner", "filler", "polite", "unit", "boundary"}:
                numbers[at + 1] = replace(second, kind=first.kind)
    return numbers


def _reading(
    numbers: tuple[NumberFound, ...], context: _Context, spans: list[tuple[int, int]]
) -> NumberFound | None:
    meant = [n for n in numbers if n.kind == "reading"]
    if not meant and context.is_bare(spans):
        plain = [n for n in numbers if n.kind == "plain"]
        meant = [n for n in plain if SHORTEST_BARE_READING <= len(n.digits) <= LONGEST_READING]
        if len(meant) < len(plain):
            return None
    different = {(n.digits, n.decimals) for n in meant}
    return meant[0] if len(different) == 1 else None


def _account(numbers: tuple[NumberFound, ...]) -> str | None:
    return next((n.digits for n in numbers if n.kind == "account" and n.decimals == 0), None)
