from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models, transaction
from django.db.models import F, Func, Q
from django.utils import timezone

from rasd.channels.models import Address
from rasd.desk.errors import NotMerged
from rasd.ledger.models import actor_of, record


class Contact(models.Model):
    """A person, however many addresses they write from."""

    name = models.CharField(max_length=200, blank=True)
    addresses = models.ManyToManyField(Address, through="ContactAddress", related_name="contacts")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged")

    class Meta:
        indexes = [
            GinIndex(Func(F("name"), function="desk_words"), name="contact_name", fastupdate=False),
            models.Index(fields=["name"], name="contact_by_whole_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, address: Address) -> "Contact":
        """Whose address it is; a new contact for an address that nobody had yet. The caller holds the address's lock."""
        known = ContactAddress.objects.filter(address=address).select_related("contact").first()
        if known:
            return known.contact
        contact = cls.objects.create(name=address.profile_name)
        ContactAddress.objects.create(contact=contact, address=address)
        return contact

    @property
    def kept(self) -> "Contact":
        """Itself, or the contact that it was merged into in the end."""
        contact = self
        while contact.merged_into is not None:
            contact = contact.merged_into
        return contact

    def merge(self, other: "Contact", *, by: User, at: datetime) -> "Merge":
        """``other`` is the same person: what is theirs is shown here from now on.

        Conversations keep their own address and line, so that an answer always goes where it was asked for; only what
        belongs together is moved. One of two that was merged before stands for the contact that was kept.

        Raises:
            NotMerged: it is the same contact already.
        """
        with transaction.atomic():
            _one_merge_at_a_time()
            kept, gone = Contact.objects.get(pk=self.pk).kept, Contact.objects.get(pk=other.pk).kept
            if kept == gone:
                raise NotMerged(f"contact {self.pk} and contact {other.pk} are one contact already")
            addresses = ContactAddress.objects.filter(contact=gone)
            _hold_back_messages_from(addresses)
            moved = {
                "addresses": _move(addresses, kept),
                "conversations": _move(gone.conversations.all(), kept),
                "cases": _move(gone.cases.all(), kept),
            }
            gone.merged_into = kept
            gone.save(update_fields=["merged_into"])
            merge = Merge.objects.create(kept=kept, gone=gone, moved=moved, by=by, at=at)
            merge._record("contact.merged", by, at)
            return merge


class ContactAddress(models.Model):
    contact = models.ForeignKey(Contact, models.CASCADE)
    address = models.OneToOneField(Address, models.CASCADE)
    since = models.DateTimeField(default=timezone.now)


class Merge(models.Model):
    """Two contacts were found to be one person; kept, so that it can be undone exactly."""

    kept = models.ForeignKey(Contact, models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Contact, models.PROTECT, related_name="+")
    moved = models.JSONField(
        help_text='what went over: {"addresses": [ids], "conversations": [ids], "cases": [ids]}'
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"merge:{self.pk}"

    def undo(self, *, by: User, at: datetime) -> None:
        """They are two people after all: each has again what was theirs, and what was written from their addresses since.

        It may be undone in any order with later merges: what went on from the kept contact to another comes back
        from there.

        Raises:
            NotMerged: it was undone before.
        """
        with transaction.atomic():
            _one_merge_at_a_time()
            self.refresh_from_db()
            if self.undone_at is not None:
                raise NotMerged(f"{self} was undone at {self.undone_at.isoformat()}")
            self._forget_in_later_ones()
            addresses = ContactAddress.objects.filter(pk__in=self.moved["addresses"])
            _hold_back_messages_from(addresses)
            _move(addresses, self.gone)
            spoken_from = Q(address__contactaddress__in=addresses)
            _move(self.gone.conversations.model.objects.filter(spoken_from), self.gone)
            spoken_in = Q(conversation__address__contactaddress__in=addresses)
            without = Q(pk__in=self.moved["cases"], conversation=None)
            _move(self.gone.cases.model.objects.filter(without | spoken_in), self.gone)
            self.gone.merged_into = None
            self.gone.save(update_fields=["merged_into"])
            self.undone_at = at
            self.save(update_fields=["undone_at"])
            self._record("contact.unmerged", by, at)

    def _forget_in_later_ones(self) -> None:
        """Where the kept contact was merged on, what came by this merge is no longer among what that one moved."""
        contact = self.kept
        while contact.merged_into is not None:
            later = Merge.objects.get(gone=contact, undone_at=None)
            later.moved = {
                kind: [pk for pk in moved if pk not in set(self.moved[kind])]
                for kind, moved in later.moved.items()
            }
            later.save(update_fields=["moved"])
            contact = contact.merged_into

    def _record(self, action: str, by: User, at: datetime) -> None:
        facts = {"kept": self.kept_id, "gone": self.gone_id, "moved": self.moved}
        record(actor_of(by), action, f"contact:{self.kept_id}", at=at, facts=facts)


MERGE_LOCK = 0x4D45_5247  # "MERG": the advisory lock under which contacts are merged and parted


def _one_merge_at_a_time() -> None:
    """Two at once could each keep what the other lets go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [MERGE_LOCK])


def _hold_back_messages_from(addresses: models.QuerySet[ContactAddress]) -> None:
    """A message that comes in holds its address's lock: a conversation that it opens meanwhile would be left behind."""
    ours = Address.objects.filter(contactaddress__in=addresses).order_by("pk")
    list(ours.select_for_update(of=("self",)).values_list("pk"))


def _move(rows: models.QuerySet[Any], to: Contact) -> list[int]:
    moved = list(rows.order_by("pk").values_list("pk", flat=True))
    rows.model.objects.filter(pk__in=moved).update(contact=to)
    return moved
