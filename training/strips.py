"""Train the strip reader: a straightened counter (48 x 256 RGB) → digits and point by CTC, and what the strip is.

    python training/strips.py --data DATA --out DIR [--steps 6000] [--everything] [--clear-licences-only] [--scratch]

PP-OCRv6's recogniser is trained on (textnet.py); `--scratch` begins from chance instead, for the ablation. Sources of
`sources.HELD_BACK` are left out, for figures, unless `--everything`. Seeded and resumable (loop.py).
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
import world
from loop import arguments, drawn, evenly, start_from, to_train_on, train
from sources import CLEAR, Labelled, labelled
from textnet import Recogniser
from torch import nn
from wheels import Wheels

HEIGHT, WIDTH, BLANK, POINT = 48, 256, 0, 11  # classes: blank, 0 to 9, point
KINDS = ("roller", "lcd", "none", "turned")
"""What a strip may be: `none` is other print or no print, `turned` a counter upside down."""
FAVOURED = frozenset(
    {"pole_cam", "drake", "bilal", "renjith", "lcd_close", "analog", "lcd_shop", "misc"}
)  # electricity
BATCH = 48
TALL = 64  # pixels of a counter's height in the cache
MARGIN = 1.6  # heights of the counter that are kept round it: what stands beside it must not be read


class Sample:
    """A counter with some of its surroundings: `picture`, `quad` in its pixels, and what it shows."""

    __slots__ = (
        "clear",
        "held_back",
        "kind",
        "picture",
        "point_known",
        "quad",
        "readable",
        "reading",
        "settled",
        "source",
    )

    def __init__(self, item: Labelled, picture: np.ndarray, quad: np.ndarray) -> None:
        self.picture, self.quad, self.reading, self.kind = picture, quad, item.reading, item.kind
        self.point_known, self.source, self.clear = item.point_known, item.source, item.source in CLEAR
        self.readable = item.trusted
        self.held_back, self.settled = item.held_back, item.settled or item.kind == "lcd"


def cut(item: Labelled) -> Sample | None:
    picture = cv2.imread(str(item.path))[:, :, ::-1]
    height, width = picture.shape[:2]
    quad = item.quad * np.float32([width, height])
    across, down = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    if across < down * 1.3 or down < 7:
        return None  # upright boxes do not say which end is up
    scale = min(2.0, TALL / down)
    low = np.maximum(quad.min(0) - down * MARGIN, 0).astype(int)
    high = np.minimum(quad.max(0) + down * MARGIN, [width, height]).astype(int)
    part = picture[low[1] : high[1], low[0] : high[0]]
    part = cv2.resize(
        part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    return Sample(item, np.ascontiguousarray(part), ((quad - low) * scale).astype(np.float32))


def collect(data: Path, cache: Path) -> list[Sample]:
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    items = [
        item
        for item in labelled(data)
        if item.quad is not None and (item.reading if item.trusted else item.unreadable)
    ]
    samples = [sample for item in items if (sample := cut(item)) is not None]
    cache.write_bytes(pickle.dumps(samples))
    return samples


def jittered(
    picture: np.ndarray, quad: np.ndarray, rng: np.random.Generator, strength: float = 1.0
) -> np.ndarray:
    """The strip as an imperfect finder would cut it: turned, shifted, a little too wide or too tight."""
    centre = quad.mean(0)
    across = ((quad[1] - quad[0]) + (quad[2] - quad[3])) / 2
    down = ((quad[3] - quad[0]) + (quad[2] - quad[1])) / 2
    wide, high = max(1.0, np.linalg.norm(across)), max(1.0, np.linalg.norm(down))
    skew = rng.normal(0, 0.05 * strength)  # as of a parallelogram, italic displays too
    turn = rng.normal(0, 0.03 * strength)
    grow = np.array([1 + rng.uniform(-0.02, 0.14) * strength, 1 + rng.uniform(-0.1, 0.6) * strength])
    shift = rng.normal(0, 0.05, 2) * strength * high
    unit = np.stack([across / wide, down / high])
    local = (quad - centre) @ np.linalg.inv(unit) * grow
    for end in ((0, 3), (1, 2)):
        if (
            rng.random() < 0.35 * strength
        ):  # far too wide: the unit or the plate beside the counter is in the strip
            local[list(end), 0] *= 1 + rng.uniform(0, 0.8)
    local[:, 0] += local[:, 1] * skew
    local += rng.normal(0, 0.03 * strength, (4, 2)) * high
    rotate = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners = (local @ unit) @ rotate + centre + shift
    target = np.float32([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]])
    warp = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return cv2.warpPerspective(
        picture, warp, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


SHARES = {"real": 0.48, "wheels": 0.07, "world": 0.33, "elsewhere": 0.07, "unreadable": 0.05}
"""Of a batch: photographed strips, photographed wheels put together, drawn counters, what is no counter, and counters
that nobody could read, which are as good as none."""


class Stream(torch.utils.data.IterableDataset):
    """Endless batches by `SHARES`, less the kinds in `without`."""

    def __init__(
        self,
        samples: list[Sample],
        wheels: Wheels,
        others: list[np.ndarray],
        seed: int,
        without: Sequence[str] = (),
    ) -> None:
        self.samples = [sample for sample in samples if sample.readable]
        self.unreadable = [sample for sample in samples if not sample.readable]
        self.wheels, self.others, self.seed = wheels, others, seed
        self.weights = evenly((s.source for s in self.samples), FAVOURED)
        self.kinds = [kind for kind in SHARES if kind not in without]
        self.shares = np.cumsum([SHARES[kind] for kind in self.kinds])

    def one(self, rng: np.random.Generator) -> tuple[np.ndarray, str, bool, int, bool]:
        """Strip, text, whether its point is known, kind (index in `KINDS`), whether its last wheel was read by the rule."""
        settled = True
        match self.kinds[drawn(rng, self.shares)]:
            case "real":
                held = self.samples[drawn(rng, self.weights)]
                strip = world.camera(rng, jittered(held.picture, held.quad, rng), 0.35)
                text, known, kind, settled = held.reading, held.point_known, held.kind, held.settled
            case "wheels":
                put, text = self.wheels.make(rng)
                h, w = put.shape[:2]
                wide = cv2.copyMakeBorder(put, h // 2, h // 2, h // 2, h // 2, cv2.BORDER_REPLICATE)
                quad = np.float32([[0, 0], [w, 0], [w, h], [0, h]]) + h // 2
                strip, known, kind = world.camera(rng, jittered(wide, quad, rng)), False, "roller"
            case "world":
                made = world.counter(rng)
                strip = world.camera(rng, jittered(made.picture, made.quad, rng))
                text, known, kind = made.reading, True, made.kind
            case "unreadable":
                return world.camera(rng, self.spoilt(rng), 0.35), "", True, KINDS.index("none"), True
            case _:
                return world.camera(rng, self.elsewhere(rng), 0.7), "", True, KINDS.index("none"), True
        if rng.random() < 0.05:
            return np.ascontiguousarray(strip[::-1, ::-1]), text, known, KINDS.index("turned"), settled
        return strip, text, known, KINDS.index(kind), settled

    def spoilt(self, rng: np.random.Generator) -> np.ndarray:
        """A strip in which there are digits and nobody could read them: as photographed, or made so."""
        if rng.random() < 0.25 and self.unreadable:
            held = self.unreadable[rng.integers(len(self.unreadable))]
            return jittered(held.picture, held.quad, rng)
        held = self.samples[drawn(rng, self.weights)] if rng.random() < 0.5 else world.counter(rng)
        return jittered(*world.ruined(rng, held.picture, held.quad, len(held.reading.replace(".", ""))), rng)

    def elsewhere(self, rng: np.random.Generator) -> np.ndarray:
        """A strip that is no counter: of a picture without a meter, of a faceplate beside its counter, or of pointers."""
        way = rng.random()
        if way < 0.15:
            return jittered(*world.row_of_dials(rng), rng)
        if way < 0.5:
            picture, keep = self.others[rng.integers(len(self.others))], None
        else:
            scene = world.scene(rng)
            picture, keep = scene.picture, scene.quad
            print_ = [quad for quad in scene.distractors if cv2.contourArea(quad) > 100]
            if print_ and rng.random() < 0.6:
                return jittered(picture, print_[rng.integers(len(print_))], rng)
        h, w = picture.shape[:2]
        for _ in range(10):
            wide = rng.uniform(0.1, 0.6) * w
            high = wide / rng.uniform(3, 8)
            x, y = rng.uniform(0, w - wide), rng.uniform(0, max(1.0, h - high))
            if keep is None or not (
                x < keep[:, 0].max()
                and x + wide > keep[:, 0].min()
                and y < keep[:, 1].max()
                and y + high > keep[:, 1].min()
            ):
                break
        return jittered(
            picture, np.float32([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]]), rng
        )

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        cv2.setNumThreads(1)
        while True:
            batch = [self.one(rng) for _ in range(BATCH)]
            x = torch.from_numpy(np.stack([b[0] for b in batch]).transpose(0, 3, 1, 2).copy())
            texts = [text if known else text.replace(".", "") for _, text, known, _, _ in batch]
            y = classes(texts)
            left = classes([text if b[4] else one_less(text) for text, b in zip(texts, batch, strict=True)])
            lengths, known, kinds = (
                torch.tensor(list(column))
                for column in ((len(t) for t in texts), (b[2] for b in batch), (b[3] for b in batch))
            )
            yield x, y, left, lengths, known, kinds


def classes(texts: list[str]) -> torch.Tensor:
    """All letters one after the other, as CTC wants its targets."""
    return torch.tensor([POINT if c == "." else int(c) + 1 for text in texts for c in text])


def one_less(text: str) -> str:
    """The reading whose last wheel is one digit behind, which the gears carry on; of all zeros all nines."""
    digits = text.replace(".", "")
    if not digits:
        return text
    less = f"{(int(digits) - 1) % 10 ** len(digits):0{len(digits)}}"
    at = text.find(".")
    return less if at < 0 else less[:at] + "." + less[at:]


READS = torch.tensor([kind in {"roller", "lcd"} for kind in KINDS])


def loss_of(model: nn.Module, x, y, left, lengths, known, kinds) -> torch.Tensor:
    """`y` is what the labels say. Those who made some of the sources read a wheel between two digits as the nearer one,
    others as the one being left, which is the trade's rule and ours; where it is not known by which rule a wheel was read,
    either is right: `left` is one less there, and the same as `y` elsewhere."""
    x = x.float().div(255).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        letters, look = model(x)
    letters = letters.float()
    # Where nobody said where the point stands, it is neither taught nor held against the reader.
    letters = letters.masked_fill((~known)[:, None, None] & (torch.arange(12) == POINT), -30.0)
    steps = torch.full((len(lengths),), letters.shape[1])
    # What is no counter, or upside down, is told by its kind; what its letters say does not matter.
    seen = letters.log_softmax(2).transpose(0, 1)
    nearer, leaving = (
        nn.functional.ctc_loss(seen, text, steps, lengths, BLANK, reduction="none", zero_infinity=True)
        for text in (y, left)
    )
    same = torch.tensor(
        [
            bool((a == b).all())
            for a, b in zip(y.split(lengths.tolist()), left.split(lengths.tolist()), strict=True)
        ]
    )
    each = torch.where(same, nearer, -torch.logaddexp(-nearer, -leaving))
    reads = READS[kinds]
    return (each * reads).sum() / reads.sum() / 6 + 0.3 * nn.functional.cross_entropy(look.float(), kinds)


def text_of(best: np.ndarray) -> str:
    keep = best[(best != BLANK) & np.r_[True, best[1:] != best[:-1]]]
    return "".join("." if k == POINT else str(k - 1) for k in keep)


@torch.no_grad()
def greedy(model: nn.Module, samples: list[Sample]) -> list[str]:
    rng, texts = np.random.default_rng(0), []
    for start in range(0, len(samples), 32):
        strips = [jittered(s.picture, s.quad, rng, 0.0) for s in samples[start : start + 32]]
        x = torch.from_numpy(np.stack(strips).transpose(0, 3, 1, 2).copy()).float() / 255
        texts += [text_of(best) for best in model(x)[0].argmax(2).numpy()]
    return texts


def examiner(held: list[Sample], rng: np.random.Generator):
    """Share of strips read right, by source of those held back (at most 150 each), and of drawn unseen styles."""
    chosen: list[Sample] = []
    for source in sorted({s.source for s in held}):
        some = [s for s in held if s.source == source]
        chosen += [some[i] for i in rng.permutation(len(some))[:150]]
    drawn_ones = []
    for _ in range(150):
        made = world.counter(rng, "unseen")
        strip = world.camera(rng, jittered(made.picture, made.quad, rng, 0.5), 0.7)
        drawn_ones.append((strip, made.reading.replace(".", "")))

    def examine(model: nn.Module) -> dict[str, float]:
        tally: dict[str, list[bool]] = {}
        for text, sample in zip(greedy(model, chosen), chosen, strict=True):
            tally.setdefault(sample.source, []).append(
                text.replace(".", "") == sample.reading.replace(".", "")
            )
        x = torch.from_numpy(np.stack([s for s, _ in drawn_ones]).transpose(0, 3, 1, 2).copy()).float() / 255
        best = model(x)[0].argmax(2).numpy()
        tally["unseen styles"] = [
            text_of(b).replace(".", "") == t for b, (_, t) in zip(best, drawn_ones, strict=True)
        ]
        return {source: float(np.mean(right)) for source, right in tally.items()}

    return examine


def main() -> None:
    parser = arguments(__doc__, steps=6000, rate=6e-4)
    parser.add_argument(
        "--without",
        choices=sorted(SHARES),
        action="append",
        default=[],
        help="for the ablations; may be repeated",
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    samples = collect(options.data, options.out / "strips.cache")
    held = [s for s in samples if s.held_back and s.readable]
    seen = to_train_on(samples, options)
    print(len(seen), "strips to train on,", len(held), "held back", flush=True)
    wheels = Wheels(options.data / "digits/digits.zip", options.data / "digits/labels.csv")
    others = [
        cv2.resize(cv2.imread(str(item.path))[:, :, ::-1], (384, 384))
        for item in labelled(options.data)
        if item.source == "nonmeter" and item.trusted and not options.clear_licences_only
    ] or [np.full((64, 256, 3), 127, np.uint8)]
    torch.manual_seed(0)
    model = Recogniser(12, len(KINDS)) if options.scratch else Recogniser.pretrained(12, len(KINDS))
    if options.start:
        start_from(model, options.start)
    model = train(
        model, lambda seed: Stream(seen, wheels, others, seed, options.without), loss_of,
        examiner(held, np.random.default_rng(5)), options.out, steps=options.steps, rate=options.rate, seed=options.seed,
    )  # fmt: skip
    export(model, options.out / "strip_reader.onnx")


class Exported(nn.Module):
    """What the product loads: probabilities, so that nothing of the training need be known to read them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        letters, kind = self.model(x)
        return letters.softmax(2), kind.softmax(1)


def export(model: nn.Module, path: Path) -> None:
    torch.onnx.export(
        Exported(model).eval(), (torch.zeros(1, 3, HEIGHT, WIDTH),), str(path), input_names=["strips"],
        output_names=["steps", "kinds"], dynamic_axes={name: {0: "n"} for name in ("strips", "steps", "kinds")},
        dynamo=False, opset_version=17,
    )  # fmt: skip


if __name__ == "__main__":
    main()
