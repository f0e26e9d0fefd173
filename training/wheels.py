"""Counters put together from photographed wheels, one crop a wheel; drawn ones are world's.

Each is (strip, reading): an uint8 RGB array of any size, tightly round the counter, and what it shows.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

Rng = np.random.Generator
Strip = tuple[np.ndarray, str]


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
                if turned < (0.8 if last else 0.25):
                    break
            wheels.append(self.crops[pool[at]])
        gap = int(rng.integers(0, 8))
        filler = np.full((32, gap, 3), rng.integers(0, 256), np.uint8)
        parts = [part for wheel in wheels for part in (wheel, filler)][:-1]
        strip = np.concatenate(parts, axis=1)
        pad = int(rng.integers(0, 5))
        return cv2.copyMakeBorder(strip, pad, pad, pad, pad, cv2.BORDER_REPLICATE), reading
