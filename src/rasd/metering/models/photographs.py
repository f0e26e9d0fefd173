"""A picture that a customer sent, and what the machine saw in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from rasd.ledger import evidence
from rasd.metering.eyes import read_photograph
from rasd.metering.models.judgements import limits
from rasd.vision import NotAPhotograph, PhotoReading


class Photograph(models.Model):
    """One picture of a submission, and what the machine saw in it (G4)."""

    submission = models.ForeignKey("metering.Submission", models.CASCADE, related_name="photographs")
    origin = models.CharField(max_length=250, unique=True, help_text="the message that brought it")
    sha256 = models.CharField(max_length=64, db_index=True)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    seen = models.JSONField(
        null=True, help_text="rasd.vision.PhotoReading as JSON: digits, candidates, findings, boxes"
    )
    model = models.CharField(max_length=100, blank=True, help_text="which reader, with its version")
    milliseconds = models.FloatField(null=True)

    def __str__(self) -> str:
        return self.origin

    def read(self, at: datetime) -> None:
        """Have the eye in service read it, from ``at`` on; see :meth:`seen_by`. Takes about half a second; call it outside a
        transaction."""
        began = time.monotonic()
        self.seen = self.seen_by(read_photograph)
        self.model, self.milliseconds = self.seen["model"], self.seen["milliseconds"] or None
        self.read_at = at + timedelta(seconds=time.monotonic() - began)
        self.save(update_fields=["seen", "model", "milliseconds", "read_at"])

    def seen_by(self, read: Callable[..., PhotoReading]) -> dict[str, Any]:
        """What an eye's ``read`` sees in it, as JSON, given the register and the history of its service point where that
        is known. What cannot be opened as a picture is noted as such, like any other finding.

        Raises:
            FileNotFoundError: the picture is not in storage (yet).
        """
        point = self.submission.service_point
        register = point.current_register if point else None
        data = evidence.fetch(self.sha256)
        try:
            reading = read(
                data,
                register=register.hint if register else None,
                history=point.history(self.sent_at, apart_from=self.submission.cycle) if point else None,
                thresholds=limits().eye,
            )
        except NotAPhotograph as error:
            return _not_a_photograph(error)
        seen: dict[str, Any] = json.loads(json.dumps(asdict(reading), cls=DjangoJSONEncoder))
        return seen

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
