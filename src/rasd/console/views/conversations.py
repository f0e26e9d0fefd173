"""The inbox: what customers write, and the answers."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from rasd.channels.models import Line
from rasd.channels.rules import window_is_open
from rasd.console import inbox, promises, roles
from rasd.console.about import about
from rasd.console.access import StaffRequest, page
from rasd.console.chat import chat_of
from rasd.console.templatetags.inbox import moment_words
from rasd.console.views.shared import (
    message_key,
    read_notices,
    tell_pages,
    the_conversation,
    typed,
    whole_number,
)
from rasd.desk.errors import AnswerHeld, GoesOnElsewhere, IsClosed
from rasd.desk.hours import RoundTheClock
from rasd.desk.inbox import Filters, State
from rasd.desk.models import CannedAnswer, Conversation, Draft, Queue
from rasd.desk.models.queues import Matter

SHOWN = 30  # conversations a page
LONGEST = 4096  # characters of a text message [Meta's documentation]
STATES = (
    (State.OWED, gettext_lazy("something is owed")),
    (State.LATE, gettext_lazy("late")),
    (State.WAITING, gettext_lazy("waiting for the customer")),
    (State.ALL, gettext_lazy("all")),
    (State.CLOSED, gettext_lazy("closed")),
)
UNDONE_WITHIN = timedelta(seconds=30)  # what was settled or closed may be taken back for so long


@page(roles.CONVERSATIONS)
@never_cache
def conversations(request: StaffRequest) -> HttpResponse:
    """The list alone; without a word about which, those owed an answer, the soonest due on top."""
    return _inbox(request, None)


@page(roles.CONVERSATIONS)
@never_cache
def conversation(request: StaffRequest, pk: int) -> HttpResponse:
    """The list and one conversation beside it, or the part of them that the page's script asks for. Who opens it has read what
    the bell tells of it; a part that changes by itself is not opened."""
    if request.htmx and request.htmx.target == f"one-{pk}":
        return _row(request, pk)
    shown = the_conversation(pk)
    if not request.htmx or request.htmx.target == "pane":
        read_notices(request.user, conversation=shown)
    return show(request, shown)


def show(request: StaffRequest, shown: Conversation, **more: Any) -> HttpResponse:
    """``more``: ``problem``, words about what was refused; ``text``, what was typed and is not lost."""
    part = request.htmx.target if request.htmx else ""
    if part == "about":
        context = {"conversation": shown, "about": about(shown, request.user), "matters": Matter.choices}
        context["query"] = inbox.query_of(Filters.of(request.GET))
        return render(request, "console/_about.html", context)
    if part == "conversation":
        return render(request, "console/_conversation.html", _chat(request, shown))
    if part == "pane":
        return render(request, "console/_pane.html", _pane(request, shown, **more))
    return _inbox(request, shown, **more)


def _inbox(request: StaffRequest, shown: Conversation | None, **more: Any) -> HttpResponse:
    now = timezone.now()
    filters = Filters.of(request.GET)
    found = inbox.ordered(filters, request.user, now)
    if cursor := typed(request.GET, "after"):
        found = inbox.after(found, filters, cursor)
    rows = inbox.rows_of(found, most=SHOWN + 1, at=now)
    context: dict[str, Any] = {
        "here": "conversations",
        "filters": filters,
        "query": inbox.query_of(filters),
        "rows": rows[:SHOWN],
        "is_first_page": not cursor,
        "next": inbox.cursor_of(filters, rows[SHOWN - 1].conversation) if len(rows) > SHOWN else "",
        "open": shown,
    }
    context["topic"], context["rest"] = inbox.topic_of(filters, request.user)
    context["said"] = "row" if inbox.is_by_due(filters) else "all"
    if request.htmx and request.htmx.target == "list":
        return render(request, "console/_inbox_list.html", context)
    usual, saved = inbox.views_for(request.user, filters, now)
    context |= {
        "usual_views": usual,
        "saved_views": saved,
        "view": next((each for each in (*usual, *saved) if each.is_shown), None),
        "queues": Queue.objects.order_by("name"),
        "lines": Line.objects.order_by("name"),
        "owners": [
            (each.pk, each.get_full_name() or each.get_username())
            for each in User.objects.filter(employee__isnull=False, employee__left_at=None)
            .only("first_name", "last_name", "username")
            .order_by("username")
        ],
        "matters": Matter.choices,
        "states": STATES,
        "languages": settings.LANGUAGES,
        "may_share_views": request.user.has_perm(roles.TEAM),
    }
    if shown:
        context |= _pane(request, shown, **more)
    status = 422 if more.get("problem") else 200
    return render(request, "console/conversations.html", context, status=status)


def _row(request: StaffRequest, pk: int) -> HttpResponse:
    """In a list, one in which something was said."""
    found = Conversation.objects.filter(pk=pk).select_related("address", "contact", "line")
    rows = inbox.rows_of(found, most=1, at=timezone.now())
    if not rows:
        raise Http404
    context = {"one": rows[0], "query": inbox.query_of(Filters.of(request.GET))}
    return render(request, "console/_conversation_row.html", context)


def _pane(request: StaffRequest, shown: Conversation, *, problem: str = "", text: str = "") -> dict[str, Any]:
    draft = text or Draft.of(shown, request.user)
    if wanted := typed(request.GET, "canned"):
        canned = CannedAnswer.objects.filter(shortcut=wanted).first()
        draft = draft or (canned.filled(shown, request.user) if canned else "")
    return _chat(request, shown) | {
        "about": about(shown, request.user),
        "problem": problem,
        "text": draft,
        "key": _new_key(),
        "longest": LONGEST,
        "times": inbox.usual_times(timezone.now(), _hours_of(shown)),
    }


def _chat(request: StaffRequest, shown: Conversation) -> dict[str, Any]:
    now = timezone.now()
    chat = chat_of(shown, everything="all" in request.GET)
    claim = shown.claim_at(now)
    on_pages = [] if shown.closed_at else list(shown.owed_on_pages)
    return {
        "conversation": shown,
        "query": inbox.query_of(Filters.of(request.GET)),
        "chat": chat,
        "seen": chat.bubbles[-1].message.pk if chat.bubbles else 0,
        "hand_over": shown.standing_hand_over,
        "owed": shown.obligations.filter(kind="answer", discharged_at=None)
        .select_related("owner", "queue")
        .first(),
        "claim": claim,
        "whose": ("mine" if claim.holder == request.user else "theirs") if claim else "",
        "ticks": promises.ticks(request, None if shown.closed_at else shown),
        "on_pages": [(each, shown.answer_since(each.since)) for each in on_pages],
        "held": shown.held_answers.filter(outcome="").select_related("author", "other").order_by("at"),
        "leads": request.user.has_perm(roles.TEAM),
        "waived": shown.obligations.filter(
            waived_by=request.user, discharged_at__gt=now - UNDONE_WITHIN
        ).last(),
        "was_just_closed": bool(shown.closed_at and shown.closed_at > now - UNDONE_WITHIN),
        "goes_on_in": shown.goes_on_in if shown.closed_at else None,
        "draft": Draft.of(shown, request.user) if shown.closed_at else "",
        "matters": Matter.choices,
        "window_is_open": window_is_open(shown.address.last_wrote_at, now),
        "can_review": request.user.has_perm(roles.REVIEW),
    }


@page(roles.CONVERSATIONS)
@require_POST
def reply(request: StaffRequest, pk: int) -> HttpResponse:
    """Send what was typed, as what it was typed: an answer, a note, a promise. In a closed conversation it stays a draft.

    The page made ``key`` before it sent, so sending again after a doubt sends nothing twice.
    """
    asked, text, kind = the_conversation(pk), typed(request.POST, "text"), typed(request.POST, "as")
    by = None
    if kind == "promise":
        by = _promised(request)
        if by is None or by <= timezone.now():
            return _refused(request, asked, _("Choose a moment to come, by which the customer has it."), text)
        text = text or _promise_in_words(asked, by)
    if not text:
        return _refused(
            request, asked, _("Type a note first.") if kind == "note" else _("Type an answer first.")
        )
    if kind != "note" and len(text) > LONGEST:
        words = _("That is longer than WhatsApp takes (%(most)d characters). Send it in two parts.")
        return _refused(request, asked, words % {"most": LONGEST}, text)
    key = message_key(typed(request.POST, "key") or _new_key(), text)
    said, now = "sent", timezone.now()
    what: dict[str, Any] = {"author": request.user, "key": key, "at": now}
    what |= {"seen": whole_number(typed(request.POST, "seen")), "keeps": promises.said(request)}
    with transaction.atomic():
        try:
            if kind == "note":
                asked.note(text, at=now, author=request.user, key=key)
                Draft.keep(asked, request.user, "", at=now)
                said = "noted"
            elif by is not None:
                asked.promise(text, by=by, **what)
                said = "promised"
            else:
                asked.reply(text, **what)
        except AnswerHeld:
            said = "held"
        except (GoesOnElsewhere, IsClosed) as error:
            Draft.keep(asked, request.user, text, at=now)
            tell_pages(asked)  # this one too: it has not seen that it was closed
            return _is_closed(request, asked, error)
        if kind != "note":
            asked.release(request.user, at=now)
        tell_pages(asked, only_said=True)
    return _answered(request, asked, said)


def _promised(request: StaffRequest) -> datetime | None:
    chosen = typed(request.POST, "by")
    try:
        moment = parse_datetime(chosen if chosen != "other" else typed(request.POST, "other"))
    except ValueError:
        return None
    return timezone.make_aware(moment) if moment and timezone.is_naive(moment) else moment


def _promise_in_words(asked: Conversation, by: datetime) -> str:
    """In the customer's language, for those who type nothing."""
    with override(asked.language):
        return _("You will have our answer by %(moment)s.") % {"moment": moment_words(by)}


