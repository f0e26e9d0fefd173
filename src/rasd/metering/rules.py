"""The rules of metering as pure functions: rows come in as plain values, a verdict goes out; nothing is stored here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.vision import DEFAULT, Decision, History, PastReading, RegisterHint, Thresholds
from rasd.vision.prior import prior_for


class Verdict(TextChoices):
    """What becomes of a submission. None of them is "rejected": each leads to an adoption, a question or a person (G3)."""

    ACCEPT = "accept", _("adopted by itself")
    CONFIRM = "confirm", _("the customer is asked: is it this?")
    RETAKE = "retake", _("the customer is asked for another photograph")
    REVIEW = "review", _("a person must look")
    OUTSIDE_WINDOW = "outside_window", _("kept as evidence; the dates were told")
    ALREADY_ADOPTED = "already_adopted", _("the customer is asked whether it replaces this month's")
    OTHER_METER = "other_meter", _("the serial number is another meter's")
    UNKNOWN_SENDER = "unknown_sender", _("whose service point is it?")
    WITHDRAWN = "withdrawn", _("the customer said no, or a person said it is not a meter")


REASONS: dict[str, str] = {
    "unknown_sender": "It is not known whose meter this is.",
    "outside_window": "It was sent outside the days in which readings are taken.",
    "no_meter_there": "No meter is recorded at this service point.",
    "other_meter": "The serial number in the photograph is another meter's.",
    "same_value": "This value is adopted for this month already.",
    "replaces": "Another value is adopted for this month already.",
    "field_read": "A meter reader's reading is adopted for this month already.",
    "unread": "A reading is adopted for this month already, and this one could not be read.",
    "adopted": "This submission is adopted already.",
    "photographs_agree": "Several photographs show the same value.",
    "photographs_disagree": "The photographs show different values.",
    "retaken_often": "Several photographs could not be read.",
    "nothing_to_read": "Neither a photograph nor a number could be read.",
    "not_kept": "The photograph is not in storage.",
    "typed_plausible": "The number typed fits this meter's history.",
    "typed_unusual": "The number typed is unusual for this meter.",
    "typed_below_last": "The number typed is less than the last reading of this meter.",
    "typed_wrong_length": "The number typed has more digits than this meter shows.",
    "typed_not_a_number": "What was typed is not a number.",
    "typed_no_history": "Nothing is known of this meter by which a typed number could be checked.",
    "confirmed": "The customer confirmed the value.",
    "corrected_by_customer": "The customer gave another value.",
    "replaced_by_customer": "The customer replaced the value.",
    "implausible": "The value that the customer gave is unusual for this meter.",
    "review_accepted": "A person read the same value.",
    "review_corrected": "A person read another value.",
    "asked_again": "A person asked for another photograph.",
    "not_a_meter": "A person said that this is not a meter.",
    "undone": "A person took a decision back.",
}
"""Every ``why`` of a judgement that is not one of ``rasd.vision.REASONS`` or ``FINDINGS``, with its English sentence."""


@dataclass(frozen=True)
class Limits:
    """Where the machine stops deciding by itself; ``settings.METERING_LIMITS`` may hold another.

    ``eye``: least calibrated probabilities to adopt, and to ask "is it …?". ``plausible``: least share of this place's
    usual consumptions at least as far out as a typed one, to adopt it without asking. ``believable``: the same for a
    value that both a photograph and the customer vouch for. ``retakes``: after so many photographs asked for again in
    one cycle a person looks. The shares are assumed and to be measured in service.
    """

    eye: Thresholds = DEFAULT
    plausible: float = 0.05
    believable: float = 0.001
    retakes: int = 2


USUAL = Limits()
USUAL_WINDOW = (15, 25)  # days of the month, both included
DISAGREES = 0.5
"""Probability from which a photograph of the album contradicts the best one: more likely right than wrong."""
SERIAL_LEAST = 6
"""Characters: shorter numbers on a meter's face (a year, a standard, a rating) are nobody's serial."""


# Days


def local_day(moment: datetime) -> date:
    """The day of ``moment`` (aware) in the utility's zone (``settings.TIME_ZONE``), whatever zone is active."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def usual_window(name: str) -> tuple[date, date]:
    """First and last day of the month ``name`` (``2026-11``) in which customers read, unless the utility says otherwise."""
    year, month = (int(part) for part in name.split("-"))
    return date(year, month, USUAL_WINDOW[0]), date(year, month, USUAL_WINDOW[1])


