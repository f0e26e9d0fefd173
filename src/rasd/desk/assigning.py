"""Who owes what, so that nothing lies with nobody (G7): work goes back when its owner goes, falls on where nobody serves its
queue, and is given to who is on shift, fit for it, and has room.

:func:`tick` does all of it once and may run at any time, as often as it likes, in as many processes as there are: each
thing is done in a short transaction of its own, by whoever is first, and found done by the others. It runs every minute
(``jobs.watch``), and a job runs it for one thing at each moment that is known beforehand.

Call none of these inside a transaction that has written to the ledger: see :meth:`Obligation.hold`.
"""

from collections import Counter
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q

from rasd.desk import escalating
from rasd.desk.models import Employee, Obligation, Queue
from rasd.desk.models.roster import Roster

MACHINE = escalating.MACHINE
ADMINISTRATORS = "administrator"
"""The group whose people serve the queue of last resort while nobody else does; the console makes it."""

NEVER = datetime.min.replace(tzinfo=UTC)


def tick(at: datetime) -> dict[str, int]:
    """One whole pass; how many were taken back, moved and given, and how many steps of escalation were taken."""
    roster = Roster(at)
    return {
        "taken_back": take_back(at, roster),
        "moved": (moved := move_where_served(at, roster)),
        "given": give_all(at, Roster(at) if moved else roster),
        "steps": escalating.escalate(at, roster),
    }


# Back from who is not there.


def take_back(at: datetime, roster: Roster | None = None, *, owner_id: int | None = None) -> int:
    """What is owed by people who are not on shift, or do not see its line, goes back to their queue; whose shift ends at another
    time now, owes it until then.

    Args:
        owner_id: only what this user owes.
    """
    owned = Obligation.objects.open().filter(owner__isnull=False).with_language().order_by("due_at", "pk")
    if owner_id is not None:
        owned = owned.filter(owner=owner_id)
    rows = list(owned.values_list("pk", "owner", "owner_until", "line"))  # type: ignore[misc]
    if not rows:
        return 0
    roster = roster or Roster(at)
    return sum(
        _take_back_one(pk, at, roster, line)
        for pk, owner, until, line in rows
        if not (_works_until(owner, until, roster) and roster.may_see(owner, line))
    )


def _works_until(owner_id: int, until: datetime | None, roster: Roster) -> bool:
    return _is_on(owner_id, roster) and until == _until(owner_id, roster)


def _is_on(user_id: int, roster: Roster) -> bool:
    """A user in no queue who is no employee is on shift as long as the login is."""
    if user_id in roster.people:
        return roster.is_on(user_id)
    return User.objects.filter(pk=user_id, is_active=True).exists()


def _until(user_id: int, roster: Roster) -> datetime | None:
    return roster.until(user_id) if user_id in roster.people else None


def _take_back_one(pk: int, at: datetime, roster: Roster, line: int | None) -> int:
    with transaction.atomic():
        owed = Obligation.hold(pk, wait=False)
        if owed is None or owed.owner is None or owed.discharged_at:
            return 0
        sees, is_on = roster.may_see(owed.owner.pk, line), _is_on(owed.owner.pk, roster)
        if sees and is_on:
            owed.give(owed.owner, at=at, actor=MACHINE)
            return 0
        why = _why_gone(owed.owner, at) if not is_on else "may not see the line"
        owed.give(None, at=at, actor=MACHINE, why=why)
        return 1


def _why_gone(owner: User, at: datetime) -> str:
    employee = Employee.of(owner)
    if not owner.is_active or employee is None or (employee.left_at and employee.left_at <= at):
        return "works here no more"
    away = employee.absences.filter(begins_at__lte=at, ends_at__gt=at)
    return "is absent" if away.exists() else "the shift is over"


# On from where nobody comes, and home again.


def move_where_served(at: datetime, roster: Roster | None = None) -> int:
    """What lies in a queue that nobody serves goes to the first one that it falls to and that is served, at the end to the
    queue of last resort; and home again as soon as somebody serves its own."""
    roster = roster or Roster(at)
    lying = Obligation.objects.open().filter(owner=None).with_language().order_by()
    places = list(lying.values_list("queue", "fell_from", "language", "line").distinct())  # type: ignore[misc]
    moved = 0
    for queue_id, fell_from, language, line in places:
        home = roster.queues[fell_from or queue_id]
        place = roster.place_for(home, language, line) or _last_resort(home, language, line, at)
        if place is None or (place.pk == queue_id):
            continue
        there = lying.filter(queue=queue_id, fell_from=fell_from, language=language, line=line)  # type: ignore[misc]
        for pk in list(there.values_list("pk", flat=True)):
            moved += _move_one(pk, place, home, at)
    return moved


