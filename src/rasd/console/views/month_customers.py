"""The customers' side of a month: the days in which each district reads, and the reminders to those who have not."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rasd.channels import tiers
from rasd.channels.models import Line, OptOut
from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.flows.models import ApprovedTemplate, Reminder, VisitSample
from rasd.ledger.models import actor_of
from rasd.metering.models import Cycle, VisitQuestion
from rasd.metering.models.windows import Days, FaultyWindows, districts


@page(roles.CYCLE)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def windows(request: StaffRequest, name: str) -> HttpResponse:
    """The days of each district; empty: the cycle's own. All are saved, or none."""
    cycle = get_object_or_404(Cycle, name=name)
    may_change = request.user.has_perm(roles.WINDOWS) and cycle.closed_at is None
    wrong: dict[str, str] = {}
    if request.method == "POST" and may_change:
        wanted, wrong = _typed(request)
        if not wrong:
            try:
                cycle.put_windows(wanted, at=timezone.now(), actor=actor_of(request.user))
            except FaultyWindows as error:
                wrong = {one.district: _told(one.code, one.other) for one in error.faults}
            else:
                messages.success(request, _("The days are saved. Whoever asks is told them from now on."))
                return redirect("console:month_windows", name)
    kept = {one.district: one for one in cycle.district_windows.all()}
    rows = [
        {
            "district": each,
            "opens": request.POST.get(f"opens-{each}", _iso(kept[each].opens) if each in kept else ""),
            "closes": request.POST.get(f"closes-{each}", _iso(kept[each].closes) if each in kept else ""),
            "wrong": wrong.get(each, ""),
        }
        for each in districts()
    ]
    shown = {
        "here": "cycle",
        "tab": "windows",
        "cycle": cycle,
        "rows": rows,
        "may_change": may_change,
        "wrong": [f"{district}: {words}" for district, words in wrong.items()],
    }
    return render(request, "console/month_windows.html", shown, status=422 if wrong else 200)


def _typed(request: StaffRequest) -> tuple[dict[str, Days], dict[str, str]]:
    """The windows as typed, and of each district what is wrong with its own."""
    wanted: dict[str, Days] = {}
    wrong: dict[str, str] = {}
    for district in districts():
        typed = [request.POST.get(f"{name}-{district}", "").strip() for name in ("opens", "closes")]
        if not any(typed):
            continue
        opens, closes = map(_day, typed)
        if opens is None or closes is None:
            wrong[district] = _("Give both days, or neither.")
        else:
            wanted[district] = (opens, closes)
    return wanted, wrong


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:  # the 31st of November
        return None


def _iso(day: date) -> str:
    return day.isoformat()


def _told(code: str, other: str) -> str:
    if code == "shared":
        return _("A day of it is in the window of %(other)s already: choose other days.") % {"other": other}
    return _("The last day is before the first: exchange the two.")


@page(roles.CYCLE)
@never_cache
def reminders(request: StaffRequest, name: str) -> HttpResponse:
    """How far each round is, what stands in the way of one, and what customers say of the visits."""
    cycle = get_object_or_404(Cycle, name=name)
    rounds = [{"round": one, "progress": one.progress()} for one in cycle.reminders.all()]
    now = timezone.now()
    shown: dict[str, Any] = {
        "here": "cycle",
        "tab": "reminders",
        "cycle": cycle,
        "rounds": rounds,
        "missing": {Reminder.what_is_missing(each) for each in Reminder.Occasion.values} - {""},
        "templates": ApprovedTemplate.objects.order_by("use", "language"),
        "lines": [
            (line, tiers.room(line, now)) for line in Line.objects.filter(purpose=Line.Purpose.READINGS)
        ],
        "opted_out": OptOut.objects.filter(ended_at=None).count(),
        "may_stop": request.user.has_perm(roles.REMINDERS),
        "visits": _visits(cycle),
    }
    return render(request, "console/month_reminders.html", shown)


def _visits(cycle: Cycle) -> dict[str, Any]:
    """What customers drawn at random answered of this month's visits."""
    asked = VisitQuestion.objects.filter(field_read__cycle=cycle)
    return {
        "asked": asked.count(),
        "came": asked.filter(answer=VisitQuestion.Answer.CAME).count(),
        "not_seen": asked.filter(answer=VisitQuestion.Answer.NOT_SEEN).count(),
        "sample": VisitSample.objects.last(),
    }


@page(roles.REMINDERS)
@require_POST
def stop_reminders(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """Nobody else of the round is written to."""
    found = get_object_or_404(Reminder, pk=pk, cycle__name=name)
    found.stop(at=timezone.now(), actor=actor_of(request.user))
    messages.success(request, _("Stopped: nobody else is reminded in this round."))
    return redirect("console:month_reminders", name)
