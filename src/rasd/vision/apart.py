"""Pictures whose decoders are kept out of this process: HEIC and AVIF (phones), PDF (scanning apps, "print to PDF")."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rasd.vision.types import NotAPhotograph

PROGRAM = Path(__file__).with_name("decode_apart.py")

TIMEOUT = 120.0
"""Seconds by the clock, so long because the machine may be busy: what bounds the work is the program's processor time."""

PICTURES = {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"avif", b"avis",
}  # fmt: skip
"""Brands of HEIF (ISO/IEC 23008-12) and AVIF in the `ftyp` box; a film has others."""


def is_for_it(data: bytes) -> bool:
    if data[4:8] == b"ftyp":
        return data[8:12] in PICTURES
    return data[:1024].lstrip().startswith(b"%PDF-")


def decode(data: bytes, *, longest: int, most_pixels: int) -> npt.NDArray[np.uint8]:
    """`data` as an upright uint8 array of shape (height, width, 3), RGB, its longest side at least `longest` if it was.

    Takes about a fifth of a second more than the decoding. Raises NotAPhotograph: "damaged" also where the decoder
    died, took too long or wanted too much memory.
    """
    return _run(data, str(longest), str(most_pixels))


def first_page(data: bytes, *, longest: int) -> npt.NDArray[np.uint8]:
    """The first page of a PDF as people see it, whatever is on it, `longest` pixels long. Raises NotAPhotograph."""
    return _run(data, str(longest), "0", "page")


def _run(data: bytes, *arguments: str) -> npt.NDArray[np.uint8]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(PROGRAM), *arguments],
            input=data,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            env={"MALLOC_ARENA_MAX": "1"},  # nothing of ours: no passwords beside a stranger's bytes
        )
    except subprocess.TimeoutExpired as error:
        raise NotAPhotograph("damaged") from error
    head, _, rgb = done.stdout.partition(b"\n")
    if size := re.fullmatch(rb"P6 (\d+) (\d+) 255", head):
        width, height = int(size[1]), int(size[2])
        if len(rgb) == width * height * 3:
            return np.frombuffer(rgb, np.uint8).reshape(height, width, 3)
    code = head.decode("ascii", "replace")
    raise NotAPhotograph(code if code in NotAPhotograph.REASONS else "damaged")
