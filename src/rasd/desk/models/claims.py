import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rasd.desk.errors import Claimed, NotTheirs, Settled
from rasd.desk.hours import open_until
from rasd.desk.models.conversations import Conversation, Message
from rasd.desk.models.queues import Queue
from rasd.desk.models.staff import Employee
from rasd.ledger.models import actor_of, record

if TYPE_CHECKING:
    from rasd.desk.models.obligations import Obligation

CLAIM_LASTS = timedelta(seconds=60)
"""After the last sign of life of the page that holds it; pages give one every 20 seconds."""


LEADS = "desk.change_employee"
"""The permission of who leads a team."""

_VARIABLE = re.compile(r"\{(\w+)\}")


class Claim(models.Model):
    """One employee answers in a conversation, and nobody else meanwhile."""

    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="standing_claim")
    holder = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="claims")
    at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="when the holder's page last gave a sign of life")

    def __str__(self) -> str:
        return f"claim:{self.pk}"

    def is_live(self, at: datetime) -> bool:
        return self.seen_at > at - CLAIM_LASTS

    @classmethod
    def take(
        cls, conversation: Conversation, user: User, *, at: datetime, by_force: bool, why: str
    ) -> "Claim":
        """See :meth:`Conversation.claim`."""
        with transaction.atomic():
            # Of twenty who reach for it at once, each waits here for the one before, and then sees whose it is.
            Conversation.objects.select_for_update().get(pk=conversation.pk).must_be_open()
            claim = cls.objects.filter(conversation=conversation).select_related("holder").first()
            if claim and claim.holder == user:
                claim.keep_alive(at=at)
                return claim
            former = claim.holder if claim and claim.is_live(at) else None
            if claim and former and not by_force:
                raise Claimed(former, claim.at)
            claim, _created = cls.objects.update_or_create(
                conversation=conversation, defaults={"holder": user, "at": at, "seen_at": at}
            )
            if owed := conversation.owed:
                make_his(owed, user, at=at, why="claimed")
            if former:
                actor, facts = actor_of(user), {"from": former.get_username()}
                record(actor, "conversation.claim_taken", str(conversation), at=at, why=why, facts=facts)
            return claim

    def keep_alive(self, *, at: datetime) -> bool:
        """The holder's page is still open. False where it is not the holder's claim any more."""
        self.seen_at = at
        return bool(type(self).objects.filter(pk=self.pk, holder=self.holder).update(seen_at=at))


