"""A table out of a CSV or XLSX file: its columns by the names we know them by, its cells as text."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, load_workbook


class UnreadableTable(Exception):
    """The file cannot be read as a table at all; the message says why and how to mend it."""


@dataclass(frozen=True)
class Row:
    """One line of the table: its number as a spreadsheet counts (the header is 1), and its cells as text."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """``columns``: our name of a column → its place. ``ignored``: headings that mean nothing to us."""

    header: list[str]
    columns: dict[str, int]
    ignored: list[str]
    rows: list[Row]

    def cell(self, row: Row, column: str) -> str:
        """The cell without spaces round it; empty where the column or the cell is missing."""
        place = self.columns.get(column)
        return row.cells[place].strip() if place is not None and place < len(row.cells) else ""


def read_table(path: Path, names: dict[str, tuple[str, ...]], required: tuple[tuple[str, ...], ...]) -> Table:
    """Read ``path``.

    Args:
        names: our name of each column → other headings it may have, in English or Arabic.
        required: of each group one column at least must be there.

    Raises:
        UnreadableTable: no such file, neither CSV nor XLSX, empty, or a required column is missing.
    """
    lines = _lines(path)
    number, header = next(((number, cells) for number, cells in lines if any(cells)), (0, []))
    if not number:
        raise UnreadableTable(f"{path} is empty: its first row must name the columns")
    known = {plain_heading(name): ours for ours, others in names.items() for name in (ours, *others)}
    columns: dict[str, int] = {}
    ignored = []
    for place, heading in enumerate(header):
        ours = known.get(plain_heading(heading))
        if ours is None:
            if heading and not heading.startswith("#"):
                ignored.append(heading)
        elif ours in columns:
            raise UnreadableTable(
                f"{path}: column {ours} is there twice, as {header[columns[ours]]!r} and {heading!r}; leave one"
            )
        else:
            columns[ours] = place
    for group in required:
        if not any(name in columns for name in group):
            raise UnreadableTable(
                f"{path}: no column {' or '.join(group)}. Its columns are {', '.join(filter(None, header))};"
                f" name one of them {group[0]}, or in Arabic {names[group[0]][0]}"
            )
    rows = [Row(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]
    return Table(header, columns, ignored, rows)


def plain_heading(text: str) -> str:
    """A heading as it is compared: small letters, one ``_`` between words, the shapes of alef and ya made one."""
    text = re.sub("[\u064b-\u0652\u0640\u200e\u200f]", "", text.strip().lower())
    text = text.translate(str.maketrans("أإآىة", "ااايه"))
    return re.sub(r"[\s_\-]+", "_", text)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) from the first row on."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableTable(f"{path}: {error.strerror}") from error
    if data[:4] == b"PK\x03\x04" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _sheet(path)
    if b"\0" in data[:4096] and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableTable(f"{path} is neither CSV nor XLSX; save it as one of them")
    text = _decoded(data)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    # A row's number is that of its record, as a spreadsheet shows it, not that of its line of text.
    try:
        return iter(list(enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1)))
    except csv.Error as error:
        raise UnreadableTable(f"{path} is not CSV: {error}; save it again as CSV or XLSX") from error


def _decoded(data: bytes) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 as Excel's "Unicode text", else Windows-1256 (Arabic)."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("windows-1256", errors="replace")


def _sheet(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with load_workbook(path) as book:
            rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError) as error:
        raise UnreadableTable(
            f"{path} cannot be opened as a workbook: {error}; save it again as XLSX"
        ) from error
    return iter([(number, [_text(cell) for cell in row]) for number, row in enumerate(rows, 1)])


def _text(cell: Any) -> str:
    """A cell's value as one would type it: no ``.0`` after whole numbers, dates as ISO 8601."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)
