"""Jobs of the pages: shallow, the deed is elsewhere."""

from django.utils import timezone
from procrastinate.contrib.django import app

from rasd.flows.jobs import LAST


@app.task(queue="flows", priority=LAST)
def count_again(what: str, cycle_id: int) -> None:
    """A count that pages show has grown old."""
    from rasd.console import counts
    from rasd.metering.models import Cycle

    counts.make(what, Cycle.objects.get(pk=cycle_id), timezone.now())
