"""What the views of the inbox have in common."""

from django.http import QueryDict
from django.shortcuts import get_object_or_404

from rasd.desk.models import Conversation
from rasd.flows.live import announce, topics_of


def typed(form: QueryDict, name: str) -> str:
    """What was typed, without NUL: PostgreSQL's text holds none, and nobody means one."""
    return form.get(name, "").replace("\0", "").strip()


def the_conversation(pk: int) -> Conversation:
    return get_object_or_404(Conversation.objects.select_related("address", "contact", "line"), pk=pk)


def tell_pages(changed: Conversation) -> None:
    """Those that show it, and the lists."""
    announce(*topics_of(changed))