def in_window(sent_at: datetime, opens: date, closes: date) -> bool:
    """G1: whether the sender sent it within the window, by the channel's timestamp and the utility's calendar."""
    return opens <= local_day(sent_at) <= closes


# What was seen


@dataclass(frozen=True)
class Seen:
    """What the rules need of one photograph: the machine's reading of it, back from its JSON."""

    sha256: str
    value: Decimal | None
    confidence: float
    decision: Decision
    reason: str
    candidates: dict[Decimal, float] = field(default_factory=dict)
    serious: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, sha256: str, seen: dict[str, Any]) -> Seen:
        return cls(
            sha256=sha256,
            value=None if seen["value"] is None else Decimal(seen["value"]),
            confidence=seen["confidence"],
            decision=Decision(seen["decision"]),
            reason=seen["reason"],
            candidates={Decimal(one["value"]): one["probability"] for one in seen["candidates"]},
            serious=tuple(one["code"] for one in seen["findings"] if one["severity"] == "serious"),
            serials=tuple(seen["serials"]),
        )


@dataclass(frozen=True)
class Standing:
    """The adoption that stands for this register and cycle."""

    value: Decimal
    source: str
    own: bool  # it rests on the very submission that is judged


@dataclass(frozen=True)
class Facts:
    """All that a verdict rests on. ``register`` and ``history`` are None where no meter is recorded; ``retakes`` counts
    the photographs asked for again in this cycle so far; ``other_serials`` are those seen that belong to another meter."""

    known_sender: bool
    in_window: bool
    seen: tuple[Seen, ...] = ()
    typed: str = ""
    register: RegisterHint | None = None
    history: History | None = None
    standing: Standing | None = None
    own_serial: str = ""
    other_serials: frozenset[str] = frozenset()
    retakes: int = 0


@dataclass(frozen=True)
class Judged:
    """A verdict, the value it is about, the calibrated probability that it is right (None: typed), and why: a code."""

    verdict: Verdict
    why: str
    value: Decimal | None = None
    confidence: float | None = None


# The verdict


def judge(facts: Facts, limits: Limits = USUAL) -> Judged:
    """G3: accept only what is sure; unsure, ask the customer or a person; reject nothing.

    What is asked first wins: whose is it, is it time, is it their meter, is there one already, and only then: is it sure?
    """
    read = by_number(facts, limits) if facts.typed else by_photographs(facts, limits)
    if not facts.known_sender:
        return Judged(Verdict.UNKNOWN_SENDER, "unknown_sender", read.value, read.confidence)
    if not facts.in_window:
        return Judged(Verdict.OUTSIDE_WINDOW, "outside_window", read.value, read.confidence)
    if facts.register is None:
        return Judged(Verdict.REVIEW, "no_meter_there", read.value, read.confidence)
    if is_other_meter(facts):
        return Judged(Verdict.OTHER_METER, "other_meter", read.value, read.confidence)
    if facts.standing is not None:
        return beside_standing(facts.standing, read) or read
    return read


def beside_standing(standing: Standing, read: Judged) -> Judged | None:
    """What a submission means where a reading is adopted already; None where it is to be judged as if there were none.

    An estimate stands only where nobody read (G2), so a reading takes its place unasked; a meter reader's stands (G2).
    """
    if standing.source == "estimate":
        return None
    if standing.own:
        if read.why == "photographs_disagree":
            return read
        return Judged(Verdict.ACCEPT, "adopted", standing.value, read.confidence)
    if standing.source in {"field", "smart"}:
        return Judged(Verdict.ALREADY_ADOPTED, "field_read", read.value, read.confidence)
    if read.value is None or read.verdict not in {Verdict.ACCEPT, Verdict.CONFIRM}:
        return Judged(Verdict.ALREADY_ADOPTED, "unread")
    why = "same_value" if read.value == standing.value else "replaces"
    return Judged(Verdict.ALREADY_ADOPTED, why, read.value, read.confidence)


