from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Line
from rasd.desk import hours
from rasd.desk.models.calendars import Calendar
from rasd.desk.models.staff import Skill

if TYPE_CHECKING:
    from rasd.desk.models.obligations import Obligation

WAIT_IS_MEASURED_OVER = timedelta(days=14)
WAIT_NEEDS_ANSWERS = 10  # fewer prove nothing: the target time is told instead of a measured one


class Matter(models.TextChoices):
    """What a message, an obligation or a case is about; times may differ by it."""

    ENQUIRY = "enquiry", _("enquiry")
    COMPLAINT = "complaint", _("complaint")
    REQUEST = "request", _("request")
    READING = "reading", _("reading")
    DOCUMENT = "document", _("document")


class Queue(models.Model):
    """A staffed queue: what is in it is owed by the people who serve it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    answer_within = models.DurationField(
        _("answer within"), help_text=_("of working time, where no target says otherwise")
    )
    calendar = models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="queues",
        verbose_name=_("working hours"),
        help_text=_("by which its times are counted; empty: day and night"),
    )
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="queues")
    skills = models.ManyToManyField(
        Skill, blank=True, related_name="queues", help_text=_("what its work takes, all of them")
    )
    falls_to = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("falls to"),
        help_text=_("the queue that gets what is in this one while nobody serves it"),
    )

    def __str__(self) -> str:
        return self.name

    @property
    def hours(self) -> hours.Working:
        return self.calendar.hours if self.calendar else hours.RoundTheClock()

    def target(self, line: Line | None, matter: str = "") -> timedelta:
        """Working time in which it answers: the target that says most about line and matter, else ``answer_within``."""
        told = [
            target
            for target in self.targets.all()
            if target.line_id in {None, line.pk if line else None} and target.matter in {"", matter}
        ]
        nearest = max(told, key=lambda target: (bool(target.line_id), bool(target.matter)), default=None)
        return nearest.answer_within if nearest else self.answer_within

    def due(self, begin: datetime, amount: timedelta) -> datetime:
        """When ``amount`` of its working time after ``begin`` has passed. Hours that never open count as day and night: a
        mistake in a calendar must not make time without end."""
        try:
            return hours.after(self.hours, begin, amount)
        except hours.NeverOpen:
            return begin + amount

    def place_of(self, obligation: "Obligation") -> int:
        """1 for the one who waits longest."""
        earlier = models.Q(since__lt=obligation.since) | models.Q(
            since=obligation.since, pk__lt=obligation.pk
        )
        return self.obligation_set.filter(earlier, discharged_at=None).count() + 1

    def usual_wait(self, at: datetime) -> timedelta | None:
        """The median wait for an answer over the last fourteen days; None where too few were answered to tell."""
        answered = self.obligation_set.filter(
            discharged_at__gt=at - WAIT_IS_MEASURED_OVER, discharged_at__lte=at, discharged_by__isnull=False
        )
        waits = [
            (ended - since).total_seconds()
            for since, ended in answered.values_list("since", "discharged_at")
            if ended
        ]
        return timedelta(seconds=median(waits)) if len(waits) >= WAIT_NEEDS_ANSWERS else None


class Target(models.Model):
    """A queue's time for one line, one matter, or one matter on one line."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="targets")
    line = models.ForeignKey(Line, models.CASCADE, null=True, blank=True, related_name="+")
    matter = models.CharField(max_length=20, choices=Matter, blank=True)
    answer_within = models.DurationField(_("answer within"), help_text=_("of working time"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "line", "matter"], nulls_distinct=False, name="one_target_for_each"
            ),
        ]
