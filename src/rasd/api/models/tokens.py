import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from rasd.channels import rules
from rasd.channels.models import Line, lines_of
from rasd.desk.models import Case, Conversation, HeldAnswer, Message, Obligation, Queue
from rasd.ledger.models import actor_of, record

Row = TypeVar("Row", bound=models.Model)

PREFIX = "rasd_"
"""Of every token, so that a scanner of published code knows one when it sees it."""

SECRET_BYTES = 32
PER_MINUTE = 600  # calls, unless somebody says otherwise
BURST = 10  # as a share of a minute's calls, how many may come at once: one in so many


class Scope(models.TextChoices):
    """What a token may do. Whose token it is must be allowed it as well: see :data:`NEEDS`."""

    CONVERSATIONS_READ = "conversations:read", _("read conversations and messages")
    CONVERSATIONS_WRITE = "conversations:write", _("answer, note, claim and close conversations")
    CASES_READ = "cases:read", _("read cases")
    CASES_WRITE = "cases:write", _("open, work on and close cases")
    OBLIGATIONS_READ = "obligations:read", _("read what is owed")
    OBLIGATIONS_WRITE = "obligations:write", _("give, move and waive what is owed")
    FIELD_READS = "field-reads", _("fetch routes, and bring what meter readers read")
    WEBHOOKS = "webhooks", _("be told of what the token may read, by webhooks")


CONVERSATIONS, CASES = "desk.change_conversation", "desk.change_case"
NEEDS: dict[str, tuple[str, ...]] = {
    Scope.CONVERSATIONS_READ: (CONVERSATIONS,),
    Scope.CONVERSATIONS_WRITE: (CONVERSATIONS,),
    Scope.CASES_READ: (CASES,),
    Scope.CASES_WRITE: (CASES,),
    Scope.OBLIGATIONS_READ: ("desk.view_obligation", "desk.change_employee", CONVERSATIONS),
    Scope.OBLIGATIONS_WRITE: ("desk.change_employee",),
    Scope.FIELD_READS: ("metering.add_fieldread",),
    Scope.WEBHOOKS: (),
}
"""Any of these permissions the acting user has, as for the console's pages: a token never does more than its user could."""


