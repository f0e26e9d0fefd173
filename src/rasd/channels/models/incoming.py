from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from rasd.channels.models.lines import Address, Channel, Line

MEDIA_ID_LIFE = timedelta(days=7)  # of an id that came by webhook [Meta's documentation]


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

        jobs.defer(jobs.sort, delivery_id=self.pk)

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

        jobs.defer(jobs.fetch, media_id=self.pk)

    def fetch(self) -> datetime | None:
        """Download, check and keep it; see :mod:`rasd.channels.media`.

        Returns:
            When to try again, or None where it is stored or lost.
        """
        from rasd.channels import media

        return media.fetch(self)
