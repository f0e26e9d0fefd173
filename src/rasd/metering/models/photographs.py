"""A picture that a customer or a meter reader sent, and what the machine saw in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import QuerySet

from rasd.ledger import evidence
from rasd.metering import whose
from rasd.metering.eyes import read_photograph
from rasd.metering.models.cycles import Cycle
from rasd.metering.models.judgements import limits
from rasd.metering.models.reference import Meter, ServicePoint
from rasd.vision import NotAPhotograph, PhotoReading, open_photograph
from rasd.vision.fingerprint import NEAR, distance, fingerprint, is_same, keys
from rasd.vision.identity import identify
from rasd.vision.photograph import Opened, Picture, open_file
from rasd.vision.recaptured import recaptured

COMPARED = 8
"""Pictures that are looked at for one photograph, the nearest fingerprints first, 0.05 s each. Seldom is there one."""

_WITH_ONE_OF = """
    SELECT there.id, there.submission_id, there.sha256, there.fingerprint FROM unnest(%s::integer[]) AS key
    CROSS JOIN LATERAL (SELECT * FROM metering_photograph WHERE fingerprint @> ARRAY[key]) AS there
"""
# Key by key from the index. PostgreSQL does not know how rare they are: asked for `fingerprint && keys`, or for rows whose key
# is among these, it was seen to read the whole table.


class Photograph(models.Model):
    """One picture of a submission or of a field read, and what the machine saw in it (G4)."""

    submission = models.ForeignKey(
        "metering.Submission",
        models.CASCADE,
        null=True,
        related_name="photographs",
        help_text="null: a meter reader's, of a field read",
    )
    origin = models.CharField(max_length=250, unique=True, help_text="the message that brought it")
    sha256 = models.CharField(max_length=64, db_index=True)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    seen = models.JSONField(
        null=True, help_text="rasd.vision.PhotoReading as JSON: digits, candidates, findings, boxes"
    )
    model = models.CharField(max_length=100, blank=True, help_text="which reader, with its version")
    milliseconds = models.FloatField(null=True)

    fingerprint = ArrayField(
        models.IntegerField(), null=True, help_text="rasd.vision.fingerprint; null where it shows nothing"
    )
    same_as = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        related_name="copies",
        help_text="the first photograph of others that is the same",
    )

    class Meta:
        # Without the list of pending entries, which each of 252 look-ups would read from its beginning to its end.
        indexes = [GinIndex(fields=["fingerprint"], name="photograph_fingerprint", fastupdate=False)]

    def __str__(self) -> str:
        return self.origin

    def read(self, at: datetime, *, theirs: Iterable[ServicePoint] = ()) -> None:
        """Have the eye in service read it, from ``at`` on; see :meth:`seen_by` and :meth:`recognise`. Takes about half a
        second; call it outside a transaction. ``theirs``: the sender's service points, where it is not known which one."""
        began = time.monotonic()
        point = self.service_point
        opened = self._opened()
        self.seen = self.seen_by(read_photograph, opened)
        self.recognise(self.seen, [point] if point else theirs, opened)
        self.model, self.milliseconds = self.seen["model"], self.seen["milliseconds"] or None
        self.read_at = at + timedelta(seconds=time.monotonic() - began)
        self.save(update_fields=["seen", "model", "milliseconds", "read_at", "same_as"])

    def seen_by(self, read: Callable[..., PhotoReading], opened: Opened | None = None) -> dict[str, Any]:
        """What an eye's ``read`` sees in it, as JSON, given the register and the history of its service point where that
        is known. What cannot be opened as a picture is noted as such, like any other finding. ``opened``: where somebody
        opened it before.

        Raises:
            FileNotFoundError: the picture is not in storage (yet).
        """
        point, cycle = self.service_point, self.cycle
        register = point.current_register if point else None
        data = evidence.fetch(self.sha256)
        try:
            reading = read(
                data,
                opened=opened,
                register=register.hint if register else None,
                history=point.history(self.sent_at, apart_from=cycle) if point else None,
                thresholds=limits().eye,
            )
        except NotAPhotograph as error:
            return _not_a_photograph(error)
        seen: dict[str, Any] = json.loads(json.dumps(asdict(reading), cls=DjangoJSONEncoder))
        return seen

    # Whose meter it is, and whether it was sent before

    @property
    def service_point(self) -> ServicePoint | None:
        """Of the submission, or of the field read; None where nobody knows yet."""
        if self.submission is not None:
            return self.submission.service_point
        return self.field_read.service_point

    @property
    def cycle(self) -> Cycle | None:
        return self.submission.cycle if self.submission is not None else self.field_read.cycle

    @property
    def _others(self) -> QuerySet[Photograph]:
        """Those that it is compared with: a customer's with what customers sent in other submissions, a meter reader's with
        all that anybody sent. A reader's photograph says nothing of the customer who took the same picture."""
        if self.submission_id is None:
            return Photograph.objects.exclude(pk=self.pk)
        return Photograph.objects.filter(submission__isnull=False).exclude(submission=self.submission_id)

    @classmethod
    def with_a_band_of(cls, made: Sequence[int]) -> Iterable[Photograph]:
        """Those whose fingerprint has a band in common with ``made``, but for one bit; one that has several comes several times.

        Only its keys, ``sha256`` and ``fingerprint`` are loaded.
        """
        return cls.objects.raw(_WITH_ONE_OF, [list(keys(made))])

    def recognise(self, seen: dict[str, Any], points: Iterable[ServicePoint], opened: Opened | None) -> None:
        """Add to ``seen`` the numbers on the face and signs of a screen or a print; find the photograph sent before.

        ``points``: those whose meter it may be. Where there are none, whose it is gets known later and it is read again:
        print is left for then. Fields are set, and but for the fingerprint not saved.

        Of two that are read at the same moment one is found from the other's side: ``same_as`` may be set when it was judged.
        """
        seen["barcodes"], self.fingerprint = [], None
        picture = opened.picture if opened else None
        made = None if picture is None else fingerprint(picture)
        if picture is not None and made is not None:
            self.fingerprint = list(made)
            self._identify(picture, seen, points)
            seen["findings"] += [asdict(found) for found in recaptured(picture)]
        # Before looking for others: of two that are read at the same moment one at least must find the other.
        self.save(update_fields=["fingerprint"])
        self._find_the_same(picture)

    def _opened(self) -> Opened | None:
        """Opened once for all that look at it: an HEIC or a PDF costs a process of its own each time. None: no picture.

        Raises:
            FileNotFoundError: the picture is not in storage (yet).
        """
        try:
            return open_file(evidence.fetch(self.sha256))
        except NotAPhotograph:
            return None

    def _identify(self, picture: Picture, seen: dict[str, Any], points: Iterable[ServicePoint]) -> None:
        current = Meter.objects.filter(service_point__in=[point.pk for point in points], removed_on=None)
        found = identify(
            picture, expected=list(current.values_list("serial", flat=True)), counter=seen["digits"]
        )
        seen["barcodes"] = [asdict(code) for code in found.barcodes]
        seen["serials"] = list(dict.fromkeys([*seen["serials"], *found.serials]))

    def _find_the_same(self, picture: Picture | None) -> None:
        others = self._others
        same = set(others.filter(sha256=self.sha256).values_list("pk", flat=True))
        if picture is not None and self.fingerprint:
            same |= self._alike(picture, self.fingerprint, others, same)
        first = min(same, default=None)
        self.same_as_id = first if first is not None and first < self.pk else None
        later = Photograph.objects.filter(pk__in=[pk for pk in same if pk > self.pk], same_as=None)
        if self.submission_id is None:
            later = later.filter(submission=None)
        later.update(same_as=self.pk)

    def _alike(
        self, picture: Picture, mine: list[int], others: QuerySet[Photograph], known: set[int]
    ) -> set[int]:
        banded = {one.pk: one for one in self.with_a_band_of(mine) if one.pk not in known}
        near = {
            (bits, one.pk, one.sha256)
            for one in others.filter(pk__in=banded).only("pk", "sha256", "fingerprint")
            if (bits := distance(mine, one.fingerprint or ())) <= NEAR
        }
        return {pk for _bits, pk, sha256 in sorted(near)[:COMPARED] if _shows(sha256, picture)}

    @property
    def resent(self) -> str:
        """What it means that it was sent before: a code, or nothing; see :func:`rasd.metering.whose.resent`."""
        now, before = self.submission, self.same_as.submission if self.same_as else None
        return whose.resent(now.sending, before.sending) if now and before else ""

    @property
    def summary(self) -> dict[str, Any]:
        """Digits, value, confidence and reason as read; empty before it is."""
        if self.seen is None:
            return {}
        return {key: self.seen[key] for key in ("digits", "value", "confidence", "decision", "reason")}


def _not_a_photograph(error: NotAPhotograph) -> dict[str, Any]:
    """As ``PhotoReading`` looks in JSON, with one finding."""
    return {
        "digits": "",
        "decimals": 0,
        "value": None,
        "confidence": 0.0,
        "decision": "retake",
        "reason": "picture",
        "kind": "none",
        "digit_readings": [],
        "candidates": [],
        "findings": [{"code": error.code, "severity": "serious", "text": str(error)}],
        "counter_box": None,
        "serials": [],
        "model": "",
        "milliseconds": 0.0,
    }


def _shows(sha256: str, picture: Picture) -> bool:
    try:
        return is_same(picture, open_photograph(evidence.fetch(sha256)))
    except (FileNotFoundError, NotAPhotograph):
        return False  # no longer kept: nobody could be shown it
