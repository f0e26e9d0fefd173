"""Open what a stranger sent, safely: bytes → an upright RGB picture, or `NotAPhotograph` with its reason.

The type is told by content, never by a declared name or type. Only the formats below are tried, so that
none of Pillow's rarer decoders ever sees a stranger's bytes; HEIC, AVIF and PDF are opened by a process of their
own (`rasd.vision.apart`). Memory is bounded before anything is decoded: docs/decisions/0010-formats.md.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from rasd.vision import apart
from rasd.vision.types import FINDINGS, Finding, NotAPhotograph, Severity

Picture = npt.NDArray[np.uint8]
"""H x W x 3, RGB, upright."""

MAX_BYTES = 32 * 1024 * 1024
"""Twice WhatsApp's limit for an image sent as a document by phones we have seen; more is no photograph."""

MAX_PIXELS = 64_000_000
"""Decoded pixels. The largest phone cameras give 48 to 64 million by default (200 million only on request)."""

MAX_MEMORY = 320_000_000
"""Bytes that decoding may take, by `_memory`'s estimate."""

MIN_SIDE = 32
"""Pixels, at `LONGEST_SIDE`. Below this no row of digits is legible."""

LONGEST_SIDE = 1600
"""Pixels. WhatsApp sends photographs at this size; larger ones are reduced to it before reading."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""Pillow's names. JPEG stands for MPO as well, which some phones write as .jpg; a GIF is mostly opened to say that
it moves."""

MOST_SCANS = 100
"""Passes in which a JPEG may come; a progressive one has about ten, and each of thousands costs a look at every block."""

LEAST_ARRIVED = 0.5
"""Share of a JPEG's rows that must have come for the rest to be worth a look."""

ORIENTATION = 0x0112  # EXIF's tag
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What stands the picture upright, by EXIF's orientation."""


@dataclass(frozen=True)
class Opened:
    """A picture, and what is known of it from its file alone: that its end is missing."""

    picture: Picture
    findings: tuple[Finding, ...] = ()


def check_photograph(data: bytes) -> None:
    """Raises NotAPhotograph where its first bytes say already that it is none. Nothing is decoded: it may be damaged yet."""
    if not data:
        raise NotAPhotograph("empty")
    if apart.is_for_it(data):
        return
    try:
        _opened(data)
    except NotAPhotograph:
        raise
    except Exception as error:  # as in open_file
        raise NotAPhotograph("not_a_picture") from error


def open_photograph(data: bytes) -> Picture:
    """`data` as an upright uint8 array of shape (height, width, 3), RGB: the picture of `open_file`."""
    return open_file(data).picture


def open_file(data: bytes) -> Opened:
    """`data` as an upright picture, and what its file says about it.

    In its stored size, or at a whole fraction of it where the longest side is twice `LONGEST_SIDE` or more.
    Orientation is applied; transparency is laid on white; CMYK, 16-bit and palette pictures are converted. Of a
    JPEG that broke off, what arrived. Of a PDF, the pictures on the first page that is one. Raises NotAPhotograph.
    """
    if not data:
        raise NotAPhotograph("empty")
    if len(data) > MAX_BYTES:
        raise NotAPhotograph("too_large")
    if apart.is_for_it(data):
        picture = apart.decode(data, longest=LONGEST_SIDE, most_pixels=MAX_PIXELS)
        _check_sides(picture.shape[1], picture.shape[0])
        return Opened(picture)
    try:
        return _decode(data)
    except NotAPhotograph:
        raise
    except (Image.DecompressionBombError, MemoryError) as error:
        raise NotAPhotograph("too_many_pixels") from error
    except UnidentifiedImageError as error:
        raise NotAPhotograph("not_a_picture") from error
    except Exception as error:
        # Pillow's decoders raise whatever their parsing trips over: OSError, SyntaxError, struct.error, zlib.error …
        raise NotAPhotograph("damaged") from error


def _decode(data: bytes) -> Opened:
    with warnings.catch_warnings():
        # Pillow only warns between one and two times its own limit, and of EXIF that it cannot read.
        warnings.simplefilter("ignore")
        image = _opened(data)
        whole = True
        rows: Callable[[int, int], Image.Image] | None = None
        try:
            if image.format == "WEBP":
                rows = _rows_of_webp(data)
            else:
                image.load()
        except OSError:
            if image.format not in {"JPEG", "MPO"}:
                raise
            # A JPEG that broke off. Given an end-of-image marker, libjpeg leaves what never came one grey (jdhuff.c,
            # "insufficient_data") instead of giving nothing.
            image, whole = _opened(data + b"\xff\xd9"), False
            image.load()
        orientation = _orientation(image)
        small = _to_small_rgb(image, rows)
        if not whole:
            small = _arrived(small)
        picture = np.asarray(small.transpose(TURNS[orientation]) if orientation in TURNS else small, np.uint8)
    findings = () if whole else (Finding("incomplete", Severity.SERIOUS, FINDINGS["incomplete"]),)
    return Opened(picture, findings)


