"""What he reads: whether words stand there, do not, or are to be remembered. Pure."""

import re
from dataclasses import dataclass, field
from typing import Self

from rasd.watch.journeys.steps import Keep, Miss, See
from rasd.watch.journeys.written import is_pattern
from rasd.watch.players.base import Errand
from rasd.watch.players.normal import normal, readable, within
from rasd.watch.players.pointing import closest

AS_READ = re.MULTILINE | re.IGNORECASE
CALM_ENOUGH = 0.5
"""Seconds without anything new after which what is not there may be taken for not there."""


@dataclass
class Reading:
    """Of one step: ``seen`` are words or ``/regular expressions/`` that must stand there, ``missed`` that must not."""

    seen: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    patterns: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, step: See | Miss | Keep, errand: Errand) -> Self:
        """Raises CannotPlay (JOURNEY) for a value that is not known."""
        if isinstance(step, Keep):
            return cls(patterns={name: errand.pattern(each) for name, each in step.keep.items()})
        words = step.see if isinstance(step, See) else step.miss
        filled = [
            errand.pattern(each) if is_pattern(each) else errand.text(each)
            for each in ([words] if isinstance(words, str) else words)
        ]
        return cls(seen=filled) if isinstance(step, See) else cls(missed=filled)

    def is_there(self, page: str, quiet: float) -> bool:
        """``page``: its words; ``quiet``: seconds since which nothing has changed."""
        if self.missed:
            return quiet >= CALM_ENOUGH and not any(stands(each, page) for each in self.missed)
        for name, pattern in self.patterns.items():
            if found := search(pattern, page):
                self.kept[name] = found
        return all(stands(each, page) for each in self.seen) and set(self.patterns) <= set(self.kept)

    def instead(self, page: str) -> str:
        """In a sentence: what is wrong."""
        if still := [each for each in self.missed if stands(each, page)]:
            return f"{', '.join(map(repr, still))} should not stand there, and does"
        lines = {normal(line): line[:80] for line in page.split("\n") if line.strip()}
        wanting = [each for each in self.seen if not stands(each, page)]
        wanting += [f"/{self.patterns[name]}/" for name in self.patterns if name not in self.kept]
        like = closest(wanting[0], lines) if wanting and not is_pattern(wanting[0]) else ""
        return f"{', '.join(map(repr, wanting))} does not stand there{like or f'; there stands {_beginning(page)!r}'}"


def stands(words: str, page: str) -> bool:
    if is_pattern(words):
        return search(words[1:-1], page) is not None
    return within(normal(words), normal(page))


def search(pattern: str, page: str) -> str | None:
    """The first group, or all: in what stands there, or in the same with Latin digits."""
    for text in (readable(page, digits=False), readable(page)):
        if found := re.search(pattern, text, AS_READ):
            return str(found[1] if found.re.groups and found[1] is not None else found[0])
    return None


def _beginning(page: str) -> str:
    return " ".join(page.split())[:160]
