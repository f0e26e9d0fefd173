from django.conf import settings
from django.db import models
from django.utils import timezone


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
