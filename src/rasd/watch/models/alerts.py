"""Whom the watch tells, when, and who has heard. When an alert opens and closes is decided in ``alerting.py``."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q

from rasd.watch.models.targets import Target


class Alert(models.Model):
    """Something that people must know of. One stands open for a target and window, however often it is seen."""

    class Window(models.TextChoices):
        FAST = "fast", "fast"
        SLOW = "slow", "slow"
        """Visits fail faster than the objective allows, in the last hours or in the last days."""
        WALL = "wall", "wall"
        """Robots are kept out, so that nothing is known of the service. Not a fault of it."""
        BLIND = "blind", "blind"
        """The watch itself sees nothing. Of all targets together, so without one."""
        LEAVE = "leave", "leave"
        """The owner's permission runs out, or has."""

    target = models.ForeignKey(Target, models.PROTECT, null=True, related_name="alerts")
    window = models.CharField(max_length=8, choices=Window.choices)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    facts = models.JSONField(help_text="objective, visits, failures, burn rate, the probes that it rests on")

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "window"], condition=Q(closed_at=None), name="one_open_alert"
            ),
            models.UniqueConstraint(
                fields=["window"],
                condition=Q(closed_at=None, target=None),
                name="one_open_alert_of_the_watch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target or 'the watch'} {self.window} {self.opened_at:%Y-%m-%d %H:%M}"

    @property
    def acknowledgement(self) -> "Acknowledgement | None":
        """The one that stands."""
        return next((each for each in self.acknowledgements.all() if each.withdrawn_at is None), None)

    @property
    def told_at(self) -> datetime | None:
        """When the first of those to be told was."""
        return min((each.told_at for each in self.tellings.all() if each.told_at), default=None)

    @property
    def telling_failed(self) -> str:
        """Why somebody has still not been told; empty where everybody has, or was not yet tried."""
        return next((each.error for each in self.tellings.all() if each.error and not each.told_at), "")

    def acknowledge(self, by: User, at: datetime, words: str = "") -> "Acknowledgement":
        """He has heard and looks after it. Who has already heard stays on record: a second one is given the first."""
        with transaction.atomic():
            Alert.objects.select_for_update().get(pk=self.pk)
            standing = self.acknowledgements.filter(withdrawn_at=None).first()
            return standing or self.acknowledgements.create(by=by, at=at, words=words)


class Acknowledgement(models.Model):
    """Somebody has heard and looks after it: nobody is reminded. Taken back, it stays on record as taken back."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="acknowledgements")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    words = models.CharField(max_length=500, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert"], condition=Q(withdrawn_at=None), name="one_standing_acknowledgement"
            )
        ]

    def withdraw(self, by: User, at: datetime) -> None:
        """A second time changes nothing."""
        type(self).objects.filter(pk=self.pk, withdrawn_at=None).update(withdrawn_at=at, withdrawn_by=by)
        self.refresh_from_db()


class Telling(models.Model):
    """One address is told one thing. Written with what it is about, and kept until it has gone out: nothing is lost that could
    not be sent. The address itself carries passwords and stays in ``watch.yaml``; here is its hash, and how it may be shown."""

    class What(models.TextChoices):
        OPENED = "opened", "opened"
        REMINDER = "reminder", "reminder"
        CLOSED = "closed", "closed"

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="tellings")
    what = models.CharField(max_length=8, choices=What.choices)
    to = models.CharField(max_length=64, help_text="SHA-256 of the address")
    shown = models.CharField(max_length=300, help_text="the address without its secrets")
    written_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="tried from here on; put off after each failure")
    attempts = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True, help_text="of the last attempt")
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["written_at", "pk"]
        indexes = [models.Index(fields=["due_at"], condition=Q(told_at=None), name="tellings_still_to_go")]

    SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=1)

    def failed(self, now: datetime, error: str) -> None:
        """Put off: 1, 2, 4 … minutes, an hour at most, for as long as it takes."""
        self.attempts += 1
        self.error = error[:500]
        self.due_at = now + min(self.SOONEST * 2 ** min(self.attempts - 1, 10), self.LATEST)
        self.save(update_fields=["attempts", "error", "due_at"])

    def went(self, now: datetime) -> None:
        self.attempts += 1
        self.error, self.told_at = "", now
        self.save(update_fields=["attempts", "error", "told_at"])


class MaintenanceQuerySet(models.QuerySet["Maintenance"]):
    def covering(self, target: Target, at: datetime) -> Self:
        """Those in force for ``target`` at that moment."""
        return self.touching(target, at, at)

    def touching(self, target: Target, since: datetime, until: datetime) -> Self:
        """Those in force at any moment of a visit that lasted so long: it is not held against the target."""
        return self.filter(
            Q(withdrawn_at=None) | Q(withdrawn_at__gt=since),
            Q(withdrawn_at=None) | Q(withdrawn_at__gt=F("begins_at")),
            target=target,
            begins_at__lte=until,
            ends_at__gt=since,
        )


class Maintenance(models.Model):
    """Announced in advance: visits are not paid, and nothing is held against the target.

    What has passed cannot be covered afterwards: it begins when it is announced or later. It is changed by withdrawing it
    and announcing another; one that has begun counts up to its withdrawal.
    """

    target = models.ForeignKey(Target, models.PROTECT, related_name="maintenances")
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    words = models.CharField(max_length=500)
    announced_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    replaces = models.OneToOneField("self", models.PROTECT, null=True, related_name="replaced_by")

    objects = MaintenanceQuerySet.as_manager()

    class Meta:
        ordering = ["-begins_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("begins_at")), name="maintenance_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(begins_at__gte=F("announced_at")), name="maintenance_is_announced_beforehand"
            ),
        ]

    def touches(self, since: datetime, until: datetime) -> bool:
        """As ``touching``, for one that is at hand."""
        ends_at = min(self.ends_at, self.withdrawn_at or self.ends_at)
        return self.begins_at < ends_at and self.begins_at <= until and since < ends_at

    def stands(self, now: datetime) -> bool:
        """Whether it can still be changed or withdrawn."""
        return self.withdrawn_at is None and now < self.ends_at

    def withdraw(self, by: User | None, now: datetime) -> None:
        """What of it has passed still counts. Over or withdrawn already, nothing changes."""
        type(self).objects.filter(pk=self.pk, withdrawn_at=None, ends_at__gt=now).update(
            withdrawn_at=now, withdrawn_by=by
        )
        self.refresh_from_db()

    def change(self, now: datetime, by: User | None, **to: Any) -> "Maintenance":
        """Withdraws it and announces another in its place; ``to``: begins_at, ends_at, words. One that has begun goes on from
        now. Raises ValueError where it is over or withdrawn."""
        with transaction.atomic():
            standing = type(self).objects.select_for_update().get(pk=self.pk)
            if not standing.stands(now):
                raise ValueError("this maintenance is over or withdrawn: announce another")
            standing.withdraw(by, now)
            begins_at = max(to.pop("begins_at", standing.begins_at), now)
            kept = {"ends_at": standing.ends_at, "words": standing.words} | to
            return type(self).objects.create(
                target=standing.target,
                begins_at=begins_at,
                announced_at=now,
                by=by,
                replaces=standing,
                **kept,
            )
