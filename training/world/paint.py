"""Small means of drawing that all makers share: colours, blending a mask, grain. Arrays are uint8 RGB or float32."""

from __future__ import annotations

import cv2
import numpy as np

Rng = np.random.Generator
Colour = np.ndarray  # float32 (3,), 0 to 255


def near(rng: Rng, colour: tuple[float, float, float] | np.ndarray, spread: float = 14) -> Colour:
    """A colour like this one: as a whole a little lighter or darker, and each channel a little off."""
    drawn = np.asarray(colour, np.float32) + rng.normal(0, spread) + rng.normal(0, spread / 3, 3)
    return np.clip(drawn, 0, 255).astype(np.float32)


def chance(rng: Rng, probability: float) -> bool:
    return bool(rng.random() < probability)


def pick(rng: Rng, options):
    return options[int(rng.integers(len(options)))]


def rgb(colour: Colour) -> tuple[float, float, float]:
    """For OpenCV's drawing functions."""
    return tuple(float(v) for v in np.clip(colour, 0, 255))  # type: ignore[return-value]


def blend(
    picture: np.ndarray, mask: np.ndarray, x: int, y: int, colour: Colour, opacity: float = 1.0
) -> None:
    """Colour `picture` (uint8 RGB) in place where `mask` (uint8) lies with its top left at (x, y); cut at the edges."""
    h, w = picture.shape[:2]
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + mask.shape[1], w), min(y + mask.shape[0], h)
    if left >= right or top >= bottom:
        return
    part = picture[top:bottom, left:right].astype(np.float32)
    alpha = mask[top - y : bottom - y, left - x : right - x, None].astype(np.float32) * (opacity / 255)
    part += (colour - part) * alpha
    picture[top:bottom, left:right] = part.astype(np.uint8)


def grain(rng: Rng, height: int, width: int, cell: float) -> np.ndarray:
    """float32 (height, width), mean 0, spread about 1: smooth noise whose blots are `cell` pixels."""
    rows, columns = max(2, int(height / cell) + 2), max(2, int(width / cell) + 2)
    coarse = rng.standard_normal((rows, columns), np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def ramp(rng: Rng, height: int, width: int, low: float, high: float) -> np.ndarray:
    """float32 (height, width): light that falls off towards a side, factors between low and high."""
    across = np.linspace(rng.uniform(low, high), rng.uniform(low, high), width, dtype=np.float32)
    down = np.linspace(rng.uniform(low, high), rng.uniform(low, high), height, dtype=np.float32)
    return down[:, None] * across[None, :]


def shaded(picture: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """uint8 RGB times float32 (h, w), in one pass of OpenCV."""
    return cv2.multiply(picture, cv2.merge((factor, factor, factor)), dtype=cv2.CV_8U)


def fit(mask: np.ndarray, width: float, height: float) -> np.ndarray:
    """The mask at another size, at least 1 pixel."""
    size = (max(1, round(width)), max(1, round(height)))
    return cv2.resize(
        mask, size, interpolation=cv2.INTER_AREA if size[1] < mask.shape[0] else cv2.INTER_LINEAR
    )
