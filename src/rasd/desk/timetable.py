"""What working hours say, as the ledger keeps it, and what follows from it for a day. No database.

The rows of a calendar (:mod:`rasd.desk.models.calendars`) are read into a :data:`Document`, and hours are made of that alone: so
what a calendar said a year ago means today what it meant then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext

from rasd.desk import almanac
from rasd.desk.hours import Hours, Span

Document = dict[str, Any]
"""All that a calendar says, as the ledger keeps it: ``{"name", "zone", "holidays_of", "week", "seasons", "days"}``.

A week is ``{"6": [["07:30", "14:30"]]}`` (weekday, 0 is Monday; a day that is missing is closed); a season
``{"name", "first", "last", "week"}``; a day ``{"day", "kind", "why", "opens", "closes"}``, times only of kind ``other``.
"""


def week_of(spans: Mapping[int, Sequence[Span]]) -> dict[str, list[list[str]]]:
    """A week as a :data:`Document` has it."""
    return {
        str(day): [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in sorted(of_day)]
        for day, of_day in sorted(spans.items())
        if of_day
    }


OMANI_DAYS = (6, 0, 1, 2, 3)  # Sunday to Thursday
OMANI_WEEK = week_of({day: [(time(7, 30), time(14, 30))] for day in OMANI_DAYS})
RAMADAN_SPAN = [time(9).isoformat("minutes"), time(14).isoformat("minutes")]


def ramadan_week(week: Mapping[str, Any]) -> dict[str, Any]:
    """The hours proposed for Ramadan: 09:00 to 14:00 on the days of the usual week."""
    return {day: [RAMADAN_SPAN] for day in week}


@dataclass(frozen=True)
class Day:
    """A day as people are shown it. ``season`` and ``special`` are parts of a :data:`Document`."""

    day: date
    spans: Sequence[Span]
    holiday: almanac.Holiday | None = None
    season: dict[str, Any] | None = None
    special: dict[str, str] | None = None

    @property
    def kind(self) -> str:
        """What decides over it: ``special | holiday | season | open | closed``."""
        if self.special:
            return "special"
        if self.holiday:
            return "holiday"
        if not self.spans:
            return "closed"
        return "season" if self.season else "open"


def hours_of(document: Document) -> Hours:
    """What a calendar says, or said when the ledger wrote it down."""
    seasons = [
        (date.fromisoformat(each["first"]), date.fromisoformat(each["last"]), spans_of(each["week"]))
        for each in document["seasons"]
    ]
    zone = ZoneInfo(document["zone"] or settings.TIME_ZONE)
    return Hours(spans_of(document["week"]), zone, seasons, _Days(document["holidays_of"], document["days"]))


def fault_of(spans: Sequence[Span]) -> str:
    """What is wrong with the spans of a day, and how it is mended; empty where nothing is."""
    for opens, closes in spans:
        if closes != time.min and closes <= opens:
            return gettext(
                "%(span)s ends before it begins. Work past midnight goes in two: until 00:00, and from 00:00 on the next day."
            ) % {"span": shown(opens, closes)}
    ordered = sorted(spans)
    for one, other in pairwise(ordered):
        if one[1] == time.min or other[0] < one[1]:
            words = {"one": shown(*one), "other": shown(*other)}
            return (
                gettext("%(one)s and %(other)s overlap. Let the first end before the second begins.") % words
            )
    return ""


def shown(opens: time, closes: time) -> str:
    """``07:30–14:30``, read from the left in Arabic too; the end of the day is 24:00."""
    return f"\u2066{opens:%H:%M}–{'24:00' if closes == time.min else closes.strftime('%H:%M')}\u2069"


def spans_of(week: Mapping[str, Sequence[Sequence[str]]]) -> dict[int, list[Span]]:
    return {
        int(day): [(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in of_day]
        for day, of_day in week.items()
    }


def time_of(told: str | None) -> time | None:
    return time.fromisoformat(told) if told else None


class _Days(Mapping[date, Sequence[Span]]):
    """The days of a calendar that are not as their weekday, holidays of whatever year is asked for among them."""

    def __init__(self, country: str, special: Sequence[Mapping[str, str]]) -> None:
        self._country = country
        self._special = {date.fromisoformat(each["day"]): each for each in special}

    def __getitem__(self, day: date) -> Sequence[Span]:
        special = self._special.get(day)
        if special is None:
            if day in almanac.holidays_of(self._country, day.year):
                return ()
            raise KeyError(day)
        if special["kind"] == "usual":
            raise KeyError(day)
        if special["kind"] == "other":
            return ((time.fromisoformat(special["opens"]), time.fromisoformat(special["closes"])),)
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
