"""Is this the name on the account? Tolerant of spelling and script, not of guessing.

The rule (decision 0007). Titles, al-, bin, bint, ibn are left out, and "Abdul Rahman" is one part. Every part
claimed must be one on the account, in any order, except that one may be unknown when all the others carry the claim
(see below). The first part on the account must be among them. An account of one part needs that one; of two or more
needs two; and where all parts matched are among the commonest given names (``COMMON``), all parts or three.

Two parts are the same where their letters are, after Arabic spelling variants are folded; where a Latin spelling is
one that the Arabic letters allow (محمد: Mohammed, Muhammad, Mohamad); or where two Latin spellings have the same
consonants and vowels that one Arabic name could have. No edit distance: سعد, سعود and سعيد are three people.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rasd.language.text import normalise_arabic

LONGEST_NAME = 120
"""Characters looked at; a name with five forefathers and a tribe has about eighty."""
MOST_PARTS = 8
"""A claim with more parts is a list of guesses, not a name."""

COMMON = frozenset(
    "محمد احمد علي سالم سعيد ناصر خالد حمد سليمان خلفان راشد يوسف حسن حسين عبدالله محمود ابراهيم فاطمه مريم "
    "عايشه خلف سيف حمود عمر مصطفي ماجد جمال كمال عبدالرحمن سعود سعد فهد موسي عيسي طلال زينب نوره امينه".split()
)
"""Given names so common that two of them say little (normalised spelling): our own list, by ear, no statistics."""

_TITLES = frozenset(
    "السيد السيده سيد الشيخ شيخ الشيخه الدكتور دكتور دكتوره الدكتوره د م المهندس مهندس المهندسه الاستاذ استاذ استاذه الحاج حاج "
    "الفاضل الفاضله الانسه الحاجه mr mrs ms miss dr eng engr sheikh shaikh sheikha sayyid sir madam hajji haji prof".split()
)
_LINKS = frozenset("بن ابن بنت ولد حرم ال bin ben ibn bint bent wald walad al el as ash an ar ad at az ul b bn".split())
_NOT_ARTICLE = frozenset("الهام الياس الاء الماس الفت الين اليسا".split())
_LATIN_NOT_ARTICLE = frozenset("ali alia aliya alya alaa ala alana alma elham elias eliyas elie elena elsayed alawi".split())
_SEPARATORS = re.compile(r"[\s\-_.,،/]+")
_NO_LETTER = re.compile(r"[^\w\s\-.,،/]|[\d_]")

# Latin spellings of each Arabic letter met in names on passports and bills around the Gulf, Egypt and the Levant.
_LATIN = {
    "ا": "(?:aa|a|e|i|o|u)?",
    "ب": "(?:b|p)",
    "ت": "t",
    "ث": "(?:th|s|t)",
    "ج": "(?:j|g|dj)",
    "ح": "h",
    "خ": "(?:kh|k|h)",
    "د": "d",
    "ذ": "(?:dh|th|z|d)",
    "ر": "r",
    "ز": "z",
    "س": "(?:s|c)",
    "ش": "(?:sh|ch)",
    "ص": "s",
    "ض": "(?:dh|d|z)",
    "ط": "t",
    "ظ": "(?:dh|th|z|d)",
    "ع": "(?:aa|a|e|i|o|u)?",
    "غ": "(?:gh|g)",
    "ف": "(?:f|ph)",
    "ق": "(?:q|k|g)",
    "ك": "(?:k|c)",
    "ل": "l",
    "م": "m",
    "ن": "n",
    "ه": "h",
    "و": "(?:w|v|ou|oo|u|o|au|aw)",
    "ي": "(?:y|i|ee|ei|ai|ie|e)",
}
_FIRST = {"ع": "(?:aa|a|e|i|o|u)", "و": "(?:w|v|ou)", "ي": "(?:y|i|j)"}
_SHORT = "[aeiou]?"


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
    raw = [part for part in _SEPARATORS.split(name) if part and part not in _TITLES]
    parts: list[str] = []
    at = 0
    while at < len(raw):
        part = raw[at]
        at += 1
        if part in ("عبد", "abd", "abdul", "abdel", "abdal", "abdu", "abdur", "abdus", "abdulla") and at < len(raw):
            if part == "abdulla":
                parts.append("abdallah")
                continue
            while at < len(raw) - 1 and raw[at] in _LINKS:
                at += 1
            parts.append(_servant(("عبد" if part == "عبد" else "abd") + raw[at]))
            at += 1
        elif part not in _LINKS:
            parts.append(_servant(_without_article(part)))
    return parts


def _without_article(part: str) -> str:
    if part.startswith("ال") and len(part) >= 5 and part not in _NOT_ARTICLE:
        return part[2:]
    if part[:2] in ("al", "el") and len(part) >= 6 and part not in _LATIN_NOT_ARTICLE:
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
        return _spelling(arabic).fullmatch(_undoubled(latin)) is not None
    if one.isascii():
        return _same_latin(one, other)
    # Final ta marbuta and alef are written for each other: نورة, نورا.
    return len(one) > 3 and one[-1] in "اه" and other[-1] in "اه" and one[:-1] == other[:-1]


@lru_cache(maxsize=4096)
def _spelling(arabic: str) -> re.Pattern[str]:
    """The Latin spellings that the letters of an Arabic name allow, doubled consonants written once."""
    if arabic == "عبدالله":
        return re.compile("abdalah")
    shape = []
    last = len(arabic) - 1
    for at, letter in enumerate(arabic):
        sound = _LATIN.get(letter, re.escape(letter))
        if at == last and letter == "ه":
            sound = "(?:a|ah|e|eh|h|at)"
        elif at == last and letter == "ا":
            sound = "(?:a|ah|aa|e)"
        elif at == last and letter == "ي":
            sound = "(?:y|i|ee|ie|ei|a|ah)" if len(arabic) > 2 else "(?:y|i)"
        elif letter == "ا":
            sound = "(?:a|aa|e|i|o|u)" if at == 0 else "(?:aa|a)"
        elif at == 0 and letter in _FIRST:
            sound = _FIRST[letter]
            if letter == "ع" and arabic[at + 1 : at + 2] in ("ا", "و", "ي"):
                sound += "?"
        shape.append(sound)
        if at != last and letter != "ا" and arabic[at + 1] != "ا":
            shape.append(_SHORT)
    return re.compile("".join(shape))


def _undoubled(latin: str) -> str:
    """Doubled consonants once: the Arabic letters do not show them. "ss" of Hussain, "mm" of Mohammed."""
    return re.sub(r"([^aeiou])\1+", r"\1", latin)


_CONSONANTS = (("ph", "f"), ("ck", "k"), ("q", "k"), ("dj", "j"), ("ou", "u"), ("oo", "u"), ("ee", "i"), ("ei", "ai"))


def _same_latin(one: str, other: str) -> bool:
    """Two Latin spellings of one Arabic name: the same consonants, and vowels that do not contradict.

    "Khalid" and "Khaled" are one, "Saad", "Saud" and "Saeed" are not: u and i count, a and e hardly do.
    """
    first, second = _sounds(one), _sounds(other)
    if len(first) < 3 or [c for c in first[1::2]] != [c for c in second[1::2]]:
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
    return any(_same(part, name) for name in COMMON)
