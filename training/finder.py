"""Train the counter finder: a picture (320 x 320 RGB, letterboxed) → where the counter is, as four corners.

    python training/finder.py --data DATA --out DIR [--minutes 18] [--held-back] [--clear-licences-only] [--from W.pt]

A fully convolutional network of the EAST kind (Zhou et al., CVPR 2017): at each cell of a 80 x 80 grid, whether it lies
on a counter and where, seen from it, the counter's four corners are; the first corner is where the reading begins, so
that a picture lying on its side is read all the same. Seeded; `--minutes` as in strips.py.
"""

from __future__ import annotations

import argparse
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from made_up import FONTS, Wheels, printed_wheels, segment_display
from PIL import Image, ImageDraw, ImageFont
from sources import CLEAR, HELD_BACK, labelled
from strips import SEED, Block
from torch import nn

SIDE, STRIDE = 320, 4
GRID = SIDE // STRIDE


class Finder(nn.Module):
    """N x 3 x 320 x 320 in 0..1 → N x 9 x 80 x 80: logit of "on a counter", then four corners' offsets in units of 32 px."""

    def __init__(self) -> None:
        super().__init__()
        self.s2 = nn.Sequential(nn.Conv2d(3, 16, 5, 2, 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(True))
        self.s4 = Block(16, 32, (2, 2))
        self.s8 = Block(32, 64, (2, 2))
        self.s16 = nn.Sequential(Block(64, 96, (2, 2)), Block(96, 96))
        self.s32 = nn.Sequential(Block(96, 128, (2, 2)), Block(128, 128))
        self.up16 = nn.Conv2d(128, 96, 1)
        self.up8 = nn.Sequential(nn.Conv2d(96, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(True))
        self.up4 = nn.Sequential(nn.Conv2d(64, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(True))
        self.head = nn.Sequential(
            nn.Conv2d(32, 48, 3, 1, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU(True), nn.Conv2d(48, 9, 1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - 0.45) / 0.25
        a = self.s4(self.s2(x))
        b = self.s8(a)
        c = self.s16(b)
        d = self.s32(c)
        up = nn.functional.interpolate
        c = torch.relu(c + up(self.up16(d), scale_factor=2.0, mode="nearest"))
        b = torch.relu(b + up(self.up8(c), scale_factor=2.0, mode="nearest"))
        a = torch.relu(a + up(self.up4(b), scale_factor=2.0, mode="nearest"))
        return self.head(a)


Scene = tuple[np.ndarray, np.ndarray | None, str]  # picture (longest side 512), quad in its pixels, source


def collect(data: Path, cache: Path, marks: Path | None = None) -> list[Scene]:
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    scenes: list[Scene] = []
    for item in labelled(data, marks):
        if item.quad is None and not (item.source == "nonmeter" and item.trusted):
            continue
        picture = cv2.imread(str(item.path))[:, :, ::-1]
        height, width = picture.shape[:2]
        quad = None
        if item.quad is not None:
            quad = item.quad * np.float32([width, height])
            if np.linalg.norm(quad[1] - quad[0]) < 1.4 * np.linalg.norm(quad[3] - quad[0]):
                continue  # upright boxes do not say which end is up
        scale = min(1.0, 512 / max(height, width))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scenes.append(
            (np.ascontiguousarray(small), None if quad is None else quad * np.float32(scale), item.source)
        )
    cache.write_bytes(pickle.dumps(scenes))
    return scenes


def plate(rng: np.random.Generator, wheels: Wheels | None) -> tuple[np.ndarray, np.ndarray]:
    """A made-up faceplate: a counter among lines of text, serial numbers, bars and circles."""
    width, height = int(rng.integers(300, 512)), int(rng.integers(260, 512))
    paper = (
        tuple(int(v) for v in rng.integers(90, 256, 3))
        if rng.random() < 0.7
        else tuple(int(v) for v in rng.integers(0, 120, 3))
    )
    ink = tuple(int(v) for v in (rng.integers(0, 80, 3) if sum(paper) > 380 else rng.integers(170, 256, 3)))
    picture = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(picture)
    words = (
        "kWh",
        "220 V",
        "50 Hz",
        "No.",
        "TYPE",
        "Cl. 2",
        "A",
        "rev/kWh",
        "SINGLE PHASE",
        "2014",
        "METER",
        "IEC 62053",
        "m3",
        "Q3 2.5",
    )
    for _ in range(int(rng.integers(3, 14))):
        face = ImageFont.truetype(str(rng.choice(FONTS)), int(rng.integers(8, 34)))
        text = (
            str(rng.choice(words))
            if rng.random() < 0.55
            else "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(4, 13))))
        )
        draw.text((rng.uniform(0, width * 0.8), rng.uniform(0, height)), text, font=face, fill=ink)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        shape = (x, y, x + rng.uniform(10, width / 2), y + rng.uniform(5, height / 4))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(
            shape, outline=ink, fill=colour if rng.random() < 0.5 else None
        )
    pick = rng.random()
    if pick < 0.3 and wheels is not None:
        strip, _ = wheels.make(rng)
    elif pick < 0.65:
        strip, _ = printed_wheels(rng)
    else:
        strip, _ = segment_display(rng)
    ratio = strip.shape[1] / strip.shape[0]
    wide = min(rng.uniform(0.25, 0.85) * width, height * 0.6 * ratio)
    high = wide / ratio
    x, y = rng.uniform(0, width - wide), rng.uniform(0, height - high)
    rim = rng.uniform(0, 0.25) * high
    if rng.random() < 0.7:
        draw.rectangle(
            (x - rim, y - rim, x + wide + rim, y + high + rim),
            fill=tuple(int(v) for v in rng.integers(0, 256, 3)),
        )
    picture.paste(
        Image.fromarray(strip).resize((max(8, int(wide)), max(4, int(high))), Image.Resampling.BILINEAR),
        (int(x), int(y)),
    )
    quad = np.float32([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
    return np.asarray(picture), quad


class Stream(torch.utils.data.IterableDataset):
    """Endless: real scenes by the square root of their source's size, made-up plates, pictures without a meter."""

    def __init__(self, scenes: list[Scene], wheels: Wheels | None, seed: int, batch: int) -> None:
        self.meters = [s for s in scenes if s[1] is not None]
        self.others = [s for s in scenes if s[1] is None]
        self.wheels, self.rng, self.batch = wheels, np.random.default_rng(seed), batch
        sizes: dict[str, int] = {}
        for scene in self.meters:
            sizes[scene[2]] = sizes.get(scene[2], 0) + 1
        weights = np.array([sizes[s[2]] ** -0.5 for s in self.meters])
        self.weights = weights / weights.sum()

    def one(self) -> tuple[np.ndarray, np.ndarray | None]:
        rng = self.rng
        pick = rng.random()
        if pick < 0.1 and self.others:
            return self.place(self.others[rng.integers(len(self.others))][0], None)
        if pick < 0.3:
            return self.place(*plate(rng, self.wheels))
        picture, quad, _ = self.meters[rng.choice(len(self.meters), p=self.weights)]
        return self.place(picture, quad)

    def place(self, picture: np.ndarray, quad: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
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
            behind = cv2.resize(self.others[rng.integers(len(self.others))][0], (SIDE, SIDE))
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
        return self.spoil(out), quad

    def spoil(self, x: np.ndarray) -> np.ndarray:
        rng = self.rng
        x = x.astype(np.float32) * rng.uniform(0.35, 1.3) + rng.uniform(-25, 25)
        if rng.random() < 0.4:
            x = x * rng.uniform(0.8, 1.2, 3)
        if rng.random() < 0.1:
            x = x.mean(2, keepdims=True).repeat(3, 2)
        if rng.random() < 0.25:
            x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.6))
        return np.clip(x + rng.normal(0, rng.uniform(0, 8), x.shape), 0, 255).astype(np.uint8)

    def __iter__(self):
        while True:
            pictures, heats, corners = [], [], []
            for _ in range(self.batch):
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
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x.float() / 255)
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


@torch.no_grad()
def report(model: nn.Module, scenes: list[Scene], title: str) -> None:
    """Share of scenes whose most likely counter covers the labelled one by half or more (IoU of the polygons)."""
    model.eval()
    tally: dict[str, list[bool]] = {}
    for picture, quad, source in scenes:
        if quad is None:
            continue
        height, width = picture.shape[:2]
        scale = SIDE / max(height, width)
        sheet = np.zeros((SIDE, SIDE, 3), np.uint8)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        sheet[: small.shape[0], : small.shape[1]] = small
        out = model(torch.from_numpy(sheet.transpose(2, 0, 1)[None].copy()).float() / 255)[0].numpy()
        row, column = divmod(int(out[0].argmax()), GRID)
        found = (out[1:, row, column].reshape(4, 2) * 32 + CELLS[row, column]).astype(np.float32)
        goal = (quad * scale).astype(np.float32)
        overlap, _ = cv2.intersectConvexConvex(cv2.convexHull(found), cv2.convexHull(goal))
        union = cv2.contourArea(cv2.convexHull(found)) + cv2.contourArea(goal) - overlap
        tally.setdefault(source, []).append(overlap / max(union, 1e-6) > 0.5 and found[1, 0] > found[0, 0])
    print(title, {k: f"{np.mean(v):.3f} of {len(v)}" for k, v in sorted(tally.items())}, flush=True)
    model.train()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=18)
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--clear-licences-only", action="store_true")
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--marks", type=Path, help="places of unmarked counters, from mark.py")
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    scenes = collect(options.data, options.out / "scenes.cache", options.marks)
    if options.clear_licences_only:
        scenes = [s for s in scenes if s[2] in CLEAR]
    held = [s for s in scenes if s[2] in HELD_BACK]
    seen = [s for s in scenes if s[2] not in HELD_BACK] if options.held_back else scenes
    print(len(seen), "scenes to train on,", len(held), "held back", flush=True)
    wheels = Wheels(options.data / "digits/digits.zip", options.data / "digits/labels.csv")
    model = Finder()
    rate = 2e-3
    if options.start:
        model.load_state_dict(torch.load(options.start, weights_only=True))
        rate = 1.2e-3  # going on from few steps
    loader = torch.utils.data.DataLoader(
        Stream(seen, wheels, SEED, 16), batch_size=None, num_workers=1, prefetch_factor=8
    )
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    began, steps, running = time.monotonic(), 0, 0.0
    for batch in loader:
        share = (time.monotonic() - began) / 60 / options.minutes
        if share >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (steps + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * share)))
        optimiser.zero_grad()
        loss = loss_of(model, *batch)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        running = 0.98 * running + 0.02 * loss.item() if steps else loss.item()
        steps += 1
        if steps % 400 == 0:
            print(f"{steps} steps, {(time.monotonic() - began) / 60:.1f} min, loss {running:.3f}", flush=True)
            report(model, held[::3], "held back" if options.held_back else "target sources (trained on)")
            torch.save(model.state_dict(), options.out / "finder.pt")
    torch.save(model.state_dict(), options.out / "finder.pt")
    report(model, held, "end")
    print(f"{steps} steps of 16 scenes", flush=True)
    model.eval()
    torch.onnx.export(
        model, (torch.zeros(1, 3, SIDE, SIDE),), str(options.out / "counter_finder.onnx"), input_names=["picture"],
        output_names=["cells"], dynamic_axes={"picture": {0: "n"}, "cells": {0: "n"}}, dynamo=False, opset_version=17,
    )  # fmt: skip


if __name__ == "__main__":
    main()
