"""Fonts of this machine, sorted into what wheels, displays and faceplates use, and split into two pools by family.

Glyphs are drawn once with Pillow and kept as masks; placing them is a resize and a blend.
The Debian packages are listed in fonts.txt; with none of them DejaVu and OpenCV's own strokes remain.
"""

from __future__ import annotations

import sys
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOTS = (
    Path("/usr/share/fonts/truetype"),
    Path("/usr/share/fonts/opentype"),
    Path("/usr/share/fonts/fonts-go"),
)

# Beginnings of file names. Wheels: faces whose digits a counter might carry.
WHEELS = """
    DejaVuSans-Bold DejaVuSans.ttf DejaVuSansCondensed. DejaVuSansCondensed-Bold. DejaVuSans-ExtraLight
    LiberationSans-Regular LiberationSans-Bold. LiberationSansNarrow-Regular LiberationSansNarrow-Bold.
    LiberationSerif- NimbusSans-Regular NimbusSans-Bold. NimbusRoman-Regular NimbusRoman-Bold. URWBookman-Demi.
    URWBookman-Light. C059-Roman URWGothic-Book. URWGothic-Demi. Roboto-Light. Roboto-Regular Roboto-Medium.
    Roboto-Bold. Roboto-Black. RobotoCondensed-Light. RobotoCondensed-Regular RobotoCondensed-Bold.
    OpenSans-CondBold OpenSans-CondLight. OpenSans-Light. OpenSans-Semibold. Lato-Regular Lato-Bold. Lato-Light.
    RG2014 routed-gothic.ttf routed-gothic-narrow. routed-gothic-wide. osifont GilliusADF-Regular GilliusADF-Bold.
    GilliusADF-Cond UniversalisADF VeranaSans-Regular VeranaSans-Bold. SwitzeraADF-Regular SwitzeraADF-Bold. PTS55F
    PTS75F PTN57F PTN77F PTF55F FreeSans.ttf FreeSansBold.ttf FreeSerif.ttf FreeSerifBold.ttf Inter-Light.
    Inter-Medium. Inter-Bold. Tuffy Carlito-Regular Carlito-Bold. Caladea-Bold. Go-Regular Go-Medium. Go-Bold.
    B612-Regular B612-Bold. Jura-Medium. Jura-Bold. BebasNeue-Book. BebasNeue-Regular BebasNeue-Bold.
    Century-Catalogue OCRB.otf Loma.ttf Loma-Bold. Garuda.ttf Garuda-Bold. NanumGothic NanumBarunGothicBold
    GNUTypewriter Courier%20Prime.otf Courier%20Prime%20Bold. FreeMonoBold.ttf ClearSans-Regular ClearSans-Bold.
    Beteckna Manrope-Medium. Manrope-Bold. NotoSans-Regular NotoSans-Bold. NotoSansMono-"""
UNSEEN_WHEELS = """
    OSP-DIN Play-Regular Play-Bold. DejaVuSansMono. DejaVuSansMono-Bold. NimbusSansNarrow-Regular
    NimbusSansNarrow-Bold. Cantarell-Regular Cantarell-Bold. NationalPark-Regular allerta_medium Ubuntu-Title
    RobotoSlab-Regular RobotoSlab-Bold. millimetreA%20 Dosis-Medium. Dosis-Bold. P052-Bold. LeagueSpartan-Medium.
    tiresias_infofont_bold. DejaVuSerif-Bold. Cabin-Medium. Hack-Regular Inconsolata"""
SEGMENTS = """
    DSEG7Classic-Bold. DSEG7Classic-Regular DSEG7Classic-BoldItalic DSEG7Classic-Italic DSEG7ClassicMini-Bold.
    DSEG7ClassicMini-Regular DSEG7ClassicMini-Italic DSEG14Classic-Regular DSEG14Classic-Italic DSEG7Classic-Light."""
UNSEEN_SEGMENTS = """
    DSEG7Modern-Regular DSEG7Modern-Bold. DSEG7Modern-Italic DSEG7Modern-BoldItalic DSEG7ModernMini-Regular
    DSEG14Modern-Regular"""
