"""The rules of metering as pure functions: rows come in as plain values, a verdict goes out; nothing is stored here."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from rasd.metering.numbers import meanings, parse_number, shows
from rasd.metering.whose import Face, Whose
from rasd.vision import DEFAULT, Decision, History, RegisterHint, Thresholds
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
    "two_meters": "The photographs show the serial numbers of two meters.",
    "sent_for_another": "The same photograph was sent for another meter before.",
    "sent_earlier": "The same photograph was sent for another month before.",
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
DISAGREES = 0.5
"""Probability from which a photograph of the album contradicts the best one: more likely right than wrong."""

RECAPTURED = ("screen", "print")
"""Findings that say that a picture was photographed, not a meter."""

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
    face: Face = field(default_factory=Face)
    recaptured: str = ""

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
            face=Face(tuple(seen["serials"]), tuple(one["text"] for one in seen.get("barcodes", ()))),
            recaptured=next((one["code"] for one in seen["findings"] if one["code"] in RECAPTURED), ""),
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
    the photographs asked for again in this cycle so far; ``other_serials`` are those seen that belong to another meter;
    ``sent_before`` is a code, see :func:`rasd.metering.whose.resent`."""

    known_sender: bool
    in_window: bool
    seen: tuple[Seen, ...] = ()
    typed: str = ""
    register: RegisterHint | None = None
    history: History | None = None
    standing: Standing | None = None
    own_serial: str = ""
    other_serials: frozenset[str] = frozenset()
    sent_before: str = ""
    retakes: int = 0

    @property
    def whose(self) -> Whose:
        """What the numbers on the faces say of the meter."""
        return Whose(tuple(one.face for one in self.seen), self.own_serial, self.other_serials)


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
    if facts.whose.is_other_meter:
        return Judged(Verdict.OTHER_METER, "other_meter", read.value, read.confidence)
    beside = beside_standing(facts.standing, read) if facts.standing is not None else None
    return doubted(facts, beside or read)


def doubted(facts: Facts, judged: Judged) -> Judged:
    """G3: what would be adopted or asked about goes to a person where the photographs themselves are in doubt; none is refused.

    A submission that is adopted already stays so: what is sent after it is evidence.
    """
    would_adopt = judged.verdict in {Verdict.ACCEPT, Verdict.CONFIRM} and judged.why != "adopted"
    if not facts.seen or not (would_adopt or judged.why == "replaces"):
        return judged
    why = "two_meters" if facts.whose.are_two_meters else facts.sent_before
    why = why or next((one.recaptured for one in facts.seen if one.recaptured), "")
    return Judged(Verdict.REVIEW, why, judged.value, judged.confidence) if why else judged


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


def by_photographs(facts: Facts, limits: Limits = USUAL) -> Judged:
    """G3 for an album: its best photograph speaks, the others raise the confidence or call a person."""
    # The same picture twice proves nothing more.
    album = list({one.sha256: one for one in facts.seen}.values())
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
    likely = best.decision is Decision.CONFIRM and best.reason == "likely"
    if likely and sure > best.confidence and sure >= limits.eye.accept:
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
