"""RENDERED meters: drawn pictures of meters that do not exist, for the demo and the tests.

They look enough like a photograph of a meter to send one through the whole system, and prove nothing about how
well real photographs are read: figures come from real ones only (docs/model-card.md).
"""

from __future__ import annotations

import io
import math
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Colour = tuple[int, int, int]

WIDTH, HEIGHT = 1200, 1500
"""Pixels of the rendered photograph, portrait, about what WhatsApp delivers."""

FONTS = ("DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf", "Arial Bold.ttf", "DejaVuSans.ttf")
"""Tried in this order; else Pillow's own, which holds no Arabic."""

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""The lit segments of 0 to 9 on a seven-segment display, a on top, clockwise to f, g across."""


def render_meter(
    value: int,
    digits: int = 5,
    decimals: int = 1,
    *,
    kind: str = "roller",
    serial: str = "OM 20417735",
    seed: int = 0,
    blur: float = 0,
    dark: float = 0,
    glare: float = 0,
    rotate: float = 0,
) -> bytes:
    """A RENDERED electricity meter as JPEG.

    `value` is what the register shows in steps of its last place (12345.6 of five digits and one decimal is
    123456). `blur`: radius in pixels; `dark`: 0 (daylight) to 1 (black); `glare`: 0 to 1 (the counter is white);
    `rotate`: degrees counter-clockwise. `seed` chooses the light, the wall and small tilts. Raises ValueError
    where the register cannot show the value or `kind` is neither "roller" nor "lcd".
    """
    if kind not in {"roller", "lcd"}:
        raise ValueError(f"kind is roller or lcd, not {kind}")
    shown = str(value).zfill(digits + decimals)
    if value < 0 or len(shown) != digits + decimals:
        raise ValueError(f"{value} does not fit a register of {digits} digits and {decimals} decimals")
    rng = np.random.default_rng(seed)
    scene = _wall(rng)
    _face(scene, kind, serial)
    box = (300, 470, 850, 590)
    counter = _wheels(shown, decimals, rng) if kind == "roller" else _display(shown, decimals)
    counter = counter.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.LANCZOS)
    scene.paste(counter, box[:2])
    ImageDraw.Draw(scene).rectangle(
        (box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6), outline=(40, 40, 40), width=6
    )
    photo = _light(scene, rng, box, glare)
    photo = photo.rotate(rotate + rng.uniform(-1.5, 1.5), Image.Resampling.BICUBIC, fillcolor=(96, 92, 88))
    if blur:
        photo = photo.filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(photo, np.float32) * (1 - dark) + rng.normal(0, 3, (HEIGHT, WIDTH, 1))
    out = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


def render_no_meter(*, seed: int = 0) -> bytes:
    """A RENDERED picture (JPEG) of a wall with a socket: a photograph with no meter in it."""
    rng = np.random.default_rng(seed)
    scene = _wall(rng)
    draw = ImageDraw.Draw(scene)
    draw.rounded_rectangle((420, 560, 780, 920), 30, fill=(236, 234, 228), outline=(150, 150, 150), width=4)
    for x in (520, 680):
        draw.ellipse((x - 26, 714, x + 26, 766), fill=(40, 40, 40))
    out = io.BytesIO()
    _light(scene, rng, (0, 0, 1, 1), 0).save(out, "JPEG", quality=85)
    return out.getvalue()


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A bold face at `size` pixels: the machine's where it has one, Pillow's own otherwise."""
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def _wall(rng: np.random.Generator) -> Image.Image:
    base = np.array([rng.uniform(120, 170), rng.uniform(110, 150), rng.uniform(95, 135)])
    coarse = rng.normal(0, 9, (HEIGHT // 20, WIDTH // 20, 1))
    grain = cv2.resize(coarse.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)[:, :, None]
    return Image.fromarray(
        np.clip(base + grain + rng.normal(0, 4, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8)
    )


def _face(scene: Image.Image, kind: str, serial: str) -> None:
    """Housing and faceplate, with the words a meter in the Gulf carries and no maker's name."""
    draw = ImageDraw.Draw(scene)
    draw.rounded_rectangle((180, 180, 1020, 1320), 60, fill=(58, 60, 62), outline=(30, 30, 30), width=8)
    draw.rounded_rectangle((230, 240, 970, 1180), 30, fill=(226, 226, 218), outline=(120, 120, 116), width=4)
    ink = (35, 35, 38)
    draw.text((600, 300), "عداد كهرباء", font=font(54), fill=ink, anchor="mm")
    draw.text((600, 365), "SINGLE PHASE WATT-HOUR METER", font=font(30), fill=ink, anchor="mm")
    draw.text((915, 530), "kWh", font=font(40), fill=ink, anchor="mm")
    draw.text((600, 660), "240 V   10(100) A   50 Hz   Cl. 2", font=font(32), fill=ink, anchor="mm")
    draw.text(
        (600, 715),
        "400 rev/kWh" if kind == "roller" else "1000 imp/kWh",
        font=font(30),
        fill=ink,
        anchor="mm",
    )
    if kind == "roller":
        draw.rectangle((330, 790, 870, 850), fill=(30, 30, 30))
        draw.ellipse((350, 802, 850, 838), fill=(176, 178, 182))
        draw.rectangle((585, 802, 612, 838), fill=(150, 30, 30))
    else:
        draw.ellipse((590, 795, 614, 819), fill=(190, 40, 40))
    draw.text((600, 940), f"No. {serial}", font=font(44), fill=ink, anchor="mm")
    _bars(draw, serial)
    draw.text((600, 1130), "الرقم التسلسلي", font=font(32), fill=ink, anchor="mm")
    draw.text((600, 1250), "RENDERED - NOT A REAL METER", font=font(26), fill=(150, 150, 150), anchor="mm")


def _bars(draw: ImageDraw.ImageDraw, serial: str) -> None:
    """Stripes that look like a barcode of the serial number; they encode nothing."""
    x = 400
    for letter in (serial * 4)[:40]:
        wide = 3 + ord(letter) % 6
        draw.rectangle((x, 990, x + wide, 1080), fill=(30, 30, 30))
        x += wide + 4


def _wheels(shown: str, decimals: int, rng: np.random.Generator) -> Image.Image:
    """Black wheels with white digits, red ones after the point; the last wheel stands a little off."""
    pitch, height, gap = 96, 130, 10
    strip = Image.new("RGB", (len(shown) * (pitch + gap) + gap, height), (205, 205, 198))
    face = font(96)
    for index, letter in enumerate(shown):
        red = index >= len(shown) - decimals
        wheel = Image.new("RGB", (pitch, height), (172, 24, 28) if red else (22, 22, 24))
        draw = ImageDraw.Draw(wheel)
        off = float(rng.uniform(-0.06, 0.12)) if index == len(shown) - 1 else float(rng.normal(0, 0.012))
        for step in (-1, 0, 1):
            y = height / 2 + (step - off) * height
            draw.text(
                (pitch / 2, y), str((int(letter) + step) % 10), font=face, fill=(240, 240, 236), anchor="mm"
            )
        shade = np.cos(np.linspace(-1.15, 1.15, height)).astype(np.float32)[:, None, None] ** 0.6
        shaded = np.asarray(wheel, np.float32) * shade
        strip.paste(Image.fromarray(shaded.astype(np.uint8)), (gap + index * (pitch + gap), 0))
    return strip


def _display(shown: str, decimals: int) -> Image.Image:
    """A grey-green seven-segment display with the ghosts of its unlit segments."""
    pitch, height, wide, tall, thick = 92, 150, 58, 104, 11
    back, ink, ghost = (163, 178, 146), (32, 40, 36), (152, 167, 136)
    display = Image.new("RGB", (len(shown) * pitch + 70, height), back)
    draw = ImageDraw.Draw(display)
    for index, letter in enumerate(shown):
        x, y = 40 + index * pitch, (height - tall) / 2
        if decimals and index == len(shown) - decimals:
            draw.ellipse((x - 24, y + tall - 12, x - 10, y + tall + 2), fill=ink)
        for lit, colour in (("abcdefg", ghost), (SEGMENTS[int(letter)], ink)):
            for name in lit:
                draw.line(_segment(name, x, y, wide, tall), fill=colour, width=thick)
    return display


def _segment(name: str, x: float, y: float, wide: float, tall: float) -> list[tuple[float, float]]:
    half, cut = tall / 2, 7.0
    ends = {
        "a": ((cut, 0), (wide - cut, 0)), "b": ((wide, cut), (wide, half - cut)), "c": ((wide, half + cut), (wide, tall - cut)),
        "d": ((cut, tall), (wide - cut, tall)), "e": ((0, half + cut), (0, tall - cut)), "f": ((0, cut), (0, half - cut)),
        "g": ((cut, half), (wide - cut, half)),
    }  # fmt: skip
    return [(x + px + (tall - py) * 0.08, y + py) for px, py in ends[name]]


def _light(
    scene: Image.Image, rng: np.random.Generator, box: tuple[int, int, int, int], glare: float
) -> Image.Image:
    """Light from one side, and the flash in the glass over the counter where `glare` asks for it."""
    pixels = np.asarray(scene, np.float64)
    across = np.linspace(rng.uniform(0.8, 1.0), rng.uniform(0.95, 1.1), WIDTH)[None, :, None]
    down = np.linspace(rng.uniform(0.95, 1.1), rng.uniform(0.8, 1.0), HEIGHT)[:, None, None]
    pixels = pixels * across * down
    if glare:
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        cx, cy, radius = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 60 + 320 * glare
        spot = np.exp(-((x - cx) ** 2 + 2 * (y - cy) ** 2) / (2 * radius**2))
        pixels = pixels + 700 * math.sqrt(glare) * glare * spot[:, :, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def write_samples(folder: Path) -> None:
    """A few RENDERED meters as files, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, options in {
        "roller": {},
        "lcd": {"kind": "lcd"},
        "dark": {"dark": 0.9},
        "blurred": {"blur": 14.0},
        "glare": {"glare": 0.8},
        "turned": {"rotate": 12.0},
    }.items():
        (folder / f"{name}.jpg").write_bytes(render_meter(45217, 5, 1, seed=3, **options))  # type: ignore[arg-type]


@cache
def render_example() -> bytes:
    """The RENDERED picture that goes with "please again, like this": the number from close by, straight, whole, in good light."""
    with Image.open(io.BytesIO(render_meter(45_217, seed=7))) as meter:
        left, top, right, bottom = EXAMPLE
        close = meter.crop((left, top, right, bottom)).resize((800, 800 * (bottom - top) // (right - left)))
    jpeg = io.BytesIO()
    close.save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()


EXAMPLE = (230, 380, 970, 720)
"""Left, top, right, bottom in pixels of a rendered meter: its counter with a little around it."""
