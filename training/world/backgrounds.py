"""Walls, boxes, housings, covers, screws and seals; and pictures in which there is no meter."""

from __future__ import annotations

import cv2
import numpy as np

from . import faces
from .paint import Colour, Rng, chance, grain, near, pick, rgb

WALLS = (
    (150, 145, 138), (200, 195, 185), (120, 85, 60), (95, 98, 100), (230, 228, 222), (60, 62, 66), (170, 120, 95),
    (110, 125, 135), (35, 36, 38),
)  # fmt: skip
HOUSINGS = (
    (30, 30, 33), (60, 62, 65), (205, 205, 200), (175, 178, 180), (225, 222, 212), (95, 100, 105), (140, 120, 90), (70, 85, 80),
)  # fmt: skip
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


def wall(rng: Rng, height: int, width: int) -> np.ndarray:
    """uint8 (height, width, 3): plaster, brick, boards, tiles or metal, at any brightness."""
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = near(rng, pick(rng, WALLS), 18)
    kind = int(rng.integers(0, 6))
    if kind == 0:
        _bricks(rng, picture)
    elif kind == 1:
        _boards(rng, picture)
    elif kind == 2:
        for _ in range(int(rng.integers(2, 7))):
            corner = rng.uniform(-0.2, 1.0, 2) * (width, height)
            size = rng.uniform(0.1, 0.7, 2) * (width, height)
            ends = (
                tuple(np.round(corner).astype(int).tolist()),
                tuple(np.round(corner + size).astype(int).tolist()),
            )
            cv2.rectangle(picture, *ends, rgb(near(rng, pick(rng, WALLS), 25)), -1)
    fine = grain(rng, height, width, rng.uniform(1.5, 4)) * rng.uniform(0.005, 0.05)
    factor = 1 + fine + grain(rng, height, width, width / 4) * rng.uniform(0, 0.2)
    picture = cv2.multiply(picture, cv2.merge((factor, factor, factor)), dtype=cv2.CV_8U)
    for _ in range(int(rng.integers(0, 5)) if chance(rng, 0.5) else 0):
        wire(rng, picture)
    return picture


