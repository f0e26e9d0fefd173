"""One reader in a process of its own, on one core: a JSON task a line on standard input, a JSON answer a line out.

    python -m bench.vision.child eye|rapidocr|tesseract [FOLDER]

A process of its own, so that its peak memory is the reader's alone and that a reader that dies takes nobody along.
Imports are inside the readers for the same reason. ``runner`` starts it with every library held to one thread.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
Reader = tuple[str, Callable[[dict[str, Any]], Answer]]
"""What it calls itself, with its version, and how it reads a task."""

WEIGHTS = (".onnx", ".ort", ".npz", ".npy", ".bin", ".traineddata")
LEAST_DIGITS = 4
"""A line of fewer digits is no counter's (peers' rule)."""


def eye(folder: str | None = None) -> Reader:
    """Rasd's own: the shipped one, or the one in `folder`. The task's ``history``, where it has one, tells the register
    too."""
    from bench.vision.history import as_history
    from rasd.vision import Eye, NotAPhotograph

    eye = Eye.at(Path(folder)) if folder else Eye.shipped()
    eye.warm_up()

    def read(task: dict[str, Any]) -> Answer:
        history = as_history(task["history"]) if task.get("history") else None
        data = Path(task["path"]).read_bytes()
        try:
            reading = eye.read(data, history=history)
        except NotAPhotograph as error:
            return {"error": f"{error.code}: {error}"}
        return {
            "digits": reading.digits,
            "decimals": reading.decimals,
            "confidence": reading.confidence,
            "decision": str(reading.decision),
            "reason": reading.reason,
            "seen_as": reading.kind,
            "inside_ms": reading.milliseconds,
            "box": reading.counter_box,
            "places": [place.box for place in reading.digit_readings],
        }

    return f"{eye.name} {eye.version} ({eye.checksum[:12]})", read


def rapidocr() -> Reader:
    """RapidOCR's own pipeline with its own settings, but for one thread; the answer by `choose`."""
    from importlib.metadata import version

    from rapidocr import RapidOCR

    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def read(task: dict[str, Any]) -> Answer:
        found = engine(task["path"])
        if found.txts is None or found.boxes is None or found.scores is None:
            return choose([])
        return choose(
            [
                # The mean of the two sides: upright also where the line is turned.
                (text, (_length(box[0], box[3]) + _length(box[1], box[2])) / 2, float(score))
                for text, box, score in zip(found.txts, found.boxes, found.scores, strict=True)
            ]
        )

    return f"RapidOCR {version('rapidocr')}", read


def tesseract() -> Reader:
    """The system's Tesseract: digits and point only (``tessedit_char_whitelist``), sparse text (``--psm 11``: a
    photograph is no page), English LSTM model as installed; the answer by `choose`.

    A process a picture, which loads its model each time; that counts, since there is no other way to call it.
    """
    command = ["tesseract", "--psm", "11", "-c", "tessedit_char_whitelist=0123456789."]
    where = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True)
    folder = re.search(r'"(.+)"', where.stdout + where.stderr)
    if folder:
        with suppress(OSError), (Path(folder[1]) / "eng.traineddata").open("rb"):
            pass  # opened to be seen and weighed

    def read(task: dict[str, Any]) -> Answer:
        done = subprocess.run(
            [*command[:1], task["path"], "stdout", *command[1:], "tsv"], capture_output=True, text=True
        )
        if done.returncode:
            return {"error": f"tesseract: {done.stderr.strip()[-200:]}"}
        return choose(_tsv_lines(done.stdout))

    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return (version.stdout or version.stderr).splitlines()[0], read


READERS: dict[str, Callable[..., Reader]] = {"eye": eye, "rapidocr": rapidocr, "tesseract": tesseract}


