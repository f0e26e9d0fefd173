from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from rasd.console import counts, roles
from rasd.console.access import StaffRequest, page
from rasd.console.pictures import days_chart, filling
from rasd.console.views.month_closing import about_closing
from rasd.metering.models import Cycle


@page(roles.CYCLE)
@never_cache
def cycle(request: StaffRequest, name: str | None = None) -> HttpResponse:
    """How the month's readings come in; the current round where none is named."""
    now = timezone.now()
    today = timezone.localdate(now)
    shown = get_object_or_404(Cycle, name=name) if name else Cycle.latest(now)
    context: dict[str, object] = {"here": "cycle", "cycle": shown, "today": today}
    if shown is not None:
        progress, counted_at = counts.of("progress", shown, now)
        by_day, _at = counts.of("by_day", shown, now)
        context |= {
            "progress": progress,
            "filling": filling(progress),
            "days": days_chart(by_day, progress["points"], today),
            "counted_at": counted_at,
            "length": (shown.window_closes - shown.window_opens).days + 1,
            "day_of_window": (today - shown.window_opens).days + 1,
            "before_window": (shown.window_opens - today).days,
            **about_closing(shown, request.user.has_perm(roles.CLOSE)),
            "others": Cycle.objects.exclude(pk=shown.pk).order_by("-name")[:12],
        }
    return render(request, "console/cycle.html", context)
