"""The ledger of what was made up: three entries of each obligation, chained as they would be, by COPY."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg

ASKED = """
SELECT o.id, o.kind, o.matter, q.name, u.username, l.name, o.conversation_id, o.message_id, o.discharged_by_id, o.since, o.due_at,
    o.discharged_at
FROM desk_obligation o JOIN desk_queue q ON q.id = o.queue_id JOIN desk_conversation v ON v.id = o.conversation_id
    JOIN channels_line l ON l.id = v.line_id LEFT JOIN auth_user u ON u.id = o.owner_id
ORDER BY o.id"""
COLUMNS = "number, at, actor, action, subject, why, facts, hash"
ALLOWED = 1_800.0  # seconds

Told = tuple[datetime, str, str, str, dict[str, Any]]


def chain_up(now: datetime) -> None:
    """Entries for all obligations, and the account's mark at the last of them. The ledger is empty."""
    from rasd.desk.models import AccountMark
    from rasd.ledger.chain import GENESIS, payload_hash, payload_of

    previous, number = GENESIS, 0
    with plain_connection() as reading, plain_connection() as writing:
        rows = reading.cursor(name="obligations")
        rows.execute(ASKED)
        cursor = writing.cursor()
        cursor.execute("SET session_replication_role = replica")
        with cursor.copy(f"COPY ledger_entry ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                for at, actor, action, subject, facts in _entries(row):
                    number += 1
                    payload = payload_of(
                        number=number, at=at, actor=actor, action=action, subject=subject, why="", facts=facts
                    )
                    previous = payload_hash(previous, payload)
                    copy.write_row((number, at, actor, action, subject, "", json.dumps(facts), previous))
        writing.commit()
        at = writing.execute("SELECT at FROM ledger_entry ORDER BY number DESC LIMIT 1").fetchone()
    AccountMark.objects.update_or_create(
        pk=1, defaults={"number": number, "at": at[0] if at else None, "hash": previous, "drawn_at": now}
    )


def _entries(row: tuple[Any, ...]) -> Iterator[Told]:
    pk, kind, matter, queue, owner, line, conversation, message, answer, since, due_at, until = row
    subject = f"obligation:{pk}"
    facts = {
        "kind": kind, "matter": matter, "queue": queue, "owner": None, "line": line, "conversation": conversation, "case": None,
        "message": message, "answer": None, "since": since.isoformat(), "due_at": due_at.isoformat(), "spent": 0.0,
        "allowance": ALLOWED,
    }  # fmt: skip
    yield since, "customer:bench", "obligation.owed", subject, facts
    if owner:
        facts = {**facts, "owner": owner}
        yield since, "machine:desk", "obligation.given", subject, facts
    if until:
        facts = {**facts, "answer": answer, "spent": (until - since).total_seconds()}
        yield until, f"user:{owner}", "obligation.answered", subject, facts


@contextmanager
def plain_connection() -> Iterator[psycopg.Connection]:
    """Beside Django's: one reads on while the other writes."""
    from django.db import connection

    chosen = connection.get_connection_params()
    ours = {"cursor_factory", "context", "prepare_threshold"}
    with psycopg.connect(**{name: value for name, value in chosen.items() if name not in ours}) as plain:
        yield plain
