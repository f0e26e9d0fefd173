"""Whole photographs: a meter with its housing on its wall, or something that is no meter; and the pose it is seen in."""

from __future__ import annotations

import cv2
import numpy as np

from . import backgrounds, displays, faces, rollers, styles
from .backgrounds import Box
from .labels import DIAL, NONE, ROLLER, Counter, Scene, quads, rectangle
from .paint import Colour, Rng, chance, fit, near, pick, ramp, rgb, shaded


def counter(rng: Rng, pool: str = "train") -> Counter:
    """A counter from straight ahead with what is next to it; see labels.Counter."""
    styles.checked(pool)
    # Often the unit stands on the same black plate as the wheels, as large as their digits: it is not one of them.
    face = near(rng, (32, 33, 36), 14) if chance(rng, 0.25) else faces.paper(rng)
    high = int(rng.integers(30, 56))
    if chance(rng, 0.55):
        inner = rollers.panel(rng, pool, high, face)
    else:
        inner, _ = displays.panel(rng, pool, high)
    h, w = inner.picture.shape[:2]
    top, bottom = (round(high * rng.uniform(0.05, 0.55)) for _ in range(2))
    left, right = (round(high * rng.uniform(0.05, most)) for most in (1.6, 2.6))
    picture = np.empty((h + top + bottom, w + left + right, 3), np.uint8)
    picture[:] = face
    printer = faces.Printer(rng, picture, faces.ink_for(rng, face))
    _surroundings(rng, printer, (left, top, w, h), high)
    picture[top : top + h, left : left + w] = inner.picture
    if chance(rng, 0.5):
        picture = shaded(picture, ramp(rng, *picture.shape[:2], 0.75, 1.1))
    wanted = int(np.clip(picture.shape[0], 64, 96))
    scale = wanted / picture.shape[0]
    move = np.float32((left, top))
    if scale != 1:
        size = (round(picture.shape[1] * scale), wanted)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return Counter(picture, (inner.quad + move) * np.float32(scale), inner.reading, inner.kind, inner.positions,
                   (inner.boxes + move) * np.float32(scale))  # fmt: skip


def _surroundings(rng: Rng, printer: faces.Printer, box: Box, high: int) -> None:
    """Lines above, below and beside the counter, as far as the cut shows them."""
    left, top, w, h = box
    height, width = printer.picture.shape[:2]
    for y, room in ((0, top), (top + h, height - top - h)):
        if room > 7 and chance(rng, 0.6):
            tall = min(room * rng.uniform(0.7, 1.5), high * 0.6)
            printer.line(rng.uniform(0, width * 0.4), y + rng.uniform(-0.3, 0.3) * tall, tall, width * 0.7)
    if width - left - w > high * 0.5 and chance(rng, 0.6):
        _unit(rng, printer, (left, top, w, h), high)


def _unit(rng: Rng, printer: faces.Printer, box: Box, high: int) -> None:
    """What is counted, printed to the right of the counter in `box` (left, top, width, height), up to as large as its digits."""
    left, top, w, h = box
    unit = faces.fonts.words(printer.latin, pick(rng, ("kWh", "kW·h", "m³", "KWH", "kwh", "x 1", "km")))
    tall = rng.uniform(0.3, 1.0) * high
    room = printer.picture.shape[1] - left - w - 4
    scale = min(tall / unit.shape[0], room / unit.shape[1])
    ready = fit(unit, unit.shape[1] * scale, unit.shape[0] * scale)
    faces.blend(printer.picture, ready, left + w + 3, round(top + h * rng.uniform(0.1, 0.6)), printer.ink)


