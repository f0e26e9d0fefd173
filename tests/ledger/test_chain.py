"""G12: what was done is on record, cannot be edited, and can be verified."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from rasd.ledger.models import Entry, record, verify

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def three_entries() -> None:
    for number in range(3):
        record(
            "user:salma",
            "reading.corrected",
            f"submission:{number}",
            at=NOON,
            why="الصورة واضحة",
            facts={"value": number},
        )


def tamper(sql: str) -> None:
    """As someone with the database's own powers would: the trigger is put aside first."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_g12_an_untouched_chain_holds():
    three_entries()
    assert verify() is None


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger_entry SET why = 'x'", "DELETE FROM ledger_entry", "TRUNCATE ledger_entry"]
)
def test_g12_the_database_refuses_to_change_an_entry(statement: str):
    three_entries()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "ALTER TABLE ledger_entry ENABLE TRIGGER ledger_no_truncate"
        )  # the suite had put it aside
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("UPDATE ledger_entry SET why = 'another reason' WHERE number = 2", 2),
        ("UPDATE ledger_entry SET facts = '{\"value\": 9}' WHERE number = 1", 1),
        ("UPDATE ledger_entry SET at = at + interval '1 second' WHERE number = 3", 3),
        ("DELETE FROM ledger_entry WHERE number = 2", 2),
        ("UPDATE ledger_entry SET hash = sha256('x') WHERE number = 2", 2),
    ],
)
def test_g12_verify_names_the_first_broken_link(change: str, number: int):
    three_entries()
    tamper(change)
    broken = verify()
    assert broken is not None
    assert broken.number == number


def test_g12_a_chain_cut_off_at_its_end_is_found_by_the_published_head():
    three_entries()
    head = bytes(Entry.objects.get(number=3).hash)
    assert verify(head=head) is None
    tamper("DELETE FROM ledger_entry WHERE number = 3")
    assert verify() is None
    assert verify(head=head) is not None


@pytest.mark.django_db(transaction=True)
def test_an_entry_cannot_be_written_outside_the_transaction_of_its_deed():
    with pytest.raises(transaction.TransactionManagementError):
        record("user:salma", "login.succeeded", "user:salma", at=NOON)
