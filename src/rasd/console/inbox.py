"""What the inbox shows beside the conversations themselves: a list's rows, the views and how much is in each, usual times."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import lines_of
from rasd.console import waiting
from rasd.desk import hours
from rasd.desk.inbox import Filters, State, counted
from rasd.desk.models import Claim, Conversation, HandOver, Message, Obligation, SavedView
from rasd.desk.models.claims import CLAIM_LASTS

NARROW, WIDE = 1_000, 3_000  # milliseconds
LAST = datetime(9999, 1, 1, tzinfo=UTC)  # in a list by when things are due: of what waits for the customer
MOST_COUNTED = 99  # of a view: more are "99+", and a million are not counted to say so


def query_of(filters: Filters) -> str:
    """As the end of an address: ``?state=late&line=2``, or nothing where all is as usual."""
    told = filters.as_json()
    return f"?{urlencode(told)}" if told else ""


def topic_of(filters: Filters, user: User) -> tuple[str, int]:
    """What a list listens to, and the least milliseconds between two looks at it: one of everything changes with every message.

    What was searched for does not change before one's eyes.
    """
    if filters.q:
        return "", NARROW
    if owner := user.pk if filters.mine else filters.owner:
        return f"owner:{owner}", NARROW
    return (f"queue:{filters.queue}", NARROW) if filters.queue else ("conversations", WIDE)


# A page of the list. The next begins where it ended, whatever was added or settled meanwhile; nothing is counted.


def ordered(filters: Filters, user: User, at: datetime) -> QuerySet[Conversation]:
    """What is owed by when it is due, the rest by when something was said last; what was searched for by how well it fits."""
    found = filters.conversations(user, at)
    if filters.q:
        return found
    if is_by_due(filters):
        return found.annotate(due_at=Coalesce(Least(*_soonest()), Value(LAST))).order_by("due_at", "pk")
    return found.order_by("-last_message_at", "-pk")


def is_by_due(filters: Filters) -> bool:
    """Then what is said in one of them changes that one only, and not where it stands."""
    return not filters.q and filters.state in {State.OWED, State.LATE}


def _soonest() -> list[Subquery]:
    """When something in it is due, and something on a case of it, its clock running; LEAST passes over what there is not."""
    soonest = []
    for whose in ("conversation", "case__conversation"):
        owed = Obligation.objects.open().filter(Q(**{whose: OuterRef("pk")}), running_since__isnull=False)
        soonest.append(Subquery(owed.order_by("due_at").values("due_at")[:1]))
    return soonest


def cursor_of(filters: Filters, last: Conversation) -> str:
    """Where a page ended, for the next one; empty where there is no next: of what was searched for only the best is shown."""
    if filters.q:
        return ""
    at = getattr(last, "due_at", None) or last.last_message_at
    return f"{at.timestamp():.6f}~{last.pk}"


def after(found: QuerySet[Conversation], filters: Filters, cursor: str) -> QuerySet[Conversation]:
    """What comes after the page that ended there; all of it where the cursor makes no sense."""
    moment, _tilde, pk = cursor.partition("~")
    try:
        at, last = datetime.fromtimestamp(float(moment), tz=UTC), int(pk)
    except (ValueError, OverflowError, OSError):
        return found
    if is_by_due(filters):
        return found.filter(Q(due_at__gt=at) | Q(due_at=at, pk__gt=last))
    # The first condition alone lets the index be used; the second tells those of the same moment apart.
    return found.filter(last_message_at__lte=at).exclude(last_message_at=at, pk__gte=last)


@dataclass(frozen=True)
class Row:
    """One conversation in the list."""

    conversation: Conversation
    last: Message | None
    owed: Obligation | None
    """What is due soonest, in it or on a case of it."""
    claim: Claim | None

    @property
    def excerpt(self) -> str:
        """Of what was searched for, where somebody searched."""
        return getattr(self.conversation, "excerpt", "")


def rows_of(found: QuerySet[Conversation], *, most: int, at: datetime) -> list[Row]:
    """The first ``most`` of ``found``, with what a row shows, in a number of queries that does not depend on ``most``."""
    newest = Message.objects.filter(conversation=OuterRef("pk"), note="").order_by("-at", "-id")
    standing = HandOver.objects.filter(conversation=OuterRef("pk"), ended_at=None)
    # Whose they are is asked of those shown: joined, it would be looked up for all that are owed, to sort them.
    shown = list(
        found.prefetch_related("address", "contact", "line").annotate(
            newest=Subquery(newest.values("pk")[:1]), with_people=Subquery(standing.values("wish")[:1])
        )[:most]
    )
    newest_of = {row.pk: getattr(row, "newest", None) for row in shown}
    last = Message.objects.select_related("incoming", "outgoing").in_bulk(
        [pk for pk in newest_of.values() if pk]
    )
    claims = {
        each.conversation_id: each
        for each in Claim.objects.filter(
            conversation__in=newest_of, seen_at__gt=at - CLAIM_LASTS
        ).select_related("holder")
    }
    owed = _owed_in(list(newest_of))
    return [
        Row(each, last.get(newest_of[each.pk] or 0), owed.get(each.pk), claims.get(each.pk)) for each in shown
    ]


def _owed_in(conversations: list[int]) -> dict[int, Obligation]:
    """Conversation → what is due soonest of what is owed in it or on a case of it; what waits for the customer last."""
    owed: dict[int, Obligation] = {}
    for whose in ("conversation", "case__conversation"):
        rows = Obligation.objects.open().filter(**{f"{whose}__in": conversations}).annotate(owing=F(whose))
        for each in rows.select_related("owner", "queue").order_by("due_at"):
            place = getattr(each, "owing")  # noqa: B009 (annotated)
            stands = owed.get(place)
            if stands is None or _urgency(each) < _urgency(stands):
                owed[place] = each
    return owed


def _urgency(owed: Obligation) -> tuple[bool, datetime]:
    return owed.running_since is None, owed.due_at


@dataclass(frozen=True)
class View:
    """Some filters under a name, and how many conversations they find: None where that is not said."""

    name: str | Promise
    query: str
    is_shown: bool
    count: int | None
    saved: SavedView | None = None
    key: str = ""

    @property
    def count_words(self) -> str:
        return "" if self.count is None else view_words(self.count)

    @property
    def number(self) -> str:
        """Where its number stands, as the stream names it."""
        return f"view-{self.saved.pk if self.saved else self.key}"


def view_words(count: int) -> str:
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)


USUAL: tuple[tuple[str, str | Promise, dict[str, str], bool], ...] = (
    ("m", _("Owed by me"), {"state": "owed", "mine": "1"}, True),
    ("i", _("Owed an answer"), {"state": "owed"}, True),
    ("l", _("Late"), {"state": "late"}, True),
    ("w", _("Waiting for the customer"), {"state": "waiting"}, False),
    ("a", _("All, newest first"), {"state": "all"}, False),
    ("d", _("Closed"), {"state": "closed"}, False),
)
"""The key after G, the name, the filters, and whether it is counted: what is owed is little, all of them are millions."""


def views_for(user: User, shown: Filters, at: datetime) -> tuple[list[View], list[View]]:
    """The usual ones, and those that were saved by ``user`` or for everybody."""
    kept = list(SavedView.objects.filter(Q(owner=user) | Q(owner=None)).order_by("owner", "name"))
    usual_ones = [(name, Filters.of(filters), is_counted, key) for key, name, filters, is_counted in USUAL]
    saved_ones = [(each, Filters.of(each.filters)) for each in kept]
    of_which = [
        *(wanted for _name, wanted, is_counted, _key in usual_ones if is_counted),
        *(wanted for _each, wanted in saved_ones),
    ]
    counts = _counts(of_which, user, at)
    usual = [
        View(name, query_of(wanted), wanted == shown, counts[wanted] if is_counted else None, key=key)
        for name, wanted, is_counted, key in usual_ones
    ]
    return usual, [
        View(each.name, query_of(wanted), wanted == shown, counts[wanted], saved=each)
        for each, wanted in saved_ones
    ]


def _counts(views: list[Filters], user: User, at: datetime) -> dict[Filters, int]:
    """What everybody who sees the same lines would find is counted once in a few seconds; what is one's own each time."""
    lines = sorted(lines_of(user) or ())
    keys = {each: _key(each, lines) for each in views if not each.mine}
    known = cache.get_many(keys.values())
    counts = {each: known[key] for each, key in keys.items() if key in known}
    unknown = [each for each in dict.fromkeys(views) if each not in counts]
    counts |= zip(unknown, counted(unknown, user, at, most=MOST_COUNTED + 1), strict=True)
    cache.set_many({keys[each]: counts[each] for each in unknown if each in keys}, waiting.REMEMBERED)
    return counts


def _key(view: Filters, lines: list[int]) -> str:
    told = json.dumps([view.as_json(), lines], sort_keys=True)
    return f"console.view.{hashlib.sha256(told.encode()).hexdigest()}"


# Promises

USUAL_TODAY = time(14, 30)
USUAL_LATER = time(12, 0)
DAYS_OFFERED = 4
LOOKS_AHEAD = 10  # days: over any holiday there are still some to offer


@dataclass(frozen=True)
class When:
    """A moment that is often promised."""

    at: datetime
    days: int


def usual_times(at: datetime, working: hours.Working) -> list[When]:
    """Half past two today if that is still to come, then the next noons at which somebody works."""
    now = timezone.localtime(at)
    noons: Iterable[When] = (
        When(datetime.combine(now.date() + timedelta(days=days), USUAL_LATER, now.tzinfo), days)
        for days in range(1, LOOKS_AHEAD + 1)
    )
    today = When(datetime.combine(now.date(), USUAL_TODAY, now.tzinfo), 0)
    first = [today] if today.at > at + timedelta(minutes=30) else []
    return [each for each in (*first, *noons) if hours.is_open(working, each.at)][:DAYS_OFFERED]
