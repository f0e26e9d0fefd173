"""Photograph → reading: find the counter, read it, weigh it with history, decide (G3)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rasd.vision import confidence, ctc, finder, quality, strip
from rasd.vision.finder import Spot
from rasd.vision.photograph import LONGEST_SIDE, Picture
from rasd.vision.prior import Prior, prior_for
from rasd.vision.quad import Quad, along, sides
from rasd.vision.types import (
    DEFAULT,
    Box,
    Candidate,
    Decision,
    DigitReading,
    Finding,
    History,
    PhotoReading,
    RegisterHint,
    Severity,
    Thresholds,
)

if TYPE_CHECKING:
    from rasd.vision.eye import Eye

UNUSUAL = 0.01
"""Share of a place's usual consumptions: what is farther out is asked about, however clear the picture."""

CLEAR = 0.8
"""Probability by pixels from which a counter may be blurred and the customer is asked "is it …?" all the same."""

CUT_OFF = 0.8
"""Of the distance of two digits: where the row of digits begins or ends nearer to the picture's edge, and is not known to
be whole by its number of digits, there may be more of it beyond."""

LEAST_DIGITS = 3
"""Fewer digits in a row are no counter."""

DOUBTFUL = 0.45
"""The finder's heat below which there may be no counter."""

DOUBTFUL_READING = 0.25
"""Below this probability the picture is looked at in parts, and the other ways up."""


def read_picture(
    eye: Eye,
    picture: Picture,
    *,
    register: RegisterHint | None = None,
    history: History | None = None,
    thresholds: Thresholds = DEFAULT,
) -> PhotoReading:
    """As `Eye.read`, of an upright uint8 RGB array of shape (height, width, 3)."""
    began = time.perf_counter()
    if register is None and history is not None:
        register = RegisterHint(history.digits, history.decimals)
    picture = _reduced(picture)
    seen = _best(_looked_at(eye, picture, register))
    if seen is None:
        return _nothing(eye, picture, began)
    return _reading(eye, picture, seen, register, history, thresholds, began)


@dataclass(frozen=True)
class Seen:
    """A spot with what was read there, what the calibration looked at and the probability it gave."""

    spot: Spot
    strip: strip.Strip
    features: dict[str, float]
    right: float


def _looked_at(eye: Eye, picture: Picture, register: RegisterHint | None) -> list[Seen]:
    """Every spot that may be the counter, read: first where the finder is sure, then ever farther afield."""
    spots = finder.find(eye, picture)
    found = [_read(eye, picture, spot, register) for spot in spots]
    if max((seen.right for seen in found), default=0.0) < DOUBTFUL_READING:
        # A counter that is small in the picture escapes the coarse look; one that lies on its side may as well.
        others = finder.find_small(eye, picture) + finder.find_turned(eye, picture)
        found += [_read(eye, picture, spot, register) for spot in others]
    return [seen for seen in found if len(seen.strip.read.digits) >= LEAST_DIGITS]


def _read(eye: Eye, picture: Picture, spot: Spot, register: RegisterHint | None) -> Seen:
    read = strip.read(eye, picture, spot.quad, register)
    held = features(picture, spot, read, register)
    return Seen(spot, read, held, eye.calibration.calibrated(held))


def _best(found: list[Seen]) -> Seen | None:
    return max(found, key=lambda seen: seen.right, default=None)


def _reduced(picture: Picture) -> Picture:
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _reading(
    eye: Eye,
    picture: Picture,
    seen: Seen,
    register: RegisterHint | None,
    history: History | None,
    thresholds: Thresholds,
    began: float,
) -> PhotoReading:
    quad, read = seen.strip.quad, seen.strip.read
    findings = quality.of_counter(picture, quad)
    if seen.right < thresholds.confirm:
        known = {found.code for found in findings}
        findings += [found for found in quality.of_picture(picture) if found.code not in known]
    if seen.spot.heat < DOUBTFUL and seen.right < thresholds.confirm:
        findings.append(quality.finding("no_meter"))
    decimals, length_fits = _decimals(read, register, display=seen.strip.is_display)
    if not (register is not None and length_fits) and inside(picture, seen.strip) < CUT_OFF:
        findings = [found for found in findings if found.code != "cut_off"] + [quality.finding("cut_off")]
    prior = None
    if history is not None and history.readings and length_fits:
        prior = prior_for(history, digits=history.digits, decimals=max(history.decimals, decimals))
    judged = confidence.judge(read.strings, seen.right, decimals, prior, eye.calibration.errors)
    best = judged.best
    all_places = register is None or decimals >= register.decimals
    decision, reason = _decide(best, judged, prior, length_fits, all_places, findings, thresholds)
    places = _places(read, quad, picture, decimals)
    return PhotoReading(
        digits=best.digits if best else read.digits,
        decimals=decimals,
        value=best.value if best else None,
        confidence=best.probability if best else 0.0,
        decision=decision,
        reason=reason,
        kind="lcd" if seen.strip.is_display else "roller",
        digit_readings=places,
        candidates=judged.candidates,
        findings=tuple(findings),
        counter_box=_box(read, quad, picture),
        serials=(),
        model=eye.name,
        milliseconds=(time.perf_counter() - began) * 1000,
    )


