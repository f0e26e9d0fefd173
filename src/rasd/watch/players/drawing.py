"""A photograph that nobody took: drawn for who must attach one. It shows a number, so that it can be told from any other."""

import io
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = (1200, 900)
DIGITS = 5


@dataclass(frozen=True)
class Photograph:
    jpeg: bytes
    words: str
    """The digits that it shows."""


def photograph(random: Random) -> Photograph:
    words = "".join(str(random.randrange(10)) for _ in range(DIGITS))
    shade = random.randrange(150, 210)
    image = Image.new("RGB", SIZE, (shade, shade - 8, shade - 20))
    draw = ImageDraw.Draw(image)
    left, top = random.randrange(120, 220), random.randrange(280, 380)
    draw.rounded_rectangle((left - 60, top - 60, left + 820, top + 240), 24, fill=(30, 30, 32))
    for place, digit in enumerate(words):
        x = left + place * 150
        draw.rectangle((x, top, x + 120, top + 180), fill=(238, 236, 228))
        draw.text((x + 22, top + 8), digit, fill=(20, 20, 20), font=ImageFont.load_default(150))
    out = io.BytesIO()
    image.rotate(random.uniform(-3, 3), fillcolor=(shade, shade, shade)).filter(
        ImageFilter.GaussianBlur(0.8)
    ).save(out, "JPEG", quality=80)
    return Photograph(out.getvalue(), words)
