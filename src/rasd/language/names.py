"""Is this the name on the account? Tolerant of spelling and script, not of guessing.

The rule (decision 0007). Titles, al-, bin, bint, ibn are left out; "Abdul Rahman" is one part. The first part on the
account must be among those claimed. An account of one part needs that one; of more, two of them; and three (or all)
where those claimed are among the commonest given names (``common`` in ``name_words.toml``). Order is free. One claimed
part may be unknown to the account if three others, or all of the account's, are right.

Two parts are the same where their letters are, after Arabic spelling variants are folded; where a Latin spelling is
one that the Arabic letters allow (محمد: Mohammed, Muhammad, Mohamad); or where two Latin spellings have the same
consonants and vowels that one Arabic name could have. No edit distance: سعد, سعود and سعيد are three people.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files

from rasd.language.text import normalise_arabic

LONGEST_NAME = 120
"""Characters looked at; a name with five forefathers and a tribe has about eighty."""
MOST_PARTS = 8
"""A claim with more parts is a list of guesses, not a name."""

_LISTS = {
    name: frozenset(entries)
    for name, entries in tomllib.loads(
        files("rasd.language").joinpath("name_words.toml").read_text("utf-8")
    ).items()
}
_SEPARATORS = re.compile(r"[\s\-_.,،/]+")
_NO_LETTER = re.compile(r"[^\w\s\-.,،/]|[\d_]")

# Latin spellings of each Arabic letter met in names on passports and bills around the Gulf, Egypt and the Levant.
_LATIN = {
    letter: tuple(spellings.split())
    for letter, spellings in {
        "ا": "aa a",
        "ب": "b p",
        "ت": "t",
        "ث": "th s t",
        "ج": "j g dj",
        "ح": "h",
        "خ": "kh k h",
        "د": "d",
        "ذ": "dh th z d",
        "ر": "r",
        "ز": "z",
        "س": "s c",
        "ش": "sh ch",
        "ص": "s",
        "ض": "dh d z",
        "ط": "t",
        "ظ": "dh th z d",
        "غ": "gh g",
        "ف": "f ph",
        "ق": "q k g",
        "ك": "k c",
        "ل": "l",
        "م": "m",
        "ن": "n",
        "ه": "h",
        "و": "w v ou oo u o au aw",
        "ي": "y i ee ei ai ie e",
    }.items()
}
_LATIN["ع"] = ("", "aa", *"aeiou")
_VOWEL = ("aa", *"aeiou")
_FIRST = {"ا": _VOWEL, "ع": _VOWEL, "و": ("w", "v", "ou"), "ي": ("y", "i", "j")}
_LAST = {
    "ه": ("a", "ah", "e", "eh", "h", "at"),
    "ا": ("a", "ah", "aa", "e"),
    "ي": ("y", "i", "ee", "ie", "ei", "a", "ah"),
}
_SHORT = ("", *"aeiou")


def fold_name(name: str) -> str:
    """A name in comparable form: its parts, folded, single-spaced, in their order, without titles, al-, bin.

    >>> fold_name("السيّد أحمد بن سالم الحارثي"), fold_name("Mr. Ahmed bin Salim Al-Harthy")
    ('احمد سالم حارثي', 'ahmed salim harthy')
    """
    return " ".join(_parts(name))


def names_match(claimed: str, on_account: str) -> bool:
    """True where ``claimed`` names the holder ``on_account``, by the rule above. Empty names never match."""
    holder, claim = _parts(on_account), _parts(claimed)
    if not holder or not claim or len(claim) > MOST_PARTS or len(set(claim)) < len(claim):
        return False
    partner = _pairing(claim, holder)
    matched = set(partner.values())
    strangers = len(claim) - len(matched)
    if 0 not in matched or strangers > 1:
        return False
    whole = len(matched) == len(holder)
    if strangers and not (len(matched) >= 3 or (whole and len(matched) >= 2)):
        return False
    if len(matched) < min(2, len(holder)):
        return False
    if whole or len(matched) >= 3:
        return True
    return not all(_is_common(holder[place]) for place in matched)


def _pairing(claim: list[str], holder: list[str]) -> dict[int, int]:
    """As many claimed parts as possible each with a part of the holder's own (augmenting paths)."""
    taken: dict[int, int] = {}

    def place(part: int, tried: set[int]) -> bool:
        for at, written in enumerate(holder):
            if at not in tried and _same(claim[part], written):
                tried.add(at)
                if at not in taken or place(taken[at], tried):
                    taken[at] = part
                    return True
        return False

    for part in range(len(claim)):
        place(part, set())
    return {part: at for at, part in taken.items()}


def _parts(name: str) -> list[str]:
    name = normalise_arabic(name[:LONGEST_NAME]).casefold()
    name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    name = _NO_LETTER.sub("", normalise_arabic(name))
    raw = [part for part in _SEPARATORS.split(name) if part and part not in _LISTS["titles"]]
    parts: list[str] = []
    at = 0
    while at < len(raw):
        part = raw[at]
        at += 1
        if part in (
            "عبد",
            "abd",
            "abdul",
            "abdel",
            "abdal",
            "abdu",
            "abdur",
            "abdus",
            "abdulla",
        ) and at < len(raw):
            if part == "abdulla":
                parts.append("abdallah")
                continue
            while at < len(raw) - 1 and raw[at] in _LISTS["links"]:
                at += 1
            parts.append(_servant(("عبد" if part == "عبد" else "abd") + raw[at]))
            at += 1
        elif part not in _LISTS["links"]:
            parts.append(_servant(_without_article(part)))
    return parts


def _without_article(part: str) -> str:
    if part.startswith("ال") and len(part) >= 5 and part not in _LISTS["not_article"]:
        return part[2:]
    if part[:2] in ("al", "el") and len(part) >= 6 and part not in _LISTS["not_article"]:
        return part[2:]
    return part


def _servant(part: str) -> str:
    """One spelling for names with Abd: عبدالرحمن, Abdul Rahman, Abdurrahman, Abdelrahman; and for Abdullah."""
    if part.startswith("عبد") and len(part) > 4:
        rest = part[3:]
        return "عبدالله" if rest in ("الله", "لله") else "عبد" + (rest[2:] if rest.startswith("ال") else rest)
    if re.fullmatch(r"abd[aeu]?l?l?ah?", part):
        return "abdallah"
    found = re.fullmatch(r"abd(?:[aeiu](?:l(?=[^l])|([rsztdn])(?=\1|h))?)?(.{3,})", part)
    return "abd" + found.group(2) if found else part


@lru_cache(maxsize=4096)
def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    if one.isascii() != other.isascii():
        arabic, latin = (other, one) if one.isascii() else (one, other)
        return _allows(_spelling(arabic), _undoubled(latin))
    if one.isascii():
        return _same_latin(one, other)
    # Final ta marbuta and alef are written for each other: نورة, نورا.
    return len(one) > 3 and one[-1] in "اه" and other[-1] in "اه" and one[:-1] == other[:-1]


@lru_cache(maxsize=4096)
def _spelling(arabic: str) -> tuple[tuple[str, ...], ...]:
    """The Latin spellings that the letters of an Arabic name allow, doubled consonants written once: what each
    letter, and the short vowel that may be heard after it, can be written as."""
    if arabic == "عبدالله":
        return (("abdalah",),)
    shape = []
    last = len(arabic) - 1
    for at, letter in enumerate(arabic):
        sound = _LATIN.get(letter, (letter,))
        if at == last and at > 1:
            sound = _LAST.get(letter, sound)
        elif at == 0:
            sound = _FIRST.get(letter, sound)
            if letter == "ع" and arabic[1:2] in ("ا", "و", "ي"):
                sound = ("", *sound)
        shape.append(sound)
        if at != last and letter != "ا" and arabic[at + 1] != "ا":
            shape.append(_SHORT)
    return tuple(shape)


def _allows(spelling: tuple[tuple[str, ...], ...], latin: str) -> bool:
    """True where ``latin`` can be written with one choice of each in order; linear in both lengths."""
    places = {0}
    for choices in spelling:
        places = {at + len(choice) for at in places for choice in choices if latin.startswith(choice, at)}
    return len(latin) in places


def _undoubled(latin: str) -> str:
    """Doubled consonants once: the Arabic letters do not show them. "ss" of Hussain, "mm" of Mohammed."""
    return re.sub(r"([^aeiou])\1+", r"\1", latin)


_CONSONANTS = (
    ("ph", "f"),
    ("ck", "k"),
    ("q", "k"),
    ("dj", "j"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("ei", "ai"),
)


def _same_latin(one: str, other: str) -> bool:
    """Two Latin spellings of one Arabic name: the same consonants, and vowels that do not contradict.

    "Khalid" and "Khaled" are one, "Saad", "Saud" and "Saeed" are not: u and i count, a and e hardly do.
    """
    first, second = _sounds(one), _sounds(other)
    if len(first) < 3 or first[1::2] != second[1::2]:
        return False
    return all(
        _agree(v, w, at in (0, len(first[::2]) - 1))
        for at, (v, w) in enumerate(zip(first[::2], second[::2], strict=True))
    )


def _sounds(latin: str) -> list[str]:
    """Vowels and consonants by turns, beginning and ending with (maybe no) vowels: "ali" is a, l, i."""
    latin = _undoubled(latin)
    for written, sound in _CONSONANTS:
        latin = latin.replace(written, sound)
    latin = re.sub(r"(?<=[aeo])h$", "", latin)  # Sarah, Sara
    latin = re.sub(r"(?<=[^aeiou])y(?![aeiou])", "i", latin)  # Harthy, Harthi
    latin = re.sub(r"y$", "i", latin).replace("o", "u")
    return re.split(r"([^aeiou])", latin)


def _agree(one: str, other: str, at_edge: bool) -> bool:
    if one == other:
        return True
    strong = {v for v in one if v in "iu"}, {v for v in other if v in "iu"}
    if at_edge:  # first and last vowels are written: Ali is not Ala, Ahmed not Hamad
        return bool(one) == bool(other) and strong[0] == strong[1]
    if len(one) <= 1 and len(other) <= 1:
        return "" in (one, other) or "e" in one + other or strong[0] == strong[1]
    return strong[0] == strong[1] and bool(one) == bool(other)


def _is_common(part: str) -> bool:
    return any(_same(part, name) for name in _LISTS["common"])
