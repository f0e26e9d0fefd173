"""Who looked at what a customer sent: an entry of the ledger, once for each person, file and hour."""

import zlib

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from rasd.ledger.models import Entry, actor_of, record

REMEMBERED = 60 * 60  # seconds: as long may a browser show it without asking again


def viewed(user: User, sha256: str) -> None:
    """Write it down, unless it is within this hour."""
    now = timezone.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    actor, subject = actor_of(user), f"evidence:{sha256}"
    known = Entry.objects.filter(subject=subject, action="evidence.viewed", actor=actor, at__gte=hour)
    if known.exists():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # The small picture and the whole one are asked for at once: one of them waits here, and then finds the entry.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, %s)",
            [_VIEWED, zlib.crc32(f"{actor} {subject}".encode()) - 2**31],
        )
        if not known.exists():
            record(actor, "evidence.viewed", subject, at=now)


_VIEWED = 0x5657  # "VW": the advisory locks of this module