TEXT = """
    DejaVuSans. DejaVuSans-Bold. DejaVuSansCondensed. LiberationSans-Regular LiberationSans-Bold.
    LiberationSans-Italic LiberationSansNarrow-Regular LiberationSerif-Regular Roboto-Regular Roboto-Bold.
    RobotoCondensed-Regular OpenSans-Semibold. OpenSans-CondBold Lato-Regular NimbusSans-Regular NimbusSans-Bold.
    C059-Bold. URWGothic-Demi. FreeSans. osifont OCRB.otf RG2014C"""
SCRIPTS = {
    "arabic": """NotoKufiArabic-Regular NotoKufiArabic-Bold. NotoNaskhArabic-Regular NotoNaskhArabic-Bold. Amiri-Regular
        DejaVuSans. KacstBook""",
    "urdu": "NotoNastaliqUrdu-Regular NotoNaskhArabic-Regular",
    "devanagari": "NotoSansDevanagari-Regular NotoSansDevanagari-Bold. FreeSans.",
    "bengali": "NotoSansBengali-Regular NotoSansBengali-Bold. FreeSans.",
    "thai": "Loma. Garuda-Bold. NotoSansThai-Regular Norasi.",
    "cjk": "wqy-zenhei",
    "korean": "NanumGothic.",
    "latin": TEXT,
}  # fmt: skip


@cache
def _files() -> dict[str, Path]:
    """Name -> path; the blanks of a few names are written as %20."""
    found = (p for root in ROOTS if root.is_dir() for p in sorted(root.rglob("*")))
    return {p.name.replace(" ", "%20"): p for p in found if p.suffix in {".ttf", ".otf", ".ttc"}}


def _named(beginnings: str) -> tuple[str, ...]:
    files = _files()
    return tuple(
        str(files[n])
        for b in beginnings.split()
        for n in sorted(files)
        if n.startswith(b) and "Oblique" not in n
    )


@cache
def wheels(pool: str) -> tuple[str, ...]:
    """Fonts for wheels: paths, and "stroke:N:T" for OpenCV's engraver's strokes (face N, thickness T).

    Old-style figures, whose 3 hangs below the line, do not occur on wheels: they are left out.
    """
    found = tuple(p for p in _named(WHEELS if pool == "train" else UNSEEN_WHEELS) if _lining(p))
    strokes = {
        "train": ("stroke:0:5", "stroke:0:8", "stroke:2:6", "stroke:3:5"),
        "unseen": ("stroke:4:4", "stroke:0:12"),
    }
    if pool == "train":
        print(
            f"training.world: {len(found)} fonts for wheels, {len(segments('train'))} for displays (fonts.txt)",
            file=sys.stderr,
        )
    return found + strokes[pool]


@cache
def segments(pool: str) -> tuple[str, ...]:
    """Fonts of displays, and "dots" for a character display; displays draw segments of their own too."""
    return (*_named(SEGMENTS), "dots") if pool == "train" else _named(UNSEEN_SEGMENTS)


@cache
def text(script: str = "latin") -> tuple[str, ...]:
    """Fonts that hold a script; empty where this machine has none.

    Raises FileNotFoundError where there is not even one for Latin letters.
    """
    found = _named(SCRIPTS[script])
    if not found and script == "latin":
        raise FileNotFoundError(
            "no fonts: install those of training/world/fonts.txt, at least fonts-dejavu-core"
        )
    return found


def _lining(path: str) -> bool:
    face = ImageFont.truetype(path, 64)
    if len({bytes(face.getmask(d)) for d in "0123456789"}) < 10:
        return False  # no digits in it, only boxes
    boxes = [face.getbbox(d, anchor="ls") for d in "0123456789"]
    tops, bottoms = [b[1] for b in boxes], [b[3] for b in boxes]
    return max(tops) - min(tops) <= 6 and max(bottoms) - min(bottoms) <= 6