def is_other_meter(facts: Facts) -> bool:
    """Whether a serial seen is, letter for letter, another meter's, and nothing seen is like this one's own.

    Nothing less counts: the faces of meters are full of numbers, and a customer must not be told that their meter is not
    theirs because a stain was read as a digit.
    """
    seen = {plain_serial(text) for one in facts.seen for text in one.serials}
    others = {serial for serial in seen & facts.other_serials if len(serial) >= SERIAL_LEAST}
    if not others or not facts.own_serial:
        return False
    return not any(alike(text, plain_serial(facts.own_serial)) for text in seen)


def by_photographs(facts: Facts, limits: Limits = USUAL) -> Judged:
    """G3 for an album: its best photograph speaks, the others raise the confidence or call a person."""
    album = list(
        {one.sha256: one for one in facts.seen}.values()
    )  # the same picture twice proves nothing more
    if not album:
        return Judged(Verdict.REVIEW, "nothing_to_read")
    best = max(album, key=lambda one: (one.value is not None, one.confidence))
    others = [one for one in album if one is not best]
    if best.value is None:
        return _unread(album, facts, limits)
    if any(one.value not in (None, best.value) and one.confidence >= DISAGREES for one in others):
        return Judged(Verdict.REVIEW, "photographs_disagree", best.value, best.confidence)
    sure = together(best.confidence, [one.candidates.get(best.value, 0.0) for one in others])
    if best.decision is Decision.ACCEPT and best.confidence >= limits.eye.accept:
        return Judged(Verdict.ACCEPT, best.reason, best.value, sure)
    if best.decision is Decision.CONFIRM and best.reason == "likely" and sure >= limits.eye.accept:
        return Judged(Verdict.ACCEPT, "photographs_agree", best.value, sure)
    if best.decision in {Decision.ACCEPT, Decision.CONFIRM} and sure >= limits.eye.confirm:
        return Judged(Verdict.CONFIRM, best.reason, best.value, sure)
    return _unread(album, facts, limits)


def _unread(album: list[Seen], facts: Facts, limits: Limits) -> Judged:
    """Ask for another photograph and say what was wrong with this one, or call a person where that was asked often enough."""
    best = max(album, key=lambda one: one.confidence)
    fault = (best.serious or (best.reason,))[0]
    if any(one.decision is not Decision.RETAKE for one in album):
        return Judged(Verdict.REVIEW, best.reason, best.value, best.confidence)
    if facts.retakes >= limits.retakes:
        return Judged(Verdict.REVIEW, "retaken_often", best.value, best.confidence)
    return Judged(Verdict.RETAKE, fault, best.value, best.confidence)


def together(best: float, others: list[float]) -> float:
    """The probability that a value is right, given that photographs say so with ``best`` and ``others`` (0 to 1 each).

    Were their errors independent, they would multiply; were they the same, the best alone would count. One reader looks
    at one counter, so the truth lies between, and half way in log space is taken: the best one's error times the root of
    each other's. Assumed, not measured.
    """
    error = 1 - best
    for other in others:
        error *= (1 - min(max(other, 0.0), 1.0)) ** 0.5
    return 1 - error


# Numbers typed

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def plain_number(text: str) -> str:
    """Digits and at most one ``.``: Arabic-Indic digits and separators made plain, spaces and grouping taken out.

    ``"٤٬٥٢١٫٥"`` → ``"4521.5"``. What is no number comes back without its spaces, for :func:`parse_number` to refuse.
    """
    text = text.translate(_DIGITS)
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