def choose(lines: list[tuple[str, float, float]]) -> Answer:
    """The reading that a general OCR's lines (text, height in pixels, score 0 to 1) stand for.

    The rule: of the lines that hold four digits or more and, but for spaces, points and a unit (kWh, m3), nothing
    else, the tallest; where there is none, of all lines with four digits or more the tallest, its digits joined.
    ``anywhere`` keeps every line's digits: were a perfect rule to choose, what is there could be right.
    """
    rows = []
    for text, height, score in lines:
        plain = re.sub(r"(?i)(kwh|kvah|m3|m³)\s*$", "", text.strip()).replace(" ", "").replace(",", ".")
        digits = "".join(letter for letter in plain if letter in "0123456789")
        if len(digits) >= LEAST_DIGITS:
            only = re.fullmatch(r"\d+(\.\d+)?", plain, re.ASCII) is not None
            decimals = len(plain.partition(".")[2]) if only else 0
            rows.append((only, height, digits, decimals, score))
    if not rows:
        return {"digits": "", "decimals": 0, "confidence": 0.0, "anywhere": []}
    _, _, digits, decimals, score = max(rows, key=lambda row: row[:2])
    return {"digits": digits, "decimals": decimals, "confidence": score, "anywhere": [row[2] for row in rows]}


def _length(a: Any, b: Any) -> float:
    return float(((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5)


def _tsv_lines(tsv: str) -> list[tuple[str, float, float]]:
    """Tesseract's words, joined to its lines: the tallest word's height and the mean confidence."""
    lines: dict[tuple[str, ...], list[tuple[str, float, float]]] = {}
    for row in tsv.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) >= 12 and cells[11].strip():
            word = (cells[11].strip(), float(cells[9]), float(cells[10]) / 100)
            lines.setdefault(tuple(cells[1:5]), []).append(word)
    return [
        (
            " ".join(text for text, _, _ in words),
            max(height for _, height, _ in words),
            sum(score for *_, score in words) / len(words),
        )
        for words in lines.values()
    ]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    opened = _watch_opened()
    began = time.perf_counter()
    called, read = READERS[sys.argv[1]](*sys.argv[2:])
    ready = {"called": called, "load_ms": (time.perf_counter() - began) * 1000}
    answers.write(json.dumps(ready | _cost(opened)) + "\n")
    for line in sys.stdin:
        task = json.loads(line)
        wall, cpu = time.perf_counter(), _cpu()
        try:
            answer = read(task)
        except Exception as error:  # a measurement tells of it, names it, and goes on
            answer = {"error": f"{type(error).__name__}: {error}"}
        answer["wall_ms"] = (time.perf_counter() - wall) * 1000
        answer["cpu_ms"] = (_cpu() - cpu) * 1000
        answers.write(json.dumps(answer | _cost(opened)) + "\n")


def _watch_opened() -> dict[str, int]:
    """Path → bytes of every file of weights that Python opens from now on: what a reading really loads."""
    opened: dict[str, int] = {}

    def seen(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and arguments and isinstance(arguments[0], (str, os.PathLike)):
            path = Path(arguments[0])
            if (path.suffix in WEIGHTS or path.parent.name == "weights") and str(path) not in opened:
                with suppress(OSError):
                    opened[str(path)] = path.stat().st_size

    sys.addaudithook(seen)
    return opened


def _cpu() -> float:
    """Seconds of processor time of this process and of those it started and waited for."""
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def _cost(opened: dict[str, int]) -> dict[str, float]:
    return {"peak_mb": _peak_mb(), "weights_mb": sum(opened.values()) / 1e6}


def _peak_mb() -> float:
    """Most resident memory so far, in MB (10^6 bytes), of this process or of one that it started, if that is more."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    with suppress(OSError):
        # ru_maxrss of the process itself would begin with what its parent had at the fork.
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
        if found:
            return max(int(found[1]) * 1024, children) / 1e6
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own * (1 if sys.platform == "darwin" else 1024), children) / 1e6


if __name__ == "__main__":
    main()
