"""What is promised, by when, and at what cost: kinds of cases, guaranteed standards, and what was not kept."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.desk.models import Breach, Calendar, CaseKind, Standard
from rasd.desk.models.breaches import month_of, month_report
from rasd.desk.oman import make_usual_standards

SHOWN = 200  # breaches on the page; all are in the file
COLUMNS = (
    *("standard", "name", "of", "case", "began_at", "due_at", "answered_at", "owner", "queue"),
    *("compensation_omr", "counts", "why_not", "ledger_entry"),
)
CSV_MARK = "\ufeff"  # by which spreadsheets know that a file is UTF-8


class HoursField(forms.IntegerField):
    """A duration, as whole hours of working time."""

    def prepare_value(self, value: Any) -> Any:
        return int(value.total_seconds() // 3600) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> timedelta:
        return timedelta(hours=super().clean(value))


class KindForm(forms.ModelForm):  # type: ignore[type-arg]
    settle_within = HoursField(
        label=gettext_lazy("Settle within, in working hours"), min_value=1, max_value=2000
    )

    class Meta:
        model = CaseKind
        fields = ["code", "name_ar", "name_en", "matter", "queue", "settle_within"]
        labels = {
            "code": gettext_lazy("Code"),
            "matter": gettext_lazy("Matter"),
            "queue": gettext_lazy("Queue"),
        }
        help_texts = {
            "code": gettext_lazy("small Latin letters, digits and hyphens; the ledger knows the kind by it")
        }
        widgets = {
            "name_ar": forms.TextInput({"dir": "rtl", "lang": "ar"}),
            "name_en": forms.TextInput({"dir": "ltr", "lang": "en"}),
        }

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["code"].disabled = self.instance.pk is not None


class StandardForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Standard
        fields = [
            "code",
            "name_ar",
            "name_en",
            "begins",
            "ends",
            "kind",
            "matter",
            "case_kind",
            "limit",
            "unit",
            "calendar",
            "stops_for_customer",
            "compensation",
            "source",
            "in_force_from",
            "in_force_until",
        ]
        widgets = {
            "name_ar": forms.TextInput({"dir": "rtl", "lang": "ar"}),
            "name_en": forms.TextInput({"dir": "ltr", "lang": "en"}),
            "source": forms.Textarea({"rows": 3, "dir": "auto"}),
            "in_force_from": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "in_force_until": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        }


@page(roles.STANDARDS)
@never_cache
def standards(request: StaffRequest, month: str = "") -> HttpResponse:
    """A month: what was promised, what began, what was not kept and what that costs. Made to be printed."""
    first = _first(month)
    _begin, end = month_of(first)
    breaches = _breaches(first)
    rows = month_report(first)
    context = {
        "here": "standards",
        "first": first,
        "rows": rows,
        "total": sum((row.compensation for row in rows), Decimal(0)),
        "breaches": breaches[:SHOWN],
        "more": max(0, breaches.count() - SHOWN),
        "before": (first - timedelta(days=1)).replace(day=1),
        "after": timezone.localdate(end) if end <= timezone.now() else None,
        "is_over": end <= timezone.now(),
        "printed_at": timezone.now(),
        "calendars": Calendar.objects.order_by("name"),
    }
    return render(request, "console/standards.html", context)


@page(roles.STANDARDS)
@never_cache
def standards_csv(request: StaffRequest, month: str) -> HttpResponse:
    """One breach a line; times in the utility's zone, money in Omani rials."""
    first = _first(month)
    response = HttpResponse(CSV_MARK, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"standards-{first:%Y-%m}.csv")
    out = csv.writer(response)
    out.writerow(COLUMNS)
    for one in _breaches(first):
        out.writerow(
            _harmless(cell)
            for cell in (
                one.standard.code,
                str(one.standard),
                one.subject,
                one.case.reference if one.case else "",
                _local(one.began_at),
                _local(one.due_at),
                _local(one.ended_at),
                one.owner,
                one.queue,
                f"{one.compensation}",
                "no" if one.excused_at else "yes",
                one.excused_why,
                f"{one.began_entry}",
            )
        )
    return response


@page(roles.STANDARDS)
@never_cache
def standard(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """One to be changed, or a new one. Breaches that were found keep what they cost then."""
    changed = get_object_or_404(Standard, pk=pk) if pk else Standard(in_force_from=timezone.localdate())
    return _filled(
        request, StandardForm(request.POST or None, instance=changed), "console/standard.html", "standards"
    )


@page(roles.STANDARDS)
@require_POST
def usual(request: StaffRequest) -> HttpResponse:
    """Those that an Omani utility usually begins with, counted by the working hours that were chosen."""
    chosen = request.POST.get("calendar", "")
    calendar = get_object_or_404(Calendar, pk=int(chosen) if chosen.isascii() and chosen.isdecimal() else 0)
    make_usual_standards(calendar)
    messages.success(request, _("They are made. Put the regulator's own figures where an example stands."))
    return redirect("console:standards")


@page(roles.STANDARDS)
@require_POST
def excuse(request: StaffRequest, pk: int) -> HttpResponse:
    """It does not count, and why; or, with ``undo``, it does after all."""
    breach, now = get_object_or_404(Breach, pk=pk), timezone.now()
    why = request.POST.get("why", "").replace("\0", "").strip()[:300]
    if "undo" in request.POST:
        breach.count_again(by=request.user, at=now)
        messages.success(request, _("It counts again."))
    elif why:
        breach.excuse(by=request.user, at=now, why=why)
        messages.success(request, _("It does not count. The reason stands beside it, in the report too."))
    else:
        messages.error(request, _("Say why it does not count."))
    return redirect("console:standards", f"{timezone.localtime(breach.due_at):%Y-%m}")


@page(roles.STANDARDS)
@never_cache
def kinds(request: StaffRequest) -> HttpResponse:
    return render(request, "console/case_kinds.html", {"here": "case_kinds", "kinds": CaseKind.usual()})


@page(roles.STANDARDS)
@never_cache
def kind(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    changed = get_object_or_404(CaseKind, pk=pk) if pk else None
    return _filled(
        request, KindForm(request.POST or None, instance=changed), "console/case_kind.html", "case_kinds"
    )


def _filled(request: StaffRequest, form: "forms.ModelForm[Any]", template: str, back: str) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Kept."))
        return redirect(f"console:{back}")
    context = {"here": back, "form": form}
    return render(request, template, context, status=422 if form.errors else 200)


def _breaches(first: date) -> Any:
    begin, end = month_of(first)
    found = Breach.objects.filter(due_at__gte=begin, due_at__lt=end)
    return found.select_related("standard", "case", "excused_by").order_by("standard__code", "due_at", "pk")


def _first(month: str) -> date:
    """``2026-11`` → its first day; the present month for nothing."""
    if not month:
        return timezone.localdate().replace(day=1)
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise Http404(f"month: 2026-11, not {month}") from error


def _local(moment: Any) -> str:
    return timezone.localtime(moment).isoformat(timespec="minutes") if moment else ""


def _harmless(cell: str) -> str:
    """A spreadsheet takes what begins so for a formula [OWASP, "CSV Injection"]."""
    return f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell
