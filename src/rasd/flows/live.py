"""Tells the pages that are open what has changed: PostgreSQL's NOTIFY, delivered when the transaction commits."""

from django.db import connection

CHANNEL = "rasd_live"


def announce(*topics: str) -> None:
    """Of these (``conversation:17``, ``conversations``, ``review``, ``case:4``, ``cases``, ``cycle``, ``troubles``) each
    changed in this transaction."""
    with connection.cursor() as cursor:
        for topic in topics:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, topic])
