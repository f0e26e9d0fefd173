"""Whom the watch tells, when, and who has heard."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from rasd.watch.models.targets import Target


class Alert(models.Model):
    """A target spends its error budget too fast. One stands open for a target and window, however often it is seen."""

    class Window(models.TextChoices):
        FAST = "fast", "fast"
        SLOW = "slow", "slow"

    target = models.ForeignKey(Target, models.PROTECT, related_name="alerts")
    window = models.CharField(max_length=8, choices=Window.choices)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    facts = models.JSONField(help_text="objective, visits, failures, burn rate, the probes that it rests on")
    told_at = models.DateTimeField(null=True)
    telling_failed = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "window"], condition=Q(closed_at=None), name="one_open_alert"
            )
        ]


class Acknowledgement(models.Model):
    """Somebody has heard and looks after it: no more is sent about it."""

    alert = models.OneToOneField(Alert, models.CASCADE, related_name="acknowledgement")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    words = models.CharField(max_length=500, blank=True)


class Maintenance(models.Model):
    """Announced in advance: visits are not paid, and nothing is held against the target."""

    target = models.ForeignKey(Target, models.PROTECT, related_name="maintenances")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    words = models.CharField(max_length=500)
    announced_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("begins_at")), name="maintenance_ends_after_it_begins"
            )
        ]
