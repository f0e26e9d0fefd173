from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from rasd.channels.models import Incoming
from rasd.desk.models import Conversation
from rasd.metering.models import Submission

PULSE_LASTS = timedelta(seconds=20)


class Dialogue(models.Model):
    """What the machine last asked in a conversation, so that the next message can be understood as its answer."""

    class Expecting(models.TextChoices):
        NOTHING = "", "nothing"
        CONFIRMATION = "confirmation", "is it 04521?"
        VALUE = "value", "then what is it?"
        SERVICE_POINT = "service_point", "which of yours?"
        ACCOUNT = "account", "what is the account's number?"
        NAME = "name", "what is the account holder's name?"
        REPLACEMENT = "replacement", "shall it replace this month's?"

    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="dialogue")
    expecting = models.CharField(max_length=20, choices=Expecting, blank=True)
    submission = models.ForeignKey(Submission, models.SET_NULL, null=True)
    account_number = models.CharField(
        max_length=40, blank=True, help_text="as claimed, while the name is asked for"
    )
    misunderstandings = models.PositiveSmallIntegerField(default=0, help_text="in a row")
    since = models.DateTimeField(default=timezone.now)

    def expect(
        self, what: str, *, at: datetime, submission: Submission | None = None, account_number: str = ""
    ) -> None:
        """From now on the next message answers this; a message that was understood ends a row of misunderstandings."""
        self.expecting, self.since, self.misunderstandings = what, at, 0
        self.submission, self.account_number = submission, account_number
        self.save()

    def misunderstand(self) -> int:
        """One more message in a row that made no sense to the machine; how many it is now."""
        self.misunderstandings += 1
        self.save(update_fields=["misunderstandings"])
        return self.misunderstandings


class Handling(models.Model):
    """An incoming message was handled: the mark by which a job that runs twice knows."""

    incoming = models.OneToOneField(Incoming, models.CASCADE, related_name="handling")
    at = models.DateTimeField()
    trouble = models.TextField(blank=True, help_text="the error for which the machine gave it to a person")


class IdentityAttempt(models.Model):
    """A try at proving an account by its number and name; few are allowed (see ``identity.py``)."""

    identifier = models.CharField(max_length=200, db_index=True)
    at = models.DateTimeField(default=timezone.now)
    account_number = models.CharField(max_length=40)
    succeeded = models.BooleanField()


class WorkerPulse(models.Model):
    """A worker process that said lately that it lives. Old ones are swept when another beats."""

    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    queues = ArrayField(models.CharField(max_length=20))
    model = models.CharField(
        max_length=100, blank=True, help_text="the reader it has loaded, where it serves vision"
    )
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "pid"], name="pulse_once_a_process")]

    @classmethod
    def beat(cls, *, host: str, pid: int, queues: list[str], model: str) -> None:
        now = timezone.now()
        cls.objects.update_or_create(
            host=host, pid=pid, defaults={"queues": queues, "model": model, "at": now}
        )
        cls.objects.filter(at__lt=now - timedelta(hours=1)).delete()

    @classmethod
    def living(cls) -> models.QuerySet["WorkerPulse"]:
        return cls.objects.filter(at__gt=timezone.now() - PULSE_LASTS)
