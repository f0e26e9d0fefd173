"""How a network is opened: ONNX Runtime sessions are thread-safe, so that a process's threads share one each."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import onnxruntime
import rapidocr

OCR_MODELS = Path(rapidocr.__file__).parent / "models"
"""PP-OCRv6 (Apache-2.0), shipped inside the rapidocr wheel, which is pinned by hash. Every eye uses it."""

THREADS = 1
"""A worker process reads one photograph at a time; more processes beat more threads."""


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h of the GNU C library
ALONE, KEPT = 4 * 1024 * 1024, 32 * 1024 * 1024
"""Bytes from which a block is the system's own and goes back when freed, and that the heap keeps free at its end. Measured
over 394 photographs: 128 kB for both cost 12 % more processor time and took 167 MB; 16 MB for both 0 to 2 % and 253 to 293 MB."""


@cache
def ocr(name: str) -> onnxruntime.InferenceSession:
    """One of PP-OCR's networks by file name."""
    return session((OCR_MODELS / name).read_bytes())


def session(model: bytes) -> onnxruntime.InferenceSession:
    """A network from the bytes of its ONNX file."""
    give_back_what_is_freed()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = THREADS
    # The arena keeps the largest picture's memory for good; without it the process stays under 500 MB.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def give_back_what_is_freed() -> None:
    """Keep glibc from raising its threshold as large blocks are freed (mallopt(3), "dynamic mmap threshold").

    It then keeps pictures and layers of many sizes in one heap, which only grows: over 394 photographs to as much as
    412 MB, and with the thresholds held to 193 to 243 MB, for 6 to 9 % more processor time. Without glibc nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, ALONE)
        mallopt(M_TRIM_THRESHOLD, KEPT)
