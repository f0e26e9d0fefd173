"""Working hours as they are typed and shown: a week with split shifts, a year of days, and when something would be due."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.dateparse import parse_time
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from rasd.desk.hours import NeverOpen, Span, after
from rasd.desk.models import Calendar, Weekday
from rasd.desk.timetable import Day, fault_of, shown, week_of

WEEK = (6, 0, 1, 2, 3, 4, 5)  # Sunday first: then the weekend of the Gulf stands at the end
LONGEST_TRY = 400  # hours of working time that are tried out: some ten weeks
YEARS = range(1970, 2101)  # of which holidays are known


# A week, as it is typed.


@dataclass
class Row:
    """One stretch of a day, as it was typed, and what is wrong with either end."""

    opens: str = ""
    closes: str = ""
    opens_fault: str = ""
    closes_fault: str = ""
    is_new: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.opens or self.closes)

    def span(self) -> Span | None:
        """None where it is not wholly two times, which its faults then say."""
        opens, self.opens_fault = _typed_time(self.opens, _("Say from when, such as 07:30."))
        closes, self.closes_fault = _typed_time(
            self.closes, _("Say until when, such as 14:30; 00:00 is the end of the day.")
        )
        return None if opens is None or closes is None else (opens, closes)


@dataclass
class TypedDay:
    weekday: int
    rows: list[Row] = field(default_factory=list)
    fault: str = ""

    @property
    def name(self) -> Any:
        return Weekday(self.weekday).label

    def check(self) -> list[Span]:
        spans = [span for row in self.rows if not row.is_empty and (span := row.span())]
        self.fault = fault_of(spans)
        return spans

    @property
    def faults(self) -> list[str]:
        found = [self.fault]
        for row in self.rows:
            found += [row.opens_fault, row.closes_fault]
        return [each for each in found if each]


class TypedWeek:
    """The editor of a week. Fields ``opens-6`` and ``closes-6``, once for each stretch of a Sunday; a stretch with both
    empty is none. Buttons ``add-span`` (a weekday), ``remove-span`` (weekday-place) and ``copy-day`` (``copy-from``, ``copy-to``)
    change what is typed and save nothing. (A button called ``remove`` would hide the form's own method from htmx.)"""

    def __init__(self, days: list[TypedDay]) -> None:
        self.days = days

    @classmethod
    def of(cls, week: Mapping[str, Any]) -> TypedWeek:
        return cls([TypedDay(day, [Row(*span) for span in week.get(str(day), [])]) for day in WEEK])

    @classmethod
    def typed(cls, data: QueryDict) -> TypedWeek:
        days = []
        for day in WEEK:
            pairs = zip(data.getlist(f"opens-{day}"), data.getlist(f"closes-{day}"), strict=False)
            days.append(TypedDay(day, [Row(opens.strip(), closes.strip()) for opens, closes in pairs]))
        return cls(days)

    def rearrange(self, data: QueryDict) -> bool:
        """Do what a button other than "save" asks for; False where it was "save"."""
        by_day = {str(each.weekday): each for each in self.days}
        day, _dash, place = data.get("remove-span", "").partition("-")
        if day in by_day and place.isdigit():
            del by_day[day].rows[int(place) : int(place) + 1]
        elif (added := data.get("add-span")) in by_day:
            by_day[str(added)].rows.append(Row(is_new=True))
        elif "copy-day" in data and (copied := data.get("copy-from")) in by_day:
            for to in data.getlist("copy-to"):
                if to in by_day and to != copied:
                    by_day[to].rows = [Row(row.opens, row.closes) for row in by_day[str(copied)].rows]
        else:
            return False
        return True

    def week(self) -> dict[str, Any] | None:
        """As a calendar's document has it; None where something is wrong, which the days then say."""
        spans = {each.weekday: each.check() for each in self.days}
        return None if self.faults else week_of(spans)

    @property
    def faults(self) -> list[tuple[Any, str]]:
        """Day and what is wrong with it."""
        return [(day.name, fault) for day in self.days for fault in day.faults]

    @property
    def length(self) -> str:
        """Of the working week as typed, as far as it can be understood."""
        total = timedelta()
        for day in self.days:
            for row in day.rows:
                opens, closes = parse(row.opens), parse(row.closes)
                if opens is not None and closes is not None:
                    total += _length(opens, closes)
        return hours_and_minutes(max(total, timedelta()))


def parse(typed: str) -> time | None:
    try:
        return parse_time(typed)
    except ValueError:
        return None


def _typed_time(typed: str, missing: str) -> tuple[time | None, str]:
    if not typed:
        return None, missing
    found = parse(typed)
    if found is None:
        return None, _("“%(typed)s” is no time. Write it as 07:30.") % {"typed": typed}
    return found.replace(second=0, microsecond=0), ""


def _length(opens: time, closes: time) -> timedelta:
    minutes = (closes.hour * 60 + closes.minute or 24 * 60) - opens.hour * 60 - opens.minute
    return timedelta(minutes=max(minutes, 0))


def hours_and_minutes(length: timedelta) -> str:
    """``35:00``; isolated, as Arabic would turn it over."""
    minutes = round(length.total_seconds() / 60)
    return f"\u2066{minutes // 60}:{minutes % 60:02}\u2069"


# A year, as it is shown.


@dataclass(frozen=True)
class Shown:
    """A day of the calendar that people look at."""

    day: Day
    today: date

    @property
    def date(self) -> date:
        return self.day.day

    @property
    def is_today(self) -> bool:
        return self.day.day == self.today

    @property
    def is_estimated(self) -> bool:
        return self.day.holiday is not None and self.day.holiday.estimated and not self.day.special

    @property
    def spans(self) -> list[str]:
        return [shown(*span) for span in self.day.spans]

    @property
    def names(self) -> list[str]:
        """What is said of it beside its hours."""
        names = [self.day.special["why"]] if self.day.special else []
        if self.day.holiday:
            names.append(self.day.holiday.name(get_language() or ""))
        elif self.day.kind == "season" and self.day.season:
            names.append(self.day.season["name"])
        return names

    @property
    def words(self) -> str:
        """The whole of it in a line, for those who hear it."""
        parts = [date_format(self.day.day, "l j F Y"), *self.names]
        if self.is_estimated:
            parts.append(_("estimated"))
        parts.append(pgettext("hours", "closed") if not self.day.spans else _(" and ").join(self.spans))
        return _(", ").join(parts)


@dataclass(frozen=True)
class Month:
    first: date
    weeks: list[list[Shown | None]]


def year_of(shown_calendar: Calendar, year: int, today: date) -> list[Month]:
    """Twelve months of weeks that begin with Sunday; None fills up a month's first week and its last."""
    days = {
        each.day: Shown(each, today) for each in shown_calendar.days(date(year, 1, 1), date(year, 12, 31))
    }
    sheets = calendar.Calendar(firstweekday=WEEK[0])
    return [
        Month(
            date(year, month, 1),
            [
                [days[day] if day.month == month else None for day in week]
                for week in sheets.monthdatescalendar(year, month)
            ],
        )
        for month in range(1, 13)
    ]


# When something would be due.


@dataclass(frozen=True)
class TriedDay:
    """A day between beginning and end, with the stretches of it that count; none where it is closed."""

    shown: Shown
    stretches: list[tuple[str, str]]  # from until, length


class TryForm(forms.Form):
    begin = forms.DateTimeField(
        label=gettext_lazy("A message comes"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )
    hours = forms.IntegerField(
        label=gettext_lazy("Hours"), min_value=0, max_value=LONGEST_TRY, required=False
    )
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), min_value=0, max_value=59, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        told = {"hours", "minutes"} & set(cleaned)
        if told == {"hours", "minutes"} and not (cleaned["hours"] or cleaned["minutes"]):
            self.add_error("hours", _("Say how long it takes: at least a minute."))
        return cleaned

    def outcome(self, tried: Calendar, today: date) -> dict[str, Any]:
        """``due`` in the calendar's own zone, and each day up to it; ``never`` where it does not open for so long."""
        zone = tried.time_zone
        begin = self.cleaned_data["begin"].replace(tzinfo=zone)
        amount = timedelta(hours=self.cleaned_data["hours"] or 0, minutes=self.cleaned_data["minutes"] or 0)
        hours = tried.hours
        try:
            due = after(hours, begin, amount).astimezone(zone)
        except NeverOpen:
            return {"never": True}
        stretches: dict[date, list[tuple[str, str]]] = {}
        for opened, closed in hours.spans(begin, due):
            start, end = opened.astimezone(zone), closed.astimezone(zone)
            stretches.setdefault(start.date(), []).append(
                (shown(start.time(), end.time()), hours_and_minutes(closed - opened))
            )
        days = [
            TriedDay(Shown(day, today), stretches.get(day.day, []))
            for day in tried.days(begin.date(), due.date())
        ]
        return {"due": due, "days": days, "amount": hours_and_minutes(amount)}


def begin_of_try(now: datetime, tried: Calendar) -> str:
    return f"{now.astimezone(tried.time_zone):%Y-%m-%dT%H:%M}"
