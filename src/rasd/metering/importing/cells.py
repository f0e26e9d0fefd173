"""One cell of text → one value, or why not and how to mend it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache

import phonenumbers
from django.utils import timezone

from rasd.metering import numbers

REGION = "OM"
"""ISO 3166 code of the country whose numbers are written without a country code."""

MIDDAY = time(12)
"""The hour of a reading of which only the day is known."""


class BadCell(Exception):
    """What is wrong with the cell, and how to mend it."""

    def __init__(self, field: str, problem: str, mend: str) -> None:
        self.field, self.problem, self.mend = field, problem, mend
        super().__init__(f"{field}: {problem}; {mend}")


def latin(text: str) -> str:
    """Arabic-Indic digits made plain."""
    return text if text.isascii() else text.translate(numbers.DIGITS)


def needed(field: str, text: str, longest: int) -> str:
    if not text:
        raise BadCell(field, "is empty", "fill it in")
    return optional(field, text, longest)


def optional(field: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise BadCell(field, f"has {len(text)} characters", f"shorten it to {longest}")
    if "\0" in text:
        raise BadCell(field, "holds a NUL character", "take it out")
    return text


def identifier(field: str, text: str, longest: int = 40) -> str:
    """The number of an account or a service point."""
    return needed(field, latin(text), longest)


def serial(field: str, text: str) -> str:
    plain = numbers.plain_serial(needed(field, text, 40))
    if not plain:
        raise BadCell(
            field, f"{text!r} holds neither letters nor digits", "give the number on the meter's face"
        )
    return plain


def one_of(field: str, text: str, words: dict[str, str], default: str) -> str:
    if not text:
        return default
    found = words.get(text.lower())
    if found is None:
        raise BadCell(
            field, f"{text!r} is not known", f"use one of {', '.join(dict.fromkeys(words.values()))}"
        )
    return found


def whole(field: str, text: str, *, least: int, most: int, default: int) -> int:
    if not text:
        return default
    plain = latin(text)
    if not re.fullmatch(r"\d{1,3}", plain) or not least <= int(plain) <= most:
        raise BadCell(field, f"{text!r} is not a whole number from {least} to {most}", "correct it")
    return int(plain)


def degrees(field: str, text: str, most: int) -> float | None:
    if not text:
        return None
    try:
        value = float(latin(text))
    except ValueError:
        value = float("nan")
    if not -most <= value <= most:
        raise BadCell(
            field,
            f"{text!r} is not degrees from -{most} to {most}",
            "write it like 23.588, or leave it empty",
        )
    return value


def reading(field: str, text: str) -> Decimal:
    if not text:
        raise BadCell(field, "is empty", "fill it in, or take the row out where nothing was read")
    value = Decimal(text) if text.isdecimal() and text.isascii() else numbers.parse_number(text)
    if value is None:
        raise BadCell(field, f"{text!r} is not a number", "write digits only, with a point before decimals")
    if value >= 1_000_000_000 or value != round(value, 3):
        raise BadCell(field, f"{text!r} has too many digits", "write at most 9 digits and 3 decimals")
    return value


def day(field: str, text: str) -> date:
    return moment(field, text).astimezone(timezone.get_default_timezone()).date()


@lru_cache(maxsize=20_000)  # files hold the same days over and over
def moment(field: str, text: str) -> datetime:
    """A date (noon is taken) or a date and time, in the utility's zone unless it carries its own; comes back in UTC.

    ``2026-11-20``, ``2026-11-20 14:05``, ``20/11/2026``, ``20-11-2026 14:05`` (day first, as Oman writes).
    """
    if not text:
        raise BadCell(field, "is empty", "write a date such as 2026-11-20")
    plain = re.sub(
        r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", lambda at: f"{at[3]}-{at[2]:0>2}-{at[1]:0>2}", latin(text)
    )
    plain = re.sub(r"^(\d{4})/(\d{1,2})/(\d{1,2})", lambda at: f"{at[1]}-{at[2]:0>2}-{at[3]:0>2}", plain)
    try:
        found = datetime.fromisoformat(plain)
    except ValueError as error:
        raise BadCell(
            field, f"{text!r} is not a date", "write it like 2026-11-20 or 2026-11-20 14:05"
        ) from error
    if len(plain) <= len("2026-11-20"):
        found = datetime.combine(found, MIDDAY)
    if found.year < 1950 or found.year > 2100:
        raise BadCell(field, f"{text!r} is not in our time", "write the year in four digits")
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.get_default_timezone())
    return found.astimezone(UTC)


def phones(field: str, text: str) -> list[str]:
    """``tel:+96891234567`` of each number; several stand between ``;``."""
    return list(dict.fromkeys(_phone(field, part) for part in re.split("[;؛]", text) if part.strip()))


def _phone(field: str, text: str) -> str:
    plain = re.sub(r"[\s\-().]", "", latin(text))
    # Eight digits that begin with 2, 7 or 9 are a whole Omani number; parsing each again costs most of an import.
    if re.fullmatch(r"(?:(?:\+|00)?968)?[279]\d{7}", plain):
        return f"tel:+968{plain[-8:]}"
    try:
        number = phonenumbers.parse(re.sub("^00", "+", plain), REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise BadCell(field, f"{text.strip()!r} is not a telephone number", "write it like +968 9123 4567")
    return f"tel:{phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)}"
