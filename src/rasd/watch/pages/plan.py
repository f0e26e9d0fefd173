"""When the watch came and when it did not: what was promised in advance, and what anyone can draw again (G14)."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control

from rasd.watch.measures.week import Cell
from rasd.watch.models import Plan
from rasd.watch.pages.pictures import week_grid
from rasd.watch.pages.target import SPANS, about_the_last, span_of, target_of
from rasd.watch.schedule.costs import cost

LATEST = 30  # visits that were not paid


def paid(cell: Cell) -> int:
    """Planned visits of this hour that were paid, whatever they found."""
    its = cell.completion
    return its.share.of + its.ours + its.wall


def plan(request: HttpRequest, name: str) -> HttpResponse:
    it, weeks, now = target_of(name), span_of(request), timezone.now()
    about = about_the_last(weeks, it)
    cells = about.week()
    plans = Plan.objects.filter(target=it)
    in_force = list(plans.in_force(now).order_by("begins_at"))
    context: dict[str, Any] = {
        "here": "home",
        "target": it,
        "tab": "plan",
        "weeks": weeks,
        "spans": SPANS,
        "in_force": in_force,
        "past": plans.filter(revealed_at__isnull=False).order_by("-begins_at")[:26],
        "unrevealed": plans.filter(revealed_at=None, ends_at__lte=now).order_by("-begins_at"),
        "cost": cost(in_force[0].weeks) if in_force else None,
        "grid": [
            (day.weekday, [(cell, paid(cell)) for cell in day.cells])
            for day in week_grid(cells, request.LANGUAGE_CODE)
        ],
        "visited": sum(1 for cell in cells if paid(cell)),
        "paid": sum(paid(cell) for cell in cells),
        "completion": about.completion(),
        "skips": about.skips().select_related("visit", "watcher").order_by("-visit__due_at")[:LATEST],
    }
    return render(request, "watch/plan.html", context)


@login_not_required
@cache_control(max_age=60)
def published(request: HttpRequest, name: str) -> HttpResponse:
    """For ``rasd watch audit``: all plans of a target, seeds once they are over. For everybody where the target is public."""
    it = target_of(name)
    if not it.public and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), "watch:login")
    text = Plan.objects.published(it, timezone.now()).model_dump_json()
    answer = HttpResponse(text, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{name}-plans.json"'
    return answer
