"""What makes a counter unreadable for anybody: something in front of a digit, far too much blur, far too few pixels.

The reader is taught that such a strip is no counter to read. Nothing here is borderline: what a patient person could still
make out would teach it to give up.
"""

from __future__ import annotations

import cv2
import numpy as np

from .paint import Rng, chance, grain, near, pick


def ruined(rng: Rng, picture: np.ndarray, quad: np.ndarray, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """`picture` (uint8 RGB) so spoilt that nobody could read the row of `digits` digits in `quad` (4 x 2, its pixels),
    and the corners that a finder would give all the same."""
    high = float(max(4.0, np.linalg.norm(quad[3] - quad[0])))
    drawn = rng.random()
    if drawn < 0.4:
        return covered(rng, picture, quad, digits), quad
    if drawn < 0.6:
        return cv2.GaussianBlur(picture, (0, 0), high * rng.uniform(0.24, 0.5)), quad
    if drawn < 0.72:
        return smeared(rng, picture, high), quad
    if drawn < 0.82:
        return few_pixels(rng, picture, high), quad
    if drawn < 0.92:
        return faint(rng, picture), quad
    return picture, half_of(rng, quad)


def covered(rng: Rng, picture: np.ndarray, quad: np.ndarray, digits: int) -> np.ndarray:
    """Glare, a finger, a leaf or a sticker over a whole digit or several. Never over an end, which would leave a shorter row."""
    first = int(rng.integers(1, max(2, digits - 1)))
    count = int(rng.choice([1, 2, 3], p=[0.6, 0.25, 0.15]))
    left, right = (first - rng.uniform(0, 0.2)) / digits, (first + count + rng.uniform(0, 0.2)) / digits
    right = min(right, 1 - 0.3 / digits)
    top, bottom = -rng.uniform(0.1, 1.0), 1 + rng.uniform(0.1, 1.0)
    local = [(left, top), ((left + right) / 2, top - 0.2), (right, top), (right, bottom),
             ((left + right) / 2, bottom + 0.2), (left, bottom)]  # fmt: skip
    lean = rng.normal(0, 0.15) / digits
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    shape = np.float32(
        [
            quad[0] + across * (u + lean * (v - 0.5) + rng.normal(0, 0.02) / digits) + down * v
            for u, v in local
        ]
    )
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(shape * 16).astype(np.int32)], 255, shift=4)
    colour = pick(
        rng, ((250, 250, 248), (250, 250, 248), (25, 22, 20), (190, 140, 115), (90, 110, 60), (150, 130, 100))
    )
    high, wide = picture.shape[:2]
    layer = np.empty_like(picture)
    layer[:] = np.clip(near(rng, colour, 18), 0, 255)
    layer = np.clip(layer * (1 + 0.1 * grain(rng, high, wide, high / 6)[..., None]), 0, 255)
    soft = max(0.6, float(np.linalg.norm(across)) / digits * rng.uniform(0.01, 0.12))
    share = (cv2.GaussianBlur(mask, (0, 0), soft).astype(np.float32) / 255)[..., None]
    return (picture * (1 - share) + layer * share).astype(np.uint8)


def smeared(rng: Rng, picture: np.ndarray, high: float) -> np.ndarray:
    """The hand moved by about a digit's height or more while the picture was taken."""
    length = int(high * rng.uniform(0.8, 1.7)) | 1
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), length // 2
    dx, dy = np.cos(angle) * middle, np.sin(angle) * middle
    cv2.line(
        kernel, (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy)), 1.0, 1
    )
    blurred = cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(blurred, (0, 0), high * 0.06)


def few_pixels(rng: Rng, picture: np.ndarray, high: float) -> np.ndarray:
    """Digits of three to five pixels."""
    share = rng.uniform(3.0, 4.6) / high
    if share >= 1:
        return cv2.GaussianBlur(picture, (0, 0), high * 0.3)
    h, w = picture.shape[:2]
    size = (max(2, round(w * share)), max(2, round(h * share)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (w, h), interpolation=int(pick(rng, (cv2.INTER_LINEAR, cv2.INTER_CUBIC))))


def faint(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Night, fog on the glass, a display without contrast: hardly anything left, under noise."""
    middle = picture.mean((0, 1)) * rng.uniform(0.1, 1.0)
    flat = (picture.astype(np.float32) - picture.mean((0, 1))) * rng.uniform(0.0, 0.02) + middle
    flat += rng.normal(0, rng.uniform(1.5, 6), picture.shape)
    if chance(rng, 0.5):
        flat = cv2.GaussianBlur(flat, (0, 0), 1.2)
    return np.clip(flat, 0, 255).astype(np.uint8)


def half_of(rng: Rng, quad: np.ndarray) -> np.ndarray:
    """Corners of which at most a third of the digits' height is inside: their upper or their lower ends."""
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    by = rng.uniform(0.95, 1.15) * (1 if chance(rng, 0.5) else -1)
    return (quad + down * by).astype(np.float32)
