"""What is printed round a counter: names, ratings, serial numbers, barcodes, stickers, in several scripts; discs and dials."""

from __future__ import annotations

import cv2
import numpy as np

from . import fonts
from .labels import rectangle
from .paint import Colour, Rng, blend, chance, fit, near, pick, rgb

PAPERS = (
    (235, 235, 230), (225, 222, 210), (205, 208, 210), (190, 190, 185), (175, 178, 180), (240, 240, 240), (215, 225, 235),
    (165, 160, 150), (40, 42, 45), (25, 25, 28), (60, 75, 110), (150, 160, 150), (235, 225, 190), (90, 95, 100), (245, 215, 120),
    (40, 90, 150), (228, 228, 228), (215, 215, 210), (245, 245, 240),
)  # fmt: skip
# What meters say, a vertical bar between two lines.
PRINTED = {
    "latin": """SINGLE PHASE 2 WIRE KILOWATT-HOUR METER|ac STATIC WATTHOUR METER|SINGLE PHASE STATIC METER|CLASS 1.0|Cl. 2
        kWh|kWh|kW·h
        220V 50Hz|240 V  10-60 A  50 Hz|230V 5(60)A|3x230/400 V|10(40)A|imp/kWh|1600 imp/kWh|3200 imp/kWh|rev/kWh|375 r/kWh
        MADE IN P.R.C.|PROPERTY OF THE UTILITY|IEC 62053-21|IEC 60521|Type DD862-4|MEDIDOR MONOFÁSICO|ENERGÍA ACTIVA|Pulse|Rev.
        Contador de energía|MEDIDOR DE kWh|INDÚSTRIA BRASILEIRA|Fio 2  Kh 3,6|kWh METER|Wechselstromzähler|Compteur monophasé
        CÔNG TƠ ĐIỆN 1 PHA 2 DÂY|СЧЕТЧИК ЭЛЕКТРИЧЕСКОЙ ЭНЕРГИИ|кВт·ч|m³|Q3 2.5 m³/h|T30|PN 16|Tamper|ALARM|4 WIRE|2P2W
        ELECTRONIC ENERGY METER|CAT III|IP54|Indoor use|Ambient -25 +60 °C|MFG 2014|D.O.M.
        THREE PHASE FOUR WIRE|PREPAYMENT METER""",
    "arabic": """عداد كهرباء أحادي الطور|كيلو واط ساعة|شركة الكهرباء|صنع في|ملك شركة التوزيع|رقم العداد|ك و س|وزارة الكهرباء
        الفئة 2|٢٢٠ فولت ٥٠ هرتز|عداد مياه|القراءة|رقم المشترك ٤٥٢١٨٧|عداد ثلاثي الأطوار|مسبق الدفع|الرقم التسلسلي""",
    "urdu": "بجلی کا میٹر|سنگل فیز|لاہور الیکٹرک",
    "devanagari": "विद्युत मीटर|एकल फेज|किलोवाट घंटा|बिजली बोर्ड",
    "bengali": "বিদ্যুৎ মিটার|কিলোওয়াট ঘণ্টা|পল্লী বিদ্যুৎ",
    "thai": "การไฟฟ้านครหลวง|มาตรวัดไฟฟ้า|กิโลวัตต์ชั่วโมง",
    "cjk": "单相电能表|国家电网|有功电能|千瓦时|单相电子式电能表|电力量計",
    "korean": "전력량계|한국전력|단상 2선식",
}
LINES = {
    script: tuple(line.strip() for line in text.replace("\n", "|").split("|"))
    for script, text in PRINTED.items()
}
COUNTRIES = ("latin",) * 4 + ("arabic",) * 3 + ("urdu", "devanagari", "bengali", "thai", "cjk", "korean")


def paper(rng: Rng) -> Colour:
    return near(rng, pick(rng, PAPERS), 10)


def ink_for(rng: Rng, colour: Colour) -> Colour:
    """Readable on this paper: mostly black or white, sometimes blue or red."""
    if colour.mean() < 105:
        return near(rng, (230, 230, 228), 12)
    return near(rng, pick(rng, ((20, 20, 22), (20, 20, 22), (20, 20, 22), (30, 45, 120), (150, 30, 30))), 10)


