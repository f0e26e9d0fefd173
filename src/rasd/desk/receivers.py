"""What the desk does when the outbox learns more."""

from typing import Any

from django.dispatch import receiver

from rasd.channels.models import Outgoing
from rasd.channels.signals import outgoing_changed
from rasd.desk.models import Obligation


@receiver(outgoing_changed)
def settle_what_it_answers(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    for obligation in Obligation.objects.filter(discharged_by__outgoing=outgoing).select_related(
        "discharged_by__outgoing"
    ):
        obligation.settle()
