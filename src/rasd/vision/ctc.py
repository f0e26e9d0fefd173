"""From a network's steps to strings of digits with probabilities (connectionist temporal classification).

Source: Graves et al., "Connectionist Temporal Classification", ICML 2006; the prefix beam search is the one of
Graves and Jaitly, 2014. Classes of a step: blank, the digits 0 to 9, the point.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.float32]
"""T x 12 probabilities; each row sums to 1. Columns: blank, 0 to 9, point."""

BLANK, POINT, CLASSES = 0, 11, 12
WIDTH = 12
"""Prefixes kept at each step."""

POINT_SEEN = 0.5
"""Probability of the point at a step from which it is seen."""

LEAST = 1e-3
"""Probability of a digit at a step below which no prefix grows by it."""


@dataclass(frozen=True)
class Read:
    """The strings a strip may show, most probable first, and what belongs to the first of them."""

    strings: tuple[tuple[str, float], ...]  # digits without point, probability
    places: tuple[tuple[float, ...], ...]  # per digit of the first: ten probabilities
    centres: tuple[float, ...]  # per digit of the first: where along the strip, 0 to 1
    decimals: int | None  # of the first: digits after the point; None where no point was seen
    point: float = 0.0  # probability of the point where it is clearest

    @property
    def digits(self) -> str:
        return self.strings[0][0] if self.strings else ""

    @property
    def probability(self) -> float:
        return self.strings[0][1] if self.strings else 0.0


def read(steps: Steps, weigh: Callable[[str], float] = lambda _: 1.0) -> Read:
    """The distribution over digit strings, each probability times `weigh` of the string.

    The point is read separately: it is no part of the strings.
    """
    digits_only = steps[:, :POINT].copy()
    digits_only[:, BLANK] += steps[:, POINT]
    weighed = ((text, probability * weigh(text)) for text, probability in _beam(digits_only))
    strings = sorted(weighed, key=lambda pair: -pair[1])
    if not strings or not strings[0][0]:
        return Read(tuple(strings), (), (), None)
    runs = _align(digits_only, strings[0][0])
    places = []
    for (first, last), letter in zip(runs, strings[0][0], strict=True):
        # The step where this digit is clearest speaks for it; the blank's share goes to nobody.
        at = first + int(digits_only[first : last + 1, 1 + int(letter)].argmax())
        row = digits_only[at, 1:].astype(np.float64) + 1e-6
        places.append(tuple(float(p) for p in row / row.sum()))
    middles = [(first + last + 1) / 2 for first, last in runs]
    along = tuple(float(m / len(steps)) for m in middles)
    after, point = _after_point(steps, middles), float(steps[:, POINT].max())
    return Read(tuple(strings), tuple(places), along, after, point)


def centres(steps: Steps) -> list[float]:
    """Where along the strip (0 to 1) the digits of the most probable path stand."""
    return [middle / len(steps) for middle in _middles(steps)]


def decimals(steps: Steps) -> int | None:
    """Digits after the point on the most probable path; None where no point stands on it."""
    return _after_point(steps, _middles(steps))


def _middles(steps: Steps) -> list[float]:
    """The middle step of each digit of the most probable path."""
    best = steps.argmax(axis=1)
    changes = np.flatnonzero(np.r_[True, best[1:] != best[:-1]])
    ends = np.r_[changes[1:], len(best)]
    return [float((a + b) / 2) for a, b in zip(changes, ends, strict=True) if BLANK < best[a] < POINT]


def _after_point(steps: Steps, middles: list[float]) -> int | None:
    """How many of the digits at `middles` stand behind the point; None where none is seen."""
    point = int(steps[:, POINT].argmax())
    if steps[point, POINT] <= POINT_SEEN:
        return None
    return sum(middle > point + 0.5 for middle in middles)


def _beam(steps: npt.NDArray[np.float32]) -> list[tuple[str, float]]:
    """Prefix beam search over blank and ten digits: (string, probability), most probable first."""
    beams: dict[str, tuple[float, float]] = {"": (1.0, 0.0)}  # prefix: ending in blank, ending in its digit
    for row in steps:
        stay = float(row[BLANK])
        likely = [(str(c), float(row[1 + c])) for c in np.flatnonzero(row[1:] > LEAST).tolist()]
        grown: dict[str, tuple[float, float]] = {}
        for prefix, (blank, own) in beams.items():
            both = blank + own
            last = prefix[-1:]
            old = grown.get(prefix, (0.0, 0.0))
            again = own * float(row[1 + int(last)]) if last else 0.0
            grown[prefix] = (old[0] + both * stay, old[1] + again)
            for letter, probability in likely:
                longer = prefix + letter
                old = grown.get(longer, (0.0, 0.0))
                grown[longer] = (old[0], old[1] + (blank if letter == last else both) * probability)
        if len(grown) > WIDTH:
            kept = heapq.nlargest(WIDTH, grown.items(), key=lambda item: item[1][0] + item[1][1])
            beams = dict(kept)
        else:
            beams = grown
    return sorted(((prefix, sum(pair)) for prefix, pair in beams.items()), key=lambda item: -item[1])


def _align(steps: npt.NDArray[np.float32], text: str) -> list[tuple[int, int]]:
    """First and last step of each digit of `text` on the most probable path (Viterbi)."""
    states = [BLANK]
    for letter in text:
        states += [1 + int(letter), BLANK]
    logs = np.log(np.maximum(steps[:, states], 1e-12))
    length, count = logs.shape
    score = np.full((length, count), -np.inf)
    came = np.zeros((length, count), np.int64)
    score[0, :2] = logs[0, :2]
    for t in range(1, length):
        for s in range(count):
            options = [(score[t - 1, s], s)]
            if s >= 1:
                options.append((score[t - 1, s - 1], s - 1))
            if s >= 2 and states[s] != BLANK and states[s] != states[s - 2]:
                options.append((score[t - 1, s - 2], s - 2))
            best, source = max(options)
            score[t, s], came[t, s] = best + logs[t, s], source
    s = count - 1 if score[-1, -1] >= score[-1, -2] else count - 2
    spans: dict[int, tuple[int, int]] = {}
    for t in range(length - 1, -1, -1):
        if s % 2:
            spans[s // 2] = (t, spans.get(s // 2, (t, t))[1])
        s = int(came[t, s])
    return [spans.get(index, (0, 0)) for index in range(len(text))]