def _move_one(pk: int, place: Queue, home: Queue, at: datetime) -> int:
    with transaction.atomic():
        owed = Obligation.hold(pk, wait=False)
        if owed is None or owed.owner or owed.discharged_at or owed.home != home or owed.queue == place:
            return 0
        why = "somebody serves it again" if place == home else f"nobody serves {home.name}"
        owed.move(place, at=at, actor=MACHINE, why=why, falls=True)
        return 1


def _last_resort(home: Queue, language: str, line: int | None, at: datetime) -> Queue | None:
    """The queue of last resort, made where none is, and with the administrators in it where nobody in it comes any more;
    None where there is not even an administrator."""
    last_resort = Queue.last_resort()
    administrators = User.objects.filter(is_active=True).exclude(employee__left_at__lte=at)
    named = administrators.filter(groups__name=ADMINISTRATORS) | administrators.filter(is_superuser=True)
    last_resort.people.add(*named.distinct())
    return Roster(at).place_for(home, language, line)


# To whoever is there.


def give_all(at: datetime, roster: Roster | None = None) -> int:
    queues = Obligation.objects.waiting().order_by().values_list("queue", flat=True).distinct()
    return sum(
        give_out(queue, at, roster) for queue in Queue.objects.filter(pk__in=list(queues)).order_by("pk")
    )


def give_out(queue: Queue, at: datetime, roster: Roster | None = None) -> int:
    """Give what waits in ``queue``, soonest due first, to its people who are on shift, fit for it and have room: the least
    loaded for his capacity first, of equals who waited longest. How many were given; the others wait.

    Of two processes that do this at once each gives what the other has not in hand.
    """
    roster = roster or Roster(at)
    queue = roster.queues[queue.pk]
    waiting = Obligation.objects.waiting().filter(queue=queue).with_language().order_by("due_at", "pk")
    given, full = 0, set()
    for pk, language, line in list(waiting.values_list("pk", "language", "line")):  # type: ignore[misc]
        if (language, line) in full:
            continue
        if not _with_room(queue, language, line, roster):
            full.add((language, line))
            continue
        given += _give_one(pk, queue, language, line, at, roster)
    return given


def _give_one(pk: int, queue: Queue, language: str, line: int | None, at: datetime, roster: Roster) -> int:
    with transaction.atomic():
        owed = Obligation.hold(pk, wait=False)
        if owed is None or not Obligation.objects.waiting().filter(pk=pk, queue=queue).exists():
            return 0
        for candidate in _preferred(owed, _with_room(queue, language, line, roster)):
            # One at a time for each person, or two processes would fill the last place twice. Nobody waits for another's
            # person with one of his own in hand: that would be a deadlock.
            rows = Employee.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            employee = rows.filter(pk=candidate.pk).first()
            if employee is not None and employee.load(at) < employee.capacity:
                employee.given_at = at
                employee.save(update_fields=["given_at"])
                owed.give(employee.user, at=at, actor=MACHINE, why=f"waited in {queue.name}")
                return 1
        return 0


def _with_room(queue: Queue, language: str, line: int | None, roster: Roster) -> list[Employee]:
    """Who may have it now, in the order in which they get it. In the queue of last resort who speaks the language first."""
    people = [
        employee
        for user_id in roster.fit(queue, language, line)
        if roster.is_on(user_id) and (employee := roster.people[user_id]) is not None
    ]
    fresh = Employee.objects.in_bulk([employee.pk for employee in people])
    load = _loads([employee.user_id for employee in people])
    free = [each for each in fresh.values() if load[each.user_id] < each.capacity]
    return sorted(
        free,
        key=lambda each: (
            bool(language) and language not in each.languages,
            load[each.user_id] / each.capacity,
            each.given_at or NEVER,
            each.pk,
        ),
    )


def _loads(user_ids: list[int]) -> Counter[int]:
    running = Obligation.objects.open().filter(owner__in=user_ids, running_since__isnull=False).order_by()
    return Counter(dict(running.values("owner").annotate(n=Count("pk")).values_list("owner", "n")))


def _preferred(owed: Obligation, employees: list[Employee]) -> list[Employee]:
    """Who promised keeps it, where he can; next, whoever has something else of the same matter: what is owed in the conversation
    and on its cases is one person's."""
    author = owed.message.author_id if owed.kind == Obligation.Kind.PROMISE and owed.message else None
    chat = owed.conversation_id or (owed.case.conversation_id if owed.case else None)
    same = Q(conversation=chat) | Q(case__conversation=chat) if chat else Q(case=owed.case_id)
    has = set(Obligation.objects.open().filter(same, owner__isnull=False).values_list("owner", flat=True))
    return sorted(
        employees,
        key=lambda each: (author is None or each.user_id != author, each.user_id not in has),
    )
