"""The shape of a display's digits: seven segments of any geometry, or a font's."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from . import fonts, styles
from .paint import Rng, chance, fit, pick

LIT = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


@dataclass
class Segments:
    """The shape of one digit: w of its cell over its height, and of the lines in it over the height."""

    aspect: float
    thick: float
    apart: float
    slant: float
    ends: str
    tails: tuple[bool, bool, bool]  # whether 6, 7, 9 have their extra line
    font: str | None

    def lit(self, digit: int) -> str:
        tail6, tail7, tail9 = self.tails
        if (digit == 6 and not tail6) or (digit == 9 and not tail9):
            return {6: "fgedc", 9: "abcfg"}[digit]
        return "abcf" if digit == 7 and tail7 else LIT[digit]


def segments(rng: Rng, pool: str) -> Segments:
    thick, apart, slant, ends = styles.SEGMENT_SHAPES[pool]
    found = fonts.segments(pool)
    font = pick(rng, found) if found and chance(rng, 0.3) else None
    return Segments(
        aspect=rng.uniform(0.42, 0.66), thick=rng.uniform(*thick), apart=rng.uniform(*apart),
        slant=rng.uniform(*slant) if font is None and chance(rng, 0.6) else 0.0, ends=pick(rng, ends),
        tails=(chance(rng, 0.9), chance(rng, 0.1), chance(rng, 0.92)),
        font=font,
    )  # fmt: skip


def polygons(own: Segments, high: float) -> dict[str, np.ndarray]:
    """float32 corners of the seven segments in a cell whose left middle line starts at 0; slanted."""
    line = own.thick * high
    t, w, h = line * (0.6 if own.ends == "round" else 1.0), own.aspect * high - line, high - line
    g, middle = own.apart * t / 2, h / 2
    cut = {"pointed": t / 2, "mitred": t / 2, "square": 0.0, "round": t / 2}[own.ends]

    def bar(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
        dx, dy = np.sign(x1 - x0), np.sign(y1 - y0)
        nx, ny = -dy * t / 2, dx * t / 2
        if own.ends == "square":
            g0 = g + t / 2
            a, b = (x0 + dx * g0, y0 + dy * g0), (x1 - dx * g0, y1 - dy * g0)
            corners = [
                (a[0] + nx, a[1] + ny),
                (b[0] + nx, b[1] + ny),
                (b[0] - nx, b[1] - ny),
                (a[0] - nx, a[1] - ny),
            ]
        else:
            a, b = (x0 + dx * g, y0 + dy * g), (x1 - dx * g, y1 - dy * g)
            corners = [a, (a[0] + dx * cut + nx, a[1] + dy * cut + ny), (b[0] - dx * cut + nx, b[1] - dy * cut + ny),
                       b, (b[0] - dx * cut - nx, b[1] - dy * cut - ny), (a[0] + dx * cut - nx, a[1] + dy * cut - ny)]  # fmt: skip
            if own.ends == "mitred":  # the outer corner is filled up
                corners = [_outer(c, a, b, w, h, t) for c in corners]
        points = np.array(corners, np.float32) + line / 2
        points[:, 0] += (high - points[:, 1]) * own.slant
        return points

    return {
        "a": bar(0, 0, w, 0), "b": bar(w, 0, w, middle), "c": bar(w, middle, w, h), "d": bar(0, h, w, h),
        "e": bar(0, middle, 0, h), "f": bar(0, 0, 0, middle), "g": bar(0, middle, w, middle),
    }  # fmt: skip


def _outer(
    corner: tuple[float, float], a: tuple[float, float], b: tuple[float, float], w: float, h: float, t: float
) -> tuple[float, float]:
    """Points of a segment on the digit's outline reach out to its corner, as on most glass."""
    x, y = corner
    along = 0 if abs(a[0] - b[0]) > abs(a[1] - b[1]) else 1
    outside = (y < -t / 4 or y > h + t / 4) if along == 0 else (x < -t / 4 or x > w + t / 4)
    if not outside:
        return corner
    end = min(a[along], b[along]), max(a[along], b[along])
    limit = w if along == 0 else h
    moved = [x, y]
    if moved[along] < (end[0] + end[1]) / 2 and end[0] < t:
        moved[along] -= t / 2
    elif moved[along] > (end[0] + end[1]) / 2 and end[1] > limit - t:
        moved[along] += t / 2
    return moved[0], moved[1]


def draw(
    mask: np.ndarray,
    own: Segments,
    shapes: dict[str, np.ndarray],
    x: float,
    y: float,
    lit: str,
    value: int = 255,
) -> None:
    """Fill these segments of one digit into a uint8 mask, its cell's top left at (x, y), smooth to 1/16 pixel."""
    at = np.float32((x, y))
    for name in lit:
        corners = np.round((shapes[name] + at) * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], value, cv2.LINE_AA, shift=4)
        if own.ends == "round":
            cv2.polylines(
                mask,
                [corners],
                True,
                value,
                max(1, round(0.55 * np.ptp(shapes["a"][:, 1]))),
                cv2.LINE_AA,
                shift=4,
            )


def glyph(lit: np.ndarray, own: Segments, letter: str, x: float, y: float, wide: float, high: float) -> None:
    """One digit of a font into a uint8 mask, in its cell."""
    ink = fonts.digit(str(own.font), letter)
    natural = fonts.digit(str(own.font), "8").shape[1]
    part = fit(ink, max(2.0, wide * ink.shape[1] / natural), high)
    at = round(x + wide - part.shape[1]), round(y)  # a 1 stands at the right of its cell
    h, w = lit.shape
    part = part[: max(0, h - at[1]), : max(0, w - at[0])]
    if at[0] >= 0 and at[1] >= 0 and part.size:
        target = lit[at[1] : at[1] + part.shape[0], at[0] : at[0] + part.shape[1]]
        np.maximum(target, part, out=target)
