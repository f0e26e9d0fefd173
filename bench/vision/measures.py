"""From answers to figures. Every share comes as a count of a number, so that its interval can be told."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.vision.labels import Labelled

DECISIONS = ("accept", "confirm", "retake", "review")
BINS = 10


@dataclass(frozen=True)
class Outcome:
    """One picture with what a reader said of it. `digits` is empty where it read nothing."""

    label: Labelled
    digits: str
    decimals: int
    confidence: float
    decision: str  # "" where the reader decides nothing
    wall_ms: float
    cpu_ms: float
    decode_ms: float | None
    anywhere: tuple[str, ...]
    error: str
    answer: dict[str, Any]

    @classmethod
    def of(cls, label: Labelled, answer: dict[str, Any]) -> Outcome:
        inside = answer.get("inside_ms")
        return cls(
            label,
            answer.get("digits", ""),
            answer.get("decimals", 0),
            answer.get("confidence", 0.0),
            # What cannot be opened, or killed the reader, is asked for again as the product does.
            answer.get("decision", "retake" if answer.get("error") else ""),
            answer.get("wall_ms", 0.0),
            answer.get("cpu_ms", 0.0),
            None if inside is None else answer["wall_ms"] - inside,
            tuple(answer.get("anywhere", ())),
            answer.get("error", ""),
            answer,
        )

    @property
    def digits_right(self) -> bool:
        """Every digit shown is the label's, wherever the point; wheels that nobody could tell may be read or not."""
        label = self.label.digits
        return (
            bool(label)
            and self.digits[: len(label)] == label
            and len(self.digits) - len(label) in {0, self.label.untold}
        )

    @property
    def exact(self) -> bool:
        """Every digit, and the point in its place where the label has one."""
        further = len(self.digits) - len(self.label.digits)
        return self.digits_right and self.label.decimals in {None, self.decimals - further}

    @property
    def whole_right(self) -> bool:
        """Exact, or right before the point: places after it left out, read wrongly, or not in the label."""
        before = self.digits[: len(self.digits) - self.decimals]
        return self.exact or (bool(self.label.reading) and before == self.label.whole)

    @property
    def answered(self) -> bool:
        """The product would use this reading, or ask "is it …?"."""
        return bool(self.digits) and self.decision in {"", "accept", "confirm"}

    @property
    def wrong(self) -> bool:
        """Not exact; of a picture with nothing to read, a reading that would have been used or asked about."""
        return not self.exact if self.label.reading else self.answered


