"""Which of the lines in a picture is the counter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rasd.vision.ocr import Line, Quad
from rasd.vision.types import RegisterHint


@dataclass(frozen=True)
class Spot:
    """A place that may be the counter, and how much speaks for it (any scale, more is better)."""

    quad: Quad
    score: float
    text: str


def spots(lines: list[Line], register: RegisterHint | None) -> list[Spot]:
    """Lines that may be the counter, best first."""
    found = [Spot(line.quad, _score(line, register), line.text) for line in lines if len(line.digits) >= 3]
    return sorted(found, key=lambda spot: -spot.score)


def _score(line: Line, register: RegisterHint | None) -> float:
    others = len(line.text) - len(line.digits)
    height = float(np.linalg.norm(line.quad[3] - line.quad[0]))
    score = np.log(height) + line.score - 0.5 * others
    length = len(line.digits)
    if register is not None:
        score += 1.5 if length in {register.digits, register.digits + register.decimals} else -0.5
    else:
        score += 0.5 if 4 <= length <= 8 else -0.5
    if len(line.text) == 4 and line.text[:2] in {"19", "20"}:
        score -= 1.0  # the year of make
    return float(score)
