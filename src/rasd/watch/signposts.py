"""Reads what a place tells every stranger: two files, at most once a day, kept for all watchers (``models/signposts.py``).

They are the only things that are asked of a place before its owner's permission is known: both are put there for whoever
comes (RFC 9309, RFC 8615).
"""

import random
from datetime import datetime, timedelta

from django.db import transaction

from rasd.watch.asking import Ask, Unanswered, ask
from rasd.watch.models.signposts import Signpost
from rasd.watch.permission import WELL_KNOWN
from rasd.watch.places import is_loopback, place
from rasd.watch.robots import UNREAD

ROBOTS = "/robots.txt"
A_DAY, AN_HOUR = timedelta(hours=24), timedelta(hours=1)
SPREAD = timedelta(hours=4)
"""Drawn and added to the day, so that the question does not come by the clock."""
STANDS = timedelta(days=7)
"""So long the last word on whose key it is stands while nobody answers: an outage is what a watch is there to see."""


def _read(url: str, now: datetime, ask: Ask) -> Signpost:
    """The signpost, asked again where that is due. Two watchers at once ask once."""
    with transaction.atomic():
        post, _ = Signpost.objects.select_for_update().get_or_create(
            url=url, defaults={"asked_at": now, "ask_again_at": now}
        )
        if now < post.ask_again_at:
            return post
        post.asked_at = now
        try:
            answer = ask(url)
        except Unanswered as error:
            post.error, post.ask_again_at = str(error)[:500], now + AN_HOUR
        else:
            post.error, post.answered_at = "", now
            post.status, post.text = answer.status, answer.text
            post.ask_again_at = now + A_DAY + random.random() * SPREAD  # noqa: S311 - nothing hangs on it
        post.save()
        return post


def robots_of(origin: str, now: datetime, ask: Ask = ask) -> str:
    """Its robots.txt in force: the last that was read. Where it never could be, nothing may be asked for (RFC 9309, 2.3.1.4);
    on loopback everything, which is one's own."""
    post = _read(origin + ROBOTS, now, ask)
    if post.answered_at is None:
        return "" if is_loopback(place(origin)) else UNREAD
    return post.text


def posted_at(origin: str, now: datetime, ask: Ask = ask) -> str:
    """What its owner publishes of whose permissions count there; empty where there is nothing."""
    post = _read(origin + WELL_KNOWN, now, ask)
    return post.text if post.answered_at and now - post.answered_at < STANDS else ""
