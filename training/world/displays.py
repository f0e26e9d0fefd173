"""LCD and LED displays: seven segments of our own geometry or of a font, and everything else that a display shows."""

from __future__ import annotations

import cv2
import numpy as np

from . import fonts, styles
from .labels import SEGMENT, Counter, quads, rectangle
from .paint import Colour, Rng, chance, fit, grain, near, pick, rgb
from .segments import Segments, draw, glyph, polygons, segments

UNITS = ("kWh", "kWh", "kW h", "KWH", "kWH", "kW·h", "kVAh", "m³", "Wh", "kvarh", "V", "A", "kW")
CODES = ("1.8.0", "1.8.1", "1.8.2", "15.8.0", "2.8.0", "0.9.1", "01", "02", "C.1.0", "03", "180")
FLAGS = (
    *[
        "T1",
        "T2",
        "T4",
        "CUM",
        "R",
        "►",
        "◄",
        "▲",
        "BP",
        "TOT",
        "+A",
        "MD",
        "Bal",
        "EC",
        "REV",
        "Σ",
        "A+",
        "→",
    ],
    "L1 L2 L3",
    "R Y B",
)
BELOW = ("kWh  kVArh  MD  PF", "L1  L2  L3", "TOTAL  T1  T2  T3", "IMP   EXP", "→ +P", "DATE  TIME", "RLY  BAT", "ok",
         "today 5", "V A W", "R Y B", "2 tod5", "Err")  # fmt: skip


def number(rng: Rng) -> tuple[str, int]:
    """(digits without a point, decimals) as displays show them."""
    length = int(rng.choice([2, 3, 4, 5, 6, 7, 8, 9], p=[0.01, 0.05, 0.15, 0.26, 0.24, 0.13, 0.12, 0.04]))
    decimals = (
        int(rng.choice([0, 1, 2, 3], p=[0.36, 0.34, 0.2, 0.1])) if length > 3 else int(rng.choice([0, 1]))
    )
    digits = rng.integers(0, 10, length)
    whole = length - decimals
    if chance(rng, 0.45):  # leading zeros
        digits[: min(int(rng.geometric(0.4)), whole - 1)] = 0
    elif digits[0] == 0 and whole > 1:
        digits[0] = rng.integers(1, 10)
    return "".join(str(d) for d in digits), decimals


def panel(rng: Rng, pool: str, high: int) -> tuple[Counter, list[np.ndarray]]:
    """(a display with its rim, the other rows with numbers on it); main digits `high` pixels high."""
    own = segments(rng, pool)
    digits, decimals = number(rng)
    glass, ink, light = _colours(rng, pool)
    space = high * rng.uniform(0.08, 0.3) + high * own.thick * 0.4
    small = rng.uniform(0.6, 0.85) if decimals and chance(rng, 0.16) else 1.0
    blanks = int(rng.integers(0, 4)) if chance(rng, 0.35) else 0
    left, right = high * rng.uniform(0.12, 0.9), high * rng.uniform(0.12, 1.5)
    top, bottom = high * rng.uniform(0.1, 0.55), high * rng.uniform(0.1, 0.6)
    point_room = rng.uniform(0.0, 0.25) * high if decimals else 0.0
    cell = own.aspect * high
    widths = [cell] * (len(digits) - decimals) + [cell * small] * decimals
    row = sum(widths) + space * (len(widths) - 1) + point_room + blanks * (cell + space) + own.slant * high
    width, height = round(left + row + right), round(top + high + bottom)
    lit, ghost = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    shapes, smaller = polygons(own, high), polygons(own, high * small)
    x = left
    for _ in range(blanks):
        if own.font:
            glyph(ghost, own, "8", x, top, cell, high)
        else:
            draw(ghost, own, shapes, x, top, "abcdefg")
        x += cell + space
    boxes = []
    for i, letter in enumerate(digits):
        decimal = i >= len(digits) - decimals
        size = high * small if decimal else high
        if decimals and i == len(digits) - decimals:
            x += point_room
            _point(rng, lit, own, x - (space + point_room) / 2, top + high, high)
        y = top + high - size
        use = smaller if decimal else shapes
        if own.font:
            glyph(ghost, own, "8", x, y, widths[i], size)
            glyph(lit, own, letter, x, y, widths[i], size)
        else:
            draw(ghost, own, use, x, y, "abcdefg")
            draw(lit, own, use, x, y, own.lit(int(letter)))
            if chance(rng, 0.004):  # a segment that is giving up
                draw(lit, own, use, x, y, pick(rng, own.lit(int(letter))), 90)
        lean = own.slant * size
        boxes.append(
            np.float32([(x + lean, y), (x + widths[i] + lean, y), (x + widths[i], y + size), (x, y + size)])
        )
        x += widths[i] + space
    every = np.concatenate(
        boxes
    )  # upright, as people and finders mark a slanted row; smaller decimals do not bend it
    quad = rectangle(*every.min(0), *every.max(0))
    others = _others(rng, own, lit, quad, high)
    picture = _glow(rng, glass, ink, lit, ghost, light)
    picture, (dx, dy) = _rim(rng, picture, high)
    shift = np.float32((dx, dy))
    shown = digits[: len(digits) - decimals] + "." + digits[len(digits) - decimals :] if decimals else digits
    counter = Counter(
        picture, quad + shift, shown, SEGMENT, tuple(float(d) for d in digits), quads(boxes) + shift
    )
    return counter, [o + shift for o in others]


