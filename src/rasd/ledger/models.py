import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from rasd.ledger.chain import GENESIS, payload_hash, payload_of

CHAIN_LOCK = 0x5241_5344  # "RASD": the advisory lock under which the chain grows by one link


class Entry(models.Model):
    """One link. Rows are only ever added: a trigger in the database refuses UPDATE, DELETE and TRUNCATE."""

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … with no gap")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, help_text="user:NAME, customer:ADDRESS or machine:NAME")
    action = models.CharField(max_length=100, help_text="what was done: reading.adopted, login.succeeded …")
    subject = models.CharField(max_length=200, help_text="to what: adoption:17, submission:4 …")
    why = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["number"]
        indexes = [
            models.Index(fields=["subject", "number"], name="ledger_by_subject"),
            models.Index(fields=["actor", "at"], name="ledger_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.subject}"

    @property
    def payload(self) -> dict[str, Any]:
        """What of it is hashed."""
        return payload_of(
            number=self.number,
            at=self.at,
            actor=self.actor,
            action=self.action,
            subject=self.subject,
            why=self.why,
            facts=self.facts,
        )

    def hash_after(self, previous: bytes) -> bytes:
        return payload_hash(previous, self.payload)


def record(
    actor: str, action: str, subject: str, *, at: datetime, why: str = "", facts: dict[str, Any] | None = None
) -> Entry:
    """Add a link to the chain, in the caller's transaction.

    The chain grows one link at a time, so the caller holds an advisory lock from here until its transaction ends:
    call this last, in a short transaction.

    Raises:
        transaction.TransactionManagementError: outside a transaction, where the entry could outlive a deed that failed.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "ledger.record() belongs in the transaction of the deed that it records"
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    last = Entry.objects.order_by("-number").first()
    plain = json.loads(json.dumps(facts or {}, cls=DjangoJSONEncoder))
    entry = Entry(
        number=last.number + 1 if last else 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        why=why,
        facts=plain,
    )
    entry.hash = entry.hash_after(bytes(last.hash) if last else GENESIS)
    entry.save(force_insert=True)
    return entry


def head() -> dict[str, Any]:
    """The last entry's number, hash in hexadecimal, and time: to be published where nobody can take it back.

    Number 0 and 32 zero bytes of an empty ledger.
    """
    last = Entry.objects.order_by("-number").first()
    if last is None:
        return {"number": 0, "hash": GENESIS.hex(), "at": None}
    return {"number": last.number, "hash": bytes(last.hash).hex(), "at": last.payload["at"]}


@dataclass(frozen=True)
class BrokenLink:
    """The first place where the chain does not hold."""

    number: int
    why: str


def verify(*, on_entry: Callable[[], object] | None = None, head: bytes | None = None) -> BrokenLink | None:
    """Walk the chain from its start and name the first broken link, or None where all hold.

    Args:
        on_entry: called once an entry, for a progress bar.
        head: the hash published for the last entry; finds a chain whose end was cut off, which no chain can tell of itself.
    """
    previous, expected = GENESIS, 1
    for entry in Entry.objects.order_by("number").iterator(chunk_size=5_000):
        if entry.number != expected:
            return BrokenLink(expected, f"entry {expected} is missing: the next one there is {entry.number}")
        if entry.hash_after(previous) != bytes(entry.hash):
            return BrokenLink(
                entry.number, f"entry {entry.number} or the one before it was changed after it was written"
            )
        previous, expected = bytes(entry.hash), expected + 1
        if on_entry is not None:
            on_entry()
    if head is not None and previous != head:
        return BrokenLink(
            expected - 1, "the chain does not end in the published head: entries are missing at its end"
        )
    return None
