"""What is counted of a meter reader's round, and what he says to it (G5). No count here says that anybody did wrong."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from rasd.ledger.models import record
from rasd.metering.models.cycles import Cycle
from rasd.metering.models.field import Reader

ANSWER_LONGEST = 2_000  # characters


class ReaderSign(models.Model):
    """Of one reader's visits in one cycle: how many could show a sign, and how many do.

    Counted anew by :func:`rasd.metering.records.reckon`, so that no page has to: the visits themselves are the record.
    """

    class Kind(models.TextChoices):
        NO_ACCESS = "no_access", _("visits without access")
        DISAGREES = "disagrees", _("disagrees with the customer")
        REPEATS = "repeats", _("equal to last month's use, or to the estimate")
        SPEED = "speed", _("too fast from place to place")
        PHOTO_REUSED = "photo_reused", _("photograph used before")
        PHOTO_DIFFERS = "photo_differs", _("photograph shows another number")
        ROUND = "round", _("last digit 0 or 5")
        FAR = "far", _("far from the meter")
        NOT_SEEN = "not_seen", _("customer did not see him")

    reader = models.ForeignKey(Reader, models.CASCADE, related_name="signs")
    cycle = models.ForeignKey(Cycle, models.CASCADE, related_name="reader_signs")
    kind = models.CharField(max_length=15, choices=Kind)
    found = models.PositiveIntegerField()
    of = models.PositiveIntegerField(help_text="how many could have shown it")
    reckoned_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cycle", "reader", "kind"], name="one_count_of_a_sign"),
            models.CheckConstraint(condition=models.Q(found__lte=models.F("of")), name="sign_found_of_those"),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} {self.kind}: {self.found} of {self.of}"


class ReaderAnswer(models.Model):
    """What a reader says to his record of a cycle; to one field read, or to a sign, or to the whole. It stays as he wrote it."""

    reader = models.ForeignKey(Reader, models.PROTECT, related_name="answers")
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="reader_answers")
    kind = models.CharField(max_length=15, choices=ReaderSign.Kind, blank=True)
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["reader", "cycle", "at"], name="answers_of_reader")]

    def __str__(self) -> str:
        return f"reader_answer:{self.pk}"

    @classmethod
    def give(cls, reader: Reader, cycle: Cycle, text: str, *, at: datetime, kind: str = "") -> ReaderAnswer:
        """G5: the reader answers, with his own login; the ledger has it too.

        Raises:
            ValueError: there is no text, or too much; the reader has no login.
        """
        text = text.replace("\0", "").strip()
        if not 0 < len(text) <= ANSWER_LONGEST:
            raise ValueError(f"text: 1 to {ANSWER_LONGEST} characters, not {len(text)}: write within that")
        if reader.user is None:
            raise ValueError(f"reader: {reader.code} has no login; give him one in the administration first")
        with transaction.atomic():
            given = cls.objects.create(
                reader=reader, cycle=cycle, kind=kind, text=text, by=reader.user, at=at
            )
            record(
                f"user:{reader.user.get_username()}",
                "reader.answered",
                f"reader:{reader.code}",
                at=at,
                facts={"cycle": cycle.name, "sign": kind, "text": text},
            )
        return given
