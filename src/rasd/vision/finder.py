"""Where the counter is: our own finder's quadrilaterals, seen coarsely first and then close up.

The network is of the EAST kind (Zhou et al., CVPR 2017; training/finder.py): each cell of its grid says whether it
lies on a counter and where the counter's four corners are, the first being where the reading begins; so a picture
that lies on its side is read all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rasd.vision.photograph import Picture
from rasd.vision.quad import Quad, sides

if TYPE_CHECKING:
    from rasd.vision.eye import Eye

NETWORK = "counter_finder.onnx"
SIDE, STRIDE, UNIT = 320, 4, 32.0  # as trained: pixels of the input, of a cell, of a corner's offset
LIKELY = 0.3  # heat from which a cell may lie on a counter
MOST = 2  # spots that are looked at close up
CLOSE = 2.5  # times the counter's longer side: how much of the picture a close look sees
PART = 0.6  # of the picture's longer side: what a look at a part of it sees


@dataclass(frozen=True)
class Spot:
    """A place that may be a counter: corners in pixels of the picture, and the finder's certainty, 0 to 1."""

    quad: Quad
    heat: float


def find(eye: Eye, picture: Picture) -> list[Spot]:
    """Places that may be a counter, most certain first; none where the picture seems to hold no counter."""
    coarse = _look(eye, picture, np.array([0.0, 0.0]), SIDE / max(picture.shape[:2]))[:MOST]
    found = [_closer(eye, picture, spot) for spot in coarse]
    return sorted(found, key=lambda spot: -spot.heat)


def find_small(eye: Eye, picture: Picture) -> list[Spot]:
    """The same of four overlapping quarters, for a counter that is small in the picture."""
    height, width = picture.shape[:2]
    side = max(height, width) * PART
    found: list[Spot] = []
    for y in (0.0, height - side) if height > side else ((height - side) / 2,):
        for x in (0.0, width - side) if width > side else ((width - side) / 2,):
            for spot in _look(eye, picture, np.array([x, y]), SIDE / side)[:1]:
                found.append(_closer(eye, picture, spot))
    return sorted(found, key=lambda spot: -spot.heat)[:MOST]


def find_turned(eye: Eye, picture: Picture) -> list[Spot]:
    """The same in a picture that lies on its left or its right side, as phones send that did not note how they were
    held; the corners are those of the picture as it is."""
    height, width = picture.shape[:2]
    left, right = np.ascontiguousarray(np.rot90(picture)), np.ascontiguousarray(np.rot90(picture, 3))
    found = [Spot(_back(spot.quad, width - 1.0, 0.0, -1.0), spot.heat) for spot in find(eye, left)]
    found += [Spot(_back(spot.quad, 0.0, height - 1.0, 1.0), spot.heat) for spot in find(eye, right)]
    return sorted(found, key=lambda spot: -spot.heat)


def _back(quad: Quad, x0: float, y0: float, sign: float) -> Quad:
    """Corners in a picture turned by a quarter → in the picture itself; their order, and so the reading's, is kept."""
    return np.stack([x0 + sign * quad[:, 1], y0 - sign * quad[:, 0]], axis=1).astype(np.float32)


def _closer(eye: Eye, picture: Picture, spot: Spot) -> Spot:
    """The same counter seen closer; `spot` itself where a closer look does not find it."""
    close = close_up(eye, picture, spot.quad)
    # Both looks must agree that there is a counter; neither may carry the other.
    return spot if close is None else Spot(close.quad, float(np.sqrt(close.heat * spot.heat)))


def close_up(eye: Eye, picture: Picture, quad: Quad) -> Spot | None:
    """The counter at `quad` (roughly), or None where a close look finds none there."""
    across, down = sides(quad)
    region = max(across, down) * CLOSE
    centre = quad.mean(axis=0)
    again = _look(eye, picture, centre - region / 2, SIDE / region)
    for other in again:
        if np.linalg.norm(other.quad.mean(axis=0) - centre) < across * 0.35:
            return other
    return None


def _look(eye: Eye, picture: Picture, origin: np.ndarray, scale: float) -> list[Spot]:
    """Spots in the square of SIDE / scale pixels whose top left corner is `origin` (x, y)."""
    # The part of the picture that is looked at, shrunk first where it is large: warping it straight would alias.
    low = np.maximum(np.floor(origin).astype(int), 0)
    high = np.ceil(origin + SIDE / scale).astype(int)
    part = picture[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    factor = min(1.0, 2 * scale)
    if not part.size:
        return []
    if factor < 1:
        part = np.asarray(
            cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8
        )
    zoom, shift = scale / factor, (low - origin) * scale
    warp = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]], np.float32)
    sheet = cv2.warpAffine(part, warp, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    tensor = (sheet.astype(np.float32) / 255).transpose(2, 0, 1)[None]
    (cells,) = eye.network(NETWORK).run(None, {"picture": np.ascontiguousarray(tensor)})
    heat = 1 / (1 + np.exp(-cells[0, 0]))
    count, labels = cv2.connectedComponents((heat > LIKELY).astype(np.uint8))
    spots = []
    for label in range(1, count):
        rows, columns = np.nonzero(labels == label)
        weights = heat[rows, columns] ** 2
        centres = np.stack([columns, rows], axis=1) * STRIDE + STRIDE / 2
        corners = cells[0, 1:, rows, columns].reshape(-1, 4, 2) * UNIT + centres[:, None, :]
        quad = (corners * weights[:, None, None]).sum(axis=0) / weights.sum()
        spots.append(Spot((quad / scale + origin).astype(np.float32), float(heat[rows, columns].max())))
    return sorted(spots, key=lambda spot: -spot.heat)
