from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rasd.desk.models.conversations import Conversation
from rasd.desk.models.queues import Queue

CLAIM_LASTS = timedelta(seconds=60)
"""After the last sign of life of the page that holds it; pages give one every 20 seconds."""


class Claim(models.Model):
    """One employee answers in a conversation, and nobody else meanwhile."""

    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="claim")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="claims")
    at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="when the holder's page last gave a sign of life")

    def is_live(self, at: datetime) -> bool:
        return self.seen_at > at - CLAIM_LASTS


class HeldAnswer(models.Model):
    """An answer that was not sent because somebody else had the conversation, or had answered: both decide."""

    class Outcome(models.TextChoices):
        SENT = "sent", _("sent after all")
        DROPPED = "dropped", _("not sent")

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="held_answers")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    other = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", help_text="who has it or has answered"
    )
    key = models.CharField(max_length=200, unique=True)
    text = models.TextField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")


class Draft(models.Model):
    """What an employee has typed and not sent yet: no reload, no crash, no other device loses it."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="drafts")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "author"], name="one_draft_each")]


class CannedAnswer(models.Model):
    """Words that are used again and again, in both languages. Variables: {name}, {reference}, {line}, {agent}, {utility}."""

    shortcut = models.SlugField(_("shortcut"), unique=True, help_text=_("typed after a slash"))
    title = models.CharField(_("title"), max_length=100)
    text_ar = models.TextField(_("in Arabic"))
    text_en = models.TextField(_("in English"))
    queue = models.ForeignKey(
        Queue,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="canned_answers",
        help_text=_("empty: of all"),
    )

    class Meta:
        ordering = ["shortcut"]

    def __str__(self) -> str:
        return self.shortcut


class SavedView(models.Model):
    """Conversations that somebody looks at again and again: the inbox's filters under a name."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        related_name="saved_views",
        help_text="null: everybody's",
    )
    name = models.CharField(_("name"), max_length=60)
    filters = models.JSONField(default=dict)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], nulls_distinct=False, name="one_view_of_a_name")
        ]
