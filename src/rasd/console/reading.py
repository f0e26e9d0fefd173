"""What the machine saw in a photograph and what is known of the meter, arranged for the eye of a reviewer. No rules."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

from rasd.metering.consumption import Consumption, used_between
from rasd.metering.models import Meter, Photograph, Reading, Register, Submission
from rasd.metering.whose import MeterSeen, Whose
from rasd.vision.prior import prior_for

Box = tuple[float, float, float, float]
"""x, y, width, height: each 0 to 1 of the upright picture."""

MARGIN_ACROSS, MARGIN_ALONG = 0.5, 0.12  # of the counter's height and width: to see what it sits in
NINE_IN_TEN = 1.6449  # standard deviations either side that hold nine of ten of a normal distribution
RECENT = 4
PAST_SHOWN = 13  # monthly readings: a year and the month before it

TONES = {MeterSeen.EXPECTED: "good", MeterSeen.OTHER: "bad", MeterSeen.TWO: "bad"}


def crop_around(box: Box) -> Box:
    """The part of the picture that is shown enlarged: the counter and a little around it."""
    x, y, width, height = box
    left, top = max(0.0, x - width * MARGIN_ALONG), max(0.0, y - height * MARGIN_ACROSS)
    right = min(1.0, x + width * (1 + MARGIN_ALONG))
    bottom = min(1.0, y + height * (1 + MARGIN_ACROSS))
    return left, top, right - left, bottom - top


def turns_of(seen: dict[str, Any]) -> int:
    """How many quarters the picture must be turned, counter-clockwise, for its digits to run from left to right: a phone
    held upside down says nothing of it in the file, but the digits were read in their own order."""
    boxes = [one["box"] for one in seen.get("digit_readings") or [] if one.get("box")]
    if len(boxes) < 2:
        return 0
    (x1, y1, w1, h1), (x2, y2, w2, h2) = boxes[0], boxes[-1]
    right, down = (x2 + w2 / 2) - (x1 + w1 / 2), (y2 + h2 / 2) - (y1 + h1 / 2)
    if abs(right) >= abs(down):
        return 0 if right >= 0 else 2
    return 1 if down > 0 else 3


def turned(box: Box, turns: int) -> Box:
    """``box`` in the picture turned counter-clockwise by so many quarters."""
    x, y, width, height = box
    for _quarter in range(turns):
        x, y, width, height = y, 1 - x - width, height, width
    return x, y, width, height


@dataclass(frozen=True)
class Digit:
    """One place of the counter. ``left`` and ``width`` in per cent of the enlarged part, None where its place is unknown.
    ``all``: the probability of each digit, 0 to 9. ``point``: the decimal point stands before it."""

    digit: str
    probability: float
    other: str
    other_probability: float
    all: list[float]
    decimal: bool
    point: bool
    left: float | None
    width: float | None

    @property
    def tone(self) -> str:
        if self.probability >= 0.95:
            return "sure"
        return "doubt" if self.probability >= 0.6 else "guess"


@dataclass(frozen=True)
class Seen:
    """One photograph and what the machine saw in it."""

    photograph: Photograph

    @cached_property
    def seen(self) -> dict[str, Any]:
        return self.photograph.seen or {}

    @property
    def confidence(self) -> float:
        return self.seen.get("confidence") or 0.0

    @property
    def value(self) -> Decimal | None:
        value = self.seen.get("value")
        return None if value is None else Decimal(str(value))

    @property
    def findings(self) -> list[str]:
        return [finding["code"] for finding in self.seen.get("findings") or []]

    @property
    def serials(self) -> list[str]:
        return list(self.seen.get("serials") or [])

    @property
    def barcodes(self) -> list[dict[str, Any]]:
        """``text`` and ``format`` of each."""
        return list(self.seen.get("barcodes") or [])

    @cached_property
    def digits(self) -> list[Digit]:
        crop, turns = None, turns_of(self.seen)
        if self.seen.get("counter_box"):
            crop = crop_around(turned(self.seen["counter_box"], turns))
        places = self.seen.get("digit_readings") or []
        points = [bool(two.get("decimal")) and not one.get("decimal") for one, two in pairwise([{}, *places])]
        return [_digit(one, point, crop, turns) for one, point in zip(places, points, strict=True)]

    @property
    def are_placed(self) -> bool:
        """Whether each digit can stand under its own picture."""
        return bool(self.digits) and all(one.left is not None for one in self.digits)


def _digit(one: dict[str, Any], point: bool, crop: Box | None, turns: int) -> Digit:
    ranked = sorted(enumerate(one["probabilities"]), key=lambda pair: -pair[1])
    (first, probability), (second, other) = ranked[0], ranked[1]
    left = width = None
    if crop and one.get("box"):
        x, _y, across, _height = turned(one["box"], turns)
        left, width = 100 * (x - crop[0]) / crop[2], 100 * across / crop[2]
    return Digit(
        str(first),
        probability,
        str(second),
        other,
        list(one["probabilities"]),
        bool(one.get("decimal")),
        point,
        left,
        width,
    )


@dataclass(frozen=True)
class Expected:
    """Between what a reading would usually lie now, in the register's unit: nine times of ten, going by its history."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True)
