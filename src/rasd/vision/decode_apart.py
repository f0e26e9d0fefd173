"""Run as a program of its own: a HEIC, AVIF or PDF on standard input → a PPM picture, or one word, on standard output.

Apart from the process that asked, because what a few hundred kilobytes of PDF unpack to has no bound that could be
seen beforehand, and because a fault in these decoders must not end a worker. `rasd.vision.apart` starts it. It imports
nothing of Rasd, so that it starts quickly. The words are codes of `NotAPhotograph`.
"""

import io
import math
import resource
import sys
import warnings
from typing import Any

from PIL import Image, ImageOps

MEMORY = 450 * 1024 * 1024
"""Bytes of data the program may hold: what the largest picture allowed takes (see docs/decisions/0010-formats.md), and a half."""

SECONDS = 10
"""Of processor time. A photograph takes less than one."""

LEAST_PICTURE = 200
"""Pixels: in a PDF, what is smaller both ways is a logo or a line, not a photograph."""

LEAST_OF_PAGE = 1 / 8
"""Share of the page that the pictures on it must cover together."""

LETTERS_OF_A_DOCUMENT = 300
"""A page with more text than that is a bill or a letter, whatever pictures are on it. A meter's face that a scanning
app wrote out as text has about 150."""

MOST_PAGES = 10
MOST_OBJECTS = 5000  # on a page; a photograph's page has a handful


class NoPicture(Exception):
    """`args[0]` is the word."""


def main() -> None:
    longest, most_pixels = int(sys.argv[1]), int(sys.argv[2])
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout.buffer
    try:
        data = sys.stdin.buffer.read()
        width, height, rgb = (
            first_page(data, longest) if sys.argv[3:] == ["page"] else decode(data, longest, most_pixels)
        )
    except NoPicture as error:
        out.write(error.args[0].encode())
    except MemoryError:
        out.write(b"too_many_pixels")
    else:
        out.write(b"P6 %d %d 255\n" % (width, height))
        out.write(rgb)


def decode(data: bytes, longest: int, most_pixels: int) -> tuple[int, int, bytes]:
    """Width, height and RGB bytes, upright. Reduced by a whole number where the longest side stays `longest` or more.

    Raises NoPicture, and whatever the decoders raise on damaged files.
    """
    if data[4:8] != b"ftyp":
        return from_pdf(data, longest, most_pixels)
    if data[8:12] in {b"avif", b"avis"}:
        return from_avif(data, longest, most_pixels)
    return from_heif(data, longest, most_pixels)


# HEIF


