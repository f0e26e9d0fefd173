"""Roller counters: wheels that turn as gears do, drawn with the wear of years."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from . import fonts, styles
from .labels import ROLLER, Counter, rectangle
from .paint import Colour, Rng, blend, chance, fit, grain, near, pick, rgb

WEAR = 0.1  # of a digit: how far a wheel stands from where its gear should hold it
FARTHEST = 0.8  # of a turn of the last wheel: beyond, wear hides whether it has arrived
RED = (190, 35, 35)


def gears(rng: Rng, wheels: int) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """(reading, positions as seen, positions without wear) of a counter at rest or on its way.

    The last wheel turns steadily, or rests at a digit on counters that step; any other turns only while its right neighbour
    goes from 9 to 0, together with it. The reading is what the gears mean: floor of each position without wear.
    """
    digits = rng.integers(0, 10, wheels)
    digits[: min(int(rng.geometric(0.45)) - 1, wheels - 1)] = 0
    if chance(rng, 0.16):  # the rare moments that matter: one or more wheels between two digits
        digits[wheels - int(rng.integers(1, min(4, wheels))) :] = 9
    turning = float(rng.uniform(0.05, FARTHEST)) if chance(rng, 0.55) else 0.0
    starts = float(pick(rng, (0.0, 0.0, 0.1, 0.3)))  # play in the gears: the neighbour is caught late
    true = np.array(digits, float)
    true[-1] += turning
    for i in range(wheels - 2, -1, -1):
        passing = true[i + 1] - 9 if digits[i + 1] == 9 else 0.0
        true[i] += max(0.0, (passing - starts) / (1 - starts))
    worn = rng.normal(0, rng.choice([0.01, 0.03, 0.05]), wheels).clip(-WEAR, WEAR)
    seen = (true + worn) % 10
    return (
        "".join(str(d) for d in digits),
        tuple(round(float(p), 3) % 10 for p in seen),
        tuple(float(p) for p in true),
    )


@dataclass
class Look:
    """What one make of counter has in common over all its wheels; lengths in pixels."""

    font: str
    paper: Colour
    ink: Colour
    high: int
    wide: int
    gap: int
    rims: bool
    rounded: bool
    tall: float  # of a digit
    slim: float  # width of the digits over the font's own
    pitch: float  # from digit to digit on the wheel
    bend: float  # of the wheel in radians at the window's edge
    down: bool  # the next digit comes from above
    mark: str
    filler: Colour
    heavier: int


def look(rng: Rng, pool: str, high: int, face: Colour) -> Look:
    layout, low, most, rims = pick(rng, styles.LAYOUTS[pool])
    paper, ink = styles.drawn(rng, styles.WHEEL_COLOURS[pool])
    ratio, tall, pitch = styles.WHEEL_SHAPES[pool]
    font = pick(rng, fonts.wheels(pool))
    high_digit = high * rng.uniform(*tall)
    wide = high * rng.uniform(*ratio)
    slim = float(np.clip(rng.normal(1, 0.12), 0.75, 1.35))
    slim = min(slim, 0.9 * wide / (high_digit * fonts.mean_width(font)))
    paper, ink = near(rng, paper), near(rng, ink)
    between = near(rng, face, 4) if rims else near(rng, paper * rng.uniform(0.2, 1.0), 8)
    return Look(
        font=font, paper=paper, ink=ink, high=high, wide=max(6, round(wide)),
        gap=round(high * rng.uniform(low, most)), rims=rims, rounded=layout in {"rounded windows", "rounded long"},
        tall=high_digit, slim=slim, pitch=max(high_digit * rng.uniform(*pitch), high * rng.uniform(0.75, 1.25)),
        bend=float(rng.uniform(0.15, 1.15)), down=chance(rng, 0.1), mark=pick(rng, styles.DECIMAL_MARKS[pool]),
        filler=between, heavier=int(rng.choice([-1, 0, 0, 0, 1, 2])),
    )  # fmt: skip


def decimals_of(rng: Rng, wheels: int) -> int:
    if wheels <= 4:
        return int(rng.choice([0, 0, 0, 1]))
    return int(
        rng.choice([0, 1, 2, 3], p=[0.34, 0.42, 0.12, 0.12] if wheels >= 6 else [0.45, 0.5, 0.05, 0.0])
    )


def panel(rng: Rng, pool: str, high: int, face: Colour) -> Counter:
    """A counter in its frame, tightly cut; windows `high` pixels high, set in a faceplate of colour `face`."""
    wheels = int(rng.choice([4, 5, 6, 7, 8], p=[0.08, 0.3, 0.34, 0.13, 0.15]))
    reading, seen, _ = gears(rng, wheels)
    decimals = decimals_of(rng, wheels)
    own = look(rng, pool, high, face)
    width = wheels * own.wide + (wheels - 1) * own.gap
    lefts = [i * (own.wide + own.gap) for i in range(wheels)]
    first_decimal = wheels - decimals
    mask, paper, ink = _wheels(rng, own, lefts, seen, width, first_decimal)
    drum = _lit(rng, own, mask, paper, ink)
    pinions = not own.rims and own.gap > 2 and chance(rng, 0.3)
    for left in lefts[1:]:
        drum[:, left - own.gap : left] = own.filler
        if pinions:  # the small wheels that carry from one digit to the next
            step = round(high * rng.uniform(0.15, 0.25))
            for y in range(int(rng.integers(0, step)), high, step):
                drum[y : y + max(2, step // 2), left - own.gap : left - 1] = own.ink
    picture, (x, y) = _framed(rng, own, drum, lefts, face, first_decimal if decimals else None)
    boxes = np.array([rectangle(x + a, y, x + a + own.wide, y + high) for a in lefts])
    shown = reading[:first_decimal] + "." + reading[first_decimal:] if decimals else reading
    return Counter(picture, rectangle(x, y, x + width, y + high), shown, ROLLER, seen, boxes)


def _wheels(
    rng: Rng, own: Look, lefts: list[int], seen: tuple[float, ...], width: int, first_decimal: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ink mask uint8 (h, w), paper and ink float32 (1, w, 3))."""
    high = own.high
    mask = np.zeros((high, width), np.uint8)
    paper = np.repeat(own.paper[None, None], width, axis=1)
    ink = np.repeat(own.ink[None, None], width, axis=1)
    middle = high / 2 + rng.normal(0, 0.04 if chance(rng, 0.8) else 0.12) * high
    ticks, teeth = chance(rng, 0.2), chance(rng, 0.12)
    sideways = rng.normal(0, 0.03) * own.wide
    red = near(rng, RED, 22)
    for i, (left, position) in enumerate(zip(lefts, seen, strict=True)):
        part = slice(left, left + own.wide)
        paper[:, part] += float(rng.normal(0, 4))
        if i >= first_decimal:
            paper[:, part], ink[:, part] = _decimal_colours(own, paper[0, left], red)
        for digit in range(int(position) - 1, int(position) + 3):
            glyph = fonts.digit(own.font, str(digit % 10))
            y = middle + (digit - position) * own.pitch * (-1 if own.down else 1)
            size = (own.slim * own.tall * glyph.shape[1] / 80, own.tall)
            if y + size[1] < 0 or y - size[1] > high:
                continue
            ready = _weighted(glyph, size, own.heavier)
            _stamp(
                mask[:, part],
                ready,
                left_of(own.wide, ready.shape[1], sideways),
                round(y - ready.shape[0] / 2),
            )
        last = i == len(seen) - 1
        if (ticks and last) or teeth:
            _ticks(
                mask[:, part],
                middle - (position % 1) * own.pitch,
                own.pitch / (10 if last and not teeth else 2.5),
            )
    return mask, paper, ink


