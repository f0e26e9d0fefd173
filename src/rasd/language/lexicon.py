"""Word lists as data: which roles a word or phrase of ``*.toml`` has, whatever dialect it was listed under."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files

from rasd.language.text import BOUNDARY, Word, fold, words

# What may hang on the end of a word that is listed with a star: gender, number, "your", "our".
_SUFFIXES = ("", "ه", "ا", "ك", "ين", "ات", "كم", "نا", "ينكم", "يكم", "ينك", "ينا", "اتكم", "تكم")
# What may hang on its front: and / so, then by / for / like / on, then the article.
_AND = ("و", "ف")
_FOR = ("ب", "ل", "ع", "ه")
_ARTICLES = ("ال", "لل")

Roles = frozenset[str]
NOTHING: Roles = frozenset()
BOUNDARY_ROLE: Roles = frozenset({"boundary"})


def _read(name: str) -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("rasd.language").joinpath(name).read_text("utf-8"))


class Lexicon:
    """The lists of one file, ``[section] role = [words and phrases]``, merged over its sections.

    A word may end in ``*`` (Arabic endings allowed) or stand between slashes (a regular expression on the
    whole folded word). ``article`` names the roles whose words may carry ال and prepositions, ``clitic`` those
    that may carry prepositions only; ``only`` names the sections to read, all by default. Every role's words may carry و and ف.
    """

    def __init__(
        self,
        name: str,
        *,
        only: Iterable[str] = (),
        article: Iterable[str] = (),
        clitic: Iterable[str] = (),
    ) -> None:
        sections = _read(name)
        self.sections = {key: sections[key] for key in only or sections}
        self._article = frozenset(article)
        self._clitic = frozenset(clitic) | self._article
        self._words: dict[str, set[str]] = {}
        self._phrases: dict[str, dict[tuple[str, ...], set[str]]] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for section in self.sections.values():
            for role, entries in section.items():
                for entry in entries:
                    self._add(entry, role)
        self._longest = {
            first: sorted(
                ((parts, frozenset(roles)) for parts, roles in phrases.items()), key=lambda p: -len(p[0])
            )
            for first, phrases in self._phrases.items()
        }
        self.roles = lru_cache(maxsize=8192)(self._roles)
        self._phrase_keys = lru_cache(maxsize=8192)(self._keys)

    def _add(self, entry: str, role: str) -> None:
        if entry.startswith("/"):
            self._patterns.append((re.compile(entry.strip("/")), role))
            return
        parts = tuple(word.folded for word in words(entry.rstrip("*")))
        if not parts:
            raise ValueError(
                f"{entry!r}, listed under {role!r}, holds no word: remove it or write it in letters"
            )
        if len(parts) > 1:
            self._phrases.setdefault(parts[0], {}).setdefault(parts, set()).add(role)
            return
        for suffix in _SUFFIXES if entry.endswith("*") else ("",):
            self._words.setdefault(fold(parts[0] + suffix), set()).add(role)

    def _roles(self, word: str) -> Roles:
        if word in self._words:
            return frozenset(self._words[word])
        for pattern, role in self._patterns:
            if pattern.fullmatch(word):
                return frozenset({role})
        if word.isascii():
            return NOTHING
        for rest in self._without_and(word):
            found = self._words.get(rest, set())
            if found:
                return frozenset(found)
        for rest, with_article in self._without_clitics(word):
            found = self._words.get(rest, set()) & (self._article if with_article else self._clitic)
            if found:
                return frozenset(found)
        return NOTHING

    @staticmethod
    def _without_and(word: str) -> Iterator[str]:
        if word[0] in _AND and len(word) > 2:
            yield word[1:]

    def _without_clitics(self, word: str) -> Iterator[tuple[str, bool]]:
        for start in (word, *self._without_and(word)):
            if start[0] in _FOR and len(start) > 3:
                yield start[1:], False
                if start[1:].startswith("ال"):
                    yield start[3:], True
            for article in _ARTICLES:
                if start.startswith(article) and len(start) > 4:
                    yield start[2:], True
                    if article == "لل":
                        yield "ال" + start[2:], False

    def _phrase_at(self, folded: list[str], at: int) -> tuple[int, Roles] | None:
        """The longest listed phrase of several words that begins at ``at``: how many words, and its roles."""
        for key in self._phrase_keys(folded[at]):
            for parts, roles in self._longest[key]:
                if folded[at + 1 : at + len(parts)] == list(parts[1:]):
                    return len(parts), roles
        return None

    def _keys(self, first: str) -> tuple[str, ...]:
        candidates = [first]
        if not first.isascii():
            candidates += [*self._without_and(first), *(rest for rest, _ in self._without_clitics(first))]
        return tuple(key for key in candidates if key in self._longest)

    def units(self, message: list[Word]) -> list[tuple[Roles, int, int]]:
        """The message as units of one word or one listed phrase: their roles, and first and last word's place.

        A mark that ends a clause has the one role ``boundary``.
        """
        folded = [word.folded for word in message]
        found: list[tuple[Roles, int, int]] = []
        at = 0
        while at < len(folded):
            if folded[at] == BOUNDARY:
                found.append((BOUNDARY_ROLE, at, at))
                at += 1
            elif phrase := self._phrase_at(folded, at):
                found.append((phrase[1], at, at + phrase[0] - 1))
                at += phrase[0]
            else:
                found.append((self.roles(folded[at]), at, at))
                at += 1
        return found
