"""Which conversations an inbox shows: filters that a page has in its address, and a saved view under a name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from django.contrib.auth.models import User
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from rasd.desk.models import Conversation, Obligation
from rasd.desk.search import search
from rasd.desk.sight import seen

OWING = Coalesce("conversation", "case__conversation")
"""In which conversation an obligation is owed."""


class State(StrEnum):
    OWED = "owed"
    """An answer, what was promised, or work on a case of it or what was asked on that case's page, is owed."""
    LATE = "late"
    """… and its time is over."""
    WAITING = "waiting"
    """Not closed, and nothing is owed, on a case neither: it is the customer's turn."""
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True)
class Filters:
    """What an inbox shows; everything empty: whatever is owed.

    q         words, a name, or a part of a number.
    mine      what the looking user owes.
    queue, owner, line   primary keys.
    matter    of :class:`rasd.desk.models.Matter`.
    state     of :class:`State`.
    language  the customer's.
    """

    q: str = ""
    mine: bool = False
    queue: int | None = None
    owner: int | None = None
    line: int | None = None
    matter: str = ""
    state: str = State.OWED
    language: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """From a page's address (a QueryDict) or :attr:`SavedView.filters`; what makes no sense is left out."""
        state = str(told.get("state") or State.OWED)
        return cls(
            q=str(told.get("q") or "").replace("\0", "").strip(),
            mine=str(told.get("mine") or "").lower() in {"1", "true", "on"},
            queue=_number(told.get("queue")),
            owner=_number(told.get("owner")),
            line=_number(told.get("line")),
            matter=str(told.get("matter") or ""),
            state=State(state) if state in set(State) else State.OWED,
            language=str(told.get("language") or ""),
        )

    def as_json(self) -> dict[str, Any]:
        """What is not as usual: short enough for an address, and read back by :meth:`of`."""
        usual = type(self)()
        told = asdict(self)
        return {
            one.name: told[one.name] for one in fields(self) if told[one.name] != getattr(usual, one.name)
        }

    def conversations(self, user: User, at: datetime) -> QuerySet[Conversation]:
        """Those that ``user`` is to see, in no order of its own unless words are looked for: then the best first."""
        rows = seen(Conversation.objects.filter(self._where(user, at)), user)
        return search(self.q, within=rows if rows.query.has_filters() else None) if self.q else rows

    def _owed(self, at: datetime) -> Q:
        """What is to be owed; of ``mine``, by whom is not said."""
        owed = Q(discharged_at=None)
        if self.owner:
            owed &= Q(owner=self.owner)
        if self.queue:
            owed &= Q(queue=self.queue)
        if self.state == State.LATE:
            owed &= Q(due_at__lt=at, running_since__isnull=False)
        return owed

    def _where(self, user: User, at: datetime) -> Q:
        owed = self._owed(at) & Q(owner=user) if self.mine else self._owed(at)
        where = Q()
        if self.state in {State.OWED, State.LATE} or self.mine or self.owner or self.queue:
            # DISTINCT: else PostgreSQL goes through all conversations to find the few, which are at the end of them.
            # What is owed on a case, its work or an answer on its page, is owed in the conversation from which it came.
            open_ones = Obligation.objects.filter(owed).order_by().annotate(owing=OWING)
            where &= Q(pk__in=open_ones.values("owing").distinct())
        if self.state == State.WAITING:
            # Two questions of an index each, asked of the newest only: as one they are asked of all that is owed.
            for whose in ("conversation", "case__conversation"):
                owed_there = Obligation.objects.filter(Q(**{whose: OuterRef("pk")}), discharged_at=None)
                where &= ~Q(Exists(owed_there))
            where &= Q(closed_at=None)
        if self.state == State.CLOSED:
            where &= Q(closed_at__isnull=False)
        for name in ("line", "matter", "language"):
            if wanted := getattr(self, name):
                where &= Q(**{name: wanted})
        return where


def counted(views: Sequence[Filters], user: User, at: datetime, *, most: int) -> list[int]:
    """How many conversations each finds, in one query; ``most`` and more are ``most``, as "many" needs no million counted."""
    each = [
        view.conversations(user, at)
        .order_by()
        .annotate(view=Value(number, IntegerField()))
        .values_list("view", flat=True)[:most]
        for number, view in enumerate(views)
    ]
    if not each:
        return []
    found = Counter(each[0].union(*each[1:], all=True) if len(each) > 1 else each[0])
    return [found[number] for number in range(len(views))]


def counted_by_owner(view: Filters, user: User, at: datetime) -> dict[int, int]:
    """Of a view of what one owes oneself (``mine``): user → how many conversations it finds for him, in one query.

    Right for all who see the lines that ``user`` sees.
    """
    owed = Obligation.objects.filter(view._owed(at), owner__isnull=False).order_by().annotate(owing=OWING)
    state = State.ALL if view.state in {State.OWED, State.LATE} else view.state
    of_itself = replace(view, mine=False, owner=None, queue=None, state=state).conversations(user, at)
    if of_itself.query.has_filters():
        owed = owed.filter(owing__in=of_itself.order_by().values("pk"))
    return dict(owed.values_list("owner").annotate(Count("owing", distinct=True)))


def _number(told: Any) -> int | None:
    try:
        return int(told)
    except (TypeError, ValueError):
        return None