def left_of(wide: int, glyph: int, sideways: float) -> int:
    return round((wide - glyph) / 2 + sideways)


def _decimal_colours(own: Look, paper: Colour, red: Colour) -> tuple[Colour, Colour]:
    dark = own.paper.mean() < own.ink.mean()
    white, black = np.float32((228, 226, 220)), np.float32((30, 28, 28))
    match own.mark:
        case "red paper" | "comma and red":
            return red, white
        case "red ink":
            return (white if dark else paper), red
        case "white last":
            return (white, black) if dark else (black, white)
        case "tinted window":
            return paper * np.float32((0.75, 0.85, 1.15)), own.ink
        case _:
            return paper, own.ink


def _weighted(glyph: np.ndarray, size: tuple[float, float], heavier: int) -> np.ndarray:
    """The digit at its size, printed fatter or thinner than the font has it."""
    if heavier:
        kernel = np.ones((3, 3), np.uint8)
        glyph = cv2.dilate(glyph, kernel, iterations=heavier) if heavier > 0 else cv2.erode(glyph, kernel)
    return fit(glyph, *size)


def _stamp(target: np.ndarray, glyph: np.ndarray, x: int, y: int) -> None:
    """The larger of both, in place."""
    h, w = target.shape
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + glyph.shape[1], w), min(y + glyph.shape[0], h)
    if left < right and top < bottom:
        part = target[top:bottom, left:right]
        np.maximum(part, glyph[top - y : bottom - y, left - x : right - x], out=part)