def _opened(data: bytes) -> Image.Image:
    """Its header read and found bearable, nothing decoded."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise NotAPhotograph("too_many_pixels")
    _check_sides(width, height)
    # An MPO holds further frames (a preview, the other eye), the first is the photograph itself; so may a TIFF.
    if image.format not in {"MPO", "TIFF"} and getattr(image, "is_animated", False):
        raise NotAPhotograph("animated")
    if image.format in {"JPEG", "MPO"} and data.count(b"\xff\xda") > MOST_SCANS:
        raise NotAPhotograph("damaged")
    if _memory(image) > MAX_MEMORY:
        raise NotAPhotograph("too_many_pixels")
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG only: decode big ones at a fraction of the size
    return image


def _check_sides(width: int, height: int) -> None:
    """Also where one side is so long that the other is nothing at the size at which it is read."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    if min(width, height) * scale < MIN_SIDE:
        raise NotAPhotograph("too_few_pixels")


def _memory(image: Image.Image) -> float:
    """Bytes that decoding takes, by what the header says; measured: docs/decisions/0010-formats.md."""
    pixels = image.width * image.height
    if image.format in {"JPEG", "MPO"}:
        # A progressive one is held as two bytes a coefficient, whatever the size asked for.
        layers = [(h, v) for _, h, v, *_ in getattr(image, "layer", [])] or [(1, 1)]
        most = max(h for h, _ in layers) * max(v for _, v in layers)
        return 2 * pixels * sum(h * v for h, v in layers) / max(most, 1)
    if image.format == "WEBP":
        return 10 * pixels  # four bytes a pixel and libwebp's own planes
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        tile = int(tags.get(322, 0)) * int(
            tags.get(323, 0)
        )  # TileWidth, TileLength: larger than the picture, at will
        return 4 * pixels + 8 * max(tile, pixels // 4)
    return 4 * pixels


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:
        # EXIF is written by every camera, editor and messenger in its own way, and its reader raises accordingly;
        # the picture is as good without.
        return 1


def _rows_of_webp(data: bytes) -> Callable[[int, int], Image.Image]:
    """A WebP decoded by OpenCV: its rows from one to another. Pillow, which has read the header, takes every
    WebP for a film and keeps canvases for its frames: 190 MB for 12 million pixels, where this takes 76."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise NotAPhotograph("damaged")
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return lambda top, bottom: Image.fromarray(cv2.cvtColor(pixels[top:bottom], order))


def _to_small_rgb(
    image: Image.Image, rows_of: Callable[[int, int], Image.Image] | None = None
) -> Image.Image:
    """RGB, at a whole fraction of its size. In strips, so that a large picture is held once. `rows_of` gives its rows where
    the image itself was not loaded."""
    width, height = image.size
    rows_of = rows_of or (lambda top, bottom: image.crop((0, top, width, bottom)))
    factor = max(1, max(width, height) // LONGEST_SIDE)
    extremes = cast(tuple[float, float], image.getextrema()) if _is_deep(image) else (0, 0)
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = 64 * factor
    for top in range(0, height, rows):
        strip = _to_rgb(rows_of(top, min(height, top + rows)), extremes)
        small.paste(strip.reduce(factor) if factor > 1 else strip, (0, top // factor))
    return small


def _is_deep(image: Image.Image) -> bool:
    """16-bit, 32-bit and float grey."""
    return image.mode.startswith("I") or image.mode == "F"


def _to_rgb(image: Image.Image, extremes: tuple[float, float]) -> Image.Image:
    if _is_deep(image):
        # Pillow would clip at 255 instead of scaling.
        low, high = extremes
        values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=high, neginf=low)
        scaled = (values - low) / (high - low) * 255 if high > low else np.zeros_like(values)
        return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


def _arrived(image: Image.Image) -> Image.Image:
    """Without the rows at its end that are of one colour throughout: they never came."""
    pixels = np.asarray(image)
    came = np.flatnonzero((pixels != pixels[:, :1]).any(axis=(1, 2)))
    rows = int(came[-1]) + 1 if came.size else 0
    if rows < LEAST_ARRIVED * image.height:
        raise NotAPhotograph("damaged")
    _check_sides(image.width, rows)
    return image.crop((0, 0, image.width, rows))
