"""Run a reader over pictures, in a process of its own on one core, and survive what it does there."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.vision.labels import Labelled

CHECKOUT = Path(__file__).resolve().parents[2]
ANSWERS_WITHIN = 120.0  # seconds a picture; a reader that is stuck is ended and counts as not having read it
TELLS_EVERY = 10.0  # seconds between two lines of progress

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT"), "1"
)


@dataclass
class Run:
    """What one reader made of the pictures: an answer (see ``child``) by `Labelled.name`, in order."""

    called: str = ""
    """Its name and version, as it tells them."""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    peak_mb: float = 0.0
    weights_mb: float = 0.0
    load_ms: float = 0.0
    finished: bool = False


class Missing(RuntimeError):
    """The reader is not installed here; the text says how to get it."""


def run(
    reader: str,
    pictures: list[Labelled],
    *,
    folder: Path | None = None,
    histories: Callable[[Labelled], dict[str, Any] | None] | None = None,
    title: str | None = None,
) -> Run:
    """Read all pictures with a reader of ``child``; `folder` is another eye than the shipped one.

    Interrupted (Ctrl-C), it gives back what is done, `finished` being False.
    Raises Missing where the reader cannot be started at all.
    """
    if reader == "tesseract" and shutil.which("tesseract") is None:
        raise Missing("not installed (Debian: apt-get install tesseract-ocr)")
    result = Run()
    child = _Child([reader, *([str(folder.resolve())] if folder else [])], result)
    began = told = time.monotonic()
    try:
        with _upright(reader) as prepared:
            for number, picture in enumerate(pictures):
                task: dict[str, Any] = {"path": str(prepared(picture.path))}
                if histories is not None:
                    task["history"] = histories(picture)
                result.answers[picture.name] = child.ask(task)
                if time.monotonic() - told > TELLS_EVERY:
                    told = time.monotonic()
                    each = (told - began) / (number + 1)
                    left = each * (len(pictures) - number - 1)
                    _say(
                        f"{title or reader}: {number + 1} of {len(pictures)}, {each:.2f} s each, {left:.0f} s left"
                    )
        result.finished = True
    except KeyboardInterrupt:
        _say(f"{title or reader}: interrupted after {len(result.answers)} of {len(pictures)}")
    finally:
        child.end()
    return result


class _Child:
    def __init__(self, arguments: list[str], result: Run) -> None:
        self._arguments, self._result = arguments, result
        self._start()

    def _start(self) -> None:
        path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.vision.child", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD | {"PYTHONPATH": path},
            process_group=0,  # Ctrl-C is for us
        )
        ready = self._line()
        if ready is None:
            raise Missing(f"could not be started: {self._died()}")
        self._result.called, self._result.load_ms = ready["called"], ready["load_ms"]
        self._cost(ready)

    def ask(self, task: dict[str, Any]) -> dict[str, Any]:
        if self._process.poll() is not None:
            self._start()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(task).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return {"error": self._died()}
        answer = self._line()
        if answer is None:
            return {"error": self._died()}
        self._cost(answer)
        return answer

    def end(self) -> None:
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _line(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], ANSWERS_WITHIN)[0]:
            self._process.kill()
            return None
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _cost(self, answer: dict[str, Any]) -> None:
        self._result.peak_mb = max(self._result.peak_mb, answer.pop("peak_mb"))
        self._result.weights_mb = max(self._result.weights_mb, answer.pop("weights_mb"))

    def _died(self) -> str:
        status = self._process.wait()
        return f"the reader ended with status {status}"


@contextmanager
def _upright(reader: str) -> Iterator[Callable[[Path], Path]]:
    """Tesseract does not know EXIF's orientation nor every format: it gets the upright picture as PNG, and the time
    that takes is not counted against it. The others open files themselves."""
    if reader != "tesseract":
        yield lambda path: path
        return
    from PIL import Image

    from rasd.vision import NotAPhotograph, open_photograph

    with tempfile.TemporaryDirectory(prefix="rasd-bench-") as folder:
        upright = Path(folder) / "upright.png"

        def prepare(path: Path) -> Path:
            try:
                Image.fromarray(open_photograph(path.read_bytes())).save(upright, compress_level=1)
            except NotAPhotograph:
                return path  # its own complaint is the answer
            return upright

        yield prepare


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
