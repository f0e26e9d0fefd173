"""What was said in a chat, when, by whom; and whether what came is an answer. Pure: a page's news in, facts and troubles out."""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from enum import StrEnum

from rasd.watch.journeys.steps import Heard
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.finding import Trouble
from rasd.watch.players.letters import kept_of
from rasd.watch.players.normal import normal

SAME = 0.9
"""Share of the words, in their order, that makes two answers the same. A number that differs makes a short answer another one
(is it 04521? is it 04522?) and leaves a long one what it was (we have sent an e-mail to the department, reference 4711)."""
LOOP = 3
"""Times that the same answer comes, from which on he waits no longer. Whoever waits for any answer takes the second one for
none already; whoever waits for certain words takes them however often they come."""
GRACE = 10.0
"""Seconds that he still waits for something else, once he was answered the same again."""
CLOCK = re.compile(r"\b\d{1,2}[:.]\d{2}(?:[:.]\d{2})?\s*(?:[ap]\.?m\.?|ص|م)?(?!\w)", re.I)
SHOWN = 160  # characters of an answer in a finding's words; the whole stands in the transcript


class Who(StrEnum):
    HE = "he"
    MACHINE = "machine"
    """Of the service, before a person has joined."""
    PERSON = "person"


@dataclass
class Line:
    """One message. ``at``: seconds by the visit's monotonic clock, when its first words stood on the page."""

    at: float
    who: Who
    words: str
    key: str = ""
    """By which the page's listener knows it again; empty: he said it."""


@dataclass(frozen=True)
class News:
    """A message of the service as the page has it now. ``settled``: its words do not grow any more."""

    key: str
    at: float
    words: str
    settled: bool = True


