"""What hangs on a case: the lines of its history, what the customer says of it, and addresses that its page had before."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from rasd.desk.models.conversations import Message

REOPENS_WITHIN = timedelta(days=14)
"""After its closing, in which a reply reopens a case."""

TITLE_MAX = 200

TOKEN_LETTERS = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"  # noqa: S105 (none is taken for another)
TOKEN_LENGTH = 23
"""54 letters to the 23rd: 132 bits, which nobody guesses. No punctuation, which chats cut off the end of a link."""


def new_token() -> str:
    return "".join(secrets.choice(TOKEN_LETTERS) for _letter in range(TOKEN_LENGTH))


class CaseEntry(models.Model):
    """One line of a case's history."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("opened")
        STAGE = "stage", _("stage")
        SAID = "said", _("said by us")
        HEARD = "heard", _("said by the customer")
        NOTE = "note", _("note")
        HANDED = "handed", _("handed on")
        CLOSING = "closing", _("the closing answer")
        CLOSED = "closed", _("closed")
        FAILED = "failed", _("could not be delivered")
        REOPENED = "reopened", _("reopened")
        RATED = "rated", _("rated")
        LINK = "link", _("the page's address")

    case = models.ForeignKey("desk.Case", models.CASCADE, related_name="entries")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind)
    actor = models.CharField(max_length=200, help_text="as in the ledger")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    message = models.ForeignKey(
        Message,
        models.PROTECT,
        null=True,
        related_name="case_entries",
        help_text="where it went by a channel",
    )
    text = models.TextField(blank=True, help_text="what was said, also where it is a message")
    stage = models.CharField(
        max_length=10, blank=True, help_text="of the case from then on, where it changed"
    )
    is_public = models.BooleanField(help_text="whether the customer sees it")
    expects_answer = models.BooleanField(default=False, help_text="of what the customer said")
    key = models.CharField(  # noqa: DJ001 (unique where there is one)
        max_length=200, null=True, unique=True, help_text="made by the page: the same one is written once"
    )

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["case", "at"], name="entry_of_case")]

    def __str__(self) -> str:
        return f"case-entry:{self.pk}"


class Rating(models.Model):
    """What the customer says of how it was settled: one tap, and a free word. The last one of a closing counts."""

    class Score(models.IntegerChoices):
        UNSOLVED = 1, _("Not solved")
        PARTLY = 2, _("Partly solved")
        SOLVED = 3, _("Solved")

    case = models.ForeignKey("desk.Case", models.CASCADE, related_name="ratings")
    closing = models.OneToOneField(
        CaseEntry, models.PROTECT, related_name="rating", help_text="the answer that closed it"
    )
    score = models.PositiveSmallIntegerField(choices=Score)
    words = models.TextField(blank=True)
    at = models.DateTimeField()


class FormerToken(models.Model):
    """An address that the case's page had until staff gave it another."""

    case = models.ForeignKey("desk.Case", models.CASCADE, related_name="former_tokens")
    token = models.CharField(max_length=40, unique=True)
    replaced_at = models.DateTimeField()
