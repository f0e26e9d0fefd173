"""One employee: what he serves and when, absences, leaving."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles, staffing
from rasd.console.access import StaffRequest, page
from rasd.console.models import LoginSession
from rasd.console.templatetags.team import BREAKS
from rasd.console.views.team.forms import LOCAL, AbsenceForm, EmployeeForm
from rasd.desk.errors import LastOne
from rasd.desk.models import Absence, Employee, Obligation, Queue
from rasd.flows.live import announce

SHOWN = 10  # of what he holds; the page of work shows all


@page(roles.TEAM)
@never_cache
def person(request: StaffRequest, pk: int) -> HttpResponse:
    """``pk`` is the user's. A form that is posted changes what he serves, and when."""
    now, employee = timezone.now(), _get(pk)
    form = EmployeeForm(request.POST or None, employee=employee)
    if request.method == "POST" and form.is_valid():
        changed = employee.change(
            by=request.user,
            at=now,
            skills=form.all_skills(),
            **{name: form.cleaned_data[name] for name in ("calendar", "capacity", "languages", "queues")},
        )
        announce("team")
        messages.success(request, _("Saved.") if changed else _("Nothing was different: nothing was saved."))
        return redirect("console:team_person", pk)
    return _show(request, employee, now, form=form)


@page(roles.TEAM)
@require_POST
def absent(request: StaffRequest, pk: int) -> HttpResponse:
    """Absent from one moment until another; ``minutes``: from now on for so many."""
    now, employee = timezone.now(), _get(pk)
    if minutes := _break(request):
        employee.be_absent(now, now + minutes, request.POST.get("why", "")[:200], by=request.user, at=now)
    else:
        form = AbsenceForm(request.POST, at=now)
        if not form.is_valid():
            return _show(request, employee, now, absence_form=form)
        typed = form.cleaned_data
        employee.be_absent(typed["begins_at"], typed["ends_at"], typed["why"], by=request.user, at=now)
    announce("team")
    messages.success(request, _("%(name)s is put down as absent.") % {"name": employee})
    return redirect("console:team_person", pk)


@page(roles.TEAM)
@require_POST
def back(request: StaffRequest, pk: int) -> HttpResponse:
    """An absence (``pk`` is its own) ends now, or does not begin."""
    absence = get_object_or_404(Absence.objects.select_related("employee__user"), pk=pk)
    now = timezone.now()
    is_now = absence.begins_at <= now
    absence.end(by=request.user, at=now)
    announce("team")
    said = _("%(name)s is back.") if is_now else _("%(name)s does not go.")
    messages.success(request, said % {"name": absence.employee})
    if "team" in request.POST:
        return redirect("console:team")
    return redirect("console:team_person", absence.employee.user_id)


@page(roles.TEAM)
@never_cache
def leave(request: StaffRequest, pk: int) -> HttpResponse:
    """Asked: what happens to his work. Posted: he works here no more; with ``undo``, he does after all."""
    now, employee = timezone.now(), _get(pk)
    if request.method != "POST":
        return render(
            request,
            "console/team_leave.html",
            {"here": "team", "person": staffing.person(employee, now), "goes": _goes(employee, now)},
        )
    if "undo" in request.POST:
        with transaction.atomic():
            employee.come_back(by=request.user, at=now)
            User.objects.filter(pk=employee.user_id).update(is_active=True)
        messages.success(request, _("%(name)s works here again.") % {"name": employee})
    else:
        try:
            with transaction.atomic():
                employee.leave(by=request.user, at=now)
                User.objects.filter(pk=employee.user_id).update(is_active=False)
                LoginSession.end(employee.user, by=request.user, at=now)
        except LastOne as error:
            messages.error(request, str(error))
            return redirect("console:team_leave", pk)
        messages.success(request, _("%(name)s works here no more.") % {"name": employee})
    announce("team")
    return redirect("console:team_person", pk)


@page()
@require_POST
def myself(request: StaffRequest) -> HttpResponse:
    """An employee takes a break of ``minutes``, or is back from it."""
    now = timezone.now()
    employee = get_object_or_404(Employee, user=request.user, left_at=None)
    if minutes := _break(request):
        employee.be_absent(now, now + minutes, _("a break"), by=request.user, at=now)
        messages.success(
            request, _("You are on a break. What waits for an answer goes to colleagues until you are back.")
        )
    else:
        for absence in employee.absences.filter(begins_at__lte=now, ends_at__gt=now):
            absence.end(by=request.user, at=now)
        messages.success(request, _("You are back."))
    announce("team")
    return redirect("console:home")


def _break(request: StaffRequest) -> timedelta | None:
    """As long as the button says that was pressed, where one was."""
    pressed = request.POST.get("minutes", "")
    return timedelta(minutes=int(pressed)) if pressed in map(str, BREAKS) else None


def _get(pk: int) -> Employee:
    return get_object_or_404(staffing.employees(timezone.now()), user_id=pk)


def _show(
    request: StaffRequest,
    employee: Employee,
    now: datetime,
    *,
    form: EmployeeForm | None = None,
    absence_form: AbsenceForm | None = None,
) -> HttpResponse:
    owed = (
        Obligation.objects.filter(discharged_at=None, owner=employee.user)
        .select_related("queue", "conversation__contact", "conversation__address", "case")
        .order_by("due_at")
    )
    shown = staffing.person(employee, now)
    begins = timezone.localtime(now).replace(second=0, microsecond=0)
    context: dict[str, Any] = {
        "here": "team",
        "person": shown,
        "form": form or EmployeeForm(employee=employee),
        "absence_form": absence_form or AbsenceForm(at=now, initial={"begins_at": begins.strftime(LOCAL)}),
        "owed": owed[:SHOWN],
        "breaks": BREAKS,
        "can_converse": request.user.has_perm(roles.CONVERSATIONS),
    }
    wrong = (form is not None and form.errors) or (absence_form is not None and absence_form.errors)
    return render(request, "console/team_person.html", context, status=422 if wrong else 200)


@dataclass(frozen=True)
class Goes:
    """What becomes of one queue when somebody leaves."""

    queue: Queue
    count: int
    """Open obligations of his in it."""
    words: str
    is_bad: bool
    """Nobody is left for it."""


def _goes(employee: Employee, now: datetime) -> list[Goes]:
    """For each queue that he serves or has work in: where that goes."""
    owed = Obligation.objects.filter(discharged_at=None, owner=employee.user).order_by()
    counts: dict[int, int] = dict(owed.values_list("queue").annotate(Count("pk")))
    queues = Queue.objects.filter(pk__in={*counts, *employee.user.queues.values_list("pk", flat=True)})
    others = {each.employee.user_id: each for each in staffing.people(now) if not each.has_left}
    others.pop(employee.user_id, None)
    goes = []
    for queue in queues.select_related("falls_to").prefetch_related("people").order_by("name"):
        left = [others[user.pk] for user in queue.people.all() if user.pk in others]
        on, count = sum(each.is_on for each in left), counts.get(queue.pk, 0)
        if on:
            words = ngettext(
                "to %(n)d colleague who is on shift now", "to %(n)d colleagues who are on shift now", on
            ) % {"n": on}
        elif queue.falls_to:
            words = _("to the queue “%(queue)s”, as nobody else of this one is on shift now") % {
                "queue": queue.falls_to
            }
        elif left:
            words = _("into the queue, until somebody comes on shift")
        else:
            words = _(
                "to the queue of last resort: give this queue somebody, or a queue that it falls to, before"
            )
        goes.append(Goes(queue, count, words, is_bad=not left and queue.falls_to is None))
    return goes
