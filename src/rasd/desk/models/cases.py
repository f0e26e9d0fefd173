import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Outgoing
from rasd.desk import signals
from rasd.desk.errors import AnswerHeld
from rasd.desk.models import case_closing, case_work
from rasd.desk.models.case_kinds import CaseKind
from rasd.desk.models.case_queries import CaseQuerySet
from rasd.desk.models.case_records import CaseEntry, FormerToken, Rating
from rasd.desk.models.contacts import Contact
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.obligations import Obligation
from rasd.desk.models.queues import Queue
from rasd.ledger.models import record

REOPENS_WITHIN = timedelta(days=14)
"""After its closing, in which a reply reopens a case."""

REPEATS_WITHIN = timedelta(days=7)
"""After its closing, in which the same matter again counts against "solved"."""

TOKEN_LETTERS = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"  # noqa: S105 (none is taken for another)
TOKEN_LENGTH = 23
"""54 letters to the 23rd: 132 bits, which nobody guesses. No punctuation, which chats cut off the end of a link."""

TITLE_MAX = 200


def new_token() -> str:
    return "".join(secrets.choice(TOKEN_LETTERS) for _letter in range(TOKEN_LENGTH))


class NotInThisStage(Exception):
    """It cannot be done now; the message says why and what can be done instead."""


