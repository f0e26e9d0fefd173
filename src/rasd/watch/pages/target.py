"""A service: its week, its weeks, its errands, and what is known of the watch beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from rasd.watch.export import KINDS, download
from rasd.watch.journeys import Journey, NotAJourney
from rasd.watch.measures.completion import Completion
from rasd.watch.measures.waiting import Waiting
from rasd.watch.measures.week import Pool, part_of_the_day, pooled, weekday
from rasd.watch.models import About, Alert, JourneyFile, Maintenance, Target
from rasd.watch.pages import words
from rasd.watch.pages.home import STRIP, latest
from rasd.watch.pages.leave import leave_of
from rasd.watch.pages.pictures import FIRST_DAY, curve, week_grid

SPANS = {4: "4", 12: "12", 52: "52"}
USUAL = 12  # weeks


@dataclass(frozen=True)
class Errand:
    """A journey in force."""

    file: JourneyFile
    journey: Journey | None
    """None: its wording cannot be read (any more)."""
    title: str
    completion: Completion
    time_to_done: Waiting


def target_of(name: str) -> Target:
    """Raises Http404."""
    return get_object_or_404(Target, name=name)


def span_of(request: HttpRequest) -> int:
    """Weeks that the page speaks of, as its address says."""
    asked = request.GET.get("weeks", "")
    return int(asked) if asked.isdigit() and int(asked) in SPANS else USUAL


def about_the_last(weeks: int, target: Target, journey: str = "") -> About:
    today = timezone.now().astimezone(ZoneInfo(target.zone)).date()
    return About(today - timedelta(days=7 * weeks - 1), today, target, journey)


def target(request: HttpRequest, name: str) -> HttpResponse:
    it, weeks, now = target_of(name), span_of(request), timezone.now()
    about = about_the_last(weeks, it)
    cells = about.week()
    first_day = FIRST_DAY.get(request.LANGUAGE_CODE, 0)
    context: dict[str, Any] = {
        "here": "home",
        "target": it,
        "tab": "target",
        "weeks": weeks,
        "spans": SPANS,
        "completion": about.completion(),
        "time_to_done": about.time_to_done(),
        "grid": week_grid(cells, request.LANGUAGE_CODE),
        "worse": [*worse(cells, part_of_the_day), *worse(cells, weekday)],
        "trend": (trend := About.weeks(weeks, about.last, it, first_day=first_day).trend(first_day)),
        "curve": curve(trend),
        "errands": errands_of(it, about, request.LANGUAGE_CODE),
        "strip": latest(it, STRIP),
        "alerts": Alert.objects.filter(target=it, closed_at=None).prefetch_related("acknowledgements"),
        "maintenances": Maintenance.objects.filter(target=it, ends_at__gt=now, withdrawn_at=None),
        "leave": leave_of(it, now),
        "files": words.FILES.items(),
        "now": now,
    }
    return render(request, "watch/target.html", context)


def worse(cells: list[Any], by: Callable[[Any], str]) -> list[Pool]:
    """Parts of the week that are worse than the rest of it, beyond what chance explains."""
    return [pool for pool in pooled(cells, by) if pool.is_worse and not pool.hatched]


def errands_of(target: Target, about: About, language: str) -> list[Errand]:
    shares = about.of_each("journey")
    errands = []
    for file in target.journeys.filter(gone_at=None):
        try:
            journey: Journey | None = file.journey
        except NotAJourney:
            journey = None
        of_it = About(about.first, about.last, target, file.name)
        errands.append(
            Errand(
                file,
                journey,
                journey.titled(language) if journey else file.name,
                shares.get(file.name) or of_it.completion(),
                of_it.time_to_done(),
            )
        )
    return errands


def csv(request: HttpRequest, name: str, kind: str) -> StreamingHttpResponse:
    """Everything of the target that the page speaks of, a row a probe, a step or a planned visit."""
    if kind not in KINDS:
        raise Http404
    about = about_the_last(span_of(request), target_of(name))
    answer = StreamingHttpResponse(download(kind, about), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}-{kind}-{about.first}-{about.last}.csv"'
    return answer