def surprise(value: Decimal, history: History) -> float | None:
    """Share (0 to 1) of this place's usual consumptions at least as far out as that of ``value``; None where nothing is
    known. From ``rasd.vision.prior``: the same history that weighs a photograph weighs a typed number."""
    prior = prior_for(history, digits=history.digits, decimals=history.decimals)
    if prior.last is None or prior.meter_changed:
        return None
    return prior.surprise(value)


def is_below_last(value: Decimal, history: History) -> bool:
    """Whether ``value`` is less than the last actual reading and no roll-over or exchange explains it."""
    return prior_for(history, digits=history.digits, decimals=history.decimals).is_below_last(value)


def by_number(facts: Facts, limits: Limits = USUAL) -> Judged:
    """G3 for a number typed with no photograph: history alone says whether it is believed, asked about, or shown a person.

    Where nothing is known of the meter, a photograph is asked for: neither history nor a person could check the number.
    """
    if parse_number(facts.typed) is None:
        return Judged(Verdict.RETAKE, "typed_not_a_number")
    if facts.register is None or facts.history is None:
        return Judged(Verdict.REVIEW, "no_meter_there", parse_number(facts.typed))
    values = meanings(facts.typed, facts.register)
    if not values:
        return Judged(Verdict.RETAKE, "typed_wrong_length")
    shares = [(surprise(value, facts.history), value) for value in values]
    if shares[0][0] is None:
        return Judged(Verdict.RETAKE, "typed_no_history", values[0])
    likely = [(share or 0.0, value) for share, value in shares if not is_below_last(value, facts.history)]
    plausible = [value for share, value in likely if share >= limits.plausible]
    if len(plausible) == 1:
        return Judged(Verdict.ACCEPT, "typed_plausible", plausible[0])
    if not likely:
        return Judged(Verdict.CONFIRM, "typed_below_last", values[0])
    return Judged(Verdict.CONFIRM, "typed_unusual", max(likely, key=lambda pair: pair[0])[1])


def settles(value: Decimal, facts: Facts, limits: Limits = USUAL) -> bool:
    """G3: whether the customer's word for ``value`` is enough to adopt it, or a person must look.

    A value that a photograph shows as well needs to be believable; one that only the customer says must be plausible.
    """
    if facts.history is None or facts.register is None or not shows(facts.register, value):
        return False
    if is_below_last(value, facts.history):
        return False
    share = surprise(value, facts.history)
    photographed = any(
        max(one.candidates.get(value, 0.0), one.confidence if one.value == value else 0.0)
        >= limits.eye.confirm
        for one in facts.seen
    )
    if share is None:
        return photographed
    return share >= (limits.believable if photographed else limits.plausible)


def confirmed(value: Decimal, facts: Facts, asked: Judged | None, limits: Limits = USUAL) -> Judged:
    """G3: what follows when the customer says that it is ``value``, having been asked ``asked`` (None: not asked).

    Never a customer's word against a meter reader's reading (G2), and in the place of another of their own readings only
    where it was asked whether it replaces that one.
    """
    standing = facts.standing
    if standing is not None and standing.source != "estimate":
        if standing.value == value:
            why = "adopted" if standing.own else "same_value"
            return Judged(Verdict.ACCEPT if standing.own else Verdict.ALREADY_ADOPTED, why, value)
        if standing.source != "customer":
            return Judged(Verdict.ALREADY_ADOPTED, "field_read", value)
        if not standing.own and (asked is None or asked.why != "replaces"):
            return Judged(Verdict.ALREADY_ADOPTED, "replaces", value)
    if not settles(value, facts, limits):
        return Judged(Verdict.REVIEW, "implausible", value)
    same = asked is not None and asked.value == value
    return Judged(Verdict.ACCEPT, "confirmed" if same else "corrected_by_customer", value)


def shows(register: RegisterHint, value: Decimal) -> bool:
    """Whether a register can show ``value``."""
    steps = value.scaleb(register.decimals)
    return steps == steps.to_integral_value() and 0 <= steps < Decimal(10) ** (
        register.digits + register.decimals
    )


# Serials


