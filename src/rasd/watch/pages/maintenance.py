"""Maintenance of a service: announced, changed, withdrawn. Times are typed and shown in the service's own zone."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rasd.watch.models import Maintenance, Target

MOST = 50
"""Maintenances that are over, on one page."""


class Moment(forms.DateTimeField):
    def __init__(self, **more: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M")
        super().__init__(widget=widget, **more)


class Announced(forms.Form):
    """In the zone that is active. Where the beginning is left empty, or is this minute, it begins now."""

    begins_at = Moment(label=gettext_lazy("Begins"), required=False, help_text=gettext_lazy("empty: now"))
    ends_at = Moment(label=gettext_lazy("Ends"))
    words = forms.CharField(
        label=gettext_lazy("What is done, in words for those who read it"),
        max_length=500,
        widget=forms.TextInput(attrs={"dir": "auto"}),
    )

    def __init__(self, data: Any, *, now: datetime, has_begun: bool = False, **more: Any) -> None:
        super().__init__(data, auto_id="maintenance-%s", **more)
        self.now = now
        if has_begun:
            del self.fields["begins_at"]

    def clean_begins_at(self) -> datetime:
        begins: datetime = self.cleaned_data["begins_at"] or self.now
        if begins < self.now.replace(second=0, microsecond=0):
            raise forms.ValidationError(_("It cannot cover what has passed: begin now or later."))
        return max(begins, self.now)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("begins_at", self.now), cleaned.get("ends_at")
        if ends and ends <= begins:
            self.add_error("ends_at", _("It ends before it begins."))
        return cleaned


def maintenances(request: HttpRequest, name: str) -> HttpResponse:
    """What is announced and what is over; announces another."""
    target, now = get_object_or_404(Target, name=name), timezone.now()
    with timezone.override(ZoneInfo(target.zone)):
        form = Announced(request.POST or None, now=now)
        if request.method == "POST" and form.is_valid():
            Maintenance.objects.create(
                target=target,
                announced_at=now,
                by=request.user,  # type: ignore[misc]
                **form.cleaned_data,
            )
            messages.success(request, _("It is announced."))
            return redirect("watch:maintenances", name)
    announced = Maintenance.objects.filter(target=target).select_related("by", "withdrawn_by", "replaced_by")
    context = {
        "here": "home",
        "tab": "maintenance",
        "target": target,
        "form": form,
        "standing": list(announced.filter(withdrawn_at=None, ends_at__gt=now).order_by("begins_at")),
        "over": [each for each in announced[:MOST] if not each.stands(now)],
        "now": now,
    }
    return render(request, "watch/maintenances.html", context, status=422 if form.errors else 200)


def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another in its place. One that has begun goes on from now: only its end and its words can be changed."""
    it, now = get_object_or_404(Maintenance.objects.select_related("target"), pk=pk), timezone.now()
    if not it.stands(now):
        return _too_late(request, it)
    has_begun = it.begins_at <= now
    with timezone.override(ZoneInfo(it.target.zone)):
        was = {"begins_at": it.begins_at, "ends_at": it.ends_at, "words": it.words}
        form = Announced(request.POST or None, initial=was, now=now, has_begun=has_begun)
        if request.method == "POST" and form.is_valid():
            try:
                it.change(now, request.user, **form.cleaned_data)  # type: ignore[arg-type]
            except ValueError:  # somebody was faster
                return _too_late(request, it)
            messages.success(request, _("It is changed."))
            return redirect("watch:maintenances", it.target.name)
    context = {
        "here": "home",
        "tab": "maintenance",
        "target": it.target,
        "it": it,
        "form": form,
        "has_begun": has_begun,
    }
    return render(request, "watch/maintenance.html", context, status=422 if form.errors else 200)


@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    it, now = get_object_or_404(Maintenance.objects.select_related("target"), pk=pk), timezone.now()
    if not it.stands(now):
        return _too_late(request, it)
    it.withdraw(request.user, now)  # type: ignore[arg-type]
    if now - it.begins_at > timedelta(0):
        messages.success(request, _("It is over from now on; what has passed of it still counts."))
    else:
        messages.success(request, _("It is withdrawn."))
    return redirect("watch:maintenances", it.target.name)


def _too_late(request: HttpRequest, it: Maintenance) -> HttpResponse:
    messages.error(request, _("That maintenance is over or was withdrawn: announce another."))
    return redirect("watch:maintenances", it.target.name)
