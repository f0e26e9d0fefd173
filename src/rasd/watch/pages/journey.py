"""An errand: who comes, what he does, where people are lost, how long it takes."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from rasd.watch.journeys import Journey, NotAJourney
from rasd.watch.pages.home import STRIP
from rasd.watch.pages.target import SPANS, about_the_last, span_of, target_of


def journey(request: HttpRequest, name: str, journey: str) -> HttpResponse:
    it, weeks = target_of(name), span_of(request)
    wordings = list(it.journeys.filter(name=journey).order_by("-added_at"))
    if not wordings:
        raise Http404
    wanted = request.GET.get("wording", "")
    shown = next((each for each in wordings if wanted and each.sha256.startswith(wanted)), wordings[0])
    about = about_the_last(weeks, it, journey)
    try:
        read: Journey | None = shown.journey
    except NotAJourney:
        read = None
    context: dict[str, Any] = {
        "here": "home",
        "target": it,
        "weeks": weeks,
        "spans": SPANS,
        "wordings": wordings,
        "wording": shown,
        "journey": read,
        "title": read.titled(request.LANGUAGE_CODE) if read else journey,
        "completion": about.completion(),
        "time_to_done": about.time_to_done(),
        "first_answer": about.first_answer(),
        "person": about.person(),
        "effort": about.effort(),
        "stages": about.funnel(shown),
        "strip": list(
            reversed(it.probes.filter(journey__name=journey).defer("report").order_by("-began_at")[:STRIP])
        ),
    }
    return render(request, "watch/journey.html", context)