def _ticks(target: np.ndarray, start: float, step: float) -> None:
    """Graduations along a wheel's right edge, or its teeth."""
    h, w = target.shape
    y = start % step
    while y < h:
        target[max(0, int(y) - 1) : int(y) + 1, w - max(2, w // 7) :] = 230
        y += max(step, 3)


def _lit(rng: Rng, own: Look, mask: np.ndarray, paper: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """uint8 (h, w, 3): the wheels bent round their axle, worn, and lit from above."""
    high, width = mask.shape
    rows = np.linspace(-1, 1, high, dtype=np.float32)
    flat = np.arcsin(rows * np.sin(own.bend)) / own.bend
    source = np.repeat(((flat + 1) / 2 * (high - 1)).astype(np.float32)[:, None], width, axis=1)
    columns = np.repeat(np.arange(width, dtype=np.float32)[None], high, axis=0)
    alpha = cv2.remap(mask, columns, source, cv2.INTER_LINEAR).astype(np.float32) / 255
    if chance(rng, 0.35):  # ink that has come off
        holes = grain(rng, high, width, rng.uniform(1.0, 3.5))
        alpha *= np.clip(1 - (holes - rng.uniform(0.9, 2.2)) * rng.uniform(0.3, 1.2), 0.15, 1)
    elif chance(rng, 0.3):
        alpha *= float(rng.uniform(0.45, 0.9))
    drum = paper + (ink - paper) * alpha[..., None]
    light = 1 - rng.uniform(0, 0.55) * np.abs(rows - rng.uniform(-0.5, 0.7)) ** rng.uniform(1.2, 3)
    light *= 1 + rng.uniform(-0.1, 0.3) * rows  # from above, the top lies in the window's shadow
    factor = np.repeat(light[:, None].astype(np.float32), width, axis=1)
    if chance(rng, 0.5):
        factor *= 1 + grain(rng, high, width, high / 3) * rng.uniform(0, 0.09)
    drum = np.clip(drum * factor[..., None], 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(1, 5)) if chance(rng, 0.15) else 0):
        ends = [(int(rng.integers(0, width)), int(rng.integers(0, high))) for _ in range(2)]
        cv2.line(drum, *ends, rgb(near(rng, (150, 150, 145), 50)), 1, cv2.LINE_AA)
    return drum


def _framed(
    rng: Rng, own: Look, drum: np.ndarray, lefts: list[int], face: Colour, first_decimal: int | None
) -> tuple[np.ndarray, tuple[int, int]]:
    """(picture, where the drum's top left lies in it)."""
    high, width = drum.shape[:2]
    border = round(high * rng.uniform(0.16 if "comma" in own.mark else 0.06, 0.3)) + 1
    side = border + (round(high * rng.uniform(0, 0.4)) if chance(rng, 0.25) else 0)
    header = round(high * rng.uniform(0.22, 0.36)) if chance(rng, 0.14) else 0
    frame = (
        own.filler
        if own.rims
        else near(rng, pick(rng, (face, face, (25, 25, 25), (60, 62, 65), (200, 200, 200))), 8)
    )
    picture = np.empty((high + 2 * border + header, width + 2 * side, 3), np.uint8)
    picture[:] = frame
    x, y = side, border + header
    picture[y : y + high, x : x + width] = drum
    _shadow(rng, picture[y : y + high, x : x + width])
    edge = near(rng, frame * rng.uniform(0.3, 0.75) if chance(rng, 0.6) else frame * 1.3, 8)
    line = max(1, round(high * rng.uniform(0.01, 0.05)))
    windows = [(left, left + own.wide) for left in lefts] if own.rims else [(0, width)]
    for left, right in windows:
        box = ((x + left - line, y - line), (x + right + line - 1, y + high + line - 1))
        if own.rims or chance(rng, 0.7):
            cv2.rectangle(picture, *box, rgb(edge), line)
        if own.rounded:
            _round_corners(picture, box, round(high * 0.16), frame)
    if header:
        _header(rng, picture, own, [x + left + own.wide / 2 for left in lefts], header, first_decimal)
    if first_decimal is not None:
        _mark(rng, picture, own, x, y, lefts, first_decimal, line)
    return picture, (x, y)


def _shadow(rng: Rng, drum: np.ndarray) -> None:
    """The wheels lie behind the plate: its edge throws a shadow on the first rows, often on one side too."""
    depth = round(drum.shape[0] * rng.uniform(0, 0.22))
    if depth > 1:
        fall = np.linspace(rng.uniform(0.25, 0.8), 1, depth, dtype=np.float32)
        drum[:depth] = (drum[:depth] * fall[:, None, None]).astype(np.uint8)
        if chance(rng, 0.4):
            drum[:, :depth] = (drum[:, :depth] * fall[None, :, None]).astype(np.uint8)


def _round_corners(
    picture: np.ndarray, box: tuple[tuple[int, int], tuple[int, int]], radius: int, colour: Colour
) -> None:
    (left, top), (right, bottom) = box
    for x, y, dx, dy in (
        (left, top, 1, 1),
        (right, top, -1, 1),
        (right, bottom, -1, -1),
        (left, bottom, 1, -1),
    ):
        points = [(x, y), (x + dx * radius, y)]
        points += [
            (round(x + dx * radius * (1 - np.sin(a))), round(y + dy * radius * (1 - np.cos(a))))
            for a in (0.0, 0.5, 1.0, 1.57)
        ]
        cv2.fillPoly(picture, [np.array(points, np.int32)], rgb(colour), cv2.LINE_AA)


def _header(
    rng: Rng, picture: np.ndarray, own: Look, centres: list[float], header: int, first_decimal: int | None
) -> None:
    """What each wheel is worth: 10000, 1000, ..., 1, 1/10."""
    whole = len(centres) if first_decimal is None else first_decimal
    ink = np.float32((20, 20, 20)) if picture[0, 0].mean() > 110 else np.float32((225, 225, 225))
    font = pick(rng, fonts.text())
    for i, centre in enumerate(centres):
        power = whole - 1 - i
        glyph = fonts.words(font, str(10**power) if power >= 0 else f"1/{10**-power}")
        tall = header * 0.6
        wide = min(tall * glyph.shape[1] / glyph.shape[0], own.wide + own.gap - 1)
        ready = fit(glyph, wide, tall)
        blend(picture, ready, round(centre - ready.shape[1] / 2), max(0, round(header * 0.2)), ink)


def _mark(
    rng: Rng, picture: np.ndarray, own: Look, x: int, y: int, lefts: list[int], first_decimal: int, line: int
) -> None:
    """The frame, box or comma that tells the decimals apart."""
    high, left, right = own.high, x + lefts[first_decimal], x + lefts[-1] + own.wide
    red = rgb(near(rng, RED, 25))
    thick = max(2, round(high * rng.uniform(0.05, 0.14)))
    if own.mark == "ring":
        centre, axes = ((left + right) // 2, y + high // 2), ((right - left) * 6 // 10, high * 6 // 10)
        cv2.ellipse(picture, centre, axes, 0, 0, 360, red, thick, cv2.LINE_AA)
    elif own.mark in {"frame", "red frame", "black box"} or (
        own.mark in {"red ink", "red paper"} and chance(rng, 0.25)
    ):
        colour = (20, 20, 20) if own.mark == "black box" else red
        grow = thick // 2 + line
        cv2.rectangle(picture, (left - grow, y - grow), (right + grow, y + high + grow), colour, thick)
    elif own.mark == "underline":
        cv2.rectangle(picture, (left, y + high + line), (right, y + high + line + thick), red, -1)
    if own.mark in {"comma", "comma and red"} or chance(rng, 0.1):
        spot = (left - max(1, own.gap // 2) - 1, y + high + round(line * 0.5))
        light = picture[min(spot[1], picture.shape[0] - 1), max(spot[0], 0)].mean() < 110
        colour = (235, 235, 235) if light else (15, 15, 15)
        radius = max(2, round(high * rng.uniform(0.05, 0.09)))
        cv2.circle(picture, spot, radius, colour, -1, cv2.LINE_AA)
        if chance(rng, 0.6):
            cv2.line(
                picture, spot, (spot[0] - radius, spot[1] + 2 * radius), colour, max(1, radius), cv2.LINE_AA
            )
