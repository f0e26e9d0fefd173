"""Read one counter: the picture and where the counter is → what it may show.

The networks (training/strips.py) were trained on counters straightened to 48 x 256 pixels, a little too tight or too
wide as a finder cuts them. A first cut tells which end is up and where in it the digits stand; the counter is then cut
again, round the digits, and read by a second network, which errs elsewhere; the answers are averaged. Where they differ it
is cut twice more, and the reading is not sure, which one look alone would not tell; the closer cuts decide then, as a wheel
between two digits is small in a wide one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rasd.vision import ctc
from rasd.vision.photograph import Picture
from rasd.vision.quad import Quad, along, cut_out
from rasd.vision.types import RegisterHint

if TYPE_CHECKING:
    from rasd.vision.eye import Eye

NETWORK = "strip_reader.onnx"  # reads the first cut
CLOSE = "close_reader.onnx"  # reads the next one: trained by itself, so that it errs elsewhere
HEIGHT, WIDTH = 48, 256  # as trained
FIRST = (1.3, 1.2)  # the finder's corners widened and heightened by these: what it cut off is lost for good
SECOND = (1.0, 0.9)  # the same of the digits' own corners
FURTHER = ((1.0, 0.8), (1.05, 1.1))  # where the first two differ
FIRST_COUNTS = 0.5  # of a closer cut, where they differ
ENDS, ROOM = 0.9, 1.6
"""Of the distance of two digits: how far from the middle of the last one the next cut ends, where the finder left more
than `ROOM`. Less would cost decimals, which are small and close."""
EITHER_WAY = (
    0.1  # probability of being upside down from which, and up to 1 less it, the counter is read both ways up
)
NO_COUNTER = 0.9  # probability that a cut shows no counter from which it is not looked at again
KINDS = (
    "roller",
    "lcd",
    "none",
    "turned",
)  # as trained: wheels, a display, other print or nothing, upside down


@dataclass(frozen=True)
class Strip:
    """What a counter shows: see ctc.Read. `kinds` are probabilities of `KINDS`, summing to 1; `agreeing` is the share of
    the cuts whose most probable string is the one given."""

    quad: Quad  # the cut that `read` belongs to, beginning where the reading begins; in pixels of the picture
    read: ctc.Read
    kinds: tuple[float, ...]
    agreeing: float

    @property
    def is_display(self) -> bool:
        return self.kinds[1] > self.kinds[0]

    @property
    def counter(self) -> float:
        """Probability that this is a counter, the right way up."""
        return self.kinds[0] + self.kinds[1]


MISFIT, SHORTER = 0.05, 0.4
"""Weights of a string that has not as many digits as the register: of any counter, and of a display, which may leave
leading zeros out. Assumed; a string that fits weighs 1."""


def read(eye: Eye, picture: Picture, quad: Quad, register: RegisterHint | None = None) -> Strip:
    """What the counter inside `quad` (pixels of the picture, the corner where the reading begins first) shows."""
    wide = _grown(quad, *FIRST)
    (steps,), (kind,) = _seen(eye, picture, [wide])
    turned = float(kind[KINDS.index("turned")])
    if turned > 0.5:
        wide = np.roll(wide, 2, axis=0)
        (steps,), (kind,) = _seen(eye, picture, [wide])
    upright = _read(eye, picture, wide, steps, kind, register)
    if not EITHER_WAY < turned < 1 - EITHER_WAY:
        return upright
    wide = np.roll(wide, 2, axis=0)
    (steps,), (kind,) = _seen(eye, picture, [wide])
    return _mixed(upright, _read(eye, picture, wide, steps, kind, register))


def _mixed(one: Strip, other: Strip) -> Strip:
    """The likelier of two ways up, with what the other would say: 0811 upside down is 1180, and both look right."""
    share = one.counter / max(one.counter + other.counter, 1e-6)
    if share < 0.5:
        one, other, share = other, one, 1 - share
    together = defaultdict(float, {text: p * share for text, p in one.read.strings})
    for text, probability in other.read.strings:
        together[text] += probability * (1 - share)
    ranked = tuple(sorted(together.items(), key=lambda pair: -pair[1]))
    best = one if not ranked or one.read.digits == ranked[0][0] else other
    return replace(best, read=replace(best.read, strings=ranked))


def _read(
    eye: Eye, picture: Picture, wide: Quad, steps: ctc.Steps, kind: np.ndarray, register: RegisterHint | None
) -> Strip:
    """What a counter shows whose first cut, `wide`, gave `steps` and `kind`."""
    if kind[KINDS.index("none")] > NO_COUNTER:
        return Strip(wide, ctc.read(steps), tuple(float(p) for p in kind), 0.0)
    tight = _tightened(wide, steps)
    quads = [wide, _grown(tight, *SECOND)]
    more, more_kinds = _seen(eye, picture, quads[1:], CLOSE)
    cuts, kinds = [steps, *more], [kind, *more_kinds]
    is_display = kind[1] > kind[0]
    after = ctc.decimals(steps) or 0

    def weigh(text: str) -> float:
        if register is None or fits(register, len(text), after):
            return 1.0
        return SHORTER if is_display and len(text) < register.digits + register.decimals else MISFIT

    reads = [ctc.read(one, weigh) for one in cuts]
    weights = [1.0, 1.0]
    if reads[0].digits != reads[1].digits:
        weights = [FIRST_COUNTS, 1.0, *(1.0 for _ in FURTHER)]
        further = [_grown(tight, *grow) for grow in FURTHER]
        for quad, reader in zip(further, (CLOSE, NETWORK), strict=True):
            (seen,), (look,) = _seen(eye, picture, [quad], reader)
            quads.append(quad)
            reads.append(ctc.read(seen, weigh))
            kinds.append(look)
    together: dict[str, float] = defaultdict(float)
    for one, weight in zip(reads, weights, strict=True):
        for text, probability in one.strings:
            together[text] += probability * weight / sum(weights)
    ranked = tuple(sorted(together.items(), key=lambda pair: -pair[1]))
    same = [index for index, one in enumerate(reads) if one.digits == ranked[0][0]]
    # The best string comes from one of the cuts as a rule; else the surest cut stands for the places.
    at = max(same or range(len(reads)), key=lambda index: reads[index].probability)
    shown = (
        replace(reads[at], strings=ranked, decimals=_after([reads[i] for i in same])) if same else reads[at]
    )
    kinds_seen = tuple(float(p) for p in np.mean(kinds, axis=0))
    return Strip(quads[at], shown, kinds_seen, len(same) / len(reads))


def _after(alike: list[ctc.Read]) -> int | None:
    """Digits after the point, by the cut that shows it clearest of those that show the same digits: a point is small, and
    missed sooner than it is made up."""
    return max(alike, key=lambda one: one.point).decimals


def fits(register: RegisterHint, length: int, after: int) -> bool:
    """Whether so many digits, `after` of them behind a point that was seen, are what the register shows: all its places,
    the whole ones alone, or more places after the point than the books keep."""
    return length in {register.digits, register.digits + register.decimals, register.digits + after}


def _seen(
    eye: Eye, picture: Picture, quads: list[Quad], reader: str = NETWORK
) -> tuple[np.ndarray, np.ndarray]:
    """For each quad its steps (see ctc.Steps) and the probabilities of `KINDS`."""
    cuts = [cut_out(picture, quad, HEIGHT, WIDTH) for quad in quads]
    tensor = (np.stack(cuts).astype(np.float32) / 255).transpose(0, 3, 1, 2)
    steps, kinds = eye.network(reader).run(None, {"strips": np.ascontiguousarray(tensor)})
    return steps, kinds


def _tightened(quad: Quad, steps: ctc.Steps) -> Quad:
    """The part of `quad` in which digits stand; `quad` itself where fewer than three do."""
    centres = ctc.centres(steps)
    if len(centres) < 3:
        return quad
    pitch = float(np.median(np.diff(centres)))
    left = centres[0] - ENDS * pitch if centres[0] > ROOM * pitch else 0.0
    right = centres[-1] + ENDS * pitch if 1 - centres[-1] > ROOM * pitch else 1.0
    return along(quad, left, right)


def _grown(quad: Quad, across: float, down: float) -> Quad:
    along = ((quad[1] - quad[0]) + (quad[2] - quad[3])) / 4
    below = ((quad[3] - quad[0]) + (quad[2] - quad[1])) / 4
    wider = along * (across - 1)
    higher = below * (down - 1)
    moved = [-wider - higher, wider - higher, wider + higher, -wider + higher]
    return (quad + np.array(moved)).astype(np.float32)
