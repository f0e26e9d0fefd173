"""Who is on shift and who is not, and the week that comes."""

from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles, staffing
from rasd.console.access import StaffRequest, page
from rasd.desk.models import Employee


@page(roles.TEAM)
@never_cache
def team(request: StaffRequest) -> HttpResponse:
    """Everybody, now: on shift, coming, absent."""
    now = timezone.now()
    everybody = staffing.people(now)
    here = [each for each in everybody if not each.has_left]
    coming = [each for each in here if not each.is_on and each.absence is None]
    context: dict[str, Any] = {
        "here": "team",
        "tab": "people",
        "on": sorted((each for each in here if each.is_on), key=lambda each: _soonest(each.until)),
        "coming": sorted(coming, key=lambda each: _soonest(each.comes_at)),
        "absent": [each for each in here if each.absence is not None],
        "left": [each for each in everybody if each.has_left],
        "others": User.objects.filter(employee=None, is_active=True).order_by("username"),
    }
    context["held"] = sum(each.held.running for each in context["on"])
    context["capacity"] = sum(each.employee.capacity for each in context["on"])
    return render(request, "console/team.html", context)


def _soonest(moment: datetime | None) -> float:
    """For sorting: what never comes stands last."""
    return moment.timestamp() if moment else float("inf")


@page(roles.TEAM)
@never_cache
def week(request: StaffRequest) -> HttpResponse:
    """``?from=``: a day of the week that is to be shown; this week where none is named."""
    now = timezone.now()
    typed = request.GET.get("from", "")
    try:
        day = date.fromisoformat(typed) if typed else timezone.localdate(now)
        shown = staffing.week(staffing.first_day(day), now)
    except (ValueError, OverflowError) as error:  # no date, or one at the end of the calendar
        raise Http404 from error
    return render(
        request,
        "console/team_week.html",
        {"here": "team", "tab": "week", "week": shown, "today": timezone.localdate(now)},
    )


@page(roles.TEAM)
@require_POST
def add(request: StaffRequest) -> HttpResponse:
    """A user answers from now on."""
    user = get_object_or_404(User, pk=request.POST.get("user") or 0, is_active=True)
    Employee.join(user, by=request.user, at=timezone.now())
    messages.success(request, _("Added. Say now what they serve, in which languages and when."))
    return redirect("console:team_person", user.pk)
