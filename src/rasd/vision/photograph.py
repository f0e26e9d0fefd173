"""Open what a stranger sent, safely: bytes → an upright RGB picture, or `NotAPhotograph` with its reason.

The type is told by content, never by a declared name or type. Only the formats below are tried, so that
none of Pillow's rarer decoders ever sees a stranger's bytes.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from rasd.vision.types import NotAPhotograph

Picture = npt.NDArray[np.uint8]
"""H x W x 3, RGB, upright."""

MAX_BYTES = 32 * 1024 * 1024
"""Twice WhatsApp's limit for an image sent as a document by phones we have seen; more is no photograph."""

MAX_PIXELS = 64_000_000
"""Decoded pixels. The largest phone cameras give 50 to 64 million by default (200 million only on request)."""

MIN_SIDE = 32
"""Pixels. Below this no row of digits is legible."""

LONGEST_SIDE = 1600
"""Pixels. WhatsApp sends photographs at this size; larger ones are reduced to it before reading."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
"""Pillow's names. JPEG stands for MPO as well, which some phones write as .jpg; a GIF is mostly opened to say that
it moves."""


def open_photograph(data: bytes) -> Picture:
    """`data` as an upright uint8 array of shape (height, width, 3), RGB.

    In its stored size; a JPEG much larger than `LONGEST_SIDE` is decoded at a fraction of it. EXIF orientation
    is applied; transparency is laid on white; CMYK, 16-bit and palette pictures are converted. Raises
    NotAPhotograph.
    """
    if not data:
        raise NotAPhotograph("empty")
    if len(data) > MAX_BYTES:
        raise NotAPhotograph("too_large")
    if _is_heic(data):
        raise NotAPhotograph("heic")
    try:
        with warnings.catch_warnings():
            # Pillow only warns between one and two times its own limit; ours is checked below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                return _decode(image)
    except NotAPhotograph:
        raise
    except Image.DecompressionBombError as error:
        raise NotAPhotograph("too_many_pixels") from error
    except UnidentifiedImageError as error:
        raise NotAPhotograph("not_a_picture") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError) as error:
        # Pillow's decoders raise each of these on damaged files.
        raise NotAPhotograph("damaged") from error


def _is_heic(data: bytes) -> bool:
    """ISO base media file (ISO/IEC 14496-12): a `ftyp` box whose brand is one of HEIF's or AVIF's."""
    return data[4:8] == b"ftyp" and data[8:12] in {
        b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis",
    }  # fmt: skip


def _decode(image: Image.Image) -> Picture:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise NotAPhotograph("too_many_pixels")
    if min(width, height) < MIN_SIDE:
        raise NotAPhotograph("too_few_pixels")
    # An MPO holds further frames (a preview, the other eye), the first is the photograph itself.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise NotAPhotograph("animated")
    image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEG only: decode big ones at a fraction of the size
    image.load()
    upright = ImageOps.exif_transpose(image) or image
    return np.asarray(_to_rgb(upright), dtype=np.uint8)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit and float grey: Pillow would clip at 255 instead of scaling.
        values = np.asarray(image, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        scaled = (values - low) / (high - low) * 255 if high > low else np.zeros_like(values)
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")
