"""What was decided of a submission, by whom and on what."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from rasd.metering import rules

READER = "machine:reader"


class NotAdoptable(ValueError):
    """This submission cannot be adopted as it is; the message names what is missing and how to mend it."""


def limits() -> rules.Limits:
    """Those of ``settings.METERING_LIMITS``, or the usual ones."""
    return getattr(settings, "METERING_LIMITS", rules.USUAL)


class Judgement(models.Model):
    """What was decided of a submission, each time anyone decided: the last one stands."""

    Verdict = rules.Verdict

    submission = models.ForeignKey("metering.Submission", models.CASCADE, related_name="judgements")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200, help_text="machine:reader, customer:tel:… or user:NAME")
    verdict = models.CharField(max_length=20, choices=rules.Verdict)
    value = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    confidence = models.FloatField(null=True, help_text="calibrated probability that value is right")
    why = models.CharField(
        max_length=300, blank=True, help_text="a code: of rules.REASONS, vision.REASONS or vision.FINDINGS"
    )
    basis = models.JSONField(
        default=dict, help_text="what it rests on: photographs as read, typed digits, cycle"
    )

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["submission", "-id"], name="judgement_that_stands")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.why}"
