"""What the watch did and saw. A probe is written once and never changed; each carries the hash of the one before it."""

from django.db import models

from rasd.watch.models.plans import Planned, Watcher
from rasd.watch.models.targets import JourneyFile, Target
from rasd.watch.verdicts import Verdict


class Probe(models.Model):
    """One run of a journey."""

    class Why(models.TextChoices):
        PLANNED = "planned", "planned"
        CONFIRMATION = "confirmation", "confirmation"
        """After a visit that did not go well: a second fact, never instead of the first."""
        BY_HAND = "by hand", "by hand"

    token = models.CharField(max_length=22, unique=True, help_text="its address: /probes/TOKEN")
    target = models.ForeignKey(Target, models.PROTECT, related_name="probes")
    journey = models.ForeignKey(JourneyFile, models.PROTECT, related_name="probes")
    watcher = models.ForeignKey(Watcher, models.PROTECT, related_name="probes")
    why = models.CharField(max_length=16, choices=Why.choices)
    visit = models.OneToOneField(Planned, models.PROTECT, null=True, related_name="probe")
    confirms = models.OneToOneField("self", models.PROTECT, null=True, related_name="confirmation")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    hour = models.PositiveSmallIntegerField(
        help_text="of the week in the target's zone, 0 to 167, when it began"
    )
    verdict = models.CharField(max_length=16, choices=[(v.value, v.value) for v in Verdict])
    because = models.JSONField(default=list, help_text="reasons by code, the weightiest first")
    done_after = models.FloatField(
        null=True, help_text="seconds from the first step to done; null: it was not"
    )
    report = models.JSONField(help_text="players.report.Report, whole")
    digest = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of this report and the digest before"
    )
    previous = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-began_at"]
        indexes = [
            models.Index(fields=["target", "-began_at"]),
            models.Index(fields=["journey", "-began_at"]),
            models.Index(fields=["target", "hour"]),
        ]

    def __str__(self) -> str:
        return f"{self.journey_id} {self.began_at:%Y-%m-%d %H:%M} {self.verdict}"


class StepPlayed(models.Model):
    """A step of a probe, for the measures: everything else about it is in the probe's report."""

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField()
    part = models.CharField(max_length=32)
    verb = models.CharField(max_length=16)
    says = models.CharField(max_length=500)
    outcome = models.CharField(max_length=16)
    trouble = models.CharField(max_length=16, blank=True)
    seconds = models.FloatField()
    first_answer = models.FloatField(null=True, help_text="seconds to a chat's first answer")
    person = models.FloatField(null=True, help_text="seconds to a person in a chat")
    waited = models.FloatField(
        null=True, help_text="seconds waited in vain for either: a censored observation"
    )

    class Meta:
        ordering = ["probe_id", "number"]
        constraints = [models.UniqueConstraint(fields=["probe", "number"], name="a_step_once")]


class Shown(models.Model):
    """An exhibit of a probe: its bytes lie in the box under ``sha256`` until ``keep_until``; its hash stays."""

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="exhibits")
    step = models.PositiveSmallIntegerField(null=True, help_text="null: of the whole visit")
    kind = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="bytes")
    keep_until = models.DateTimeField()
    thrown_away_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["sha256"]), models.Index(fields=["keep_until"])]
