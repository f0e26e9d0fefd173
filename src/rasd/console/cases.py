"""Cases as their pages show them: which, in what order, how much of the time is spent, and one line of time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import (
    Case as When_,
)
from django.db.models import (
    CharField,
    Count,
    Exists,
    FilteredRelation,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Media
from rasd.desk import hours
from rasd.desk.models import Case, CaseEntry, CaseKind, Obligation, Queue
from rasd.desk.sight import seen
from rasd.ledger.models import Entry

SHOWN = 50  # a page
PHONE_DIGITS = 4  # fewer are in every number
RUNS, STANDS = 0, 1
"""The clock: those that it runs for come first, soonest due on top, and so the late ones before all."""

WHOSE: dict[str, str | Promise] = {"mine": _("Mine"), "queues": _("My queues'"), "all": _("All")}
STATES: dict[str, str | Promise] = {
    "open": _("open"),
    "late": _("late"),
    **{value: label for value, label in Case.Stage.choices if value != Case.Stage.OPEN},
    "new": Case.Stage.OPEN.label,
    "all": _("open and closed"),
}


@dataclass(frozen=True)
class Filters:
    """What is asked for, as it stands in the page's address."""

    whose: str = "all"
    state: str = "open"
    kind: str = ""
    owner: str = ""
    q: str = ""
    after: str = ""

    @classmethod
    def of(cls, asked: QueryDict) -> "Filters":
        """What makes no sense counts as not asked."""
        typed = {name: asked.get(name, "").replace("\0", "").strip() for name in cls.__dataclass_fields__}
        return cls(
            **typed
            | {
                "whose": typed["whose"] if typed["whose"] in WHOSE else "all",
                "state": typed["state"] if typed["state"] in STATES else "open",
            }
        )

    def address(self, **changes: str) -> str:
        """The query of the same page with other filters, from its first row on."""
        changed = replace(self, after=changes.pop("after", ""), **changes)
        said = {name: getattr(changed, name) for name in self.__dataclass_fields__}
        return "?" + urlencode(
            {name: value for name, value in said.items() if value and value != DEFAULTS[name]}
        )

    @property
    def is_by_time(self) -> bool:
        """Whether what is due stands in order of its time; else the newest stands first."""
        return self.state not in {"all", Case.Stage.CLOSED}

    def matching(self, user: User, at: datetime) -> QuerySet[Case]:
        found = seen(in_state(with_work(), self.state, at), user)
        if self.whose != "all":
            found = found.filter(_of(self.whose, user))
        if self.kind:
            found = found.filter(kind__code=self.kind)
        if self.owner:
            found = found.filter(Q(work_now__owner__username=self.owner))
        return _saying(found, self.q) if self.q else found

    def page(self, user: User, at: datetime) -> tuple[list[Case], str]:
        """The rows, and the address of the next page; empty where there is none."""
        found = self.matching(user, at).order_by(*self._order)
        if after := _cursor(self.after, self.is_by_time):
            found = found.filter(self._beyond(after))
        beside = ("kind", "contact", "conversation__address", *("work_now__owner", "work_now__queue"))
        rows = list(found.select_related(*beside)[: SHOWN + 1])
        if len(rows) <= SHOWN:
            return rows, ""
        last: Any = rows[SHOWN - 1]
        moment = last.due if self.is_by_time else (last.closed_at or last.opened_at)
        return rows[:SHOWN], self.address(after=f"{last.clock}~{moment.isoformat()}~{last.pk}")

    @property
    def _order(self) -> tuple[str, ...]:
        return ("clock", "due", "pk") if self.is_by_time else ("-ended", "-pk")

    def _beyond(self, after: tuple[int, datetime, int]) -> Q:
        clock, moment, pk = after
        if not self.is_by_time:
            return Q(ended__lt=moment) | Q(ended=moment, pk__lt=pk)
        return Q(clock__gt=clock) | Q(clock=clock, due__gt=moment) | Q(clock=clock, due=moment, pk__gt=pk)


DEFAULTS = {name: each.default for name, each in Filters.__dataclass_fields__.items()}


def with_work() -> QuerySet[Case]:
    """Each with its open work (``work_now``), whether its ``clock`` runs, when it is ``due``, and when it ``ended`` or began."""
    return (
        Case.objects.annotate(
            work_now=FilteredRelation(
                "obligations",
                condition=Q(obligations__kind=Obligation.Kind.WORK, obligations__discharged_at=None),
            )
        )
        .annotate(
            clock=When_(
                When(work_now__running_since__isnull=False, then=Value(RUNS)),
                default=Value(STANDS),
                output_field=IntegerField(),
            ),
            due=Coalesce("work_now__due_at", "opened_at"),
            ended=Coalesce("closed_at", "opened_at"),
        )
        .order_by()
    )


def in_state(cases: QuerySet[Case], state: str, at: datetime) -> QuerySet[Case]:
    if state == "all":
        return cases
    if state == "open":
        return cases.exclude(stage=Case.Stage.CLOSED)
    if state == "late":
        return cases.filter(_is_late(at))
    return cases.filter(stage=Case.Stage.OPEN if state == "new" else state)


def counts(user: User, at: datetime) -> dict[str, int]:
    """Of the open ones: how many are mine, my queues', all; and how many are late."""
    still_open = seen(in_state(with_work(), "open", at), user)
    asked = {name: Count("pk", filter=_of(name, user)) for name in ("mine", "queues")}
    return still_open.aggregate(all=Count("pk"), late=Count("pk", filter=_is_late(at)), **asked)


