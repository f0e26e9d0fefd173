"""Tells the pages that are open what has changed: PostgreSQL's NOTIFY, delivered when the transaction commits."""

from django.db import connection

from rasd.desk.models import Conversation

CHANNEL = "rasd_live"


def announce(*topics: str) -> None:
    """Of these (``conversation:17``, ``conversations``, ``review``, ``case:4``, ``cases``, ``cycle``, ``troubles``) each
    changed in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, topic) FROM unnest(%s::text[]) AS topic", [CHANNEL, list(topics)]
        )


def topics_of(changed: Conversation) -> list[str]:
    """Of a conversation in which something was said or done: the page that shows it, the lists of those who owe something there,
    those of its queues, and those of everything."""
    owed = changed.obligations.filter(discharged_at=None).values_list("owner_id", "queue_id")
    return [str(changed), "conversations", *(topic for where in owed for topic in lists_of(*where))]


def lists_of(owner: int | None, queue: int) -> list[str]:
    """The topics of the lists in which what is owed by ``owner``, or lies in ``queue``, stands (primary keys).

    Lists of everything change with every message: two hundred people who look at their own work must not fetch theirs for it.
    """
    return [f"queue:{queue}"] if owner is None else [f"queue:{queue}", f"owner:{owner}"]
