"""What every player is given and answers. Blackbox exporter's habit: one signature for all."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Protocol
from urllib.parse import quote, urljoin

from rasd.watch.evidence.box import Box
from rasd.watch.journeys.language import Journey
from rasd.watch.journeys.steps import Step
from rasd.watch.journeys.values import VALUE
from rasd.watch.journeys.written import Channel
from rasd.watch.leave import Leave
from rasd.watch.permission import Why
from rasd.watch.players.finding import Exhibit, Finding, Trouble
from rasd.watch.players.masking import MASK, mask


class CannotPlay(Exception):
    """A step did not go well. The player that raises it has put what it saw into ``exhibits``."""

    def __init__(self, trouble: Trouble, words: str, **facts: Any) -> None:
        super().__init__(words)
        self.trouble, self.words, self.facts = trouble, words, facts


@dataclass
class Clock:
    """The one clock of a visit. The rehearsals give another."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Errand:
    """One visit while it is played: who he is, what he remembers, how long he will still wait."""

    journey: Journey
    url: str
    """Where the target is; paths of the journey are taken from there."""
    box: Box
    """Where the evidence goes."""
    someone: Mapping[str, str]
    """The made-up person: first, last, name, email, phone … (``identities.py``)."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    leave: Leave = field(default_factory=Leave)
    """Where he may go. As it stands: loopback."""
    kept: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    random: Random = field(default_factory=Random)
    patient_until: float = float("inf")
    """By ``clock.monotonic``."""
    _asked_of: Step | None = None
    _asked_at: float = 0.0

    def text(self, template: str) -> str:
        """The template with its values. Raises CannotPlay (JOURNEY) naming the value that is not known."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            room, _, rest = name.partition(".")
            known = {"someone": self.someone, "secret": self.secrets}.get(room) if rest else self.kept
            if known is None or (rest or name) not in known:
                raise CannotPlay(
                    Trouble.JOURNEY, f"{{{name}}} is not known: no step before this one keeps it"
                )
            return known[rest or name]

        return VALUE.sub(value, template)

    def address(self, template: str) -> str:
        """The whole address of a path or an address. A value within it is encoded; one that begins it is an address itself."""
        begins = VALUE.match(template)
        rest = VALUE.sub(
            lambda match: quote(self.text(match[0]), safe=""), template[begins.end() if begins else 0 :]
        )
        return urljoin(self.url, (self.text(begins[0]) if begins else "") + rest)

    def pattern(self, template: str) -> str:
        """The same of a regular expression: the values stand in it as they are, whatever signs they have."""
        return VALUE.sub(lambda match: re.escape(self.text(match[0])), template)

    def ask_leave(self, url: str, *, sends: bool = False) -> None:
        """Before anything is asked of ``url`` or sent there, at each redirect too: http(s), ``mailto:somebody@example.org``
        or a messenger's address. Raises CannotPlay: NOT_PERMITTED, or WALL where its robots.txt keeps robots out."""
        if refusal := self.leave.refusal(url, sends=sends):
            trouble = Trouble.WALL if refusal.why is Why.ROBOTS else Trouble.NOT_PERMITTED
            raise CannotPlay(trouble, refusal.words, refused=refusal.why.value)

    def masked(self, text: str) -> str:
        """Without any secret in it, however it is written there."""
        return mask(text, self.secrets.values())

    def left(self, step: Step) -> float:
        """Seconds that he still gives this step: of its own ``within``, counted from the first time that this is asked of it,
        where it says one; and never more than his patience."""
        now = self.clock.monotonic()
        if self._asked_of is not step:
            self._asked_of, self._asked_at = step, now
        left = self.patient_until - now
        if step.within:
            left = min(left, self._asked_at + step.within.total_seconds() - now)
        return max(0.0, left)


class Player(Protocol):
    """Plays the steps of its channel. Opened at the errand's first step there, closed at its end, whatever happened."""

    channel: Channel

    def play(self, step: Step, errand: Errand) -> dict[str, Any]:
        """Does the step and gives its facts; raises CannotPlay where it does not go well.

        A player waits no longer than ``errand.left(step)`` and never tries a deed twice: the first attempt counts.
        """
        ...

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        """The evidence of the step just played, put into ``errand.box``."""
        ...

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        """Ends it, and gives what is only known at the end: the trace of a failure. Leaves no process and no file behind."""
        ...


__all__ = ["MASK", "CannotPlay", "Clock", "Errand", "Finding", "Player"]