def _on_plate(rng: Rng, inner: Counter, high: int, plate: Colour) -> Counter:
    """A roller counter on a plate of its own, which is longer than the wheels: its unit stands there too, and is none of them."""
    h, w = inner.picture.shape[:2]
    top, bottom, left = (round(high * rng.uniform(0.0, most)) for most in (0.25, 0.4, 0.5))
    right = round(high * rng.uniform(0.8, 2.8))
    picture = np.empty((h + top + bottom, w + left + right, 3), np.uint8)
    picture[:] = plate
    printer = faces.Printer(rng, picture, faces.ink_for(rng, plate))
    _unit(rng, printer, (left, top, w, h), high)
    picture[top : top + h, left : left + w] = inner.picture
    move = np.float32((left, top))
    return Counter(picture, inner.quad + move, inner.reading, inner.kind, inner.positions, inner.boxes + move)


def scene(rng: Rng, pool: str = "train", side: int = 512) -> Scene:
    """What a photograph shows, seen from straight ahead; see labels.Scene. The longest side is `side` pixels."""
    styles.checked(pool)
    ratio = float(pick(rng, (1.0, 0.75, 0.75, 0.75, 1.33, 0.5625, 0.5625, 1.78)))
    width, height = (side, round(side / ratio)) if ratio >= 1 else (round(side * ratio), side)
    picture = backgrounds.wall(rng, height, width)
    drawn = rng.random()
    if drawn < 0.1:
        backgrounds.no_meter(rng, picture)
        return Scene(picture, None, NONE, "", quads([]), quads([]))
    if drawn < 0.16:
        return _finished(rng, *_meter(rng, pool, picture, DIAL))
    return _finished(rng, *_meter(rng, pool, picture, ROLLER if drawn < 0.6 else displays.SEGMENT))


def _finished(rng: Rng, picture: np.ndarray, inner: Counter, distractors: list[np.ndarray]) -> Scene:
    if chance(rng, 0.6):
        picture = shaded(picture, ramp(rng, *picture.shape[:2], 0.7, 1.1))
    return Scene(picture, inner.quad, inner.kind, inner.reading, inner.boxes, quads(distractors))


def _meter(
    rng: Rng, pool: str, picture: np.ndarray, kind: str
) -> tuple[np.ndarray, Counter, list[np.ndarray]]:
    """Draw a meter into the wall's picture: housing, faceplate, counter, print, cover."""
    height, width = picture.shape[:2]
    near_by = rng.beta(2, 2)  # how close the photograph was taken: the plate's share of the picture
    plate_w = width * (0.35 + 1.0 * near_by)
    plate_h = min(plate_w * rng.uniform(0.55, 1.35), height * 1.5)
    cx, cy = width / 2 + rng.normal(0, 0.06) * width, height / 2 + rng.normal(0, 0.06) * height
    box = (round(cx - plate_w / 2), round(cy - plate_h / 2), round(cx + plate_w / 2), round(cy + plate_h / 2))
    face = faces.paper(rng)
    backgrounds.housing(rng, picture, box, face, chance(rng, 0.15))
    share = rng.uniform(0.35, 0.85) if near_by < 0.7 else rng.uniform(0.4, 0.7)
    inner, others = _sized(rng, pool, kind, plate_w * share, plate_h * 0.5, face)
    h, w = inner.picture.shape[:2]
    x = round(cx - w / 2 + rng.normal(0, 0.05) * plate_w)
    y = round(box[1] + (plate_h - h) * float(np.clip(rng.beta(2, 3), 0.1, 0.8)))
    x, y = int(np.clip(x, 2, width - w - 2)), int(np.clip(y, 2, height - h - 2))
    printer = faces.Printer(rng, picture, faces.ink_for(rng, face))
    _print(rng, printer, box, (x, y, x + w, y + h))
    printer.covered(x, y, x + w, y + h)
    picture[y : y + h, x : x + w] = inner.picture
    move = np.float32((x, y))
    if chance(rng, 0.5):
        backgrounds.cover(rng, picture, box)
    backgrounds.foreground(rng, printer, inner.quad + move)
    distractors = printer.distractors + [o + move for o in others]
    inner = Counter(
        picture, inner.quad + move, inner.reading, inner.kind, inner.positions, inner.boxes + move
    )
    return picture, inner, distractors


