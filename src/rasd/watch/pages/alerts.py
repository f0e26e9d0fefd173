"""Alerts: those that stand, those that are over, who was told, and who looks after it."""

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rasd.watch.models import Alert, Probe, Watcher
from rasd.watch.telling import text_of, title_of

MOST = 100
"""Alerts that are over, on one page."""


class Heard(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("What you have found, or what you do about it"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"}),
    )


def _all() -> QuerySet[Alert]:
    return Alert.objects.select_related("target").prefetch_related(
        "acknowledgements__by", "acknowledgements__withdrawn_by", "tellings"
    )


def alerts(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "watch/alerts.html",
        {
            "here": "alerts",
            "standing": [(each, title_of(each)) for each in _all().filter(closed_at=None)],
            "over": [(each, title_of(each)) for each in _all().exclude(closed_at=None)[:MOST]],
            "watchers": [
                each
                for each in Watcher.objects.order_by("name")
                if each.facts.get("heartbeat", {}).get("error")
            ],
        },
    )


def alert(request: HttpRequest, pk: int, form: Heard | None = None) -> HttpResponse:
    it = get_object_or_404(_all(), pk=pk)
    probes = (
        Probe.objects.filter(token__in=it.facts.get("probes", [])).select_related("journey").defer("report")
    )
    return render(
        request,
        "watch/alert.html",
        {
            "here": "alerts",
            "alert": it,
            "title": title_of(it),
            "text": text_of(it),
            "zone": it.target.zone if it.target else "UTC",
            "probes": probes.order_by("began_at"),
            "form": form or Heard(auto_id="heard-%s"),
        },
        status=422 if form else 200,
    )


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    it, form = get_object_or_404(Alert, pk=pk), Heard(request.POST, auto_id="heard-%s")
    if not form.is_valid():
        return alert(request, pk, form)
    heard = it.acknowledge(request.user, timezone.now(), form.cleaned_data["words"])  # type: ignore[arg-type]
    if heard.by_id != request.user.pk:
        messages.warning(request, _("%(name)s already looks after it.") % {"name": heard.by.get_username()})
    return redirect("watch:alert", pk)


@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Nobody looks after it any more; that somebody did stays on record."""
    it = get_object_or_404(_all(), pk=pk)
    if it.acknowledgement:
        it.acknowledgement.withdraw(request.user, timezone.now())  # type: ignore[arg-type]
    return redirect("watch:alert", pk)
