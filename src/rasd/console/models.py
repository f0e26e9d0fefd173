import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from rasd.ledger.models import actor_of, record


class FailedLogin(models.Model):
    """A login that failed, kept for a day, so that guessing can be slowed down (see ``logins.py``)."""

    username = models.CharField(max_length=150, help_text="as typed, in small letters; it may be nobody's")
    from_address = models.GenericIPAddressField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["username", "at"], name="failed_login_by_name"),
            models.Index(fields=["from_address", "at"], name="failed_login_by_address"),
        ]


class Settlement(models.Model):
    """Somebody has dealt with a trouble: it leaves the page of troubles, and who and when stays."""

    subject = models.CharField(max_length=200, unique=True, help_text="outgoing:12, media:4, delivery:9 …")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class HandedOut(models.Model):
    """This permission was once given to this group by us, so it is never given to it again: what an administrator took
    away stays away (see ``roles.hand_out``)."""

    role = models.CharField(max_length=150, help_text="the group's name")
    permission = models.CharField(max_length=200, help_text="app.codename")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["role", "permission"], name="handed_out_once")]


class WallLink(models.Model):
    """An address under which a screen shows the wall with nobody logged in: it may look, and do nothing else.

    Only the token's hash is kept: who reads the database cannot open the wall with it.
    """

    name = models.CharField(max_length=100, help_text="where the screen hangs")
    hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, in hexadecimal")
    language = models.CharField(max_length=5)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="when it was last shown, to the minute")
    revoked_at = models.DateTimeField(null=True)

    @classmethod
    def make(cls, name: str, language: str, *, by: User, at: datetime) -> tuple["WallLink", str]:
        """The link, and its token, which nobody can find out afterwards."""
        token = secrets.token_urlsafe(16)  # 128 bits: nobody guesses one
        with transaction.atomic():
            link = cls.objects.create(name=name, language=language, hash=_hash(token), made_by=by, made_at=at)
            record(actor_of(by), "wall.shared", f"wall:{link.pk}", at=at, facts={"name": name})
            return link, token

    @classmethod
    def of(cls, token: str) -> "WallLink | None":
        """The one that stands and has this token."""
        return cls.objects.filter(hash=_hash(token), revoked_at=None).first()

    def seen(self, at: datetime) -> None:
        if self.seen_at is None or at - self.seen_at > timedelta(minutes=1):
            self.seen_at = at
            self.save(update_fields=["seen_at"])

    def revoke(self, *, by: User, at: datetime) -> None:
        """From now on it shows nothing."""
        with transaction.atomic():
            if WallLink.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=at):
                record(
                    actor_of(by),
                    "wall.revoked",
                    f"wall:{self.pk}",
                    at=at,
                    facts={"name": self.name},
                )


class SecondFactorDemand(models.Model):
    """Whoever has this role gets in with a second factor only; without one he is led to set it up, and sees nothing before."""

    group = models.OneToOneField(
        Group, models.CASCADE, null=True, related_name="+", help_text="null: superusers"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group"], nulls_distinct=False, name="second_factor_demanded_once"
            )
        ]

    @classmethod
    def put(cls, groups: Iterable[Group | None], *, by: User, at: datetime) -> None:
        """Of ``groups`` it is demanded, of all others not; None among them: of superusers."""
        names = {each: each.name if each else "superuser" for each in groups}
        with transaction.atomic():
            now = {each.group: each for each in cls.objects.select_related("group")}
            before = sorted(each.name if each else "superuser" for each in now)
            if before == sorted(names.values()):
                return
            for group, demand in now.items():
                if group not in names:
                    demand.delete()
            for group in names.keys() - now.keys():
                cls.objects.create(group=group)
            facts = {"from": before, "to": sorted(names.values())}
            record(actor_of(by), "access.second_factor", "roles", at=at, facts=facts)

    @classmethod
    def is_of(cls, user: User) -> bool:
        of_his = Q(group__user=user)
        return cls.objects.filter(of_his | Q(group=None) if user.is_superuser else of_his).exists()


class LoginSession(models.Model):
    """Where somebody is logged in, so that he can see it, and he or an administrator can end it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="login_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    begun_at = models.DateTimeField()
    from_address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=300, blank=True, help_text="as it calls itself")

    @classmethod
    def begin(
        cls, user: User, session_key: str, *, at: datetime, from_address: str | None, browser: str
    ) -> None:
        cls.objects.filter(user=user).exclude(session_key__in=_living(at)).delete()
        cls.objects.update_or_create(
            session_key=session_key,
            defaults={"user": user, "begun_at": at, "from_address": from_address, "browser": browser[:300]},
        )

    @classmethod
    def of(cls, user: User, at: datetime) -> models.QuerySet["LoginSession"]:
        """Those that still open something, the newest first."""
        return cls.objects.filter(user=user, session_key__in=_living(at)).order_by("-begun_at")

    @classmethod
    def end(cls, user: User, *, by: User, at: datetime, but: str = "", only: int | None = None) -> int:
        """All of ``user``'s sessions are over at once, ``but`` the one of that key, or ``only`` that one; how many were."""
        ended = cls.of(user, at).exclude(session_key=but)
        ended = ended.filter(pk=only) if only is not None else ended
        with transaction.atomic():
            keys = list(ended.values_list("session_key", flat=True))
            Session.objects.filter(session_key__in=keys).delete()
            cls.objects.filter(session_key__in=keys).delete()
            if keys:
                facts = {"sessions": len(keys)}
                actor, subject = actor_of(by), actor_of(user)
                record(actor, "sessions.ended", subject, at=at, facts=facts)
        return len(keys)


def _living(at: datetime) -> models.QuerySet[Session, Any]:
    return Session.objects.filter(expire_date__gt=at).values("session_key")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class KeptCount(models.Model):
    """What took long to count, for pages to show (see ``counts.py``). No truth lies here: it may be deleted at any time."""

    name = models.CharField(max_length=60, unique=True, help_text="what is counted, and of which cycle")
    found = models.JSONField()
    seconds = models.FloatField(help_text="that counting took")
    made_at = models.DateTimeField()
    wanted_at = models.DateTimeField(
        null=True, help_text="a page asked for a newer one, and a job was deferred"
    )

    WAITS = timedelta(minutes=2)
    """For the job that was deferred, until another is: workers may be down."""

    def __str__(self) -> str:
        return self.name

    def is_wanted(self, at: datetime) -> bool:
        """Whether it is for the caller to have it counted anew: one page of all that ask at once."""
        waits = Q(wanted_at=None) | Q(wanted_at__lt=at - self.WAITS)
        return bool(type(self).objects.filter(waits, pk=self.pk).update(wanted_at=at))
