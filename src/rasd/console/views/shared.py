"""What the views of the inbox have in common."""

import hashlib
from typing import Any

from django.contrib.auth.models import User
from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone

from rasd.desk.models import Conversation, Notice
from rasd.flows.live import announce, said_in, topics_of


def typed(form: QueryDict, name: str) -> str:
    """What was typed, without NUL: PostgreSQL's text holds none, and nobody means one."""
    return form.get(name, "").replace("\0", "").strip()


def whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def message_key(key: str, text: str) -> str:
    """Of what is sent. The same ``key`` of the page with other words is another message: somebody went on typing after a send
    that seemed to fail."""
    return f"{key[:100]}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def the_conversation(pk: int) -> Conversation:
    return get_object_or_404(Conversation.objects.select_related("address", "contact", "line"), pk=pk)


def read_notices(user: User, **about: Any) -> None:
    """Of what he has opened; his bell says so on every page of his."""
    if Notice.read_about(user, at=timezone.now(), **about):
        announce(f"notices:{user.pk}")


def tell_pages(changed: Conversation, *, only_said: bool = False) -> None:
    """Those that show it, and the lists. ``only_said``: or somebody answers in it now, or no more; whatever else changed tells of
    itself."""
    announce(*(said_in if only_said else topics_of)(changed))
