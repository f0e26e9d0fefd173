"""Four corners in a picture, and what lies between them, straightened."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from rasd.vision.photograph import Picture

Quad = npt.NDArray[np.float32]
"""4 x 2: top left, top right, bottom right, bottom left as the reading runs, in pixels of the picture."""


def cut_out(picture: Picture, quad: Quad, height: int, width: int | None = None) -> Picture:
    """The quadrilateral straightened to `height` pixels; `width` follows its shape unless given."""
    across, down = sides(quad)
    if width is None:
        width = min(max(round(across / down * height), height // 2), height * 20)
    # Only what lies round the quadrilateral is touched; and warping a large strip straight to a small one would alias,
    # so that it is shrunk first.
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 4, 0)
    high = np.ceil(quad.max(axis=0)).astype(int) + 4
    part = picture[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    if not part.size:
        return np.zeros((height, width, 3), np.uint8)
    quad = quad - low.astype(np.float32)
    shrink = 2 * height / down
    if shrink < 1:
        part = np.asarray(
            cv2.resize(part, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        quad = quad * np.float32(shrink)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    warp = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    strip = cv2.warpPerspective(
        part, warp, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, np.uint8)


def sides(quad: Quad) -> tuple[float, float]:
    """Mean width and height of a quadrilateral in pixels, each at least 1."""
    across = (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2
    down = (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2
    return max(across, 1.0), max(down, 1.0)


def along(quad: Quad, left: float, right: float) -> Quad:
    """The part of a quadrilateral from `left` to `right`, each 0 to 1 of its width."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    corners = [quad[0] + top * left, quad[0] + top * right, quad[3] + bottom * right, quad[3] + bottom * left]
    return np.array(corners, np.float32)
