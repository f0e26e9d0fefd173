from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.hours import Hours, Span


class Weekday(models.IntegerChoices):
    """As ``datetime.date.weekday()``."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Calendar(models.Model):
    """Working hours: of a queue, by which its times are counted, or of employees, by which they are on shift.

    Of what is said about a day the nearest counts: a special day, else a holiday of the country, else the season's week, else
    the usual week.
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

    def __str__(self) -> str:
        return self.name

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone or settings.TIME_ZONE)

    @property
    def hours(self) -> Hours:
        """What it says, as pure hours; read from the database at each call."""
        usual: dict[int, list[Span]] = defaultdict(list)
        weeks: dict[int, dict[int, list[Span]]] = defaultdict(lambda: defaultdict(list))
        for span in self.open_spans.all():
            week = weeks[span.season_id] if span.season_id else usual
            week[span.weekday].append((span.opens, span.closes))
        seasons = [(season.first, season.last, weeks[season.pk]) for season in self.seasons.all()]
        return Hours(usual, self.time_zone, seasons, _Days(self.holidays_of, self.special_days.all()))


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

    def clean(self) -> None:
        """Raises ValidationError where it overlaps another of its week."""
        ends = (
            self.closes.replace(hour=23, minute=59, second=59)
            if not self.closes.hour + self.closes.minute
            else self.closes
        )
        others = OpenSpan.objects.filter(calendar=self.calendar, season=self.season, weekday=self.weekday)
        for other in others.exclude(pk=self.pk):
            other_ends = other.closes if other.closes.hour + other.closes.minute else ends
            if self.opens < other_ends and other.opens < ends:
                raise ValidationError({"opens": _("This overlaps %(other)s.") % {"other": other}})


class SpecialDay(models.Model):
    """One day that is not as its weekday: a closure, a holiday that was moved, one that is worked."""

    class Kind(models.TextChoices):
        CLOSED = "closed", _("closed")
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


class _Days(Mapping[date, Sequence[Span]]):
    """The days of a calendar that are not as their weekday, holidays of whatever year is asked for among them."""

    def __init__(self, country: str, special: Iterable[SpecialDay]) -> None:
        self._holidays = holidays.country_holidays(country) if country else {}
        self._special = {day.day: day for day in special}

    def __getitem__(self, day: date) -> Sequence[Span]:
        special = self._special.get(day)
        if special is None:
            if day in self._holidays:
                return ()
            raise KeyError(day)
        if special.kind == SpecialDay.Kind.USUAL:
            raise KeyError(day)
        if special.kind == SpecialDay.Kind.OTHER and special.opens is not None and special.closes is not None:
            return ((special.opens, special.closes),)
        return ()

    def __contains__(self, day: object) -> bool:
        try:
            self[day]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[date]:
        return iter(self._special)

    def __len__(self) -> int:
        return len(self._special)
