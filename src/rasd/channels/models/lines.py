from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone


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
    portfolio = models.CharField(
        max_length=100,
        blank=True,
        help_text="Meta's business portfolio, by any name: lines of the same one share the limit below",
    )
    daily_customers = models.PositiveIntegerField(
        null=True,
        blank=True,
        default=250,
        help_text="how many customers may be written to in 24 hours who did not write: 250, 2,000, 10,000 or 100,000, as"
        " WhatsApp Manager shows it; empty: no limit",
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
        from rasd.channels.models.incoming import Delivery

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
