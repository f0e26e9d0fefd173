from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.hours import Hours, RoundTheClock, Without, Working, is_open
from rasd.desk.models.calendars import Calendar


class Skill(models.Model):
    """What not everybody can deal with: billing, complaints, sign language by video …"""

    name = models.CharField(_("name"), max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


def every_language() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]


class Employee(models.Model):
    """A user as someone who answers: when on shift, in which languages, how many conversations at a time."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="employee")
    calendar = models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="employees",
        help_text=_("empty: always on shift"),
    )
    languages = ArrayField(models.CharField(max_length=5), default=every_language)
    skills = models.ManyToManyField(Skill, blank=True, related_name="employees")
    capacity = models.PositiveSmallIntegerField(
        _("at a time"), default=8, help_text=_("obligations that are given without asking; more may be taken")
    )
    given_at = models.DateTimeField(
        null=True, help_text="when the last obligation was given: of equals, who waited longest gets the next"
    )
    left_at = models.DateTimeField(null=True, blank=True, help_text=_("works here no more"))

    def __str__(self) -> str:
        return str(self.user.get_full_name() or self.user.get_username())

    @property
    def hours(self) -> Working:
        """When on shift: the calendar's hours less absences; never, for who has left."""
        if self.left_at is not None or not self.user.is_active:
            return Hours({}, ZoneInfo(settings.TIME_ZONE))
        shifts = self.calendar.hours if self.calendar else RoundTheClock()
        return Without(shifts, list(self.absences.values_list("begins_at", "ends_at")))

    def is_on_shift(self, at: datetime) -> bool:
        return is_open(self.hours, at)


class Absence(models.Model):
    """Not on shift although the calendar says so: leave, illness, a break."""

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="absences")
    begins_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    why = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("begins_at")), name="absence_has_length")
        ]
        indexes = [models.Index(fields=["employee", "ends_at"], name="absence_by_employee")]
