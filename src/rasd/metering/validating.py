"""The rules by which a reading is doubted before it is billed. Pure; their formulas in words, and where from: docs/validation.md.

``CONDITIONS`` are the same rules for PostgreSQL, over columns named as the fields of :class:`Facts`; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rasd.metering.models.validation import Rule
from rasd.metering.truing import short_way, short_way_sql

LEAST_PER_DAY = {"electricity": Decimal(1), "water": Decimal("0.1")}
"""Register's units a day below which no more and no less is worth a look: a refrigerator's electricity, 100 litres of water."""

UNITS = {"electricity": ("kWh", "Wh", "MWh"), "water": ("m³", "m3", "L")}
ROLLS_WITHIN = Decimal(5)
"""Times what is usual: a counter that seems to have gone past its highest value with more than that was misread."""

UNKNOWN_WITHIN = Decimal("0.1")
"""Of the counter's round, where nothing is known of the usual use."""

SHIFTS = (-3, -2, -1, 1, 2, 3)
"""Places by which a decimal point is moved: red digits read as whole ones, litres for cubic metres, MWh for kWh."""

SHIFTED_FITS = (Decimal("0.5"), Decimal(2))
"""Times what is usual, between which a reading with its point moved explains it."""


@dataclass(frozen=True)
class Facts:
    """What the rules look at: one register in one cycle. Amounts in the register's unit, days by the utility's calendar.

    ``used``: since the last real reading (``real_value``), the short way round the counter; ``days``: from then; ``expected``:
    what was to be used in them, by the year before and the season. Each is None where there is nothing to tell it by.
    ``differs``: by how many days' use another reading of the same source and day differs. ``in_a_row``: estimates.
    """

    commodity: str
    unit: str
    digits: int
    decimals: int
    value: Decimal | None
    day: date | None
    real_value: Decimal | None
    used: Decimal | None
    days: Decimal | None
    expected: Decimal | None
    differs: Decimal | None
    installed_on: date
    removed_on: date | None
    replaced: bool
    in_a_row: int

    @property
    def least(self) -> Decimal:
        """Below this use nothing is worth a look."""
        return LEAST_PER_DAY[self.commodity] * (self.days or 0)

    @property
    def usual(self) -> Decimal | None:
        return None if self.expected is None else max(self.expected, self.least)


def seems_rolled(f: Facts) -> bool:
    """The value is lower than the last, and yet the short way round from it leads forwards."""
    return (
        f.value is not None
        and f.real_value is not None
        and f.used is not None
        and f.value < f.real_value
        and f.used > 0
    )


def rolls(f: Facts) -> bool:
    """It went past its highest value, with a use that can be."""
    if not seems_rolled(f) or f.used is None:
        return False
    most = UNKNOWN_WITHIN * Decimal(10) ** f.digits if f.usual is None else ROLLS_WITHIN * f.usual
    return f.used <= most


def negative(f: Facts, limit: Decimal) -> bool:
    """Less than the last real reading by more than ``limit`` units, and no roll-over explains it."""
    return f.used is not None and (f.used < -limit or (seems_rolled(f) and not rolls(f)))


def zero(f: Facts, limit: Decimal) -> bool:
    """Nothing used in ``limit`` days or more, where something is usual."""
    return (
        f.used == 0
        and f.days is not None
        and f.days >= limit
        and f.expected is not None
        and f.expected > f.least
    )


def high(f: Facts, limit: Decimal) -> bool:
    """More than ``limit`` times what is usual."""
    if f.used is None or f.usual is None or negative(f, Decimal(0)):
        return False
    return f.used > limit * f.usual and f.used > f.least


def implausible(f: Facts, limit: Decimal) -> bool:
    """More than ``limit`` times what is usual; or, where nothing is known of that, than a tenth of the counter's round."""
    if f.usual is None:
        return f.used is not None and f.used > UNKNOWN_WITHIN * Decimal(10) ** f.digits
    return high(f, limit)


def low(f: Facts, limit: Decimal) -> bool:
    """Something, but less than ``limit`` times what is usual."""
    if f.used is None or f.expected is None or f.expected <= f.least:
        return False
    return 0 < f.used < limit * f.expected and not seems_rolled(f)


def digits(f: Facts, limit: Decimal) -> bool:
    """More digits than the counter has, before or after the point, or a value below zero."""
    if f.value is None:
        return False
    fits = f.value == f.value.quantize(Decimal(1).scaleb(-f.decimals))
    return not fits or not 0 <= f.value < Decimal(10) ** f.digits


def unit(f: Facts, limit: Decimal) -> bool:
    """The register's unit is none of its commodity's; or the reading is no usual one and with its point moved would be."""
    if f.unit not in UNITS[f.commodity]:
        return True
    if f.value is None or f.real_value is None or f.used is None or f.usual is None or f.usual <= f.least:
        return False
    least, most = SHIFTED_FITS
    if least * f.usual <= f.used <= 3 * f.usual or f.used == 0:
        return False
    return any(
        least * f.usual <= short_way(f.value.scaleb(places) - f.real_value, f.digits) <= most * f.usual
        for places in SHIFTS
    )


def inactive(f: Facts, limit: Decimal) -> bool:
    """It was read on a day on which this meter did not hang there."""
    if f.day is None:
        return False
    return f.day < f.installed_on or (f.removed_on is not None and f.day > f.removed_on)