# 5 by 7 dots of character displays, a row a number, most significant bit at the left.
DOTS = {
    "0": (14, 17, 19, 21, 25, 17, 14), "1": (4, 12, 4, 4, 4, 4, 14), "2": (14, 17, 1, 2, 4, 8, 31), "3": (31, 2, 4, 2, 1, 17, 14),
    "4": (2, 6, 10, 18, 31, 2, 2), "5": (31, 16, 30, 1, 1, 17, 14), "6": (6, 8, 16, 30, 17, 17, 14), "7": (31, 1, 2, 4, 8, 8, 8),
    "8": (14, 17, 17, 14, 17, 17, 14), "9": (14, 17, 17, 15, 1, 2, 12),
}  # fmt: skip


@lru_cache(4096)
def digit(font: str, letter: str) -> np.ndarray:
    """uint8 (80, w): a digit's ink, cut to its own width and to the height that all digits of the font share."""
    if font.startswith("stroke:"):
        return _stroke(font, letter)
    if font == "dots":
        bits = np.array([[row >> (4 - i) & 1 for i in range(5)] for row in DOTS[letter]], np.uint8) * 255
        dot = np.zeros((12, 12), np.uint8)
        dot[1:11, 1:11] = 255
        return cv2.resize(np.kron(bits // 255, dot), (57, 80), interpolation=cv2.INTER_AREA)
    face = ImageFont.truetype(font, _size(font, 80))
    _, top, _, bottom = _extent(font)
    left, _, right, _ = face.getbbox(letter, anchor="ls")
    image = Image.new("L", (max(4, right - left), bottom - top))
    ImageDraw.Draw(image).text((-left, -top), letter, font=face, fill=255, anchor="ls")
    return np.asarray(image)


@cache
def _size(font: str, height: int) -> int:
    _, top, _, bottom = ImageFont.truetype(font, 200).getbbox("0", anchor="ls")
    return max(8, round(200 * height / max(1, bottom - top)))


@cache
def _extent(font: str) -> tuple[int, int, int, int]:
    """The box that holds all ten digits at 80 pixels, from the baseline."""
    face = ImageFont.truetype(font, _size(font, 80))
    boxes = np.array([face.getbbox(d, anchor="ls") for d in "0123456789"])
    return int(boxes[:, 0].min()), int(boxes[:, 1].min()), int(boxes[:, 2].max()), int(boxes[:, 3].max())


def _stroke(font: str, letter: str) -> np.ndarray:
    _, face, thick = font.split(":")
    sheet = np.zeros((160, 160), np.uint8)
    cv2.putText(sheet, letter, (30, 120), int(face), 3.4, 255, int(thick), cv2.LINE_AA)
    rows = np.flatnonzero(cv2.reduce(sheet, 1, cv2.REDUCE_MAX)[:, 0])
    columns = np.flatnonzero(sheet.max(0))
    cut = sheet[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return cv2.resize(
        cut, (max(4, round(cut.shape[1] * 80 / cut.shape[0])), 80), interpolation=cv2.INTER_AREA
    )


@cache
def mean_width(font: str) -> float:
    """Width of an average digit over its height."""
    return float(np.median([digit(font, d).shape[1] / digit(font, d).shape[0] for d in "023456789"]))


@lru_cache(8192)
def words(font: str, line: str) -> np.ndarray:
    """uint8 (h, w): a line of text at 40 pixels to the em; Pillow's raqm joins and orders Arabic, shapes Devanagari."""
    if font.startswith("stroke:"):
        font = str(Path(ImageFont.truetype(text()[0], 8).path))
    face = ImageFont.truetype(font, 40)
    left, top, right, bottom = face.getbbox(line)
    image = Image.new("L", (max(4, right - left), max(4, bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), line, font=face, fill=255)
    return np.asarray(image)


def number(font: str, line: str) -> np.ndarray:
    """Like `words` for a line that occurs once: put together from kept characters, so that nothing is drawn anew."""
    parts = [_character(font, c) for c in line]
    return np.concatenate(parts, axis=1)


@lru_cache(4096)
def _character(font: str, character: str) -> np.ndarray:
    face = ImageFont.truetype(font, 40)
    image = Image.new("L", (max(2, round(face.getlength(character))), 40))
    ImageDraw.Draw(image).text((0, 35), character, font=face, fill=255, anchor="ls")
    return np.asarray(image)
