import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from rasd.ledger import chain
from rasd.ledger.chain import GENESIS, Link, Walk, payload_of

CHAIN_LOCK = 0x5241_5344  # "RASD": the advisory lock under which the chain grows by one link


class Entry(models.Model):
    """One link. Rows are only ever added: a trigger in the database refuses UPDATE, DELETE and TRUNCATE, but for the one
    UPDATE by which parts of an entry are erased (:mod:`rasd.ledger.erasing`)."""

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … with no gap")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, help_text="user:NAME, customer:ADDRESS or machine:NAME")
    action = models.CharField(max_length=100, help_text="what was done: reading.adopted, login.succeeded …")
    subject = models.CharField(max_length=200, help_text="to what: adoption:17, submission:4 …")
    why = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    hash = models.BinaryField(max_length=32)
    salt = models.BinaryField(
        max_length=chain.SALT_BYTES,
        null=True,
        help_text="of its seals; null: written before there were any, or erased",
    )
    erased_by = models.BigIntegerField(
        null=True, help_text="the number of the entry that says why parts of it are gone"
    )
    seals = models.JSONField(
        null=True,
        help_text='of an erased one, part by part: {"seal": …} of what is gone, {"salt": …} of what is not; {} of an old one',
    )

    class Meta:
        verbose_name_plural = "entries"
        ordering = ["number"]
        indexes = [
            models.Index(fields=["subject", "number"], name="ledger_by_subject"),
            models.Index(fields=["actor", "at"], name="ledger_by_actor"),
            models.Index(fields=["action", "at"], name="ledger_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.at:%Y-%m-%d %H:%M} {self.actor} {self.action} {self.subject}"

    @property
    def payload(self) -> dict[str, Any]:
        """What stands in it now."""
        return payload_of(
            number=self.number,
            at=self.at,
            actor=self.actor,
            action=self.action,
            subject=self.subject,
            why=self.why,
            facts=self.facts,
        )

    @property
    def is_old(self) -> bool:
        """Written before there were seals."""
        return self.salt is None and not self.seals

    @property
    def salts(self) -> dict[str, bytes]:
        """Of each part that is still there."""
        if self.salt is not None:
            return {name: chain.salt_of(bytes(self.salt), name) for name, _value in chain.parts(self.payload)}
        return {
            name: bytes.fromhex(each["salt"]) for name, each in (self.seals or {}).items() if "salt" in each
        }

    @property
    def gone(self) -> dict[str, str]:
        """The seal of each part that was erased."""
        return {name: each["seal"] for name, each in (self.seals or {}).items() if "seal" in each}

    @property
    def link(self) -> Link:
        payload = self.payload
        hashed = payload
        if not self.is_old:
            values, salts = dict(chain.parts(payload)), self.salts
            made = {name: chain.seal(salts[name], values[name]) for name in salts if name in values}
            hashed = chain.sealed(payload, made | self.gone)
        return Link(hashed, bytes(self.hash), self.facts, self.erased_by, tuple(self.gone))


def record(
    actor: str, action: str, subject: str, *, at: datetime, why: str = "", facts: dict[str, Any] | None = None
) -> Entry:
    """Add a link to the chain, in the caller's transaction.

    The chain grows one link at a time, so the caller holds an advisory lock from here until its transaction ends:
    call this last, in a short transaction.

    Raises:
        transaction.TransactionManagementError: outside a transaction, where the entry could outlive a deed that failed.
    """
    last = last_one()
    plain = json.loads(json.dumps(facts or {}, cls=DjangoJSONEncoder))
    entry = Entry(
        number=last.number + 1 if last else 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        why=why,
        facts=plain,
        salt=os.urandom(chain.SALT_BYTES),
    )
    entry.hash = chain.payload_hash(bytes(last.hash) if last else GENESIS, entry.link.hashed)
    entry.save(force_insert=True)
    return entry


def actor_of(user: AbstractBaseUser) -> str:
    """How the ledger names somebody who logs in, as an actor and as a subject."""
    return f"user:{user.get_username()}"


def last_one() -> Entry | None:
    """The last entry; nobody adds another until the caller's transaction ends.

    Raises:
        transaction.TransactionManagementError: outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "ledger.record() belongs in the transaction of the deed that it records"
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    return Entry.objects.order_by("-number").first()


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


def verify(
    *,
    on_entry: Callable[[], object] | None = None,
    head: bytes | None = None,
    after: tuple[int, bytes] | None = None,
    upto: int | None = None,
) -> BrokenLink | None:
    """Walk the chain from its start and name the first broken link, or None where all hold.

    Args:
        on_entry: called once an entry, for a progress bar.
        head: the hash published for the last entry; finds a chain whose end was cut off, which no chain can tell of itself.
        after: number and hash of an entry up to which it was verified before: only what came since is walked.
        upto: the number of the last entry to look at; None: of all that there are.
    """
    walk, expected, entries = Walk(), 1, Entry.objects.order_by("number")
    if after is not None:
        number, known = after
        if not _stands(number, known):
            return BrokenLink(number, f"entry {number} is not the one that was verified before")
        walk, expected, entries = Walk(known, whole=False), number + 1, entries.filter(number__gt=number)
    if upto is not None:
        entries = entries.filter(number__lte=upto)
    for entry in entries.iterator(chunk_size=5_000):
        if entry.number != expected:
            return BrokenLink(expected, f"entry {expected} is missing: the next one there is {entry.number}")
        if wrong := walk.take(entry.link) or _says_what_is_gone(entry):
            return BrokenLink(entry.number, wrong)
        expected += 1
        if on_entry is not None:
            on_entry()
    if walk.to_come:
        first = walk.to_come[0].first
        return BrokenLink(first, f"entry {first} is erased, and no entry says by whom and why")
    if head is not None and walk.previous != head:
        return BrokenLink(
            expected - 1, "the chain does not end in the published head: entries are missing at its end"
        )
    return None


def _says_what_is_gone(entry: Entry) -> str:
    """Where a part was erased nothing else may have been written instead."""
    from rasd.ledger.erasing import tombstone

    values = dict(chain.parts(entry.payload))
    for name in entry.gone:
        if entry.erased_by is None or values.get(name) != tombstone(name, entry.erased_by):
            return f"entry {entry.number} was changed after parts of it were erased"
    return ""


STALE_AFTER = timedelta(hours=48)
"""Without a verification, after which that is a trouble of its own: it runs every night."""

WHOLE_EVERY = timedelta(days=7)
"""From the first entry; on the nights between from the last one verified, as old entries can be changed behind its back."""


class Verification(models.Model):
    """The chain was walked: up to which entry, and what was found (G12)."""

    at = models.DateTimeField()
    is_whole = models.BooleanField(help_text="from the first entry, not from the last one verified before")
    upto = models.BigIntegerField(help_text="the number of the last entry that there was; 0: none")
    head = models.CharField(max_length=64, help_text="its hash, in hexadecimal")
    broken_at = models.BigIntegerField(
        null=True, help_text="the first entry that does not hold; null: all hold"
    )
    why = models.TextField(blank=True)

    class Meta:
        get_latest_by = ["at", "pk"]
        indexes = [models.Index(fields=["-at"], name="ledger_verified")]

    @classmethod
    def last(cls) -> "Verification | None":
        return cls.objects.order_by("-at", "-pk").first()

    @classmethod
    def is_overdue(cls, at: datetime) -> bool:
        """Nobody has looked for so long that what was changed would not be found."""
        last = cls.last()
        first = last.at if last else Entry.objects.order_by("number").values_list("at", flat=True).first()
        return first is not None and first < at - STALE_AFTER

    @classmethod
    def run(
        cls, at: datetime, *, whole: bool = False, on_entry: Callable[[], object] | None = None
    ) -> "Verification":
        """Walk what came since it held last; with ``whole``, once a week, and after it did not hold, all of it."""
        last, held = cls.last(), cls.objects.filter(broken_at=None, upto__gt=0).order_by("-at", "-pk")
        of_all = held.filter(is_whole=True, at__gt=at - WHOLE_EVERY)
        good = held.first()
        is_whole = whole or good is None or last != good or not of_all.exists()
        known = (good.upto, bytes.fromhex(good.head)) if good else None
        now = head()
        broken = verify(
            on_entry=on_entry,
            after=None if is_whole else known,
            upto=now["number"],
            head=bytes.fromhex(now["hash"]),
        )
        if (
            broken is None and known is not None and not _stands(*known)
        ):  # written anew, it would hold in itself
            broken = BrokenLink(known[0], f"entry {known[0]} is not the one that was verified before")
        return cls.objects.create(
            at=at,
            is_whole=is_whole,
            upto=now["number"],
            head=now["hash"],
            broken_at=broken.number if broken else None,
            why=broken.why if broken else "",
        )


def _stands(number: int, known: bytes) -> bool:
    found = Entry.objects.filter(number=number).values_list("hash", flat=True).first()
    return found is not None and bytes(found) == known
