"""Every visit to a service, the newest first, and those that were planned and not paid."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rasd.watch.measures.week import HOURS
from rasd.watch.models import Probe
from rasd.watch.pages.target import target_of
from rasd.watch.verdicts import Verdict

A_PAGE = 50


def visits(request: HttpRequest, name: str) -> HttpResponse:
    """``verdict``, ``journey``, ``why`` and ``hour`` (of the week, 0 to 167) in the address narrow it."""
    it = target_of(name)
    asked = {
        key: value for key in ("verdict", "journey", "why", "hour") if (value := request.GET.get(key, ""))
    }
    rows = (
        it.probes.select_related("journey", "watcher", "confirmation").defer("report").order_by("-began_at")
    )
    if asked.get("verdict") in set(Verdict):
        rows = rows.filter(verdict=asked["verdict"])
    if "journey" in asked:
        rows = rows.filter(journey__name=asked["journey"])
    if asked.get("why") in Probe.Why.values:
        rows = rows.filter(why=asked["why"])
    hour = asked.get("hour", "")
    if hour.isdigit() and int(hour) < HOURS:
        rows = rows.filter(hour=int(hour))
    context: dict[str, Any] = {
        "here": "home",
        "target": it,
        "tab": "visits",
        "page": Paginator(rows, A_PAGE).get_page(request.GET.get("page")),
        "asked": asked,
        "hour": int(hour) if hour.isdigit() and int(hour) < HOURS else None,
        "verdicts": list(Verdict),
        "whys": Probe.Why.values,
        "journeys": it.journeys.order_by("name", "-added_at").distinct("name"),
    }
    return render(request, "watch/visits.html", context)
