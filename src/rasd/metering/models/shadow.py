"""Which eye was in service since when, and what one on trial read beside it."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, connection, models, transaction

from rasd.ledger.models import record
from rasd.metering.eyes import in_shadow
from rasd.metering.models.photographs import Photograph
from rasd.vision import Eye

log = structlog.get_logger("rasd.metering.shadow")

KEPT = timedelta(days=100)
"""How long a shadow's readings are kept: three months' rounds. The photographs themselves stay, and may be read again."""


class EyeService(models.Model):
    """An eye came into service: written by the first worker that began to read with it. The last one is in service."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=100)
    checksum = models.CharField(max_length=64, help_text="rasd.vision.Eye.checksum")
    since = models.DateTimeField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def begin(cls, eye: Eye, at: datetime) -> EyeService:
        """Note that ``eye`` reads from ``at`` on, and record it; where it is what read before, nothing changes."""
        with transaction.atomic():
            with connection.cursor() as cursor:  # several workers start at once
                cursor.execute("LOCK TABLE metering_eyeservice IN SHARE ROW EXCLUSIVE MODE")
            last = cls.objects.first()
            if last is not None and (last.name, last.checksum) == (eye.name, eye.checksum):
                return last
            facts = {"version": eye.version, "checksum": eye.checksum, "before": last and last.name}
            record("machine:worker", "eye.in_service", f"eye:{eye.name}", at=at, facts=facts)
            return cls.objects.create(name=eye.name, version=eye.version, checksum=eye.checksum, since=at)


class ShadowReading(models.Model):
    """What an eye on trial read in a photograph. Nothing is ever decided on it and no customer hears of it."""

    photograph = models.ForeignKey(Photograph, models.CASCADE, related_name="shadows")
    model = models.CharField(max_length=100, help_text="the eye's name")
    checksum = models.CharField(max_length=64, help_text="rasd.vision.Eye.checksum")
    read_at = models.DateTimeField(db_index=True)
    seen = models.JSONField(null=True, help_text="as Photograph.seen; null where it failed")
    milliseconds = models.FloatField(null=True)
    error = models.CharField(max_length=300, blank=True, help_text="why it failed")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["photograph", "model"], name="shadow_reads_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model} of {self.photograph_id}"

    @classmethod
    def take(cls, photograph: Photograph, at: datetime) -> ShadowReading | None:
        """Have the eye in shadow read what the one in service has read, knowing the same; None where none is set.

        Whatever goes wrong in it is written down and ends there.

        Raises:
            UnusableEye: the folder of ``RASD_SHADOW_EYE`` is not an eye that may run.
        """
        eye = in_shadow()
        if eye is None:
            return None
        try:
            seen = photograph.seen_by(eye.read)
        except DatabaseError:
            raise  # the database's trouble, not the eye's
        except Exception as error:
            log.warning("shadow_failed", photograph=photograph.pk, model=eye.name, exc_info=True)
            return cls._keep(photograph, eye, at, error=f"{type(error).__name__}: {error}")
        return cls._keep(photograph, eye, at, seen=seen, milliseconds=seen["milliseconds"] or None)

    @classmethod
    def give_up(cls, photograph: Photograph, at: datetime) -> ShadowReading | None:
        """Its process ended again and again while it read this one: not tried any more. Raises UnusableEye."""
        eye = in_shadow()
        if eye is None:
            return None
        return cls._keep(photograph, eye, at, error="its process ended while it read this")

    @classmethod
    def _keep(cls, photograph: Photograph, eye: Eye, at: datetime, **found: object) -> ShadowReading:
        nothing = {"seen": None, "milliseconds": None, "error": ""}
        row = {**nothing, **found, "checksum": eye.checksum, "read_at": at}
        row["error"] = str(row["error"])[:300]
        kept, _ = cls.objects.update_or_create(photograph=photograph, model=eye.name, defaults=row)
        return kept

    @classmethod
    def forget(cls, at: datetime) -> int:
        """Delete what was read more than ``KEPT`` before ``at``; how many rows that were."""
        return cls.objects.filter(read_at__lt=at - KEPT).delete()[0]