def digest(secret: str) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiToken(models.Model):
    """A program that acts as a user. Its secret is shown once, and kept as SHA-256 only."""

    name = models.CharField(_("name"), max_length=100, unique=True, help_text=_("Which program it is."))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="api_tokens",
        verbose_name=_("acts as"),
        help_text=_("It may do what this user may, and no more."),
    )
    scopes = ArrayField(models.CharField(max_length=30, choices=Scope), verbose_name=_("scopes"))
    lines = models.ManyToManyField(
        Line, blank=True, related_name="+", verbose_name=_("lines"), help_text=_("none chosen: all")
    )
    queues = models.ManyToManyField(
        Queue, blank=True, related_name="+", verbose_name=_("queues"), help_text=_("none chosen: all")
    )
    per_minute = models.PositiveIntegerField(_("calls a minute"), default=PER_MINUTE)
    next_call_slot = models.DateTimeField(help_text="theoretical arrival time of its rate limit")
    hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the secret, in hexadecimal")
    begins_with = models.CharField(max_length=12, help_text="of the secret, to tell tokens apart")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("empty: never"))
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(per_minute__gt=0), name="token_may_call_at_all"),
        ]

    def __str__(self) -> str:
        return f"api_token:{self.pk}"

    @classmethod
    def make(
        cls,
        name: str,
        user: User,
        scopes: Iterable[str],
        *,
        at: datetime,
        by: User | None = None,
        lines: Iterable[Line] = (),
        queues: Iterable[Queue] = (),
        expires_at: datetime | None = None,
        per_minute: int = PER_MINUTE,
    ) -> "tuple[ApiToken, str]":
        """A new one, and its secret, which nobody can see again.

        Args:
            by: the administrator who makes it; None: the command line.

        Raises:
            ValueError: a scope there is not, none at all, no calls a minute, or an expiry that is past.
        """
        scopes = list(dict.fromkeys(scopes))
        if unknown := [scope for scope in scopes if scope not in Scope.values]:
            raise ValueError(f"scopes: {unknown[0]!r} is none; choose of {', '.join(Scope.values)}")
        if not scopes:
            raise ValueError(f"scopes: none given; choose of {', '.join(Scope.values)}")
        if per_minute < 1:
            raise ValueError(f"per_minute: {per_minute}; let it call at least once a minute")
        if expires_at is not None and expires_at <= at:
            raise ValueError(
                f"expires_at: {expires_at.isoformat()} is past; choose a moment to come, or none"
            )
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        with transaction.atomic():
            token = cls.objects.create(
                name=name,
                user=user,
                scopes=scopes,
                hash=digest(secret),
                begins_with=secret[: len(PREFIX) + 4],
                made_at=at,
                made_by=by,
                expires_at=expires_at,
                per_minute=per_minute,
                next_call_slot=at,
            )
            token.lines.set(lines)
            token.queues.set(queues)
            token._record("api_token.made", by, at, user=user.get_username(), scopes=scopes)
        return token, secret

    def revoke(self, *, by: User | None, at: datetime) -> None:
        """It opens nothing any more, and its webhooks are told nothing. A second call changes nothing."""
        with transaction.atomic():
            if type(self).objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=at):
                self.revoked_at = at
                self._record("api_token.revoked", by, at)

    @classmethod
    def of(cls, secret: str, at: datetime) -> "ApiToken | None":
        """The token whose secret it is, if it opens anything at ``at``."""
        token = cls.objects.select_related("user").filter(hash=digest(secret)).first()
        return token if token and token.is_good(at) else None

    def is_good(self, at: datetime) -> bool:
        expired = self.expires_at is not None and self.expires_at <= at
        return self.revoked_at is None and not expired and self.user.is_active

    def may(self, scope: str) -> bool:
        """Whether it has the scope, and its user is allowed what that opens."""
        needed = NEEDS[scope]
        return scope in self.scopes and (not needed or any(map(self.user.has_perm, needed)))

    def take_turn(self, at: datetime) -> timedelta | None:
        """A call counts now; or, where it has called too often, how long it is to wait, and nothing counts."""
        interval = timedelta(minutes=1) / self.per_minute
        with transaction.atomic():
            arrival = (
                ApiToken.objects.select_for_update(no_key=True)
                .values_list("next_call_slot", flat=True)
                .get(pk=self.pk)
            )
            slot, arrival = rules.next_slot(
                arrival, at, interval=interval, burst=max(1, self.per_minute // BURST)
            )
            if slot > at:
                return slot - at
            ApiToken.objects.filter(pk=self.pk).update(next_call_slot=arrival, last_used_at=at)
        return None

    # What it may see: everything that lies within its lines and queues, where it is limited to some.

    @property
    def actor(self) -> str:
        """In the ledger: who is answerable is the user."""
        return actor_of(self.user)

    def conversations(self) -> QuerySet[Conversation]:
        rows = Conversation.objects.all()
        lines, queues = self.limits
        if lines:
            rows = rows.filter(line__in=lines)
        if queues:
            rows = rows.filter(Exists(_in(queues).filter(conversation=OuterRef("pk"))))
        return rows

    def messages(self) -> QuerySet[Message]:
        return self._in_its_conversations(Message.objects.all())

    def held_answers(self) -> QuerySet[HeldAnswer]:
        return self._in_its_conversations(HeldAnswer.objects.all())

    def _in_its_conversations(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        return rows.filter(conversation__in=self.conversations()) if self.is_limited else rows

    def cases(self) -> QuerySet[Case]:
        rows = Case.objects.all()
        lines, queues = self.limits
        if lines:
            rows = rows.filter(conversation__line__in=lines)
        if queues:
            rows = rows.filter(Exists(_in(queues).filter(case=OuterRef("pk"))))
        return rows

    def obligations(self) -> QuerySet[Obligation]:
        rows = Obligation.objects.all()
        lines, queues = self.limits
        if lines:
            rows = rows.filter(Q(conversation__line__in=lines) | Q(case__conversation__line__in=lines))
        if queues:
            rows = rows.filter(Q(queue__in=queues) | Q(fell_from__in=queues))
        return rows

    def all_queues(self) -> QuerySet[Queue]:
        """Into which it may put work."""
        _lines, queues = self.limits
        return Queue.objects.filter(pk__in=queues) if queues else Queue.objects.all()

    @property
    def is_limited(self) -> bool:
        return any(self.limits)

    @property
    def limits(self) -> tuple[list[int], list[int]]:
        """Primary keys of its lines and of its queues; asked once for each token that was fetched."""
        known: tuple[list[int], list[int]] | None = self.__dict__.get("_known_limits")
        if known is None:
            lines = list(self.lines.values_list("pk", flat=True))
            his = lines_of(self.user)
            if his is not None:  # where nothing is left of them, it sees the line that there is not
                lines = sorted(his.intersection(lines) if lines else his) or [0]
            known = self.__dict__["_known_limits"] = (lines, list(self.queues.values_list("pk", flat=True)))
        return known

    def _record(self, action: str, by: User | None, at: datetime, **facts: Any) -> None:
        actor = actor_of(by) if by else "machine:cli"
        record(actor, action, str(self), at=at, facts={"token": self.name, **facts})


def _in(queues: list[int]) -> QuerySet[Obligation]:
    return Obligation.objects.filter(Q(queue__in=queues) | Q(fell_from__in=queues))