def _bricks(rng: Rng, picture: np.ndarray) -> None:
    h, w = picture.shape[:2]
    tall = int(rng.integers(20, 70))
    long = round(tall * rng.uniform(1, 3.2))
    joint = rgb(near(rng, (165, 160, 150), 30))
    base = picture[0, 0].astype(np.float32)
    for row, y in enumerate(range(0, h, tall)):
        for x in range(-(row % 2) * long // 2, w, long):
            cv2.rectangle(picture, (x, y), (x + long - 2, y + tall - 2), rgb(near(rng, base, 8)), -1)
            cv2.rectangle(picture, (x, y), (x + long - 2, y + tall - 2), joint, 2)


def _boards(rng: Rng, picture: np.ndarray) -> None:
    h, w = picture.shape[:2]
    colour = near(rng, pick(rng, ((150, 105, 65), (110, 75, 50), (185, 145, 100), (150, 152, 155))), 15)
    lines = grain(rng, 8, w, 2.0)
    veins = cv2.resize(lines, (w, h), interpolation=cv2.INTER_LINEAR) * 10
    picture[:] = np.clip(colour + veins[..., None], 0, 255).astype(np.uint8)
    step = int(rng.integers(40, 200))
    for x in range(int(rng.integers(0, step)), w, step):
        cv2.line(picture, (x, 0), (x, h), rgb(colour * 0.4), 2)


def wire(rng: Rng, picture: np.ndarray) -> None:
    """A cable or pipe across the picture."""
    h, w = picture.shape[:2]
    ends = rng.uniform(0, 1, (2, 2)) * (w, h)
    bulge = rng.normal(0, 0.15, 2) * (w, h)
    t = np.linspace(0, 1, 12)[:, None]
    line = ends[0] * (1 - t) + ends[1] * t + bulge * (4 * t * (1 - t))
    colour = pick(
        rng,
        (
            (20, 20, 20),
            (40, 40, 45),
            (150, 30, 30),
            (30, 50, 140),
            (220, 220, 215),
            (200, 170, 40),
            (150, 155, 158),
        ),
    )
    thick = max(2, round(w * rng.uniform(0.008, 0.05)))
    points = [np.round(line).astype(np.int32)]
    cv2.polylines(picture, points, False, rgb(np.float32(colour) * 0.55), thick, cv2.LINE_AA)
    cv2.polylines(picture, points, False, colour, max(1, thick * 2 // 3), cv2.LINE_AA)


def housing(rng: Rng, picture: np.ndarray, box: Box, face: Colour, disc: bool) -> None:
    """The case behind the faceplate, its rim, its terminal cover with cables, screws and a seal; then the plate itself."""
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    colour = near(rng, pick(rng, HOUSINGS), 12)
    rim = round(wide * rng.uniform(0.03, 0.16))
    below = round(high * rng.uniform(0.1, 0.5)) if chance(rng, 0.6) else rim
    if disc:
        _disc(rng, picture, box, face, colour, rim)
        return
    outer = (left - rim, top - rim, right + rim, bottom + below)
    radius = round(wide * rng.uniform(0, 0.16))
    shadow = round(wide * rng.uniform(0, 0.05))
    rounded(
        picture,
        (outer[0] + shadow, outer[1] + shadow, outer[2] + shadow, outer[3] + shadow),
        radius,
        picture[0, 0] * np.float32(0.4),
    )
    for _ in range(int(rng.integers(0, 6)) if below > rim else 0):
        x = round(rng.uniform(left, right))
        tone = pick(rng, ((20, 20, 20), (150, 30, 30), (30, 50, 140), (110, 110, 110)))
        cv2.line(
            picture,
            (x, outer[3] - 3),
            (round(x + rng.normal(0, 20)), picture.shape[0]),
            tone,
            max(2, round(wide * 0.03)),
            cv2.LINE_AA,
        )
    rounded(picture, outer, radius, colour)
    outline(picture, outer, max(1, radius), rgb(colour * rng.uniform(0.5, 1.4)), max(1, rim // 5))
    step = max(1, rim // 3)
    rounded(
        picture,
        (left - step, top - step, right + step, bottom + step),
        max(0, radius - rim),
        colour * rng.uniform(0.55, 1.35),
    )
    rounded(picture, box, max(0, radius - rim) if chance(rng, 0.6) else 0, face)
    if chance(rng, 0.5):  # the plate lies deeper than the rim, which throws its shadow
        deep = max(1, round(wide * rng.uniform(0.005, 0.03)))
        for edge in (picture[max(0, top) : max(0, top + deep), max(0, left) : max(0, right)],
                     picture[max(0, top) : max(0, bottom), max(0, left) : max(0, left + deep)]):  # fmt: skip
            edge[:] = (edge * 0.6).astype(np.uint8)
    if below > rim:
        cv2.line(
            picture, (outer[0], bottom + rim), (outer[2], bottom + rim), rgb(colour * 0.6), max(1, rim // 6)
        )
        size = max(2, round(wide * rng.uniform(0.015, 0.035)))
        for x in (left, (left + right) // 2, right) if chance(rng, 0.5) else (left, right):
            screw(rng, picture, x, (bottom + rim + outer[3]) // 2, size)
    elif chance(rng, 0.6):
        for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
            screw(rng, picture, x, y, max(2, rim // 3))


def _disc(rng: Rng, picture: np.ndarray, box: Box, face: Colour, colour: Colour, rim: int) -> None:
    """A round case, as water meters and socket meters have."""
    centre = ((box[0] + box[2]) // 2, (box[1] + box[3]) // 2)
    radius = (box[2] - box[0]) // 2
    tone = near(rng, pick(rng, ((170, 140, 70), (60, 90, 150), (160, 165, 168), (40, 40, 44))), 15)
    if chance(rng, 0.5):
        cv2.rectangle(
            picture,
            (0, centre[1] - radius // 3),
            (picture.shape[1], centre[1] + radius // 3),
            rgb(tone * 0.9),
            -1,
        )
    for grown, paint in ((rim * 2, tone), (rim, colour), (max(1, rim // 4), colour * 0.6), (0, face)):
        cv2.circle(picture, centre, round(radius * 1.05) + grown, rgb(paint), -1, cv2.LINE_AA)


def rounded(picture: np.ndarray, box: Box, radius: int, colour: Colour) -> None:
    """A filled rectangle with round corners."""
    left, top, right, bottom = box
    tone = rgb(colour)
    if radius <= 1:
        cv2.rectangle(picture, (left, top), (right, bottom), tone, -1)
        return
    cv2.rectangle(picture, (left + radius, top), (right - radius, bottom), tone, -1)
    cv2.rectangle(picture, (left, top + radius), (right, bottom - radius), tone, -1)
    for x in (left + radius, right - radius):
        for y in (top + radius, bottom - radius):
            cv2.circle(picture, (x, y), radius, tone, -1, cv2.LINE_AA)


def outline(picture: np.ndarray, box: Box, radius: int, tone: tuple[float, float, float], thick: int) -> None:
    """The edge of a rectangle with round corners."""
    left, top, right, bottom = box
    corners = ((left, top, 180), (right, top, 270), (right, bottom, 0), (left, bottom, 90))
    points = []
    for x, y, start in corners:
        cx, cy = x + (radius if x == left else -radius), y + (radius if y == top else -radius)
        turns = np.deg2rad(start + np.array([0, 22, 45, 68, 90]))
        points += [(cx + radius * np.cos(a), cy + radius * np.sin(a)) for a in turns]
    cv2.polylines(picture, [np.round(points).astype(np.int32)], True, tone, thick, cv2.LINE_AA)


def screw(rng: Rng, picture: np.ndarray, x: int, y: int, size: int) -> None:
    """A screw's head, or a lead seal on its wire."""
    if chance(rng, 0.2):
        cv2.line(
            picture,
            (x, y),
            (round(x + rng.normal(0, 4 * size)), y + 4 * size),
            (150, 150, 150),
            1,
            cv2.LINE_AA,
        )
        cv2.circle(
            picture,
            (x, y + size),
            size,
            rgb(near(rng, pick(rng, ((120, 120, 125), (30, 60, 170), (200, 40, 40))), 15)),
            -1,
            cv2.LINE_AA,
        )
        return
    cv2.circle(picture, (x, y), size, rgb(near(rng, (150, 150, 148), 30)), -1, cv2.LINE_AA)
    angle = rng.uniform(0, np.pi)
    dx, dy = round(np.cos(angle) * size), round(np.sin(angle) * size)
    cv2.line(picture, (x - dx, y - dy), (x + dx, y + dy), (50, 50, 50), max(1, size // 3), cv2.LINE_AA)


def cover(rng: Rng, picture: np.ndarray, box: Box) -> None:
    """A clear plastic cover: its bevelled edges catch the light, the whole becomes a little milky."""
    left, top, right, bottom = box
    grow = round((right - left) * rng.uniform(0.0, 0.06))
    x0, y0, x1, y1 = (
        max(0, left - grow),
        max(0, top - grow),
        min(picture.shape[1], right + grow),
        min(picture.shape[0], bottom + grow),
    )
    if x1 - x0 < 8 or y1 - y0 < 8:
        return
    milk, tone = rng.uniform(0, 0.22), near(rng, (215, 215, 210), 20)
    part = picture[y0:y1, x0:x1]
    veil = np.empty_like(part)
    veil[:] = tone
    cv2.addWeighted(part, 1 - milk, veil, milk, 0, dst=part)
    radius = max(1, round((right - left) * rng.uniform(0, 0.12)))
    for _ in range(int(rng.integers(1, 5))):
        inset = int(rng.integers(0, max(2, 2 * grow + 4)))
        colour = rgb(
            near(rng, pick(rng, ((245, 245, 245), (250, 250, 250), (70, 70, 70), (120, 120, 120))), 10)
        )
        thick = int(rng.choice([1, 1, 2, 4]))
        inner = (left - grow + inset, top - grow + inset, right + grow - inset, bottom + grow - inset)
        outline(picture, inner, radius, colour, thick)
    if chance(rng, 0.3):
        y = round(rng.uniform(y0, y1))
        cv2.line(
            picture,
            (x0, y),
            (x1, round(y + rng.normal(0, 10))),
            (250, 250, 250),
            max(1, round((x1 - x0) * 0.01)),
            cv2.LINE_AA,
        )


def foreground(rng: Rng, printer: faces.Printer, quad: np.ndarray) -> None:
    """What lies between the phone and the meter, never over the counter: the edge of a box's opening, a finger;
    and the date that the phone writes into the picture."""
    picture = printer.picture
    h, w = picture.shape[:2]
    (x0, y0), (x1, y1) = quad.min(0), quad.max(0)
    if chance(rng, 0.1):
        tone = rgb(near(rng, pick(rng, HOUSINGS), 15))
        for x in (rng.uniform(-0.2, 0.8) * x0, x1 + (w - x1) * rng.uniform(0.2, 1.2)):
            box = ((0, 0), (round(x), h)) if x < x0 else ((round(x), 0), (w, h))
            cv2.rectangle(picture, *box, tone, -1)
            printer.covered(*box[0], *box[1])
        if chance(rng, 0.6):
            upper, lower = round(y0 * rng.uniform(0.1, 0.8)), round(y1 + (h - y1) * rng.uniform(0.3, 0.9))
            for box in (((0, 0), (w, upper)), ((0, lower), (w, h))):
                cv2.rectangle(picture, *box, tone, -1)
                printer.covered(*box[0], *box[1])
    if chance(rng, 0.05):
        skin = near(rng, pick(rng, ((205, 160, 130), (140, 95, 70), (90, 60, 45))), 12)
        edge = round(y1 + (h - y1) * rng.uniform(0.6, 1.0))
        middle = (round(rng.uniform(0, w)), h + round(w * 0.05))
        cv2.ellipse(
            picture,
            middle,
            (round(w * rng.uniform(0.06, 0.14)), h - edge),
            0,
            0,
            360,
            rgb(skin),
            -1,
            cv2.LINE_AA,
        )
    if chance(rng, 0.1):
        _stamp_of_the_phone(rng, printer, y1)


def _stamp_of_the_phone(rng: Rng, printer: faces.Printer, lowest: float) -> None:
    h, w = printer.picture.shape[:2]
    tall = w * rng.uniform(0.025, 0.05)
    own = printer.ink
    printer.ink = near(rng, pick(rng, ((255, 255, 255), (255, 160, 30), (255, 230, 60))), 4)
    y = h - tall * 1.4
    day = f"{rng.integers(1, 29):02d}-{rng.integers(1, 13):02d}-{rng.integers(2012, 2026)}"
    clock = f"{rng.integers(0, 24):02d}:{rng.integers(0, 60):02d}:{rng.integers(0, 60):02d}"
    for line in (f"{day} {clock}", f"Location: {rng.uniform(-30, 45):.6f}, {rng.uniform(-70, 110):.5f}"):
        if y > lowest + 4:
            printer.numbers(line, w * rng.uniform(0.02, 0.3), y, tall, w * 0.65)
        y -= tall * 1.6
    printer.ink = own


def no_meter(rng: Rng, picture: np.ndarray) -> None:
    """A bill, a shelf of things, a keypad, a number plate, text on a screen, or only the wall."""
    height, width = picture.shape[:2]
    kind = int(rng.integers(0, 5))
    if kind == 0:
        return
    if kind in {1, 2}:  # a document or a screen full of lines and numbers
        paper = near(
            rng, (245, 245, 242) if kind == 1 else pick(rng, ((20, 22, 28), (250, 250, 255), (15, 40, 90))), 5
        )
        margin = round(width * rng.uniform(0, 0.15))
        cv2.rectangle(picture, (margin, margin), (width - margin, height - margin), rgb(paper), -1)
        printer = faces.Printer(rng, picture, faces.ink_for(rng, paper))
        y = margin + 8.0
        while y < height - margin - 20:
            tall = width * rng.uniform(0.02, 0.06)
            x = margin + 6.0
            while x < width - margin - 40:
                x += printer.line(x, y, tall, width - margin - x - 4) + width * rng.uniform(0.02, 0.2)
            y += tall * rng.uniform(1.2, 2.2)
        return
    if kind == 3:  # a keypad: single digits that are no counter
        size = round(width * rng.uniform(0.1, 0.2))
        font = pick(rng, faces.fonts.text())
        left, top = round(width * rng.uniform(0.05, 0.3)), round(height * rng.uniform(0.05, 0.3))
        keys = near(rng, pick(rng, ((40, 40, 44), (220, 220, 216))), 15)
        for i in range(12):
            x, y = left + (i % 3) * round(size * 1.25), top + (i // 3) * round(size * 1.15)
            rounded(picture, (x, y, x + size, y + size), size // 6, keys)
            glyph = faces.fit(faces.fonts.words(font, "123456789*0#"[i]), size * 0.35, size * 0.5)
            faces.blend(picture, glyph, x + size // 3, y + size // 4, faces.ink_for(rng, keys))
        return
    for _ in range(int(rng.integers(3, 12))):  # things
        x, y = round(rng.uniform(0, width)), round(rng.uniform(0, height))
        size = round(width * rng.uniform(0.04, 0.3))
        colour = rgb(rng.uniform(0, 255, 3))
        if chance(rng, 0.5):
            cv2.ellipse(
                picture,
                (x, y),
                (size, round(size * rng.uniform(0.3, 1))),
                float(rng.uniform(0, 180)),
                0,
                360,
                colour,
                -1,
                cv2.LINE_AA,
            )
        else:
            cv2.rectangle(picture, (x, y), (x + size, y + round(size * rng.uniform(0.3, 1.5))), colour, -1)
    printer = faces.Printer(rng, picture, rng.uniform(0, 255, 3).astype(np.float32))
    for _ in range(int(rng.integers(0, 5))):
        printer.line(
            rng.uniform(0, width * 0.7),
            rng.uniform(0, height * 0.9),
            width * rng.uniform(0.03, 0.12),
            width * 0.4,
        )