RULES: dict[Rule, Callable[[Facts, Decimal], bool]] = {
    Rule.NEGATIVE: negative,
    Rule.ZERO: zero,
    Rule.HIGH: high,
    Rule.IMPLAUSIBLE: implausible,
    Rule.LOW: low,
    Rule.DIGITS: digits,
    Rule.DUPLICATE: lambda f, limit: f.differs is not None and f.differs > limit,
    Rule.UNIT: unit,
    Rule.INACTIVE: inactive,
    Rule.REPLACED: lambda f, limit: f.replaced,
    Rule.ROLLOVER: lambda f, limit: rolls(f),
    Rule.PROLONGED: lambda f, limit: f.in_a_row >= limit,
    Rule.MISSING: lambda f, limit: f.value is None,
}


@dataclass(frozen=True)
class Setting:
    """How a rule is applied. ``limit`` means what the rule's function says; ``holds_back``: not billed before somebody looked."""

    is_on: bool = True
    limit: Decimal = Decimal(0)
    holds_back: bool = False
    owner: int | None = None


USUAL: dict[Rule, Setting] = {
    Rule.NEGATIVE: Setting(holds_back=True),
    Rule.ZERO: Setting(limit=Decimal(20)),
    Rule.HIGH: Setting(limit=Decimal(3)),
    Rule.IMPLAUSIBLE: Setting(limit=Decimal(5), holds_back=True),
    Rule.LOW: Setting(limit=Decimal("0.2")),
    Rule.DIGITS: Setting(holds_back=True),
    Rule.DUPLICATE: Setting(limit=Decimal(3)),
    Rule.UNIT: Setting(holds_back=True),
    Rule.INACTIVE: Setting(holds_back=True),
    Rule.REPLACED: Setting(),
    Rule.ROLLOVER: Setting(),
    Rule.PROLONGED: Setting(limit=Decimal(3)),
    Rule.MISSING: Setting(holds_back=True),
}
"""Where the utility says nothing else (``ValidationSetting``). The limits are assumed, to be set by what is found in service."""


def find(facts: Facts, settings: Mapping[Rule, Setting] = USUAL) -> set[Rule]:
    """The rules that doubt this reading, or that there is none. An estimate is asked only how many there were in a row."""
    return {
        rule for rule, holds in RULES.items() if settings[rule].is_on and holds(facts, settings[rule].limit)
    }


# The same for PostgreSQL, over the columns of ``Facts`` and ``s.limit``

_LEAST = (
    "(CASE commodity "
    + " ".join(f"WHEN '{k}' THEN {v}" for k, v in LEAST_PER_DAY.items())
    + " END * coalesce(days, 0))"
)
_USUAL = f"(CASE WHEN expected IS NOT NULL THEN greatest(expected, {_LEAST}) END)"
_SEEMS_ROLLED = "(value < real_value AND used > 0)"
_ROLLS = f"({_SEEMS_ROLLED} AND used <= coalesce({ROLLS_WITHIN} * {_USUAL}, {UNKNOWN_WITHIN} * 10::numeric ^ digits))"
_ROLLS_OR_NOT = f"({_SEEMS_ROLLED} AND NOT {_ROLLS})"
_HIGH = f"used > s.limit * {_USUAL} AND used > {_LEAST} AND NOT (used < 0 OR {_ROLLS_OR_NOT})"
_UNITS = " OR ".join(
    f"(commodity = '{commodity}' AND unit NOT IN ({', '.join(repr(one) for one in ones)}))"
    for commodity, ones in UNITS.items()
)
_SHIFTED = " OR ".join(
    f"{short_way_sql(f'value * 10::numeric ^ ({places}) - real_value', 'digits')}"
    f" BETWEEN {SHIFTED_FITS[0]} * {_USUAL} AND {SHIFTED_FITS[1]} * {_USUAL}"
    for places in SHIFTS
)

CONDITIONS: dict[Rule, str] = {
    Rule.NEGATIVE: f"used < -s.limit OR {_ROLLS_OR_NOT}",
    Rule.ZERO: f"used = 0 AND days >= s.limit AND expected > {_LEAST}",
    Rule.HIGH: _HIGH,
    Rule.IMPLAUSIBLE: f"({_HIGH}) OR (expected IS NULL AND used > {UNKNOWN_WITHIN} * 10::numeric ^ digits)",
    Rule.LOW: f"used > 0 AND expected > {_LEAST} AND used < s.limit * expected AND NOT {_SEEMS_ROLLED}",
    Rule.DIGITS: "value <> round(value, decimals) OR value < 0 OR value >= 10::numeric ^ digits",
    Rule.DUPLICATE: "differs > s.limit",
    Rule.UNIT: (
        f"{_UNITS} OR (used <> 0 AND {_USUAL} > {_LEAST}"
        f" AND NOT used BETWEEN {SHIFTED_FITS[0]} * {_USUAL} AND 3 * {_USUAL} AND ({_SHIFTED}))"
    ),
    Rule.INACTIVE: "day < installed_on OR day > removed_on",
    Rule.REPLACED: "replaced",
    Rule.ROLLOVER: _ROLLS,
    Rule.PROLONGED: "in_a_row >= s.limit",
    Rule.MISSING: "value IS NULL",
}
