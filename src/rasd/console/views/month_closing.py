"""The month is closed by a button, and which reading is billed is said in one table."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.months import STEPS
from rasd.ledger.models import Entry, actor_of
from rasd.metering import closing
from rasd.metering.adopting import PRECEDENCE
from rasd.metering.jobs import close_cycle
from rasd.metering.models import Closing, Cycle


@page(roles.CLOSE)
@require_POST
def close(request: StaffRequest, name: str) -> HttpResponse:
    """Begin to close, or go on; ``with_open_reviews`` where the list of what is not decided was seen."""
    cycle = get_object_or_404(Cycle, name=name)
    try:
        closing.facts_of(cycle, timezone.now())
    except closing.NotClosable:
        messages.warning(
            request, _("It is not this month's turn yet: its window is open, or an earlier month is.")
        )
        return redirect("console:cycle", name)
    close_cycle.defer(
        cycle_id=cycle.pk, actor=actor_of(request.user), with_open_reviews="with_open_reviews" in request.POST
    )
    messages.success(request, _("The closing has begun. This page shows how far it is."))
    return redirect("console:cycle", name)


@page(roles.CYCLE)
@never_cache
def progress(request: StaffRequest, name: str) -> HttpResponse:
    """How far the closing is: the part of the month's home that is asked for every two seconds while it runs."""
    cycle = get_object_or_404(Cycle, name=name)
    about = about_closing(cycle, request.user.has_perm(roles.CLOSE))
    return render(request, "console/_month_closing.html", {"cycle": cycle, **about})


@page(roles.CYCLE)
@never_cache
def precedence(request: StaffRequest, name: str) -> HttpResponse:
    """G2: the table of precedence, with how often each row decided where the month is closed."""
    cycle = get_object_or_404(Cycle, name=name)
    found = Closing.objects.filter(cycle=cycle, cycle__closed_at__isnull=False).first()
    counts: dict[str, int] = (
        next((step["counts"].get("rules", {}) for step in found.steps if step["step"] == "bill"), {})
        if found
        else {}
    )
    return render(
        request,
        "console/month_precedence.html",
        {
            "here": "cycle",
            "tab": "precedence",
            "cycle": cycle,
            "rows": [(row, counts.get(row.code)) for row in PRECEDENCE],
        },
    )


def _totals(cycle: Cycle) -> list[dict[str, Any]]:
    """By commodity and source, as the ledger has them; none where it is open."""
    entry = Entry.objects.filter(subject=f"cycle:{cycle}", action="cycle.closed").last()
    return entry.facts["totals"] if entry else []


def about_closing(cycle: Cycle, may_close: bool) -> dict[str, Any]:
    """For the month's home: how far the closing is, what stands in its way, and what came of it."""
    found = Closing.objects.filter(cycle=cycle).first()
    running = found is not None and cycle.closed_at is None and closing.is_running(cycle)
    try:
        closing.facts_of(cycle, timezone.now())
        is_its_turn = True
    except closing.NotClosable:
        is_its_turn = False
    questions = closing.open_questions(cycle) if cycle.closed_at is None and not running else None
    return {
        "closing": found,
        "running": running,
        "steps": [step | {"words": STEPS[step["step"]]} for step in found.steps] if found else [],
        "may_close": may_close and cycle.closed_at is None and is_its_turn and not running,
        "questions": questions,
        "too_early": cycle.closed_at is None and not is_its_turn,
        "waits": found is not None and found.error.startswith("Undecided"),
        "totals": _totals(cycle),
    }
