"""Jobs of the desk: shallow, the deed is in the room. All may run twice, or late: whoever finds a thing done leaves it."""

from django.utils import timezone
from procrastinate.contrib.django import app

from rasd.channels.jobs import Patience


@app.periodic(cron="* * * * *")
@app.task(queue="flows", queueing_lock="desk-watch", pass_context=False)
def watch(timestamp: int) -> None:
    """Every minute: nothing lies with nobody, and nobody who is to know of a time does not."""
    from rasd.desk.assigning import tick

    tick(timezone.now())


@app.task(queue="flows", retry=Patience())
def look_round() -> None:
    """Who works here, when, or in which queue, has changed: as :func:`watch`, at once."""
    from rasd.desk.assigning import tick

    tick(timezone.now())


@app.task(queue="flows", retry=Patience())
def give_out(queue_id: int) -> None:
    """Something waits in a queue, or there is room."""
    from rasd.desk import assigning
    from rasd.desk.models import Queue

    at = timezone.now()
    assigning.move_where_served(at)
    assigning.give_out(Queue.objects.get(pk=queue_id), at)


@app.task(queue="flows", retry=Patience())
def look_after(obligation_id: int) -> None:
    """A moment of this obligation has come: its owner's shift ends, or a step is to be taken."""
    from rasd.desk import assigning, escalating
    from rasd.desk.models import Obligation

    at = timezone.now()
    owed = Obligation.objects.open().filter(pk=obligation_id).first()
    if owed is None:
        return
    if owed.owner_id is not None:
        assigning.take_back(at, owner_id=owed.owner_id)
    escalating.take_steps(obligation_id, at)


@app.task(queue="outbox", retry=Patience())
def email(notice_id: int) -> None:
    from rasd.desk.models import Notice

    Notice.objects.select_related("to", "obligation__queue", "obligation__owner").get(pk=notice_id).email(
        at=timezone.now()
    )


@app.task(queue="flows", retry=Patience())
def recount(entry: int) -> None:
    """Working hours were changed, by this entry of the ledger: what is owed by them is due anew."""
    from rasd.desk.models import Calendar

    Calendar.recount(entry, at=timezone.now())
    look_round()


@app.task(queue="flows", retry=Patience())
def plan_steps(queue_id: int) -> None:
    """The steps of a queue are others now: what is owed there is warned of and escalated by these."""
    from rasd.desk.models import Obligation

    for owed in Obligation.objects.open().filter(queue=queue_id).select_related("queue"):
        owed.plan_next_step()


@app.periodic(cron="* * * * *")
@app.task(queue="flows", queueing_lock="desk-account", pass_context=False)
def draw_account(timestamp: int) -> None:
    """Every minute: the account of who owed what takes in what the ledger has got since."""
    from rasd.desk.models import AccountMark

    AccountMark.catch_up(timezone.now())


@app.periodic(cron="17 * * * *")
@app.task(queue="flows", queueing_lock="desk-standards", pass_context=False)
def find_breaches(timestamp: int) -> None:
    """Every hour: guaranteed standards that were not kept, and what was answered late after all."""
    from rasd.desk.models.breaches import record_all_breaches

    record_all_breaches(timezone.now())
