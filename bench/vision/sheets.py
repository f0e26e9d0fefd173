"""Contact sheets: every error on pages of fifty, the surest first, with what was read and what is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

from bench.vision.measures import Outcome
from rasd.vision import NotAPhotograph, open_photograph
from rasd.vision.rendered import font

COLUMNS, ROWS = 5, 10
TILE = (400, 216)  # pixels
WHOLE = (124, 150)  # the small whole picture, at most
COUNTER = (400 - 124 - 24, 150)
BACK, INK, FAINT, BOX = (250, 250, 248), (20, 20, 24), (110, 110, 116), (230, 60, 30)


def errors(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that are wrong, most confident first: what is wrong and sure does the harm."""
    return sorted((o for o in outcomes if o.wrong), key=lambda o: (-o.confidence, o.label.name))


def write_sheets(outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    """`errors-01.png`, …: pages of 5 x 10. Nothing is written where nothing is wrong."""
    wrong, pages = errors(outcomes), []
    for number in range(0, len(wrong), COLUMNS * ROWS):
        part = wrong[number : number + COLUMNS * ROWS]
        rows = math.ceil(len(part) / COLUMNS)
        page = Image.new("RGB", (COLUMNS * TILE[0], rows * TILE[1]), BACK)
        for index, outcome in enumerate(part):
            page.paste(_tile(outcome), (index % COLUMNS * TILE[0], index // COLUMNS * TILE[1]))
        pages.append(folder / f"errors-{len(pages) + 1:02}.png")
        page.save(pages[-1], optimize=True)
    return pages


def said(outcome: Outcome) -> str:
    """ "04471.2 → 0447 (0.91 accept)"; "nothing" on either side where there is nothing."""
    return (
        f"{outcome.label.reading or 'nothing'} → {shown(outcome) or 'nothing'} "
        f"({outcome.confidence:.2f}{' ' + outcome.decision if outcome.decision else ''})"
    )


def shown(outcome: Outcome) -> str:
    """What was read, with its point."""
    whole = len(outcome.digits) - outcome.decimals
    return f"{outcome.digits[:whole]}.{outcome.digits[whole:]}" if outcome.decimals else outcome.digits


def _tile(outcome: Outcome) -> Image.Image:
    tile = Image.new("RGB", TILE, BACK)
    draw = ImageDraw.Draw(tile)
    try:
        picture = Image.fromarray(open_photograph(outcome.label.path.read_bytes()))
    except (NotAPhotograph, OSError) as error:
        draw.text((8, 60), str(error)[:60], font=font(13), fill=INK)
    else:
        whole = picture.copy()
        whole.thumbnail(WHOLE)
        if box := outcome.answer.get("box"):
            x, y, w, h = (value * side for value, side in zip(box, (*whole.size, *whole.size), strict=True))
            ImageDraw.Draw(whole).rectangle((x, y, x + w, y + h), outline=BOX, width=2)
        tile.paste(whole, (8, 8))
        counter = straightened(np.asarray(picture), outcome)
        if counter is not None:
            counter.thumbnail(COUNTER)
            scale = min(COUNTER[0] / counter.width, COUNTER[1] / counter.height)
            counter = counter.resize(
                (max(1, round(counter.width * scale)), max(1, round(counter.height * scale)))
            )
            tile.paste(counter, (WHOLE[0] + 16, 8))
        else:
            draw.text((WHOLE[0] + 16, 60), "no counter found", font=font(13), fill=FAINT)
    draw.text((8, 164), said(outcome), font=font(17), fill=INK)
    draw.text((8, 190), f"{outcome.label.source}: {outcome.label.name}"[-58:], font=font(11), fill=FAINT)
    draw.rectangle((0, 0, TILE[0] - 1, TILE[1] - 1), outline=(224, 224, 220))
    return tile


def straightened(picture: np.ndarray, outcome: Outcome) -> Image.Image | None:
    """The counter as read, from left to right: cut along the line through the first and last digit where the answer
    tells its digits' places, else its upright box. None where no counter was found."""
    height, width = picture.shape[:2]
    side = np.array([width, height], float)
    places = [np.array(box) for box in outcome.answer.get("places", []) if box]
    box = outcome.answer.get("box")
    if len(places) >= 2:
        centres = [(place[:2] + place[2:] / 2) * side for place in places]
        along = centres[-1] - centres[0]
        pitch = float(np.hypot(*along)) / (len(places) - 1)
        if pitch >= 1:
            along = along / np.hypot(*along)
            down = np.array([-along[1], along[0]])
            tall = 1.1 * pitch
            start = centres[0] - along * pitch * 0.9 - down * tall
            out = (round((len(places) + 0.8) * 50), 110)
            across = along * pitch * (len(places) + 0.8)
            corners = np.array([start, start + across, start + down * 2 * tall], np.float32)
            onto = np.array([[0, 0], [out[0], 0], [0, out[1]]], np.float32)
            return Image.fromarray(cv2.warpAffine(picture, cv2.getAffineTransform(corners, onto), out))
    if not box:
        return None
    x, y, w, h = (np.array(box) * [*side, *side]).tolist()
    cut = (max(0, x - w * 0.05), max(0, y - h * 0.2), min(width, x + w * 1.05), min(height, y + h * 1.2))
    if cut[2] - cut[0] < 2 or cut[3] - cut[1] < 2:
        return None
    return Image.fromarray(picture).crop(tuple(round(value) for value in cut))
