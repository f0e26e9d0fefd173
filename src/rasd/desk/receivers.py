"""What the desk does when the outbox learns more, when what is owed changes, and when people come and go."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.jobs import defer
from rasd.channels.models import Outgoing
from rasd.channels.signals import outgoing_changed
from rasd.desk import jobs
from rasd.desk.models import (
    Absence,
    Calendar,
    Case,
    Employee,
    EscalationStep,
    Message,
    Notice,
    Obligation,
    OpenSpan,
    Queue,
    Season,
    SpecialDay,
)
from rasd.desk.signals import notice_told, obligation_changed

# The outbox.


@receiver(outgoing_changed)
def settle_what_it_answers(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    message = Message.objects.filter(outgoing=outgoing).select_related("outgoing", "author").first()
    if message is None:
        return
    for obligation in Obligation.objects.filter(discharged_by=message):
        obligation.settle()


@receiver(outgoing_changed)
def settle_what_it_closes(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    """After the obligations, of which its work is one: receivers are called in the order of this file."""
    for case in Case.objects.filter(closing_answer__message__outgoing=outgoing):
        case.settle()


# What is owed.


@receiver(obligation_changed)
def see_that_somebody_has_it(sender: Any, obligation: Obligation, **_: Any) -> None:
    """What is with nobody is given out; where somebody has room now, what waits for it."""
    if obligation.discharged_at is None and obligation.owner_id is None:
        defer(jobs.give_out, queue_id=obligation.queue_id)
    elif obligation.owner_id is not None and obligation.running_since is None:
        freed = Obligation.objects.waiting().filter(queue__people=obligation.owner_id).order_by()
        for queue_id in freed.values_list("queue", flat=True).distinct():
            defer(jobs.give_out, queue_id=queue_id)


@receiver(obligation_changed)
def look_after_it_in_time(sender: Any, obligation: Obligation, **_: Any) -> None:
    """A job at the next moment at which something is to happen by itself. When it has, it is deferred for the one after."""
    moments = [at for at in (obligation.owner_until, obligation.next_step_at) if at]
    if moments and obligation.discharged_at is None:
        defer(jobs.look_after, at=min(moments), obligation_id=obligation.pk)


@receiver(notice_told)
def email_it(sender: Any, notice: Notice, **_: Any) -> None:
    if notice.email_wanted:
        defer(jobs.email, notice_id=notice.pk)


# People, their hours, their queues.


@receiver([post_save, post_delete], sender=Employee)
@receiver([post_save, post_delete], sender=Absence)
@receiver([post_save, post_delete], sender=Queue)
@receiver([post_save, post_delete], sender=Calendar)
@receiver([post_save, post_delete], sender=OpenSpan)
@receiver([post_save, post_delete], sender=Season)
@receiver([post_save, post_delete], sender=SpecialDay)
@receiver([post_save, post_delete], sender=User)
@receiver(m2m_changed, sender=Queue.people.through)
@receiver(m2m_changed, sender=Queue.skills.through)
@receiver(m2m_changed, sender=Employee.skills.through)
def look_round_at_once(
    sender: type[Model], update_fields: frozenset[str] | None = None, raw: bool = False, **_: Any
) -> None:
    """Whoever changed it, in the admin too: it may be that somebody is gone, or came, or has room."""
    says_nothing = {"last_login"} if sender is User else {"given_at"}
    if raw or (update_fields and update_fields <= says_nothing):
        return
    name = jobs.look_round.name
    if not ProcrastinateJob.objects.filter(task_name=name, status="todo", scheduled_at=None).exists():
        defer(jobs.look_round)


@receiver(post_save, sender=Queue)
def escalate_as_usual(sender: Any, instance: Queue, created: bool, raw: bool = False, **_: Any) -> None:
    if created and not raw:
        EscalationStep.usual(instance)


@receiver([post_save, post_delete], sender=EscalationStep)
def plan_its_steps_anew(sender: Any, instance: EscalationStep, raw: bool = False, **_: Any) -> None:
    if not raw and Obligation.objects.open().filter(queue=instance.queue_id).exists():
        defer(jobs.plan_steps, queue_id=instance.queue_id)
