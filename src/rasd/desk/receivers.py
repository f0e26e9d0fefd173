"""What the desk does when the outbox learns more."""

from typing import Any

from django.dispatch import receiver

from rasd.channels.models import Outgoing
from rasd.channels.signals import outgoing_changed
from rasd.desk.models import Case, Obligation


@receiver(outgoing_changed)
def settle_what_it_answers(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    for obligation in Obligation.objects.filter(discharged_by__outgoing=outgoing).select_related(
        "discharged_by__outgoing"
    ):
        obligation.settle()


@receiver(outgoing_changed)
def settle_what_it_closes(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    """After the obligations, of which its work is one: receivers are called in the order of this file."""
    for case in Case.objects.filter(closing_answer__message__outgoing=outgoing):
        case.settle()
    Case.hear_of(outgoing)
