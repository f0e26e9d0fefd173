"""One message understood: its language, what it says and whether it wants a person."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rasd.language import human
from rasd.language.figures import Figures, NumberFound, covered, figures
from rasd.language.lexicon import BOUNDARY_ROLE, Lexicon
from rasd.language.text import LONGEST_TEXT, Word, words

Language = Literal["ar", "en"]
Unit = human.Unit

_ARABIC = re.compile(r"[\u0620-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdfb\ufe70-\ufefc]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
# Written Arabizi puts digits for letters inside words: 3ayez, sama7t, ab3'a.
_ARABIZI = re.compile(r"(?=.*[a-z].*[a-z])[2-9]?'?[a-z]+(?:[235-9]'?[a-z]*)*")
_QUESTION = re.compile(r"[?؟]")
_THUMB_UP = re.compile("[👍✅✔👌☑🆗]")
_THUMB_DOWN = re.compile("[👎❌✖🚫]")
_ANY_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Understanding:
    """What one message says. Every field is a reading of this message alone; what was asked before is not known.

    text: as given. language: ``None`` where there are no words (digits, emoji) or another script.
    dialect: gulf, saudi, egyptian, levantine, iraqi, maghrebi, or ``None`` when unsure; a hint, never a ground
    to treat anyone differently. human_phrase: the words, as written, that ask for a person (G8).
    reading: the number meant as the register's, if one is. account_number: ASCII digits.
    yes_no: an answer to a question asked; ``None`` where the message is neither or goes on to something else.
    expects_answer: ``False`` for thanks, an "ok", emoji, an empty text (G7).
    """

    text: str
    language: Language | None
    dialect: str | None
    wants_human: bool
    human_phrase: str | None
    numbers: tuple[NumberFound, ...]
    reading: NumberFound | None
    account_number: str | None
    yes_no: bool | None
    wants_robot: bool
    greeting: bool
    thanks: bool
    expects_answer: bool


def understand(text: str) -> Understanding:
    """Understand one message. Pure, deterministic, never raises on any string.

    Looks at the first 10,000 characters; takes well under a millisecond for a message of ordinary length.
    """
    seen = text[:LONGEST_TEXT]
    message = words(seen)
    span = human.human_span(message)
    found = figures(seen)
    cut = lexicon().units(message)
    yes_no = _yes_no(seen, message, cut, found)
    thanks = any("thanks" in roles for roles, _, _ in cut)
    greeting = any("greeting" in roles for roles, _, _ in cut[:8])
    return Understanding(
        text=text,
        language=_language(seen, message),
        dialect=_dialect(message),
        wants_human=span is not None,
        human_phrase=seen[message[span[0]].start : message[span[1]].end] if span else None,
        numbers=found.numbers,
        reading=found.reading,
        account_number=found.account_number,
        yes_no=yes_no,
        wants_robot=span is None and human.wants_robot(message),
        greeting=greeting,
        thanks=thanks,
        expects_answer=_expects_answer(seen, cut, span is not None),
    )


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Short answers, greetings, thanks."""
    return Lexicon("small_talk.toml", only=("answers", "manners"))


@lru_cache(maxsize=1)
def _dialects() -> Lexicon:
    return Lexicon("small_talk.toml", only=("dialects",))


@lru_cache(maxsize=1)
def _latin_words() -> Lexicon:
    return Lexicon("small_talk.toml", only=("arabizi",))


def _language(text: str, message: list[Word]) -> Language | None:
    """By script, then by words: Latin letters are Arabic where more of the words are Arabizi than English."""
    arabic, latin = len(_ARABIC.findall(text)), len(_LATIN.findall(text))
    if not arabic and not latin:
        return None
    if (
        arabic * 2 >= latin
    ):  # "العداد reading 4521" is an Arabic speaker's message; units alone are no language
        return "ar"
    arabizi = english = 0
    real = False
    for word in message:
        roles = _latin_words().roles(word.folded)
        if "unit" in roles or not any(c.isalpha() for c in word.folded):
            continue
        real = True
        if "arabic" in roles:
            arabizi += 1 if "english" in roles else 2
        elif not word.folded.isalpha() and _ARABIZI.fullmatch(word.folded):
            arabizi += 2
        if "english" in roles:
            english += 2
    if not real:
        return None
    return "ar" if arabizi > english else "en"


def _dialect(message: list[Word]) -> str | None:
    """The dialect with most marking words; ``None`` on a tie, as most words are shared by neighbours."""
    votes = Counter(role for roles, _, _ in _dialects().units(message) for role in roles - BOUNDARY_ROLE)
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def _yes_no(text: str, message: list[Word], cut: list[Unit], found: Figures) -> bool | None:
    """Yes or no, where the message opens with it and then only repeats it, is polite, or gives a number."""
    if not message:
        up, down = bool(_THUMB_UP.search(text)), bool(_THUMB_DOWN.search(text))
        return up if up != down else None
    answers: set[str] = set()
    answered = False
    for roles, first, last in cut:
        if "boundary" in roles:
            if answered and text[message[first].start] in "?؟":
                return None
            if answered:
                break  # "لا، العداد ما وصل": what follows the mark is another matter
            continue
        said = roles & {"yes", "no"}
        if said:
            answers |= said
            answered = True
        elif not (
            roles & {"filler", "greeting", "thanks", "closing", "ack"}
            or covered(found.spans, message[first].start, message[last].end)
        ):
            return None
    return "yes" in answers if len(answers) == 1 else None


def _expects_answer(text: str, cut: list[Unit], wants_human: bool) -> bool:
    if wants_human or _QUESTION.search(text):
        return True
    if not _ANY_WORD.search(text):
        return False
    rest = [roles for roles, _, _ in cut if "boundary" not in roles]
    if not any(roles & {"thanks", "ack"} for roles in rest):
        return not all(roles & {"closing"} for roles in rest) if rest else True
    return not all(roles & {"thanks", "ack", "closing", "filler", "greeting"} for roles in rest)
