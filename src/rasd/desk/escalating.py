"""Warnings before the time and escalation after it, step by step to named roles. Each step is taken once for each time.

``Obligation.next_step_at`` says when the next one is to be taken: a job is deferred for that very moment, and the pass of
every minute takes what such a job missed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from rasd.desk.models import Employee, Escalation, EscalationStep, Notice, Obligation
from rasd.desk.models.roster import Roster

MACHINE = "machine:desk"


def escalate(at: datetime, roster: Roster | None = None) -> int:
    """Take every step whose moment has come; how many."""
    due = Obligation.objects.open().filter(next_step_at__lte=at).order_by("next_step_at")
    rows = list(due.values_list("pk", flat=True))
    if not rows:
        return 0
    roster = roster or Roster(at)
    return sum(take_steps(pk, at, roster, wait=False) for pk in rows)


def take_steps(obligation_id: int, at: datetime, roster: Roster | None = None, *, wait: bool = True) -> int:
    """Take the steps of one obligation whose moment has come; how many.

    Args:
        wait: else none are taken where somebody is at work on it right now; the next pass does.
    """
    with transaction.atomic():
        owed = Obligation.hold(obligation_id, wait=wait)
        if owed is None or owed.discharged_at or owed.next_step_at is None or owed.next_step_at > at:
            return 0
        roster = roster or Roster(at)
        steps = [step for step in owed.steps_to_take() if step.moment(owed) <= at]
        for step in steps:
            Escalation.objects.create(obligation=owed, step=step, due_at=owed.due_at, at=at)
        told = {step: _told(step, owed, roster) for step in steps if not _is_too_late(step, owed, at)}
        for step, people in told.items():
            _tell(people, step, owed, at)
        owed.plan_next_step()
        for step, people in told.items():
            owed.record_step(step, people, at=at, actor=MACHINE)
        return len(steps)


def _is_too_late(step: EscalationStep, owed: Obligation, at: datetime) -> bool:
    """A warning whose time is over: the step after it says more."""
    return step.after < timedelta() and at >= owed.due_at


def _told(step: EscalationStep, owed: Obligation, roster: Roster) -> list[User]:
    """The people of a role; for no role who owes it, or whoever of the queue's people is on shift. Of them who may see it."""
    chat = owed.conversation or (owed.case.conversation if owed.case else None)
    line = chat.line_id if chat else None
    if step.role_id is not None:
        people = working(User.objects.filter(groups=step.role_id))
        return [user for user in people if roster.may_see(user.pk, line)]
    if owed.owner is not None:
        return [owed.owner]
    on = [each for each in roster.fit(roster.queues[owed.queue_id], "", line) if roster.is_on(each)]
    return list(User.objects.filter(pk__in=on).order_by("pk"))


def working(people: "Iterable[User]") -> list[User]:
    """Of these, whoever may log in and has not left."""
    left = set(Employee.objects.filter(left_at__isnull=False).values_list("user", flat=True))
    return [user for user in people if user.is_active and user.pk not in left]


def _tell(people: list[User], step: EscalationStep, owed: Obligation, at: datetime) -> None:
    kind = Notice.Kind.WARNING if step.after < timedelta() else Notice.Kind.LATE
    for user in people:
        Notice.tell(user, kind, at=at, by_email=step.by_email, obligation=owed)
