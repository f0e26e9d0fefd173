"""G4: from a billed number back to its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Q

from rasd.ledger import evidence
from rasd.ledger.models import Entry
from rasd.metering.models import Adoption, Billed, Cycle, Reading

BATCH = 500


def trace(adoption: Adoption, *, read_photographs: bool = True) -> dict[str, Any]:
    """Where its value comes from, and what was billed on it: the photographs, what was read in each and by which model, every
    judgement on the way, who confirmed, who read it in the field, or how it was estimated; what it is compared with, what the
    rules found in it, and the ledger's entries about it. ``lacks`` names what should be there and is not: empty where the trace
    is whole.

    ``read_photographs``: whether each still has the bytes of its SHA-256, and not only lies there.
    """
    reading, submission = adoption.reading, adoption.reading.submission
    subjects = [f"adoption:{adoption.pk}"]
    judgements: list[Any] = []
    if submission is not None:
        subjects.append(str(submission))
        fields = ("at", "actor", "verdict", "value", "confidence", "why")
        judgements = list(submission.judgements.order_by("id").values(*fields))
    # What the closing adopted by itself stands in the ledger as a whole, with the hash of all its rows.
    closing = Q(subject=f"cycle:{adoption.cycle}", action="cycle.closed")
    entries = Entry.objects.filter(Q(subject__in=subjects) | closing).order_by("number")
    found = {
        "receipt": adoption.receipt,
        "stands": adoption.superseded_at is None,
        "service_point": adoption.service_point.number,
        "meter": adoption.register.meter.serial,
        "register": adoption.register.name,
        "unit": adoption.register.unit,
        "cycle": adoption.cycle.name,
        "value": reading.value,
        "source": reading.source,
        "quality": reading.quality,
        "taken_at": reading.taken_at,
        "adopted_at": adoption.adopted_at,
        "decided_by": adoption.actor,
        "why": adoption.why,
        "rule": adoption.rule,
        "confidence": adoption.confidence,
        "billed": _billed(adoption),
        "supersedes": adoption.supersedes.receipt if adoption.supersedes else None,
        "sender": submission.identifier if submission else None,
        "typed": submission.typed if submission else "",
        "photographs": submission.evidence()["photographs"] if submission else [],
        "judgements": judgements,
        "field_read": _field_read(reading),
        "imported": _imported(reading),
        "estimate": _estimate(reading),
        "exceptions": list(
            reading.exceptions.order_by("id").values("rule", "facts", "outcome", "why", "closed_by__username")
        ),
        "ledger": [
            {"number": one.number, "hash": bytes(one.hash).hex(), "action": one.action} for one in entries
        ],
    }
    return found | {"lacks": _lacks(found, read_photographs)}


def traces(cycle: Cycle) -> Iterator[dict[str, Any]]:
    """Of every number that stands in ``cycle``, in the order of the service points. Photographs are not read again."""
    standing = cycle.adoptions.filter(superseded_at=None).order_by("service_point__number", "register")
    related = standing.select_related(
        "service_point", "register__meter", "cycle", "supersedes", "reading__submission", "reading__field_read__reader",
        "reading__estimate",
    )  # fmt: skip
    return (trace(one, read_photographs=False) for one in related.iterator(BATCH))


def _billed(adoption: Adoption) -> dict[str, Any] | None:
    """What the closed month billed its register: from where to where, and what for. ``receipt``: on which adoption, another one
    where it was corrected since, and then ``use_by_now`` is what the bill and its deltas come to."""
    known = Billed.objects.select_related("adoption", "cycle", "register")
    row = known.filter(cycle=adoption.cycle_id, register=adoption.register_id).first()
    if row is None:
        return None
    names = ("value", "previous_value", "previous_at", "use", "true_up")
    by_now = row.use if row.adoption_id == adoption.pk else row.use_by_now()
    return {name: getattr(row, name) for name in names} | {
        "receipt": row.adoption.receipt,
        "use_by_now": by_now,
    }


def _field_read(reading: Reading) -> dict[str, Any] | None:
    read = getattr(reading, "field_read", None)
    if read is None:
        return None
    return {
        "reader": read.reader.code,
        "key": read.key,
        "visited_at": read.visited_at,
        "position": [read.latitude, read.longitude] if read.latitude is not None else None,
        "photograph": read.photograph.sha256 if read.photograph else None,
    }


def _imported(reading: Reading) -> dict[str, Any] | None:
    """The ledger's entry about the file that brought it, with the file's name and SHA-256."""
    if reading.submission_id is not None or hasattr(reading, "field_read"):
        return None
    entry = Entry.objects.filter(subject="import:readings", at=reading.recorded_at).first()
    return {"number": entry.number, **entry.facts} if entry else None


def _estimate(reading: Reading) -> dict[str, Any] | None:
    made = getattr(reading, "estimate", None)
    if made is None:
        return None
    names = ("method", "since", "days", "use", "least", "most", "in_a_row", "facts")
    return {name: getattr(made, name) for name in names}


def _lacks(found: dict[str, Any], read_photographs: bool) -> list[str]:
    lacks = []
    billed = found["billed"]
    if billed and billed["receipt"] == found["receipt"] and billed["value"] != found["value"]:
        lacks.append(f"the same value on its bill, which has {billed['value']}")
    if found["source"] == Reading.Source.CUSTOMER and not (
        found["photographs"] or found["typed"] or found["imported"]
    ):
        lacks.append("the photograph or the number that the customer sent")
    if found["source"] == Reading.Source.ESTIMATE and not found["estimate"]:
        lacks.append("how the estimate came about")
    if found["source"] in {Reading.Source.FIELD, Reading.Source.SMART} and not (
        found["field_read"] or found["imported"]
    ):
        lacks.append("the field read, or the file that brought it")
    kept = [one["sha256"] for one in found["photographs"]]
    if found["field_read"] and found["field_read"]["photograph"]:
        kept.append(found["field_read"]["photograph"])
    there = evidence.is_whole if read_photographs else _is_there
    lacks += [f"photograph {sha256} in storage, as it came" for sha256 in kept if not there(sha256)]
    if not found["ledger"]:
        lacks.append("the ledger's entry")
    return lacks


def _is_there(sha256: str) -> bool:
    return default_storage.exists(evidence.path_of(sha256))