def _hours_of(shown: Conversation) -> Any:
    owed = shown.owed
    return owed.queue.hours if owed else RoundTheClock()


def _answered(request: StaffRequest, changed: Conversation, said: str) -> HttpResponse:
    """Told to the page's script, which then fetches the chat anew."""
    if request.htmx:
        return trigger_client_event(HttpResponse(status=204), "answered", {"key": _new_key(), "said": said})
    if said == "held":
        messages.warning(
            request, _("It is not sent yet: a colleague was quicker. Decide below what becomes of it.")
        )
    return again(request, changed, done=said != "held")


def _refused(request: StaffRequest, asked: Conversation, problem: str, text: str = "") -> HttpResponse:
    if not request.htmx:
        return show(request, asked, problem=problem, text=text)
    return render(request, "console/_problem.html", {"problem": problem}, status=422)


def where_to_go_on(error: GoesOnElsewhere | IsClosed) -> str:
    if isinstance(error, GoesOnElsewhere):
        return _("The customer has written since: go on in the new conversation.")
    return _("It has been closed: open it again, and then send.")


def _is_closed(request: StaffRequest, asked: Conversation, error: GoesOnElsewhere | IsClosed) -> HttpResponse:
    """Words about what to do; without script on the page that has the link or the button for it, and the draft."""
    words = where_to_go_on(error)
    if request.htmx:
        return _refused(request, asked, words)
    messages.warning(request, words)
    return again(request, asked, done=False)


def again(request: StaffRequest, changed: Conversation, *, done: bool = True) -> HttpResponse:
    """After a deed: the conversation as it is now."""
    if request.htmx:
        return show(request, changed)
    if done:
        messages.success(request, _("Done."))
    address = reverse("console:conversation", args=[changed.pk])
    return redirect(f"{address}{inbox.query_of(Filters.of(request.GET))}#latest")


def _new_key() -> str:
    return get_random_string(20)
