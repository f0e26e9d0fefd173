"""Working hours, for those who set them: each calendar as a year that one can look at, its week, seasons and special days,
and when something would be due by it."""

from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.calendar_forms import AboutForm, DayForm, MoveForm, SeasonForm, put_errors
from rasd.console.calendars import YEARS, Shown, TryForm, TypedWeek, begin_of_try, year_of
from rasd.desk.models import Calendar
from rasd.desk.models.calendars import ChangedMeanwhile, InUse
from rasd.desk.timetable import ramadan_week
from rasd.ledger.models import actor_of

PARTS = ("open_spans", "seasons", "special_days")


@page(roles.CALENDARS)
@never_cache
def calendars(request: StaffRequest) -> HttpResponse:
    every = Calendar.objects.prefetch_related(*PARTS, "queues", "employees__user")
    rows = [(each, TypedWeek.of(each.document()["week"])) for each in every]
    return render(request, "console/calendars.html", {"here": "calendars", "rows": rows})


@page(roles.CALENDARS)
@require_POST
def omani(request: StaffRequest) -> HttpResponse:
    """Oman's usual hours, under a name that is free."""
    usual = _("Oman's usual hours")
    name, n = usual, 1
    while Calendar.objects.filter(name=name).exists():
        n += 1
        name = f"{usual} {n}"
    made = Calendar.omani(name, at=timezone.now(), actor=actor_of(request.user))
    messages.success(request, _("Made. Look at it, and change what is different with you."))
    return redirect("console:calendar", made.pk)


@page(roles.CALENDARS)
@never_cache
def new(request: StaffRequest) -> HttpResponse:
    """A name first; then its week."""
    form = AboutForm(request.POST or None, initial={"holidays_of": "OM"})
    if request.method == "POST" and form.is_valid():
        try:
            made = Calendar.make(at=timezone.now(), actor=actor_of(request.user), **form.cleaned_data)
        except ValidationError as error:
            put_errors(form, error)
        else:
            return redirect("console:calendar_week", made.pk)
    return _about_page(request, None, form)


@page(roles.CALENDARS)
@never_cache
def calendar(request: StaffRequest, pk: int) -> HttpResponse:
    """``?year=`` which is shown; ``?day=`` which is looked at; ``?begin=&hours=&minutes=`` what is tried out."""
    return _show(request, pk)


@page(roles.CALENDARS)
@never_cache
def about(request: StaffRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Calendar, pk=pk)
    form = AboutForm(request.POST or None, initial=shown.document())
    if request.method == "POST" and form.is_valid() and _change(request, shown, form, **form.cleaned_data):
        return redirect("console:calendar", pk)
    return _about_page(request, Calendar.objects.get(pk=pk), form)


@page(roles.CALENDARS)
@never_cache
def week(request: StaffRequest, pk: int) -> HttpResponse:
    """The usual week. Adding, removing and copying change what is typed; "save" saves."""
    shown = get_object_or_404(Calendar, pk=pk)
    form = forms.Form(request.POST or None)
    if request.method != "POST":
        typed, rearranged = TypedWeek.of(shown.document()["week"]), False
    else:
        typed = TypedWeek.typed(request.POST)
        rearranged = typed.rearrange(request.POST)
        if not rearranged and form.is_valid():
            told = typed.week()
            if told is not None and _change(request, shown, form, week=told):
                return _on_to(request, pk)
    return _week_page(request, shown, form, typed, rearranged)


@page(roles.CALENDARS)
@never_cache
def season(request: StaffRequest, pk: int, n: int | None = None) -> HttpResponse:
    """A season's days and week; a new one begins as a copy of the usual week, and with ``?ramadan=2027`` as the Ramadan that
    begins in that year."""
    shown = get_object_or_404(Calendar, pk=pk)
    document = shown.document()
    seasons = document["seasons"]
    if n is not None and n >= len(seasons):
        return redirect("console:calendar", pk)  # somebody removed it
    told = seasons[n] if n is not None else _draft(shown, document["week"], request.GET.get("ramadan", ""))
    form = SeasonForm(request.POST or None, initial=told)
    typed, rearranged = TypedWeek.of(told["week"]), False
    if request.method == "POST":
        typed = TypedWeek.typed(request.POST)
        rearranged = typed.rearrange(request.POST)
        if not rearranged and form.is_valid() and (typed_week := typed.week()) is not None:
            days = {name: f"{form.cleaned_data[name]}" for name in ("first", "last")}
            changed = {"name": form.cleaned_data["name"], **days, "week": typed_week}
            rest = [each for place, each in enumerate(seasons) if place != n]
            if _change(request, shown, form, seasons=[*rest, changed]):
                return _on_to(request, pk)
    return _week_page(request, shown, form, typed, rearranged, season=told, n=n)


