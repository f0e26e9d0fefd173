from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.hours import Hours, RoundTheClock, Without, Working, is_open
from rasd.desk.models.calendars import Calendar
from rasd.ledger.models import record

if TYPE_CHECKING:
    from rasd.desk.models.queues import Queue


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
        return Without(shifts, [(each.begins_at, each.ends_at) for each in self.absences.all()])

    def is_on_shift(self, at: datetime) -> bool:
        return is_open(self.hours, at)

    @classmethod
    def join(cls, user: User, *, by: User, at: datetime) -> "Employee":
        """From now on ``user`` answers; the one there is already, where one is."""
        with transaction.atomic():
            employee, is_new = cls.objects.get_or_create(user=user)
            if is_new:
                employee._record("staff.joined", by, at)
            return employee

    def change(
        self,
        *,
        by: User,
        at: datetime,
        calendar: Calendar | None,
        capacity: int,
        languages: list[str],
        skills: "Iterable[Skill]",
        queues: "Iterable[Queue]",
    ) -> bool:
        """What he works in, when and how much; whether anything of it was otherwise before. No entry where nothing was."""
        with transaction.atomic():
            before = self._facts()
            self.calendar, self.capacity, self.languages = calendar, capacity, languages
            self.save(update_fields=["calendar", "capacity", "languages"])
            self.skills.set(skills)
            self.user.queues.set(queues)  # type: ignore[attr-defined]
            after = self._facts()
            changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
            if changed:
                self._record("staff.changed", by, at, changed)
            return bool(changed)

    def come_back(self, *, by: User, at: datetime) -> None:
        """He had left, and works here again; what was his meanwhile stays with whoever has it."""
        with transaction.atomic():
            self.left_at = None
            self.save(update_fields=["left_at"])
            self._record("staff.returned", by, at)

    def _facts(self) -> dict[str, Any]:
        calendar = Calendar.objects.filter(pk=self.calendar_id).first()
        return {
            "calendar": calendar.name if calendar else None,
            "capacity": self.capacity,
            "languages": list(self.languages),
            "skills": sorted(self.skills.values_list("name", flat=True)),
            "queues": sorted(self.user.queues.values_list("name", flat=True)),  # type: ignore[attr-defined]
        }

    def _record(
        self, action: str, by: User, at: datetime, facts: dict[str, Any] | None = None, why: str = ""
    ) -> None:
        record(
            f"user:{by.get_username()}",
            action,
            f"user:{self.user.get_username()}",
            at=at,
            why=why,
            facts=facts,
        )


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

    def end(self, *, by: User, at: datetime) -> None:
        """He is back before its end, or does not go at all. Nothing, where it is over."""
        if self.ends_at <= at:
            return
        with transaction.atomic():
            told = {"begins_at": self.begins_at, "ends_at": self.ends_at}
            if self.begins_at >= at:
                self.delete()
            else:
                self.ends_at = at
                self.save(update_fields=["ends_at"])
            self.employee._record("staff.back", by, at, told, why=self.why)
