"""What a stranger sends is opened safely, or refused with a reason that says what to do."""

import io
import struct
import zlib

import numpy as np
import pytest
from bench._files import stored_turned
from PIL import Image

from rasd.vision import NotAPhotograph, open_photograph, photograph
from rasd.vision.rendered import render_meter


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def quarters() -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right; wider than high."""
    pixels = np.full((60, 100, 3), 255, np.uint8)
    pixels[:30, :50], pixels[:30, 50:], pixels[30:, :50] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return Image.fromarray(pixels)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises width x height and whose data holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def animated(form: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue", "green")]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


BAD = {
    "nothing at all": (b"", "empty"),
    "a damaged PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n" + b"x" * 200, "damaged"),
    "a web page": (b"<!doctype html><html><body>hello</body></html>", "not_a_picture"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"></svg>', "not_a_picture"),
    "PostScript, which Pillow would run a program for": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_a_picture"),
    "a voice note": (b"OggS\0\2" + bytes(60), "not_a_picture"),
    "a damaged HEIC": (b"\0\0\0\x18ftypheic" + bytes(200), "damaged"),
    "a damaged AVIF": (b"\0\0\0\x1cftypavif" + bytes(200), "damaged"),
    "a film": (b"\0\0\0\x18ftypmp42" + bytes(200), "not_a_picture"),
    "a JPEG that broke off near its beginning": (render_meter(45217)[:20_000], "damaged"),
    "a JPEG's first bytes": (render_meter(45217)[:16], "damaged"),
    "a PNG of 30,000 x 30,000": (png_of_size(30_000, 30_000), "too_many_pixels"),
    "a PNG of 9,000 x 9,000, between once and twice Pillow's own limit": (png_of_size(9_000, 9_000), "too_many_pixels"),
    "a PNG without its data": (png_of_size(400, 400), "damaged"),
    "a moving GIF": (animated("GIF"), "animated"),
    "a moving WebP": (animated("WEBP"), "animated"),
    "a moving PNG": (animated("PNG"), "animated"),
    "an icon": (encoded(Image.new("RGB", (16, 16)), "PNG"), "too_few_pixels"),
    "a line one pixel high": (encoded(Image.new("RGB", (4000, 1)), "PNG"), "too_few_pixels"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "code"), BAD.values(), ids=BAD.keys())
def test_it_refuses(data: bytes, code: str) -> None:
    with pytest.raises(NotAPhotograph) as refused:
        open_photograph(data)
    assert refused.value.code == code
    assert str(refused.value) == NotAPhotograph.REASONS[code]


def test_it_refuses_a_file_larger_than_any_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photograph, "MAX_BYTES", 1000)
    with pytest.raises(NotAPhotograph) as refused:
        open_photograph(render_meter(45217))
    assert refused.value.code == "too_large"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_it_stands_the_picture_upright_whatever_the_camera_wrote(orientation: int, form: str) -> None:
    stored, exif = stored_turned(quarters(), orientation)
    picture = open_photograph(encoded(stored, form, exif=exif))
    assert picture.shape == (60, 100, 3)
    np.testing.assert_allclose(picture[10, 10], (255, 0, 0), atol=20)
    np.testing.assert_allclose(picture[10, 90], (0, 255, 0), atol=20)
    np.testing.assert_allclose(picture[50, 10], (0, 0, 255), atol=20)


GOOD = {
    "a CMYK JPEG": encoded(quarters().convert("CMYK"), "JPEG"),
    "a palette PNG": encoded(quarters().convert("P"), "PNG"),
    "a PNG with an alpha channel": encoded(quarters().convert("RGBA"), "PNG"),
    "a WebP": encoded(quarters(), "WEBP"),
    "a BMP": encoded(quarters(), "BMP"),
    "a TIFF": encoded(quarters(), "TIFF"),
    "a GIF of one frame": encoded(quarters(), "GIF"),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_it_opens(data: bytes) -> None:
    picture = open_photograph(data)
    assert picture.shape == (60, 100, 3)
    assert picture.dtype == np.uint8
    # CMYK and JPEG shift colours a little; red stays red.
    assert picture[10, 10, 0] > 180
    assert picture[10, 10, 1:].max() < 90


def test_it_scales_sixteen_bit_grey_instead_of_clipping_it() -> None:
    ramp = np.tile(np.linspace(1000, 60000, 200).astype(np.uint16), (50, 1))
    picture = open_photograph(encoded(Image.fromarray(ramp), "PNG"))
    assert picture[0, 0, 0] == 0
    assert picture[0, -1, 0] == 255
    assert 110 < picture[0, 100, 0] < 145


def test_transparency_is_laid_on_white() -> None:
    picture = open_photograph(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"))
    assert (picture == 255).all()


def test_it_goes_by_content_and_by_nothing_else() -> None:
    """There is no parameter for a declared type: a PNG called .jpg is opened as what it is."""
    assert open_photograph(encoded(quarters(), "PNG")).shape == (60, 100, 3)


def test_a_photograph_of_a_large_camera_is_decoded_small_and_in_its_proportions() -> None:
    large = encoded(Image.new("RGB", (8000, 6000), "grey"), "JPEG")
    height, width = open_photograph(large).shape[:2]
    assert width >= photograph.LONGEST_SIDE
    assert width <= 8000
    assert width / height == pytest.approx(4 / 3, rel=0.01)
