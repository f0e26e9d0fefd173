"""While an answer is typed: it is kept, others see that somebody answers, and words are offered."""

from contextlib import suppress

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.views.shared import message_key, tell_pages, the_conversation, typed
from rasd.desk.errors import Claimed, GoesOnElsewhere, IsClosed
from rasd.desk.models import CannedAnswer, Conversation, Draft

OFFERED = 8


@page(roles.CONVERSATIONS)
@require_POST
def typing(request: StaffRequest, pk: int) -> HttpResponse:
    """What is typed so far, and a sign of life of whoever types.

    In the answer: ``claim``, which is ``mine``, ``theirs`` or empty, and ``at``, by when the words are stored (UTC, seconds).
    """
    asked, now, user = the_conversation(pk), timezone.now(), request.user
    text = request.POST.get("text", "").replace("\0", "")
    with transaction.atomic():
        # Before the draft, as whoever sends does it: the other way round the two wait for each other for ever.
        is_open = Conversation.objects.select_for_update().get(pk=pk).closed_at is None
        is_note, key = request.POST.get("as") == "note", message_key(typed(request.POST, "key"), text.strip())
        is_late = asked.has_note(key) if is_note else asked.has_reply(key)
        if not is_late:  # what comes after its answer brings no draft back, and no claim
            Draft.keep(asked, user, text, at=now)
        before = asked.claim_at(now)
        if "leaving" in request.POST:
            asked.release(user, at=now)
        elif (before and before.holder == user) or (is_open and text.strip() and not is_late and not is_note):
            with suppress(Claimed, GoesOnElsewhere, IsClosed):  # the page says whose it is
                asked.claim(user, at=now)
        claim = asked.claim_at(now)
        if (claim and claim.holder) != (before and before.holder):
            tell_pages(asked)
    whose = ("mine" if claim.holder == user else "theirs") if claim else ""
    return JsonResponse({"claim": whose, "at": timezone.now().timestamp()})


@page(roles.CONVERSATIONS)
def canned(request: StaffRequest, pk: int) -> HttpResponse:
    """Canned answers that match ``text``, filled in for this conversation's customer, in their language."""
    asked = the_conversation(pk)
    found = CannedAnswer.matching(typed(request.GET, "text"), request.user.queues.all())[:OFFERED]
    offers = [
        {"name": f"/{each.shortcut}", "words": each.title, "fill": each.filled(asked, request.user)}
        for each in found
    ]
    return render(request, "console/_offers.html", {"offers": offers, "is_canned": True})


@page(roles.CONVERSATIONS)
def colleagues(request: StaffRequest) -> HttpResponse:
    """Who may be mentioned: those who read conversations, by name or username."""
    text = typed(request.GET, "text")
    app, _dot, codename = roles.CONVERSATIONS.partition(".")
    allowed = {"content_type__app_label": app, "codename": codename}
    may = Q(is_superuser=True)
    for way in ("user_permissions", "groups__permissions"):
        may |= Q(**{f"{way}__{field}": value for field, value in allowed.items()})
    named = Q(username__istartswith=text) | Q(first_name__istartswith=text) | Q(last_name__istartswith=text)
    found = User.objects.filter(may, named, is_active=True).exclude(pk=request.user.pk).distinct()
    offers = [
        {"name": f"@{each.username}", "words": each.get_full_name(), "fill": f"@{each.username} "}
        for each in found.order_by("username")[:OFFERED]
    ]
    return render(request, "console/_offers.html", {"offers": offers})
