"""Damaged files, thousands of them, opened as the product opens what strangers send: none may crash it or fill its memory.

Seeds are small files of every format, made from RENDERED meters, and those of a folder where one is given. File number n
of a seed is always the same, so a run can be stopped, goes on where it stopped, and any file can be made again. Every file
goes through `open_photograph`, in a process of its own kind that is watched: every exception but `NotAPhotograph`, a
process that dies, one that takes longer than the limit or grows by more than the limit is a failure, and its file is kept.
"""

import argparse
import json
import multiprocessing
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from bench import _files
from bench._mutations import mutated
from rasd.vision import apart

MEGABYTE = 1024 * 1024
READ_EVERY = 20  # files: the networks take seconds on a busy core
LIMIT_S = 150.0  # for one file, by the clock of a busy machine; `apart` itself gives up after 120
LIMIT_MB = 500
LOOK_EVERY_S = 0.03
SLOWEST = 5
REAL = 15  # of a folder, so that rarer formats stay in the majority
OF_MAXRSS = 1 if sys.platform == "darwin" else 1024  # bytes


@dataclass
class State:
    """What a run knows; kept in ``state.json``."""

    seed: int
    next: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    slowest: list[tuple[float, int, str]] = field(default_factory=list)
    before_mb: float = 0.0
    peak_mb: float = 0.0
    apart_mb: float = 0.0


def child(pipe: Connection) -> None:
    """Opens, and now and then reads, what comes through ``pipe``; tells the outcome and the memory so far."""
    from rasd.vision import NotAPhotograph, read_photograph
    from rasd.vision.photograph import open_file

    read_photograph(_files.encoded(_files.meter(), "JPEG"))  # the networks are loaded now
    pipe.send(_peak())
    while (given := pipe.recv()) is not None:
        data, whole = given
        try:
            if whole:
                outcome = f"read: {read_photograph(data).decision}"
            else:
                outcome = " ".join(["opened", *(finding.code for finding in open_file(data).findings)])
        except NotAPhotograph as refused:
            outcome = refused.code
        except Exception as error:
            outcome = f"! {type(error).__module__}.{type(error).__name__}: {error}"[:300]
        pipe.send((outcome, _peak()))


def _peak() -> float:
    """MB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * OF_MAXRSS / MEGABYTE


def _peak_apart(pid: int) -> float:
    """MB that the process now started by ``pid`` held at most; 0 where there is none, or where this is not Linux.

    ``RUSAGE_CHILDREN`` would not do: Linux counts what the parent held before ``exec`` as the child's.
    """
    try:
        kids = [Path("/proc") / kid for kid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        # Before ``exec`` it shares its parent's memory, which is not its own.
        status = "".join(
            (k / "status").read_text() for k in kids if apart.PROGRAM.name in (k / "cmdline").read_text()
        )
    except OSError:
        return 0.0
    return max((int(size) / 1024 for size in re.findall(r"VmHWM:\s+(\d+) kB", status)), default=0.0)


class Watched:
    """The child, started anew whenever it died."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=child, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.before = self.pipe.recv()

    def open(self, data: bytes, *, whole: bool) -> tuple[str, float, float]:
        """The outcome, and the peaks in MB."""
        try:
            self.pipe.send((data, whole))
            given_up, held = time.monotonic() + LIMIT_S, 0.0
            while not self.pipe.poll(LOOK_EVERY_S) and time.monotonic() < given_up:
                held = max(held, _peak_apart(self.process.pid or 0))
            if self.pipe.poll():
                return *self.pipe.recv(), held
            outcome = f"! longer than {LIMIT_S:.0f} s"
        except (EOFError, ConnectionError):
            self.process.join(5)
            outcome = f"! died with {self.process.exitcode}"
        self.end()
        self._start()
        return outcome, 0.0, 0.0

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def files(seed: int, first: int, real: Path | None) -> Iterator[tuple[int, str, bytes]]:
    """Endless: number, what it was made from, bytes."""
    seeds = dict(_files.seeds())
    if real is not None:
        found = sorted(path for path in real.rglob("*") if path.is_file() and path.stat().st_size < MEGABYTE)
        chosen = Random(seed).sample(found, min(len(found), REAL))
        seeds |= {path.name: path.read_bytes() for path in chosen}
    names, others = list(seeds), list(seeds.values())
    number = first
    while True:
        rng = Random(f"{seed}:{number}")
        name = rng.choice(names)
        yield number, name, mutated(name, seeds[name], others, rng)
        number += 1


def fuzz(state: State, folder: Path, *, seconds: float, count: int | None, real: Path | None) -> None:
    watched = Watched()
    state.before_mb = watched.before
    began = saved = time.monotonic()
    before = state.seconds
    outcomes = Counter(state.outcomes)
    for number, name, data in files(state.seed, state.next, real):
        now = time.monotonic()
        if now - saved > 10:
            _save(state, folder, outcomes)
            saved = now
        if now - began > seconds or (count is not None and number >= count):
            break
        outcome, peak, held = watched.open(data, whole=number % READ_EVERY == 0)
        took = time.monotonic() - now
        if outcome[0] != "!" and max(peak - watched.before, held) > LIMIT_MB:
            outcome = f"! grew by {peak - watched.before:.0f} MB, apart {held:.0f} MB"
            watched.end()
            watched = Watched()
        state.peak_mb, state.apart_mb = max(state.peak_mb, peak), max(state.apart_mb, held)
        state.slowest = sorted([*state.slowest, (round(took, 2), number, f"{name}: {outcome}")])[-SLOWEST:]
        if outcome[0] == "!":
            kept = folder / f"{state.seed}-{number}-{name}"
            kept.write_bytes(data)
            state.failures.append({"file": kept.name, "outcome": outcome})
            print(f"{kept}: {outcome}", flush=True)
            outcome = "failure"
        outcomes[outcome] += 1
        state.next, state.seconds = number + 1, before + time.monotonic() - began
    watched.end()
    _save(state, folder, outcomes)


def _save(state: State, folder: Path, outcomes: Counter[str]) -> None:
    state.outcomes = dict(outcomes.most_common())
    (folder / "state.json").write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")


def tell(state: State) -> None:
    print(f"{state.next:,} files in {state.seconds / 60:.1f} minutes, seed {state.seed}")
    for outcome, number in state.outcomes.items():
        print(f"  {number:7,}  {outcome}")
    print(
        f"memory of the process: {state.before_mb:.0f} MB with the networks loaded, {state.peak_mb:.0f} MB at most "
        f"(+{max(0.0, state.peak_mb - state.before_mb):.0f}); of the decoder that runs apart: {state.apart_mb:.0f} MB at most"
    )
    print(
        "slowest: "
        + "; ".join(f"{took:.1f} s (file {n}, {what})" for took, n, what in reversed(state.slowest))
    )
    print(f"failures: {len(state.failures)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rasd bench fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to go on (1)")
    parser.add_argument("--count", type=int, help="stop before this file number")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--real", type=Path, help="a folder of pictures to damage as well; nothing of it is copied"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(".rasd-fuzz"), help="state and failed files (.rasd-fuzz)"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    state = State(seed=options.seed)
    kept = options.folder / "state.json"
    if kept.exists() and (known := json.loads(kept.read_text(encoding="utf-8")))["seed"] == options.seed:
        state = State(**known)
        print(f"goes on from file {state.next:,}")
    try:
        fuzz(state, options.folder, seconds=options.minutes * 60, count=options.count, real=options.real)
    finally:
        tell(state)
    sys.exit(1 if state.failures else 0)


if __name__ == "__main__":
    main()
