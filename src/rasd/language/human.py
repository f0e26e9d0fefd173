"""Does this message ask for a person? (G8)

A wish is a chain of words: wanting or talking, then words that may stand between, then a person. From each
word for a person the chain is walked leftwards; it is a wish when it holds a word of wanting or talking and no
negation. What stands between must be on the list, so "I want to thank the agent" has no chain and is no wish.
The lists are in ``human_words.toml``; the measure is in ``tests/language/test_human_wish.py``.
"""

from __future__ import annotations

from functools import lru_cache

from rasd.language.lexicon import Lexicon, Roles
from rasd.language.text import Word, words

LONGEST_CHAIN = 9
"""Units between the first word of a wish and the person; the longest in our tables has six."""

Unit = tuple[Roles, int, int]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The word lists, read once."""
    return Lexicon("human_words.toml", article=("person", "robot"), clitic=("someone", "contact"))


def wants_human(text: str) -> str | None:
    """The words, as written, by which the message asks for a person; ``None`` when it does not.

    Being asked to ring back counts. A complaint about an employee, a visit wanted at the meter, a question
    whether this is a machine, or "no agent needed" do not.
    """
    message = words(text)
    span = human_span(message)
    return text[message[span[0]].start : message[span[1]].end] if span else None


def human_span(message: list[Word]) -> tuple[int, int] | None:
    """First and last word of the wish for a person in ``message``, or ``None``."""
    return _span(units(message))


def units(message: list[Word]) -> list[Unit]:
    """The message cut into words and listed phrases, with their roles."""
    return lexicon().units(message)


def wants_robot(message: list[Word]) -> bool:
    """True when the message asks to go (back) to the automatic service. Call it only where no human is wanted."""
    cut = units(message)
    for at, (roles, _, _) in enumerate(cut):
        if "robot_phrase" in roles and _alone(cut, "robot_phrase"):
            return True
        if "robot" in roles:
            seen = _chain(cut, at)[0]
            if _alone(cut, "robot"):
                return True
            if seen & {"want", "contact", "back"} and not seen & {"negation", "tired", "exist"}:
                return True
    return False


def _span(cut: list[Unit]) -> tuple[int, int] | None:
    for at, (roles, first, last) in enumerate(cut):
        if _stands_for_itself(cut, at) and "negation" not in _chain(cut, at)[0]:
            return first, last
        if "person" in roles or "someone" in roles:
            begun = _asked(cut, at)
            if begun is not None:
                return begun, last
        if "robot" in roles:
            seen, begun = _chain(cut, at)
            if "tired" in seen or ("negation" in seen and seen & {"want", "contact"}):
                return begun, last
    return None


def _stands_for_itself(cut: list[Unit], at: int) -> bool:
    roles = cut[at][0]
    return (
        "phrase" in roles
        or ("ring" in roles and _after(cut, at) <= {"serve", "help"})
        or ("alone" in roles and _ends_alone(cut, at, "alone"))
    )


def _chain(cut: list[Unit], at: int) -> tuple[set[str], int]:
    """Roles met walking left from ``at`` over words of a wish, and the first word of the chain."""
    seen: set[str] = set()
    begun = cut[at][1]
    for roles, first, _ in reversed(cut[max(0, at - LONGEST_CHAIN) : at]):
        if not roles & {
            "filler",
            "want",
            "contact",
            "negation",
            "question",
            "exist",
            "tired",
            "back",
            "someone",
        }:
            break
        seen |= roles
        if roles & {"want", "contact", "exist", "tired", "negation", "back"}:
            begun = first
        if roles & {"negation", "question"}:
            break
    return seen, begun


def _asked(cut: list[Unit], at: int) -> int | None:
    """The first word of the wish whose person is the unit ``at``; ``None`` when it is no wish."""
    roles = cut[at][0]
    seen, begun = _chain(cut, at)
    if seen & {"negation", "question", "tired"}:
        return None
    after = _after(cut, at)
    if "contact" in seen:
        return begun
    if after & {"field", "relative"}:
        return None
    ends = not after
    if "want" in seen:
        return begun if "person" in roles or ends or after & {"serve", "help"} else None
    if "exist" in seen:
        return begun if ends or "serve" in after else None
    if "person" in roles and _ends_alone(cut, at, "person"):
        return begun
    return None


def _after(cut: list[Unit], at: int) -> set[str]:
    """Roles of what follows the person in its clause, looking past what only fills; empty at the clause's end."""
    for place, (roles, _, _) in enumerate(cut[at + 1 : at + 7], at + 1):
        if "boundary" in roles:
            return set()
        met = set(roles & {"field", "relative", "serve", "help"})
        if "help" in met and not _after(cut, place):
            return {"serve"}
        if met:
            return met
        if not roles & {"filler", "person", "someone", "polite", "thanks"}:
            return {"other"}
    return set()


def _alone(cut: list[Unit], role: str) -> bool:
    """True when the units hold the role and otherwise only what is polite; thanks may follow it, not precede."""
    said = False
    for roles, _, _ in cut:
        if role in roles:
            said = True
        elif not (roles & {"polite", "boundary"} or ("thanks" in roles and said)):
            return False
    return said


def _ends_alone(cut: list[Unit], at: int, role: str) -> bool:
    """True when from the beginning of its clause to the message's end unit ``at`` stands alone, but for politeness."""
    for place in range(at - 1, -1, -1):
        roles = cut[place][0]
        if "boundary" in roles:
            break
        if "polite" not in roles:
            return False
    return _alone(cut[at:], role)
