"""The month in pictures, each also as a table and as CSV; all of them on paper; and one meter's life."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from rasd.console import counts, month_charts, month_report, roles
from rasd.console.access import StaffRequest, page
from rasd.metering import pictures
from rasd.metering.models import Cycle, ServicePoint

FRESH = 120
"""Seconds that a picture of an open cycle may be old: a million points take seconds to count."""

SETTLED = 24 * 3600  # of a closed one, in which only corrections change anything


@dataclass(frozen=True)
class Picture:
    name: str
    title: Promise
    about: Promise
    rows: Callable[[Cycle, datetime], Sequence[Any]]
    spec: Callable[..., month_charts.Spec]


PICTURES = (
    Picture(
        "coverage",
        _("How the window filled"),
        _(
            "Share of service points of which a real reading was taken up to the end of each day, against last month."
        ),
        lambda cycle, at: counts.of("coverage", cycle, at)[0],
        month_charts.coverage,
    ),
    Picture(
        "estimates",
        _("Bills on estimates"),
        _("Share of the registers billed on an estimate, month by month: the number to bring down."),
        lambda cycle, _at: pictures.bills_on_estimates(cycle),
        month_charts.bills_on_estimates,
    ),
    Picture(
        "districts",
        _("Districts"),
        _("Share of each district's service points of which a real reading was taken; the least read first."),
        lambda cycle, at: counts.of("districts", cycle, at)[0],
        month_charts.districts,
    ),
    Picture(
        "readers",
        _("Meter readers against customers"),
        _(
            "Of each reader's readings that a customer's stands beside: the share that differ beyond tolerance, over twelve"
            " months, with the range in which it truly lies 95 times in 100. That proves nothing against anybody."
        ),
        lambda cycle, _at: pictures.disagreements(cycle),
        month_charts.disagreements,
    ),
)
BY_NAME = {one.name: one for one in PICTURES}


@page(roles.CYCLE)
@never_cache
def month_pictures(request: StaffRequest, name: str) -> HttpResponse:
    """The frame: each picture comes by itself, as what it shows may take seconds to count."""
    cycle = get_object_or_404(Cycle, name=name)
    others = Cycle.objects.exclude(pk=cycle.pk).order_by("-name")[:12]
    about = {"here": "cycle", "cycle": cycle, "pictures": PICTURES, "others": others}
    return render(request, "console/month_pictures.html", about)


@page(roles.CYCLE)
@never_cache
def month_picture(request: StaffRequest, name: str, what: str) -> HttpResponse:
    """One picture, wide and narrow, with its table: a part of the page; a page of its own where there is no script."""
    cycle, picture = get_object_or_404(Cycle, name=name), _picture(what)
    at = timezone.now()
    key = f"month-picture:{what}:{cycle.pk}:{get_language()}:{cycle.closed_at is not None}"
    drawn = cache.get(key)
    if drawn is None:
        rows = picture.rows(cycle, at)
        drawn = {
            "rows": rows,
            "wide": month_charts.svg(picture.spec(rows, month_charts.WIDE)) if rows else "",
            "narrow": month_charts.svg(picture.spec(rows, month_charts.NARROW)) if rows else "",
        }
        cache.set(key, drawn, SETTLED if cycle.closed_at else FRESH)
    about = {"here": "cycle", "cycle": cycle, "picture": picture, **drawn}
    part = request.headers.get("HX-Request") == "true"
    return render(request, "console/_month_picture.html" if part else "console/month_picture.html", about)


@page(roles.CYCLE)
@never_cache
def month_picture_csv(request: StaffRequest, name: str, what: str) -> HttpResponse:
    cycle, picture = get_object_or_404(Cycle, name=name), _picture(what)
    return _csv(f"{cycle.name}-{what}", picture.rows(cycle, timezone.now()))


@page(roles.CYCLE)
@never_cache
def month_paper(request: StaffRequest, name: str) -> HttpResponse:
    """All pictures and their numbers as a PDF, in the language of the page."""
    cycle, at = get_object_or_404(Cycle, name=name), timezone.now()
    found = [(one, one.rows(cycle, at)) for one in PICTURES]
    answer = HttpResponse(month_report.pdf(cycle, found, at=at), content_type="application/pdf")
    answer["Content-Disposition"] = content_disposition_header(False, f"rasd-{cycle.name}.pdf") or ""
    return answer


@page(roles.CYCLE)
@never_cache
def meter_life(request: StaffRequest, number: str) -> HttpResponse:
    """Every reading of one service point: source, photograph, and which bill stands on it. The picture comes by itself
    (``?drawn=1``), as drawing takes longer than all else."""
    point = get_object_or_404(ServicePoint.objects.select_related("account"), number=number)
    marks = pictures.life(point, timezone.now())
    about = {"here": "cycle", "point": point, "marks": marks[::-1]}
    if marks and "drawn" in request.GET:
        about["wide"] = month_charts.svg(month_charts.life(marks, month_charts.WIDE))
        about["narrow"] = month_charts.svg(month_charts.life(marks, month_charts.NARROW))
        if request.headers.get("HX-Request") == "true":
            return render(request, "console/_month_meter.html", about)
    return render(request, "console/month_meter.html", about)


@page(roles.CYCLE)
@never_cache
def meter_life_csv(request: StaffRequest, number: str) -> HttpResponse:
    point = get_object_or_404(ServicePoint, number=number)
    return _csv(f"meter-{point.number}", pictures.life(point, timezone.now()))


def _picture(what: str) -> Picture:
    if what not in BY_NAME:
        raise Http404(f"there is no picture {what!r}")
    return BY_NAME[what]


def _csv(name: str, rows: Sequence[Any]) -> HttpResponse:
    """Column names are the fields' own, in English: programs read them."""
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, f"rasd-{name}.csv")
    if rows:
        written = csv.writer(answer)
        written.writerow([field.name for field in fields(rows[0])])
        for row in rows:
            written.writerow([_plain(value) for value in asdict(row).values()])
    return answer


def _plain(value: Any) -> Any:
    """A district may be called ``=1+1``: a spreadsheet must not reckon with what came from elsewhere."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, float):
        return f"{value:.6f}"
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
