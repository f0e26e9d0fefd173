"""Read one counter: the picture and where the counter is → what it may show.

The network (training/strips.py) was trained on counters straightened to 40 x 224 pixels, a little too tight or too
wide as a finder cuts them. It looks at four such cuts of each counter and its answers are averaged: where they
differ the reading is not sure, which one look alone would not tell.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rasd.vision import ctc
from rasd.vision.ocr import Quad, cut_out
from rasd.vision.photograph import Picture
from rasd.vision.types import RegisterHint

if TYPE_CHECKING:
    from rasd.vision.eye import Eye

NETWORK = "strip_reader.onnx"
HEIGHT, WIDTH = 40, 224  # as trained
CUTS = ((0.94, 1.0), (1.0, 1.1), (1.06, 1.2), (1.12, 1.3))  # the quad widened and heightened by these


@dataclass(frozen=True)
class Strip:
    """What a counter shows: see ctc.Read; `display` is the probability that it is one, and not wheels;
    `agreeing` is the share of the cuts whose most probable string is the one given."""

    read: ctc.Read
    display: float
    agreeing: float


MISFIT, SHORTER = 0.05, 0.4
"""Weights of a string that has not as many digits as the register: of any counter, and of a display, which may leave
leading zeros out. Assumed; a string that fits weighs 1."""


def read(eye: Eye, picture: Picture, quad: Quad, register: RegisterHint | None = None) -> Strip:
    """What the counter inside `quad` (pixels of the picture, the corner where the reading begins first) shows."""
    cuts = [cut_out(picture, _grown(quad, *grow), HEIGHT, WIDTH) for grow in CUTS]
    tensor = (np.stack(cuts).astype(np.float32) / 255).transpose(0, 3, 1, 2)
    steps, display = eye.network(NETWORK).run(None, {"strips": np.ascontiguousarray(tensor)})
    is_display = float(1 / (1 + np.exp(-display.mean())))

    def weigh(text: str) -> float:
        if register is None or len(text) in {register.digits, register.digits + register.decimals}:
            return 1.0
        return SHORTER if is_display > 0.5 and len(text) < register.digits + register.decimals else MISFIT

    reads = [ctc.read(np.exp(one), weigh) for one in steps]
    together: dict[str, float] = defaultdict(float)
    for one in reads:
        for text, probability in one.strings:
            together[text] += probability / len(reads)
    ranked = tuple(sorted(together.items(), key=lambda pair: -pair[1]))
    best = ranked[0][0]
    same = [one for one in reads if one.digits == best]
    # The best string comes from one of the cuts as a rule; else the surest cut stands for the places.
    shown = max(same or reads, key=lambda one: one.probability)
    return Strip(
        replace(shown, strings=ranked if same else shown.strings),
        is_display,
        len(same) / len(reads),
    )


def _grown(quad: Quad, across: float, down: float) -> Quad:
    along = ((quad[1] - quad[0]) + (quad[2] - quad[3])) / 4
    below = ((quad[3] - quad[0]) + (quad[2] - quad[1])) / 4
    wider = along * (across - 1)
    higher = below * (down - 1)
    moved = [-wider - higher, wider - higher, wider + higher, -wider + higher]
    return (quad + np.array(moved)).astype(np.float32)
