"""Counters that we make ourselves: wheels from single-digit crops or fonts, and seven-segment displays.

Each maker returns (strip, reading): an uint8 RGB array of any size, tightly round the counter, and what it shows.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rng = np.random.Generator
Strip = tuple[np.ndarray, str]

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def random_reading(rng: Rng, low: int = 4, high: int = 8) -> str:
    """Counters begin with zeros more often than chance would have it."""
    length = int(rng.integers(low, high + 1))
    zeros = min(int(rng.geometric(0.45)) - 1, length - 1)
    return "0" * zeros + "".join(str(d) for d in rng.integers(0, 10, length - zeros))


class Wheels:
    """Counters put together from crops of single wheels (haverland_digits: label = position in tenths)."""

    def __init__(self, archive: Path, labels: Path, source: str = "haverland_digits") -> None:
        self.crops: list[np.ndarray] = []
        positions = []
        with zipfile.ZipFile(archive) as packed, labels.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if not row["path"].startswith(source) or "." not in row["label"]:
                    continue
                image = Image.open(io.BytesIO(packed.read(row["path"]))).convert("RGB").resize((20, 32))
                self.crops.append(np.asarray(image))
                positions.append(float(row["label"]) % 10)
        self.positions = np.array(positions)
        # Neighbouring wheels of one counter look alike: draw them from crops of like brightness and colour.
        means = np.array([c.reshape(-1, 3).mean(0) for c in self.crops])
        self.order = np.argsort(means.mean(1) + 2 * (means[:, 0] - means[:, 2]))
        self.rank = np.empty_like(self.order)
        self.rank[self.order] = np.arange(len(self.order))
        self.by_digit = [
            self.order[(np.floor(self.positions[self.order]) == d)] for d in range(10)
        ]  # each still in order of look

    def make(self, rng: Rng) -> Strip:
        reading = random_reading(rng)
        look = rng.random()
        wheels = []
        for index, letter in enumerate(reading):
            pool = self.by_digit[int(letter)]
            last = index == len(reading) - 1
            for _ in range(30):
                at = int(np.clip(look * len(pool) + rng.normal(0, len(pool) * 0.01), 0, len(pool) - 1))
                turned = self.positions[pool[at]] % 1
                if last or turned < 0.25:
                    break
            wheels.append(self.crops[pool[at]])
        gap = int(rng.integers(0, 8))
        filler = np.full((32, gap, 3), rng.integers(0, 256), np.uint8)
        parts = [part for wheel in wheels for part in (wheel, filler)][:-1]
        strip = np.concatenate(parts, axis=1)
        pad = int(rng.integers(0, 5))
        return cv2.copyMakeBorder(strip, pad, pad, pad, pad, cv2.BORDER_REPLICATE), reading


def fonts() -> list[str]:
    """Plain and bold fonts of this machine that hold Latin digits."""
    roots = [Path("/usr/share/fonts/truetype")]
    names = ("DejaVuSans", "Liberation")
    return sorted(
        str(p)
        for root in roots
        for p in root.rglob("*.ttf")
        if p.name.startswith(names) and "Oblique" not in p.name
    )


FONTS = fonts()


def printed_wheels(rng: Rng) -> Strip:
    """A roller counter drawn with a font: dark or light wheels, red decimals, a turning last wheel."""
    digits = random_reading(rng)
    decimals = int(rng.choice([0, 0, 1, 1, 2, 3])) if len(digits) > 5 else int(rng.choice([0, 0, 1]))
    font = ImageFont.truetype(str(rng.choice(FONTS)), int(rng.integers(30, 44)))
    height, pitch = 48, int(rng.integers(28, 46))
    frame = tuple(int(v) for v in rng.integers(0, 256, 3))
    dark = rng.random() < 0.6
    paper = rng.integers(0, 60, 3) if dark else rng.integers(170, 256, 3)
    ink = rng.integers(180, 256, 3) if dark else rng.integers(0, 70, 3)
    gap = int(rng.integers(0, 10))
    strip = Image.new("RGB", (pitch * len(digits) + gap * (len(digits) + 1), height + 8), frame)
    for index, letter in enumerate(digits):
        decimal = index >= len(digits) - decimals
        own_paper, own_ink = paper, ink
        if decimal:
            red = np.array([rng.integers(130, 255), rng.integers(0, 60), rng.integers(0, 60)])
            if rng.random() < 0.5:
                own_paper, own_ink = red, rng.integers(200, 256, 3)
            else:
                own_ink = red
                own_paper = paper if not dark else rng.integers(170, 256, 3)
        wheel = Image.new("RGB", (pitch, height), tuple(int(v) for v in own_paper))
        draw = ImageDraw.Draw(wheel)
        last = index == len(digits) - 1
        turned = float(rng.uniform(0, 0.5)) if last and rng.random() < 0.6 else float(rng.normal(0, 0.04))
        for step in (-1, 0, 1):
            text = str((int(letter) + step) % 10)
            y = height / 2 + (step - turned) * height * 0.95
            draw.text((pitch / 2, y), text, font=font, fill=tuple(int(v) for v in own_ink), anchor="mm")
        strip.paste(wheel, (gap + index * (pitch + gap), 4))
    if rng.random() < 0.4 and decimals:
        x = gap + (len(digits) - decimals) * (pitch + gap) - gap // 2
        ImageDraw.Draw(strip).ellipse((x - 2, height - 4, x + 2, height), fill=(230, 230, 230))
    point = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return _shade(np.asarray(strip), rng), point


def segment_display(rng: Rng) -> Strip:
    """A seven-segment display, dark or light on any colour, with ghosts of the unlit segments."""
    digits = random_reading(rng, 3, 8)
    decimals = int(rng.choice([0, 0, 1, 1, 2, 2, 3])) if len(digits) > 4 else int(rng.choice([0, 1]))
    w, h, gap = int(rng.integers(22, 36)), int(rng.integers(48, 64)), int(rng.integers(6, 16))
    thick = int(rng.integers(4, 9))
    slant = float(rng.uniform(0, 0.18))
    small = rng.random() < 0.25  # smaller decimals
    back = rng.integers(60, 256, 3)
    ink = (back * rng.uniform(0.05, 0.6)).astype(int) if rng.random() < 0.8 else rng.integers(180, 256, 3)
    if rng.random() < 0.2:
        back = rng.integers(0, 40, 3)
        ink = np.array([rng.integers(120, 256), rng.integers(0, 256), rng.integers(0, 256)])
    ghost = back + (ink - back) * rng.uniform(0, 0.2)
    left, right = int(rng.integers(6, 60)), int(rng.integers(6, 110))
    top, bottom = int(rng.integers(4, 24)), int(rng.integers(4, 24))
    second_row = rng.random() < 0.2  # a smaller row under the reading: tariff, date, another quantity
    if second_row:
        bottom += int(h * 0.45)
    total = left + right + len(digits) * (w + gap)
    picture = Image.new("RGB", (total, h + top + bottom), tuple(int(v) for v in back))
    draw = ImageDraw.Draw(picture)
    x = float(left)
    for index, letter in enumerate(digits):
        decimal = index >= len(digits) - decimals
        scale = 0.65 if small and decimal else 1.0
        if decimals and index == len(digits) - decimals:
            draw.ellipse((x - gap * 0.7, top + h - thick, x - gap * 0.7 + thick, top + h), fill=_rgb(ink))
        _segments(
            draw, x, top + h * (1 - scale), w * scale, h * scale, thick * scale, slant, "abcdefg", ghost
        )
        _segments(
            draw,
            x,
            top + h * (1 - scale),
            w * scale,
            h * scale,
            thick * scale,
            slant,
            SEGMENTS[int(letter)],
            ink,
        )
        x += w * scale + gap
    if rng.random() < 0.75 and right > 40:
        font = ImageFont.truetype(str(rng.choice(FONTS)), int(rng.integers(10, 34)))
        unit = str(rng.choice(["kWh", "kWh", "kW h", "KWH", "m3", "kVAh", "km"]))
        draw.text((x + 2, top + int(rng.integers(0, max(1, h - 16)))), unit, font=font, fill=_rgb(ink))
    if rng.random() < 0.3 and left > 30:
        font = ImageFont.truetype(str(rng.choice(FONTS)), int(rng.integers(9, 16)))
        draw.text(
            (2, top),
            str(rng.choice(["T1", "R", "CUM", "L1", "►", "1.8.0", "T4", "18"])),
            font=font,
            fill=_rgb(ink),
        )
    if second_row:
        _small_row(draw, rng, left, top + h * 1.12, h * 0.3, ink)
    crop = _framed(picture.crop((0, 0, min(total, int(x + right)), picture.height)), rng)
    point = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return _shade(np.asarray(crop), rng), point


def _small_row(
    draw: ImageDraw.ImageDraw, rng: Rng, left: float, y: float, high: float, ink: np.ndarray
) -> None:
    x = left + float(rng.uniform(0, 80))
    for letter in rng.integers(0, 10, int(rng.integers(2, 6))):
        _segments(draw, x, y, high * 0.5, high, max(2.0, high * 0.12), 0.05, SEGMENTS[int(letter)], ink)
        x += high * 0.75


def _framed(display: Image.Image, rng: Rng) -> Image.Image:
    """Sometimes the window's rim and some of the face with its words: a finder marks the window, not the digits."""
    if rng.random() < 0.5:
        return display
    rim, plate = int(rng.integers(1, 7)), int(rng.integers(2, 16))
    colours = [tuple(int(v) for v in rng.integers(0, 256, 3)) for _ in range(2)]
    size = (display.width + 2 * (rim + plate), display.height + 2 * (rim + plate))
    framed = Image.new("RGB", size, colours[0])
    draw = ImageDraw.Draw(framed)
    draw.rectangle((plate, plate, size[0] - plate - 1, size[1] - plate - 1), fill=colours[1])
    framed.paste(display, (plate + rim, plate + rim))
    if plate > 8:
        font = ImageFont.truetype(str(rng.choice(FONTS)), plate - 1)
        words = (
            "2 Wire Watt-Hour Meter",
            "SINGLE PHASE",
            "No. 1045822",
            "IEC 62053-21",
            "PROPERTY OF",
            "kWh kVAh",
        )
        for y in (0, size[1] - plate):
            if rng.random() < 0.6:
                ink = tuple(int(v) for v in rng.integers(0, 256, 3))
                draw.text((rng.uniform(0, size[0] / 2), y), str(rng.choice(words)), font=font, fill=ink)
    return framed