def plain_serial(text: str) -> str:
    """A serial number as it is kept and compared: capital letters and digits only, Arabic-Indic digits made plain."""
    return re.sub(r"[^0-9A-Z]", "", text.translate(_DIGITS).upper())


def alike(one: str, other: str) -> bool:
    """Whether two serials may be the same, misread: one holds the other, or they differ in at most a quarter of places."""
    if not one or not other:
        return False
    short, long = sorted((one, other), key=len)
    if len(short) >= SERIAL_LEAST and short in long:
        return True
    return distance(one, other) <= max(len(one), len(other)) // 4


def distance(one: str, other: str) -> int:
    """Levenshtein's: how many letters must be put in, taken out or exchanged."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    return row[-1]


# Consumption


@dataclass(frozen=True)
class Consumption:
    """``value``: what was used between the last actual reading (``since``, aware) and this one, in ``unit``, over ``days``
    (whole ones, at least 1).

    ``last_year_per_day``: mean use a day over the same days a year before; None where no readings tell.
    """

    value: Decimal
    since: datetime
    days: int
    unit: str
    last_year_per_day: Decimal | None

    @property
    def per_day(self) -> Decimal:
        return self.value / self.days

    @property
    def change(self) -> float | None:
        """Against the same days last year: 0.25 is a quarter more a day. None where nothing is known of them."""
        return float(self.per_day / self.last_year_per_day) - 1 if self.last_year_per_day else None


LEAST_STRETCH = 1.0  # day: less between two readings says nothing of a day's use
LEAST_COVERED = 0.5  # of last year's days must lie between readings, else nothing is said of them


def used_between(earlier: Decimal, later: Decimal, digits: int) -> Decimal:
    """What passed through a register of ``digits`` whole places, which goes on from zero after its highest value."""
    used = later - earlier
    return used if used >= 0 else used + Decimal(10) ** digits  # Decimal's % would keep the sign


def consumption(
    value: Decimal,
    at: datetime,
    *,
    digits: int,
    unit: str,
    past: list[PastReading],
    earlier_meters: list[tuple[int, list[PastReading]]],
) -> Consumption | None:
    """Use since the last of ``past`` (oldest first, all before ``at``), and that of the same days a year before.

    ``earlier_meters`` are the (digits, readings) of registers that hung there before: they tell of last year only.
    None where ``past`` is empty.
    """
    if not past:
        return None
    last = past[-1]
    stretches = [
        stretch
        for places, readings in [*earlier_meters, (digits, past)]
        for stretch in _stretches(readings, places)
    ]
    year = timedelta(days=365)
    return Consumption(
        value=used_between(last.value, value, digits),
        since=last.taken_at,
        days=max((local_day(at) - local_day(last.taken_at)).days, 1),
        unit=unit,
        last_year_per_day=_per_day(stretches, last.taken_at - year, at - year),
    )


def _stretches(readings: list[PastReading], digits: int) -> list[tuple[datetime, datetime, float]]:
    """(from, to, use a day) between neighbours; a day's readings of one day and drops that no roll-over explains are left out."""
    found = []
    for one, two in pairwise(readings):
        days = (two.taken_at - one.taken_at).total_seconds() / 86400
        used = used_between(one.value, two.value, digits)
        if days >= LEAST_STRETCH and not (two.value < one.value and used > Decimal(10) ** digits / 2):
            found.append((one.taken_at, two.taken_at, float(used) / days))
    return found


def _per_day(
    stretches: list[tuple[datetime, datetime, float]], start: datetime, end: datetime
) -> Decimal | None:
    """Mean use a day from ``start`` to ``end``, each stretch weighing by the days it shares with them."""
    shares = [
        ((min(to, end) - max(since, start)).total_seconds(), rate)
        for since, to, rate in stretches
        if min(to, end) > max(since, start)
    ]
    covered = sum(seconds for seconds, _ in shares)
    if covered < LEAST_COVERED * (end - start).total_seconds() or not covered:
        return None
    return Decimal(sum(seconds * rate for seconds, rate in shares) / covered).quantize(Decimal("0.001"))


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
