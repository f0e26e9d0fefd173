from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.indexes import BrinIndex
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Outgoing, lines_of
from rasd.desk import hours, signals
from rasd.desk.errors import NotTheirLine, NotWaivable
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.queues import Matter, Queue
from rasd.desk.models.roster import Roster
from rasd.desk.models.staff import Absence, Employee
from rasd.ledger.models import Entry, actor_of, record

if TYPE_CHECKING:
    from rasd.desk.models.notices import EscalationStep

PLACE = (
    "queue_id",
    "fell_from_id",
    "owner_id",
    "owner_until",
    "allowance",
    "spent",
    "running_since",
    "due_at",
)
"""The fields that say whose something is, and by when."""


DUE_SOON = timedelta(minutes=10)
"""Before the moment promised: about when it is to be kept now, as who owes it is warned (:meth:`EscalationStep.usual`)."""


class Obligations(models.QuerySet["Obligation"]):
    """What is owed, asked in the words of the desk."""

    def open(self) -> Self:
        return self.filter(discharged_at=None)

    def waiting(self) -> Self:
        """For a person: open, with nobody in particular, the clock running, and no answer on its way out."""
        return self.open().filter(owner=None, running_since__isnull=False).not_answered()

    def not_answered(self) -> Self:
        """Without those whose answer is on its way out."""
        return self.exclude(discharged_by__outgoing__isnull=False, discharged_by__outgoing__failed_at=None)

    def with_language(self) -> Self:
        """Each with ``language``, the customer's, empty for what is not a customer's; and ``line``, None of a case without a
        conversation."""
        return self.annotate(
            language=Coalesce("conversation__language", "case__language", Value("")),
            line=Coalesce("conversation__line", "case__conversation__line"),
        )

    def in_nobodys_hands(self, at: datetime) -> Self:
        """Open, and with a person who is not at work or does not see its line, or in a queue that nobody serves (G7): always to
        be empty.

        Who serves a queue is worked out from calendars; which obligations lie there, and whose shift is over, is one
        question to the database.
        """
        away = Absence.objects.filter(employee__user=OuterRef("owner"), begins_at__lte=at, ends_at__gt=at)
        gone = Q(owner_until__lte=at) | Q(owner__is_active=False) | Q(owner__employee__left_at__lte=at)
        limbo = Q(gone | Q(Exists(away)), owner__isnull=False)
        open_ = self.open().with_language()
        roster = Roster(at)
        for lines, users in roster.limited():
            limbo |= Q(owner__in=users, line__isnull=False) & ~Q(line__in=lines)
        places = open_.filter(owner=None).order_by().values_list("queue", "language", "line").distinct()
        for queue_id, language, line in places:
            if not roster.is_served(roster.queues[queue_id], language, line):
                of_line = Q(line__isnull=True) if line is None else Q(line=line)
                limbo |= Q(of_line, owner=None, queue=queue_id, language=language)
        return open_.filter(limbo)


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
    fell_from = models.ForeignKey(
        Queue,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="whose it is, while nobody serves that queue: it goes back there when somebody does",
    )
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
    discharged_by = models.ForeignKey(
        Message,
        models.PROTECT,
        null=True,
        related_name="discharges",
        help_text="one answer may keep a promise too, and close a case",
    )
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
    next_step_at = models.DateTimeField(
        null=True, help_text="when the next step of warning or escalation is to be taken"
    )

    objects = Obligations.as_manager()

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
            models.Index(
                fields=["next_step_at"],
                name="owed_with_a_step_to_take",
                condition=Q(discharged_at__isnull=True, next_step_at__isnull=False),
            ),
            # A day's, or those of eight weekdays, without reading all years: rows lie on disk nearly in this order.
            BrinIndex(fields=["since", "discharged_at"], name="owed_by_day"),
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
        """It is owed from ``since`` on, by ``queue``.

        Args:
            allowance: of the queue's working time; by default its target.
            due_at: for a promise, the moment that was promised, whatever the queue's hours are.
        """
        conversation = what.get("conversation")
        if due_at is not None:
            allowance = hours.between(queue.hours, since, due_at)
        elif allowance is None:
            allowance = queue.target(conversation.line if conversation else None, what.get("matter", ""))
        with transaction.atomic():
            owed = cls.objects.create(
                queue=queue,
                since=since,
                allowance=allowance,
                running_since=since,
                due_at=due_at or queue.due(since, allowance),
                **what,
            )
            owed._record("obligation.owed", actor, at=since)
            return owed

    @classmethod
    def hold(cls, pk: int, *, wait: bool = True) -> "Obligation | None":
        """As it is now, and nobody else's to change until the caller's transaction ends.

        What is changed about one conversation or case is changed by one after the other: its row is locked first, the
        obligation's next, the ledger's chain last; a case's conversation before the case. Who already has the chain must not
        come here: it is a deadlock.

        Args:
            wait: else None, at once, where somebody else is at it.
        """
        of_case = Conversation.objects.filter(cases__obligations=pk)
        cases = cls._meta.get_field("case").related_model.objects  # type: ignore[union-attr]
        for rows in (Conversation.objects.filter(obligations=pk), of_case, cases.filter(obligations=pk)):
            locked = rows.select_for_update(of=("self",), no_key=True, skip_locked=not wait)
            if not locked.exists() and rows.exists():
                return None
        rows = cls.objects.select_related("queue", "owner", "conversation__line")
        return rows.select_for_update(of=("self",), no_key=True, skip_locked=not wait).filter(pk=pk).first()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Around every change: nobody else's meanwhile, and as it is now, not as it was when somebody read it."""
        with transaction.atomic():
            if self.hold(self.pk) is None:
                raise Obligation.DoesNotExist(f"{self} is gone")
            self.refresh_from_db()
            self._lay_with = (self.owner_id, self.queue_id)
            yield

    # The clock.

    def pause(self, *, at: datetime, actor: str) -> None:
        """It is the customer's turn: the clock stands still. That of a promise does not: it was given for a moment."""
        with self._changing():
            if self.running_since is None or self.discharged_at or self.kind == self.Kind.PROMISE:
                return
            self.spent += hours.between(self.queue.hours, self.running_since, at)
            self.running_since = None
            self.save(update_fields=["spent", "running_since"])
            self._record("obligation.paused", actor, at=at)

    def resume(self, *, at: datetime, actor: str) -> None:
        """It is our turn again: the rest of the time runs from now."""
        with self._changing():
            if self.running_since is not None or self.discharged_at:
                return
            self.running_since = at
            self.due_at = self.queue.due(at, self.allowance - self.spent)
            self.save(update_fields=["running_since", "due_at"])
            self._record("obligation.resumed", actor, at=at)

    def recount(
        self, *, at: datetime, actor: str, why: str = "", before: hours.Working | None = None
    ) -> bool:
        """Its queue's hours were changed: due by those that stand now. What was promised for a moment stays, and so does
        whatever is with the customer, whose rest is counted when it comes back.

        Args:
            before: the hours as they were. Something that was due earlier than they made it came from another queue with
                that time (see :meth:`move`), and is not put off.
        """
        with self._changing():
            if self.discharged_at or self.running_since is None or self.kind == self.Kind.PROMISE:
                return False
            left = self.allowance - self.spent
            due = self.queue.due(self.running_since, left)
            if before is not None and self.due_at < hours.due(before, self.running_since, left):
                due = min(due, self.due_at)
            if due == self.due_at:
                return False
            self.due_at = due
            self.save(update_fields=["due_at"])
            self._record("obligation.recounted", actor, at=at, why=why)
            return True

    def retarget(self, matter: str, *, at: datetime, actor: str) -> None:
        """Somebody says what it is about: due by its queue's time for ``matter``, counted from when it began.

        Never by more time than it began with, which the customer may have been told; and what is late stays late. Where the
        new time is over already, whoever has it is not late by that: the account counts it as inherited. An answer only: a
        promise was given for a moment, and what is owed on a case is about what the case is about.
        """
        with self._changing():
            if self.discharged_at or self.kind != self.Kind.ANSWER or self.case_id or matter == self.matter:
                return
            before, self.matter = self.matter, matter
            if not self.is_late(at) and self.spent <= self.allowance:
                self._take_time_of(matter)
            self.save(update_fields=["matter", "allowance", "due_at"])
            self._record("obligation.retargeted", actor, at=at, matter_before=before)

    def _take_time_of(self, matter: str) -> None:
        line = self.conversation.line if self.conversation else None
        was, self.allowance = self.allowance, min(self.queue.target(line, matter), self._began_with)
        if self.running_since is None:
            return  # due when it is our turn again
        begun, now = (
            self.queue.due(self.running_since, max(timedelta(), allowance - self.spent))
            for allowance in (was, self.allowance)
        )
        # Due earlier than that: from another queue, whose time it kept (see :meth:`move`).
        self.due_at = min(now, self.due_at) if self.due_at < begun else now

    @property
    def _began_with(self) -> timedelta:
        """The allowance with which it began, as the ledger tells it; the present one of what is older than such entries."""
        entries = Entry.objects.filter(subject=str(self), action="obligation.owed").order_by("number")
        first = entries.values_list("facts__allowance", flat=True).first()
        return self.allowance if first is None else timedelta(seconds=first)

    # Whose it is.

    @property
    def home(self) -> Queue:
        """The queue whose it is, wherever it lies while nobody serves that one."""
        return self.fell_from or self.queue

    def give(
        self,
        owner: User | None,
        *,
        at: datetime,
        actor: str,
        until: datetime | None = None,
        why: str = "",
    ) -> None:
        """``owner`` owes it from now on; None: whoever serves the queue. Nothing where it is discharged already.

        Args:
            until: for who knows it already, when the owner's present shift ends.

        Raises:
            NotOnShift: an employee who is not on shift cannot look at it.
        """
        employee = Employee.of(owner) if owner and until is None else None
        until = employee.shift_end(at) if employee else until
        with self._changing():
            changed = self.owner != owner
            if self.discharged_at or (not changed and self.owner_until == until):
                return
            self.owner, self.owner_until = owner, until
            self.save(update_fields=["owner", "owner_until"])
            if changed:
                if owner and actor != actor_of(owner):
                    self._tell(owner, at)
                self._record("obligation.given", actor, at=at, why=why)
            else:
                self._tell_of("obligation.given")

    def move(self, queue: Queue, *, at: datetime, actor: str, why: str = "", falls: bool = False) -> None:
        """Other people owe it from now on, by the earlier of the two times; a promise by the moment that was promised.

        Args:
            falls: nobody serves its own queue, to which it goes back when somebody does.
        """
        with self._changing():
            home = self.home if falls and self.home != queue else None
            if self.discharged_at or (queue == self.queue and home == self.fell_from):
                return
            line = self.conversation.line if self.conversation else None
            if self.running_since is not None:
                self.spent += hours.between(self.queue.hours, self.running_since, at)
                self.running_since = at
            self.allowance = min(self.allowance, self.spent + queue.target(line, self.matter))
            if self.kind != self.Kind.PROMISE:
                self.due_at = min(self.due_at, queue.due(at, self.allowance - self.spent))
            if queue != self.queue:
                self.owner, self.owner_until = None, None
            self.queue, self.fell_from = queue, home
            self.save()
            self._record("obligation.moved", actor, at=at, why=why)

    def hand_on(
        self, queue: Queue | None = None, *, owner: User | None, at: datetime, actor: str, why: str = ""
    ) -> None:
        """Somebody hands it on: to ``owner``, or to whoever serves ``queue``; None: the queue in which it lies. The one way for
        people; a case's work goes with what else is owed on the case, and is a line of its history (see :meth:`Case.hand_on`).

        Raises:
            NotOnShift: ``owner`` is not there now.
            NotTheirLine: ``owner`` is limited to other lines: it would be taken back within a minute.
        """
        if owner is not None:
            self.must_be_seen_by(owner)
        if self.case is not None and self.kind == self.Kind.WORK:
            self.case.hand_on(queue, owner=owner, at=at, actor=actor, why=why)
            self.refresh_from_db()
            return
        with self._changing():
            if queue is not None:
                self.move(queue, at=at, actor=actor, why=why)
            self.give(owner, at=at, actor=actor, why=why)

    def must_be_seen_by(self, user: User) -> None:
        """Raises NotTheirLine where ``user`` would not find it."""
        from rasd.desk.sight import seen

        if lines_of(user) is not None and not seen(Obligation.objects.filter(pk=self.pk), user).exists():
            raise NotTheirLine(user)

    @property
    def place(self) -> dict[str, str | None]:
        """Where it lies and how its clock stands, in plain text, for :meth:`put_back`."""
        values = {name: getattr(self, name) for name in PLACE}
        return {name: None if value is None else str(value) for name, value in values.items()}

    def put_back(self, place: dict[str, str | None], *, at: datetime, actor: str) -> None:
        """Undoes a giving or a moving of a moment ago: whose it was, by the time that it had, as if its clock had run on."""
        with self._changing():
            if self.discharged_at:
                return
            runs = self.running_since is not None
            for name, text in place.items():
                setattr(self, name, self._meta.get_field(name).to_python(text))  # type: ignore[union-attr]
            if not runs:
                self.running_since = None
            self.save(update_fields=list(PLACE))
            self.refresh_from_db(fields=["queue", "owner"])
            self._record("obligation.moved", actor, at=at, why="taken back")

    # How it ends.

    def answer_with(self, message: Message) -> None:
        """``message`` is the answer; it discharges once the customer could receive it (G7)."""
        with self._changing():
            if self.discharged_at is None:
                self.discharged_by = message
                self.save(update_fields=["discharged_by"])
        self.settle()

    def settle(self) -> None:
        """Discharged where the answer could be received, owed again where the channel could not deliver it after all."""
        with self._changing():
            answer = self.discharged_by.outgoing if self.discharged_by else None
            if answer is None:
                return
            if answer.could_be_received and self.discharged_at is None:
                at = answer.accepted_at or answer.created_at
                self._end(at, actor=_who_wrote(self.discharged_by), action="obligation.answered")
                if self.next_message and self.conversation:
                    self.conversation.owe_from(self.next_message, self.home)
            elif not answer.could_be_received and self.discharged_at and self._may_stand_again():
                # Its clock never stood: what was the customer's turn before stays his.
                self.running_since, self.discharged_at = self.discharged_at, None
                self.save(update_fields=["discharged_at", "running_since"])
                self._record(
                    "obligation.owed_again",
                    f"machine:{answer.line.channel}",
                    at=answer.failed_at or self.since,
                    why="the channel could not deliver the answer",
                )
                self._tell_that_it_failed(answer)
            elif answer.failed_at and self.discharged_at is None:
                self._tell_of(
                    "obligation.owed_again"
                )  # it was never out, so no entry: but somebody must write another
                self._tell_that_it_failed(answer)

    def _tell_that_it_failed(self, answer: Outgoing) -> None:
        """Once: whoever owes it, else who wrote it. What is owed on a case is told by the case."""
        from rasd.desk.models.notices import Notice

        user = self.owner or (self.discharged_by.author if self.discharged_by else None)
        failed_at = answer.failed_at or self.since
        told = self.notices.filter(kind=Notice.Kind.FAILED, at=failed_at)
        if user is not None and self.kind != self.Kind.WORK and not told.exists():
            Notice.tell(user, Notice.Kind.FAILED, at=failed_at, obligation=self)

    def waive(self, *, by: User, at: datetime, why: str = "") -> None:
        """An employee says that it needs no answer.

        Raises:
            NotWaivable: it is no answer: a promise is kept, and work on a case ends with its closing answer.
        """
        if self.kind != self.Kind.ANSWER:
            raise NotWaivable(self)
        with self._changing():
            if self.discharged_at is None:
                self.waived_by = by
                self.save(update_fields=["waived_by"])
                self._end(at, actor=actor_of(by), action="obligation.waived", why=why)

    def unwaive(self, *, by: User, at: datetime) -> None:
        """It was a mistake: it is owed as before, its clock never having stood. Nothing where a later one stands for both."""
        with self._changing():
            if self.waived_by is None or self.discharged_at is None or not self._may_stand_again():
                return
            self.waived_by, self.running_since, self.discharged_at = None, self.discharged_at, None
            self.save(update_fields=["waived_by", "running_since", "discharged_at"])
            self._record("obligation.owed_again", actor_of(by), at=at, why="taken back")

    def keep(self, *, by: User, at: datetime, why: str) -> None:
        """A promise was kept otherwise than by a message: by a visit, on the telephone. ``why`` says how, in the ledger.

        Raises:
            ValueError: it is no promise, or nobody says how.
        """
        if self.kind != self.Kind.PROMISE:
            raise ValueError(f"{self} is no promise: an answer is sent or waived, work ends with its case")
        if not why.strip():
            raise ValueError("why: empty; say how it was kept")
        self.done(at=at, actor=actor_of(by), why=why.strip())

    def done(self, *, at: datetime, actor: str, why: str = "") -> None:
        """Work that is done, or a promise that was kept otherwise than by a message."""
        with self._changing():
            if self.discharged_at is None:
                self._end(at, actor=actor, action="obligation.done", why=why)

    def is_to_be_kept_by(self, user: User, at: datetime) -> bool:
        """Of a promise: whether ``user``, who made it or owes it, would be expected to keep it with what he writes now."""
        made_by = self.message.author_id if self.message else None
        return user.pk in {self.owner_id, made_by} and at >= self.due_at - DUE_SOON

    def is_late(self, at: datetime) -> bool:
        """Whether its time is over, or was when it was discharged; never while its clock stands still."""
        if self.discharged_at:
            return self.discharged_at > self.due_at
        return self.running_since is not None and at > self.due_at

    def spent_at(self, at: datetime) -> timedelta:
        """How much of its allowance had passed at ``at``, in its queue's working time; more than all of it where it is late."""
        if self.running_since is None:
            return self.spent
        return self.spent + hours.between(self.queue.hours, self.running_since, at)

    def _end(self, at: datetime, *, actor: str, action: str, why: str = "") -> None:
        if self.running_since is not None:
            self.spent += hours.between(self.queue.hours, self.running_since, at)
        self.discharged_at, self.running_since = at, None
        self.save(update_fields=["discharged_at", "running_since", "spent"])
        self._record(action, actor, at=at, why=why)

    def _may_stand_again(self) -> bool:
        """A later one stands for both."""
        if self.kind == self.Kind.ANSWER and self.conversation:
            return self.conversation.owed is None
        if self.kind == self.Kind.WORK and self.case:
            return not self.case.obligations.open().filter(kind=self.Kind.WORK).exists()
        return True

    def steps_to_take(self) -> "models.QuerySet[EscalationStep]":
        """Those of its queue that were not taken yet for the time that it has now."""
        taken = self.escalations.filter(due_at=self.due_at)
        return self.queue.escalation_steps.exclude(pk__in=taken.values("step"))

    def plan_next_step(self) -> None:
        """Work out ``next_step_at`` anew: its time, its queue or the queue's steps are others."""
        runs = self.running_since is not None and self.discharged_at is None
        moments = [step.moment(self) for step in self.steps_to_take()] if runs else []
        planned = min(moments, default=None)
        if planned != self.next_step_at:
            self.next_step_at = planned
            self.save(update_fields=["next_step_at"])

    def record_step(self, step: "EscalationStep", told: list[User], *, at: datetime, actor: str) -> None:
        """People were warned before its time, or told after it."""
        action = "obligation.warned" if step.after < timedelta() else "obligation.escalated"
        names = [user.get_username() for user in told]
        role = step.role.name if step.role else ""
        self._record(action, actor, at=at, told=names, role=role, by_email=step.by_email)

    def _tell(self, owner: User, at: datetime) -> None:
        from rasd.desk.models.notices import Notice

        Notice.tell(owner, Notice.Kind.GIVEN, at=at, obligation=self)

    def _tell_of(self, action: str) -> None:
        before = getattr(self, "_lay_with", None)
        signals.obligation_changed.send(Obligation, obligation=self, action=action, before=before)

    def _record(self, action: str, actor: str, *, at: datetime, why: str = "", **more: Any) -> None:
        """All that the account of employees needs, so that it needs nothing but the ledger."""
        conversation = self.conversation or (self.case.conversation if self.case else None)
        self.plan_next_step()
        self._tell_of(action)
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
                "line": conversation.line.name if conversation else None,
                "conversation": self.conversation_id,
                "case": self.case_id,
                "message": self.message_id,
                "answer": self.discharged_by_id,
                "since": self.since,
                "due_at": self.due_at,
                "spent": self.spent_at(at).total_seconds(),
                "allowance": self.allowance.total_seconds(),
                **more,
            },
        )


def _who_wrote(message: Message | None) -> str:
    return actor_of(message.author) if message and message.author else "machine:flows"