def _sized(
    rng: Rng, pool: str, kind: str, wide: float, most: float, face: Colour
) -> tuple[Counter, list[np.ndarray]]:
    """A counter of about the given width and at most that height, drawn at 36 pixels or more and made smaller."""
    if kind == DIAL:
        inner, others = dials(rng, wide, face), []
    elif kind == ROLLER:
        high = int(np.clip(wide / 5, 36, 90))
        plain, on_plate = face, chance(rng, 0.35)
        if on_plate:
            plain = near(rng, (32, 33, 36), 14) if chance(rng, 0.7) else faces.paper(rng)
        inner, others = rollers.panel(rng, pool, high, plain), []
        if on_plate:
            inner = _on_plate(rng, inner, high, plain)
    else:
        inner, others = displays.panel(rng, pool, int(np.clip(wide / 5, 36, 100)))
    h, w = inner.picture.shape[:2]
    scale = min(wide / w, most / h)
    size = (max(8, round(w * scale)), max(4, round(h * scale)))
    resized = cv2.resize(inner.picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    by = np.float32((size[0] / w, size[1] / h))
    return Counter(resized, inner.quad * by, inner.reading, inner.kind, inner.positions, inner.boxes * by), [
        o * by for o in others
    ]


def dials(rng: Rng, wide: float, face: Colour) -> Counter:
    """A row of pointers that turn in turns clockwise and back, coupled as gears are: no wear, no jumps."""
    count = int(rng.choice([4, 5, 6], p=[0.4, 0.45, 0.15]))
    radius = max(12, int(wide / count / 2 * 0.92))
    value = float(rng.uniform(0, 10**count))
    digits = f"{int(value):0{count}d}"
    positions = tuple(round(value / 10 ** (count - 1 - i) % 10, 3) % 10 for i in range(count))
    pitch, rim = round(radius * 2.12), round(radius * 0.25)
    picture = np.empty((2 * radius + 2 * rim, pitch * count + 2 * rim, 3), np.uint8)
    picture[:] = face
    ink, font = faces.ink_for(rng, face), pick(rng, faces.fonts.text())
    first = chance(rng, 0.5)
    boxes = []
    for i, position in enumerate(positions):
        x, y = rim + pitch * i + pitch // 2, rim + radius
        faces.dial(picture, rng, (x, y), radius, position, first == (i % 2 == 0), ink, font)
        boxes.append(rectangle(x - radius, y - radius, x + radius, y + radius))
    quad = np.float32([boxes[0][0], boxes[-1][1], boxes[-1][2], boxes[0][3]])
    return Counter(picture, quad, digits, DIAL, positions, quads(boxes))


def row_of_dials(rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """A row of pointers from straight ahead with some of the plate round it, and its corners."""
    face = faces.paper(rng)
    inner = dials(rng, float(rng.uniform(150, 330)), face)
    h, w = inner.picture.shape[:2]
    across, down = round(h * rng.uniform(0.1, 0.8)), round(h * rng.uniform(0.1, 0.6))
    picture = np.empty((h + 2 * down, w + 2 * across, 3), np.uint8)
    picture[:] = face
    picture[down : down + h, across : across + w] = inner.picture
    if chance(rng, 0.5):
        picture = shaded(picture, ramp(rng, *picture.shape[:2], 0.7, 1.1))
    return picture, inner.quad + np.float32((across, down))


def _print(rng: Rng, printer: faces.Printer, plate: Box, kept: Box) -> None:
    """Everything on the faceplate that is not the counter, in rows that keep clear of it."""
    left, top, right, bottom = plate
    wide = right - left
    row = wide * rng.uniform(0.03, 0.065)
    ordered = chance(rng, 0.6)  # one size, one edge; else as it comes
    centred = chance(rng, 0.5)
    y = top + row * 0.8
    while y < bottom - row:
        tall = row * (rng.choice([0.9, 0.9, 0.9, 1.6]) if ordered else rng.uniform(0.6, 1.7))
        if y + tall > kept[1] - 3 and y < kept[3] + 3:
            if kept[0] - left > wide * 0.12 and chance(rng, 0.4):
                printer.line(left + 4, y, tall * 0.7, kept[0] - left - 8)
            if right - kept[2] > wide * 0.1 and chance(rng, 0.5):
                printer.line(kept[2] + 4, y, tall, right - kept[2] - 8)
        elif ordered and chance(rng, 0.8):
            printer.line(left + wide * 0.5, y, tall, wide * 0.9, centred=True) if centred else printer.line(
                left + wide * 0.07, y, tall, wide * 0.86
            )
        elif chance(rng, 0.72):
            x = left + wide * (rng.uniform(0.03, 0.4) if chance(rng, 0.6) else 0.06)
            while x < right - wide * 0.15:
                x += printer.line(x, y, tall, right - x - 4) + wide * rng.uniform(0.05, 0.3)
        if chance(rng, 0.06):
            at = round(y + tall * 1.15)
            if not kept[1] - 3 < at < kept[3] + 3:
                cv2.line(printer.picture, (left + 4, at), (right - 4, at), rgb(printer.ink), 1)
        y += tall * rng.uniform(1.15, 1.9)
    _furniture(rng, printer, plate, kept)
    _sticker(rng, printer, plate, kept)


def _furniture(rng: Rng, printer: faces.Printer, plate: Box, kept: Box) -> None:
    """The disc, the barcode, the keypad, logos and lamps below and above the counter."""
    left, top, right, bottom = plate
    wide, below = right - left, bottom - kept[3]
    if below > wide * 0.2 and chance(rng, 0.35):
        printer.disc(
            round(left + wide * 0.2),
            round(kept[3] + below * 0.15),
            round(wide * 0.6),
            max(5, round(below * 0.1)),
        )
    elif below > wide * 0.35 and chance(rng, 0.14):
        printer.keypad(
            round(left + wide * 0.2), round(kept[3] + below * 0.15), round(wide * 0.6), round(below * 0.7)
        )
    if below > wide * 0.2 and chance(rng, 0.5):
        high = round(wide * rng.uniform(0.06, 0.12))
        x, y = round(left + wide * rng.uniform(0.05, 0.4)), round(bottom - high * 2.2)
        printer.barcode(x, y, round(wide * rng.uniform(0.3, 0.6)), high)
    for _ in range(int(rng.integers(0, 4))):
        beside = (
            rng.uniform(top, max(top + 1, kept[1]))
            if chance(rng, 0.5)
            else rng.uniform(kept[3], max(kept[3] + 1, bottom))
        )
        size = round(wide * rng.uniform(0.02, 0.06))
        if not kept[1] - size - 4 < beside < kept[3] + size + 4:
            draw = printer.logo if chance(rng, 0.5) else printer.lamp
            draw(
                round(rng.uniform(left, right)),
                round(beside),
                max(2, size if chance(rng, 0.6) else size // 2),
            )


def _sticker(rng: Rng, printer: faces.Printer, plate: Box, kept: Box) -> None:
    """A label glued on later, with the utility's own big number."""
    if chance(rng, 0.65):
        return
    wide = (plate[2] - plate[0]) * rng.uniform(0.25, 0.7)
    tall = wide * rng.uniform(0.15, 0.35)
    x, y = (
        rng.uniform(plate[0], plate[2] - wide),
        pick(rng, (kept[1] - tall * rng.uniform(1.1, 2.5), kept[3] + tall * rng.uniform(0.1, 2.5))),
    )
    colour = near(
        rng, pick(rng, ((245, 245, 245), (240, 215, 60), (60, 130, 200), (230, 120, 50), (120, 190, 110))), 10
    )
    printer.covered(x, y, x + wide, y + tall)
    cv2.rectangle(printer.picture, (round(x), round(y)), (round(x + wide), round(y + tall)), rgb(colour), -1)
    own, printer.ink = printer.ink, np.float32((20, 20, 25))
    if chance(rng, 0.25):
        printer.by_hand(x + wide * 0.04, y + tall * 0.85, tall * 0.6)
        printer.ink = own
        return
    printer.numbers(faces.serial(rng), x + wide * 0.04, y + tall * 0.1, tall * 0.8, wide * 0.92)
    printer.ink = own


def place(rng: Rng, seen: Scene, side: int) -> Scene:
    """The scene as a camera sees it: turned, tilted, near or far, cropped; a square of `side` pixels.

    Mostly upright within some degrees, in one of eight a quarter or half turn. The counter stays in the picture; it may
    become as small as a tenth of the side. Labels move along. Works on any Scene, also one made from a real photograph.
    """
    h, w = seen.picture.shape[:2]
    focus = seen.quad.mean(0) if seen.quad is not None else np.float32((w / 2, h / 2))
    middle = np.float32((w / 2, h / 2))
    aim = middle + (focus - middle) * rng.uniform(0, 0.8)
    near_by = np.exp(rng.normal(0.05, 0.25))
    reach = (max(h, w) if chance(rng, 0.4) else min(h, w)) / near_by  # of the scene's pixels, along a side
    if seen.quad is not None:
        reach = max(reach, 2.3 * float(np.abs(seen.quad - aim).max()))
    angle = rng.normal(0, 6) if chance(rng, 0.8) else rng.normal(0, 18)
    if chance(rng, 0.125):
        angle += float(pick(rng, (90, 90, 270, 270, 180)))
    turn = np.deg2rad(angle)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    frame = np.float32([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) @ spin.T.astype(np.float32)
    frame += rng.normal(0, 0.045, (4, 2)).clip(-0.12, 0.12).astype(np.float32)  # tilted
    target = np.float32([(0, 0), (side, 0), (side, side), (0, side)])
    change = cv2.getPerspectiveTransform(frame * np.float32(reach) + aim.astype(np.float32), target)
    while seen.quad is not None and not _inside(_moved(seen.quad[None], change), side):
        reach *= 1.1  # a step back, until the whole counter is in the picture
        change = cv2.getPerspectiveTransform(frame * np.float32(reach) + aim.astype(np.float32), target)
    source = seen.picture
    if reach > 1.6 * side:  # resample without aliasing
        source = cv2.GaussianBlur(source, (0, 0), 0.35 * reach / side)
    # Round the scene lies another wall, or what its edge goes on to be; a mirror would show the counter twice.
    if chance(rng, 0.6):
        picture = cv2.resize(
            backgrounds.wall(rng, side // 2, side // 2), (side, side), interpolation=cv2.INTER_LINEAR
        )
        edge = cv2.BORDER_TRANSPARENT
    else:
        picture, edge = np.empty((side, side, 3), np.uint8), cv2.BORDER_REPLICATE
    picture = cv2.warpPerspective(
        source, change, (side, side), picture, flags=cv2.INTER_LINEAR, borderMode=edge
    )
    moved = None if seen.quad is None else _moved(seen.quad[None], change)[0]
    distractors = _moved(seen.distractors, change)
    inside = np.array([_inside(d[None], side) for d in distractors], bool)
    return Scene(picture, moved, seen.kind, seen.reading, _moved(seen.boxes, change), distractors[inside])


def _inside(corners: np.ndarray, side: int) -> bool:
    return bool((corners >= 1).all() and (corners <= side - 1).all())


def _moved(corners: np.ndarray, change: np.ndarray) -> np.ndarray:
    if not len(corners):
        return corners
    return cv2.perspectiveTransform(corners.reshape(1, -1, 2).astype(np.float32), change).reshape(-1, 4, 2)
