"""Train the counter finder: a picture (320 x 320 RGB, letterboxed) → where the counter is, as four corners.

    python training/finder.py --data DATA --out DIR [--steps 6000] [--everything] [--clear-licences-only] [--scratch]

A head of the EAST kind (Zhou et al., CVPR 2017) on the pyramid of PP-OCRv6's text detector, all of it trained on
(textnet.py): at each cell of a 80 x 80 grid, whether it lies on a counter and where, seen from it, the counter's four
corners are; the first corner is where the reading begins, so that a picture lying on its side is read all the same.
Held back, seeded and resumable as strips.py.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import torch
import world
from loop import arguments, drawn, evenly, start_from, to_train_on, train
from sources import CLEAR, labelled
from strips import FAVOURED
from textnet import Pyramid
from torch import nn

SIDE, STRIDE = 320, 4
GRID = SIDE // STRIDE
BATCH = 12
STORED = 640  # longest side of a real scene in the cache


class Finder(nn.Module):
    """N x 3 x 320 x 320 in 0..1 → N x 9 x 80 x 80: logit of "on a counter", then four corners' offsets in units of 32 px."""

    def __init__(self, pyramid: Pyramid) -> None:
        super().__init__()
        self.pyramid = pyramid
        self.head = nn.Sequential(
            nn.Conv2d(96, 48, 3, 1, 1),
            nn.ReLU(True),
            nn.Conv2d(48, 48, 3, 1, 1),
            nn.ReLU(True),
            nn.Conv2d(48, 9, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.pyramid(x))


class Scene:
    """A picture, the counter's corners in its pixels (None: it shows none), and where it comes from."""

    __slots__ = ("clear", "held_back", "picture", "quad", "source")

    def __init__(self, picture: np.ndarray, quad: np.ndarray | None, source: str, held_back: bool) -> None:
        self.picture, self.quad, self.source = picture, quad, source
        self.held_back, self.clear = held_back, source in CLEAR


def collect(data: Path, cache: Path) -> list[Scene]:
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    scenes: list[Scene] = []
    for item in labelled(data):
        if item.quad is None and not (item.source == "nonmeter" and item.trusted):
            continue
        if item.source == "bilal" and item.unreadable:
            continue  # marked by the display's glass, not by its digits
        picture = cv2.imread(str(item.path))[:, :, ::-1]
        height, width = picture.shape[:2]
        quad = None
        if item.quad is not None:
            quad = item.quad * np.float32([width, height])
            if np.linalg.norm(quad[1] - quad[0]) < 1.3 * np.linalg.norm(quad[3] - quad[0]):
                continue  # upright boxes do not say which end is up
        scale = min(1.0, STORED / max(height, width))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        quad = None if quad is None else quad * np.float32(scale)
        scenes.append(Scene(np.ascontiguousarray(small), quad, item.source, item.held_back))
    cache.write_bytes(pickle.dumps(scenes))
    return scenes


class Stream(torch.utils.data.IterableDataset):
    """Endless: real scenes by the square root of their source's size, drawn ones, pictures without a meter."""

    def __init__(self, scenes: list[Scene], seed: int) -> None:
        self.meters = [s for s in scenes if s.quad is not None]
        self.others = [s for s in scenes if s.quad is None]
        self.weights = evenly((s.source for s in self.meters), FAVOURED)
        self.seed = seed
        self.made: list[tuple[np.ndarray, np.ndarray | None]] = []

    def one(self) -> tuple[np.ndarray, np.ndarray | None]:
        rng = self.rng
        pick = rng.random()
        if pick < 0.1 and self.others:
            return self.place(self.others[rng.integers(len(self.others))].picture, None, 0.5)
        if pick < 0.5:
            return self.place(*self.drawn_scene(), 1.0)
        scene = self.meters[drawn(rng, self.weights)]
        return self.place(scene.picture, scene.quad, 0.5)

    def drawn_scene(self) -> tuple[np.ndarray, np.ndarray | None]:
        """A drawn meter; each is shown four times from elsewhere, as drawing costs more than turning."""
        if len(self.made) < 64 or self.rng.random() < 0.25:
            scene = world.scene(self.rng)
            # Pointers are not for the eye: there is no counter to find.
            quad = None if scene.kind == "dial" else scene.quad
            self.made = [*self.made[-255:], (scene.picture, quad)]
            return self.made[-1]
        return self.made[self.rng.integers(len(self.made))]

    def place(
        self, picture: np.ndarray, quad: np.ndarray | None, spoil: float
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Turned, zoomed (out over another picture, in on the counter), in another light."""
        rng = self.rng
        height, width = picture.shape[:2]
        fit = SIDE / max(height, width)
        if quad is not None:
            # The counter's width in the result: 30 to 300 px; half the time the photograph is seen as it is.
            wide = float(np.linalg.norm(quad[1] - quad[0]))
            scale = (
                fit * rng.uniform(0.8, 1.2)
                if rng.random() < 0.5
                else np.exp(rng.uniform(np.log(36), np.log(270))) / wide
            )
            centre = quad.mean(0) if scale > fit * 1.05 else np.array([width / 2, height / 2])
            room = SIDE * 0.5 - 0.5 * min(wide * scale, SIDE * 0.9)
            target = SIDE / 2 + rng.uniform(-1, 1, 2) * (room if scale > fit * 1.05 else SIDE * 0.15)
        else:
            scale, centre, target = (
                fit * np.exp(rng.uniform(-0.3, 0.9)),
                np.array([width / 2, height / 2]),
                np.array([SIDE / 2, SIDE / 2]),
            )
        quarter = int(
            rng.choice([0, 1, 2, 3], p=[0.8, 0.07, 0.06, 0.07])
        )  # phones mostly say which way is up
        angle = quarter * 90 + rng.normal(0, 7) + (rng.uniform(-30, 30) if rng.random() < 0.15 else 0)
        turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, float(scale))
        turn[:, 2] += target - centre
        stretch = np.eye(3)
        stretch[0, 0] = np.exp(rng.normal(0, 0.12))
        stretch[:2, :2] += rng.normal(0, 0.03, (2, 2))
        stretch[2, :2] = rng.normal(0, 0.0002, 2)
        middle = np.array([[1, 0, SIDE / 2], [0, 1, SIDE / 2], [0, 0, 1.0]])
        warp = middle @ stretch @ np.linalg.inv(middle) @ np.vstack([turn, [0, 0, 1]])
        if scale < 0.5:
            factor = scale * 2
            picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            warp = warp @ np.diag([width / picture.shape[1], height / picture.shape[0], 1.0])
        out = cv2.warpPerspective(picture, warp, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
        mask = cv2.warpPerspective(np.ones(picture.shape[:2], np.uint8), warp, (SIDE, SIDE))
        way = rng.random()
        if way < 0.5 and self.others:
            behind = cv2.resize(self.others[rng.integers(len(self.others))].picture, (SIDE, SIDE))
        elif way < 0.7:
            behind = np.full((SIDE, SIDE, 3), rng.integers(0, 256, 3), np.uint8)
        else:
            behind = np.zeros((SIDE, SIDE, 3), np.uint8)
        out = np.where(mask[:, :, None] > 0, out, behind)
        if quad is not None:
            homogeneous = (
                np.c_[quad * (np.float32([picture.shape[1] / width, picture.shape[0] / height])), np.ones(4)]
                @ warp.T
            )
            quad = homogeneous[:, :2] / homogeneous[:, 2:]
            if (quad.min(0) < -8).any() or (quad.max(0) > SIDE + 8).any():
                quad = np.full((4, 2), np.nan)  # cut off: neither a counter to find nor a place without one
        return world.camera(rng, np.ascontiguousarray(out), spoil), quad

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        self.rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        cv2.setNumThreads(1)
        while True:
            pictures, heats, corners = [], [], []
            for _ in range(BATCH):
                picture, quad = self.one()
                heat, corner = targets(quad)
                pictures.append(picture)
                heats.append(heat)
                corners.append(corner)
            yield (
                torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2).copy()),
                torch.from_numpy(np.stack(heats)),
                torch.from_numpy(np.stack(corners)),
            )


CELLS = (np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), -1) * STRIDE + STRIDE / 2).astype(np.float32)


def targets(quad: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Heat: 1 on the shrunk counter, 0 away from it, -1 (not counted) on its rim. Corners: offsets / 32 px."""
    heat = np.zeros((GRID, GRID), np.float32)
    corners = np.zeros((8, GRID, GRID), np.float32)
    if quad is None:
        return heat, corners
    if np.isnan(quad).any():
        return heat - 1, corners
    centre = quad.mean(0)
    for grow, value in ((1.15, -1.0), (0.6, 1.0)):
        shape = ((centre + (quad - centre) * grow) / STRIDE - 0.5) * 16
        cv2.fillPoly(heat, [np.round(shape).astype(np.int32)], value, shift=4)
    for index in range(4):
        corners[2 * index] = (quad[index, 0] - CELLS[:, :, 0]) / 32
        corners[2 * index + 1] = (quad[index, 1] - CELLS[:, :, 1]) / 32
    return heat, corners


def loss_of(model: nn.Module, x: torch.Tensor, heat: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    x = x.float().div(255).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x)
    out = out.float()
    counted, on = heat >= 0, (heat == 1).float()
    p = torch.sigmoid(out[:, 0])
    # Dice on the counters found plus focal loss on every cell; corners by smooth L1 relative to the counter's size.
    dice = 1 - (2 * (p * on).sum((1, 2)) + 1) / ((p * p * counted).sum((1, 2)) + on.sum((1, 2)) + 1)
    cross = nn.functional.binary_cross_entropy_with_logits(out[:, 0], on, reduction="none")
    focal = (cross * (on - p).abs().detach() ** 1.5 * counted).sum((1, 2)) / (on.sum((1, 2)) + 20)
    size = (corners[:, 2:4] - corners[:, 0:2]).norm(dim=1, keepdim=True).clamp(min=0.5)
    off = nn.functional.smooth_l1_loss(out[:, 1:] / size, corners / size, reduction="none", beta=0.05).mean(1)
    place = (off * on).sum((1, 2)) / (on.sum((1, 2)) + 1)
    return (dice + focal + 8 * place).mean()


def examiner(held: list[Scene], rng: np.random.Generator):
    """Share of held-back scenes whose most likely counter, at one coarse look, covers the labelled one by half or more
    (IoU of the polygons) and begins at the same end; at most 100 a source; and of drawn unseen styles."""
    chosen: list[Scene] = []
    for source in sorted({s.source for s in held}):
        some = [s for s in held if s.source == source and s.quad is not None]
        chosen += [some[i] for i in rng.permutation(len(some))[:100]]
    while sum(s.source == "unseen styles" for s in chosen) < 100:
        made = world.scene(rng, "unseen")
        if made.quad is not None and made.kind != "dial":
            chosen.append(Scene(world.camera(rng, made.picture, 0.7), made.quad, "unseen styles", True))

    def examine(model: nn.Module) -> dict[str, float]:
        tally: dict[str, list[float]] = {}
        for scene in chosen:
            tally.setdefault(scene.source, []).append(overlap(model, scene) > 0.5)
        return {source: float(np.mean(right)) for source, right in tally.items()}

    return examine


def overlap(model: nn.Module, scene: Scene) -> float:
    height, width = scene.picture.shape[:2]
    scale = SIDE / max(height, width)
    sheet = np.zeros((SIDE, SIDE, 3), np.uint8)
    small = cv2.resize(scene.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    sheet[: small.shape[0], : small.shape[1]] = small
    out = model(torch.from_numpy(sheet.transpose(2, 0, 1)[None].copy()).float() / 255)[0].numpy()
    cell_row, column = divmod(int(out[0].argmax()), GRID)
    found = (out[1:, cell_row, column].reshape(4, 2) * 32 + CELLS[cell_row, column]).astype(np.float32)
    goal = (scene.quad * scale).astype(np.float32)
    if np.linalg.norm(found[0] - goal[0]) > np.linalg.norm(found[2] - goal[0]):
        return 0.0  # upside down
    common, _ = cv2.intersectConvexConvex(cv2.convexHull(found), cv2.convexHull(goal))
    union = cv2.contourArea(cv2.convexHull(found)) + cv2.contourArea(goal) - common
    return common / max(union, 1e-6)


def main() -> None:
    parser = arguments(__doc__, steps=6000, rate=4e-4)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    scenes = collect(options.data, options.out / "scenes.cache")
    held = [s for s in scenes if s.held_back]
    seen = to_train_on(scenes, options)
    print(len(seen), "scenes to train on,", len(held), "held back", flush=True)
    torch.manual_seed(0)
    model = Finder(Pyramid() if options.scratch else Pyramid.pretrained())
    if options.start:
        start_from(model, options.start)
    model = train(
        model, lambda seed: Stream(seen, seed), loss_of, examiner(held, np.random.default_rng(5)), options.out,
        steps=options.steps, rate=options.rate, seed=options.seed,
    )  # fmt: skip
    torch.onnx.export(
        model, (torch.zeros(1, 3, SIDE, SIDE),), str(options.out / "counter_finder.onnx"), input_names=["picture"],
        output_names=["cells"], dynamic_axes={"picture": {0: "n"}, "cells": {0: "n"}}, dynamo=False, opset_version=17,
    )  # fmt: skip


if __name__ == "__main__":
    main()