def _point(rng: Rng, lit: np.ndarray, own: Segments, x: float, base: float, high: float) -> None:
    size = high * max(0.03, own.thick * rng.uniform(0.3, 0.75))
    centre = (round(x * 16), round((base - size + high * rng.choice([0, 0, 0.06])) * 16))
    if chance(rng, 0.5):
        cv2.circle(lit, centre, round(size * 16), 255, -1, cv2.LINE_AA, shift=4)
    else:
        corners = [
            (centre[0] + round(a * size * 16), centre[1] + round(b * size * 16))
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        cv2.fillPoly(lit, [np.array(corners, np.int32)], 255, cv2.LINE_AA, shift=4)


def _colours(rng: Rng, pool: str) -> tuple[Colour, Colour, bool]:
    """(glass, ink, whether the digits shine)."""
    glass, ink = styles.drawn(rng, styles.GLASS[pool])
    glass = near(rng, glass, 16)
    drawn = near(rng, ink, 14) if ink is not None else glass * rng.uniform(0.04, 0.55)
    return glass, drawn, bool(drawn.mean() > glass.mean())


def _others(rng: Rng, own: Segments, lit: np.ndarray, quad: np.ndarray, high: float) -> list[np.ndarray]:
    """Unit, flags, codes and further rows, where there is room; returns the quads of those that hold numbers."""
    h, w = lit.shape
    left, top, right, bottom = quad[:, 0].min(), quad[:, 1].min(), quad[:, 0].max(), quad[:, 1].max()
    gap = high * 0.1
    found: list[np.ndarray] = []
    font = pick(rng, fonts.text())
    if w - right > high * 0.35 and chance(rng, 0.85):
        tall = min(high * rng.uniform(0.22, 0.6), (w - right - gap) * 0.45)
        _write(
            lit,
            font,
            pick(rng, UNITS),
            right + gap,
            rng.uniform(top, max(top + 1, bottom - tall)),
            tall,
            w - right - gap,
        )
    if left > high * 0.4 and chance(rng, 0.6):
        for i in range(int(rng.integers(1, 3))):
            _write(
                lit,
                font,
                pick(rng, FLAGS),
                gap / 2,
                top + i * high * 0.5,
                high * rng.uniform(0.18, 0.38),
                left - gap,
            )
    for y, room in ((0.0, top), (bottom, h - bottom)):
        if room < high * 0.22 or chance(rng, 0.3):
            continue
        tall = min(room * 0.75, high * 0.45)
        at = y + (room - tall) / 2
        if chance(rng, 0.5):
            start = rng.uniform(gap, max(gap + 1, w * 0.6))
            found.append(_row(rng, own, lit, start, at, tall))
        elif chance(rng, 0.35):
            _icons(rng, lit, rng.uniform(gap, w * 0.6), at, tall)
        else:
            _write(
                lit,
                fonts.text()[0],
                pick(rng, BELOW + FLAGS),
                rng.uniform(gap, w * 0.5),
                at,
                tall * 0.8,
                w * 0.45,
            )
    return found


def _row(rng: Rng, own: Segments, lit: np.ndarray, x: float, y: float, tall: float) -> np.ndarray:
    """Small digits: an OBIS code, a date, a time, a voltage."""
    line = pick(rng, (*CODES, f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.{rng.integers(10, 26)}",
                      f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}", f"{rng.integers(200, 250)}.{rng.integers(0, 10)}",
                      str(rng.integers(0, 10 ** int(rng.integers(2, 7))))))  # fmt: skip
    shapes = polygons(own, tall)
    start = x
    for letter in line:
        if letter.isdigit():
            draw(lit, own, shapes, x, y, own.lit(int(letter)))
            x += (own.aspect + 0.2) * tall
        else:
            dots = (0.3, 0.7) if letter == ":" else (0.95,)
            for share in dots if letter != "C" else ():
                cv2.circle(
                    lit, (round(x), round(y + tall * share)), max(1, round(tall * 0.07)), 255, -1, cv2.LINE_AA
                )
            x += 0.18 * tall
    return rectangle(start, y, min(x, lit.shape[1]), y + tall)