class CannotReceive(Exception):
    """The customer could not receive the answer where it was to be written (G11); the message says what can be done."""


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

    @classmethod
    def open(
        cls,
        kind: CaseKind | str,
        title: str,
        *,
        at: datetime,
        actor: str,
        origin: str,
        conversation: Conversation | None = None,
        contact: Contact | None = None,
        service_point: str = "",
        text: str = "",
        message: Message | None = None,
        key: str | None = None,
    ) -> "Case":
        """A new case, whose work is owed from ``at`` on by its kind's queue, and whose page is told to the customer.

        Args:
            kind: a kind, or its code.
            title: the customer sees it.
            text: more about it. The customer sees it where he opened it (``origin``); of others it is a note.
            message: what it grew from, where it is one message.
            key: what makes it this case: a second call with the same key gives the same one.

        Raises:
            ValueError: the title is empty or too long.
        """
        title = " ".join(title.split())
        if not 0 < len(title) <= TITLE_MAX:
            raise ValueError(
                f"title: 1 to {TITLE_MAX} characters, not {len(title)}: say in a few words what it is about"
            )
        kind = CaseKind.called(kind) if isinstance(kind, str) else kind
        if conversation is not None:
            contact = contact or conversation.contact
        with transaction.atomic():
            if conversation is not None:
                Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
            if key and (known := CaseEntry.objects.filter(key=key).first()):
                return known.case
            number = _next_number()
            case = cls.objects.create(
                pk=number,
                reference=f"{timezone.localtime(at):%y}-{number:06}",
                title=title,
                kind=kind,
                contact=contact,
                conversation=conversation,
                service_point=service_point,
                language=conversation.language if conversation else settings.LANGUAGE_CODE,
                origin=origin,
                opened_at=at,
                repeats=_closed_lately(kind, contact, service_point, at),
            )
            case_work.begin(case, at=at, actor=actor)
            case._write(
                CaseEntry.Kind.OPENED,
                at=at,
                actor=actor,
                text=text,
                public=origin == cls.Origin.CUSTOMER,
                stage=cls.Stage.OPEN,
                message=message,
                key=key,
                facts={"kind": kind.code, "origin": str(origin), "repeats": case.repeats_id},
            )
            signals.case_opened.send(sender=cls, case=case, message=message)
            return case

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
    def was_solved(self) -> bool:
        """See :meth:`CaseQuerySet.solved`."""
        return Case.objects.solved().filter(pk=self.pk).exists()

    def may_reopen(self, at: datetime) -> bool:
        """Whether a reply reopens it, or, too long after its closing, is a new case."""
        return self.closed_at is not None and at <= self.closed_at + REOPENS_WITHIN

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
            if (user := _user_of(actor)) and work.owner != user:
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

    def hand_on(self, queue: Queue, *, owner: User | None = None, at: datetime, actor: str, why: str) -> None:
        """Its work is another queue's, and ``owner``'s in it where one is named. ``why`` is for staff.

        Raises:
            NotInThisStage: it is closed.
            NotOnShift: ``owner`` is not there now.
        """
        with self._held():
            if self.stage == self.Stage.CLOSED:
                raise NotInThisStage("it is closed: reopen it before it is handed on")
            work = self._standing_work()
            work.move(queue, at=at, actor=actor, why=why)
            work.give(owner, at=at, actor=actor, why=why)
            if answer := self.answer_owed:
                answer.move(queue, at=at, actor=actor, why=why)
                answer.give(owner, at=at, actor=actor, why=why)
            self._write(
                CaseEntry.Kind.HANDED,
                at=at,
                actor=actor,
                text=why,
                public=False,
                facts={"queue": queue.name, "owner": owner.get_username() if owner else None},
            )

    def note(self, text: str, *, author: User, at: datetime) -> CaseEntry:
        """For staff only. Raises ValueError where it is empty."""
        with self._held():
            return self._write(
                CaseEntry.Kind.NOTE,
                at=at,
                actor=_actor(author),
                author=author,
                text=_said(text),
                public=False,
            )

    def say(self, text: str, *, author: User, key: str, at: datetime) -> CaseEntry:
        """To the customer: on the page, and in the conversation where there is one. Once for each ``key``.

        It answers what he wrote on either.

        Raises:
            ValueError: it is empty.
            AnswerHeld: somebody else has the conversation.
        """
        with self._held():
            if known := self._written(key):
                return known
            text, message = _said(text), None
            try:
                if self.conversation:
                    message = self.conversation.reply(text, author=author, key=f"case:{self.pk}:{key}", at=at)
            except (
                AnswerHeld
            ) as error:  # what was typed is kept as a held answer, which must not be rolled back
                held = error
            else:
                return self._write_said(text, author, message=message, key=key, at=at)
        raise held

    @classmethod
    def hear_of(cls, outgoing: Outgoing) -> None:
        """An answer written in a case that was held, as somebody else had the conversation, was sent after all: shown in it."""
        message = Message.objects.filter(outgoing=outgoing).select_related("author").first()
        _reply, _colon, rest = outgoing.key.partition(":case:")
        number, _colon, key = rest.partition(":")
        case = cls.objects.filter(pk=number).first() if number.isdigit() else None
        if message is None or message.author is None or case is None or case._written(key):
            return
        with case._held():
            case._write_said(message.words, message.author, message=message, key=key, at=message.at)

    # How it ends, and begins again.

    def close(self, text: str, *, author: User, key: str, at: datetime, on_page: bool = False) -> CaseEntry:
        """With a written answer (G11): it is closed once the customer could receive it, ``answered`` until then.

        In the conversation that is when the channel has taken it. A case without one is answered on its page, as is any
        case with ``on_page``, and the customer must be known to have that page: see :meth:`give_link`.

        Raises:
            ValueError: the text is empty or longer than the channel takes.
            NotInThisStage: it is closed, or an answer is on its way.
            CannotReceive: the customer is not known to have the page on which it would be answered.
            Claimed: somebody else is answering in the conversation.
        """
        with self._held():
            if known := self._written(key):
                return known
            self._must_be_in(self.Stage.OPEN, self.Stage.WORKING, self.Stage.CUSTOMER)
            chat = None if on_page else self.conversation
            if chat is None and self.page_known_at is None:
                raise CannotReceive(
                    "the customer could not receive this: there is no conversation to send it in, and he is not known to"
                    " have the address of the page. Give it to him and say so here, or wait until he writes there"
                )
            text = _said(text)
            message = None
            if chat is not None:
                message = case_closing.send(self, chat, text, author=author, key=key, at=at)
            self.closing_answer = entry = self._write(
                CaseEntry.Kind.CLOSING,
                at=at,
                actor=_actor(author),
                author=author,
                text=text,
                public=True,
                message=message,
                key=key,
            )
            self.stage = self.Stage.ANSWERED
            self.save(update_fields=["stage", "closing_answer"])
            self._answered_on_the_page(at=at, actor=_actor(author))
            case_closing.settle(self)
            return entry

    def settle(self) -> None:
        """Closed where its answer could be received; back to work where the channel could not deliver it after all."""
        with self._held():
            case_closing.settle(self)

    def reopen(self, *, at: datetime, actor: str, why: str) -> None:
        """Work begins again, with a fresh time, by the same owner where he is there.

        Raises:
            NotInThisStage: it is not closed.
        """
        with self._held():
            self._must_be_in(self.Stage.CLOSED)
            self.closed_at = self.closing_answer = None
            self.stage = self.Stage.OPEN
            self.save(update_fields=["closed_at", "closing_answer", "stage"])
            case_work.begin(self, at=at, actor=actor)
            self._write(
                CaseEntry.Kind.REOPENED, at=at, actor=actor, public=True, stage=self.Stage.OPEN, why=why
            )
            signals.case_reopened.send(sender=Case, case=self)

    # What the customer does.

    @property
    def customer(self) -> str:
        """As an actor in the ledger."""
        return f"customer:{self.conversation.address.identifier if self.conversation else self}"

    def hear(
        self,
        text: str,
        *,
        at: datetime,
        expects_answer: bool,
        message: Message | None = None,
        key: str | None = None,
    ) -> "Case":
        """The customer wrote: in the conversation (``message``), or on the page (``key``, which the page makes).

        It is shown in the case, and it is our turn again. Where it expects an answer, a closed case is reopened within
        14 days; what was written on the page is owed one from the case's own queue.

        Returns:
            The case that it is in: this one, or a new one where it was closed too long ago.
        """
        with self._held():
            if known := self._heard(message, key):
                return known.case
            if self.stage == self.Stage.CLOSED and expects_answer and not self.may_reopen(at):
                return self._begin_anew(text, at=at, message=message, key=key)
            self._write(
                CaseEntry.Kind.HEARD,
                at=at,
                actor=self.customer,
                text=text,
                public=True,
                message=message,
                key=key,
                expects_answer=expects_answer,
            )
            if message is None:
                self.give_link(at=at, actor=self.customer)
            if self.stage == self.Stage.CUSTOMER:
                self._standing_work().resume(at=at, actor=self.customer)
                self._go(self.Stage.WORKING, at=at, actor=self.customer)
            elif self.stage == self.Stage.CLOSED and expects_answer:
                self.reopen(at=at, actor=self.customer, why="the customer replied")
            if message is None and expects_answer:
                case_work.owe_answer(self, text, at=at)
            return self

    def rate(self, score: int, words: str = "", *, at: datetime) -> Rating:
        """What the customer says of the last closing; said again, the last word counts.

        Raises:
            ValueError: there is no such score.
            NotInThisStage: it was never closed, so there is nothing to rate.
        """
        if score not in Rating.Score:
            raise ValueError(f"score: one of {', '.join(map(str, Rating.Score.values))}, not {score}")
        with self._held():
            closing = self.entries.filter(kind=CaseEntry.Kind.CLOSING).last()
            if closing is None:
                raise NotInThisStage("it was not closed yet: there is nothing to rate")
            before = Rating.objects.filter(closing=closing).first()
            if before and (before.score, before.words) == (score, words or before.words):
                return before
            rating, _made = Rating.objects.update_or_create(
                closing=closing,
                defaults={
                    "case": self,
                    "score": score,
                    "at": at,
                    "words": words or (before.words if before else ""),
                },
            )
            self._write(
                CaseEntry.Kind.RATED,
                at=at,
                actor=self.customer,
                text=words,
                public=True,
                facts={"score": score},
            )
            return rating

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
        return CaseEntry.objects.filter(key=key).select_related("case").first()

    def _heard(self, message: Message | None, key: str | None) -> CaseEntry | None:
        if message is not None:
            return self.entries.filter(message=message).first()
        return self._written(key) if key else None

    def _go(self, stage: str, *, at: datetime, actor: str) -> None:
        if stage != self.stage:
            self.stage = stage
            self.save(update_fields=["stage"])
            self._write(CaseEntry.Kind.STAGE, at=at, actor=actor, public=True, stage=stage)

    def _answered_on_the_page(self, *, at: datetime, actor: str) -> None:
        """Whoever wrote on the page has it, so what stands there he could receive (G7)."""
        if answer := self.answer_owed:
            answer.done(at=at, actor=actor, why="answered on the page")

    def _write_said(
        self, text: str, author: User, *, message: Message | None, key: str, at: datetime
    ) -> CaseEntry:
        entry = self._write(
            CaseEntry.Kind.SAID,
            at=at,
            actor=_actor(author),
            author=author,
            text=text,
            public=True,
            message=message,
            key=key,
        )
        self._answered_on_the_page(at=at, actor=_actor(author))
        return entry

    def _begin_anew(self, text: str, *, at: datetime, message: Message | None, key: str | None) -> "Case":
        return Case.open(
            self.kind,
            self.title,
            at=at,
            actor=self.customer,
            origin=self.Origin.CUSTOMER,
            conversation=self.conversation,
            contact=self.contact,
            service_point=self.service_point,
            text=text,
            message=message,
            key=key,
        )

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
            kind=kind, at=at, actor=actor, author=author or _user_of(actor), is_public=public, **more
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


def _next_number() -> int:
    """Of the table's own sequence, so that two cases opened at once never have the same reference."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [Case._meta.db_table])
        return int(cursor.fetchone()[0])


def _closed_lately(kind: CaseKind, contact: Contact | None, service_point: str, at: datetime) -> Case | None:
    """The same matter, of the same person or the same service point, that was closed a short while before."""
    theirs = Q()
    if contact is not None:
        theirs |= Q(contact=contact)
    if service_point:
        theirs |= Q(service_point=service_point)
    if not theirs:
        return None
    lately = Case.objects.filter(
        theirs, kind=kind, stage=Case.Stage.CLOSED, closed_at__gt=at - REPEATS_WITHIN
    )
    return lately.order_by("-closed_at").first()


def _user_of(actor: str) -> User | None:
    """The employee that an actor of the ledger is."""
    word, _colon, name = actor.partition(":")
    return User.objects.filter(username=name).first() if word == "user" else None


def _actor(user: User) -> str:
    return f"user:{user.get_username()}"


def _said(text: str) -> str:
    if not (said := text.strip()):
        raise ValueError("text: empty; write what the customer is to read")
    return said
