"""The frame of a training run: seeded, resumable, logged; one core.

A run is `steps` steps whatever the machine; stopped at any moment and started again with the same arguments it goes on
from its last checkpoint, to the same weights. `log.csv` keeps step, seconds, rate and loss; `figures.csv` what the run's
examiner measured.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch
from torch import nn

Kept = TypeVar("Kept")  # what has `held_back` and `clear`: a strip or a scene
SEED = 20261122
EVERY = 250  # steps between checkpoints
SMOOTH = (
    0.998  # of the running average of the weights, which is what is measured and shipped; less in a short run
)


def train(
    model: nn.Module,
    stream: Callable[[int], torch.utils.data.IterableDataset],
    loss_of: Callable[..., torch.Tensor],
    examine: Callable[[nn.Module], dict[str, float]],
    out: Path,
    *,
    steps: int,
    rate: float,
    decay: float = 0.02,
    workers: int = 1,
    seed: int = SEED,
) -> nn.Module:
    """`model` trained by `steps` batches of `stream(seed)`; returns its running average, in evaluation mode.

    `loss_of(model, *batch)` is a scalar; `examine(model)` is called at every fourth checkpoint and at the end.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model = model.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    smooth = min(SMOOTH, 1 - 4 / steps)  # so that at its end the average has forgotten where it began
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(smooth)
    )
    checkpoint, step = out / "checkpoint.pt", 0
    if checkpoint.exists():
        held = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(held["model"])
        optimiser.load_state_dict(held["optimiser"])
        average.load_state_dict(held["average"])
        step = held["step"]
        for name in ("log.csv", "figures.csv"):
            _cut(out / name, step)
        print(f"going on from step {step}", flush=True)
    began, running = time.monotonic(), 0.0
    while step < steps:
        # Anew after each checkpoint: a run that goes on from there sees what one sees that was never stopped.
        torch.manual_seed(seed + step)
        loader = torch.utils.data.DataLoader(
            stream(seed + step), batch_size=None, num_workers=workers, prefetch_factor=6 if workers else None
        )
        for batch in itertools.islice(loader, min(EVERY - step % EVERY, steps - step)):
            now = rate * min(1.0, (step + 1) / 200)
            now *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimiser.param_groups:
                group["lr"] = now
            optimiser.zero_grad()
            loss = loss_of(model, *batch)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimiser.step()
            average.update_parameters(model)
            running = loss.item() if running == 0.0 else 0.98 * running + 0.02 * loss.item()
            step += 1
            if step % 50 == 0:
                seconds = round(time.monotonic() - began, 1)
                row = {"step": step, "seconds": seconds, "rate": f"{now:.6f}", "loss": f"{running:.4f}"}
                _append(out / "log.csv", row)
        state = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
        state |= {"average": average.state_dict(), "step": step}
        torch.save(state, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)
        if step % (4 * EVERY) == 0 or step == steps:
            average.module.eval()
            with torch.no_grad():
                figures = examine(average.module)
            _append(out / "figures.csv", {"step": step, **{k: f"{v:.4f}" for k, v in figures.items()}})
            print(step, f"loss {running:.3f}", {k: round(v, 3) for k, v in figures.items()}, flush=True)
    return average.module.eval()


def _append(path: Path, row: dict[str, object]) -> None:
    new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def _cut(path: Path, step: int) -> None:
    """Without the rows after `step`, which will be written again."""
    if path.exists():
        head, *rows = path.read_text(encoding="utf-8").splitlines()
        kept = [row for row in rows if int(row.split(",", 1)[0]) <= step]
        path.write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")


def start_from(model: nn.Module, checkpoint: Path) -> nn.Module:
    """`model` with the averaged weights of another run."""
    held = torch.load(checkpoint, weights_only=True)["average"]
    model.load_state_dict(
        {name.removeprefix("module."): v for name, v in held.items() if name != "n_averaged"}
    )
    return model


def drawn(rng, weights) -> int:
    """An index drawn by cumulative `weights` (numpy's choice(p=...) is slow for thousands)."""
    return int(weights.searchsorted(rng.random() * weights[-1], side="right"))


def evenly(sources: Iterable[str], favoured: frozenset[str] = frozenset()):
    """Cumulative weights: each source by the square root of its size, twice where it is favoured."""

    names = list(sources)
    sizes = {name: names.count(name) for name in set(names)}
    return np.cumsum([sizes[n] ** -0.5 * (2.0 if n in favoured else 1.0) for n in names])


def arguments(description: str, *, steps: int, rate: float) -> argparse.ArgumentParser:
    """What both networks' runs are told; `steps` and `rate` are what they take where nothing is said."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with meters/, more/ and digits/")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint, log, figures and network")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--everything", action="store_true", help="train on the held-back sources as well")
    parser.add_argument("--clear-licences-only", action="store_true")
    parser.add_argument("--scratch", action="store_true", help="from chance, for the ablation")
    parser.add_argument(
        "--seed", type=int, default=SEED, help="of what is drawn; another makes another network"
    )
    parser.add_argument("--start", type=Path, help="checkpoint.pt of another run, to train on from")
    return parser


def to_train_on(kept: list[Kept], options: argparse.Namespace) -> list[Kept]:
    """Of all pictures those that the run may see, by what it was told."""
    seen = [one for one in kept if options.everything or not one.held_back]
    return [one for one in seen if one.clear or not options.clear_licences_only]
