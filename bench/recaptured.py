"""How often a photograph of a meter is taken for one of a screen, and how often one of a screen is known.

    rasd bench recaptured FOLDER... [--simulate 60] [--screens FOLDER]

FOLDERs hold real photographs of meters: each one flagged is a false alarm. Some of them are "shown and photographed
again": SIMULATED, with a fixed seed, on a display (its red, green and blue stripes, black between them, sampled by a camera with
perspective, its optics' blur, noise, and a messenger's recompression) and as a halftone print. No real photographs of meters
on screens were at hand. --screens: a folder of real photographs of screens, whatever they show.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from bench.fingerprint import bound, pictures, recompressed, resized
from rasd.vision.photograph import Picture
from rasd.vision.recaptured import PEAKED, TILE, peakedness

SEED = 1
CAMERA = 3000  # pixels of the simulated camera's longest side, before the messenger reduces it
GAMMA = 2.2

DISPLAYS = {"720 px across": 720, "1080 px across": 1080, "1440 px across": 1440, "2160 px across": 2160}
PRINTS = {"print, 400 dots across": 400, "print, 700 dots across": 700, "print, 1100 dots across": 1100}


def seen_again(picture: Picture, across: int, rng: np.random.Generator, *, halftone: bool) -> Picture:
    """``picture`` shown ``across`` display pixels (or halftone dots) wide, photographed to fill 60 to 130 % of the frame."""
    height, width = picture.shape[:2]
    shown = resized(picture, round(across * max(height, width) / width)).astype(np.float32) / 255
    tall, wide = shown.shape[:2]
    scale = CAMERA / max(height, width)
    out_width, out_height = round(width * scale), round(height * scale)
    u, v, inside = _camera(out_width, out_height, wide, tall, rng)
    column, row = np.clip(u.astype(np.int32), 0, wide - 1), np.clip(v.astype(np.int32), 0, tall - 1)
    light = shown[row, column] ** GAMMA
    if halftone:
        cell = (np.cos(2 * np.pi * (u + v) / np.sqrt(2)) + np.cos(2 * np.pi * (u - v) / np.sqrt(2))) / 4 + 0.5
        light = np.where(light.mean(axis=2) > cell, 0.85, 0.05)[..., None] * np.ones(3, np.float32)
    else:
        fill = rng.uniform(0.75, 0.95)
        lit = np.abs(v - row - 0.5) < fill / 2
        stripes = [lit & (np.abs(u - column - (colour + 0.5) / 3) < fill / 6) for colour in range(3)]
        light = light * np.stack(stripes, axis=2) * (3 / fill**2)
    light = np.where(inside[..., None], light, 0.02).astype(np.float32)
    # The camera's optics, its noise, its own JPEG, then the messenger's.
    light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.5, 1.6))
    light += rng.normal(0, 0.008, light.shape).astype(np.float32)
    taken = (np.clip(light, 0, 1) ** (1 / GAMMA) * 255).astype(np.uint8)
    return recompressed(resized(recompressed(taken, 92), 1600), int(rng.integers(60, 86)))


def _camera(
    width: int, height: int, wide: int, tall: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where on the display each pixel of the camera looks, in display pixels, and whether that is on the display."""
    corners = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    angle, zoom = rng.uniform(-0.1, 0.1), rng.uniform(0.6, 1.3) * width / wide
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    there = (corners - [wide / 2, tall / 2]) @ turn.T * zoom + [width / 2, height / 2]
    there += rng.uniform(-0.04, 0.04, (4, 2)) * [width, height]
    back = cv2.getPerspectiveTransform(there.astype(np.float32), corners)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
    v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
    return u, v, (u >= 0) & (v >= 0) & (u < wide) & (v < tall)


def large_pictures(folder: Path) -> list[Picture]:
    return [picture for _, picture in pictures(folder) if min(picture.shape[:2]) >= TILE]


def row(name: str, scores: list[float]) -> None:
    if not scores:
        return
    flagged = sum(score > PEAKED for score in scores)
    print(
        f"{name:34} {len(scores):6} {flagged:8} {flagged / len(scores):7.3f} {bound(flagged, len(scores)):15.3f}"
        f" {np.median(scores):8.1f} {np.quantile(scores, 0.99):8.1f} {max(scores):8.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument(
        "--simulate", type=int, default=40, help="photographs that are shown and photographed again"
    )
    parser.add_argument("--screens", type=Path, help="real photographs of screens")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(SEED)
    print(f"{'':34}      n  flagged   share  at most (95 %)   median     99 %     most")
    everything: list[Picture] = []
    scores: list[float] = []
    began = time.perf_counter()
    for folder in options.folders:
        held = large_pictures(folder)
        of_folder = [peakedness(picture) for picture in held]
        row(f"real: {folder.parent.name if folder.name == 'images' else folder.name}", of_folder)
        everything, scores = everything + held, scores + of_folder
    row("real: all", scores)
    print(f"{1000 * (time.perf_counter() - began) / max(1, len(scores)):.0f} ms each, opening them included")
    if options.screens:
        row(
            f"real screens: {options.screens.name}",
            [peakedness(picture) for picture in large_pictures(options.screens)],
        )
    large = [picture for picture in everything if min(picture.shape[:2]) >= 400]
    chosen = [
        large[index] for index in rng.choice(len(large), min(options.simulate, len(large)), replace=False)
    ]
    for kinds, halftone in ((DISPLAYS, False), (PRINTS, True)):
        for name, across in kinds.items():
            row(
                f"simulated: {name}",
                [peakedness(seen_again(one, across, rng, halftone=halftone)) for one in chosen],
            )


if __name__ == "__main__":
    main()
