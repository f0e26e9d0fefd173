"""Who is on shift, until when, and with how much: everybody in a fixed number of questions to the database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils import timezone

from rasd.desk import hours
from rasd.desk.models import Absence, Employee, Obligation, Queue, Weekday

WEEK_BEGINS = Weekday.SUNDAY  # as Oman's working week does
REMEMBERED = timedelta(days=14)  # absences that ended before are not fetched: no page shows them
PIPS = 24  # places drawn for one person; more would not be counted by eye


@dataclass(frozen=True)
class Held:
    """What one person owes now: ``open`` in all, of which ``late`` are late and ``paused`` wait for the customer."""

    open: int = 0
    late: int = 0
    paused: int = 0

    @property
    def running(self) -> int:
        """What counts against the capacity: nobody works at what waits for the customer."""
        return self.open - self.paused


@dataclass(frozen=True)
class Person:
    """An employee at one moment."""

    employee: Employee
    at: datetime
    is_on: bool
    until: datetime | None
    """When the present shift ends; None where there is none or it does not end."""
    comes_at: datetime | None
    """When the next shift begins; None while on shift, and where none comes."""
    absence: Absence | None
    """The one that lasts now."""
    later: list[Absence]
    """Those that are still to come, the next one first."""
    held: Held = field(default_factory=Held)

    @property
    def has_left(self) -> bool:
        return self.employee.left_at is not None

    @property
    def is_full(self) -> bool:
        return self.held.running >= self.employee.capacity

    @property
    def pips(self) -> list[str]:
        """The load as places, one for each that the capacity has: late, held, over (beyond the capacity) or free."""
        late = min(self.held.late, self.held.running)
        places = ["late"] * late + ["held"] * (self.held.running - late)
        over = [f"{kind} over" for kind in places[self.employee.capacity :]]
        places = places[: self.employee.capacity] + over
        return (places + ["free"] * (self.employee.capacity - len(places)))[:PIPS]


def employees(at: datetime) -> QuerySet[Employee]:
    """With all that their hours and their cards need."""
    absences = Absence.objects.filter(ends_at__gt=at - REMEMBERED).order_by("begins_at")
    return (
        Employee.objects.select_related("user")
        .prefetch_related(
            "user__queues",
            "skills",
            Prefetch("absences", absences),
            "calendar__open_spans",
            "calendar__seasons",
            "calendar__special_days",
        )
        .order_by("user__first_name", "user__username")
    )


def people(at: datetime, rows: Iterable[Employee] | None = None) -> list[Person]:
    """Everybody, or ``rows``; who left is among them."""
    held, shifts = held_by_owner(at), Shifts()
    found = employees(at) if rows is None else rows
    return [person(each, at, held.get(each.user_id, Held()), shifts) for each in found]


class Shifts:
    """The hours of each calendar, worked out once however many people work by it."""

    def __init__(self) -> None:
        self._of: dict[int | None, hours.Working] = {None: hours.RoundTheClock()}

    def of(self, employee: Employee) -> hours.Working:
        if employee.calendar is not None and employee.calendar_id not in self._of:
            self._of[employee.calendar_id] = employee.calendar.hours
        return self._of[employee.calendar_id]


def person(
    employee: Employee, at: datetime, held: Held | None = None, shifts: Shifts | None = None
) -> Person:
    absences = [each for each in employee.absences.all() if each.ends_at > at]
    working = employee.hours_in((shifts or Shifts()).of(employee))
    is_on = hours.is_open(working, at)
    return Person(
        employee,
        at,
        is_on,
        hours.open_until(working, at) if is_on else None,
        None if is_on else hours.opens_at(working, at),
        next((each for each in absences if each.begins_at <= at), None),
        sorted((each for each in absences if each.begins_at > at), key=lambda each: each.begins_at),
        held_by_owner(at, employee.user_id).get(employee.user_id, Held()) if held is None else held,
    )


def held_by_owner(at: datetime, owner_id: int | None = None) -> dict[int, Held]:
    """User → what they owe."""
    rows = Obligation.objects.filter(discharged_at=None, owner__isnull=False)
    if owner_id is not None:
        rows = rows.filter(owner_id=owner_id)
    told: list[Any] = list(rows.order_by().values("owner").annotate(**counts(at)))
    return {row["owner"]: Held(row["open"], row["late"], row["paused"]) for row in told}


def counts(at: datetime) -> dict[str, Count]:
    """Of open obligations: how many, how many late, how many with the clock standing still."""
    return {
        "open": Count("pk"),
        "late": Count("pk", filter=Q(running_since__isnull=False, due_at__lt=at)),
        "paused": Count("pk", filter=Q(running_since=None)),
    }


# A week, drawn.


@dataclass(frozen=True)
class Bar:
    """A stretch of one day, in per cent of it from the side where the day begins."""

    start: float
    width: float
    begins_at: datetime
    ends_at: datetime
    kind: str
    """shift, absent or gap."""
    words: str = ""


@dataclass(frozen=True)
class Row:
    """One person's or one queue's seven days."""

    who: Any
    days: list[list[Bar]]


@dataclass(frozen=True)
class Week:
    """Seven days from ``first`` on, in the utility's time zone."""

    first: date
    at: datetime
    people: list[Row]
    queues: list[Row]
    """Only what is not covered: the hours in which a queue is open by its calendar and nobody who serves it is on shift."""

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(7)]

    @property
    def before(self) -> date:
        return self.first - timedelta(days=7)

    @property
    def after(self) -> date:
        return self.first + timedelta(days=7)

    @property
    def has_gaps(self) -> bool:
        return any(any(row.days) for row in self.queues)


