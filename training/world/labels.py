"""What a made picture is known to show: labels by construction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SEGMENT, ROLLER, DIAL, NONE = "lcd", "roller", "dial", "none"


@dataclass(frozen=True)
class Counter:
    """A counter seen from straight ahead, with some of what is round it.

    picture    uint8 (h, w, 3) RGB, h 64 to 96 pixels.
    quad       float32 (4, 2), pixels, top left, top right, bottom right, bottom left of the row of digits: the row of
               windows with all decimal wheels of a roller; the lit digits of the main reading of a display.
    reading    every digit shown, with a "." where a point, a comma or a change of colour shows decimals.
    kind       "roller" or "lcd" (a display of any technology).
    positions  a wheel position for each digit, in wheel digits: 4.7 is 4 on its way to 5, 9.6 is 9 on its way to 0.
               As seen, with wear: the digit read may be the one just reached (seen 4.95, read 5). 0.0 <= p < 10.0.
    boxes      float32 (digits, 4, 2), pixels, corners in the order of `quad`: a wheel's window or a digit's cell.
    """

    picture: np.ndarray
    quad: np.ndarray
    reading: str
    kind: str
    positions: tuple[float, ...]
    boxes: np.ndarray


@dataclass(frozen=True)
class Scene:
    """A photograph's content: a meter on its wall, or something that is no meter.

    picture      uint8 (h, w, 3) RGB.
    quad         as in Counter, None where there is no meter; the row of dials where kind is "dial".
    kind         "roller", "lcd", "dial" or "none".
    reading      as in Counter; "" where there is no meter.
    boxes        as in Counter; shape (0, 4, 2) where there is no meter.
    distractors  float32 (n, 4, 2): lines with numbers that are not the reading (serial, ratings, dates, rows of
                 a display); corners in the order of `quad`.
    """

    picture: np.ndarray
    quad: np.ndarray | None
    kind: str
    reading: str
    boxes: np.ndarray
    distractors: np.ndarray


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """float32 (4, 2): the corners of an upright rectangle in the order of `quad`."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def quads(list_of: list[np.ndarray]) -> np.ndarray:
    """float32 (n, 4, 2) also where the list is empty."""
    return np.array(list_of, np.float32).reshape(-1, 4, 2)
