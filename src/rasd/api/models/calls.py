from datetime import datetime, timedelta
from typing import Any

from django.db import models

from rasd.api.models.tokens import ApiToken

KEPT = timedelta(hours=24)


class KeyedCall(models.Model):
    """A call with an ``Idempotency-Key`` that did something, and what was answered: the same call again is answered the
    same, and does nothing."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="calls")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(
        max_length=64, help_text="SHA-256 of method, path and body: another call with this key is a mistake"
    )
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="null: it is being done")
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="each_key_once_a_token")]
        indexes = [models.Index(fields=["at"], name="keyed_call_by_time")]

    def __str__(self) -> str:
        return f"api_call:{self.pk}"

    @staticmethod
    def hold(token: ApiToken, key: str, fingerprint: str, at: datetime) -> "KeyedCall":
        """The call of that key, locked until the caller's transaction ends. Of several at once the others wait here, and
        then find what the first was answered; where it failed, its row went with it and the next one does it."""
        KeyedCall.objects.filter(token=token, key=key, at__lte=at - KEPT).delete()
        new = KeyedCall(token=token, key=key, fingerprint=fingerprint, at=at)
        KeyedCall.objects.bulk_create([new], ignore_conflicts=True)
        return KeyedCall.objects.select_for_update().get(token=token, key=key)

    def answered(self, status: int, headers: dict[str, Any], body: str) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.save(update_fields=["status", "headers", "body"])

    @classmethod
    def forget_old(cls, at: datetime) -> int:
        """What was kept for longer than a day; how many."""
        return cls.objects.filter(at__lte=at - KEPT).delete()[0]