def first_day(of: date) -> date:
    """The beginning of the week in which a day lies."""
    return of - timedelta(days=(of.weekday() - WEEK_BEGINS) % 7)


def week(first: date, at: datetime) -> Week:
    """The shifts of all who have not left, their absences, and where a queue lies uncovered."""
    begin, end = _midnight(first), _midnight(first + timedelta(days=7))
    rows: list[Row] = []
    on_shift: dict[int, list[tuple[datetime, datetime]]] = {}
    shifts = Shifts()
    for employee in employees(min(at, begin)).filter(left_at=None, user__is_active=True):
        working = shifts.of(employee)
        absences = [each for each in employee.absences.all() if each.ends_at > begin and each.begins_at < end]
        on_shift[employee.user_id] = list(employee.hours_in(working).spans(begin, end))
        bars = [(opened, closed, "shift", "") for opened, closed in working.spans(begin, end)]
        bars += [
            (max(each.begins_at, begin), min(each.ends_at, end), "absent", each.why) for each in absences
        ]
        rows.append(Row(employee, _by_day(bars, first)))
    queues = [
        Row(queue, _by_day([(*gap, "gap", "") for gap in gaps(queue, on_shift, begin, end)], first))
        for queue in queues_with_hours()
    ]
    return Week(first, at, rows, queues)


def queues_with_hours() -> QuerySet[Queue]:
    return Queue.objects.prefetch_related(
        "people__employee", "calendar__open_spans", "calendar__seasons", "calendar__special_days"
    ).order_by("name")


def gaps(
    queue: Queue, on_shift: dict[int, list[tuple[datetime, datetime]]], begin: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The queue's open hours in which none of its people is on shift; ``on_shift`` is user → their stretches."""
    always = [(begin, end)]  # a user in a queue who is no employee has no shifts that could end
    serving = [person for person in queue.people.all() if person.is_active]
    covered = [
        span
        for person in serving
        for span in on_shift.get(person.pk, () if hasattr(person, "employee") else always)
    ]
    return hours.Without(queue.hours, covered).spans(begin, end)


def _by_day(bars: Sequence[tuple[datetime, datetime, str, str]], first: date) -> list[list[Bar]]:
    days = []
    for n in range(7):
        dawn, dusk = _midnight(first + timedelta(days=n)), _midnight(first + timedelta(days=n + 1))
        length = (dusk - dawn).total_seconds()
        days.append(
            [
                Bar(
                    100 * (max(begins, dawn) - dawn).total_seconds() / length,
                    100 * (min(ends, dusk) - max(begins, dawn)).total_seconds() / length,
                    max(begins, dawn),
                    min(ends, dusk),
                    kind,
                    words,
                )
                for begins, ends, kind, words in bars
                if begins < dusk and ends > dawn
            ]
        )
    return days


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone())
