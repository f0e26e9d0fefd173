from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rasd.desk import signals
from rasd.desk.errors import CannotReceive as CannotReceive
from rasd.desk.errors import NotInThisStage as NotInThisStage
from rasd.desk.models import case_closing, case_hearing, case_opening, case_saying, case_work
from rasd.desk.models.case_kinds import CaseKind
from rasd.desk.models.case_queries import CaseQuerySet
from rasd.desk.models.case_records import (
    REOPENS_WITHIN,
    TITLE_MAX,
    CaseEntry,
    FormerToken,
    Rating,
    new_token,
)
from rasd.desk.models.contacts import Contact
from rasd.desk.models.conversations import Conversation
from rasd.desk.models.obligations import Obligation
from rasd.desk.models.queues import Queue
from rasd.ledger.models import actor_of, record


class Case(models.Model):
    """A matter that is not over with one answer. Its work is an obligation (G9): owner, time and clock are there.

    Every change is a line of its history (:class:`CaseEntry`) and an entry of the ledger, ``case.`` and the line's kind.
    """

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
        MONTH = "month", _("by what the reading month found")

    class Turn(models.TextChoices):
        OURS = "ours", _("ours")
        CUSTOMER = "customer", _("the customer's")
        NOBODY = "nobody", _("nobody's: it is closed")

    reference = models.CharField(
        max_length=20, unique=True, help_text="as customers and staff call it: 26-000123"
    )
    token = models.CharField(
        max_length=40, unique=True, default=new_token, help_text="of the customer's page /t/TOKEN"
    )
    title = models.CharField(_("title"), max_length=TITLE_MAX, help_text=_("The customer sees it."))
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
    closing_answer = models.OneToOneField(
        CaseEntry,
        models.PROTECT,
        null=True,
        related_name="closes",
        help_text="the written answer that closes it, or will once the channel has taken it",
    )
    page_known_at = models.DateTimeField(
        null=True,
        help_text="since when the customer is known to have the page: he wrote there, or an employee gave him its address",
    )
    repeats = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="repeated_by",
        help_text="the same matter, closed a short while before",
    )

    objects = CaseQuerySet.as_manager()

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

    open = classmethod(case_opening.open_case)

    # Where it stands.

    @property
    def work(self) -> Obligation | None:
        """What is owed on it: owner, queue, due time and clock; None once it is closed."""
        owed = self.obligations.filter(kind=Obligation.Kind.WORK, discharged_at=None)
        return owed.select_related("queue", "owner").first()

    @property
    def answer_owed(self) -> Obligation | None:
        """An answer to what the customer wrote on the page, if one is owed; what he wrote in the conversation is owed there."""
        return self.obligations.filter(kind=Obligation.Kind.ANSWER, discharged_at=None).first()

    @property
    def whose_turn(self) -> "Case.Turn":
        if self.stage == self.Stage.CLOSED:
            return self.Turn.NOBODY
        return self.Turn.CUSTOMER if self.stage == self.Stage.CUSTOMER else self.Turn.OURS

    @property
    def url(self) -> str:
        """The path of the customer's page."""
        return reverse("portal:case", args=[self.token])

    @property
    def public_url(self) -> str:
        """Whole, for the customer to open; empty where the address of this site is not set (``RASD_PUBLIC_URL``)."""
        return f"{settings.PUBLIC_URL}{self.url}" if settings.PUBLIC_URL else ""

    @property
    def was_solved(self) -> bool:
        """See :meth:`CaseQuerySet.solved`."""
        return Case.objects.solved().filter(pk=self.pk).exists()

    def may_reopen(self, at: datetime) -> bool:
        """Whether a reply reopens it, or, too long after its closing, is a new case."""
        return self.reopens_until is not None and at <= self.reopens_until

    @property
    def reopens_until(self) -> datetime | None:
        return self.closed_at + REOPENS_WITHIN if self.closed_at else None

    def public_entries(self) -> models.QuerySet[CaseEntry]:
        """What the customer may see of its history."""
        return self.entries.filter(is_public=True)

    # What staff do.

    def take_up(self, *, at: datetime, actor: str) -> None:
        """It is worked on from now on, by ``actor`` where that is an employee.

        Raises:
            NotInThisStage: it is answered or closed.
            NotOnShift: an employee who is not on shift takes nothing up.
        """
        with self._held():
            self._must_be_in(self.Stage.OPEN, self.Stage.WORKING, self.Stage.CUSTOMER)
            work = self._standing_work()
            work.resume(at=at, actor=actor)
            if (user := case_work.user_of(actor)) and work.owner != user:
                work.give(user, at=at, actor=actor)
            self._go(self.Stage.WORKING, at=at, actor=actor)

    def wait_for_customer(self, *, at: datetime, actor: str) -> None:
        """It is the customer's turn: the clock stands still until he writes or somebody takes it up.

        Raises:
            NotInThisStage: it is answered or closed.
        """
        with self._held():
            self._must_be_in(self.Stage.OPEN, self.Stage.WORKING, self.Stage.CUSTOMER)
            self._standing_work().pause(at=at, actor=actor)
            self._go(self.Stage.CUSTOMER, at=at, actor=actor)

    def hand_on(
        self, queue: Queue | None = None, *, owner: User | None = None, at: datetime, actor: str, why: str
    ) -> None:
        """Its work is another queue's (None: stays in its own), and ``owner``'s in it where one is named; what is owed to the
        customer on its page goes with it. ``why`` is for staff.

        Raises:
            NotInThisStage: it is closed.
            NotOnShift: ``owner`` is not there now.
            NotTheirLine: ``owner`` is limited to other lines.
        """
        with self._held():
            if self.stage == self.Stage.CLOSED:
                raise NotInThisStage("it is closed: reopen it before it is handed on")
            if owner is not None:
                self._standing_work().must_be_seen_by(owner)
            for owed in filter(None, (self._standing_work(), self.answer_owed)):
                if queue is not None:
                    owed.move(queue, at=at, actor=actor, why=why)
                owed.give(owner, at=at, actor=actor, why=why)
            queue = queue or self._standing_work().queue
            self._write(
                CaseEntry.Kind.HANDED,
                at=at,
                actor=actor,
                text=why,
                public=False,
                facts={"queue": queue.name, "owner": owner.get_username() if owner else None},
            )

    def note(self, text: str, *, author: User, at: datetime, key: str | None = None) -> CaseEntry:
        """For staff only; once for each ``key``. Raises ValueError where it is empty."""
        with self._held():
            if key is not None and (known := self._written(key)):
                return known
            return self._write(
                CaseEntry.Kind.NOTE,
                at=at,
                actor=actor_of(author),
                author=author,
                text=case_work.said(text),
                public=False,
                key=None if key is None else case_saying.entry_key(self, key),
            )

    say = case_saying.say
    said_meanwhile = case_saying.said_meanwhile
    reply_key = case_saying.reply_key
    of_reply = classmethod(case_saying.of_reply)
    show_reply = case_saying.show_reply
    in_short = case_saying.in_short

    # How it ends, and begins again.

    close = case_closing.close
    settle = case_closing.settle
    reopen = case_closing.reopen

    # What the customer does.

    @property
    def customer(self) -> str:
        """As an actor in the ledger."""
        return f"customer:{self.conversation.address.identifier if self.conversation else self}"

    hear = case_hearing.hear
    rate = case_hearing.rate

    @property
    def rating(self) -> Rating | None:
        """Of the last closing."""
        return Rating.objects.filter(case=self).order_by("closing__at", "closing_id").last()

    # Its page.

    def give_link(self, *, at: datetime, actor: str) -> None:
        """The customer has the page's address from now on: an employee gave it to him, or he was there."""
        if self.page_known_at is None:
            with transaction.atomic():
                self.page_known_at = at
                self.save(update_fields=["page_known_at"])
                self._write(
                    CaseEntry.Kind.LINK, at=at, actor=actor, public=False, why="known to the customer"
                )

    def renew_link(self, *, at: datetime, actor: str, why: str = "") -> None:
        """Another address for its page, where the old one fell into wrong hands; that one says that it was replaced."""
        with self._held():
            FormerToken.objects.create(case=self, token=self.token, replaced_at=at)
            self.token, self.page_known_at = new_token(), None
            self.save(update_fields=["token", "page_known_at"])
            self._write(CaseEntry.Kind.LINK, at=at, actor=actor, public=False, why=why or "renewed")

    # Within.

    @contextmanager
    def _held(self) -> Iterator[None]:
        """One change at a time, from what is true now. The conversation first, as everybody else locks it before a case."""
        with transaction.atomic():
            if self.conversation_id:
                Conversation.objects.select_for_update(no_key=True).get(pk=self.conversation_id)
            Case.objects.select_for_update(no_key=True).get(pk=self.pk)
            self.refresh_from_db()
            yield

    def _must_be_in(self, *stages: str) -> None:
        if self.stage not in stages:
            raise NotInThisStage(f"its stage is {self.get_stage_display()}: look at its page again")

    def _standing_work(self) -> Obligation:
        work = self.work
        if work is None:
            raise NotInThisStage("nothing is owed on it: it is closed")
        return work

    def _written(self, key: str) -> CaseEntry | None:
        """What was written in it under ``key``, see :func:`case_saying.entry_key`."""
        return self.entries.filter(key=case_saying.entry_key(self, key)).first()

    def _go(self, stage: str, *, at: datetime, actor: str) -> None:
        if stage != self.stage:
            self.stage = stage
            self.save(update_fields=["stage"])
            self._write(CaseEntry.Kind.STAGE, at=at, actor=actor, public=True, stage=stage)

    def _answered_on_the_page(self, *, at: datetime, actor: str) -> None:
        """Whoever wrote on the page has it, so what stands there he could receive (G7)."""
        if answer := self.answer_owed:
            answer.done(at=at, actor=actor, why="answered on the page")

    def _write(
        self,
        kind: str,
        *,
        at: datetime,
        actor: str,
        public: bool,
        author: User | None = None,
        why: str = "",
        facts: dict[str, Any] | None = None,
        **more: Any,
    ) -> CaseEntry:
        """A line of its history, and the ledger's entry of it: what was said stays here, as the ledger is for ever."""
        entry: CaseEntry = self.entries.create(
            kind=kind, at=at, actor=actor, author=author or case_work.user_of(actor), is_public=public, **more
        )
        record(
            actor,
            f"case.{kind}",
            str(self),
            at=at,
            why=why,
            facts={"reference": self.reference, "entry": entry.pk, "stage": str(self.stage), **(facts or {})},
        )
        signals.case_changed.send(sender=Case, case=self)
        return entry
