from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

MEDIA_ID_LIFE = timedelta(days=7)  # of an id that came by webhook [Meta's documentation]


class Channel(models.TextChoices):
    WHATSAPP = "whatsapp", "WhatsApp"


class Line(models.Model):
    """One of the utility's own numbers or handles, and what it is for."""

    class Purpose(models.TextChoices):
        READINGS = "readings"
        SERVICE = "service"
        DOCUMENTS = "documents"

    channel = models.CharField(max_length=20, choices=Channel)
    purpose = models.CharField(max_length=20, choices=Purpose)
    external_id = models.CharField(max_length=100, help_text="WhatsApp: the phone number id")
    name = models.CharField(max_length=100)
    display_address = models.CharField(max_length=100, help_text="the number as customers see it")
    sends_per_second = models.PositiveSmallIntegerField(
        default=80, help_text="WhatsApp: 80 [Meta's documentation]"
    )
    next_send_slot = models.DateTimeField(
        default=timezone.now, help_text="theoretical arrival time of the line's rate limit"
    )
    reopening_template = models.JSONField(
        default=dict,
        blank=True,
        help_text='sent in place of free text when the 24-hour window is closed: {"name": "answer", "language": "ar"}, '
        "a template with one body parameter, which is the text",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "external_id"], name="line_once_a_channel")]

    def __str__(self) -> str:
        return f"{self.name} ({self.display_address})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new line at once gets what was delivered for it before it was entered here."""
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_new:
                for delivery in Delivery.objects.filter(
                    channel=self.channel, trouble__contains=f"line {self.external_id} is not known"
                ):
                    delivery.sort_again_later()


class Address(models.Model):
    """A person's identity on one channel. Answers go to the address that wrote, never to another of the same person.

    WhatsApp knows people by a phone number, by a user id, or by both; a number may move to another person and a user id
    may be made anew, so neither alone is the key.
    """

    channel = models.CharField(max_length=20, choices=Channel)
    phone = models.CharField(  # noqa: DJ001 (unique where known)
        max_length=20, null=True, blank=True, help_text="E.164 with +, where the sender shows one"
    )
    user_id = models.CharField(  # noqa: DJ001 (unique where known)
        max_length=150, null=True, blank=True, help_text="the channel's own id of the sender"
    )
    profile_name = models.CharField(max_length=200, blank=True)
    last_wrote_at = models.DateTimeField(
        null=True, help_text="by the sender's clock; opens the 24-hour window"
    )
    next_send_slot = models.DateTimeField(
        default=timezone.now, help_text="theoretical arrival time of the customer's rate limit"
    )
    identified_at = models.DateTimeField(
        null=True, help_text="by the sender's clock: the newest message that told phone and user id"
    )
    former_phone = models.CharField(
        max_length=20, blank=True, help_text="the number that this person had before"
    )
    phone_moved_at = models.DateTimeField(
        null=True,
        help_text="when this number was first seen with this person after it had been another's: what the utility knows "
        "by the number is that other's until proven again",
    )

    class Meta:
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(fields=["channel", "phone"], name="address_by_phone"),
            models.UniqueConstraint(fields=["channel", "user_id"], name="address_by_user_id"),
            models.CheckConstraint(
                condition=Q(phone__isnull=False) | Q(user_id__isnull=False) | ~Q(former_phone=""),
                name="address_has_an_identity",
            ),
        ]
        indexes = [
            models.Index(fields=["former_phone"], name="address_by_former", condition=~Q(former_phone=""))
        ]

    def __str__(self) -> str:
        return self.phone or self.profile_name or self.user_id or f"formerly {self.former_phone}"

    @property
    def identifier(self) -> str:
        """What metering knows this address by: ``tel:+96891234567``, or ``whatsapp:USER-ID`` where no number is shown."""
        if self.phone:
            return f"tel:{self.phone}"
        return f"{self.channel}:{self.user_id or f'formerly {self.former_phone}'}"


class Delivery(models.Model):
    """What a channel delivered, byte for byte, stored before it was acknowledged (G6)."""

    channel = models.CharField(max_length=20, choices=Channel)
    received_at = models.DateTimeField(default=timezone.now)
    body = models.BinaryField()
    sorted_at = models.DateTimeField(null=True, help_text="when its messages and statuses had become rows")
    trouble = models.TextField(blank=True, help_text="what in it could not be understood; the rest was")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(
                fields=["received_at"], name="delivery_unsorted", condition=Q(sorted_at__isnull=True)
            ),
            models.Index(fields=["received_at"], name="delivery_troubled", condition=~Q(trouble="")),
        ]

    @classmethod
    def accept(cls, channel: str, body: bytes) -> "Delivery":
        """Store what came and the job that will sort it, both or neither (G6)."""
        with transaction.atomic():
            delivery = cls.objects.create(channel=channel, body=body)
            delivery.sort_later()
        return delivery

    def sort_later(self) -> None:
        from rasd.channels import jobs

        jobs.defer(jobs.sort, once=f"sort-{self.pk}", delivery_id=self.pk)

    def sort_again_later(self) -> None:
        """Once more from the start: what is a row already stays as it is."""
        self.sorted_at = None
        self.save(update_fields=["sorted_at"])
        self.sort_later()

    def sort(self) -> None:
        """Make rows of its messages and statuses; see :mod:`rasd.channels.whatsapp.inbox`.

        Raises:
            rasd.channels.errors.SortingFailed: something went wrong that is not the delivery's fault: sort it again.
        """
        from rasd.channels.whatsapp import inbox

        inbox.sort(self)


