import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.models.contacts import Contact
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.queues import Matter, Queue

REOPENS_WITHIN = timedelta(days=14)
"""After its closing, in which a reply reopens a case."""

REPEATS_WITHIN = timedelta(days=7)
"""After its closing, in which the same matter again counts against "solved"."""

TOKEN_BYTES = 16
"""128 bits: nobody guesses one."""


def new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


class CaseKind(models.Model):
    """What may become a case: a complaint about a visit, a meter that nobody reaches …"""

    code = models.SlugField(unique=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    matter = models.CharField(max_length=20, choices=Matter)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="+")
    settle_within = models.DurationField(_("settle within"), help_text=_("of working time"))

    def __str__(self) -> str:
        return self.name_en


class Case(models.Model):
    """A matter that is not over with one answer. Its work is an obligation (G9): owner, time and clock are there."""

    class Stage(models.TextChoices):
        OPEN = "open", _("received")
        WORKING = "working", _("being worked on")
        CUSTOMER = "customer", _("waiting for the customer")
        ANSWERED = "answered", _("answered, not delivered yet")
        CLOSED = "closed", _("closed")

    class Origin(models.TextChoices):
        EMPLOYEE = "employee", _("from a conversation")
        CUSTOMER = "customer", _("by the customer")
        SUBMISSION = "submission", _("by a submission's trouble")

    reference = models.CharField(
        max_length=20, unique=True, help_text="as customers and staff call it: 26-000123"
    )
    token = models.CharField(
        max_length=40, unique=True, default=new_token, help_text="of the customer's page /t/TOKEN"
    )
    title = models.CharField(_("title"), max_length=200)
    kind = models.ForeignKey(CaseKind, models.PROTECT, related_name="cases")
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="cases")
    conversation = models.ForeignKey(
        Conversation, models.PROTECT, null=True, related_name="cases", help_text="where its answers go"
    )
    service_point = models.CharField(max_length=60, blank=True, help_text="its number, as metering knows it")
    language = models.CharField(max_length=5, default="ar", help_text="the customer's")
    origin = models.CharField(max_length=12, choices=Origin)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closing_answer = models.OneToOneField(Message, models.PROTECT, null=True, related_name="closes")
    repeats = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="repeated_by",
        help_text="the same matter, closed a short while before",
    )

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(stage="closed") | Q(closed_at__isnull=False, closing_answer__isnull=False),
                name="closed_with_a_written_answer",
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "-opened_at"], name="case_of_contact"),
            models.Index(fields=["stage", "-opened_at"], name="case_by_stage"),
        ]

    def __str__(self) -> str:
        return f"case:{self.pk}"


class CaseEntry(models.Model):
    """One line of a case's history."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        STAGE = "stage", _("stage")
        SAID = "said", _("said by us")
        ANSWERED = "answered", _("said by the customer")
        NOTE = "note", _("note")
        HANDED = "handed", _("handed on")
        CLOSED = "closed", _("closed")
        REOPENED = "reopened", _("reopened")
        RATED = "rated", _("rated")

    case = models.ForeignKey(Case, models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind)
    actor = models.CharField(max_length=200, help_text="as in the ledger")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey(Message, models.PROTECT, null=True, related_name="case_entries")
    text = models.TextField(blank=True)
    is_public = models.BooleanField(help_text="whether the customer sees it")

    class Meta:
        ordering = ["at", "id"]


class Rating(models.Model):
    """What the customer says of how it was settled: one tap, and a free word. The last one of a closing counts."""

    class Score(models.IntegerChoices):
        UNSOLVED = 1, _("not solved")
        PARTLY = 2, _("partly solved")
        SOLVED = 3, _("solved")

    case = models.ForeignKey(Case, models.CASCADE, related_name="ratings")
    closing = models.ForeignKey(
        Message, models.PROTECT, related_name="ratings", help_text="the answer that closed it"
    )
    score = models.PositiveSmallIntegerField(choices=Score)
    words = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["closing"], name="one_rating_a_closing")]