def make_his(obligation: "Obligation", user: User, *, at: datetime, why: str) -> None:
    """``user`` owes it until his shift ends.

    Not a user who is not on shift, or is no employee: he may do what is owed, but when he goes nobody would know.
    """
    employee = Employee.objects.filter(user=user).first()
    if employee and employee.is_on_shift(at):
        until = open_until(employee.hours, at)
        obligation.give(user, at=at, actor=actor_of(user), until=until, why=why)


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
    promises = models.DateTimeField(null=True, help_text="until when, where it promises something")
    keeps = ArrayField(
        models.BigIntegerField(), default=list, help_text="primary keys of the promises that it keeps"
    )
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"held_answer:{self.pk}"

    @classmethod
    def hold(
        cls, conversation: Conversation, text: str, *, author: User, other: User, at: datetime, **what: Any
    ) -> "HeldAnswer":
        """Keep what was typed, and tell both; ``what`` is its ``key``, what it ``promises`` and ``keeps``."""
        from rasd.desk.models.notices import Notice

        with transaction.atomic():
            held = cls.objects.create(
                conversation=conversation, author=author, other=other, text=text, at=at, **what
            )
            for user in (author, other):
                Notice.tell(user, Notice.Kind.HELD, at=at, conversation=conversation)
            facts = {"author": author.get_username(), "other": other.get_username(), "held": held.pk}
            record(actor_of(author), "answer.held", str(conversation), at=at, facts=facts)
            return held

    def may_be_decided_by(self, user: User) -> bool:
        """The two whom it is about, and who leads them."""
        return user.pk in {self.author_id, self.other_id} or user.has_perm(LEADS)

    def send(self, *, by: User, at: datetime) -> Message:
        """It goes out after all, as its author's; once, whoever of them says so and however often.

        Raises:
            NotTheirs: ``by`` is neither its author, nor who was in the way, nor leads a team.
            Settled: it was dropped before.
            GoesOnElsewhere, IsClosed: as :meth:`Conversation.reply`.
        """
        with transaction.atomic():
            self._lock(by)
            if self.outcome == self.Outcome.DROPPED:
                raise Settled(f"{self} was dropped: write it anew")
            if not self.outcome:
                self.conversation.must_be_open()
            what: dict[str, Any] = {"key": self.key, "promises": self.promises, "keeps": self.keeps}
            message = self.conversation._answer(self.text, author=self.author, at=at, **what)
            if not self.outcome:
                self._settle(self.Outcome.SENT, by, at)
            return message

    def drop(self, *, by: User, at: datetime) -> None:
        """It does not go out; its words stay here. A second call changes nothing.

        Raises:
            NotTheirs: as :meth:`send`.
            Settled: it was sent before.
        """
        with transaction.atomic():
            self._lock(by)
            if self.outcome == self.Outcome.SENT:
                raise Settled(f"{self} was sent: it cannot be called back")
            if not self.outcome:
                self._settle(self.Outcome.DROPPED, by, at)

    def _lock(self, by: User) -> None:
        if not self.may_be_decided_by(by):
            raise NotTheirs(
                f"{self} is between {self.author} and {self.other}: they decide, or who leads them"
            )
        self.conversation = Conversation.objects.select_for_update().get(pk=self.conversation_id)
        self.refresh_from_db(fields=["outcome", "settled_at", "settled_by"])

    def _settle(self, outcome: "HeldAnswer.Outcome", by: User, at: datetime) -> None:
        self.outcome, self.settled_by, self.settled_at = outcome, by, at
        self.save(update_fields=["outcome", "settled_by", "settled_at"])
        facts = {"author": self.author.get_username(), "other": self.other.get_username(), "held": self.pk}
        actor = actor_of(by)
        record(actor, f"answer.held_{outcome}", str(self.conversation), at=at, facts=facts)


class Draft(models.Model):
    """What an employee has typed and not sent yet: no reload, no crash, no other device loses it."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="drafts")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "author"], name="one_draft_each")]

    @classmethod
    def keep(cls, conversation: Conversation, author: User, text: str, *, at: datetime) -> None:
        """What is typed so far; nothing typed, nothing kept."""
        if text.strip():
            cls.objects.update_or_create(
                conversation=conversation, author=author, defaults={"text": text, "at": at}
            )
        else:
            cls.objects.filter(conversation=conversation, author=author).delete()

    @classmethod
    def of(cls, conversation: Conversation, author: User) -> str:
        draft = cls.objects.filter(conversation=conversation, author=author).first()
        return draft.text if draft else ""


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

    @classmethod
    def matching(cls, text: str, queues: Iterable[Queue]) -> models.QuerySet["CannedAnswer"]:
        """Those of everybody and of ``queues`` whose shortcut begins so, or whose title or words have ``text`` in them."""
        found = Q(shortcut__istartswith=text) | Q(title__icontains=text)
        found |= Q(text_ar__icontains=text) | Q(text_en__icontains=text)
        return cls.objects.filter(found, Q(queue=None) | Q(queue__in=queues))

    def filled(self, conversation: Conversation, agent: User) -> str:
        """In the customer's language, its variables filled in; of one that is not known, the name stays, to be seen."""
        case = conversation.cases.order_by("-opened_at").first()
        variables = {
            "name": conversation.contact.name,
            "reference": case.reference if case else "",
            "line": conversation.line.name,
            "agent": agent.get_full_name() or agent.get_username(),
            "utility": settings.UTILITY_NAME,
        }
        words = self.text_en if conversation.language == "en" else self.text_ar
        return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), words)


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
