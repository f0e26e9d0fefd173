from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, ProtectedError, Q
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from rasd.channels.jobs import defer
from rasd.desk import almanac
from rasd.desk.hours import Hours, Span
from rasd.desk.timetable import (
    OMANI_WEEK,
    Day,
    Document,
    fault_of,
    hours_of,
    ramadan_week,
    spans_of,
    time_of,
    week_of,
)
from rasd.ledger.models import Entry, record

ASKED_AHEAD = timedelta(days=120)  # how long before a Ramadan its hours are asked for


class Weekday(models.IntegerChoices):
    """As ``datetime.date.weekday()``."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class ChangedMeanwhile(Exception):
    """Somebody else changed the calendar after the page was made: look at what it says now, and save again."""


class InUse(Exception):
    """Queues or employees go by this calendar; give them another one first."""


class Calendar(models.Model):
    """Working hours: of a queue, by which its times are counted, or of employees, by which they are on shift.

    Of what is said about a day the nearest counts: a special day, else a holiday of the country, else the season's week, else
    the usual week. Whatever it says is changed by :meth:`change` alone, which writes what was before and after into the
    ledger, from where it can be undone, and has what is owed by it counted anew.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    zone = models.CharField(_("time zone"), max_length=50, blank=True, help_text=_("empty: the utility's"))
    holidays_of = models.CharField(
        _("holidays of"),
        max_length=2,
        blank=True,
        help_text=_("country whose public holidays are free: OM; empty: none"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("working hours"), _("working hours")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def make(cls, name: str, *, at: datetime, actor: str, **parts: Any) -> "Calendar":
        """A new one; ``parts`` as for :meth:`change`, which also tells what it raises."""
        calendar = cls(name=name)
        with transaction.atomic():
            calendar._write({**calendar.document(), **parts, "name": name})
            calendar._record(None, at=at, actor=actor)
        return calendar

    @classmethod
    def omani(cls, name: str, *, at: datetime | None = None, actor: str = "machine:desk") -> "Calendar":
        """Sunday to Thursday 07:30 to 14:30, Oman's holidays, 09:00 to 14:00 in the Ramadans of this year and the next."""
        at = at or timezone.now()
        year = timezone.localdate(at).year
        seasons = [
            _season(ramadan, OMANI_WEEK)
            for each in (year, year + 1)
            for ramadan in almanac.ramadans_beginning_in(each)
        ]
        return cls.make(
            name, at=at, actor=actor, zone="Asia/Muscat", holidays_of="OM", week=OMANI_WEEK, seasons=seasons
        )

    # What it says.

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone or settings.TIME_ZONE)

    @property
    def hours(self) -> Hours:
        """What it says, as pure hours; read from the database in three queries at each call, in none where ``open_spans``,
        ``seasons`` and ``special_days`` were prefetched."""
        return hours_of(self.document())

    def document(self) -> Document:
        usual: dict[int, list[Span]] = defaultdict(list)
        weeks: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
        known = self.pk is not None
        for span in self.open_spans.all() if known else ():
            week = weeks[span.season_id] if span.season_id else usual
            week[span.weekday].append((span.opens, span.closes))
        seasons = self.seasons.all() if known else ()
        return {
            "name": self.name,
            "zone": self.zone,
            "holidays_of": self.holidays_of,
            "week": week_of(usual),
            "seasons": [
                {
                    "name": season.name,
                    "first": season.first.isoformat(),
                    "last": season.last.isoformat(),
                    "week": week_of(weeks[season.pk]),
                }
                for season in seasons
            ],
            "days": [day.told() for day in self.special_days.all()] if known else [],
        }

    def days(self, first: date, last: date) -> list[Day]:
        """Each day from ``first`` to ``last``, both included, with what is to be said of it."""
        document = self.document()
        hours, special = hours_of(document), {each["day"]: each for each in document["days"]}
        found = []
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            season = next(
                (s for s in reversed(document["seasons"]) if s["first"] <= day.isoformat() <= s["last"]), None
            )
            holiday = almanac.holidays_of(self.holidays_of, day.year).get(day)
            found.append(Day(day, hours.on(day), holiday, season, special.get(day.isoformat())))
        return found

    # Changing it.

    def change(
        self, *, at: datetime, actor: str, why: str = "", seen: int | None = None, **parts: Any
    ) -> bool:
        """Say otherwise; False, and no entry, where that is what it says already.

        Args:
            seen: number of the entry of the last change that the author knows of (:attr:`last_change`); None: whatever it is.
            parts: those of a :data:`Document` that change, each as a whole.

        Raises:
            ValidationError: by the part that is wrong; its words name the day and the mend.
            ChangedMeanwhile: there is a later change than the one seen.
        """
        with transaction.atomic():
            self.refresh_from_db(from_queryset=Calendar.objects.select_for_update())
            if seen is not None and seen != self._last_number():
                raise ChangedMeanwhile
            before = self.document()
            self._write({**before, **parts})
            if self.document() == before:
                return False
            self._record(before, at=at, actor=actor, why=why)
        return True

    @property
    def last_change(self) -> Entry | None:
        return Entry.objects.filter(subject=str(self._subject), action="calendar.changed").last()

    def undo(self, *, at: datetime, actor: str, seen: int | None = None) -> bool:
        """Take the last change back; a second time, take that back. False where there is nothing to take back.

        Raises:
            ChangedMeanwhile: as :meth:`change`.
        """
        last = self.last_change
        if last is None or last.facts["before"] is None:
            return False
        return self.change(at=at, actor=actor, why=gettext("undone"), seen=seen, **last.facts["before"])

    def remove(self, *, at: datetime, actor: str) -> None:
        """Raises InUse while a queue or an employee goes by it."""
        with transaction.atomic():
            subject, before = self._subject, self.document()
            try:
                self.delete()
            except ProtectedError as error:
                raise InUse from error
            record(actor, "calendar.removed", subject, at=at, facts={"before": before})

    @staticmethod
    def recount(number: int, *, at: datetime) -> int:
        """After the change that entry ``number`` of the ledger tells: what queues owe by this calendar is due anew. How
        many times that changed."""
        change = Entry.objects.get(number=number)
        before = hours_of(change.facts["before"])
        return sum(
            queue.recount(at=at, actor=change.actor, why="working hours were changed", before=before)
            for queue in Calendar.objects.get(pk=change.subject.partition(":")[2]).queues.all()
        )

    # Ramadan.

    def propose_ramadan(self, year: int) -> "Season":
        """A draft of the Ramadan that begins in ``year`` and has no hours of its own yet, else of the first one; not saved.
        Its days are by the Umm al-Qura calendar and may be a day off: the moon is sighted.

        Raises:
            ValueError: nobody has reckoned the Ramadan of that year.
        """
        ramadans = almanac.ramadans_beginning_in(year)
        if not ramadans:
            raise ValueError(f"year: no Ramadan begins in {year}; choose the year before or after")
        told = next((each for each in ramadans if not self._has_season_on(each.first)), ramadans[0])
        return Season(calendar=self, name=_name_of(told), first=told.first, last=told.last)

    def ramadan_without_hours(self, today: date) -> "Season | None":
        """The draft of the Ramadan that has come or comes soon and of which nothing is said; None where all is said."""
        if not almanac.keeps_ramadan(self.holidays_of):
            return None
        for year in (today.year, today.year + 1):
            draft = self.propose_ramadan(year)
            if (
                today <= draft.last
                and draft.first <= today + ASKED_AHEAD
                and not self._has_season_on(draft.first)
            ):
                return draft
        return None

    def _has_season_on(self, first: date) -> bool:
        """Within a day or two: what was proposed may have been moved to when the moon was seen."""
        near = timedelta(days=2)
        return self.seasons.filter(first__lte=first + near, last__gte=first + near).exists()

    # How it is written.

    @property
    def _subject(self) -> str:
        return f"calendar:{self.pk}"

    def _last_number(self) -> int:
        last = self.last_change
        return last.number if last else 0

    def _write(self, document: Document) -> None:
        """Replaces what is there, rows and all: nobody else points at them."""
        self.name, self.zone, self.holidays_of = (document[part] for part in ("name", "zone", "holidays_of"))
        self.full_clean()
        self.save()
        self.open_spans.all().delete()
        self.seasons.all().delete()
        self.special_days.all().delete()
        self._write_week(document["week"], None)
        for told in document["seasons"]:
            season = Season(
                calendar=self,
                name=told["name"],
                first=date.fromisoformat(told["first"]),
                last=date.fromisoformat(told["last"]),
            )
            season.full_clean()
            season.save()
            self._write_week(told["week"], season)
        for told in document["days"]:
            day = SpecialDay(calendar=self, **{**told, "day": date.fromisoformat(told["day"])})
            day.opens, day.closes = time_of(told.get("opens")), time_of(told.get("closes"))
            day.full_clean()
            day.save()

    def _write_week(self, week: Mapping[str, Any], season: "Season | None") -> None:
        spans = spans_of(week)
        for day, of_day in spans.items():
            if fault := fault_of(of_day):
                words = {"day": Weekday(day).label, "fault": fault}
                raise ValidationError({"week": gettext("%(day)s: %(fault)s") % words})
        OpenSpan.objects.bulk_create(
            OpenSpan(calendar=self, season=season, weekday=day, opens=opens, closes=closes)
            for day, of_day in spans.items()
            for opens, closes in of_day
        )

    def _record(self, before: Document | None, *, at: datetime, actor: str, why: str = "") -> None:
        entry = record(
            actor,
            "calendar.changed",
            self._subject,
            at=at,
            why=why,
            facts={"before": before, "after": self.document()},
        )
        if before is not None:
            from rasd.desk.jobs import recount

            defer(recount, lock=self._subject, entry=entry.number)

    def clean(self) -> None:
        """Raises ValidationError where nobody knows the zone or the country's holidays."""
        faults = {}
        if self.zone and self.zone not in available_timezones():
            faults["zone"] = _("No time zone is called so. Write it as Asia/Muscat, or leave it empty.")
        if self.holidays_of and self.holidays_of not in almanac.countries():
            faults["holidays_of"] = _("The holidays of this country are not known. Choose another, or none.")
        if faults:
            raise ValidationError(faults)


class Season(models.Model):
    """Days with hours of their own, such as Ramadan."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="seasons")
    name = models.CharField(_("name"), max_length=100)
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))

    class Meta:
        ordering = ["first", "id"]
        constraints = [models.CheckConstraint(condition=Q(last__gte=F("first")), name="season_has_days")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError where it ends before it begins."""
        if self.first and self.last and self.last < self.first:
            raise ValidationError(
                {"last": _("This is before the first day. Exchange the two, or choose a later day.")}
            )


class OpenSpan(models.Model):
    """A stretch of a weekday in which one works; several make a split shift."""

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="open_spans")
    season = models.ForeignKey(
        Season,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="open_spans",
        help_text=_("empty: the usual week"),
    )
    weekday = models.PositiveSmallIntegerField(_("day"), choices=Weekday)
    opens = models.TimeField(_("from"))
    closes = models.TimeField(_("until"), help_text=_("00:00: to the end of the day"))

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes="00:00"), name="span_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class SpecialDay(models.Model):
    """One day that is not as its weekday: a closure, a holiday that was moved, one that is worked."""

    class Kind(models.TextChoices):
        CLOSED = "closed", pgettext_lazy("hours", "closed")
        USUAL = "usual", _("worked as usual, though a holiday")
        OTHER = "other", _("other hours")

    calendar = models.ForeignKey(Calendar, models.CASCADE, related_name="special_days")
    day = models.DateField(_("day"))
    kind = models.CharField(_("what"), max_length=10, choices=Kind)
    why = models.CharField(_("why"), max_length=200)
    opens = models.TimeField(_("from"), null=True, blank=True)
    closes = models.TimeField(_("until"), null=True, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["calendar", "day"], name="one_special_day"),
            models.CheckConstraint(
                condition=~Q(kind="other")
                | (Q(closes__gt=F("opens")) | Q(closes="00:00", opens__isnull=False)),
                name="other_hours_are_told",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.why}"

    def told(self) -> dict[str, str]:
        """As a :data:`Document` has it."""
        told = {"day": self.day.isoformat(), "kind": str(self.kind), "why": self.why}
        if self.opens is not None and self.closes is not None:
            told |= {"opens": f"{self.opens:%H:%M}", "closes": f"{self.closes:%H:%M}"}
        return told

    def clean(self) -> None:
        """Raises ValidationError where the other hours are missing or upside down; drops hours that mean nothing."""
        if self.kind != self.Kind.OTHER:
            self.opens = self.closes = None
            return
        if self.opens is None or self.closes is None:
            field = "opens" if self.opens is None else "closes"
            raise ValidationError({field: _("Say from when until when it is open, or choose “closed”.")})
        if fault := fault_of([(self.opens, self.closes)]):
            raise ValidationError({"closes": fault})


def _season(ramadan: almanac.Ramadan, week: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": _name_of(ramadan),
        "first": ramadan.first.isoformat(),
        "last": ramadan.last.isoformat(),
        "week": ramadan_week(week),
    }


def _name_of(ramadan: almanac.Ramadan) -> str:
    return gettext("Ramadan %(year)s") % {"year": ramadan.year}
