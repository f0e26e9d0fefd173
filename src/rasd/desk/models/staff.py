from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.errors import LastOne, NotOnShift
from rasd.desk.hours import RoundTheClock, Without, Working, is_open, open_until, opens_at
from rasd.desk.models.calendars import Calendar
from rasd.ledger.models import actor_of, record

if TYPE_CHECKING:
    from rasd.desk.models.obligations import Obligation
    from rasd.desk.models.queues import Queue

FOR_GOOD = timedelta(days=100 * 365)
"""How long somebody who left stays away: longer than anyone looks ahead."""


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

    @classmethod
    def of(cls, user: User) -> "Employee | None":
        """The user as someone who answers; None for one to whom nothing is assigned: he is on shift whenever he likes."""
        return cls.objects.select_related("user", "calendar").filter(user=user).first()

    # When.

    @property
    def hours(self) -> Working:
        """When on shift: the calendar's hours less absences; never, for who has left."""
        return self.hours_in(self.calendar.hours if self.calendar else RoundTheClock())

    def hours_in(self, shifts: Working) -> Working:
        """As :attr:`hours`, for who has the calendar's hours at hand already."""
        return Without(shifts, list(self._away()))

    def is_on_shift(self, at: datetime) -> bool:
        return is_open(self.hours, at)

    def shift_end(self, at: datetime) -> datetime | None:
        """When the present shift ends; None where it does not end.

        Raises:
            NotOnShift: there is no present shift.
        """
        hours = self.hours
        if not is_open(hours, at):
            raise NotOnShift(self, opens_at(hours, at))
        return open_until(hours, at)

    def _away(self) -> Iterator[tuple[datetime, datetime]]:
        for absence in self.absences.all():
            yield absence.begins_at, absence.ends_at
        if self.left_at is not None:
            yield self.left_at, self.left_at + FOR_GOOD
        if not self.user.is_active:
            yield self.user.date_joined - FOR_GOOD, self.user.date_joined + FOR_GOOD

    # How much.

    def owes(self) -> "models.QuerySet[Obligation]":
        """What is owed by this person now, its clock standing still or running."""
        from rasd.desk.models.obligations import Obligation

        return Obligation.objects.open().filter(owner=self.user_id)

    def load(self, at: datetime) -> int:
        """How many obligations are with this person now, without those that wait for the customer."""
        return self.owes().filter(running_since__isnull=False).count()

    # Coming and going.

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
            self.user.queues.set(queues)
            after = self._facts()
            changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
            if changed:
                self._record("staff.changed", by, at, changed)
            return bool(changed)

    def be_absent(
        self, begins_at: datetime, ends_at: datetime, why: str, *, by: User, at: datetime
    ) -> "Absence":
        """Not on shift between two moments. What he owes goes somewhere as soon as it begins: at once, or by a job."""
        with transaction.atomic():
            absence = self.absences.create(begins_at=begins_at, ends_at=ends_at, why=why)
            self._record("staff.absent", by, at, {"begins_at": begins_at, "ends_at": ends_at}, why=why)
        self._let_go(at)
        return absence

    def leave(self, *, by: User, at: datetime) -> None:
        """Works here no more from now on; what he owes goes somewhere at once.

        Raises:
            LastOne: nobody else is in the queue of last resort.
        """
        if self._is_the_last_one():
            raise LastOne(self)
        with transaction.atomic():
            self.left_at = at
            self.save(update_fields=["left_at"])
            self._record("staff.left", by, at)
        self._let_go(at)

    def come_back(self, *, by: User, at: datetime) -> None:
        """He had left, and works here again; what was his meanwhile stays with whoever has it."""
        with transaction.atomic():
            self.left_at = None
            self.save(update_fields=["left_at"])
            self._record("staff.returned", by, at)

    def _is_the_last_one(self) -> bool:
        from rasd.desk.models.queues import Queue

        last_resort = Queue.objects.filter(is_last_resort=True, people=self.user).first()
        if last_resort is None:
            return False
        others = last_resort.people.filter(is_active=True).exclude(employee=self)
        return not others.exclude(employee__left_at__isnull=False).exists()

    def _let_go(self, at: datetime) -> None:
        """The job that every change of staff defers would do the same, a moment later."""
        from rasd.desk.assigning import take_back

        take_back(at, owner_id=self.user_id)

    def _facts(self) -> dict[str, Any]:
        return {
            "calendar": self.calendar.name if self.calendar else None,
            "capacity": self.capacity,
            "languages": list(self.languages),
            "skills": sorted(self.skills.values_list("name", flat=True)),
            "queues": sorted(self.user.queues.values_list("name", flat=True)),
        }

    def _record(
        self, action: str, by: User, at: datetime, facts: dict[str, Any] | None = None, why: str = ""
    ) -> None:
        record(
            actor_of(by),
            action,
            actor_of(self.user),
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
