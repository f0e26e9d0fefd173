"""The labelled pictures that the eye is trained and measured on: one iterator, one row a picture.

The pictures lie outside the repository (`--data`, a folder with `meters/` and `more/`, each with its README);
none of them may be shipped. `clear` says that a row's licence is stated and allows commerce.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

HELD_BACK = ("analog", "one_meter", "misc", "sreekark", "lcd_shop")
"""Sources that figures are measured on: whole sources, so that their makes are unseen, never single photographs of a
meter that was trained on. No meter of theirs (`meter` in labels/) is in another source; `lcd_close` is not among them
because `renjith` and `bilal` show its displays as well."""

LABELS = Path(__file__).parent / "labels"
"""What was read and marked by eye for this project, and corrections of labels that came with the pictures."""

CLEAR = {"bilal", "drake", "haverland"}
"""Sources with a stated licence that allows commerce: CC BY 4.0, MIT, Apache-2.0 (READMEs beside the data).
`chongqing` and `cronix` are not among them: their repository is MIT, their pictures' terms are not stated."""


@dataclass(frozen=True)
class Labelled:
    path: Path
    source: str
    kind: str  # roller or lcd
    reading: str  # digits and at most one point; empty where the picture has no (readable) counter
    point_known: bool  # False: the label says nothing about where the point stands
    quad: npt.NDArray[np.float32] | None  # 4 x 2, relative to the picture; None: not marked
    whole: bool  # a whole photograph, as a customer would send; False: a cut-out counter
    trusted: bool
    meter: str = ""  # photographs of one meter share it; empty: not known
    untold: int = (
        0  # wheels after the last one of the label, which stand so that nobody could tell what they show
    )
    settled: bool = (
        False  # the last wheel was read by the rule: the digit that is being left, not the nearer one
    )

    @property
    def digits(self) -> str:
        return self.reading.replace(".", "")

    def is_read_by(self, digits: str) -> bool:
        """Whether `digits`, all that were read, are this picture's reading."""
        return (
            bool(self.reading)
            and digits[: len(self.digits)] == self.digits
            and (len(digits) - len(self.digits) in {0, self.untold})
        )

    def is_told_by(self, digits: str, decimals: int) -> bool:
        """Whether digits and point are this picture's reading: what counts where no register says where the point stands."""
        if not self.is_read_by(digits):
            return False
        after = len(self.reading.partition(".")[2])
        return "." not in self.reading or decimals - (len(digits) - len(self.digits)) == after

    @property
    def unreadable(self) -> bool:
        """Whether it was looked at by eye, shows a counter, and could not be read."""
        return self.settled and not self.trusted and not self.reading

    @property
    def can_be_judged(self) -> bool:
        """Whether it is known what a reader should say: most displays of `lcd_shop` go on beyond the picture's edge."""
        return self.trusted or self.source != "lcd_shop"

    @property
    def held_back(self) -> bool:
        return self.source in HELD_BACK


def _boxes(text: str) -> list[tuple[str, float, float, float, float]]:
    found = []
    for item in text.split():
        name, numbers = item.split(":")
        x, y, w, h = (float(number) for number in numbers.split(","))
        found.append((name, x, y, w, h))
    return found


def _quad(text: str, aspect: float) -> npt.NDArray[np.float32] | None:
    """The counter's quadrilateral from one box round it, or from the boxes of its digits (then turned with
    them). `aspect` is the picture's width over height: angles are only true in square pixels."""
    boxes = _boxes(text)
    if not boxes:
        return None
    if len(boxes) == 1:
        _, x, y, w, h = boxes[0]
        corners = [
            (x - w / 2, y - h / 2),
            (x + w / 2, y - h / 2),
            (x + w / 2, y + h / 2),
            (x - w / 2, y + h / 2),
        ]
        return np.array(corners, np.float32)
    centres = np.array([(x * aspect, y) for _, x, y, _, _ in boxes])
    widths = np.array([w * aspect for _, _, _, w, _ in boxes])
    heights = np.array([h for *_, h in boxes])
    along = centres[-1] - centres[0]
    along = along / max(np.linalg.norm(along), 1e-6)
    down = np.array([-along[1], along[0]])
    left = centres[0] - along * np.median(widths) * 0.7
    right = centres[-1] + along * np.median(widths) * 0.7
    half = down * np.median(heights) * 0.6
    quad = np.array([left - half, right - half, right + half, left + half])
    quad[:, 0] /= aspect
    return quad.astype(np.float32)


