"""Jobs of the conductor: shallow, each a call into the room that knows how."""

from datetime import timedelta

import structlog
from django.db import DatabaseError
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app

from rasd.channels.jobs import Patience
from rasd.metering.models.reviews import UNDO_WITHIN

log = structlog.get_logger("rasd.flows")

LAST = -10  # priority: behind everything, where one worker serves other queues as well
FAILURES_ALLOWED = 3  # of the machine at one message, before a person has it
STILL_READING_AFTER = timedelta(seconds=2)
REVIEW_CAN_BE_UNDONE = UNDO_WITHIN + timedelta(seconds=1)


def lock_of(address_id: int) -> str:
    """One thing at a time for each customer, in the order in which it was deferred."""
    return f"flow:{address_id}"


@app.task(queue="flows", retry=Patience(), pass_context=True)
def receive(context: JobContext, incoming_id: int) -> None:
    """A message arrived: into its conversation, and answered or handed on; to a person where the machine fails at it."""
    from rasd.channels.models import Incoming
    from rasd.flows.arrival import Arrival

    incoming = Incoming.objects.select_related("line", "address").get(pk=incoming_id)
    arrival = Arrival(incoming, at=timezone.now())
    try:
        arrival.receive()
    except DatabaseError:
        raise  # the database's trouble, not the message's: tried again for as long as it takes
    except Exception as error:
        if context.job is None or context.job.attempts < FAILURES_ALLOWED:
            raise
        log.exception("given to a person", incoming=incoming_id)
        arrival.give_up(error)


@app.task(queue="flows", retry=Patience())
def look(incoming_id: int) -> None:
    """Its file lies in storage: a photograph becomes (part of) a submission."""
    from rasd.channels.models import Incoming
    from rasd.flows.photographs import take_photograph

    incoming = Incoming.objects.select_related("line", "address", "media").get(pk=incoming_id)
    take_photograph(incoming, at=timezone.now())


@app.task(queue="flows", retry=Patience())
def ask_again(incoming_id: int) -> None:
    """Its file cannot be had: the customer is asked to send it again."""
    from rasd.channels.models import Incoming
    from rasd.flows.photographs import ask_for_it_again

    ask_for_it_again(
        Incoming.objects.select_related("line", "address", "media").get(pk=incoming_id), at=timezone.now()
    )


@app.task(queue="flows", retry=Patience())
def not_delivered(message_id: int) -> None:
    """What was said failed for good: a person owes what the machine said, where nothing else could be received; what was
    closed meanwhile, and is owed in again, is open again (G7)."""
    from rasd.desk.models import Message
    from rasd.flows.unanswered import open_where_owed, owe_what_failed

    messages = Message.objects.select_related("outgoing", "conversation__address", "conversation__line")
    said = messages.get(pk=message_id)
    (owe_what_failed if said.author_id is None else open_where_owed)(said, at=timezone.now())


@app.task(queue="vision", retry=Patience())
def read(photograph_id: int) -> None:
    """The machine looks at a photograph; its submission is judged when all of its photographs were looked at."""
    from rasd.flows.photographs import read_photograph

    read_photograph(photograph_id, at=timezone.now())


@app.task(queue="shadow", priority=LAST, retry=Patience(), pass_context=True)
def shadow(context: JobContext, photograph_id: int) -> None:
    """The eye on trial looks at a photograph too. In a queue of its own: it must never keep a customer waiting."""
    from rasd.metering.models import Photograph, ShadowReading
    from rasd.vision import UnusableEye

    photograph = Photograph.objects.select_related("submission__service_point").get(pk=photograph_id)
    died = context.job is not None and context.job.attempts >= FAILURES_ALLOWED
    try:
        (ShadowReading.give_up if died else ShadowReading.take)(photograph, at=timezone.now())
    except UnusableEye as error:
        log.warning("shadow_unusable", error=str(error))  # the console and rasd check say it too


@app.periodic(cron="23 2 * * *")
@app.task(queue="flows", queueing_lock="flows-forget", pass_context=False)
def forget(timestamp: int) -> None:
    """Every night: readings of eyes on trial that are older than anyone compares."""
    from rasd.metering.models import ShadowReading

    ShadowReading.forget(timezone.now())


@app.task(queue="flows", retry=Patience())
def still_reading(photograph_id: int) -> None:
    """The customer is told that it takes longer, where it does."""
    from rasd.flows.photographs import say_still_reading

    say_still_reading(photograph_id, at=timezone.now())


@app.task(queue="flows", retry=Patience())
def judge(submission_id: int) -> None:
    """Everything of a submission was read: decide, and answer the customer."""
    from rasd.flows.answering import judge_and_answer

    judge_and_answer(submission_id, at=timezone.now())


@app.task(queue="flows", retry=Patience())
def answer_review(review_id: int) -> None:
    """A person has judged: the customer is told."""
    from rasd.flows.answering import answer_review

    answer_review(review_id, at=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(queue="flows", priority=LAST, queueing_lock="flows-remind", pass_context=False)
def remind(timestamp: int) -> None:
    """Every minute: reminders begin when they are due, and go on as far as they may."""
    from rasd.flows.models import Reminder

    Reminder.go_on_with_all(timezone.now())


@app.periodic(cron="37 * * * *")
@app.task(queue="flows", priority=LAST, queueing_lock="flows-visits", pass_context=False)
def ask_about_visits(timestamp: int) -> None:
    """Every hour of the day: a sample of the visits that came in is asked about."""
    from rasd.flows.models import VisitSample
    from rasd.flows.models.reminders import is_an_hour_for_it

    if is_an_hour_for_it(timezone.now()):
        VisitSample.draw(timezone.now())


@app.periodic(cron="* * * * *")
@app.task(queue="flows", priority=LAST, queueing_lock="flows-estimates", pass_context=False)
def tell_of_estimates(timestamp: int) -> None:
    """Every minute of the day: whoever was billed on an estimate is told, as far as Meta's limit has room."""
    from rasd.flows.models import EstimateTold

    EstimateTold.go_on_with_all(timezone.now())
