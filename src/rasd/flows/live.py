"""Tells the pages that are open what has changed: PostgreSQL's NOTIFY, delivered when the transaction commits."""

from django.db import connection

from rasd.desk.models import Conversation

CHANNEL = "rasd_live"


def announce(*topics: str) -> None:
    """Of these (``conversation:17``, ``conversations``, ``review``, ``case:4``, ``cases``, ``cycle``, ``troubles``) each
    changed in this transaction; ``owner:5#17``: there, something was said in conversation 17, and nothing else changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, topic) FROM unnest(%s::text[]) AS topic", [CHANNEL, list(topics)]
        )


def topics_of(changed: Conversation) -> list[str]:
    """Of a conversation in which something was done: the page that shows it, the lists of those who owe something there,
    those of its queues, those of everything, and how much there is."""
    return [str(changed), "conversations", "owed", *_lists_with(changed)]


def said_in(changed: Conversation) -> list[str]:
    """Of one in which something was said, and nothing else changed: each list need look at that one row only, and no number is
    another. Lists of everything have the newest on top."""
    return ["conversations", *(f"{topic}#{changed.pk}" for topic in (str(changed), *_lists_with(changed)))]


def _lists_with(changed: Conversation) -> list[str]:
    owed = changed.obligations.filter(discharged_at=None).values_list("owner_id", "queue_id")
    return list(dict.fromkeys(topic for where in owed for topic in lists_of(*where)))


def lists_of(owner: int | None, queue: int) -> list[str]:
    """The topics of the lists in which what is owed by ``owner``, or lies in ``queue``, stands (primary keys).

    Lists of everything change with every message: two hundred people who look at their own work must not fetch theirs for it.
    """
    return [f"queue:{queue}"] if owner is None else [f"queue:{queue}", f"owner:{owner}"]