@page(roles.CALENDARS)
@require_POST
def remove_season(request: StaffRequest, pk: int, n: int) -> HttpResponse:
    shown = get_object_or_404(Calendar, pk=pk)
    rest = [each for place, each in enumerate(shown.document()["seasons"]) if place != n]
    return _change_and_back(request, shown, seasons=rest)


@page(roles.CALENDARS)
@require_POST
def put_days(request: StaffRequest, pk: int) -> HttpResponse:
    """Special days; what was said of them before is replaced."""
    shown = get_object_or_404(Calendar, pk=pk)
    form = DayForm(request.POST)
    if form.is_valid() and _change(request, shown, form, days=_with(shown, form.told())):
        return redirect(_at(pk, form.cleaned_data["day"]))
    return _show(request, pk, day_form=form)


@page(roles.CALENDARS)
@require_POST
def remove_day(request: StaffRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Calendar, pk=pk)
    day = parse_date(request.POST.get("day", ""))
    rest = [each for each in shown.document()["days"] if each["day"] != f"{day}"]
    return _change_and_back(request, shown, day, days=rest)


@page(roles.CALENDARS)
@require_POST
def move_holiday(request: StaffRequest, pk: int) -> HttpResponse:
    shown = get_object_or_404(Calendar, pk=pk)
    form = MoveForm(request.POST)
    if form.is_valid():
        day = form.cleaned_data["day"]
        (found,) = shown.days(day, day)
        if found.holiday is None:
            form.add_error("to", _("This is no holiday; nothing is to be moved."))
        elif form.cleaned_data["to"] == day:
            form.add_error("to", _("It is kept on this day already. Choose another."))
        else:
            name = found.holiday.name(request.LANGUAGE_CODE or "")
            if _change(request, shown, form, days=_with(shown, form.told(name))):
                return redirect(_at(pk, form.cleaned_data["to"]))
    return _show(request, pk, move_form=form)


@page(roles.CALENDARS)
@require_POST
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """The last change; pressed again, it stands again."""
    shown = get_object_or_404(Calendar, pk=pk)
    try:
        if shown.undo(at=timezone.now(), actor=actor_of(request.user), seen=_seen(request)):
            messages.success(request, _("Taken back. What is owed by these hours is counted anew."))
    except ChangedMeanwhile:
        messages.warning(request, _meanwhile())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("console:calendar", pk)


@page(roles.CALENDARS)
@require_POST
def remove(request: StaffRequest, pk: int) -> HttpResponse:
    try:
        get_object_or_404(Calendar, pk=pk).remove(at=timezone.now(), actor=actor_of(request.user))
    except InUse:
        messages.warning(request, _("Queues or employees go by these hours. Give them others first."))
        return redirect("console:calendar", pk)
    messages.success(request, _("Removed. What it said is kept in the ledger."))
    return redirect("console:calendars")


def _show(
    request: StaffRequest, pk: int, *, day_form: DayForm | None = None, move_form: MoveForm | None = None
) -> HttpResponse:
    """With what was typed into a form that was wrong."""
    shown = get_object_or_404(Calendar.objects.prefetch_related(*PARTS), pk=pk)
    now = timezone.now()
    today = now.astimezone(shown.time_zone).date()
    wrong = day_form or move_form
    day = parse_day(wrong["day"].value() if wrong else request.GET.get("day", ""))
    year = _number(request.GET.get("year")) or (day or today).year
    year = min(max(year, YEARS.start), YEARS.stop - 1)
    looked_at = Shown(shown.days(day, day)[0], today) if day else None
    tried = TryForm(request.GET) if "begin" in request.GET else None
    document = shown.document()
    context: dict[str, Any] = {
        "here": "calendars",
        "calendar": shown,
        "document": document,
        "week": TypedWeek.of(document["week"]),
        "seasons": [(n, each, TypedWeek.of(each["week"])) for n, each in enumerate(document["seasons"])],
        "days": [Shown(each, today) for each in _special(shown, document, since=today)],
        "last": shown.last_change,
        "draft": shown.ramadan_without_hours(today),
        "year": year,
        "years": (year - 1 if year - 1 in YEARS else None, year + 1 if year + 1 in YEARS else None),
        "months": year_of(shown, year, today),
        "today": today,
        "looked_at": looked_at,
        "day_form": day_form or DayForm(initial=_said_of(looked_at)),
        "move_form": move_form or MoveForm(initial={"day": day}),
        "try_form": tried or TryForm(initial={"begin": begin_of_try(now, shown), "hours": 4, "minutes": 0}),
        "outcome": tried.outcome(shown, today) if tried and tried.is_valid() else None,
        "queues": shown.queues.order_by("name"),
        "employees": shown.employees.select_related("user"),
        "people": shown.employees.count(),
    }
    return render(request, "console/calendar.html", context, status=422 if wrong else 200)


