"""Employees, their shifts and what they hold, for the pages of team leads."""

from datetime import UTC, datetime, time, timedelta

from django.contrib.auth.models import Group, User

from rasd.desk.models import Calendar, Employee, Obligation, OpenSpan, Queue
from tests.console.making import Utility


def shifts(name: str, *spans: tuple[int, int], days: range = range(7)) -> Calendar:
    """``shifts("mornings", (8, 14))``: from eight to two, on each of ``days`` (0 is Monday)."""
    calendar = Calendar.objects.create(name=name, zone="Asia/Muscat")
    OpenSpan.objects.bulk_create(
        OpenSpan(calendar=calendar, weekday=day, opens=time(begins), closes=time(ends % 24))
        for day in days
        for begins, ends in spans
    )
    return calendar


def employee(
    username: str,
    *queues: Queue,
    name: str = "",
    calendar: Calendar | None = None,
    capacity: int = 8,
    languages: tuple[str, ...] = ("ar", "en"),
) -> Employee:
    first, _blank, last = name.partition(" ")
    user = User.objects.create_user(username, first_name=first, last_name=last)
    user.groups.add(Group.objects.get(name="agent"))
    user.queues.set(queues)
    return Employee.objects.create(user=user, calendar=calendar, capacity=capacity, languages=list(languages))


def owed(
    utility: Utility,
    *,
    queue: Queue | None = None,
    owner: User | None = None,
    minutes_ago: float = 10,
    due_in: float = 20,
    paused: bool = False,
    name: str = "",
) -> Obligation:
    """A customer wrote ``minutes_ago`` and is to be answered ``due_in`` minutes from now."""
    conversation = utility.conversation(name=name)
    message = utility.writes(conversation, "متى تفتح فترة القراءة؟", minutes_ago=minutes_ago)
    since = utility.now - timedelta(minutes=minutes_ago)
    return Obligation.objects.create(
        kind="answer",
        message=message,
        conversation=conversation,
        queue=queue or utility.queue,
        owner=owner,
        since=since,
        allowance=timedelta(minutes=minutes_ago + due_in),
        running_since=None if paused else since,
        due_at=utility.now + timedelta(minutes=due_in),
    )


SUNDAY_NOON = datetime(2026, 11, 22, 8, tzinfo=UTC)
"""22 November 2026, 12:00 in Muscat."""