class Refusal(models.Model):
    """Webhook calls refused in one hour for one reason: counted, as a row a call would let anyone fill the disk."""

    channel = models.CharField(max_length=20, choices=Channel)
    reason = models.CharField(max_length=50)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField()
    last_from = models.GenericIPAddressField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "reason", "hour"], name="refusals_once_an_hour")
        ]

    @classmethod
    def count_one(cls, channel: str, reason: str, sender: str | None, at: datetime) -> None:
        hour = at.replace(minute=0, second=0, microsecond=0)
        with transaction.atomic():
            refusal, created = cls.objects.select_for_update().get_or_create(
                channel=channel, reason=reason, hour=hour, defaults={"last_at": at, "last_from": sender}
            )
            if not created:
                cls.objects.filter(pk=refusal.pk).update(count=F("count") + 1, last_at=at, last_from=sender)


class Incoming(models.Model):
    """The inbox: one message from a customer, once, however often it was delivered (G6)."""

    class Kind(models.TextChoices):
        TEXT = "text"
        IMAGE = "image"
        DOCUMENT = "document"
        AUDIO = "audio"
        VIDEO = "video"
        STICKER = "sticker"
        LOCATION = "location"
        CONTACTS = "contacts"
        BUTTON = "button", "a button or a list row pressed"
        REACTION = "reaction"
        ORDER = "order"
        FORM = "form", "a form filled in"
        EDIT = "edit", "an earlier message changed"
        REVOCATION = "revocation", "an earlier message taken back"
        SYSTEM = "system", "a number or a user id changed"
        UNSUPPORTED = "unsupported", "a kind that the channel does not pass on"

    line = models.ForeignKey(Line, models.PROTECT)
    address = models.ForeignKey(Address, models.PROTECT)
    delivery = models.ForeignKey(Delivery, models.PROTECT)
    external_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind)
    text = models.TextField(
        blank=True, help_text="the words, a caption, a button's title, or the kind in plain words"
    )
    button_id = models.CharField(
        max_length=300, blank=True, help_text="of the button or row that was pressed"
    )
    replies_to = models.CharField(
        max_length=200,
        blank=True,
        help_text="external id of the message answered, edited, revoked or reacted to",
    )
    payload = models.JSONField(help_text="the message as the channel wrote it")
    sent_at = models.DateTimeField(help_text="by the channel's own timestamp (G1)")
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "external_id"], name="incoming_once")]
        indexes = [models.Index(fields=["address", "sent_at"], name="incoming_by_address")]

    def __str__(self) -> str:
        return f"{self.address}: {self.text or self.kind}"


class Media(models.Model):
    """A file that a customer sent: looked up, downloaded, checked by its content, and kept under its SHA-256."""

    incoming = models.OneToOneField(Incoming, models.PROTECT, related_name="media")
    external_id = models.CharField(max_length=200)
    declared_type = models.CharField(
        max_length=200, blank=True, help_text="what the sender's side says it is; never trusted"
    )
    file_name = models.CharField(max_length=300, blank=True)
    gives_up_at = models.DateTimeField(help_text="when its id dies")
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    stored_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(
        null=True, help_text="when trying had no more sense; the customer is asked to send it again"
    )
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes")
    content_type = models.CharField(max_length=100, blank=True, help_text="by its content")
    note = models.TextField(blank=True, help_text="where the content is not what was declared")

    class Meta:
        verbose_name_plural = "media"
        indexes = [
            models.Index(
                fields=["gives_up_at"],
                name="media_wanted",
                condition=Q(stored_at__isnull=True, lost_at__isnull=True),
            ),
        ]

    @property
    def is_wanted(self) -> bool:
        return self.stored_at is None and self.lost_at is None

    @property
    def is_quarantined(self) -> bool:
        """Kept as evidence, but of a kind that nobody may open: it counts as lost, and was announced as that."""
        return self.lost_at is not None and bool(self.sha256)

    def fetch_later(self) -> None:
        from rasd.channels import jobs

        jobs.defer(jobs.fetch, once=f"media-{self.pk}", media_id=self.pk)

    def fetch(self) -> datetime | None:
        """Download, check and keep it; see :mod:`rasd.channels.media`.

        Returns:
            When to try again, or None where it is stored or lost.
        """
        from rasd.channels import media

        return media.fetch(self)


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
    ) -> "Outgoing":
        """Write it down, with the job that will send it, in the caller's transaction; the same ``key`` gives the same row.

        Args:
            content: buttons ``{"buttons": [{"id", "title"}]}``, choices ``{"button", "rows": [{"id", "title",
                "description"?}]}``, image ``{"sha256"}`` or ``{"link"}``, template ``{"template": {"name", "language",
                "parameters": [text, …]}}``; a ``template`` beside any other content is what is sent where the 24-hour
                window is closed.

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
        )

    def send_later(self, at: datetime | None = None) -> None:
        from rasd.channels import jobs

        # One lock an address: what one customer gets comes in the order in which it was written.
        jobs.defer(
            jobs.send,
            once=f"outgoing-{self.pk}",
            lock=f"address-{self.address_id}",
            at=at,
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
