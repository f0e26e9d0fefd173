"""What both imports do alike: COPY the checked rows into a table of the transaction, and end it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from rasd.ledger.models import record
from rasd.metering.importing.outcome import Outcome
from rasd.metering.importing.tables import Table

TELL_EVERY = 1_000  # rows


def stage(cursor: Any, name: str, columns: dict[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    """A temporary table ``name`` with ``columns`` (name → PostgreSQL's type) that holds ``rows``, gone with the transaction."""
    drop(cursor, name)
    cursor.execute(
        f"CREATE TEMPORARY TABLE {name} ({', '.join(f'{one} {kind}' for one, kind in columns.items())}) ON COMMIT DROP"
    )
    with cursor.copy(f"COPY {name} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(f"ANALYZE {name}")  # else the joins are planned for a handful of rows


def hold_cycles(cursor: Any) -> None:
    """Until the transaction ends no cycle that is open is closed: what is brought for it is in it, or comes too late for it."""
    cursor.execute("SELECT id FROM metering_cycle WHERE closed_at IS NULL ORDER BY id FOR SHARE")


def drop(cursor: Any, name: str) -> None:
    """Two imports may share one transaction: what the first one staged goes."""
    cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")


def finish(
    outcome: Outcome, table: Table, path: Path, *, kind: str, at: datetime, actor: str, dry_run: bool
) -> None:
    """Write the errors file; then take everything back on a dry run, else put the import on record. Call it last."""
    outcome.problems.sort(key=lambda one: one.row.number)
    outcome.write_errors(path, table.header)
    if dry_run:
        transaction.set_rollback(True)
        return
    record(
        actor,
        "records.imported",
        f"import:{kind}",
        at=at,
        facts={
            "file": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "rows": outcome.rows,
            "created": outcome.created,
            "changed": outcome.changed,
            "unchanged": outcome.unchanged,
            "left_out": len({one.row.number for one in outcome.problems}),
        },
    )
