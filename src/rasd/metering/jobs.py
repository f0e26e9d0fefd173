"""Jobs of metering: shallow, the deed is elsewhere. All may run twice, or late."""

import structlog
from django.utils import timezone
from procrastinate.contrib.django import app

log = structlog.get_logger("rasd.metering")


@app.task(queue="flows", lock="close-cycle")
def close_cycle(cycle_id: int, actor: str, with_open_reviews: bool) -> None:
    """Close a cycle, because somebody pressed the button; where the worker dies, the next one goes on."""
    from rasd.metering import closing
    from rasd.metering.models import Cycle

    cycle = Cycle.objects.get(pk=cycle_id)
    try:
        closing.close(cycle, at=timezone.now(), actor=actor, with_open_reviews=with_open_reviews)
    except (closing.NotClosable, closing.Undecided) as waits:  # the page shows it to whoever pressed
        log.info("not closed", cycle=cycle.name, why=str(waits))


@app.task(queue="flows", lock="export-billing")
def export_billing(cycle_id: int, actor: str) -> None:
    """Make the next file for billing, because somebody pressed the button."""
    from rasd.metering import billing
    from rasd.metering.models import Cycle

    cycle = Cycle.objects.get(pk=cycle_id)
    try:
        billing.export(cycle, at=timezone.now(), actor=actor)
    except billing.Refused as refused:  # the page shows what is missing
        log.info("not exported", cycle=cycle.name, why=str(refused))
