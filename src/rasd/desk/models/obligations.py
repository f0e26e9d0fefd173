from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rasd.desk import hours
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.queues import Matter, Queue
from rasd.ledger.models import record

PLACE = ("queue_id", "owner_id", "owner_until", "allowance", "spent", "running_since", "due_at")
"""The fields that say whose something is, and by when."""


class Obligation(models.Model):
    """Something is owed, by this person or queue, by this time (G7, G9).

    Its clock counts the queue's working time; it stands still while it is the customer's turn. Whatever changes who owes or
    by when is an entry of the ledger, from which alone the account of employees is drawn (G12).
    """

    class Kind(models.TextChoices):
        ANSWER = "answer", _("an answer to a message")
        PROMISE = "promise", _("what an employee promised")
        WORK = "work", _("work on a case")

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.ANSWER)
    message = models.OneToOneField(
        Message,
        models.PROTECT,
        null=True,
        related_name="obligation",
        help_text="the first one unanswered; the one that promises; none for work",
    )
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="obligations")
    case = models.ForeignKey("desk.Case", models.CASCADE, null=True, related_name="obligations")
    matter = models.CharField(max_length=20, choices=Matter, blank=True)
    words = models.CharField(max_length=300, blank=True, help_text="what was promised, or is to be done")
    queue = models.ForeignKey(Queue, models.PROTECT)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    owner_until = models.DateTimeField(
        null=True,
        help_text="when the owner's shift ends and it goes back to the queue; null: it does not end",
    )
    since = models.DateTimeField()
    allowance = models.DurationField(default=timedelta, help_text="of the queue's working time")
    spent = models.DurationField(
        default=timedelta, help_text="of the allowance, before the clock last began to run"
    )
    running_since = models.DateTimeField(null=True, help_text="null: the clock stands still")
    due_at = models.DateTimeField(help_text="while the clock stands still: when it would have been due")
    discharged_at = models.DateTimeField(null=True)
    discharged_by = models.OneToOneField(Message, models.PROTECT, null=True, related_name="discharges")
    waived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="who said that it needs no answer",
    )
    next_message = models.ForeignKey(
        Message,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="the first that came after the answer was written and before it was out",
    )

    class Meta:
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(discharged_at__isnull=True, kind="answer"),
                name="one_answer_owed_a_conversation",
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(discharged_at__isnull=True, kind="work"),
                name="one_work_owed_a_case",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "due_at"], name="owed_by_queue", condition=Q(discharged_at__isnull=True)
            ),
            models.Index(
                fields=["owner", "due_at"], name="owed_by_owner", condition=Q(discharged_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"obligation:{self.pk}"

    @classmethod
    def begin(
        cls,
        *,
        queue: Queue,
        since: datetime,
        actor: str,
        allowance: timedelta | None = None,
        due_at: datetime | None = None,
        **what: Any,
    ) -> "Obligation":
        """It is owed from ``since`` on, by ``queue``; within its target unless ``allowance`` says otherwise, or a moment
        ``due_at`` was promised."""
        conversation = what.get("conversation")
        if due_at is not None:
            allowance = hours.between(queue.hours, since, due_at)
        elif allowance is None:
            allowance = queue.target(conversation.line if conversation else None, what.get("matter", ""))
        due = due_at or queue.due(since, allowance)
        with transaction.atomic():
            owed = cls.objects.create(
                queue=queue, since=since, allowance=allowance, running_since=since, due_at=due, **what
            )
            owed._record("obligation.owed", actor, at=since)
            return owed

    # The clock.

    def pause(self, *, at: datetime, actor: str) -> None:
        """It is the customer's turn: the clock stands still."""
        if self.running_since is None or self.discharged_at:
            return
        with transaction.atomic():
            self.spent += hours.between(self.queue.hours, self.running_since, at)
            self.running_since = None
            self.save(update_fields=["spent", "running_since"])
            self._record("obligation.paused", actor, at=at)

    def resume(self, *, at: datetime, actor: str) -> None:
        """It is our turn again: the rest of the time runs from now."""
        if self.running_since is not None or self.discharged_at:
            return
        with transaction.atomic():
            self.running_since = at
            self.due_at = self.queue.due(at, self.allowance - self.spent)
            self.save(update_fields=["running_since", "due_at"])
            self._record("obligation.resumed", actor, at=at)

    # Whose it is.

    def give(
        self,
        owner: User | None,
        *,
        at: datetime,
        actor: str,
        until: datetime | None = None,
        why: str = "",
    ) -> None:
        """``owner`` owes it from now on; None: whoever serves the queue."""
        if self.owner == owner and self.owner_until == until:
            return
        with transaction.atomic():
            changed = self.owner != owner
            self.owner, self.owner_until = owner, until
            self.save(update_fields=["owner", "owner_until"])
            if changed:
                self._record("obligation.given", actor, at=at, why=why)

    def move(self, queue: Queue, *, at: datetime, actor: str, why: str = "") -> None:
        """Other people owe it from now on, by the earlier of the two times."""
        if queue == self.queue:
            return
        with transaction.atomic():
            line = self.conversation.line if self.conversation else None
            if self.running_since is not None:
                self.spent += hours.between(self.queue.hours, self.running_since, at)
                self.running_since = at
            self.allowance = min(self.allowance, self.spent + queue.target(line, self.matter))
            self.due_at = min(self.due_at, queue.due(at, self.allowance - self.spent))
            self.queue, self.owner, self.owner_until = queue, None, None
            self.save(
                update_fields=[
                    "queue",
                    "due_at",
                    "spent",
                    "running_since",
                    "allowance",
                    "owner",
                    "owner_until",
                ]
            )
            self._record("obligation.moved", actor, at=at, why=why)

    @property
    def place(self) -> dict[str, str | None]:
        """Where it lies and how its clock stands, in plain text, for :meth:`put_back`."""
        values = {name: getattr(self, name) for name in PLACE}
        return {name: None if value is None else str(value) for name, value in values.items()}

    def put_back(self, place: dict[str, str | None], *, at: datetime, actor: str) -> None:
        """Undoes a giving or a moving of a moment ago: whose it was, by the time that it had, as if its clock had run on."""
        if self.discharged_at:
            return
        with transaction.atomic():
            runs = self.running_since is not None
            for name, text in place.items():
                setattr(self, name, self._meta.get_field(name).to_python(text))
            if not runs:
                self.running_since = None
            self.save(update_fields=list(PLACE))
            self.refresh_from_db(fields=["queue", "owner"])
            self._record("obligation.moved", actor, at=at, why="taken back")

    # How it ends.

    def answer_with(self, message: Message) -> None:
        """``message`` is the answer; it discharges once the customer could receive it (G7)."""
        self.discharged_by = message
        self.save(update_fields=["discharged_by"])
        self.settle()

    def settle(self) -> None:
        """Discharged where the answer could be received, owed again where the channel could not deliver it after all."""
        answer = self.discharged_by.outgoing if self.discharged_by else None
        if answer is None:
            return
        with transaction.atomic():
            if answer.could_be_received and self.discharged_at is None:
                at = answer.accepted_at or answer.created_at
                self._end(at, actor=_who_wrote(self.discharged_by), action="obligation.answered")
                if self.next_message and self.conversation:
                    self.conversation.owe_from(self.next_message, self.queue)
            elif not answer.could_be_received and self.discharged_at and self._may_stand_again():
                self.discharged_at = None
                self.running_since = self.since
                self.spent = timedelta()
                self.save(update_fields=["discharged_at", "running_since", "spent"])
                self._record(
                    "obligation.owed_again",
                    f"machine:{answer.line.channel}",
                    at=answer.failed_at or self.since,
                    why="the channel could not deliver the answer",
                )

    def waive(self, *, by: User, at: datetime, why: str = "") -> None:
        """An employee says that it needs no answer."""
        with transaction.atomic():
            self.waived_by = by
            self.save(update_fields=["waived_by"])
            self._end(at, actor=f"user:{by.get_username()}", action="obligation.waived", why=why)

    def done(self, *, at: datetime, actor: str, why: str = "") -> None:
        """Work that is done, or a promise that was kept otherwise than by a message."""
        self._end(at, actor=actor, action="obligation.done", why=why)

    def spent_at(self, at: datetime) -> timedelta:
        """How much of its allowance had passed at ``at``, in its queue's working time; more than all of it where it is late."""
        if self.running_since is None:
            return self.spent
        return self.spent + hours.between(self.queue.hours, self.running_since, at)

    def is_late(self, at: datetime) -> bool:
        """Whether its time is over, or was when it was discharged; never while its clock stands still."""
        if self.discharged_at:
            return self.discharged_at > self.due_at
        return self.running_since is not None and at > self.due_at

    def _end(self, at: datetime, *, actor: str, action: str, why: str = "") -> None:
        with transaction.atomic():
            if self.running_since is not None:
                self.spent += hours.between(self.queue.hours, self.running_since, at)
            self.discharged_at, self.running_since = at, None
            self.save(update_fields=["discharged_at", "running_since", "spent"])
            self._record(action, actor, at=at, why=why)

    def _may_stand_again(self) -> bool:
        """A later one stands for both."""
        return self.conversation is None or self.conversation.owed is None

    def _record(self, action: str, actor: str, *, at: datetime, why: str = "") -> None:
        """All that the account of employees needs, so that it needs nothing but the ledger."""
        record(
            actor,
            action,
            str(self),
            at=at,
            why=why,
            facts={
                "kind": str(self.kind),
                "matter": self.matter,
                "queue": self.queue.name,
                "owner": self.owner.get_username() if self.owner else None,
                "line": self.conversation.line.name if self.conversation else None,
                "conversation": self.conversation_id,
                "case": self.case_id,
                "message": self.message_id,
                "answer": self.discharged_by_id,
                "since": self.since,
                "due_at": self.due_at,
                "spent": self.spent_at(at).total_seconds(),
                "allowance": self.allowance.total_seconds(),
            },
        )


def _who_wrote(message: Message | None) -> str:
    return f"user:{message.author.get_username()}" if message and message.author else "machine:flows"