def _rows(folder: Path, name: str = "labels.csv") -> Iterator[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _aspect(path: Path) -> float:
    picture = cv2.imread(str(path))
    return float(picture.shape[1] / picture.shape[0])


def _toloka(reading: str) -> str:
    """Trailing zeros were dropped; these meters have five black wheels and three red (README)."""
    whole, _, rest = reading.partition(".")
    return f"{whole.zfill(5)}.{rest.ljust(3, '0')}" if rest else ""


NAMES = {
    "unlabelled_analog": "analog",
    "unlabelled_lcd": "lcd_shop",
    "misc_small_repos": "misc",
    "nonmeter_objects": "nonmeter",
    "bilaltariq_lcd_bd_in": "bilal",
    "drake7707_electricity_roller_be": "drake",
}

FULL = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


def labelled(data: Path) -> Iterator[Labelled]:
    """Every picture with a reading, or known to show none. `data`: the folder that holds `meters/` and `more/`.

    What was read and marked by eye for this project (labels/*.csv) goes before what came with the pictures.
    """
    by_eye = _by_eye()
    corrections = {row["path"]: row for row in _rows(LABELS, "corrections.csv")}
    for item in _all(data):
        name = str(item.path.relative_to(data))
        if name in by_eye:
            yield _seen(item, by_eye.pop(name))
        else:
            yield _corrected(item, corrections.get(name))
    for path, row in by_eye.items():
        source = NAMES.get(Path(path).parts[1], Path(path).parts[1].split("_")[0])
        yield _seen(Labelled(data / path, source, row["kind"], "", True, None, True, True), row)


def _by_eye() -> dict[str, dict[str, str]]:
    return {row["path"]: row for name in ("rollers.csv", "displays.csv") for row in _rows(LABELS, name)}


def _corrected(item: Labelled, row: dict[str, str] | None) -> Labelled:
    """`item` with what looking at it showed to be wrong in the label that came with it. Raises ValueError where the
    label is no longer the one that was looked at."""
    if row is None:
        return item
    if item.reading != row["was"]:
        raise ValueError(f"{row['path']}: its label is {item.reading!r}, and {row['was']!r} was corrected")
    if not row["reading"]:
        return replace(item, trusted=False)
    quad = np.roll(item.quad, 2, axis=0) if row["turned"] and item.quad is not None else item.quad
    return replace(item, reading=row["reading"], quad=quad)


def _seen(item: Labelled, row: dict[str, str]) -> Labelled:
    """`item` as a second look found it. Unreadable ones keep their place: a counter that cannot be read is still one."""
    # bilal came with boxes of the display's glass, which is more than the row of digits; of those that nobody could read
    # it is all there is.
    quad = None if item.source == "bilal" and row["reading"] else item.quad
    if row["quad"]:
        quad = np.array(row["quad"].split(), np.float32).reshape(4, 2)
    readable = row["quality"] != "unreadable" and "cut:" not in row["note"]
    return replace(
        item, kind=row["kind"], reading=row["reading"], quad=quad, meter=row["meter"],
        point_known=bool(row["reading"]), trusted=readable, untold=int("not told" in row["note"]),
        settled=True,
    )  # fmt: skip


def _all(data: Path) -> Iterator[Labelled]:
    meters = data / "meters"
    for row in _rows(meters):
        source = row["path"].split("/")[0]
        path = meters / row["path"]
        reading = row["reading"]
        if source == "pole_cam":
            quad = _quad(row["digit_boxes"], _aspect(path))
            yield Labelled(
                path, source, "roller", reading, False, quad, True, row["label_check"] != "suspect"
            )
        elif source == "one_meter":
            yield Labelled(path, source, "roller", f"{reading[:-1]}.{reading[-1]}", True, None, True, True)
        elif source == "lcd_close":
            yield Labelled(path, source, "lcd", reading, True, None, True, True)
    for folder in sorted((data / "more").iterdir()):
        if not folder.is_dir():
            continue
        source = NAMES.get(folder.name, folder.name.split("_")[0])
        for row in _rows(folder):
            found = _row(folder, source, row)
            if found is not None:
                yield found


def _row(folder: Path, source: str, row: dict[str, str]) -> Labelled | None:
    path, kind, reading, check = folder / row["path"], row["kind"], row["reading"], row["label_check"]
    look = "lcd" if "lcd" in kind or "led" in kind or "display" in kind else "roller"
    whole = "whole" in kind or "nonmeter" in kind
    if "single_digit" in kind or "/" in reading:
        return None
    if source == "nonmeter":
        return Labelled(
            path, source, "none", "", True, None, True, "meter" not in kind.replace("nonmeter", "")
        )
    quad = _quad(row["digit_boxes"], _aspect(path)) if row["digit_boxes"] else (None if whole else FULL)
    if not set(reading) <= set("0123456789.") or reading.count(".") > 1:
        return None
    trusted = "suspect" not in check and "second look sees" not in check
    if source == "toloka":
        reading = _toloka(reading)
        return Labelled(path, source, look, reading, True, quad, whole, bool(reading))
    if "red decimals not given" in check or (source == "kasparurban" and "black wheels only" in check):
        # The red wheels are in the picture and not in the label: good for finding, not for reading.
        return Labelled(path, source, look, "", False, quad, whole, trusted)
    point_known = source in {"renjith", "bilal", "ahmdhrdy", "cronix"} or "." in reading
    return Labelled(path, source, look, reading, point_known, quad, whole, trusted)
