"""Errands and services side by side. Nobody is ranked by chance."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from rasd.watch.journeys import NotAJourney
from rasd.watch.models import About, JourneyFile, Target
from rasd.watch.pages.home import AHEAD_OF_UTC
from rasd.watch.pages.target import SPANS, span_of


def league(request: HttpRequest) -> HttpResponse:
    weeks = span_of(request)
    today = (timezone.now() + AHEAD_OF_UTC).date()
    about = About(today - timedelta(weeks=weeks), today)
    targets = {each.name: each for each in Target.objects.all()}
    titles = _titles(request.LANGUAGE_CODE)
    context: dict[str, Any] = {
        "here": "league",
        "weeks": weeks,
        "spans": SPANS,
        "services": [(place, targets[place.name]) for place in about.league("target")],
        "errands": [
            (
                place,
                targets[place.name.partition("/")[0]],
                place.name.partition("/")[2],
                titles.get(place.name, place.name),
            )
            for place in about.league("journey")
        ],
    }
    return render(request, "watch/league.html", context)


def _titles(language: str) -> dict[str, str]:
    """By ``target/journey``."""
    titles = {}
    for file in JourneyFile.objects.select_related("target").order_by("added_at"):
        try:
            titles[f"{file.target.name}/{file.name}"] = file.journey.titled(language)
        except NotAJourney:
            titles[f"{file.target.name}/{file.name}"] = file.name
    return titles
