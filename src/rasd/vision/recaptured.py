"""Is it a photograph of a screen, or of a print? Looks for the regular grid of a display's pixels, or of a halftone, and for the
moiré that such a grid makes with a camera's: sharp peaks in the spectrum of most of the picture.

What it is worth is measured by `bench/recaptured.py`, and told in docs/decisions/0009-identity.md. It was never tried on real
photographs of meters on screens, as there were none: those that it was measured on are simulated. It does not see what leaves
no grid: a screen out of focus or far away, an inkjet's or a laboratory's print. It is a reason for a person to look, never
one to refuse.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from rasd.vision.photograph import LONGEST_SIDE, Picture
from rasd.vision.types import FINDINGS, Finding, Severity

TILE = 256  # pixels: a spectrum of which the peaks stay sharp although perspective stretches the grid
TILES = 4  # across and down, at most

MOST = 0.75
"""Quantile of tiles: a screen covers most of the picture, a barcode or a ventilation grille does not."""

PEAKED = 22.0
"""Times that a peak rises above its surroundings. Of 582 real photographs 1 in 100 has more than 18."""

SLOWEST = 0.06  # cycles a pixel: slower waves are things, not grids
AXIS = (
    2.5  # bins on either side of the axes: the edges of JPEG's blocks, of cut-outs and of enlarged pictures
)
BLACK = 3.0  # power of noise below which a peak is none


def recaptured(picture: Picture) -> list[Finding]:
    """One finding, `screen`, where an upright RGB picture looks like a photograph of a screen or of a print; else none."""
    if peakedness(picture) <= PEAKED:
        return []
    return [Finding("screen", Severity.NOTE, FINDINGS["screen"])]


def peakedness(picture: Picture) -> float:
    """How far the sharpest peak of the spectrum rises above its surroundings, in most of the picture. 0 where it is too small.

    About 0.05 s on one core.
    """
    scale = LONGEST_SIDE / max(picture.shape[:2])
    if scale < 1:
        reduced = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture = np.asarray(reduced, np.uint8)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    height, width = grey.shape
    if min(height, width) < TILE:
        return 0.0
    window, band = _window(), _band()
    peaks = [
        _peak(grey[top : top + TILE, left : left + TILE], window, band)
        for top in _starts(height)
        for left in _starts(width)
    ]
    return float(np.quantile(peaks, MOST))


def _starts(length: int) -> list[int]:
    count = min(TILES, max(2, round(length / TILE)))
    return [int(start) for start in np.linspace(0, length - TILE, count)]


def _peak(
    tile: npt.NDArray[np.float32], window: npt.NDArray[np.float32], band: npt.NDArray[np.bool_]
) -> float:
    tile = tile - np.asarray(cv2.GaussianBlur(tile, (0, 0), 6))
    spectrum = np.fft.fftshift(np.abs(np.fft.fft2(tile * window)) ** 2).astype(np.float32)
    power = np.asarray(cv2.GaussianBlur(spectrum, (0, 0), 0.8))
    around = np.asarray(cv2.blur(power, (25, 25))) + BLACK * float(window.sum())
    return float((power / around)[band].max())


def _window() -> npt.NDArray[np.float32]:
    return np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)


def _band() -> npt.NDArray[np.bool_]:
    down, across = np.mgrid[:TILE, :TILE] - TILE // 2
    far = np.hypot(down, across) / TILE
    return (far > SLOWEST) & (far < 0.5) & (np.abs(down) > AXIS) & (np.abs(across) > AXIS)
