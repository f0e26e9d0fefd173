import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone

from rasd.ledger.models import record


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
            record(f"user:{by.get_username()}", "wall.shared", f"wall:{link.pk}", at=at, facts={"name": name})
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
                    f"user:{by.get_username()}",
                    "wall.revoked",
                    f"wall:{self.pk}",
                    at=at,
                    facts={"name": self.name},
                )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