def _week_page(
    request: StaffRequest, shown: Calendar, form: Any, typed: TypedWeek, rearranged: bool, **more: Any
) -> HttpResponse:
    wrong = not rearranged and request.method == "POST"
    context = {
        "here": "calendars",
        "calendar": shown,
        "form": form,
        "show_form_errors": wrong,
        "typed": typed,
        "faults": typed.faults if wrong else [],
        "unsaved": request.method == "POST",
        "seen": _number(request.POST.get("seen")) if rearranged else _last_number(shown),
    }
    return render(request, "console/calendar_week.html", context | more, status=422 if wrong else 200)


def _about_page(request: StaffRequest, shown: Calendar | None, form: AboutForm) -> HttpResponse:
    context = {
        "here": "calendars",
        "calendar": shown,
        "form": form,
        "zones": sorted(available_timezones()),
        "seen": _last_number(shown) if shown else 0,
    }
    return render(request, "console/calendar_about.html", context, status=422 if form.errors else 200)


def _change(request: StaffRequest, shown: Calendar, form: forms.Form, **parts: Any) -> bool:
    """Whether it was saved; what was wrong stands in ``form`` then."""
    try:
        changed = shown.change(at=timezone.now(), actor=actor_of(request.user), seen=_seen(request), **parts)
    except ChangedMeanwhile:
        form.add_error(None, _meanwhile())
    except ValidationError as error:
        put_errors(form, error)
    else:
        words = (
            _("Saved. What is owed by these hours is counted anew.")
            if changed
            else _("It says that already.")
        )
        messages.success(request, words)
        return True
    return False


def _change_and_back(
    request: StaffRequest, shown: Calendar, day: date | None = None, **parts: Any
) -> HttpResponse:
    form = forms.Form({})
    if form.is_valid() and not _change(request, shown, form, **parts):
        messages.warning(request, " ".join(map(str, form.non_field_errors())))
    return redirect(_at(shown.pk, day))


def _with(shown: Calendar, told: list[dict[str, str]]) -> list[dict[str, str]]:
    replaced = {each["day"] for each in told}
    return sorted(
        [*(each for each in shown.document()["days"] if each["day"] not in replaced), *told],
        key=lambda each: each["day"],
    )


def _special(shown: Calendar, document: dict[str, Any], since: date) -> list[Any]:
    days = [date.fromisoformat(each["day"]) for each in document["days"]]
    return [shown.days(day, day)[0] for day in days if day >= since]


def _said_of(looked_at: Shown | None) -> dict[str, Any]:
    if looked_at is None:
        return {"kind": "closed"}
    return {"kind": "closed", "day": looked_at.date, **(looked_at.day.special or {})}


def _draft(shown: Calendar, week: dict[str, Any], ramadan: str) -> dict[str, Any]:
    try:
        draft = shown.propose_ramadan(int(ramadan))
    except ValueError:  # none is asked for, or none is known
        return {"name": "", "first": "", "last": "", "week": week}
    return {"name": draft.name, "first": draft.first, "last": draft.last, "week": ramadan_week(week)}


def _on_to(request: StaffRequest, pk: int) -> HttpResponse:
    """The whole page, where a fragment had asked."""
    address = reverse("console:calendar", args=[pk])
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def _at(pk: int, day: date | None) -> str:
    address = reverse("console:calendar", args=[pk])
    return f"{address}?day={day}#day" if day else address


def _last_number(shown: Calendar) -> int:
    last = shown.last_change
    return last.number if last else 0


def _seen(request: StaffRequest) -> int | None:
    return _number(request.POST.get("seen"))


def _number(typed: str | None) -> int | None:
    return int(typed) if typed and typed.isdecimal() and len(typed) < 10 else None


def parse_day(typed: Any) -> date | None:
    if isinstance(typed, datetime):
        return typed.date()
    if isinstance(typed, date):
        return typed
    try:
        found = parse_date(typed or "")
    except ValueError:
        return None
    return found if found and found.year in YEARS else None


def _meanwhile() -> str:
    return _("Somebody else changed these hours meanwhile. Look at what they say now, and save again.")
