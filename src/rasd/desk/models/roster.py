from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db.models import Prefetch, Q

from rasd.channels.models import limits_of_all
from rasd.desk.hours import RoundTheClock, Working, is_open, open_until, opens_at
from rasd.desk.models.staff import Absence, Employee

if TYPE_CHECKING:
    from rasd.desk.models.queues import Queue


class Roster:
    """Everybody who works here, at one moment: who is on shift, who comes when, which queue somebody serves.

    Read once, in a fixed number of questions to the database. A user in a queue who is no employee may take what is in it, but
    nobody knows when he is there: nothing is given to him, and he does not make the queue served, but for that of last resort.
    Who is limited to some lines may have nothing of the others: he would not find it.
    """

    def __init__(self, at: datetime) -> None:
        from rasd.desk.models.queues import Queue

        self.at = at
        self.people: dict[int, Employee | None] = {}
        self._lines = limits_of_all()
        self._serving: dict[int, list[int]] = defaultdict(list)
        self._hours: dict[int, Working] = {}
        self._shifts: dict[int | None, Working] = {None: RoundTheClock()}
        self._comes: dict[int, datetime | None] = {}
        self._until: dict[int, datetime | None] = {}
        self._patience: dict[int, datetime] = {}
        for user in _users(at):
            employee: Employee | None = getattr(user, "employee", None)
            self.people[user.pk] = employee
            for queue in user.queues.all():
                self._serving[queue.pk].append(user.pk)
        self.queues: dict[int, Queue] = {
            queue.pk: queue
            for queue in Queue.objects.prefetch_related(
                "skills", "calendar__open_spans", "calendar__seasons", "calendar__special_days"
            )
        }
        self.last_resort = next((queue for queue in self.queues.values() if queue.is_last_resort), None)

    # People.

    def is_on(self, user_id: int) -> bool:
        return user_id in self.people and self._comes_at(user_id) == self.at

    def until(self, user_id: int) -> datetime | None:
        """When the present shift of somebody who is on ends; None where it does not end."""
        if user_id not in self._until:
            self._until[user_id] = open_until(self._working(user_id), self.at)
        return self._until[user_id]

    def _comes_at(self, user_id: int) -> datetime | None:
        """Now, for who is on shift; None for who does not come any more."""
        if user_id not in self._comes:
            hours = self._working(user_id)
            self._comes[user_id] = self.at if is_open(hours, self.at) else opens_at(hours, self.at)
        return self._comes[user_id]

    def _working(self, user_id: int) -> Working:
        if user_id not in self._hours:
            employee = self.people[user_id]
            self._hours[user_id] = RoundTheClock()
            if employee is not None:
                if employee.calendar_id not in self._shifts and employee.calendar is not None:
                    self._shifts[employee.calendar_id] = employee.calendar.hours
                self._hours[user_id] = employee.hours_in(self._shifts[employee.calendar_id])
        return self._hours[user_id]

    # Queues.

    def fit(self, queue: "Queue", language: str, line: int | None = None) -> list[int]:
        """Who of the queue's people may have something of this language on this line (None: of no line). In the queue of last
        resort: whatever the language."""
        people = [user_id for user_id in self._serving[queue.pk] if self.may_see(user_id, line)]
        if queue.is_last_resort:
            return people
        wanted = {skill.pk for skill in queue.skills.all()}
        return [user_id for user_id in people if _can(self.people[user_id], language, wanted)]

    def serving(self, queue: "Queue") -> list[int]:
        """Who makes it served, on shift or not: its employees; in the queue of last resort every login."""
        people = self._serving[queue.pk]
        return people if queue.is_last_resort else [one for one in people if self.people[one] is not None]

    def may_see(self, user_id: int, line: int | None) -> bool:
        return line is None or user_id not in self._lines or line in self._lines[user_id]

    def limited(self) -> list[tuple[frozenset[int], list[int]]]:
        """Who is limited to the same lines, together."""
        together: dict[frozenset[int], list[int]] = defaultdict(list)
        for user_id, lines in self._lines.items():
            together[lines].append(user_id)
        return list(together.items())

    def is_served(self, queue: "Queue", language: str = "", line: int | None = None) -> bool:
        """Whether somebody who may have it is on shift, or comes before the time in which the queue answers is over.

        The queue of last resort is served while any of its people comes on shift at all: there is nobody after them.
        """
        coming = [at for user_id in self.fit(queue, language, line) if (at := self._comes_at(user_id))]
        if not coming:
            return False
        return queue.is_last_resort or min(coming) <= self._waits_until(queue)

    def place_for(self, home: "Queue", language: str, line: int | None = None) -> "Queue | None":
        """Where something that belongs to ``home`` is to be now: there, or in the first queue that it falls to and that is
        served; at the end in the queue of last resort. None where not even that is served."""
        seen: set[int] = set()
        queue: Queue | None = self.queues.get(home.pk)
        while queue is not None and queue.pk not in seen:
            if self.is_served(queue, language, line):
                return queue
            seen.add(queue.pk)
            queue = self.queues.get(queue.falls_to_id or 0)
        if self.last_resort is not None and self.is_served(self.last_resort, language, line):
            return self.last_resort
        return None

    def _waits_until(self, queue: "Queue") -> datetime:
        if queue.pk not in self._patience:
            self._patience[queue.pk] = queue.due(self.at, queue.answer_within)
        return self._patience[queue.pk]


def _users(at: datetime) -> list[User]:
    """Who can work: active, an employee or in a queue, each calendar fetched once."""
    return list(
        User.objects.filter(Q(employee__isnull=False) | Q(queues__isnull=False), is_active=True)
        .distinct()
        .prefetch_related(
            "queues",
            "employee",
            "employee__skills",
            Prefetch("employee__absences", Absence.objects.filter(ends_at__gt=at)),
            "employee__calendar__open_spans",
            "employee__calendar__seasons",
            "employee__calendar__special_days",
        )
        .order_by("pk")
    )


def _can(employee: Employee | None, language: str, skills: set[int]) -> bool:
    if employee is None:  # a login: when it is there, what it speaks and can do is nowhere said
        return False
    speaks = not language or language in employee.languages
    return speaks and skills <= {skill.pk for skill in employee.skills.all()}
