from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import F

from rasd.channels.jobs import defer
from rasd.desk.models import Contact
from rasd.ledger.models import actor_of, record

if TYPE_CHECKING:
    from rasd.person.whole import Person

KEPT_FOR = timedelta(hours=24)
"""An export: long enough to be handed over, short enough that no copy lies about."""


class Export(models.Model):
    """A person's data as one file, for whoever may give it to him."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="exports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    done = models.PositiveIntegerField(default=0, help_text="parts that are written, of ``total``")
    total = models.PositiveIntegerField(default=0)
    ready_at = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes")
    sha256 = models.CharField(max_length=64, blank=True)
    gone_at = models.DateTimeField(null=True, help_text="when its file was deleted")

    class Meta:
        permissions = [
            ("export_person", "Can export a person's data"),
            ("erase_person", "Can erase a person's data"),
        ]

    def __str__(self) -> str:
        return f"export:{self.pk}"

    @property
    def path(self) -> str:
        return f"exports/{self.pk}.zip"

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @classmethod
    def ask(cls, contact: Contact, *, by: User, at: datetime) -> "Export":
        """It is made by a job; who asked is an entry. One that is being made already is the same one."""
        from rasd.person import jobs

        with transaction.atomic():
            Contact.objects.select_for_update().get(pk=contact.pk)
            if being_made := cls.objects.filter(contact=contact, by=by, ready_at=None, gone_at=None).first():
                return being_made
            export = cls.objects.create(contact=contact, by=by, at=at)
            actor, facts = actor_of(by), {"export": export.pk}
            record(actor, "person.exported", f"contact:{contact.pk}", at=at, facts=facts)
            defer(jobs.export, lock=str(export), export_id=export.pk)
            return export

    def make(self, at: datetime) -> None:
        """Write the file; a second call changes nothing. Call it outside a transaction: its progress is seen meanwhile."""
        from rasd.person.gathering import make

        make(self, at)

    def downloaded(self, *, by: User, at: datetime) -> None:
        with transaction.atomic():
            actor, facts = actor_of(by), {"export": self.pk, "sha256": self.sha256}
            record(actor, "person.export_fetched", f"contact:{self.contact_id}", at=at, facts=facts)

    def throw_away(self, at: datetime) -> None:
        """Its file is deleted; that it was made stays."""
        default_storage.delete(self.path)
        type(self).objects.filter(pk=self.pk).update(gone_at=at)

    @classmethod
    def throw_old_away(cls, at: datetime) -> int:
        old = cls.objects.filter(gone_at=None, at__lt=at - KEPT_FOR)
        for export in old:
            export.throw_away(at)
        return len(old)


class Erasure(models.Model):
    """A person asked to be forgotten, and was. What is gone says so by its number: ``erased-3`` is the third one's."""

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="erasures")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    why = models.CharField(
        max_length=300, help_text="how he asked: by letter, at the counter …; never his name"
    )
    entry = models.BigIntegerField(null=True, help_text="of the ledger, by which what it said was erased")
    counts = models.JSONField(default=dict, help_text="how many rows of each kind, and files")
    still_to_go = models.JSONField(
        default=dict,
        help_text='until it is finished: {"files": [SHA-256 …], "needles": [numbers and ids …]}; then {}',
    )
    finished_at = models.DateTimeField(null=True, help_text="when the last file and copy was gone")

    def __str__(self) -> str:
        return f"erasure:{self.pk}"

    @classmethod
    def of(cls, person: "Person", *, by: User, at: datetime, why: str) -> "Erasure":
        """Erase ``person``: all rows in one transaction, files and copies of what came right after it, by a job.

        One that was erased before, and has sent nothing since, is the same one.

        Raises:
            StillOpen: something is owed to him, or is not done.
            ValueError: the reason is missing, or has his number or name in it.
        """
        from rasd.person.erasing import erase

        return erase(person, by=by, at=at, why=why)

    def finish(self, at: datetime) -> None:
        """Delete the files, and what the channels delivered twice; a second call, or one after a crash, goes on. Outside a
        transaction."""
        from rasd.person.erasing import finish

        finish(self, at)

    @classmethod
    def finish_all(cls, at: datetime) -> int:
        """What a crash left half done."""
        waiting = cls.objects.filter(finished_at=None)
        for erasure in waiting:
            erasure.finish(at)
        return len(waiting)

    def progress(self, **counts: Any) -> None:
        self.counts = self.counts | counts
        self.save(update_fields=["counts"])


def step(export: Export) -> None:
    """One more part of it is written."""
    Export.objects.filter(pk=export.pk).update(done=F("done") + 1)
