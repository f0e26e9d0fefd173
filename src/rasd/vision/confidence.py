"""From what the networks say to probabilities that mean something, and from these to a decision (G3).

The pixels' distribution: `calibrated` gives the probability that the first string is right, from a logistic model
fitted on photographs of sources that the networks never saw (the eye's `calibration.json`). The rest of the mass goes to
the other strings of the beam, to all one-digit changes, and evenly to every value the register can show, in the
shares in which errors were seen there. History then multiplies in (log space) and the whole is normalised.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

import numpy as np

from rasd.vision.prior import Prior
from rasd.vision.types import Candidate

CALIBRATION = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """The logistic model of one set of weights, and how its errors were shared out (fitted by training/calibrate.py)."""

    intercept: float
    features: dict[str, tuple[float, float, float]]  # name → weight, mean and scale in the fit
    highest: float  # what is promised at most
    errors: dict[str, float]  # "beam", "one_digit", "elsewhere" → share of the errors, summing to 1

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        held = json.loads(data)
        return cls(
            float(held["intercept"]),
            {name: (weight, mean, scale) for name, (weight, mean, scale) in held["features"].items()},
            float(held["highest"]),
            held["errors"],
        )

    def calibrated(self, features: dict[str, float]) -> float:
        """Probability (0 to 1) that a reading with these features is right, by the pixels alone.

        A feature that the model does not know is ignored; one that is missing counts as its mean in the fit.
        """
        total = self.intercept
        for name, (weight, mean, scale) in self.features.items():
            total += weight * (features.get(name, mean) - mean) / scale
        return min(1 / (1 + math.exp(-max(-40.0, min(40.0, total)))), self.highest)


NEAR_TIE = 0.1
"""Share of the first string's probability, by pixels, from which history may prefer another one. Assumed."""


@dataclass(frozen=True)
class Judged:
    """Candidates most probable first (pixels and history together) and what the pixels alone say of the first."""

    candidates: tuple[Candidate, ...]
    best: (
        Candidate | None
    )  # what is told; the pixels' own first string but for a near tie that history breaks
    by_pixels: float
    history_agrees: bool  # the most probable string is the same with and without history


def judge(
    strings: tuple[tuple[str, float], ...],
    right: float,
    decimals: int,
    prior: Prior | None,
    errors: dict[str, float],
    keep: int = 5,
) -> Judged:
    """Combine the strings of a beam (digits, probability; at least one) with the prior.

    `right` is the calibrated probability of the first string; `errors` as in `Calibration`; `decimals`: of all
    strings. A prior of another size than 10^len(digits) is used where the strings are no longer than the register.
    """
    pixels = _pixels(strings, right, errors)
    size = prior.size if prior is not None else 10 ** len(strings[0][0])
    elsewhere = (1 - right) * errors["elsewhere"]
    shift = 0 if prior is None else prior.decimals - decimals
    logs: dict[str, float] = {}
    covered = 0.0
    for digits, mass in pixels.items():
        state = int(digits) * 10 ** max(shift, 0)
        if prior is None:
            logs[digits] = math.log(mass)
            continue
        if shift < 0 or state >= size:
            continue
        likely = _log_cells(prior, state, 10**shift)
        covered += math.exp(likely)
        logs[digits] = math.log(mass) + likely
    # Any value of the register that is not in the list, as likely as history makes them all together.
    other = math.log(max(elsewhere, 1e-12) / size * 10 ** max(shift, 0))
    other += math.log(max(1 - covered, 1e-12)) if prior is not None else math.log(size)
    total = float(np.logaddexp.reduce([*logs.values(), other]))
    ranked = sorted(logs.items(), key=lambda item: -item[1])
    first = strings[0][0]
    candidates = [
        Candidate(digits, Decimal(int(digits)).scaleb(-decimals), math.exp(value - total))
        for digits, value in ranked
    ]
    agrees = bool(ranked) and ranked[0][0] == first
    # History breaks a tie between strings that the pixels both show; it never puts a string in their place.
    near = bool(ranked) and pixels[ranked[0][0]] >= NEAR_TIE * pixels[first]
    own = next((candidate for candidate in candidates if candidate.digits == first), None)
    best = candidates[0] if agrees or (near and candidates) else own
    return Judged(tuple(candidates[:keep]), best, right, agrees)


def _log_cells(prior: Prior, state: int, width: int) -> float:
    """Log of the prior's mass on `width` states from `state`: one value of a counter whose last places are hidden."""
    if width == 1:
        return prior.log_state(state)
    if prior.last is None:
        return math.log(width) - math.log(prior.size)
    step = max(1, width // 100)
    parts = [prior.log_state((state + offset) % prior.size) for offset in range(0, width, step)]
    return float(np.logaddexp.reduce(parts)) + math.log(step)


def _pixels(
    strings: tuple[tuple[str, float], ...], right: float, errors: dict[str, float]
) -> dict[str, float]:
    """String → probability by the pixels alone; what is missing to 1 lies elsewhere."""
    first = strings[0][0]
    others = [(text, p) for text, p in strings[1:] if len(text) == len(first)]
    beam = sum(p for _, p in others)
    mass = {text: (1 - right) * errors["beam"] * p / beam for text, p in others} if beam > 0 else {}
    changes = [
        first[:i] + d + first[i + 1 :] for i in range(len(first)) for d in "0123456789" if d != first[i]
    ]
    share = errors["one_digit"] + (0.0 if beam > 0 else errors["beam"])
    for text in changes:
        mass[text] = mass.get(text, 0.0) + (1 - right) * share / len(changes)
    mass[first] = right
    return {text: max(p, 1e-12) for text, p in mass.items()}
