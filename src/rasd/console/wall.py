"""The team lead's wall: where things stand, in numbers that are read across a room. No customer's name is among them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from django.core.cache import cache
from django.db.models import Count, Min, Q
from django.db.models.functions import TruncHour
from django.utils import timezone

from rasd.console import staffing
from rasd.desk.models import Obligation

NEXT = 3
"""How many of those that will be late next are named."""

WEEKS = 8
"""Over which the usual of a weekday is taken."""

FEWEST_DAYS = 3
"""Fewer say nothing of what is usual."""

LEAST_TOP = 10
"""Messages in an hour: one message in a quiet night does not look like a flood."""

USUAL_IS_KEPT = 600
"""Seconds: days that are over do not change."""


@dataclass(frozen=True)
class Hour:
    """Messages that expect an answer, in one hour of the day; None where it has not come, or the usual is not known."""

    hour: int
    today: int | None
    usual: float | None
    today_share: float
    """Of ``Load.top``, 0 to 100."""
    usual_share: float
    is_now: bool


@dataclass(frozen=True)
class Load:
    """The day so far against the usual of its weekday: the median of the last ``WEEKS`` weeks, hour by hour."""

    hours: list[Hour]
    top: int
    """What the full height stands for: a round number above all of the day's, ``LEAST_TOP`` at the least."""
    days: int
    """Days on record behind the usual; none of it is told where they are fewer than ``FEWEST_DAYS``."""

    @property
    def is_empty(self) -> bool:
        return not any(each.today or each.usual for each in self.hours)

    @property
    def so_far(self) -> int:
        return sum(each.today or 0 for each in self.hours)


@dataclass(frozen=True)
class Wall:
    """All that it shows, at one moment."""

    at: datetime
    waiting: int
    """Customers whose answer is owed and whose clock runs."""
    oldest: datetime | None
    """Since when the one waits who waits longest."""
    next: list[Obligation]
    """The soonest due of what is not late, the clock running."""
    late: int
    answered: int
    """Answers since midnight that customers could receive: one that settles a question and its case is one answer."""
    nobodys: int
    """In nobody's hands: always 0, or something is wrong (G7)."""
    people: list[staffing.Person]
    """Who is on shift, the fullest first."""
    load: Load

    @property
    def held(self) -> int:
        return sum(each.held.running for each in self.people)

    @property
    def capacity(self) -> int:
        return sum(each.employee.capacity for each in self.people)


def wall(at: datetime) -> Wall:
    running = Obligation.objects.filter(discharged_at=None, running_since__isnull=False).order_by()
    waits = Q(kind=Obligation.Kind.ANSWER)
    told = running.aggregate(
        waiting=Count("pk", filter=waits),
        oldest=Min("since", filter=waits),
        late=Count("pk", filter=Q(due_at__lt=at)),
    )
    on = [each for each in staffing.people(at) if each.is_on]
    return Wall(
        at=at,
        next=list(running.filter(due_at__gte=at).select_related("queue", "owner").order_by("due_at")[:NEXT]),
        answered=Obligation.objects.filter(
            discharged_at__gte=_midnight(timezone.localdate(at)), discharged_by__isnull=False
        ).aggregate(n=Count("discharged_by", distinct=True))["n"],
        nobodys=Obligation.objects.in_nobodys_hands(at).count(),
        people=sorted(on, key=lambda each: each.held.running / each.employee.capacity, reverse=True),
        load=load(at),
        **told,
    )


def load(at: datetime) -> Load:
    today = timezone.localdate(at)
    came = _by_hour([today]).get(today, {})
    usual, days = _usual(today)
    now = timezone.localtime(at).hour
    so_far = [came.get(hour, 0) if hour <= now else None for hour in range(24)]
    top = _top(max([*(n or 0.0 for n in so_far), *(n or 0.0 for n in usual)]))
    return Load(
        [
            Hour(
                hour,
                so_far[hour],
                usual[hour],
                100 * (so_far[hour] or 0) / top,
                100 * (usual[hour] or 0.0) / top,
                hour == now,
            )
            for hour in range(24)
        ],
        top,
        days,
    )


def _top(most: float) -> int:
    """The next of 10, 20, 40, 60, 80, 100, 200 … that leaves room for a number above the highest bar; its half is whole."""
    wanted, step = most * 1.1, LEAST_TOP
    while True:
        for times in (1, 2, 4, 6, 8):
            if step * times >= wanted:
                return step * times
        step *= 10


def _usual(today: date) -> tuple[list[float | None], int]:
    """Hour by hour, and how many days it rests on: those since the first message on record."""
    key = f"console.wall.usual.{today:%Y-%m-%d}"
    if (kept := cache.get(key)) is not None:
        return kept  # type: ignore[no-any-return]
    first = Obligation.objects.aggregate(first=Min("since"))["first"]
    begins = timezone.localdate(first) if first else today
    days = [day for day in (today - timedelta(weeks=n) for n in range(1, WEEKS + 1)) if day >= begins]
    if len(days) < FEWEST_DAYS:
        usual: list[float | None] = [None] * 24
    else:
        came = _by_hour(days)
        usual = [float(median(came.get(day, {}).get(hour, 0) for day in days)) for hour in range(24)]
    cache.set(key, (usual, len(days)), USUAL_IS_KEPT)
    return usual, len(days)


def _by_hour(days: list[date]) -> dict[date, dict[int, int]]:
    """Day → hour of the utility's day → messages that expected an answer."""
    within = Q()
    for day in days:
        within |= Q(since__gte=_midnight(day), since__lt=_midnight(day + timedelta(days=1)))
    rows = (
        Obligation.objects.filter(within, kind=Obligation.Kind.ANSWER)
        .order_by()
        .values(hour=TruncHour("since", tzinfo=timezone.get_default_timezone()))
        .annotate(n=Count("pk"))
    )
    found: dict[date, dict[int, int]] = {}
    for row in rows:
        moment = timezone.localtime(row["hour"], timezone.get_default_timezone())
        found.setdefault(moment.date(), {})[moment.hour] = row["n"]
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone())