def _rgb(colour: np.ndarray) -> tuple[int, int, int]:
    r, g, b = (int(np.clip(v, 0, 255)) for v in colour)
    return r, g, b


def _segments(
    draw: ImageDraw.ImageDraw,
    x: float,
    y: float,
    w: float,
    h: float,
    t: float,
    slant: float,
    lit: str,
    ink: np.ndarray,
) -> None:
    half, cut = h / 2, t * 0.55
    lines = {
        "a": (0, 0, w, 0), "b": (w, 0, w, half), "c": (w, half, w, h), "d": (0, h, w, h),
        "e": (0, half, 0, h), "f": (0, 0, 0, half), "g": (0, half, w, half),
    }  # fmt: skip
    for name in lit:
        x0, y0, x1, y1 = lines[name]
        if y0 == y1:
            x0, x1 = x0 + cut, x1 - cut
        else:
            y0, y1 = y0 + cut, y1 - cut
        points = [(x + px + (h - py) * slant, y + py) for px, py in ((x0, y0), (x1, y1))]
        draw.line(points, fill=_rgb(ink), width=max(1, round(t)))


def _shade(strip: np.ndarray, rng: Rng) -> np.ndarray:
    """A light that falls from one side, and dirt."""
    h, w = strip.shape[:2]
    ramp = np.linspace(rng.uniform(0.5, 1.1), rng.uniform(0.5, 1.1), w)[None, :, None]
    drop = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.1), h)[:, None, None]
    noise = rng.normal(0, rng.uniform(0, 8), (h, w, 1))
    return np.clip(strip * ramp * drop + noise, 0, 255).astype(np.uint8)