def features(
    picture: Picture, spot: Spot, seen: strip.Strip, register: RegisterHint | None
) -> dict[str, float]:
    """What the calibration looks at (training/calibrate.py fits its weights)."""
    read = seen.read
    first = read.probability
    second = read.strings[1][1] if len(read.strings) > 1 else 0.0
    weakest = min((max(place) for place in read.places), default=0.0)
    fits = 0.0
    if register is not None:
        fits = 1.0 if strip.fits(register, len(read.digits), read.decimals or 0) else -1.0
    _, down = sides(seen.quad)
    return {
        "log_probability": math.log(max(first, 1e-4)),
        "log_margin": math.log(max(first, 1e-4) / max(second, 1e-4)),
        "weakest": math.log(max(weakest, 1e-3)),
        "agreeing": seen.agreeing,
        "heat": math.log(max(spot.heat, 1e-2)),
        "height": math.log(down),
        "sharpness": math.log(max(quality.sharpness_at(picture, seen.quad), 1e-3)),
        "length": float(abs(len(read.digits) - 6)),
        "inside": inside(picture, seen),
        "counter": math.log(max(seen.counter, 1e-3)),
        "display": seen.kinds[1],
        "fits": fits,
    }


def inside(picture: Picture, seen: strip.Strip) -> float:
    """How far within the picture the ends of the row of digits lie, in digits' distances, 0 to 1: nearer than half of one
    there may be digits beyond the edge."""
    centres = seen.read.centres
    if len(centres) < LEAST_DIGITS:
        return 0.0
    pitch = float(np.median(np.diff(centres)))
    ends = along(seen.quad, centres[0], centres[-1])
    step = float(np.linalg.norm(seen.quad[1] - seen.quad[0])) * pitch
    margins = np.minimum(ends, np.array(picture.shape[1::-1]) - ends)
    return float(np.clip(margins.min() / max(step, 1.0), 0.0, 1.0))


def _decimals(read: ctc.Read, register: RegisterHint | None, *, display: bool) -> tuple[int, bool]:
    """Digits after the point, and whether the number of digits is one that the register can show."""
    length = len(read.digits)
    if register is None:
        return (read.decimals or 0), True
    if length == register.digits + register.decimals:
        return register.decimals, True
    if read.decimals is not None:
        # More decimals than are billed; and a display may leave leading zeros out, as wheels cannot.
        whole = length - read.decimals
        return read.decimals, whole == register.digits or (display and whole < register.digits)
    # Wheels show all their places or hide the decimals behind a cover; a display may leave leading zeros out.
    if length == register.digits or (display and length < register.digits):
        return 0, True
    return read.decimals or 0, False


def _decide(
    best: Candidate | None,
    judged: confidence.Judged,
    prior: Prior | None,
    length_fits: bool,
    all_places: bool,
    findings: list[Finding],
    thresholds: Thresholds,
) -> tuple[Decision, str]:
    serious = {found.code for found in findings if found.severity is Severity.SERIOUS}
    if best is not None and length_fits and judged.by_pixels >= thresholds.confirm and prior is not None:
        # Clearly read and against history: the customer is asked, whatever history makes of it.
        if prior.is_below_last(best.value):
            return Decision.CONFIRM, "below_last"
        if prior.surprise(best.value) < UNUSUAL:
            return Decision.CONFIRM, "unlikely_for_history"
    if "cut_off" in serious or (judged.by_pixels < CLEAR and "blurred" in serious):
        # Clearly read, and not all of it; and a reader that was taught digits sees them in a blur as well.
        return Decision.RETAKE, "picture"
    if best is None or best.probability < thresholds.confirm:
        return (Decision.RETAKE, "picture") if serious else (Decision.REVIEW, "unsure")
    if not length_fits:
        return (Decision.RETAKE, "picture") if serious else (Decision.REVIEW, "wrong_length")
    if not judged.history_agrees:
        # History may doubt what the pixels say; it may not put another value in their place by itself.
        return Decision.CONFIRM, "likely"
    if not all_places:
        # The whole units alone, where the register shows more: the customer says whether something is behind the point.
        return Decision.CONFIRM, "part_unread"
    if best.probability >= thresholds.accept and prior is not None:
        # Without a history to agree with, the surest pixels are asked about.
        return Decision.ACCEPT, "sure"
    return Decision.CONFIRM, "likely"


def _places(read: ctc.Read, quad: Quad, picture: Picture, decimals: int) -> tuple[DigitReading, ...]:
    count = len(read.places)
    height, width = picture.shape[:2]
    pitch = float(np.median(np.diff(read.centres))) if count > 1 else 0.5
    places = []
    for index, (place, centre) in enumerate(zip(read.places, read.centres, strict=True)):
        corners = along(quad, max(0.0, centre - pitch / 2), min(1.0, centre + pitch / 2))
        places.append(DigitReading(place, _bounds(corners, width, height), index >= count - decimals))
    return tuple(places)


def _box(read: ctc.Read, quad: Quad, picture: Picture) -> Box:
    """Round the digits, a little more than half of one from the middle of the last: the cut they were read from is wider."""
    pitch = float(np.median(np.diff(read.centres)))
    corners = along(quad, max(0.0, read.centres[0] - 0.7 * pitch), min(1.0, read.centres[-1] + 0.7 * pitch))
    return _bounds(corners, picture.shape[1], picture.shape[0])


def _bounds(corners: np.ndarray, width: int, height: int) -> Box:
    relative = np.clip(corners / np.array([width, height]), 0, 1)
    low, high = relative.min(axis=0), relative.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _nothing(eye: Eye, picture: Picture, began: float) -> PhotoReading:
    findings = quality.of_picture(picture)
    findings.append(quality.finding("no_meter"))
    return PhotoReading(
        digits="",
        decimals=0,
        value=None,
        confidence=0.0,
        decision=Decision.RETAKE,
        reason="no_meter" if len(findings) == 1 else "picture",
        kind="none",
        digit_readings=(),
        candidates=(),
        findings=tuple(findings),
        counter_box=None,
        serials=(),
        model=eye.name,
        milliseconds=(time.perf_counter() - began) * 1000,
    )
