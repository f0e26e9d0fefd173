"""What phones, scanners and mistakes send: read where a photograph is in it, refused with its own reason where none is.

Pictures are RENDERED or DRAWN (bench/_files.py). The long run over damaged files is ``rasd bench fuzz``.
"""

import io
import os
import resource
import struct
import subprocess
import sys
import zlib
from random import Random

import numpy as np
import pytest
from bench._mutations import mutated
from PIL import Image

from bench import _files
from rasd.vision import NotAPhotograph, apart, decode_apart, open_photograph, photograph, read_photograph
from rasd.vision.photograph import open_file


def quarters() -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right; wider than high."""
    pixels = np.full((240, 400, 3), 255, np.uint8)
    pixels[:120, :200], pixels[:120, 200:], pixels[120:, :200] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return Image.fromarray(pixels)


def assert_quarters(picture: photograph.Picture, *, shape: tuple[int, int] = (240, 400)) -> None:
    assert picture.shape == (*shape, 3)
    height, width = shape
    corners = [picture[int(y * height), int(x * width)] for y in (0.2, 0.8) for x in (0.2, 0.8)]
    np.testing.assert_allclose(corners, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], atol=40)


def refusal(data: bytes) -> str:
    with pytest.raises(NotAPhotograph) as refused:
        open_photograph(data)
    return refused.value.code


# HEIC and AVIF


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_a_heic_is_turned_once_by_its_own_boxes_and_not_again_by_exif(form: str, orientation: int) -> None:
    stored, exif = _files.stored_turned(quarters(), orientation)
    data = _files.encoded(stored, form, exif=exif)
    if form == "HEIF" and orientation > 1:
        assert b"irot" in data or b"imir" in data, "as iPhones write it: boxes and EXIF"
        assert b"Exif" in data
    assert_quarters(open_photograph(data))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_heic_of_any_mode_is_opened(mode: str) -> None:
    picture = open_photograph(_files.encoded(quarters().convert(mode), "HEIF"))
    assert picture.shape == (240, 400, 3)
    assert picture[-20, -20].min() > 240


def test_a_heic_of_several_images_shows_its_primary_one() -> None:
    import pillow_heif

    several = pillow_heif.from_pillow(Image.new("RGB", (300, 300), "black"))
    several.add_from_pillow(quarters())
    out = io.BytesIO()
    several.save(out, primary_index=1)
    assert_quarters(open_photograph(out.getvalue()))


def test_a_heic_sequence_and_a_moving_avif_are_moving_pictures() -> None:
    still = _files.encoded(quarters(), "HEIF")
    assert refusal(still[:8] + b"hevc" + still[12:]) == "animated"
    turned = quarters().transpose(Image.Transpose.ROTATE_180)
    assert refusal(_files.encoded(quarters(), "AVIF", save_all=True, append_images=[turned])) == "animated"


def test_a_large_heic_is_reduced_as_a_large_jpeg_is() -> None:
    large = Image.new("RGB", (4032, 504), "grey")
    assert open_photograph(_files.encoded(large, "HEIF", quality=20)).shape == (252, 2016, 3)


def test_a_heic_that_says_it_is_gigantic_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _files.encoded(quarters(), "HEIF")
    monkeypatch.setattr(photograph, "MAX_PIXELS", 10_000)
    assert refusal(data) == "too_many_pixels"


def test_a_meter_is_read_from_a_heic() -> None:
    assert read_photograph(_files.encoded(_files.meter(), "HEIF", quality=60)).digits == "045217"


# PDF


def test_a_photograph_in_a_pdf_is_cut_out_of_its_page() -> None:
    assert_quarters(open_photograph(_files.pdf(quarters(), box=(40, 400, 540, 700))))


def test_a_pdf_is_turned_as_its_page_is() -> None:
    stored = quarters().transpose(Image.Transpose.ROTATE_90)  # a page that is shown a quarter to the right
    data = _files.pdf(stored, box=(0, 0, 240, 400), page=(240, 400), turned=90)
    assert_quarters(open_photograph(data))


def test_the_first_page_with_a_photograph_is_taken() -> None:
    assert_quarters(open_photograph(_files.pdf(quarters(), box=(40, 400, 540, 700), blank_pages=3)))


def test_a_caption_does_not_make_a_photograph_a_document() -> None:
    data = _files.pdf(quarters(), box=(40, 200, 540, 500), text=("My meter, account 100200300",))
    assert_quarters(open_photograph(data))


def test_a_photograph_in_a_pdf_as_pillow_writes_it_is_opened() -> None:
    assert_quarters(open_photograph(_files.encoded(quarters(), "PDF", resolution=72)))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_files.pdf_bill(), "document"),
        (_files.pdf(None, text=("Dear sirs",)), "document"),
        (_files.pdf(None), "document"),
        (_files.pdf(Image.new("RGB", (64, 64))), "document"),
        (_files.pdf_locked(), "locked"),
        (_files.pdf(quarters())[:900], "damaged"),
        (b"%PDF-1.4 " + bytes(300), "damaged"),
    ],
    ids=[
        "a bill with a logo",
        "a letter",
        "an empty page",
        "an icon",
        "a password",
        "its beginning",
        "noughts",
    ],
)
def test_a_pdf_without_a_photograph_says_what_it_is(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_a_pdf_of_a_gigantic_picture_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photograph, "MAX_PIXELS", 10_000)
    assert refusal(_files.pdf(quarters())) == "too_many_pixels"


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA bounds memory on Linux only")
@pytest.mark.parametrize("drawing", [b" ", b"1 1 m 3 3 l S "], ids=["spaces", "lines"])
def test_a_pdf_that_unpacks_to_a_gigabyte_ends_its_decoder_and_not_us(drawing: bytes) -> None:
    packer = zlib.compressobj(9)
    piece = drawing * (1_000_000 // len(drawing))
    packed = b"".join(packer.compress(piece) for _ in range(1000)) + packer.flush()
    bomb = _with_content(_files.pdf(quarters()), packed)
    assert len(bomb) < 3_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(bomb) == "damaged"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def _with_content(pdf: bytes, packed: bytes) -> bytes:
    """A page of its own, drawn by ``packed`` (deflated), put after what ``pdf`` holds."""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 5\n0000000000 65535 f \n"
    return out + head + table + b"trailer<</Root 1 0 R/Size 5>>\nstartxref\n%d\n%%%%EOF" % len(out)


# The decoder that runs apart


def test_the_decoder_apart_is_given_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def run(command: list[str], **how: object) -> subprocess.CompletedProcess[bytes]:
        seen.update(how)
        return subprocess.CompletedProcess(command, 0, b"document", b"")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setitem(os.environ, "RASD_SECRET_KEY", "secret")
    assert refusal(b"%PDF-1.4") == "document"
    assert "secret" not in str(seen["env"])


@pytest.mark.parametrize(
    "answer", [b"", b"P6 10 10 255\nshort", b"P6 x", b"Traceback", b"\xff\xfe"], ids=repr
)
def test_a_decoder_that_died_or_talks_nonsense_means_damaged(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    died = subprocess.CompletedProcess([], -11, answer, b"")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: died)
    assert refusal(b"%PDF-1.4") == "damaged"


def test_a_decoder_that_takes_too_long_means_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "TIMEOUT", 0.001)
    assert refusal(_files.pdf(quarters())) == "damaged"


def test_every_word_of_the_decoder_apart_is_a_reason() -> None:
    words = {"animated", "damaged", "document", "locked", "too_many_pixels"}
    assert words <= NotAPhotograph.REASONS.keys()
    source = apart.PROGRAM.read_text(encoding="utf-8")
    assert all(f'"{word}"' in source for word in words)
    with pytest.raises(decode_apart.NoPicture):
        decode_apart.check_size(100, 100, 9999)


# JPEG


@pytest.mark.parametrize("share", [0.999, 0.9, 0.7])
def test_of_a_jpeg_that_broke_off_what_came_is_read_and_the_rest_is_told(share: float) -> None:
    whole = _files.encoded(_files.meter(), "JPEG", quality=85)
    reading = read_photograph(whole[: int(len(whole) * share)])
    assert reading.digits == "045217"
    assert [one.code for one in reading.findings] == ["incomplete"]


def test_a_whole_jpeg_is_told_to_be_whole() -> None:
    assert open_file(_files.encoded(_files.meter(), "JPEG")).findings == ()


def test_the_rows_that_never_came_are_left_out() -> None:
    whole = _files.encoded(_files.meter(), "JPEG", quality=85)
    height = open_photograph(whole).shape[0]
    assert 0.5 * height < open_photograph(whole[: int(len(whole) * 0.7)]).shape[0] < 0.9 * height


def test_a_progressive_jpeg_that_broke_off_is_there_from_top_to_bottom() -> None:
    whole = _files.encoded(_files.meter(), "JPEG", progressive=True)
    opened = open_file(whole[: int(len(whole) * 0.9)])
    assert opened.picture.shape == open_photograph(whole).shape
    assert [one.code for one in opened.findings] == ["incomplete"]


def test_a_jpeg_of_which_less_than_half_came_is_damaged() -> None:
    whole = _files.encoded(_files.meter(), "JPEG", quality=85)
    assert refusal(whole[: int(len(whole) * 0.3)]) == "damaged"


def test_a_jpeg_of_thousands_of_passes_is_not_begun() -> None:
    whole = _files.encoded(_files.meter(400), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    assert refusal(whole[:last] + whole[last:-2] * 5000 + whole[-2:]) == "damaged"


def test_a_cmyk_jpeg_as_adobe_writes_it_keeps_its_colours() -> None:
    data = _files.encoded(quarters().convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    assert_quarters(open_photograph(data))


EXIF = {
    "garbage": b"Exif\0\0" + Random(1).randbytes(500),
    "an orientation of 99": _files.stored_turned(quarters(), 99)[1],
    "an offset to nowhere": b"Exif\0\0MM\0*\xff\xff\xff\xf0",
    "too short": b"Exif\0\0MM",
    "a tag that points to itself": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0",
}


@pytest.mark.parametrize("exif", EXIF.values(), ids=EXIF.keys())
def test_exif_that_makes_no_sense_costs_nobody_the_photograph(exif: bytes) -> None:
    assert_quarters(open_photograph(_files.encoded(quarters(), "JPEG", quality=95, exif=exif)))


def test_neither_a_huge_colour_profile_nor_absurd_densities_cost_the_photograph() -> None:
    data = _files.encoded(quarters(), "JPEG", quality=95, icc_profile=bytes(4_000_000), dpi=(65535, 1))
    assert_quarters(open_photograph(data))
    absurd = data.replace(b"JFIF\0", b"JFIF\0", 1)
    place = absurd.index(b"JFIF\0") + 7
    assert_quarters(open_photograph(absurd[:place] + b"\x01\xff\xff\x00\x00" + absurd[place + 5 :]))


def test_of_an_mpo_the_first_frame_is_the_photograph() -> None:
    other = Image.new("RGB", (400, 240), "black")
    assert_quarters(open_photograph(_files.encoded(quarters(), "MPO", save_all=True, append_images=[other])))


# Other formats


def test_sixteen_bit_grey_is_scaled_in_tiff_and_png_alike() -> None:
    deep = _files.sixteen_bit(quarters())
    png, tiff = (open_photograph(_files.encoded(deep, form)) for form in ("PNG", "TIFF"))
    np.testing.assert_array_equal(png, tiff)
    assert int(png[20, 20, 0]) == 53  # red is 76 of grey, blue 29, white 255: 255 * (76 - 29) / (255 - 29)
    assert int(png[-20, -20, 0]) == 255


def test_a_float_tiff_with_not_a_number_in_it_is_opened() -> None:
    values = np.asarray(quarters().convert("L"), dtype=np.float32).copy()
    values[0, :50] = np.nan
    assert open_photograph(_files.encoded(Image.fromarray(values), "TIFF")).shape == (240, 400, 3)


def test_a_tiff_whose_tiles_are_larger_than_memory_is_not_decoded() -> None:
    # width, height, bits, LZW, grey, one sample, then tiles: width, height, where, how long
    tags = {256: 400, 257: 240, 258: 8, 259: 5, 262: 1, 277: 1, 322: 60_000, 323: 60_000, 324: 8, 325: 100}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(200)
    assert refusal(data) == "too_many_pixels"


def png_of(width: int, height: int) -> bytes:
    """All noughts, as small as it gets."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" * (1 + width * 3)) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_strip_of_which_nothing_is_left_at_reading_size_is_too_small() -> None:
    assert refusal(png_of(20_000, 40)) == "too_few_pixels"
    assert refusal(png_of(40, 20_000)) == "too_few_pixels"
    assert open_photograph(png_of(1600, 32)).shape == (32, 1600, 3)


