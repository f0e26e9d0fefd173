"""What the photographs of a cycle showed, as far as anybody found out, and what the eyes had said of them.

The machine's own word never counts as true: where nobody confirmed a reading that was accepted by itself, the truth is
not known.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Max
from django.db.models.fields.json import KeyTextTransform

from rasd.metering.models import Adoption, Cycle, Photograph, Reading, Review, ShadowReading
from rasd.metering.trial import Pair, Record, Source, Told, Truth

FIELD_WITHIN = timedelta(days=1)
"""Between a photograph and a meter reader's reading: farther apart, what was used between them hides a misreading."""

FIELD_SLACK = 2
"""Times what this place usually uses in the time between, by which the two may differ. Assumed."""


def truths(cycle: Cycle) -> dict[int, Truth]:
    """Submission's id → what its counter showed: a meter reader's reading within a day of it, else what a person read in
    a review, else what the customer confirmed or typed and the cycle stands on."""
    confirmed = Adoption.objects.filter(
        cycle=cycle, superseded_at=None, actor__startswith="customer:", reading__submission__isnull=False
    ).values_list("reading__submission", "reading__value")
    found = {submission: Truth(Source.CUSTOMER, value) for submission, value in confirmed}
    looked = (
        Review.objects.filter(
            submission__cycle=cycle,
            outcome__in=[Review.Outcome.ACCEPTED, Review.Outcome.CORRECTED, Review.Outcome.NOT_A_METER],
        )
        .order_by("closed_at")
        .values_list("submission", "value")
    )
    found |= {submission: Truth(Source.REVIEW, value) for submission, value in looked}
    return found | _field_reads(cycle)


def _field_reads(cycle: Cycle) -> dict[int, Truth]:
    sent = F("service_point__submissions__sent_at")
    near = (
        Reading.objects.filter(
            source=Reading.Source.FIELD,
            service_point__submissions__cycle=cycle,
            register__meter__removed_on=None,
            taken_at__range=(sent - FIELD_WITHIN, sent + FIELD_WITHIN),
        )
        .annotate(sent_at=sent, of=F("service_point__submissions"))
        .select_related("register")
    )
    return {read.of: Truth(Source.FIELD, read.value, _slack(read, read.sent_at, cycle)) for read in near}


def _slack(read: Reading, sent_at: datetime, cycle: Cycle) -> Decimal:
    """What this place may have used between a meter reader's reading and a photograph, and one unit for the last digit."""
    earliest = min(read.taken_at, sent_at) - FIELD_WITHIN
    past = read.register.actual_readings(before=earliest, apart_from=cycle)
    if not past or past[-1].value > read.value:
        return Decimal(1)
    a_day = (read.value - past[-1].value) / Decimal((read.taken_at - past[-1].taken_at) / timedelta(days=1))
    return 1 + FIELD_SLACK * a_day * Decimal(abs(read.taken_at - sent_at) / timedelta(days=1))


def record_in(cycle: Cycle, model: str, known: dict[int, Truth]) -> Record:
    """What the eye ``model`` told of this cycle's photographs while it was in service."""
    read = Photograph.objects.filter(submission__cycle=cycle, model=model, seen__isnull=False)
    rows = read.values_list("submission", *_columns())
    return Record([(_told(*told), known.get(submission)) for submission, *told in rows])


def models_in(cycle: Cycle) -> list[str]:
    """The names of the eyes that read this cycle's photographs for customers, that of the last one first."""
    photographs = Photograph.objects.filter(submission__cycle=cycle).exclude(model="")
    return list(photographs.values_list("model", flat=True).annotate(last=Max("read_at")).order_by("-last"))


def pairs_in(cycle: Cycle, old: str, new: str, checksum: str, known: dict[int, Truth]) -> list[Pair]:
    """This cycle's photographs that ``old`` read in service and ``new``, as it is now, in shadow; the newest first."""
    read = ShadowReading.objects.filter(
        photograph__submission__cycle=cycle,
        photograph__model=old,
        model=new,
        checksum=checksum,
        seen__isnull=False,
    ).order_by("-photograph__sent_at", "-photograph")
    rows = read.values_list("photograph", "photograph__submission", *_columns("photograph__"), *_columns())
    return [
        Pair(photograph, _told(*told[:4]), _told(*told[4:]), known.get(submission))
        for photograph, submission, *told in rows
    ]


def _columns(row: str = "") -> tuple[Any, ...]:
    seen = [KeyTextTransform(key, f"{row}seen") for key in ("value", "confidence", "decision")]
    return *seen, f"{row}milliseconds"


def _told(value: str | None, confidence: str, decision: str, milliseconds: float | None) -> Told:
    return Told(None if value is None else Decimal(value), float(confidence), decision, milliseconds)
