"""Shallow, the deed is on the model. All may run twice, or late."""

from django.utils import timezone
from procrastinate.contrib.django import app

from rasd.channels.jobs import Patience


@app.task(queue="flows", retry=Patience())
def export(export_id: int) -> None:
    from rasd.person.models import Export

    if asked := Export.objects.filter(pk=export_id).first():
        asked.make(timezone.now())


@app.task(queue="flows", retry=Patience())
def finish(erasure_id: int) -> None:
    from rasd.person.models import Erasure

    Erasure.objects.get(pk=erasure_id).finish(timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(queue="flows", queueing_lock="person-sweep", pass_context=False)
def sweep(timestamp: int) -> None:
    """Every ten minutes: erasures that a crash left half done, and exports that have lain long enough."""
    from rasd.person.models import Erasure, Export

    now = timezone.now()
    Erasure.finish_all(now)
    Export.throw_old_away(now)
