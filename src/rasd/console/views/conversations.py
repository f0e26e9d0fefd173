"""What customers write, and the answers."""

import hashlib
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from rasd.channels.rules import window_is_open
from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.chat import chat_of
from rasd.desk.models import Conversation, HandOver, Message, Obligation
from rasd.flows.live import announce

SHOWN = 50  # a page
LONGEST = 4096  # characters of a text message [Meta's documentation]


@page(roles.CONVERSATIONS)
@never_cache
def conversations(request: StaffRequest) -> HttpResponse:
    """Those owed an answer first, the soonest due on top; then the others, the newest on top."""
    wanted = _typed(request.GET, "q")
    found = _matching(wanted)
    owed = (
        Obligation.objects.filter(kind=Obligation.Kind.ANSWER, discharged_at=None, conversation__in=found)
        .select_related("queue", "owner")
        .order_by("due_at")
    )
    owed_by = {each.conversation_id or 0: each for each in owed[: 4 * SHOWN]}
    first = found.filter(pk__in=owed_by)
    others = found.exclude(pk__in=owed_by).order_by("-last_message_at")
    before = _moment(request.GET.get("before"))
    if before is not None:
        others = others.filter(last_message_at__lt=before)
    newest = list(_with_last(others)[: SHOWN + 1])
    context = {
        "here": "conversations",
        "q": wanted,
        "owed": []
        if before
        else _dressed(sorted(_with_last(first), key=lambda one: owed_by[one.pk].due_at), owed_by),
        "others": _dressed(newest[:SHOWN], {}),
        "older_than": newest[SHOWN - 1].last_message_at.timestamp() if len(newest) > SHOWN else None,
    }
    return render(request, "console/conversations.html", context)


@page(roles.CONVERSATIONS)
@never_cache
def conversation(request: StaffRequest, pk: int) -> HttpResponse:
    return _show(request, _get(pk))


@page(roles.CONVERSATIONS)
@require_POST
def reply(request: StaffRequest, pk: int) -> HttpResponse:
    """Send what was typed. The page made ``key`` before it sent, so sending again after a doubt sends nothing twice."""
    asked, text = _get(pk), _typed(request.POST, "text")
    if not text or len(text) > LONGEST:
        problem = (
            _("That is longer than WhatsApp takes (%(most)d characters). Send it in two parts.")
            % {"most": LONGEST}
            if text
            else _("Type an answer first.")
        )
        return _refused(request, asked, problem, text)
    # The same key with other words is another message: somebody went on typing after a send that seemed to fail.
    words = hashlib.sha256(text.encode()).hexdigest()[:8]
    key = f"{_typed(request.POST, 'key') or get_random_string(20)}:{words}"[:150]
    with transaction.atomic():
        asked.reply(text, author=request.user, key=key, at=timezone.now())
        _announce(asked)
    return _answered(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def note(request: StaffRequest, pk: int) -> HttpResponse:
    """Written beside the conversation for one's colleagues; the customer never sees it."""
    asked, text = _get(pk), _typed(request.POST, "text")
    if not text:
        return _refused(request, asked, _("Type a note first."))
    with transaction.atomic():
        asked.note(text, at=timezone.now(), author=request.user)
        _announce(asked)
    return _answered(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def take_over(request: StaffRequest, pk: int) -> HttpResponse:
    asked = _get(pk)
    with transaction.atomic():
        asked.hand_over(wish=HandOver.Wish.STAFF, why="", at=timezone.now(), actor=_actor(request))
        _announce(asked)
    return _again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def give_back(request: StaffRequest, pk: int) -> HttpResponse:
    asked = _get(pk)
    with transaction.atomic():
        asked.give_back(at=timezone.now(), actor=_actor(request))
        _announce(asked)
    return _again(request, asked)


def _show(request: StaffRequest, shown: Conversation, *, problem: str = "", text: str = "") -> HttpResponse:
    everything = "all" in request.GET
    context: dict[str, Any] = {
        "here": "conversations",
        "conversation": shown,
        "chat": chat_of(shown, everything=everything),
        "hand_over": shown.standing_hand_over,
        "owed": shown.owed,
        "window_is_open": window_is_open(shown.address.last_wrote_at, timezone.now()),
        "key": _new_key(),
        "problem": problem,
        "text": text,
        "longest": LONGEST,
        "can_review": request.user.has_perm(roles.REVIEW),
    }
    name = "console/_conversation.html" if request.htmx else "console/conversation.html"
    return render(request, name, context, status=422 if problem else 200)


def _answered(request: StaffRequest, changed: Conversation) -> HttpResponse:
    """Told to the page's script, which then fetches the chat anew."""
    if not request.htmx:
        return _again(request, changed)
    return trigger_client_event(HttpResponse(status=204), "answered", {"key": _new_key()})


def _refused(request: StaffRequest, asked: Conversation, problem: str, text: str = "") -> HttpResponse:
    if not request.htmx:
        return _show(request, asked, problem=problem, text=text)
    return render(request, "console/_problem.html", {"problem": problem}, status=422)


def _new_key() -> str:
    return get_random_string(20)


def _again(request: StaffRequest, changed: Conversation) -> HttpResponse:
    if not request.htmx:
        messages.success(request, _("Done."))
        return redirect(reverse("console:conversation", args=[changed.pk]) + "#latest")
    return _show(request, changed)


def _typed(form: QueryDict, name: str) -> str:
    """What was typed, without NUL: PostgreSQL's text holds none, and nobody means one."""
    return form.get(name, "").replace("\0", "").strip()


def _get(pk: int) -> Conversation:
    return get_object_or_404(Conversation.objects.select_related("address", "contact", "line"), pk=pk)


def _announce(changed: Conversation) -> None:
    announce(str(changed), "conversations")


def _actor(request: StaffRequest) -> str:
    return f"user:{request.user.get_username()}"


def _matching(wanted: str) -> QuerySet[Conversation]:
    """All, or those whose person has ``wanted`` in the name or the number."""
    if not wanted:
        return Conversation.objects.all()
    digits = "".join(letter for letter in wanted if letter.isdigit())
    named = Q(contact__name__icontains=wanted) | Q(address__profile_name__icontains=wanted)
    return Conversation.objects.filter(named | Q(address__phone__contains=digits) if digits else named)


def _with_last(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    newest = Message.objects.filter(conversation=OuterRef("pk"), note="").order_by("-at", "-id")
    standing = HandOver.objects.filter(conversation=OuterRef("pk"), ended_at=None)
    return rows.select_related("address", "contact", "line").annotate(
        newest=Subquery(newest.values("pk")[:1]), with_people=Subquery(standing.values("wish")[:1])
    )


def _dressed(rows: list[Conversation], owed_by: dict[int, Obligation]) -> list[dict[str, Any]]:
    newest = {row.pk: getattr(row, "newest", None) for row in rows}  # annotated by _with_last
    last = Message.objects.select_related("incoming", "outgoing").in_bulk(
        [pk for pk in newest.values() if pk]
    )
    return [
        {"conversation": row, "last": last.get(newest[row.pk]), "owed": owed_by.get(row.pk)} for row in rows
    ]


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(text or ""), tz=timezone.get_default_timezone())
    except (ValueError, OverflowError, OSError):
        return None
