"""Letters made comparable: one spelling for the many ways a word is typed on a phone."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST_TEXT = 10_000
"""Characters looked at; WhatsApp's own limit for a text message is 4,096, other channels allow more."""

INVISIBLE = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe0e\ufe0f"
MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed"

_DROPPED = re.compile(f"[{INVISIBLE}{MARKS}\u0640ء]")
_LETTERS = str.maketrans(
    {
        **dict.fromkeys("أإآٱٲٳ", "ا"),
        **dict.fromkeys("ىیئې", "ي"),
        **dict.fromkeys("ةهہەۀھ", "ه"),
        **dict.fromkeys("ؤ", "و"),
        **dict.fromkeys("كکگ", "ك"),
        **dict.fromkeys("چ", "ج"),
        **dict.fromkeys("پ", "ب"),
        **dict.fromkeys("ڤڥ", "ف"),
        **{chr(0x660 + d): str(d) for d in range(10)},
        **{chr(0x6F0 + d): str(d) for d in range(10)},
    }
)
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{INVISIBLE}{MARKS}\u0640]|['’`](?=[^\W_]))*|[.,;!?،؛؟\n]")
_QUOTES = str.maketrans("’`", "''")

BOUNDARY = "|"
"""What a mark that ends a clause becomes in a list of words."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a message: as folded, and where it stands (start, end) in the message as written."""

    folded: str
    start: int
    end: int


def normalise_arabic(text: str) -> str:
    """The text with one spelling for what Arabic writers vary.

    Alef forms become ا, ya without dots and ya with hamza become ي, ta marbuta becomes ه, waw with hamza و;
    hamza alone, vowel marks, tatweel, zero-width and bidi marks are dropped; Persian and Urdu letter forms
    become their Arabic fellows (so Iraqi چ is ج); Arabic-Indic and Persian digits become ASCII. Presentation
    forms (U+FBxx, U+FExx) are decomposed first. Other text is unchanged; applying it twice changes nothing.
    """
    if text.isascii():
        return text
    if any("\ufb50" <= c <= "\ufefc" for c in text):
        text = "".join(unicodedata.normalize("NFKC", c) if "\ufb50" <= c <= "\ufefc" else c for c in text)
    return _DROPPED.sub("", text.translate(_LETTERS))


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """One word for look-up: Arabic normalised, lower case, Latin accents off, letters held down undone.

    >>> fold("موووظف"), fold("PLEEEASE")
    ('موظف', 'please')
    """
    if not word.isascii():
        word = normalise_arabic(word.translate(_QUOTES))
        if not word.isascii():
            word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
            word = normalise_arabic(word)
    return _STRETCHED.sub(r"\1", word.replace("`", "'").lower())


def words(text: str) -> list[Word]:
    """The words of a message in order; marks that end a clause come as words folded to ``BOUNDARY``."""
    found = []
    for match in _WORD.finditer(text[:LONGEST_TEXT]):
        written = match.group()
        folded = BOUNDARY if len(written) == 1 and not written.isalnum() else fold(written[:64])
        if folded:
            found.append(Word(folded, match.start(), match.end()))
    return found