def _icons(rng: Rng, lit: np.ndarray, x: float, y: float, tall: float) -> None:
    """Small signs: a battery, bars of reception, a bell, arrows, phases in boxes."""
    for _ in range(int(rng.integers(1, 5))):
        left, top, right, bottom = round(x), round(y), round(x + tall), round(y + tall)
        kind = int(rng.integers(0, 5))
        if kind == 0:
            cv2.rectangle(
                lit, (left, top + (bottom - top) // 4), (right, bottom - (bottom - top) // 4), 255, 1
            )
            cv2.rectangle(
                lit,
                (left, top + (bottom - top) // 4),
                ((left + right) // 2, bottom - (bottom - top) // 4),
                255,
                -1,
            )
        elif kind == 1:
            for bar in range(4):
                at = round(x + bar * tall / 4)
                cv2.rectangle(
                    lit,
                    (at, round(bottom - (bar + 1) * tall / 4)),
                    (at + max(1, round(tall / 8)), bottom),
                    255,
                    -1,
                )
        elif kind == 2:
            cv2.circle(
                lit, ((left + right) // 2, (top + bottom) // 2), max(2, round(tall / 2)), 255, 1, cv2.LINE_AA
            )
        elif kind == 3:
            points = rng.permutation(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))[
                :3
            ]
            cv2.fillPoly(lit, [points.astype(np.int32)], 255, cv2.LINE_AA)
        else:
            cv2.rectangle(lit, (left, top), (right, bottom), 255, 1)
        x += tall * rng.uniform(1.2, 3)


def _write(lit: np.ndarray, font: str, line: str, x: float, y: float, tall: float, room: float) -> None:
    glyph = fonts.words(font, line)
    scale = min(tall / glyph.shape[0], room / glyph.shape[1])
    if scale * glyph.shape[0] < 5:
        return
    part = fit(glyph, glyph.shape[1] * scale, glyph.shape[0] * scale)
    at = max(0, round(x)), max(0, round(y))
    part = part[: max(0, lit.shape[0] - at[1]), : max(0, lit.shape[1] - at[0])]
    target = lit[at[1] : at[1] + part.shape[0], at[0] : at[0] + part.shape[1]]
    np.maximum(target, part, out=target)


def _glow(
    rng: Rng, glass: Colour, ink: Colour, lit: np.ndarray, ghost: np.ndarray, light: bool
) -> np.ndarray:
    """uint8 (h, w, 3): ink on glass, ghosts of what is not lit, the shadow or the bloom of what is."""
    h, w = lit.shape
    contrast = rng.uniform(0.6, 1.0) if chance(rng, 0.85) else rng.uniform(0.22, 0.6)
    alpha = lit.astype(np.float32) * (contrast / 255)
    if chance(rng, 0.55):
        alpha = np.maximum(
            alpha, ghost.astype(np.float32) * (rng.uniform(0.02, 0.22 if contrast > 0.5 else 0.08) / 255)
        )
    high = h / 2
    if light:
        blur = max(1.0, high * rng.uniform(0.03, 0.12))
        bloom = cv2.GaussianBlur(cv2.resize(alpha, (w // 2 + 1, h // 2 + 1)), (0, 0), blur / 2)
        alpha = np.minimum(1.0, alpha + cv2.resize(bloom, (w, h)) * np.float32(rng.uniform(0.2, 0.9)))
    elif chance(rng, 0.4):  # the segments float over the mirror behind them
        shift = rng.uniform(-0.06, 0.06, 2) * high
        moved = cv2.warpAffine(alpha, np.float32([[1, 0, shift[0]], [0, 1, shift[1]]]), (w, h))
        alpha = np.maximum(alpha, moved * np.float32(rng.uniform(0.12, 0.4)))
    base = np.empty((h, w, 3), np.float32)
    base[:] = glass
    lamp = 1 + grain(rng, h, w, w / 2) * rng.uniform(0.0, 0.12)
    if not light and chance(rng, 0.2):  # lit from one side
        lamp *= np.linspace(*rng.permutation([1.15, rng.uniform(0.5, 0.9)]), w, dtype=np.float32)
    base *= lamp[..., None]
    base += (ink - base) * alpha[..., None]
    if light and ink.max() > 200 and chance(rng, 0.4):  # the camera sees the core of a bright segment white
        base += (alpha**4 * rng.uniform(0, 90))[..., None]
    return np.clip(base, 0, 255).astype(np.uint8)


def _rim(rng: Rng, glass: np.ndarray, high: float) -> tuple[np.ndarray, tuple[int, int]]:
    """The window's rim in one or two steps, sometimes with a shadow thrown on the glass."""
    if chance(rng, 0.4):
        depth = max(2, round(high * rng.uniform(0.05, 0.3)))
        fall = np.linspace(rng.uniform(0.35, 0.85), 1, depth)
        glass[:depth] = (glass[:depth] * fall[:, None, None]).astype(np.uint8)
    moved = 0
    for _ in range(int(rng.integers(0, 3))):
        wide = max(1, round(high * rng.uniform(0.03, 0.22)))
        colour = rgb(
            near(
                rng,
                pick(rng, ((25, 25, 28), (60, 62, 66), (200, 200, 200), (235, 235, 232), (110, 112, 115))),
                12,
            )
        )
        glass = cv2.copyMakeBorder(glass, wide, wide, wide, wide, cv2.BORDER_CONSTANT, value=colour)
        moved += wide
    return glass, (moved, moved)
