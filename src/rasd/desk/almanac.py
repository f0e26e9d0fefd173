"""Which days are holidays, and when Ramadan is: what two libraries know. Pure, and the same for everybody.

Public holidays are those of ``holidays`` (Vacanza), by country. Where the moon decides and nobody has decided yet, its dates are
estimates and say so. Ramadan is that of the Umm al-Qura calendar (``hijridate``), which Oman's own sighting follows within
a day: a proposal, to be set right when the moon is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType

import holidays
from hijridate import Gregorian, Hijri
from holidays.groups.islamic import IslamicHolidays
from holidays.holiday_base import HolidayBase
from holidays.registry import COUNTRIES

RAMADAN = 9  # the month


@dataclass(frozen=True)
class Holiday:
    """A public holiday; several on one day are one, of several names.

    estimated: its date follows the moon and was not announced when the library was made: it may move by a day or two.
    """

    day: date
    ar: str
    en: str
    estimated: bool = False

    def name(self, language: str) -> str:
        return self.ar if language.startswith("ar") else self.en


@dataclass(frozen=True)
class Ramadan:
    """By the Umm al-Qura calendar. ``year`` is of the Hijra; ``last`` is included."""

    year: int
    first: date
    last: date


@cache
def countries() -> Mapping[str, str]:
    """Code of two letters → English name, of every country whose holidays are known, by name."""
    return MappingProxyType(
        {codes[1]: name.replace("_", " ").title() for name, codes in sorted(COUNTRIES.items())}
    )


@cache
def holidays_of(country: str, year: int) -> Mapping[date, Holiday]:
    """The public holidays of ``country`` (``OM``) in a year, in order. None for the empty country, and in years that
    the library does not know.

    Raises:
        ValueError: no country whose holidays are known has this code.
    """
    if not country:
        return MappingProxyType({})
    if country not in countries():
        raise ValueError(
            f"country: {country!r} is none of the {len(countries())} codes whose holidays are known"
        )
    arabic, english = (_told(country, year, language) for language in ("ar", "en"))
    found = {}
    for day in sorted(english):
        names = [_plain(english, each) for each in english.get_list(day)]
        found[day] = Holiday(
            day,
            ar="، ".join(_plain(arabic, each)[0] for each in arabic.get_list(day)),
            en=", ".join(name for name, _estimated in names),
            estimated=any(estimated for _name, estimated in names),
        )
    return MappingProxyType(found)


def keeps_ramadan(country: str) -> bool:
    """Whether its public holidays follow the moon, so that it is worth asking about the hours of Ramadan."""
    return bool(country) and isinstance(holidays.country_holidays(country), IslamicHolidays)


def ramadans_beginning_in(year: int) -> list[Ramadan]:
    """Of a year of the common era: one, now and then two (2030), once in a long while none.

    Raises:
        ValueError: the calendar's tables end before, in 2077, or begin after, in 1924.
    """
    try:
        around = Gregorian(year, 1, 1).to_hijri().year
        months = [Hijri(each, RAMADAN, 1) for each in (around, around + 1)]
        found = [
            Ramadan(month.year, first, first + timedelta(days=month.month_length() - 1))
            for month in months
            if (first := date(*month.to_gregorian().datetuple())).year == year
        ]
    except (OverflowError, ValueError) as error:
        raise ValueError(
            f"year: nobody has reckoned the Ramadan of {year}; choose one of 1925 to 2076"
        ) from error
    return found


def _told(country: str, year: int, language: str) -> HolidayBase:
    """In a language, else in the country's first. The library's own guess goes by the machine's settings; ours do not."""
    plain = holidays.country_holidays(country)
    spoken = next((each for each in plain.supported_languages if each.partition("_")[0] == language), None)
    chosen = spoken or plain.default_language
    if isinstance(plain, IslamicHolidays):
        return type(plain)(years=year, language=chosen, islamic_show_estimated=True)  # type: ignore[call-arg]
    return holidays.country_holidays(country, years=year, language=chosen)


def _plain(told: HolidayBase, name: str) -> tuple[str, bool]:
    """``Eid al-Fitr (estimated)`` → the name, and that it is estimated."""
    for label in ("estimated_label", "observed_estimated_label"):
        before, _place, behind = told.tr(getattr(told, label, "%s")).partition("%s")
        if (before or behind) and name.startswith(before) and name.endswith(behind):
            return name[len(before) : len(name) - len(behind)], True
    return name, False
