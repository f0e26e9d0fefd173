"""The queue of photographs that a person must judge: one at a time, by the keyboard, the next one ready."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles, words
from rasd.console.access import StaffRequest, page
from rasd.console.pictures import use_chart
from rasd.console.reading import Beside
from rasd.console.sight import reviews_of_his_lines
from rasd.metering.models import NotAdoptable, Photograph, Register, Review, ReviewClosed, ReviewTaken
from rasd.metering.models.reviews import UNDO_WITHIN
from rasd.metering.numbers import meanings, parse_number

log = structlog.get_logger("rasd.console.review")

"""How long one that was skipped stays away from everybody, so that who skips does not get it straight back."""
PREFETCHED = 2
NOT_ADOPTABLE = gettext_lazy(
    "It cannot be adopted: the service point, its meter or the reading month is missing, or the counter cannot show"
    " this number. Skip it, and tell a supervisor."
)


@page(roles.REVIEW)
@never_cache
def review(request: StaffRequest) -> HttpResponse:
    """The next one for me, or the one that I have."""
    now = timezone.now()
    return _show(request, Review.claim_next(request.user, now, reviews_of_his_lines(request.user)), now)


@page(roles.REVIEW)
@require_POST
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """``decision``: accept (with ``value``), ask_again (``?why=`` in the button's address), not_a_meter or skip.

    Then the next one."""
    now = timezone.now()
    asked = get_object_or_404(Review.objects.select_related("submission__service_point"), pk=pk)
    try:
        if problem := _decide(request, asked, now):
            return _show(request, asked, now, problem=problem, typed=request.POST.get("value", ""))
    except NotAdoptable as error:
        log.warning("review.not_adoptable", review=pk, error=str(error))
        return _show(request, asked, now, problem=str(NOT_ADOPTABLE), typed=request.POST.get("value", ""))
    except ReviewClosed:
        messages.warning(request, _("Somebody else had decided that one already. Here is the next."))
    except ReviewTaken:
        messages.warning(
            request, _("Your five minutes were over and somebody else has it now. Here is the next.")
        )
    return _next(request, now)


def _decide(request: StaffRequest, asked: Review, now: datetime) -> str:
    """Do what was decided. What is wrong with what was typed, where something is."""
    decision = request.POST.get("decision", "accept")
    if decision == "ask_again":
        why = request.GET.get("why", "")
        asked.ask_again(request.user, now, why if why in words.ASK_AGAIN else "asked_again")
    elif decision == "not_a_meter":
        asked.not_a_meter(request.user, now)
    elif decision == "skip":
        asked.put_aside(request.user, now)
    else:
        beside = Beside(asked.submission)
        value = _value(request.POST.get("value", ""), beside.register)
        if value is None:
            return _("That is not a number that this counter can show. Type its digits as they stand there.")
        settle = asked.accept if value == beside.suggested else asked.correct
        settle(value, request.user, now)
    return ""


@page(roles.REVIEW)
@require_POST
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Take back what I just decided, and look at it again."""
    now = timezone.now()
    decided = get_object_or_404(Review, pk=pk)
    try:
        decided.undo(request.user, now)
    except ReviewTaken:
        messages.warning(
            request,
            _(
                "That cannot be taken back any more: it is too late, or the customer has been told. Open the conversation."
            ),
        )
        return _next(request, now)
    for other in Review.objects.filter(claimed_by=request.user, closed_at=None).exclude(pk=pk):
        other.release()
    return _show(request, decided, now) if request.htmx else redirect("console:review")


def _next(request: StaffRequest, now: datetime) -> HttpResponse:
    if not request.htmx:
        return redirect("console:review")
    return _show(request, Review.claim_next(request.user, now, reviews_of_his_lines(request.user)), now)


def _show(
    request: StaffRequest, current: Review | None, now: datetime, *, problem: str = "", typed: str = ""
) -> HttpResponse:
    context: dict[str, Any] = {
        "here": "review",
        "review": current,
        "problem": problem,
        "ask_again": words.ASK_AGAIN,
        "waiting": reviews_of_his_lines(request.user, closed_at=None).count(),
        "today": Review.objects.filter(closed_by=request.user, closed_at__gte=_midnight(now)).count(),
        "last": _last(request.user, now),
        "can_converse": request.user.has_perm(roles.CONVERSATIONS),
    }
    if current is not None:
        beside = Beside(current.submission)
        context |= {
            "beside": beside,
            "typed": typed or beside.suggested_digits,
            "chart": use_chart(beside),
            "next_photographs": _upcoming(current, request.user, now),
        }
    name = "console/_review.html" if request.htmx else "console/review.html"
    return render(request, name, context, status=422 if problem else 200)


def _last(user: Any, now: datetime) -> Review | None:
    """My last decision, while it can be taken back."""
    return (
        Review.objects.filter(closed_by=user, closed_at__gt=now - UNDO_WITHIN)
        .exclude(outcome=Review.Outcome.WITHDRAWN)
        .order_by("-closed_at")
        .first()
    )


def _upcoming(current: Review, user: Any, now: datetime) -> list[Photograph]:
    """Photographs that probably come next: fetched ahead by the browser, claimed by nobody."""
    ahead = (
        reviews_of_his_lines(user, closed_at=None)
        .exclude(pk=current.pk)
        .exclude(claimed_until__gt=now)
        .order_by("opened_at", "id")
        .values_list("submission_id", flat=True)[:PREFETCHED]
    )
    return list(Photograph.objects.filter(submission__in=list(ahead)))


def _value(typed: str, register: Register | None) -> Decimal | None:
    """What the digits typed mean. All of a counter's digits in a row, red ones too, are taken as they stand there."""
    if register is None:
        return parse_number(typed)
    values = meanings(typed, register.hint)
    if len(values) > 1 and len(typed.strip()) == register.digits + register.decimals:
        return values[-1]
    return values[0] if values else None


def _midnight(now: datetime) -> datetime:
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
