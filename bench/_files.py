"""Files of every format that customers send, made from RENDERED pictures: seeds of `bench/fuzz.py`, and of tests."""

import ctypes
import io
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image, ImageDraw

from rasd.vision.rendered import font, render_meter, render_no_meter

pillow_heif.register_heif_opener()  # so that Pillow writes HEIC; the product reads it without

A4 = (595.0, 842.0)  # points
ORIENTATION = 0x0112  # EXIF's tag


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def meter(side: int = 1200, *, value: int = 45217, kind: str = "roller") -> Image.Image:
    """A RENDERED meter that shows `value`, its longest side `side` pixels."""
    image = Image.open(io.BytesIO(render_meter(value, kind=kind, seed=1)))
    image.thumbnail((side, side))
    return image


def wall() -> Image.Image:
    """A RENDERED wall with a socket."""
    return Image.open(io.BytesIO(render_no_meter()))


def stored_turned(image: Image.Image, orientation: int) -> tuple[Image.Image, bytes]:
    """`image` as a camera held that way stores it, and the EXIF that says so."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return (image.transpose(undo[orientation]) if orientation in undo else image), exif.tobytes()


def sixteen_bit(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def cat() -> Image.Image:
    """A DRAWN cat."""
    scene = Image.new("RGB", (900, 900), (176, 150, 120))
    draw = ImageDraw.Draw(scene)
    fur, dark = (96, 84, 74), (30, 26, 24)
    for left in (240, 500):
        draw.polygon([(left, 400), (left + 80, 180), (left + 170, 380)], fill=fur, outline=dark)
    draw.ellipse((220, 300, 690, 740), fill=fur, outline=dark, width=6)
    for x in (360, 550):
        draw.ellipse((x - 45, 450, x + 45, 540), fill=(190, 200, 90), outline=dark, width=4)
        draw.ellipse((x - 10, 455, x + 10, 535), fill=dark)
    draw.polygon([(430, 590), (480, 590), (455, 620)], fill=(190, 120, 120))
    for rise in (-40, 0, 40):
        for end in (180, 730):
            draw.line((455, 620, end, 630 + rise), fill=(230, 230, 230), width=3)
    return scene


def selfie() -> Image.Image:
    """A DRAWN face in front of a wall."""
    scene = Image.new("RGB", (800, 1000), (200, 210, 216))
    draw = ImageDraw.Draw(scene)
    draw.ellipse((150, 780, 650, 1300), fill=(60, 80, 120))
    draw.ellipse((230, 240, 570, 740), fill=(214, 170, 140))
    draw.pieslice((220, 200, 580, 560), 180, 360, fill=(50, 36, 30))
    for x in (325, 475):
        draw.ellipse((x - 34, 430, x + 34, 470), fill="white")
        draw.ellipse((x - 14, 436, x + 14, 464), fill=(60, 40, 30))
    draw.arc((330, 540, 470, 650), 20, 160, fill=(150, 60, 60), width=8)
    return scene


def bill_lines() -> list[str]:
    head = ["ELECTRICITY BILL", "Account 100200300", "Period 01/10/2026 - 31/10/2026"]
    rows = [f"Item {n:02}   {n * 137 % 1000:>4} kWh   {n * 3.175:.3f} OMR" for n in range(1, 24)]
    return [*head, *rows, "Please pay within 30 days. Present reading 45217, previous reading 44917."]


def bill() -> Image.Image:
    """A DRAWN bill, as one photographs it from the table."""
    paper = Image.new("RGB", (900, 1270), "white")
    draw = ImageDraw.Draw(paper)
    for row, line in enumerate(bill_lines()):
        draw.text((70, 60 + row * 42), line, font=font(28), fill=(30, 30, 30))
    scene = Image.new("RGB", (1100, 1450), (120, 90, 70))
    scene.paste(paper, (100, 90))
    return scene


def pdf(
    image: Image.Image | None,
    *,
    box: tuple[float, float, float, float] = (40, 200, 555, 800),
    text: tuple[str, ...] = (),
    turned: int = 0,
    blank_pages: int = 0,
    page: tuple[float, float] = A4,
) -> bytes:
    """A PDF with `image` as a JPEG in `box` (left, bottom, right, top in points) of its last page, and lines of text."""
    document = pypdfium2.PdfDocument.new()
    for _ in range(blank_pages):
        document.new_page(*page)
    last = document.new_page(*page)
    if image is not None:
        placed = pypdfium2.PdfImage.new(document)
        placed.load_jpeg(io.BytesIO(encoded(image, "JPEG", quality=85)), inline=True)
        left, bottom, right, top = box
        placed.set_matrix(pypdfium2.PdfMatrix().scale(right - left, top - bottom).translate(left, bottom))
        last.insert_obj(placed)
    face = pdfium.FPDFText_LoadStandardFont(document, b"Helvetica")
    for row, line in enumerate(text):
        words = pdfium.FPDFPageObj_CreateTextObj(document, face, 11.0)
        letters = ctypes.create_string_buffer(f"{line}\0".encode("utf-16-le"))
        pdfium.FPDFText_SetText(words, ctypes.cast(letters, pdfium.FPDF_WIDESTRING))
        pdfium.FPDFPageObj_Transform(words, 1, 0, 0, 1, 50, page[1] - 60 - row * 18)
        pdfium.FPDFPage_InsertObject(last, words)
    last.gen_content()
    last.set_rotation(turned)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf_bill() -> bytes:
    """A bill as utilities send it: text, and a logo."""
    return pdf(Image.new("RGB", (300, 120), "navy"), box=(400, 740, 550, 800), text=tuple(bill_lines()))


def pdf_locked() -> bytes:
    """A PDF that says it is encrypted, with a key that no empty password opens."""
    whole = pdf(None, text=("secret",))
    locked = (
        b"/Encrypt <</Filter/Standard/V 1/R 2/Length 40/P -44/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>"
        b"/ID[<" + b"43" * 16 + b"><" + b"43" * 16 + b">]"
    )
    return whole.replace(b"/Root", locked + b"/Root", 1)


@cache
def seeds() -> dict[str, bytes]:
    """One small file of each kind that is opened, and of each that has a reason of its own to be refused."""
    small = meter(400)
    turned, exif = stored_turned(small, 6)
    moved = [small.transpose(Image.Transpose.ROTATE_180)]
    return {
        "baseline.jpg": encoded(small, "JPEG", quality=80),
        "exif.jpg": encoded(turned, "JPEG", quality=80, exif=exif, icc_profile=bytes(5000), dpi=(72, 72)),
        "progressive.jpg": encoded(small, "JPEG", progressive=True),
        "cmyk.jpg": encoded(small.convert("CMYK"), "JPEG"),
        "grey.jpg": encoded(small.convert("L"), "JPEG"),
        "second-frame.mpo": encoded(small, "MPO", save_all=True, append_images=moved),
        "rgb.png": encoded(small.resize((200, 250)), "PNG", exif=exif),
        "palette.png": encoded(small.convert("P"), "PNG", transparency=3),
        "grey-alpha.png": encoded(small.convert("LA").resize((120, 150)), "PNG"),
        "sixteen.png": encoded(sixteen_bit(small.resize((200, 250))), "PNG"),
        "moving.png": encoded(small.resize((80, 100)), "PNG", save_all=True, append_images=[Image.new("RGB", (80, 100))]),
        "still.gif": encoded(small, "GIF"),
        "moving.gif": encoded(small, "GIF", save_all=True, append_images=moved),
        "lossy.webp": encoded(turned, "WEBP", exif=exif),
        "lossless.webp": encoded(small.resize((120, 150)).convert("RGBA"), "WEBP", lossless=True),
        "moving.webp": encoded(small, "WEBP", save_all=True, append_images=moved),
        "raw.tif": encoded(small.resize((120, 150)), "TIFF"),
        "lzw.tif": encoded(small.resize((200, 250)), "TIFF", compression="tiff_lzw"),
        "jpeg.tif": encoded(small, "TIFF", compression="jpeg"),
        "float.tif": encoded(small.convert("F").resize((120, 150)), "TIFF", compression="tiff_adobe_deflate"),
        "plain.bmp": encoded(small.resize((120, 150)), "BMP"),
        "turned.heic": encoded(turned, "HEIF", exif=exif),
        "alpha.heic": encoded(small.convert("RGBA"), "HEIF"),
        "moving.avif": encoded(small, "AVIF", save_all=True, append_images=moved, speed=10),
        "still.avif": encoded(turned, "AVIF", exif=exif, speed=10),
        "photograph.pdf": pdf(small),
        "turned.pdf": pdf(small, turned=90, blank_pages=1),
        "pillow.pdf": encoded(small.convert("L"), "PDF"),
        "bill.pdf": pdf_bill(),
        "locked.pdf": pdf_locked(),
    }  # fmt: skip