def serial(rng: Rng) -> str:
    length = int(rng.integers(5, 14))
    digits = "".join(str(d) for d in rng.integers(0, 10, length))
    lead = pick(rng, ("", "", "", "No. ", "No ", "S/N ", "Nr. ", "SI.No.", "№ ", "AB ", "E-", "ID: ", "SN:"))
    if chance(rng, 0.15):
        digits = f"{digits[:4]}-{digits[4:]}" if length > 5 else digits
    return lead + digits


def rating(rng: Rng) -> str:
    def whole(low: int, high: int) -> int:
        return int(rng.integers(low, high))

    return pick(rng, (
        f"{whole(100, 250)}V {whole(5, 30)}({whole(40, 100)})A {pick(rng, (50, 60))}Hz", f"{whole(1, 64) * 100} imp/kWh",
        str(whole(1978, 2025)), f"{whole(1, 29):02d}/{whole(1, 13):02d}/{whole(1995, 2025)}", f"{whole(120, 2000)} r/kWh",
        f"Kh {whole(1, 9)}.{whole(0, 9)}", f"{whole(2, 61)} A",
    ))  # fmt: skip


class Printer:
    """Prints on a picture and keeps the quads of lines that hold numbers and are not the reading."""

    def __init__(self, rng: Rng, picture: np.ndarray, ink: Colour, script: str | None = None) -> None:
        self.rng, self.picture, self.ink = rng, picture, ink
        script = script or pick(rng, COUNTRIES)
        self.script = script if fonts.text(script) else "latin"
        self.latin = pick(rng, fonts.text())
        self.local = pick(rng, fonts.text(self.script))
        self.distractors: list[np.ndarray] = []

    def line(self, x: float, y: float, tall: float, room: float, *, centred: bool = False) -> float:
        """One line of words or numbers from (x, y), or round x; `tall` pixels for an em, at most `room` wide.

        Returns its width in pixels.
        """
        drawn = self.rng.random()
        if drawn < 0.3:
            return self.numbers(serial(self.rng), x, y, tall, room, centred=centred)
        if drawn < 0.45:
            return self.numbers(rating(self.rng), x, y, tall, room, centred=centred)
        local = drawn < 0.75 and self.script != "latin"
        script, font = (self.script, self.local) if local else ("latin", self.latin)
        mask = fonts.words(font, pick(self.rng, LINES[script]))
        return self._put(mask, x, y, tall, room, centred)[1]

    def numbers(
        self, line: str, x: float, y: float, tall: float, room: float, *, centred: bool = False
    ) -> float:
        """Like `line`, of a given number, which is kept as a distractor."""
        x, wide, high = self._put(fonts.number(self.latin, line), x, y, tall, room, centred)
        if wide:
            self.keep(rectangle(x, y + high * 0.1, x + wide, y + high))
        return wide

    def by_hand(self, x: float, base: float, tall: float) -> None:
        """A number written with a marker."""
        line = "".join(str(d) for d in self.rng.integers(0, 10, int(self.rng.integers(3, 9))))
        face, scale = (
            cv2.FONT_HERSHEY_SCRIPT_SIMPLEX if chance(self.rng, 0.5) else cv2.FONT_HERSHEY_SIMPLEX,
            tall / 22,
        )
        thick = max(1, round(tall / 9))
        (wide, high), _ = cv2.getTextSize(line, face, scale, thick)
        cv2.putText(
            self.picture, line, (round(x), round(base)), face, scale, rgb(self.ink), thick, cv2.LINE_AA
        )
        self.keep(rectangle(x, base - high, x + wide, base))

    def keypad(self, x: int, y: int, wide: int, high: int) -> None:
        """The keys of a prepaid meter."""
        columns, rows = (3, 4) if chance(self.rng, 0.7) else (6, 2)
        key = near(
            self.rng, pick(self.rng, ((235, 235, 230), (60, 90, 160), (40, 40, 44), (200, 120, 40))), 10
        )
        w, h = wide / columns, high / rows
        self.covered(x, y, x + wide, y + high)
        cv2.rectangle(self.picture, (x, y), (x + wide, y + high), rgb(near(self.rng, key * 0.8, 12)), -1)
        for i in range(columns * rows):
            left, top = x + (i % columns) * w, y + (i // columns) * h
            box = (
                (round(left + w * 0.08), round(top + h * 0.1)),
                (round(left + w * 0.92), round(top + h * 0.9)),
            )
            cv2.rectangle(self.picture, *box, rgb(key), -1)
            cv2.rectangle(self.picture, *box, rgb(key * 0.6), 1)
            glyph = fit(fonts.words(self.latin, "123456789*0#"[i]), h * 0.25, h * 0.45)
            blend(self.picture, glyph, round(left + w * 0.4), round(top + h * 0.28), ink_for(self.rng, key))

    def keep(self, quad: np.ndarray) -> None:
        h, w = self.picture.shape[:2]
        inside = (
            (quad[:, 0].min() >= 0)
            & (quad[:, 1].min() >= 0)
            & (quad[:, 0].max() < w)
            & (quad[:, 1].max() < h)
        )
        if inside:
            self.distractors.append(quad)

    def covered(self, left: float, top: float, right: float, bottom: float) -> None:
        """Something will lie here: numbers printed before, of which a third or more vanishes, are no longer there."""
        kept = []
        for quad in self.distractors:
            (x0, y0), (x1, y1) = quad.min(0), quad.max(0)
            shared = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, bottom) - max(y0, top))
            if shared < (x1 - x0) * (y1 - y0) / 3:
                kept.append(quad)
        self.distractors = kept

    def _put(
        self, mask: np.ndarray, x: float, y: float, tall: float, room: float, centred: bool
    ) -> tuple[float, float, float]:
        """(left, width, height) of what was printed; nothing where it would be too small to be seen."""
        scale = min(tall / 40, room / mask.shape[1])
        if scale * mask.shape[0] < 4:
            return x, 0.0, 0.0
        ready = fit(mask, mask.shape[1] * scale, mask.shape[0] * scale)
        x = x - ready.shape[1] / 2 if centred else x
        blend(self.picture, ready, round(x), round(y), self.ink)
        return x, float(ready.shape[1]), float(ready.shape[0])

    def barcode(self, x: int, y: int, wide: int, high: int) -> None:
        """Bars on white with their number beneath."""
        modules = np.repeat(self.rng.integers(0, 2, max(8, wide // 3)), self.rng.integers(1, 3))
        bars = cv2.resize(
            (255 - 235 * modules[None].astype(np.uint8)), (wide, high), interpolation=cv2.INTER_NEAREST
        )
        h, w = self.picture.shape[:2]
        x, y = max(0, min(x, w - wide - 1)), max(0, min(y, h - high - 1))
        self.covered(x, y, x + wide, y + high * 1.4)
        part = self.picture[y : y + high, x : x + wide]
        part[:] = bars[: part.shape[0], : part.shape[1], None]
        if chance(self.rng, 0.7):
            own, self.ink = self.ink, np.float32((15, 15, 15))
            tall = max(7.0, high * 0.4)
            cv2.rectangle(self.picture, (x, y + high), (x + wide, int(y + high + tall)), (245, 245, 245), -1)
            self.numbers(
                "".join(str(d) for d in self.rng.integers(0, 10, int(self.rng.integers(6, 15)))),
                x + 2,
                y + high,
                tall,
                wide - 4,
            )
            self.ink = own

    def logo(self, x: int, y: int, size: int) -> None:
        """A shape or two in a strong colour: triangles, rings, bolts, letters in a disc."""
        rng, colour = self.rng, rgb(self.rng.uniform(0, 220, 3))
        kind = int(rng.integers(0, 5))
        if kind == 0:
            cv2.circle(
                self.picture, (x, y), size, colour, -1 if chance(rng, 0.5) else max(2, size // 4), cv2.LINE_AA
            )
        elif kind == 1:
            corners = np.array([(x, y - size), (x + size, y + size), (x - size, y + size)])
            cv2.fillPoly(self.picture, [corners], colour, cv2.LINE_AA)
        elif kind == 2:
            bolt = np.array([(0, -1), (-0.5, 0.2), (0, 0.1), (-0.2, 1), (0.6, -0.3), (0.1, -0.15), (0.5, -1)])
            cv2.fillPoly(self.picture, [np.round(bolt * size + (x, y)).astype(np.int32)], colour, cv2.LINE_AA)
        elif kind == 3:
            cv2.ellipse(
                self.picture,
                (x, y),
                (size, size // 2),
                float(rng.uniform(0, 180)),
                0,
                360,
                colour,
                max(1, size // 6),
                cv2.LINE_AA,
            )
        else:
            cv2.rectangle(self.picture, (x - size, y - size // 2), (x + size, y + size // 2), colour, -1)
        if chance(rng, 0.4):
            mask = fonts.words(
                self.latin, pick(rng, ("EC", "MEA", "ABB", "NWC", "SEC", "EDF", "K", "Z", "AEM", "CE"))
            )
            blend(
                self.picture,
                fit(mask, size * 1.2, size * 0.8),
                x - int(size * 0.6),
                y - int(size * 0.4),
                np.float32((250, 250, 250)),
            )

    def disc(self, x: int, y: int, wide: int, high: int) -> None:
        """The turning disc of an induction meter behind its slit, with its red mark and scale."""
        grey = near(self.rng, (95, 95, 95), 20)
        self.covered(x, y, x + wide, y + high)
        cv2.rectangle(self.picture, (x, y), (x + wide, y + high), (18, 18, 18), -1)
        cv2.ellipse(
            self.picture,
            (x + wide // 2, y + high // 2),
            (int(wide * 0.48), max(2, high // 3)),
            0,
            0,
            360,
            rgb(grey),
            -1,
            cv2.LINE_AA,
        )
        if chance(self.rng, 0.6):
            at = int(x + wide * self.rng.uniform(0.2, 0.8))
            cv2.rectangle(
                self.picture,
                (at, y + high // 3),
                (at + max(2, wide // 20), y + high * 2 // 3),
                (150, 20, 20),
                -1,
            )
        for at in range(x, x + wide, max(4, wide // 30)):
            cv2.line(self.picture, (at, y - 3), (at, y - 1), rgb(self.ink), 1)

    def lamp(self, x: int, y: int, radius: int) -> None:
        """A pulse light, dark or shining."""
        colour = pick(
            self.rng,
            ((60, 10, 10), (255, 60, 50), (220, 20, 20), (20, 60, 20), (60, 240, 80), (240, 200, 60)),
        )
        cv2.circle(self.picture, (x, y), radius + 1, rgb(self.ink), 1, cv2.LINE_AA)
        cv2.circle(self.picture, (x, y), radius, colour, -1, cv2.LINE_AA)


def dial(
    picture: np.ndarray,
    rng: Rng,
    centre: tuple[int, int],
    radius: int,
    position: float,
    clockwise: bool,
    ink: Colour,
    font: str,
) -> None:
    """A pointer on a ring of ten digits, 0 at the top."""
    turn = 1 if clockwise else -1
    cv2.circle(picture, centre, radius, rgb(ink), max(1, radius // 18), cv2.LINE_AA)
    for digit in range(10):
        angle = turn * digit * np.pi / 5
        mask = fit(fonts.digit(font, str(digit)), radius * 0.2, radius * 0.28)
        x, y = centre[0] + 0.76 * radius * np.sin(angle), centre[1] - 0.76 * radius * np.cos(angle)
        blend(picture, mask, round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2), ink)
    angle = turn * position * np.pi / 5
    along, across = np.array([np.sin(angle), -np.cos(angle)]), np.array([np.cos(angle), np.sin(angle)])
    shape = np.array([along * 0.68, across * 0.08, -along * 0.2, -across * 0.08]) * radius + centre
    colour = rgb(ink) if chance(rng, 0.7) else (170, 25, 25)
    cv2.fillPoly(picture, [np.round(shape * 16).astype(np.int32)], colour, cv2.LINE_AA, shift=4)
    cv2.circle(picture, centre, max(2, radius // 9), colour, -1, cv2.LINE_AA)