def from_heif(data: bytes, longest: int, most_pixels: int) -> tuple[int, int, bytes]:
    """The primary image. libheif turns it as its `irot` and `imir` say; EXIF's orientation is then void (ISO 23008-12)."""
    import pillow_heif
    from pillow_heif import options

    # What iPhones put beside the photograph is not looked at.
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    options.DECODE_THREADS = 1
    if data[8:12] in {b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"}:
        raise NoPicture("animated")
    file = pillow_heif.open_heif(data)
    heif = file[file.primary_index]
    check_size(*heif.size, most_pixels)
    pixels: Any = memoryview(heif.data)
    (width, height), mode, stride = heif.size, heif.mode, heif.stride
    check_size(width, height, most_pixels)
    if mode not in {"L", "LA", "RGB", "RGBA"}:
        raise NoPicture("damaged")
    factor = max(1, max(width, height) // longest)
    small = Image.new("RGB", (math.ceil(width / factor), math.ceil(height / factor)))
    # In strips, so that a photograph of 48 million pixels is held once and not three times.
    rows = 64 * factor
    for top in range(0, height, rows):
        count = min(rows, height - top)
        part = pixels[top * stride : (top + count) * stride]
        strip = Image.frombuffer(mode, (width, count), part, "raw", mode, stride, 1)
        small.paste(on_white(strip).reduce(factor), (0, top // factor))
    return *small.size, small.tobytes()


def on_white(image: Image.Image) -> Image.Image:
    if image.mode not in {"LA", "RGBA"}:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")


def from_avif(data: bytes, longest: int, most_pixels: int) -> tuple[int, int, bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(data), formats=("AVIF",))
    # Decoded it stands in memory as YUV, as RGB, as Pillow's copy of it and once more on the way.
    check_size(*image.size, most_pixels // 2)
    if getattr(image, "n_frames", 1) > 1:
        raise NoPicture("animated")
    image.load()
    small = on_white(image).reduce(max(1, max(image.size) // longest))
    small.info["exif"] = image.info.get("exif", b"")
    # Pillow writes what AVIF's `irot` and `imir` say into this EXIF, so that it is applied once.
    small = ImageOps.exif_transpose(small)
    return *small.size, small.tobytes()


def check_size(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise NoPicture("too_many_pixels")


# PDF


def opened(data: bytes) -> Any:
    import pypdfium2
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in {FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY}
        raise NoPicture("locked" if locked else "damaged") from error


def first_page(data: bytes, longest: int) -> tuple[int, int, bytes]:
    """The whole first page of a PDF, whatever is on it, `longest` pixels long."""
    import pypdfium2

    try:
        page = opened(data)[0]
        return drawn(page, longest / max(page.get_size()))
    except (pypdfium2.PdfiumError, IndexError) as error:
        raise NoPicture("damaged") from error


def from_pdf(data: bytes, longest: int, most_pixels: int) -> tuple[int, int, bytes]:
    """The pictures on the first page that is a photograph more than a text, as the page shows them."""
    import pypdfium2

    document = opened(data)
    for number in range(min(len(document), MOST_PAGES)):
        try:
            page = document[number]
            area = pictures_on(page, most_pixels)
        except pypdfium2.PdfiumError:
            continue  # a damaged page; the next may hold the photograph
        if area is not None:
            return rendered(page, area, longest)
    raise NoPicture("document")


def pictures_on(page: Any, most_pixels: int) -> tuple[float, ...] | None:
    """Left, bottom, right, top in points and pixels a point, or None where the page holds no photograph."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    left, bottom, right, top = page.get_bbox()
    found = []
    for count, one in enumerate(page.get_objects(max_depth=3)):
        if count > MOST_OBJECTS:
            return None
        if one.type != FPDF_PAGEOBJ_IMAGE:
            continue
        width, height = one.get_px_size()
        check_size(width, height, most_pixels)
        # Inside a form its place on the page is not told: the whole page is taken then.
        x0, y0, x1, y1 = one.get_bounds() if one.level == 0 else (left, bottom, right, top)
        x0, y0, x1, y1 = max(x0, left), max(y0, bottom), min(x1, right), min(y1, top)
        if max(width, height) >= LEAST_PICTURE and x1 > x0 and y1 > y0:
            found.append((x0, y0, x1, y1, max(width, height) / max(x1 - x0, y1 - y0)))
    covered = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1, _ in found)
    if not found or covered < LEAST_OF_PAGE * (right - left) * (top - bottom):
        return None
    if page.get_textpage().count_chars() > LETTERS_OF_A_DOCUMENT:
        return None
    xs0, ys0, xs1, ys1, fine = zip(*found, strict=True)
    return min(xs0), min(ys0), max(xs1), max(ys1), max(fine)


def rendered(page: Any, area: tuple[float, ...], longest: int) -> tuple[int, int, bytes]:
    """That part of the page, turned as the page is; not finer than the picture on it, nor than needed."""
    x0, y0, x1, y1, fine = area
    page.set_cropbox(x0, y0, x1, y1)
    return drawn(page, min(fine, longest / max(page.get_size())))


def drawn(page: Any, scale: float) -> tuple[int, int, bytes]:
    bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
    image = bitmap.to_pil().convert("RGB")
    return *image.size, image.tobytes()


if __name__ == "__main__":
    main()
