from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from rasd.channels.models.incoming import Delivery, Incoming
from rasd.channels.models.lines import Address, Line


class Outgoing(models.Model):
    """The outbox: one message to a customer. A row first, sent by a job (G6), sent once (see ``channels/outbox.py``)."""

    class Kind(models.TextChoices):
        TEXT = "text"
        BUTTONS = "buttons"
        CHOICES = "choices", "a list to choose from"
        IMAGE = "image"
        TEMPLATE = "template"

    class State(models.TextChoices):
        WAITING = "waiting"
        CALLING = "calling", "handed to the channel, whose answer we have not seen"
        ACCEPTED = "accepted"
        SENT = "sent"
        DELIVERED = "delivered"
        READ = "read"
        FAILED = "failed"

    line = models.ForeignKey(Line, models.PROTECT)
    address = models.ForeignKey(Address, models.PROTECT)
    key = models.CharField(
        max_length=200,
        unique=True,
        help_text="what makes it this message: the same key is never written twice",
    )
    kind = models.CharField(max_length=20, choices=Kind)
    text = models.TextField(help_text="what the customer reads, whatever the kind")
    content = models.JSONField(
        default=dict,
        help_text="buttons [{id,title}], choices {button,rows}, image {sha256}, template {name,language,parameters}",
    )
    replies_to = models.ForeignKey(Incoming, models.PROTECT, null=True, related_name="answers")
    created_at = models.DateTimeField(default=timezone.now)
    external_id = models.CharField(max_length=200, blank=True, db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    called_at = models.DateTimeField(null=True, help_text="when the last attempt was handed to the channel")
    accepted_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error_code = models.IntegerField(null=True, help_text="the channel's own")
    error_words = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "outgoing"
        indexes = [
            models.Index(
                fields=["created_at"],
                name="outgoing_unfinished",
                condition=Q(accepted_at__isnull=True, failed_at__isnull=True),
            ),
            models.Index(fields=["failed_at"], name="outgoing_failed", condition=Q(failed_at__isnull=False)),
            models.Index(fields=["address", "created_at"], name="outgoing_by_address"),
            models.Index(fields=["line", "created_at"], name="outgoing_by_line"),
        ]

    def __str__(self) -> str:
        return f"→ {self.address}: {self.text}"

    @classmethod
    def queue(
        cls,
        *,
        line: Line,
        address: Address,
        key: str,
        text: str,
        kind: str = Kind.TEXT,
        content: dict[str, Any] | None = None,
        replies_to: Incoming | None = None,
        unasked: bool = False,
    ) -> "Outgoing":
        """Write it down, with the job that will send it, in the caller's transaction; the same ``key`` gives the same row.

        Args:
            content: by kind: buttons ``{"buttons": [{"id", "title"}]}``, with ``"picture"``, the SHA-256 of evidence shown
                above them; choices ``{"button", "rows": [{"id", "title", "description"?}]}``; image ``{"sha256"}`` or
                ``{"link"}``; template ``{"template": {"name", "language", "parameters": [text, …]}}``. A ``template`` beside
                any other content is what is sent where the 24-hour window is closed; it may have ``"buttons"``, the ids of its
                quick replies.
            unasked: one of many that nobody waits for: it goes out behind the answers.

        Raises:
            ValueError: it is not what the channel can carry; the message names the field, the limit and the mend.
        """
        from rasd.channels import outbox

        return outbox.queue(
            line=line,
            address=address,
            key=key,
            text=text,
            kind=kind,
            content=content or {},
            replies_to=replies_to,
            unasked=unasked,
        )

    def send_later(self, at: datetime | None = None, *, unasked: bool = False) -> None:
        from rasd.channels import jobs

        # One lock an address: what one customer gets comes in the order in which it was written.
        jobs.defer(
            jobs.send,
            lock=f"address-{self.address_id}",
            at=at,
            priority=jobs.UNASKED if unasked else None,
            outgoing_id=self.pk,
        )

    def send(self) -> datetime | None:
        """Hand it to the channel; see :mod:`rasd.channels.outbox` for what "once" means.

        Returns:
            When to try again, or None where it is accepted or failed.
        """
        from rasd.channels import outbox

        return outbox.send(self)

    def send_again(self) -> bool:
        """Give a failed message another chance, on a person's word. Returns False where it had not failed."""
        from rasd.channels import outbox

        return outbox.send_again(self)

    @property
    def state(self) -> "Outgoing.State":
        """The furthest it got: a later word of success outweighs an earlier failure, and read implies delivered."""
        reached = [
            (self.read_at, self.State.READ),
            (self.delivered_at, self.State.DELIVERED),
            (self.failed_at, self.State.FAILED),
            (self.sent_at, self.State.SENT),
            (self.accepted_at, self.State.ACCEPTED),
            (self.called_at, self.State.CALLING),
        ]
        return next((state for at, state in reached if at), self.State.WAITING)

    @property
    def could_be_received(self) -> bool:
        """Whether the customer can have it: only such an answer discharges an obligation (G7)."""
        return self.state in {self.State.ACCEPTED, self.State.SENT, self.State.DELIVERED, self.State.READ}

    @property
    def buttons(self) -> Sequence[dict[str, Any]]:
        return self.content.get("buttons") or self.content.get("rows") or []


class StatusEvent(models.Model):
    """A status as the channel told it, kept raw: they come twice, late, out of order, or skip a level."""

    line = models.ForeignKey(Line, models.PROTECT)
    delivery = models.ForeignKey(Delivery, models.PROTECT)
    external_id = models.CharField(max_length=200)
    status = models.CharField(max_length=30)
    at = models.DateTimeField(help_text="by the channel's own timestamp")
    outgoing = models.ForeignKey(Outgoing, models.PROTECT, null=True, related_name="status_events")
    payload = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "external_id", "status", "at"], name="status_once"),
        ]
