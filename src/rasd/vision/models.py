"""The networks, each loaded once a process and shared by its threads (ONNX Runtime sessions are thread-safe)."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import onnxruntime
import rapidocr

WEIGHTS = Path(__file__).parent / "weights"
"""Ours, with `manifest.json`: file name → SHA-256, and the calibration measured for these weights."""

OCR_MODELS = Path(rapidocr.__file__).parent / "models"
"""PP-OCRv6 (Apache-2.0), shipped inside the rapidocr wheel, which is pinned by hash."""

THREADS = 1
"""A worker process reads one photograph at a time; more processes beat more threads."""


class DamagedModel(RuntimeError):
    """A shipped model is not the file that was shipped: the installation is damaged."""


@cache
def manifest() -> dict[str, str]:
    """File name → SHA-256 of every file in `WEIGHTS` that a reading depends on."""
    entries: dict[str, str] = json.loads((WEIGHTS / "manifest.json").read_text(encoding="utf-8"))
    return entries


@cache
def own(name: str) -> onnxruntime.InferenceSession:
    """One of our networks. Raises DamagedModel where its SHA-256 is not the manifest's."""
    data = (WEIGHTS / name).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != manifest()[name]:
        raise DamagedModel(f"{name} has SHA-256 {found}, not {manifest()[name]}: install rasd again")
    return _session(data)


@cache
def ocr(name: str) -> onnxruntime.InferenceSession:
    """One of PP-OCR's networks by file name."""
    return _session((OCR_MODELS / name).read_bytes())


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = THREADS
    # The arena keeps the largest picture's memory for good; without it the process stays under 500 MB.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
