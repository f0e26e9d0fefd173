"""A folder of labelled photographs: ``labels.csv`` with at least ``path, reading``.

``reading`` holds the digits as seen, leading zeros kept, a point where one is shown. An empty one says that there is
nothing to read: no meter, or a counter that nobody can read. ``kind``, ``source``, ``meter`` and ``untold`` are optional.
"""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

POINTS = str.maketrans({"٫": ".", ",": ".", "،": ".", "٬": None, "\u200f": None, "\u200e": None, " ": None})
"""Arabic and European decimal points; marks of writing direction and spaces go."""


class UnusableFolder(ValueError):
    """There is no usable ``labels.csv``; the text says what is there and how to mend it."""


@dataclass(frozen=True)
class Labelled:
    path: Path
    name: str  # as labels.csv has it
    reading: str  # ASCII digits with at most one point; "": nothing to read
    kind: str
    source: str
    meter: str
    untold: int = (
        0  # wheels after the last one of the reading that nobody could tell: reading them is no error
    )

    @property
    def digits(self) -> str:
        return self.reading.replace(".", "")

    @property
    def whole(self) -> str:
        """The places before the point."""
        return self.reading.partition(".")[0]

    @property
    def decimals(self) -> int | None:
        """Places after the point; None where the label has no point."""
        return len(self.reading.partition(".")[2]) if "." in self.reading else None


@dataclass
class Labels:
    folder: Path
    pictures: list[Labelled] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Rows that were left out, each named with the reason."""
    unlabelled: int = 0
    """Rows that say themselves that nobody labelled them: neither "nothing to read" nor a reading."""


def read_labels(folder: Path) -> Labels:
    """Raises UnusableFolder where there is no ``labels.csv`` with the columns ``path`` and ``reading``."""
    labels = Labels(folder)
    seen: dict[str, str | None] = {}
    for number, row in enumerate(_rows(folder), start=2):
        name = (row["path"] or "").strip().replace("\\", "/")
        if not name:
            labels.problems.append(f"labels.csv line {number}: no path")
            continue
        if not row["reading"] and _says_unlabelled(name, row.get("label_check") or ""):
            labels.unlabelled += 1
            continue
        reading = normalised(row["reading"] or "")
        if reading is None:
            labels.problems.append(
                f"{name}: reading {row['reading']!r} (line {number}) is not digits with at most one point"
            )
            continue
        if name in seen:
            if seen[name] != reading:
                labels.problems.append(f"{name}: stands twice with different readings; left out both times")
                labels.pictures = [picture for picture in labels.pictures if picture.name != name]
            else:
                labels.problems.append(f"{name}: stands twice (line {number}); counted once")
            continue
        seen[name] = reading
        if not (folder / name).is_file():
            labels.problems.append(f"{name}: there is no such file (line {number})")
            continue
        labels.pictures.append(
            Labelled(
                folder / name,
                name,
                reading,
                (row.get("kind") or "").strip(),
                (row.get("source") or "").strip() or _source(folder, name),
                (row.get("meter") or "").strip(),
                int(row.get("untold") or 0),
            )
        )
    return labels


def normalised(reading: str) -> str | None:
    """ASCII digits and at most one point, from any script's digits; None where it is something else."""
    plain = "".join(
        str(unicodedata.digit(letter)) if letter.isdigit() else letter
        for letter in reading.strip().translate(POINTS)
    )
    if plain.count(".") > 1 or not set(plain) <= set("0123456789."):
        return None
    return plain.rstrip(".")  # "123." shows no place after its point


def _source(folder: Path, name: str) -> str:
    head, slash, _ = name.partition("/")
    return head if slash and head != "images" else folder.resolve().name


def _says_unlabelled(name: str, label_check: str) -> bool:
    """In the column ``label_check``, or by lying in a folder called "unlabelled…"."""
    folders = name.lower().split("/")[:-1]
    return "unlabelled" in label_check.lower() or any(part.startswith("unlabelled") for part in folders)


def _rows(folder: Path) -> list[dict[str, str | None]]:
    file = folder / "labels.csv"
    if not file.is_file():
        below = sorted(found.parent.name for found in folder.glob("*/labels.csv"))
        raise UnusableFolder(
            f"{folder} holds no labels.csv"
            + (f"; these folders in it do: {', '.join(below)}" if below else " (columns: path, reading)")
        )
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = [column.strip().lower() for column in reader.fieldnames or []]
            if missing := {"path", "reading"} - set(columns):
                raise UnusableFolder(
                    f"{file} has no column {' and no column '.join(sorted(missing))}; its columns are: "
                    f"{', '.join(columns) or 'none'} (separated by commas)"
                )
            reader.fieldnames = columns
            return list(reader)
    except UnicodeDecodeError as error:
        raise UnusableFolder(f"{file} is not UTF-8 (byte {error.start}): save it as CSV UTF-8") from error
