"""How a network is opened: ONNX Runtime sessions are thread-safe, so that a process's threads share one each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import onnxruntime
import rapidocr

OCR_MODELS = Path(rapidocr.__file__).parent / "models"
"""PP-OCRv6 (Apache-2.0), shipped inside the rapidocr wheel, which is pinned by hash. Every eye uses it."""

THREADS = 1
"""A worker process reads one photograph at a time; more processes beat more threads."""


@cache
def ocr(name: str) -> onnxruntime.InferenceSession:
    """One of PP-OCR's networks by file name."""
    return session((OCR_MODELS / name).read_bytes())


def session(model: bytes) -> onnxruntime.InferenceSession:
    """A network from the bytes of its ONNX file."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = THREADS
    # The arena keeps the largest picture's memory for good; without it the process stays under 500 MB.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
