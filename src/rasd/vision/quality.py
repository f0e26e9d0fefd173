"""What is wrong with a picture, in words a customer can act on. Measures, not guesses: each with its unit.

The limits were set on the labelled pictures: see "Findings" in docs/model-card.md.
"""

from __future__ import annotations

import cv2
import numpy as np

from rasd.vision.photograph import Picture
from rasd.vision.quad import Quad, cut_out
from rasd.vision.types import FINDINGS, Finding, Severity

DARK = 38.0  # mean grey, 0 to 255, of the counter or, where none was found, of the picture
BRIGHT = 235.0
CONTRAST = 14.0  # standard deviation of grey levels below which a strip holds no legible ink
BLURRED = 0.011  # share of the strip's variance that is finer than `FINE`; of 18 held-back counters below it 6 were read right
BLURRED_PICTURE = 0.004  # the same of a whole picture, which may hold little detail and be sharp
GLARE_PICTURE = 0.08  # share of a whole picture that is saturated
FINE = 1.6  # pixels at a strip height of 48
GLARE = 0.12  # share of the counter's pixels that are saturated in all three channels while the rest is not
SMALL = 11.0  # pixels of digit height
EDGE = 0.004  # of the picture's side


def finding(code: str, severity: Severity = Severity.SERIOUS) -> Finding:
    return Finding(code, severity, FINDINGS[code])


def of_picture(picture: Picture) -> list[Finding]:
    """Findings about the whole picture, used where no counter was found in it."""
    grey = cv2.cvtColor(_thumbnail(picture), cv2.COLOR_RGB2GRAY)
    found = []
    if grey.mean() < DARK:
        found.append(finding("too_dark"))
    elif grey.mean() > BRIGHT:
        found.append(finding("too_bright"))
    if _sharpness(grey) < BLURRED_PICTURE:
        found.append(finding("blurred"))
    if (grey > 250).mean() > GLARE_PICTURE and np.median(grey) < BRIGHT:
        found.append(finding("glare"))
    return found


def of_counter(picture: Picture, quad: Quad) -> list[Finding]:
    """Findings about the counter itself: `quad` in pixels of the picture."""
    height, width = picture.shape[:2]
    strip = cut_out(picture, quad, 48)
    grey = cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    found = []
    if grey.mean() < DARK and np.percentile(grey, 98) < 3 * DARK:
        found.append(finding("too_dark"))
    if _sharpness(grey) < BLURRED or grey.std() < CONTRAST:
        found.append(finding("blurred"))
    saturated = (strip.min(axis=2) > 250).mean()
    if saturated > GLARE and np.median(grey) < 200:
        found.append(finding("glare"))
    if float(np.linalg.norm(quad[3] - quad[0])) < SMALL:
        found.append(finding("too_small"))
    inside = (quad >= np.array([width, height]) * EDGE) & (quad <= np.array([width, height]) * (1 - EDGE))
    if (~inside[:, 0]).any():
        found.append(finding("cut_off", Severity.NOTE))
    return found


def sharpness_at(picture: Picture, quad: Quad) -> float:
    """Share of fine detail (0 to 1) in the counter inside `quad`."""
    return _sharpness(cv2.cvtColor(cut_out(picture, quad, 48), cv2.COLOR_RGB2GRAY))


def _thumbnail(picture: Picture) -> Picture:
    scale = 640 / max(picture.shape[:2])
    if scale >= 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def _sharpness(grey: np.ndarray) -> float:
    """Share of the variance that a Gaussian of `FINE` pixels takes away: near 0 for a blurred picture."""
    values = grey.astype(np.float32)
    total = float(values.var())
    if total < 1:
        return 0.0
    return float((values - cv2.GaussianBlur(values, (0, 0), FINE)).var() / total)
