"""Train the strip reader: a straightened counter (40 x 224 RGB) → digits and point, by CTC.

    python training/strips.py --data DATA --out DIR [--minutes 20] [--held-back] [--clear-licences-only] [--from W.pt]

`--held-back` leaves the sources in `sources.HELD_BACK` out, for figures; without it all are trained on, for shipping.
Seeded; the number of steps depends on `--minutes`, so that a run ends on any machine: the steps made are printed.
"""

from __future__ import annotations

import argparse
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from made_up import Wheels, printed_wheels, segment_display
from sources import CLEAR, HELD_BACK, Labelled, labelled
from torch import nn

HEIGHT, WIDTH, BLANK, POINT = 40, 224, 0, 11  # classes: blank, 0 to 9, point
SEED = 20261121


class Block(nn.Module):
    def __init__(self, cin: int, cout: int, stride: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(True),
            nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout),
        )  # fmt: skip
        self.skip = (
            nn.Identity()
            if stride == (1, 1) and cin == cout
            else nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.skip(x))


class StripReader(nn.Module):
    """N x 3 x 40 x 224 in 0..1 → N x 56 x 12 log-probabilities, and N logits of "a display, not wheels"."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 24, 5, 2, 2, bias=False), nn.BatchNorm2d(24), nn.ReLU(True))
        self.body = nn.Sequential(
            Block(24, 32),
            Block(32, 64, (2, 2)),
            Block(64, 96, (2, 1)),
            Block(96, 128, (1, 1)),
            nn.Dropout2d(0.1),
        )
        self.squash = nn.Sequential(
            nn.Conv2d(128, 160, (5, 1), bias=False), nn.BatchNorm2d(160), nn.ReLU(True)
        )
        self.along = nn.Sequential(
            nn.Conv1d(160, 160, 5, padding=2, bias=False), nn.BatchNorm1d(160), nn.ReLU(True), nn.Dropout(0.2),
            nn.Conv1d(160, 160, 5, padding=2, bias=False), nn.BatchNorm1d(160), nn.ReLU(True), nn.Dropout(0.2),
            nn.Conv1d(160, 12, 1),
        )  # fmt: skip
        self.display = nn.Linear(160, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = (x - x.mean((1, 2, 3), keepdim=True)) / (x.std((1, 2, 3), keepdim=True) + 0.05)
        seen = self.squash(self.body(self.stem(x))).squeeze(2)
        steps = self.along(seen).transpose(1, 2).log_softmax(2)
        return steps, self.display(seen.mean(2)).squeeze(1)


# Picture round the counter, quad in it, reading, whether its point is known, source, whether it is a display.
Sample = tuple[np.ndarray, np.ndarray, str, bool, str, bool]


def cut(item: Labelled) -> Sample | None:
    """The counter with some of its surroundings, about 56 px high, so that the quad can be jittered."""
    picture = cv2.imread(str(item.path))[:, :, ::-1]
    height, width = picture.shape[:2]
    assert item.quad is not None
    quad = item.quad * np.float32([width, height])
    across, down = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    if across < down * 1.4 or down < 8:
        return None  # stands upright: which end is up is not labelled
    scale = min(1.5, 56 / down)
    low = np.maximum(quad.min(0) - down * 0.6, 0).astype(int)
    high = np.minimum(quad.max(0) + down * 0.6, [width, height]).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return (
        np.ascontiguousarray(part),
        ((quad - low) * scale).astype(np.float32),
        item.reading,
        item.point_known,
        item.source,
        item.kind == "lcd",
    )


def collect(data: Path, cache: Path, marks: Path | None = None) -> list[Sample]:
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    samples = [
        sample
        for item in labelled(data, marks)
        if item.trusted and item.reading and item.quad is not None and (sample := cut(item)) is not None
    ]
    cache.write_bytes(pickle.dumps(samples))
    return samples


def jittered(
    picture: np.ndarray, quad: np.ndarray, rng: np.random.Generator, strength: float = 1.0
) -> np.ndarray:
    """The strip as an imperfect finder would cut it: turned, shifted, a little too wide or too tight."""
    centre = quad.mean(0)
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    wide, high = np.linalg.norm(across), np.linalg.norm(down)
    angle = rng.normal(0, 0.035 * strength)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    grow = np.array([1 + rng.uniform(-0.03, 0.12) * strength, 1 + rng.uniform(-0.12, 0.5) * strength])
    unit = np.stack([across / wide, down / high])
    local = (quad - centre) @ unit.T * grow
    local += rng.normal(0, 0.03, 2) * strength * np.array([high, high]) * [1.5, 2.0]
    local += rng.normal(0, 0.025 * strength, (4, 2)) * high
    corners = (local @ unit) @ turn.T + centre
    target = np.float32([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]])
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return cv2.warpPerspective(
        picture, warp, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def spoil(strip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What cameras and messengers do: light, colour, blur, low resolution, glare, noise, JPEG."""
    x = strip.astype(np.float32)
    x = x * rng.uniform(0.5, 1.3) + rng.uniform(-30, 30)
    if rng.random() < 0.5:
        x = x * rng.uniform(0.75, 1.25, 3)
    if rng.random() < 0.15:
        x = x.mean(2, keepdims=True).repeat(3, 2)
    if rng.random() < 0.05:
        x = 255 - x
    if rng.random() < 0.3:
        f = rng.uniform(0.3, 0.9)
        x = cv2.resize(cv2.resize(x, None, fx=f, fy=f, interpolation=cv2.INTER_AREA), (WIDTH, HEIGHT))
    if rng.random() < 0.3:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.8))
    if rng.random() < 0.15:
        size = int(rng.integers(2, 7))
        kernel = np.zeros((size, size), np.float32)
        kernel[size // 2] = 1 / size
        turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), rng.uniform(0, 180), 1)
        kernel = cv2.warpAffine(kernel, turn, (size, size))
        x = cv2.filter2D(x, -1, kernel / max(kernel.sum(), 1e-3))
    if rng.random() < 0.2:
        yy, xx = np.mgrid[:HEIGHT, :WIDTH]
        cx, cy, r = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(5, 30)
        x = (
            x
            + (np.exp(-(((xx - cx) / 2) ** 2 + (yy - cy) ** 2) / (2 * r * r)) * rng.uniform(40, 220))[
                :, :, None
            ]
        )
    x = np.clip(x + rng.normal(0, rng.uniform(0, 10), x.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))])[1], 1)
    return x


