"""The days in which each district reads, out of a CSV or XLSX file."""

from __future__ import annotations

from pathlib import Path

from rasd.metering.importing import cells
from rasd.metering.importing.tables import UnreadableTable, read_table
from rasd.metering.models.windows import Days

NAMES = {
    "district": ("منطقة", "المنطقة", "الولاية"),
    "opens": ("from", "first_day", "من", "أول يوم"),
    "closes": ("to", "last_day", "إلى", "آخر يوم"),
}


def read_windows(path: Path) -> dict[str, Days]:
    """District → first and last day, both included.

    All or nothing: half of the windows would give the other half the cycle's own days, and customers be told those.

    Raises:
        UnreadableTable: it is no table, or a row is wrong; the message names the row, the field and the mend.
    """
    table = read_table(path, NAMES, (("district",), ("opens",), ("closes",)))
    found: dict[str, Days] = {}
    wrong = []
    for row in table.rows:
        try:
            district = cells.needed("district", table.cell(row, "district"), 100)
            if district in found:
                raise cells.BadCell("district", f"{district!r} is there twice", "leave one of the two")
            found[district] = (
                cells.day("opens", table.cell(row, "opens")),
                cells.day("closes", table.cell(row, "closes")),
            )
        except cells.BadCell as error:
            wrong.append(f"row {row.number}, {error}")
    if wrong:
        raise UnreadableTable(f"{path}: nothing was kept. " + ". ".join(wrong))
    return found
