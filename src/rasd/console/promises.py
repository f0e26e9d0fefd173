"""What an answer keeps, as its writer says: a tick for each promise that is not kept yet."""

from dataclasses import dataclass

from django.utils import timezone

from rasd.console.access import StaffRequest
from rasd.desk.models import Conversation, Obligation

NAME = "keeps"
"""Of the ticks, in each form in which one answers."""


@dataclass(frozen=True)
class Tick:
    promise: Obligation
    is_on: bool


def ticks(request: StaffRequest, conversation: Conversation | None) -> list[Tick]:
    """As they were sent, where a form came back; else on for who is expected to keep it now."""
    if conversation is None:
        return []
    sent, now = said(request), timezone.now()
    return [
        Tick(one, one.pk in sent if request.method == "POST" else one.is_to_be_kept_by(request.user, now))
        for one in conversation.promises
    ]


def said(request: StaffRequest) -> set[int]:
    """Primary keys of what is ticked."""
    return {
        int(each)
        for each in request.POST.getlist(NAME)
        if each.isascii() and each.isdecimal() and len(each) < 19
    }
