import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q, QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.api import sending
from rasd.api.models.tokens import ApiToken, Scope
from rasd.channels import rules
from rasd.channels.jobs import defer
from rasd.ledger.models import actor_of, record

TRIED_FOR = timedelta(days=7)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
IN_ONE_CALL = 100  # events
CALLS_AT_A_TIME = 50
"""In one job, so that a subscription with a long backlog does not keep a worker for itself; the rest is another job's."""


class Event(models.TextChoices):
    """What a subscriber can be told of."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"
    CONVERSATION_OPENED = "conversation.opened"
    CONVERSATION_CLOSED = "conversation.closed"
    CONVERSATION_REOPENED = "conversation.reopened"
    OBLIGATION_OWED = "obligation.owed"
    OBLIGATION_GIVEN = "obligation.given"
    OBLIGATION_DISCHARGED = "obligation.discharged"
    OBLIGATION_LATE = "obligation.late"
    CASE_OPENED = "case.opened"
    CASE_STAGE = "case.stage"
    CASE_CLOSED = "case.closed"
    CASE_RATED = "case.rated"


READ_BY = {
    "message": Scope.CONVERSATIONS_READ,
    "conversation": Scope.CONVERSATIONS_READ,
    "obligation": Scope.OBLIGATIONS_READ,
    "case": Scope.CASES_READ,
}
"""The scope without which a token is not told of events that begin so."""


class WebhookSubscription(models.Model):
    """A program that is told of events, at its address. It hears what its token may read, and nothing once that is revoked."""

    token = models.ForeignKey(ApiToken, models.PROTECT, related_name="webhooks")
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=200, help_text="signs every call: it must be kept as it is")
    events = ArrayField(models.CharField(max_length=30, choices=Event))
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    late_until = models.DateTimeField(help_text="what became late before this has been told")
    attempts = models.PositiveIntegerField(default=0, help_text="in a row at which nobody took anything")
    next_try_at = models.DateTimeField(null=True, help_text="not before: nobody answered the last time")
    last_taken_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"webhook:{self.pk}"

    @classmethod
    def make(
        cls, token: ApiToken, url: str, events: Iterable[str], *, at: datetime, secret: str = ""
    ) -> "WebhookSubscription":
        """``token`` is told of ``events`` at ``url`` from now on.

        Args:
            secret: what signs the calls; empty: a new one is made.

        Raises:
            ValueError: the address is none that we call, or the token may not read what it would be told.
        """
        sending.check_address(url)
        events = list(dict.fromkeys(events))
        for event in events:
            scope = READ_BY[event.partition(".")[0]]
            if not token.may(scope):
                raise ValueError(
                    f"events: {event} takes a token that may {scope}; leave it out, or use another"
                )
        with transaction.atomic():
            subscription = cls.objects.create(
                token=token,
                url=url,
                events=events,
                secret=secret or secrets.token_urlsafe(32),
                made_at=at,
                late_until=at,
            )
            facts = {"token": token.name, "url": url, "events": events}
            record(token.actor, "webhook.made", str(subscription), at=at, facts=facts)
        return subscription

    def end(self, *, at: datetime) -> None:
        """It is told nothing more, of what waits neither. A second call changes nothing."""
        with transaction.atomic():
            if type(self).objects.filter(pk=self.pk, ended_at=None).update(ended_at=at):
                self.ended_at = at
                record(self.token.actor, "webhook.ended", str(self), at=at, facts={"token": self.token.name})

    @classmethod
    def wanting(cls, event: str, at: datetime) -> "QuerySet[WebhookSubscription]":
        """Those to be told of it, whose token still opens something."""
        good = Q(token__revoked_at=None, token__user__is_active=True)
        good &= Q(token__expires_at=None) | Q(token__expires_at__gt=at)
        return cls.objects.filter(good, ended_at=None, events__contains=[event]).select_related("token__user")

    # Sending.

    def send_later(self) -> None:
        """In the caller's transaction. Where a job for it waits already, that one finds whatever is due; should it look a
        moment before this transaction is committed, the round of every minute finds it."""
        from rasd.api import jobs

        waits = ProcrastinateJob.objects.filter(status="todo", lock=self._lock, scheduled_at=None)
        if not waits.exists():
            defer(jobs.send, lock=self._lock, subscription_id=self.pk)

    @property
    def _lock(self) -> str:
        return f"webhook-{self.pk}"

    def send(self, at: datetime) -> int:
        """Tell what is due, in the order in which it happened; how many were taken. Outside a transaction: it calls out.

        What a subscriber refuses (4xx) is tried again by itself, one by one, and does not hold up the rest; where nobody
        answers, or he cannot take anything (5xx, 429), all of it waits.
        """
        taken, together = 0, IN_ONE_CALL
        for _call in range(CALLS_AT_A_TIME):
            batch = list(self.due(at)[:together])
            if not batch:
                return taken
            outcome = sending.post(
                self.url, self.secret, {"webhook": self.pk, "events": [each.told for each in batch]}
            )
            if outcome.taken:
                self._taken(batch, at)
                taken += len(batch)
            elif outcome.refused and len(batch) > 1:
                together = 1
            else:
                self._not_taken(batch, outcome.words, at, alone=outcome.refused)
                if not outcome.refused:
                    return taken
        self.send_later()
        return taken

    def due(self, at: datetime) -> "QuerySet[WebhookDelivery]":
        """What is to be sent now."""
        if not self.is_active(at) or (self.next_try_at and self.next_try_at > at):
            return self.deliveries.none()
        waiting = self.deliveries.filter(taken_at=None, given_up_at=None)
        return waiting.filter(Q(next_try_at=None) | Q(next_try_at__lte=at)).order_by("pk")

    def is_active(self, at: datetime) -> bool:
        return self.ended_at is None and self.token.is_good(at)

    def _taken(self, batch: "list[WebhookDelivery]", at: datetime) -> None:
        with transaction.atomic():
            rows = WebhookDelivery.objects.filter(pk__in=[each.pk for each in batch])
            rows.update(taken_at=at, attempts=models.F("attempts") + 1, last_error="")
            self.attempts, self.next_try_at, self.last_taken_at, self.last_error = 0, None, at, ""
            self.save(update_fields=["attempts", "next_try_at", "last_taken_at", "last_error"])

    def _not_taken(self, batch: "list[WebhookDelivery]", words: str, at: datetime, *, alone: bool) -> None:
        with transaction.atomic():
            for each in batch:
                each.attempts, each.last_error = each.attempts + 1, words
                each.next_try_at = at + wait_after(each.attempts) if alone else None
            WebhookDelivery.objects.bulk_update(batch, ["attempts", "last_error", "next_try_at"])
            tried = self.deliveries.filter(pk__in=[each.pk for each in batch]) if alone else self.deliveries
            tried.filter(taken_at=None, given_up_at=None, since__lte=at - TRIED_FOR).update(
                given_up_at=at, last_error=words
            )
            self.last_error = words
            if not alone:
                self.attempts += 1
                self.next_try_at = at + wait_after(self.attempts)
            self.save(update_fields=["attempts", "next_try_at", "last_error"])

    @classmethod
    def with_something_due(cls, at: datetime) -> "list[WebhookSubscription]":
        rows = cls.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=at), ended_at=None)
        return [each for each in rows.select_related("token__user") if each.due(at).exists()]


class WebhookDelivery(models.Model):
    """One event for one subscriber: written in the transaction in which it became true, sent until it is taken."""

    subscription = models.ForeignKey(WebhookSubscription, models.CASCADE, related_name="deliveries")
    event_id = models.UUIDField(
        default=uuid.uuid4, unique=True, help_text="by which a subscriber knows it again"
    )
    event = models.CharField(max_length=30, choices=Event)
    key = models.CharField(max_length=200, help_text="what makes it this event: the same one is told once")
    about = models.CharField(max_length=200, help_text="message:17, case:4 …")
    at = models.DateTimeField(help_text="when it happened")
    since = models.DateTimeField(help_text="when it was first due, or was sent again by hand")
    data = models.JSONField()
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True, help_text="tried for seven days: a trouble for a person")
    last_error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["subscription", "key"], name="each_event_once_a_webhook")
        ]
        indexes = [
            models.Index(
                fields=["subscription", "id"],
                name="webhook_waiting",
                condition=Q(taken_at__isnull=True, given_up_at__isnull=True),
            ),
            models.Index(
                fields=["given_up_at"], name="webhook_given_up", condition=Q(given_up_at__isnull=False)
            ),
            models.Index(fields=["taken_at"], name="webhook_taken", condition=Q(taken_at__isnull=False)),
        ]

    class State(models.TextChoices):
        WAITING = "waiting"
        TAKEN = "taken"
        GIVEN_UP = "given_up"

    def __str__(self) -> str:
        return f"webhook_delivery:{self.pk}"

    @property
    def state(self) -> "WebhookDelivery.State":
        if self.taken_at:
            return self.State.TAKEN
        return self.State.GIVEN_UP if self.given_up_at else self.State.WAITING

    @property
    def told(self) -> dict[str, Any]:
        """As the subscriber reads it."""
        return {"id": str(self.event_id), "event": self.event, "at": self.at.isoformat(), "data": self.data}

    @classmethod
    def in_state(cls, state: str) -> Q:
        if state == cls.State.TAKEN:
            return Q(taken_at__isnull=False)
        return Q(taken_at=None, given_up_at__isnull=state != cls.State.GIVEN_UP)

    @classmethod
    def untaken(cls) -> "QuerySet[WebhookDelivery]":
        """Those that nobody took in seven days."""
        return cls.objects.filter(cls.in_state(cls.State.GIVEN_UP)).select_related("subscription__token")

    def send_again(self, *, by: User, at: datetime, token: str = "") -> None:
        """Once more, and for seven days more, whatever became of it before.

        Args:
            token: the name of the token through which it was asked for.
        """
        with transaction.atomic():
            self.taken_at = self.given_up_at = self.next_try_at = None
            self.since, self.attempts = at, 0
            self.save(update_fields=["taken_at", "given_up_at", "next_try_at", "since", "attempts"])
            WebhookSubscription.objects.filter(pk=self.subscription_id).update(next_try_at=None)
            self.subscription.send_later()
            facts = {
                "event": self.event,
                "event_id": str(self.event_id),
                **({"token": token} if token else {}),
            }
            record(actor_of(by), "webhook.sent_again", str(self), at=at, facts=facts)

    @classmethod
    def forget_old(cls, at: datetime) -> int:
        """What was taken a week ago and more; how many."""
        return cls.objects.filter(taken_at__lt=at - TRIED_FOR).delete()[0]


def wait_after(attempts: int) -> timedelta:
    return rules.wait_before(attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)