class Beside:
    """All that stands beside the photographs of ``submission``."""

    submission: Submission

    @cached_property
    def register(self) -> Register | None:
        point = self.submission.service_point
        return point.current_register if point else None

    @cached_property
    def photographs(self) -> list[Seen]:
        """The one that the machine is surest of first."""
        rows = self.submission.photographs.order_by("sent_at", "id")
        return sorted((Seen(row) for row in rows), key=lambda one: -one.confidence)

    @cached_property
    def whose(self) -> Whose:
        return self.submission.facts().whose

    @property
    def identity(self) -> tuple[str, Any]:
        """A chip's tone and its words: whether the expected serial number was seen."""
        seen = self.whose.meter_seen
        return TONES.get(seen, ""), seen.label

    @cached_property
    def other_meters(self) -> list[Meter]:
        """Whose serial numbers were seen instead of its own, or beside it."""
        if self.whose.meter_seen not in {MeterSeen.OTHER, MeterSeen.TWO}:
            return []
        return list(
            Meter.objects.filter(serial__in=self.whose.others, removed_on=None).select_related(
                "service_point"
            )
        )

    @cached_property
    def serials(self) -> list[str]:
        """Every number seen, each once."""
        return list(dict.fromkeys(serial for one in self.photographs for serial in one.serials))

    @cached_property
    def barcodes(self) -> list[dict[str, Any]]:
        return [code for one in self.photographs for code in one.barcodes]

    @cached_property
    def findings(self) -> list[str]:
        """What is the matter with any of the photographs, each once."""
        return list(dict.fromkeys(code for one in self.photographs for code in one.findings))

    @cached_property
    def sent_before(self) -> list[Photograph]:
        return self.submission.sent_before

    @cached_property
    def suggested(self) -> Decimal | None:
        last = self.submission.judgement
        if last is not None and last.value is not None:
            return last.value
        return next((one.value for one in self.photographs if one.value is not None), None)

    @property
    def suggested_digits(self) -> str:
        return "" if self.suggested is None else as_shown(self.suggested, self.register)

    @cached_property
    def past(self) -> list[Reading]:
        if self.register is None:
            return []
        return self.register.actual_readings(before=self.submission.sent_at)[-PAST_SHOWN:]

    @property
    def recent(self) -> list[Reading]:
        """The newest first, as many as fit beside a photograph."""
        return self.past[::-1][:RECENT]

    @cached_property
    def expected(self) -> Expected | None:
        point = self.submission.service_point
        history = point.history(self.submission.sent_at, apart_from=self.submission.cycle) if point else None
        if history is None or not history.readings:
            return None
        prior = prior_for(history, digits=history.digits, decimals=history.decimals)
        if prior.last is None or prior.meter_changed:
            return None
        spread = NINE_IN_TEN * prior.sigma
        least, most = (round(math.exp(min(prior.mu + sign * spread, 30.0))) for sign in (-1, 1))
        low, high = (prior.last + least) % prior.size, (prior.last + most) % prior.size  # it may roll over
        return Expected(Decimal(low).scaleb(-prior.decimals), Decimal(high).scaleb(-prior.decimals))

    @cached_property
    def consumption(self) -> Consumption | None:
        """What was used since the last reading if the suggested value is right, and what last year says of it."""
        point = self.submission.service_point
        if point is None or self.suggested is None:
            return None
        return point.consumption(self.suggested, self.submission.sent_at)

    @cached_property
    def last_year(self) -> Reading | None:
        """The reading nearest to this day a year ago, at most three weeks off."""
        day = self.submission.sent_at - timedelta(days=365)
        near = [row for row in self._year if abs(row.taken_at - day) <= timedelta(days=21)]
        return min(near, key=lambda row: abs(row.taken_at - day), default=None)

    @cached_property
    def _year(self) -> list[Reading]:
        return self.register.actual_readings(before=self.submission.sent_at) if self.register else []


def as_shown(value: Decimal, register: Register | None) -> str:
    """``value`` as the counter shows it, leading zeros and all: 4521 on five places is 04521."""
    if register is None:
        return f"{value.normalize():f}"  # without a register nobody knows how many places there are
    whole, _point, rest = f"{value:.{register.decimals}f}".partition(".")
    return whole.zfill(register.digits) + (f".{rest}" if rest else "")


def use_by_month(past: list[Reading], digits: int) -> list[tuple[datetime, float]]:
    """Consumption a day between neighbouring readings, by the later one's date; a register that rolled over goes on."""
    found = []
    for one, two in pairwise(past):
        days = (two.taken_at - one.taken_at).total_seconds() / 86400
        if days >= 1:
            found.append((two.taken_at, float(used_between(one.value, two.value, digits)) / days))
    return found
