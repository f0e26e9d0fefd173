"""How an eye did, and how two that read the same photographs compare. Pure: rows come in as plain values.

What is right is known of few photographs, and of those that were accepted by themselves least of all: nobody was asked.
Every share therefore comes with how many it rests on, and with the interval that so few allow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from statistics import median

from rasd.metering.statistics import mcnemar_exact, wilson

BANDS = (0.0, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0)
"""Edges of the bands of confidence in which the calibration is shown; 0.3 and 0.99 are where decisions change."""

SURE_ENOUGH = 0.01
"""The p below which one eye is called better. Not the usual 0.05: people look every day, and who looks often sees
chance at work more often."""


class Source(StrEnum):
    """Who said what a counter showed."""

    FIELD = "field"
    REVIEW = "review"
    CUSTOMER = "customer"


@dataclass(frozen=True)
class Truth:
    """What the counter showed, as found afterwards. ``value`` None: there was no meter in the picture. ``within``: what
    a meter reader's value may be off, as he did not look at the same minute."""

    source: Source
    value: Decimal | None
    within: Decimal = Decimal(0)

    def bears_out(self, value: Decimal | None) -> bool:
        """Whether an eye that said ``value`` was right; one that read nothing is right where there was nothing."""
        if value is None or self.value is None:
            return value is self.value
        return abs(value - self.value) <= self.within


@dataclass(frozen=True)
class Told:
    """What an eye said of a photograph: its value (None: nothing), calibrated probability and decision."""

    value: Decimal | None
    confidence: float
    decision: str
    milliseconds: float | None = None


@dataclass(frozen=True)
class Share:
    """So many of so many, and the 95 % interval (Wilson) of what stands behind it."""

    right: int
    of: int

    @property
    def value(self) -> float | None:
        return self.right / self.of if self.of else None

    @property
    def low(self) -> float:
        return wilson(self.right, self.of)[0]

    @property
    def high(self) -> float:
        return wilson(self.right, self.of)[1]


@dataclass(frozen=True)
class Band:
    """The photographs whose confidence lay from ``low`` up to ``high``: what was told on average, and what was true."""

    low: float
    high: float
    told: float
    share: Share

    @property
    def fits(self) -> bool:
        """Whether what was told lies within what so few photographs allow."""
        return self.share.low <= self.told <= self.share.high


@dataclass(frozen=True)
class Record:
    """How an eye did with photographs, each with what is known to be true of it."""

    rows: Sequence[tuple[Told, Truth | None]]

    @cached_property
    def decisions(self) -> Counter[str]:
        """How many it would have accepted by itself (``accept``), asked about (``confirm``), asked for again
        (``retake``), given to a person (``review``)."""
        return Counter(told.decision for told, _ in self.rows)

    @cached_property
    def right(self) -> Share:
        """Of those whose truth is known; what it could not read counts as not right."""
        return _share(self.rows)

    @cached_property
    def right_of_accepted(self) -> Share:
        """Of those that it would have accepted by itself and whose truth is known: what G3 lives on."""
        return _share((told, truth) for told, truth in self.rows if told.decision == "accept")

    @cached_property
    def bands(self) -> list[Band]:
        """Confidence against truth, band by band; bands in which nothing is known are left out."""
        known = [(told, truth) for told, truth in self.rows if truth is not None and told.value is not None]
        found = []
        for low, high in pairwise(BANDS):
            inside = [
                (told, truth)
                for told, truth in known
                if low <= told.confidence < high or told.confidence == high == 1.0
            ]
            if inside:
                mean = sum(told.confidence for told, _ in inside) / len(inside)
                found.append(Band(low, high, mean, _share(inside)))
        return found

    @cached_property
    def milliseconds(self) -> float | None:
        """The median."""
        taken = [told.milliseconds for told, _ in self.rows if told.milliseconds is not None]
        return median(taken) if taken else None

    @cached_property
    def sources(self) -> Counter[Source]:
        """Whose word the truths are."""
        return Counter(truth.source for _, truth in self.rows if truth is not None)


class Right(StrEnum):
    """Which of two that differ was right."""

    NEW = "new"
    OLD = "old"
    NEITHER = "neither"
    BOTH = "both"  # both as near to a meter reader's value as it can tell
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Pair:
    """One photograph read by both."""

    photograph: int
    old: Told
    new: Told
    truth: Truth | None

    @property
    def differ(self) -> bool:
        return self.old.value != self.new.value

    @property
    def right(self) -> Right:
        if self.truth is None:
            return Right.UNKNOWN
        old, new = self.truth.bears_out(self.old.value), self.truth.bears_out(self.new.value)
        if old and new:
            return Right.BOTH
        if old or new:
            return Right.OLD if old else Right.NEW
        return Right.NEITHER


class Finding(StrEnum):
    """What the evidence allows one to say of the new one."""

    NOTHING = "nothing"
    BETTER = "better"
    WORSE = "worse"
    CHANCE = "chance"


@dataclass(frozen=True)
class Comparison:
    """Two eyes on the same photographs: ``old`` is in service, ``new`` in shadow."""

    pairs: Sequence[Pair]

    @cached_property
    def old(self) -> Record:
        return Record([(pair.old, pair.truth) for pair in self.pairs])

    @cached_property
    def new(self) -> Record:
        return Record([(pair.new, pair.truth) for pair in self.pairs])

    @cached_property
    def differing(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.differ]

    @cached_property
    def counts(self) -> Counter[Right]:
        """Of those that differ."""
        return Counter(pair.right for pair in self.differing)

    @property
    def new_of_decided(self) -> Share:
        """How often the new one was right where exactly one of the two was."""
        return Share(self.counts[Right.NEW], self.counts[Right.NEW] + self.counts[Right.OLD])

    @property
    def p(self) -> float:
        """McNemar's exact test, on the photographs where exactly one of the two was right."""
        return mcnemar_exact(self.counts[Right.NEW], self.counts[Right.OLD])

    @property
    def finding(self) -> Finding:
        if not self.new_of_decided.of:
            return Finding.NOTHING
        if self.p >= SURE_ENOUGH:
            return Finding.CHANCE
        return Finding.BETTER if self.counts[Right.NEW] > self.counts[Right.OLD] else Finding.WORSE


def _share(rows: Iterable[tuple[Told, Truth | None]]) -> Share:
    known = [truth.bears_out(told.value) for told, truth in rows if truth is not None]
    return Share(sum(known), len(known))