class Stream(torch.utils.data.IterableDataset):
    """Endless: 60 % real strips (each source by the square root of its size), 40 % made up."""

    def __init__(
        self, samples: list[Sample], wheels: Wheels | None, seed: int, batch: int, real: float = 0.6
    ) -> None:
        self.samples, self.wheels, self.rng, self.batch, self.real = (
            samples,
            wheels,
            np.random.default_rng(seed),
            batch,
            real,
        )
        sizes: dict[str, int] = {}
        for sample in samples:
            sizes[sample[4]] = sizes.get(sample[4], 0) + 1
        weights = np.array([sizes[sample[4]] ** -0.5 for sample in samples])
        self.weights = weights / weights.sum() if len(samples) else weights

    def one(self) -> tuple[np.ndarray, str, bool, bool]:
        rng = self.rng
        if len(self.samples) and rng.random() < self.real:
            picture, quad, reading, known, _, display = self.samples[
                rng.choice(len(self.samples), p=self.weights)
            ]
            return spoil(jittered(picture, quad, rng), rng), reading, known, display
        pick = rng.random()
        display = pick >= 0.65
        if pick < 0.35 and self.wheels is not None:
            strip, reading = self.wheels.make(rng)
            known = False
        elif pick < 0.65:
            (strip, reading), known = printed_wheels(rng), True
        else:
            (strip, reading), known = segment_display(rng), True
        h, w = strip.shape[:2]
        margin = int(h * 0.4)
        wide = cv2.copyMakeBorder(strip, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
        quad = np.float32([[0, 0], [w, 0], [w, h], [0, h]]) + margin
        return spoil(jittered(wide, quad, rng), rng), reading, known, display

    def __iter__(self):
        while True:
            drawn = [self.one() for _ in range(self.batch)]
            x = torch.from_numpy(np.stack([d[0] for d in drawn]).transpose(0, 3, 1, 2).copy())
            texts = [d[1] if d[2] else d[1].replace(".", "") for d in drawn]
            y = [torch.tensor([POINT if c == "." else int(c) + 1 for c in t]) for t in texts]
            lengths = torch.tensor([len(t) for t in texts])
            yield (
                x,
                torch.cat(y),
                lengths,
                torch.tensor([d[2] for d in drawn]),
                torch.tensor([d[3] for d in drawn]),
            )


def loss_of(model: nn.Module, x, y, lengths, known, display) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        out, kind = model(x.float() / 255)
    out = out.float()
    look = nn.functional.binary_cross_entropy_with_logits(kind.float(), display.float())
    # Where nobody said where the point stands, it is neither taught nor held against the reader.
    unknown = ~known
    out = out.clone()
    out[unknown, :, POINT] = -30.0
    steps = torch.full((len(lengths),), out.shape[1])
    reads = nn.functional.ctc_loss(out.transpose(0, 1), y, steps, lengths, BLANK, zero_infinity=True)
    return reads + 0.1 * look


@torch.no_grad()
def greedy(model: nn.Module, samples: list[Sample]) -> list[str]:
    model.eval()
    rng, texts = np.random.default_rng(0), []
    for start in range(0, len(samples), 64):
        strips = [jittered(s[0], s[1], rng, 0.0) for s in samples[start : start + 64]]
        x = torch.from_numpy(np.stack(strips).transpose(0, 3, 1, 2).copy()).float() / 255
        for best in model(x)[0].argmax(2).numpy():
            keep = best[(best != BLANK) & np.r_[True, best[1:] != best[:-1]]]
            texts.append("".join("." if k == POINT else str(k - 1) for k in keep))
    model.train()
    return texts


def report(model: nn.Module, samples: list[Sample], title: str) -> None:
    texts = greedy(model, samples)
    tally: dict[str, list[int]] = {}
    for text, sample in zip(texts, samples, strict=True):
        tally.setdefault(sample[4], []).append(text.replace(".", "") == sample[2].replace(".", ""))
    print(title, {k: f"{np.mean(v):.3f} of {len(v)}" for k, v in sorted(tally.items())}, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--held-back", action="store_true")
    parser.add_argument("--clear-licences-only", action="store_true")
    parser.add_argument("--from", dest="start", type=Path)
    parser.add_argument("--marks", type=Path, help="places of unmarked counters, from mark.py")
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    samples = collect(options.data, options.out / "strips.cache", options.marks)
    if options.clear_licences_only:
        samples = [s for s in samples if s[4] in CLEAR]
    held = [s for s in samples if s[4] in HELD_BACK]
    seen = [s for s in samples if s[4] not in HELD_BACK] if options.held_back else samples
    print(len(seen), "strips to train on,", len(held), "held back", flush=True)
    wheels = Wheels(options.data / "digits/digits.zip", options.data / "digits/labels.csv")
    model = StripReader()
    rate = 2e-3
    if options.start:
        model.load_state_dict(torch.load(options.start, weights_only=True), strict=False)
        rate = 6e-4
    loader = torch.utils.data.DataLoader(
        Stream(seen, wheels, SEED, 64), batch_size=None, num_workers=1, prefetch_factor=8
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
        if steps % 500 == 0:
            print(f"{steps} steps, {(time.monotonic() - began) / 60:.1f} min, loss {running:.3f}", flush=True)
            report(model, held, "held back" if options.held_back else "target sources (trained on)")
            torch.save(model.state_dict(), options.out / "strips.pt")
    torch.save(model.state_dict(), options.out / "strips.pt")
    report(model, held, "end")
    print(f"{steps} steps of 64 strips", flush=True)
    export(model, options.out / "strip_reader.onnx")


def export(model: nn.Module, path: Path) -> None:
    model.eval()
    torch.onnx.export(
        model, (torch.zeros(1, 3, HEIGHT, WIDTH),), str(path), input_names=["strips"], output_names=["steps", "display"],
        dynamic_axes={"strips": {0: "n"}, "steps": {0: "n"}, "display": {0: "n"}}, dynamo=False, opset_version=17,
    )  # fmt: skip


if __name__ == "__main__":
    main()