def wilson(count: int, of: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927). (0, 1) of nothing."""
    if not of:
        return 0.0, 1.0
    share = count / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def rejection_curve(outcomes: Sequence[Outcome]) -> list[tuple[float, float, float]]:
    """(share answered, share of these that are exact, least confidence answered), the surest first.

    Pictures of one confidence are answered together. The share is of the pictures with a reading; one with nothing
    to read is an error wherever it is answered.
    """
    with_reading = sum(bool(outcome.label.reading) for outcome in outcomes)
    ranked = sorted((o for o in outcomes if o.digits), key=lambda outcome: -outcome.confidence)
    curve, right, answered = [], 0, 0
    for number, outcome in enumerate(ranked, start=1):
        right += outcome.exact
        answered += bool(outcome.label.reading)
        if number == len(ranked) or ranked[number].confidence < outcome.confidence:
            curve.append((answered / max(1, with_reading), right / number, outcome.confidence))
    return curve


def answered_at(outcomes: Sequence[Outcome], precision: float) -> tuple[float, float | None]:
    """The largest share that can be answered with at least this share of the answers exact, and the least confidence
    that does it. (0, None) where there is none. Chosen on the very pictures it is told of: it flatters, the more the
    fewer they are."""
    good = [(share, least) for share, exact, least in rejection_curve(outcomes) if exact >= precision]
    return max(good, default=(0.0, None))


@dataclass(frozen=True)
class Bin:
    pictures: int
    said: float
    """Mean confidence."""
    right: int


def reliability(outcomes: Sequence[Outcome], bins: int = BINS) -> list[Bin]:
    """Bins of equal numbers of pictures in which something was read, least sure first."""
    ranked = sorted(((o.confidence, o.exact) for o in outcomes if o.digits), key=lambda pair: pair[0])
    cuts = [index * len(ranked) // bins for index in range(bins + 1)]
    parts = [ranked[a:b] for a, b in itertools.pairwise(cuts) if b > a]
    return [Bin(len(part), sum(c for c, _ in part) / len(part), sum(e for _, e in part)) for part in parts]


def calibration_error(outcomes: Sequence[Outcome]) -> float:
    """Expected calibration error over bins of equal size (Naeini et al., AAAI 2015; Nguyen and O'Connor, 2015)."""
    found = reliability(outcomes)
    total = sum(part.pictures for part in found)
    return sum(abs(part.said - part.right / part.pictures) * part.pictures for part in found) / max(1, total)


def brier(outcomes: Sequence[Outcome]) -> float:
    """Mean square of confidence less truth (Brier, 1950), where something was read."""
    read = [outcome for outcome in outcomes if outcome.digits]
    return sum((o.confidence - o.exact) ** 2 for o in read) / max(1, len(read))


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of a group, as JSON's types. Shares of nothing are None."""
    shown = [outcome for outcome in outcomes if outcome.label.reading]
    nothing = [outcome for outcome in outcomes if not outcome.label.reading]
    exact = sum(outcome.exact for outcome in shown)
    accepted = [outcome for outcome in outcomes if outcome.decision == "accept"]
    accepted_right = sum(outcome.exact for outcome in accepted)
    by_meter = _by_meter(shown)
    at99, at95 = answered_at(outcomes, 0.99), answered_at(outcomes, 0.95)
    return {
        "pictures": len(outcomes),
        "with_reading": len(shown),
        "exact": _share(exact, len(shown)),
        "exact_interval": wilson(exact, len(shown)),
        "digits_right": _share(sum(o.digits_right for o in shown), len(shown)),
        "whole_right": _share(sum(o.whole_right for o in shown), len(shown)),
        "whole_interval": wilson(sum(o.whole_right for o in shown), len(shown)),
        "anywhere": _share(sum(o.label.digits in o.anywhere for o in shown), len(shown)),
        "meters": len(by_meter) or None,
        "exact_by_meter": statistics.mean(by_meter.values()) if by_meter else None,
        "nothing_read": _share(sum(not o.digits for o in shown), len(shown)),
        "answered_at_99": at99[0],
        "least_confidence_at_99": at99[1],
        "answered_at_95": at95[0],
        "least_confidence_at_95": at95[1],
        **{
            name: _share(sum(o.decision == name for o in outcomes), len(outcomes)) for name in DECISIONS
        },
        "accepted": len(accepted),
        "accepted_right": accepted_right,
        "accept_precision": _share(accepted_right, len(accepted)),
        "accept_interval": wilson(accepted_right, len(accepted)),
        "ece": calibration_error(outcomes),
        "brier": brier(outcomes),
        "nothing_to_read": len(nothing),
        "left_alone": _share(sum(not o.answered for o in nothing), len(nothing)),
        "left_alone_interval": wilson(sum(not o.answered for o in nothing), len(nothing)),
    }  # fmt: skip


def timing(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Milliseconds a picture. Processor time tells a reader's cost also where the machine is busy."""
    wall = sorted(outcome.wall_ms for outcome in outcomes)
    cpu = [outcome.cpu_ms for outcome in outcomes]
    decode = [outcome.decode_ms for outcome in outcomes if outcome.decode_ms is not None]
    if not wall:
        return {}
    return {
        "median_ms": statistics.median(wall),
        "quarter_ms": wall[len(wall) // 4],
        "three_quarters_ms": wall[3 * len(wall) // 4],
        "p95_ms": wall[min(len(wall) - 1, math.ceil(0.95 * len(wall)) - 1)],
        "max_ms": wall[-1],
        "cpu_median_ms": statistics.median(cpu),
        "decode_median_ms": statistics.median(decode) if decode else None,
    }


def groups(outcomes: Iterable[Outcome], by: str) -> dict[str, list[Outcome]]:
    """By `source` or `kind` of the label, the name in order; "-" where the label has none."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        found[getattr(outcome.label, by) or "-"].append(outcome)
    return dict(sorted(found.items()))


def _by_meter(shown: Sequence[Outcome]) -> dict[tuple[str, str], float]:
    """Share exact of each meter: many photographs of one meter are one piece of evidence, not many."""
    found: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for outcome in shown:
        if outcome.label.meter:
            found[outcome.label.source, outcome.label.meter].append(outcome.exact)
    return {meter: sum(parts) / len(parts) for meter, parts in found.items()}


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
