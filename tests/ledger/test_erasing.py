"""G12 and the right to be forgotten: what is erased is gone, the chain holds, and nobody can pass tampering off as erasing."""

import json
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from rasd.ledger import chain
from rasd.ledger.erasing import erase
from rasd.ledger.export import NotProven, lines, prove
from rasd.ledger.models import Entry, head, record, verify
from tests.ledger.test_chain import NOON, tamper

pytestmark = pytest.mark.django_db
NUMBER = "tel:+96890000017"


@pytest.fixture(params=["with seals", "from before there were seals", "half and half"])
def ledger(request: pytest.FixtureRequest) -> str:
    """Four entries about a customer and his work, and one about somebody else."""
    record(
        f"customer:{NUMBER}",
        "obligation.owed",
        "obligation:1",
        at=NOON,
        facts={"queue": "First line", "spent": 0.5},
    )
    record("user:salma", "case.note", "case:1", at=NOON, why="سالم is away", facts={"reference": "26-1"})
    if request.param == "half and half":
        _as_before_there_were_seals(2)
    record("machine:reader", "review.opened", "submission:1", at=NOON, why="unsure", facts={"origin": NUMBER})
    record("user:salma", "login.succeeded", "user:salma", at=NOON, facts={"from_address": "10.0.0.1"})
    if request.param == "from before there were seals":
        _as_before_there_were_seals(4)
    return str(request.param)


def _as_before_there_were_seals(upto: int) -> None:
    previous = chain.GENESIS
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for entry in Entry.objects.filter(number__lte=upto).order_by("number"):
            previous = chain.payload_hash(previous, entry.payload)
            cursor.execute(
                "UPDATE ledger_entry SET salt = NULL, hash = %s WHERE number = %s", [previous, entry.number]
            )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def forget() -> Entry:
    return erase(
        [1, 2, 3],
        kept={"queue", "reference"},
        actor="user:huda",
        subject="contact:7",
        at=datetime(2026, 11, 22, tzinfo=UTC),
        why="asked by letter",
        facts={"contact": 7},
    )


def test_g12_what_a_person_asked_to_have_erased_is_gone_and_every_hash_is_as_it_was(ledger):
    published = head()
    before = list(Entry.objects.order_by("number").values_list("hash", flat=True))
    made = forget()
    assert verify() is None
    assert [bytes(each) for each in Entry.objects.order_by("number").values_list("hash", flat=True)][:4] == [
        bytes(each) for each in before
    ]
    text = json.dumps([str(row) for row in Entry.objects.values_list()], ensure_ascii=False)
    assert NUMBER not in text
    assert "سالم" not in text
    first, second, third, fourth = Entry.objects.order_by("number")[:4]
    assert (first.actor, first.facts) == ("customer:erased:5", {"queue": "First line", "spent": 0.5})
    assert (second.actor, second.why, second.facts) == ("user:salma", "erased:5", {"reference": "26-1"})
    assert (third.why, third.facts) == ("unsure", {"origin": "erased:5"})
    assert fourth.erased_by is None
    assert (made.number, made.facts["entries"]) == (5, 3)
    proof = prove(lines(1, 5), head=published["hash"])
    assert (proof.proven_upto, proof.erased, proof.erased_later) == (4, 3, 0)
    assert prove(lines(1, 4)).erased_later == 3
    assert prove(lines(3, 5)).erased == 1
    assert forget().facts["entries"] == 0  # a second time there is nothing left
    assert verify() is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_entry SET action = 'case.closed' WHERE number = 2",
        'UPDATE ledger_entry SET facts = \'{"reference": "26-9"}\' WHERE number = 2',
        "UPDATE ledger_entry SET why = 'another' WHERE number = 2",
        "UPDATE ledger_entry SET actor = 'user:nasser' WHERE number = 1",
        'UPDATE ledger_entry SET facts = facts || \'{"more": "x"}\' WHERE number = 1',
        "UPDATE ledger_entry SET erased_by = 4 WHERE number = 2",
        "UPDATE ledger_entry SET erased_by = NULL WHERE number = 2",
        "UPDATE ledger_entry SET erased_by = 9 WHERE number = 2",
        "UPDATE ledger_entry SET salt = NULL, seals = '{}', erased_by = 5, facts = '{}' WHERE number = 4",
        "UPDATE ledger_entry SET facts = facts || '{\"entries\": 2}' WHERE number = 5",
        "UPDATE ledger_entry SET action = 'contact.gone' WHERE number = 5",
        "UPDATE ledger_entry SET why = 'nobody asked' WHERE number = 5",
        "DELETE FROM ledger_entry WHERE number = 5",
    ],
)
def test_g12_after_erasing_any_change_is_still_found_and_an_erasure_needs_its_entry(ledger, change):
    forget()
    published = head()["hash"]
    tamper(change)
    assert verify() is not None
    if Entry.objects.filter(number=5).exists() and "another" not in change and "nasser" not in change:
        # A file has no tombstones, so what is written in their place in the database is not in it.
        with pytest.raises(NotProven):
            prove(lines(1, 5), head=published)


def test_g12_the_database_lets_nobody_erase_without_an_entry_that_says_so(ledger):
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE ledger_entry SET why = 'erased:4', salt = NULL, erased_by = 4 WHERE number = 2"
        )
    forget()
    for change in ("action = 'x'", "hash = sha256('x')", "erased_by = 6"):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"UPDATE ledger_entry SET {change} WHERE number = 1")