def test_a_large_picture_is_held_once_and_given_small() -> None:
    """48 million pixels in 140 kB: the process that opens it grows by less than half of the limit of 500 MB."""
    code = (
        "import sys, resource; from rasd.vision.photograph import open_photograph as o;"
        "o(open(sys.argv[2], 'rb').read()); m = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before = m(); print(o(open(sys.argv[1], 'rb').read()).shape, m() - before)"
    )
    assert _run(code, png_of(8000, 6000), png_of(100, 100)) == ("(1200, 1600, 3)", True)


def _run(code: str, large: bytes, small: bytes, megabytes: int = 250) -> tuple[str, bool]:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / name) for name in ("large", "small")]
        for name, data in zip(names, (large, small), strict=True):
            Path(name).write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-c", code, *names], capture_output=True, text=True, check=True
        )
    shape, _, grown = done.stdout.strip().rpartition(" ")
    return shape, int(grown) / (1024 * 1024 if sys.platform == "darwin" else 1024) < megabytes


def test_a_large_webp_is_held_once_as_well() -> None:
    """12 million pixels in the decoder of Pillow, which takes every WebP for a film, took 190 MB."""
    code = (
        "import sys, resource; from rasd.vision.photograph import open_photograph as o;"
        "o(open(sys.argv[2], 'rb').read()); m = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "before = m(); print(o(open(sys.argv[1], 'rb').read()).shape, m() - before)"
    )
    large, small = (
        _files.encoded(Image.new("RGB", size), "WEBP", method=0) for size in ((4000, 3000), (100, 100))
    )
    assert _run(code, large, small, megabytes=120) == ("(1500, 2000, 3)", True)


