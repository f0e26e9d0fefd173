"""When two texts say the same to whoever reads them: Arabic written this way or that, digits of both kinds, signs around."""

import re
import unicodedata

SAME_LETTERS = str.maketrans("أإآٱىةؤئ٫٬", "اااايهوي.,", "ـ")  # tatweel only stretches a word
"""Alef with or without its hamza, ya without its dots, ta marbuta as ha, hamza on its seat: written either way by most. The signs
in a number are of the same kind as its digits."""
WORD_BREAKS = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
"""Spaces, and the marks of direction that nobody sees."""


def normal(text: str) -> str:
    """For comparison only. Diacritics fall away, digits become 0 to 9, letters small, spaces one; signs at the ends (``*``,
    ``:``, ``›``, ``…``, an icon) are no part of what is written on a thing."""
    for form in ("NFD", "NFKC"):  # compatibility caseless matching, the Unicode Standard's definition D146
        text = unicodedata.normalize(form, text).casefold()
    text = unicodedata.normalize("NFKC", text)
    text = "".join(
        _plain(letter)
        for letter in text
        if unicodedata.category(letter) not in {"Mn", "Cf"} or letter == "\u200c"
    )
    text = WORD_BREAKS.sub(" ", text.translate(SAME_LETTERS))
    start, end = 0, len(text)
    while start < end and _is_sign(text[start]):
        start += 1
    while start < end and _is_sign(text[end - 1]):
        end -= 1
    return text[start:end] or text.strip()


def _plain(letter: str) -> str:
    return str(unicodedata.decimal(letter, letter)) if letter.isdecimal() else letter


def _is_sign(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter)[0] in "PSZC"


def within(words: str, text: str) -> bool:
    """Whether normalised ``words`` stand in normalised ``text`` as whole words."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text) is not None


def readable(text: str, *, digits: bool = True) -> str:
    """For regular expressions: the letters as they stand, without the marks that nobody sees, with Latin ``digits``."""
    text = re.sub("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", "", text)
    return "".join(map(_plain, text)) if digits else text