@dataclass
class Conversation:
    """Since when, and all lines in the order in which they came."""

    began: datetime
    began_at: float
    """The same moment by the visit's monotonic clock."""
    lines: list[Line] = field(default_factory=list)
    person_at: float | None = None
    """When words first stood there that only stand there once a person has joined."""
    _heard: int = 0
    """Lines before it were heard already, or came before what he said last."""
    _settled: set[str] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)
    """Lines that were answers: they stay, whatever the page does with them."""
    _told: set[tuple[str, float]] = field(default_factory=set)

    # What happens

    def he_says(self, words: str, at: float) -> None:
        """``at`` may be some moments ago: what came since is after it."""
        n = bisect_right(self.lines, at, key=lambda each: each.at)
        self.lines.insert(n, Line(at, Who.HE, words))
        self._heard = n + 1

    def learn(self, news: Sequence[News], person_at: float | None = None) -> None:
        """All messages of the service that stand on the page, each with its words as they are now. What is gone
        was none, but for an answer."""
        self.person_at = person_at if self.person_at is None else self.person_at
        by_key = {line.key: line for line in self.lines if line.key}
        for each in news:
            line = by_key.get(each.key) or self._come(each)
            line.words = each.words
            if self.person_at is not None and line.at >= self.person_at:
                line.who = Who.PERSON
            if each.settled:
                self._settled.add(each.key)
        here = {each.key for each in news}
        gone = {line.key for line in self.lines if line.key} - here - self._taken
        self._heard -= sum(line.key in gone for line in self.lines[: self._heard])
        self.lines = [line for line in self.lines if line.key not in gone]

    def _come(self, news: News) -> Line:
        """In its place by time: what came just before he spoke is no answer to that."""
        line = Line(news.at, Who.MACHINE, news.words, news.key)
        n = bisect_right(self.lines, line.at, key=lambda each: each.at)
        self.lines.insert(n, line)
        self._heard += n < self._heard
        return line

    # What is made of it

    def answer(self, wanted: Heard, time_is_over: bool = False) -> Line | None:
        """The first line since he spoke, not heard before, that is what he waits for: then it and those before it are heard.

        What is still being written is read to its end, unless his time is over: then it counts as it stands.
        """
        for n, line in enumerate(self.lines[self._heard :], self._heard + 1):
            if (time_is_over or line.key in self._settled) and self._is_answer(line, wanted):
                self._heard = n
                self._taken.add(line.key)
                return line
        return None

    def kept(self, line: Line, wanted: Heard) -> dict[str, str] | None:
        """What ``wanted`` keeps of it; None where it is not all there."""
        return kept_of({name: re.search(pattern, line.words) for name, pattern in wanted.keep.items()})

    def _is_answer(self, line: Line, wanted: Heard) -> bool:
        if wanted.person and line.who is not Who.PERSON:
            return False
        if wanted.words and not re.search(wanted.words, line.words):
            return False
        if self.kept(line, wanted) is None:
            return False
        return not (_any_will_do(wanted) and self.times(line) > 1)

    def times(self, line: Line) -> int:
        """How often the service had said this when it said ``line``, that once included."""
        earlier = self.lines[: self.lines.index(line)]
        return 1 + sum(each.key != "" and same(each.words, line.words) for each in earlier)

    def in_vain(self, wanted: Heard, now: float, time_is_over: bool) -> CannotPlay | None:
        """Why he waits no longer; None: he still does."""
        unheard = [line for line in self.lines[self._heard :] if time_is_over or line.key in self._settled]
        often = max(unheard, key=self.times, default=None)
        times = self.times(often) if often else 0
        last = unheard[-1] if unheard else None
        if often and last and _in_loop(wanted, times, now - last.at, time_is_over):
            says = f"the same answer, {times} times now: {_quoted(often)}"
            return CannotPlay(Trouble.LOOP, says, **({"gave_up": True} if time_is_over else {}))
        if not time_is_over:
            return None
        if wanted.person and self.person_at is None:
            said = f"; the last answer was {_quoted(last)}" if last else ""
            return CannotPlay(Trouble.NO_ANSWER, f"no person came{said}", gave_up=True)
        if last is None:
            return CannotPlay(Trouble.NO_ANSWER, "no answer came", gave_up=True)
        return CannotPlay(Trouble.OTHER_WORDS, f"an answer came, but not to that: {_quoted(last)}")

    # What is told of it

    @property
    def spoke_at(self) -> float:
        """When he spoke last; where he has not yet, the beginning."""
        return max((line.at for line in self.lines if not line.key), default=self.began_at)

    def facts(self, wanted: Heard) -> dict[str, float | None]:
        """``first_answer`` and ``person``: seconds from what he said last, or from the chat's beginning; None: he waited in vain.

        Each is told once for each thing that he said, so that nobody counts it twice.
        """
        since = self.spoke_at
        answers = [line for line in self.lines if line.key and line.at >= since]
        facts: dict[str, float | None] = {}
        if ("first_answer", since) not in self._told:
            facts["first_answer"] = _seconds(since, answers[0].at if answers else None)
        if ("person", 0.0) not in self._told and (wanted.person or self.person_at is not None):
            facts["person"] = _seconds(since, self.person_at)
            if self.person_at is not None:
                self._told.add(("person", 0.0))
        self._told.add(("first_answer", since))
        return facts

    def transcript(self, masked: Callable[[str], str] = str) -> bytes:
        """Who said what, and when: JSON, UTF-8. ``at`` is UTC; ``seconds`` are from the beginning of the chat."""
        lines = [
            {
                "at": _iso(self.began + timedelta(seconds=line.at - self.began_at)),
                "seconds": round(line.at - self.began_at, 1),
                "who": line.who.value,
                "words": masked(line.words),
            }
            for line in self.lines
        ]
        return json.dumps({"began": _iso(self.began), "lines": lines}, ensure_ascii=False, indent=1).encode()


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _any_will_do(wanted: Heard) -> bool:
    return not (wanted.words or wanted.keep or wanted.person)


def _in_loop(wanted: Heard, times: int, silent_for: float, time_is_over: bool) -> bool:
    if wanted.person:  # "please wait", again and again: he waits, and only at the end was it a loop
        return time_is_over and times >= LOOP
    if times >= (2 if time_is_over else LOOP):
        return True
    return _any_will_do(wanted) and times > 1 and silent_for > GRACE


def same(one: str, other: str) -> bool:
    """Whether two answers say the same: word by word, whatever the signs, vowel marks and times of day."""
    words, others = _words(one), _words(other)
    if not words or not others:
        return one.strip() == other.strip()
    return SequenceMatcher(None, words, others, autojunk=False).ratio() >= SAME


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", normal(CLOCK.sub(" ", text)))


def _seconds(since: float, at: float | None) -> float | None:
    return None if at is None else round(max(0.0, at - since), 2)


def _quoted(line: Line) -> str:
    words = " ".join(line.words.split())
    return f"“{words[:SHOWN]}…”" if len(words) > SHOWN else f"“{words}”"
