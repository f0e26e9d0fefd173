from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.obligations import Obligation
from rasd.desk.models.queues import Queue


class EscalationStep(models.Model):
    """Who is told, when an obligation of a queue comes near its time or passes it."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="escalation_steps")
    after = models.DurationField(_("after the time"), help_text=_("negative: before, as a warning"))
    role = models.ForeignKey(
        Group, models.PROTECT, null=True, blank=True, related_name="+", help_text=_("empty: whoever owes it")
    )
    by_email = models.BooleanField(_("by e-mail too"), default=False)

    class Meta:
        ordering = ["after"]


class Escalation(models.Model):
    """A step was taken: once for each time that an obligation had."""

    obligation = models.ForeignKey(Obligation, models.CASCADE, related_name="escalations")
    step = models.ForeignKey(EscalationStep, models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["obligation", "step", "due_at"], name="each_step_once_a_time")
        ]


class Notice(models.Model):
    """Something that a user is to know: shown in the console until read, and sent by e-mail where that is wanted."""

    class Kind(models.TextChoices):
        GIVEN = "given", _("is yours now")
        WARNING = "warning", _("is due soon")
        LATE = "late", _("is late")
        MENTION = "mention", _("mentions you")
        HELD = "held", _("an answer is held")
        FAILED = "failed", _("could not be delivered")

    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField()
    obligation = models.ForeignKey(Obligation, models.CASCADE, null=True, related_name="notices")
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="notices")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="notices")
    case = models.ForeignKey("desk.Case", models.CASCADE, null=True, related_name="notices")
    read_at = models.DateTimeField(null=True)
    email_wanted = models.BooleanField(default=False)
    emailed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["to", "-at"], name="notice_unread", condition=Q(read_at__isnull=True)),
            models.Index(
                fields=["at"], name="notice_to_email", condition=Q(email_wanted=True, emailed_at__isnull=True)
            ),
        ]