def mine(user: User) -> int:
    """How many open ones are this person's."""
    return Obligation.objects.filter(kind=Obligation.Kind.WORK, discharged_at=None, owner=user).count()


def _is_late(at: datetime) -> Q:
    return Q(work_now__running_since__isnull=False, work_now__due_at__lt=at)


def _of(whose: str, user: User) -> Q:
    """Whose work it is now; for those that are closed, whose it was."""
    work = Obligation.objects.filter(case=OuterRef("pk"), kind=Obligation.Kind.WORK)
    his = (
        work.filter(owner=user)
        if whose == "mine"
        else work.filter(queue__in=Queue.objects.filter(people=user))
    )
    return Q(Exists(his.filter(discharged_at=None))) | Q(Exists(his), stage=Case.Stage.CLOSED)


def _saying(cases: QuerySet[Case], wanted: str) -> QuerySet[Case]:
    """By reference, service point, title, name or number, however it is spelled."""
    plain = Func(Value(wanted), function="desk_plain", output_field=CharField())
    cases = cases.alias(
        plain_title=Func("title", function="desk_plain", output_field=CharField()),
        plain_name=Func("contact__name", function="desk_plain", output_field=CharField()),
    )
    found = Q(plain_title__contains=plain) | Q(plain_name__contains=plain)
    found |= Q(reference__istartswith=wanted) | Q(service_point__istartswith=wanted)
    digits = "".join(str(int(letter)) for letter in wanted if letter.isdecimal())
    if len(digits) >= PHONE_DIGITS:
        found |= Q(conversation__address__phone__contains=digits)
    return cases.filter(found)


def _cursor(text: str, is_by_time: bool) -> tuple[int, datetime, int] | None:
    try:
        clock, moment, pk = text.split("~")
        return int(clock), datetime.fromisoformat(moment), int(pk)
    except ValueError:
        return None


@dataclass(frozen=True)
class Clock:
    """How much of the time that was allowed is spent: working time of the queue's."""

    spent: timedelta
    allowance: timedelta
    due_at: datetime
    is_running: bool
    is_late: bool

    @classmethod
    def of(cls, work: Obligation, at: datetime) -> "Clock":
        running = (
            hours.between(work.queue.hours, work.running_since, at) if work.running_since else timedelta()
        )
        return cls(
            work.spent + running,
            work.allowance,
            work.due_at,
            work.running_since is not None,
            work.is_late(at),
        )

    @property
    def percent(self) -> float:
        """For the bar: full where the time is over."""
        return min(100.0, 100 * self.spent / self.allowance) if self.allowance else 100.0

    @property
    def left(self) -> timedelta:
        """Of the working time; below nothing where it is over."""
        return self.allowance - self.spent


DEEDS: dict[str, str | Promise] = {
    "obligation.given": _("Given to %(owner)s"),
    "obligation.moved": _("Now owed by %(queue)s"),
    "obligation.paused": _("The clock stands still"),
    "obligation.resumed": _("The clock runs again"),
}
"""What the ledger tells of the work beside the case's own lines."""
GIVEN_TO_NOBODY = _("Back in the queue %(queue)s")


@dataclass(frozen=True)
class Line:
    """One line of a case's history: an entry of the case, or what the ledger says of its work."""

    at: datetime
    number: int | None  # of the ledger's entry
    entry: CaseEntry | None = None
    deed: Entry | None = None

    @property
    def is_public(self) -> bool:
        return self.entry is not None and self.entry.is_public

    @property
    def picture(self) -> Media | None:
        """The customer's photograph, where that is what he sent and it is here."""
        incoming = self.entry.message.incoming if self.entry and self.entry.message else None
        media: Media | None = getattr(incoming, "media", None)
        return media if media and media.sha256 and media.content_type.startswith("image/") else None

    @property
    def actor(self) -> str:
        return self.entry.actor if self.entry else (self.deed.actor if self.deed else "")

    @property
    def words(self) -> str:
        if self.deed is None:
            return ""
        said = DEEDS[self.deed.action]
        if self.deed.action == "obligation.given" and not self.deed.facts.get("owner"):
            said = GIVEN_TO_NOBODY
        return str(said) % {
            "owner": self.deed.facts.get("owner") or "",
            "queue": self.deed.facts.get("queue") or "",
        }


def ledger_of(case: Case) -> list[Entry]:
    """Every entry about the case and its work, in order."""
    work = [str(each) for each in case.obligations.all()]
    return list(Entry.objects.filter(subject__in=[str(case), *work]).order_by("number"))


def history(case: Case, told: Sequence[Entry]) -> list[Line]:
    """Newest last; each with the number of the ledger's entry that proves it."""
    entries = case.entries.select_related("author", "message__outgoing", "message__incoming__media").order_by(
        "at", "id"
    )
    numbers = {each.facts["entry"]: each.number for each in told if "entry" in each.facts}
    lines = [Line(entry.at, numbers.get(entry.pk), entry=entry) for entry in entries]
    lines += [Line(each.at, each.number, deed=each) for each in told if each.action in DEEDS]
    return sorted(lines, key=lambda line: (line.at, line.number or 0))


def kinds() -> QuerySet[CaseKind]:
    return CaseKind.objects.select_related("queue")


def owners() -> QuerySet[User]:
    """Whose work any open case is."""
    owning = Obligation.objects.filter(kind=Obligation.Kind.WORK, discharged_at=None, owner=OuterRef("pk"))
    return User.objects.filter(Exists(owning)).order_by("first_name", "username")
