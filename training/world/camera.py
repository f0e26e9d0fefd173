"""From a perfect picture to a customer's photograph: what light, lens, phone and messenger do to it. Nothing moves."""

from __future__ import annotations

import cv2
import numpy as np

from .paint import Rng, chance, grain, pick, shaded


def camera(rng: Rng, picture: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """uint8 (h, w, 3) RGB -> the same shape, photographed badly.

    strength 0 leaves all but a breath of noise and one compression, 1 is a customer's ordinary bad luck, 2 is hard to read.
    Each effect is drawn by itself, so that a picture has none, one or several of them.
    """

    def often(probability: float) -> bool:
        return chance(rng, min(0.95, probability * strength))

    h, w = picture.shape[:2]
    if often(0.3):
        picture = cast_shadow(rng, picture)
    if often(0.3):
        picture = glare(rng, picture)
    if often(0.06):
        picture = flash(rng, picture)
    if often(0.04):
        picture = drops(rng, picture)
    if often(0.45):
        picture = light(rng, picture, strength)
    if often(0.05):
        picture = screen(rng, picture)
    if often(0.3):
        picture = defocus(rng, picture, strength)
    if often(0.14):
        picture = motion(rng, picture, strength)
    if often(0.3):
        picture = coarse(rng, picture, strength)
    picture = noisy(rng, picture, strength)
    if often(0.12):
        picture = sharpened(rng, picture)
    for _ in range(2 if often(0.35) else 1):
        picture = compressed(rng, picture, strength)
    return picture if picture.shape[:2] == (h, w) else cv2.resize(picture, (w, h))


def cast_shadow(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """A hard or soft edge, darker on one side: the box's door, a hand, the phone itself."""
    h, w = picture.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    size = max(h, w)
    ys = np.arange(h, dtype=np.float32)[:, None] - h * rng.uniform(0.1, 0.9)
    xs = np.arange(w, dtype=np.float32)[None] - w * rng.uniform(0.1, 0.9)
    side = (xs * np.cos(angle) + ys * np.sin(angle)).astype(np.float32)
    if chance(rng, 0.25):  # a bar or a finger rather than half of the picture
        side = np.abs(side) - size * rng.uniform(0.03, 0.15)
    edge = max(0.7, size * pick(rng, (0.002, 0.005, 0.02, 0.08)))
    return shaded(picture, 1 - rng.uniform(0.25, 0.7) * np.clip(side / edge + 0.5, 0, 1))


def glare(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Light on the plastic cover: long soft streaks, a window's reflection, blown-out spots."""
    h, w = picture.shape[:2]
    layer = np.zeros((h // 2 + 1, w // 2 + 1), np.uint8)
    high, wide = layer.shape
    for _ in range(int(rng.integers(1, 4))):
        centre = (int(rng.uniform(0, wide)), int(rng.uniform(0, high)))
        value = int(rng.integers(60, 256))
        if chance(rng, 0.5):
            axes = (int(wide * rng.uniform(0.02, 0.3)) + 1, int(high * rng.uniform(0.02, 0.25)) + 1)
            cv2.ellipse(layer, centre, axes, float(rng.uniform(0, 180)), 0, 360, value, -1)
        else:
            size = (wide * rng.uniform(0.03, 0.25), high * rng.uniform(0.1, 0.9))
            box = cv2.boxPoints((centre, size, float(rng.normal(0, 25))))
            cv2.fillPoly(layer, [box.astype(np.int32)], value)
    soft = max(0.6, max(high, wide) * pick(rng, (0.004, 0.015, 0.04)))
    layer = cv2.resize(cv2.GaussianBlur(layer, (0, 0), soft), (w, h))
    tint = np.array([rng.uniform(0.85, 1), rng.uniform(0.92, 1), rng.uniform(0.85, 1)]) * rng.uniform(
        0.2, 0.95
    )
    return cv2.add(picture, cv2.merge([cv2.convertScaleAbs(layer, alpha=float(t)) for t in tint]))


def flash(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """The phone's own light: a bright middle that falls off, with a white spot."""
    h, w = picture.shape[:2]
    x = np.arange(w, dtype=np.float32)[None] - w * rng.uniform(0.2, 0.8)
    y = np.arange(h, dtype=np.float32)[:, None] - h * rng.uniform(0.2, 0.8)
    far = (x * x + y * y) / (max(h, w) * rng.uniform(0.25, 0.7)) ** 2
    lit = shaded(picture, (0.35 + 1.1 * np.exp(-far)).astype(np.float32))
    spot = (255 * np.exp(-far * rng.uniform(30, 200))).astype(np.uint8)
    return cv2.add(lit, cv2.merge((spot, spot, spot)))


def drops(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Rain on the cover: small lenses that blur and shift what is behind."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.uint8)
    for _ in range(int(rng.integers(5, 40))):
        radius = max(1, int(min(h, w) * rng.uniform(0.005, 0.03)))
        at = (int(rng.integers(0, w)), int(rng.integers(0, h)))
        cv2.ellipse(mask, at, (radius, int(radius * rng.uniform(1, 1.8))), 0, 0, 360, 255, -1, cv2.LINE_AA)
    behind = cv2.GaussianBlur(np.roll(picture, int(h * 0.02) + 1, axis=0), (0, 0), 1.5)
    behind = cv2.convertScaleAbs(behind, alpha=1.1, beta=8)
    return np.where(mask[..., None] > 127, behind, picture)


def light(rng: Rng, picture: np.ndarray, strength: float) -> np.ndarray:
    """Exposure, contrast, gamma and the colour of the lamp, by one table a channel."""
    x = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(rng.normal(0, 0.25 * strength))
    if chance(rng, 0.25):  # a dark cupboard, or far too much sun
        gain = rng.uniform(0.15, 0.6) if chance(rng, 0.75) else rng.uniform(1.2, 1.8)
    else:
        gain = rng.uniform(0.75, 1.2)
    low = rng.uniform(0, 0.2) if chance(rng, 0.3) else 0.0  # haze
    cast = np.exp(rng.normal(0, 0.1 * strength, 3))
    curves = [np.clip((low + (1 - low) * x**gamma * gain * c) * 255, 0, 255) for c in cast]
    picture = cv2.LUT(picture, np.stack(curves, axis=-1).astype(np.uint8)[None])
    if chance(rng, 0.12):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        keep = float(rng.choice([0.0, rng.uniform(0, 0.6)]))
        picture = cv2.addWeighted(picture, keep, cv2.merge((grey, grey, grey)), 1 - keep, 0)
    return picture


def screen(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Photographed from a screen: its pixels beat with the camera's (moiré), scan lines, a bluish lamp."""
    h, w = picture.shape[:2]
    y, x = np.arange(h, dtype=np.float32)[:, None], np.arange(w, dtype=np.float32)[None]
    angle, period = rng.uniform(0, np.pi), rng.uniform(2.2, 9)
    wave = np.cos((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period + grain(rng, h, w, h / 2) * 2)
    wave = wave * np.cos(y * 2 * np.pi / rng.uniform(2, 5))
    factor = 1 + rng.uniform(0.05, 0.22) * wave.astype(np.float32)
    tinted = [rng.uniform(0.85, 1.0), rng.uniform(0.95, 1.0), rng.uniform(1.0, 1.15)]
    return cv2.multiply(picture, cv2.merge([factor * np.float32(t) for t in tinted]), dtype=cv2.CV_8U)


def defocus(rng: Rng, picture: np.ndarray, strength: float) -> np.ndarray:
    sigma = rng.uniform(0.3, 1.3) * (0.5 + 0.5 * strength) * (2 if chance(rng, 0.15 * strength) else 1)
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def motion(rng: Rng, picture: np.ndarray, strength: float) -> np.ndarray:
    length = int(np.clip(rng.gamma(2, 1.8) * strength, 2, 15)) | 1
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), length // 2
    dx, dy = np.cos(angle) * middle, np.sin(angle) * middle
    ends = (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy))
    cv2.line(kernel, *ends, 1.0, 1)
    return cv2.filter2D(picture, -1, kernel / kernel.sum())


def coarse(rng: Rng, picture: np.ndarray, strength: float) -> np.ndarray:
    """Too few pixels: far away, or a small picture enlarged."""
    h, w = picture.shape[:2]
    share = 1 / (1 + rng.uniform(0.2, 1.4) * min(strength, 1.5))
    down = int(pick(rng, (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST)))
    up = int(pick(rng, (cv2.INTER_LINEAR, cv2.INTER_CUBIC)))
    small = cv2.resize(picture, (max(8, int(w * share)), max(8, int(h * share))), interpolation=down)
    return cv2.resize(small, (w, h), interpolation=up)


def noisy(rng: Rng, picture: np.ndarray, strength: float) -> np.ndarray:
    """Sensor noise: fine, or in the blots that a phone's noise filter leaves."""
    h, w = picture.shape[:2]
    spread = float(rng.gamma(1.2, 3.0)) * min(strength, 1.5) + 0.5
    colourful = chance(rng, 0.5)
    noise = np.empty((h, w, 3 if colourful else 1), np.int16)
    cv2.setRNGSeed(int(rng.integers(1, 2**31 - 1)))
    cv2.randn(noise, 0, spread)
    if chance(rng, 0.3):
        noise = cv2.blur(noise, (2, 2)) * 2
    if not colourful:
        noise = cv2.merge([noise.reshape(h, w)] * 3)
    return cv2.add(picture, noise, dtype=cv2.CV_8U)


def sharpened(rng: Rng, picture: np.ndarray) -> np.ndarray:
    """Phones sharpen, with halos."""
    amount = float(rng.uniform(0.3, 1.5))
    return cv2.addWeighted(picture, 1 + amount, cv2.GaussianBlur(picture, (0, 0), 1.2), -amount, 0)


def compressed(rng: Rng, picture: np.ndarray, strength: float) -> np.ndarray:
    """JPEG as messengers write it, 60 to 85; sometimes a thumbnail's 30."""
    low = 30 if chance(rng, 0.1 * strength) else 60
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(low, 86))]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
