"""What came of an import, and the file of what did not."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

from rasd.metering.importing.tables import Row


@dataclass(frozen=True)
class Problem:
    """Why a row was left out: which field, what is wrong with it, and how to mend it."""

    row: Row
    field: str
    problem: str
    mend: str


@dataclass
class Outcome:
    """How many rows there were, how many made something new, changed something or were known already, and those left out."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    errors_file: Path | None = None

    def write_errors(self, table: Path, header: list[str]) -> None:
        """Write the rows left out to ``<table>.errors.csv``, or take away one of an earlier run where there are none.

        The rows stand there as they came, after three columns that say what is wrong, so that they can be mended in place
        and that very file be imported. With a byte order mark, as Excel asks for it.
        """
        path = table.with_name(table.name + ".errors.csv")
        if not self.problems:
            path.unlink(missing_ok=True)
            return
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["#row", "#field", "#problem", "#mend", *header])
            for one in self.problems:
                writer.writerow([one.row.number, one.field, one.problem, one.mend, *one.row.cells])
        self.errors_file = path
