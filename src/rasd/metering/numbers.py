"""Numbers as people type and print them: digits of two scripts, serials, receipts. Pure."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from rasd.vision import RegisterHint

SERIAL_LEAST = 6
"""Characters: shorter numbers on a meter's face (a year, a standard, a rating) are nobody's serial."""

DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def plain_number(text: str) -> str:
    """Digits and at most one ``.``: Arabic-Indic digits and separators made plain, spaces and grouping taken out.

    ``"٤٬٥٢١٫٥"`` → ``"4521.5"``. What is no number comes back without its spaces, for :func:`parse_number` to refuse.
    """
    text = text.translate(DIGITS)
    text = re.sub(r"[\s\u00a0\u202f\u200e\u200f\u066c_']", "", text).replace("\u066b", ".")
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        return text.replace(",", "")
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def parse_number(text: str) -> Decimal | None:
    """A number that is not negative, or None."""
    text = plain_number(text)
    if not re.fullmatch(r"\d{1,20}(\.\d{0,6})?|\.\d{1,6}", text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits none
        return None


def meanings(typed: str, register: RegisterHint) -> list[Decimal]:
    """The values a register can show that ``typed`` may mean, the most literal first.

    Without a point it is the whole units; where the register has decimals it may also be every digit shown, the red ones
    too, typed in a row.
    """
    plain = plain_number(typed)
    number = parse_number(plain)
    if number is None:
        return []
    size = Decimal(10) ** register.digits
    step = Decimal(1).scaleb(-register.decimals)
    if "." in plain:
        floored = number.quantize(step, rounding="ROUND_FLOOR")
        return [floored] if floored < size else []
    values = [number] if number < size else []
    if register.decimals and number.scaleb(-register.decimals) < size and len(plain) > register.decimals:
        values.append(number.scaleb(-register.decimals))
    return values


def shows(register: RegisterHint, value: Decimal) -> bool:
    """Whether a register can show ``value``."""
    steps = value.scaleb(register.decimals)
    return steps == steps.to_integral_value() and 0 <= steps < Decimal(10) ** (
        register.digits + register.decimals
    )


# Serials


def plain_serial(text: str) -> str:
    """A serial number as it is kept and compared: capital letters and digits only, Arabic-Indic digits made plain."""
    return re.sub(r"[^0-9A-Z]", "", text.translate(DIGITS).upper())


def distance(one: str, other: str) -> int:
    """Levenshtein's: how many letters must be put in, taken out or exchanged."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


# Receipts


def receipt(cycle: str, number: int) -> str:
    """The number told to the customer: year and month, a running number, and a check digit (Luhn, ISO/IEC 7812-1) that
    catches a digit misheard or two exchanged: ``2611-00042-7``."""
    month = cycle[2:4] + cycle[5:7]
    return f"{month}-{number:05}-{luhn(f'{month}{number:05}')}"


def luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


LONGEST_NUMBER = 12
"""Digits of a receipt's running number up to which :func:`receipt_sql` knows the check digit."""


def receipt_sql(month: str, number: str) -> str:
    """:func:`receipt` as an expression of PostgreSQL, for a million at once.

    ``month``: an expression for the four digits of year and month, ``number``: one for a bigint; both stand in it more than once.
    """
    places = f"greatest(5, length({number}::text))"
    digits = f"({month}::numeric * 10::numeric ^ {places} + {number})"
    doubled = "(ARRAY[0,2,4,6,8,1,3,5,7,9])[1 + {0}]"
    each = [f"(div(n, 1{'0' * place}) %% 10)::int" for place in range(LONGEST_NUMBER + 4)]
    total = " + ".join(doubled.format(one) if place % 2 == 0 else one for place, one in enumerate(each))
    return (  # put together from expressions of ours
        f"{month}::text || '-' || lpad({number}::text, {places}, '0') || '-' || "  # noqa: S608
        f"(SELECT ((10 - ({total}) %% 10) %% 10)::text FROM (SELECT {digits} AS n) AS whole)"
    )
