"""A sheet of made pictures to look at: python -m world counter|scene|place [--pool unseen] [--camera 1.0] OUT.png."""

from __future__ import annotations

import argparse

import cv2
import numpy as np

from . import Counter, Scene, camera, counter, place, scene, styles

CELLS = {
    "counter": (330, 112, 5, 60),
    "scene": (320, 332, 5, 25),
    "place": (320, 332, 5, 25),
}  # width, height, columns, all


def sheet(what: str, pool: str, seed: int, strength: float | None) -> np.ndarray:
    """uint8 (h, w, 3) RGB: pictures of seeds `seed`, `seed` + 1, ...; with their labels drawn where there is no camera."""
    wide, high, columns, count = CELLS[what]
    whole = np.zeros((high * -(-count // columns), wide * columns, 3), np.uint8)
    for i in range(count):
        rng = np.random.default_rng(seed + i)
        made = counter(rng, pool) if what == "counter" else scene(rng, pool)
        if isinstance(made, Scene) and what == "place":
            made = place(rng, made, 512)
        picture = marked(made) if strength is None else camera(rng, made.picture, strength)
        scale = min((wide - 4) / picture.shape[1], (high - 12) / picture.shape[0], 1)
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        y, x = i // columns * high, i % columns * wide
        whole[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
        cv2.putText(
            whole, f"{made.kind} {made.reading}", (x, y + high - 3), 0, 0.35, (255, 255, 0), 1, cv2.LINE_AA
        )
    return whole


def marked(made: Counter | Scene) -> np.ndarray:
    """The picture with its quad green, its digits' boxes magenta, its distractors blue."""
    picture = made.picture.copy()
    drawn = [(made.boxes, (255, 0, 255))]
    if made.quad is not None:
        drawn.append((made.quad[None], (0, 255, 0)))
    if isinstance(made, Scene):
        drawn.append((made.distractors, (0, 128, 255)))
    for corners, colour in drawn:
        cv2.polylines(
            picture, list(np.round(corners * 16).astype(np.int32)), True, colour, 1, cv2.LINE_AA, shift=4
        )
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=CELLS)
    parser.add_argument("out")
    parser.add_argument("--pool", choices=styles.POOLS, default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--camera", type=float, help="strength; without it the labels are drawn")
    given = parser.parse_args()
    cv2.imwrite(
        given.out, cv2.cvtColor(sheet(given.what, given.pool, given.seed, given.camera), cv2.COLOR_RGB2BGR)
    )


if __name__ == "__main__":
    main()