def test_a_webp_that_would_take_more_memory_than_there_is_for_one_is_not_decoded() -> None:
    data = _files.encoded(Image.new("RGB", (7000, 5000)), "WEBP", method=0)
    assert refusal(data) == "too_many_pixels"


NOT_PICTURES = {
    "a ZIP": b"PK\x03\x04" + bytes(100),
    "an error page saved as .jpg": b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>",
    "text": "القراءة ٤٥٢١٧".encode(),
    "noughts": bytes(5000),
    "a film named .jpg": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(3000),
    "an SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200),
}


@pytest.mark.parametrize("data", NOT_PICTURES.values(), ids=NOT_PICTURES.keys())
def test_it_is_no_picture(data: bytes) -> None:
    assert refusal(data) == "not_a_picture"


# Pictures of other things


@pytest.mark.parametrize("what", ["cat", "selfie", "bill", "wall"])
def test_nothing_is_adopted_or_asked_about_from_a_picture_without_a_meter(what: str) -> None:
    reading = read_photograph(_files.encoded(getattr(_files, what)(), "JPEG", quality=80))
    assert reading.decision in {"retake", "review"}


# Damage


def test_a_few_hundred_damaged_files_are_each_opened_or_refused() -> None:
    """A slice of ``rasd bench fuzz``, always the same one; of the kinds that need no process of their own."""
    seeds = {name: data for name, data in _files.seeds().items() if not apart.is_for_it(data)}
    names, others = list(seeds), list(seeds.values())
    refused = 0
    for number in range(400):
        rng = Random(f"slice:{number}")
        name = rng.choice(names)
        data = mutated(name, seeds[name], others, rng)
        if apart.is_for_it(data):
            continue
        try:
            picture = open_photograph(data)
        except NotAPhotograph:
            refused += 1
        else:
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
            assert picture.shape[2] == 3
    assert 100 < refused < 390, "damage that is always or never noticed tests nothing"


def test_damaged_heic_avif_and_pdf_are_each_opened_or_refused() -> None:
    seeds = {name: data for name, data in _files.seeds().items() if apart.is_for_it(data)}
    for number in range(len(seeds)):
        rng = Random(f"slice:{number}")
        name = list(seeds)[number % len(seeds)]
        try:
            open_photograph(mutated(name, seeds[name], list(seeds.values()), rng))
        except NotAPhotograph:
            continue
