"""Field reads: the routes and how far each is, one visit with its photograph, all readers, and one reader with his answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.month_signs import WORDS, Words
from rasd.console.reading import turns_of
from rasd.console.viewing import viewed
from rasd.console.views.evidence import LONGEST, shown
from rasd.ledger.models import actor_of
from rasd.metering import records
from rasd.metering.models import Cycle, FieldRead, Reader, ReaderAnswer, ReaderSign, Route, ServicePoint
from rasd.metering.models.records import ANSWER_LONGEST
from rasd.metering.records import Standing
from rasd.metering.trial import Share

A_PAGE = 25
STOPS_A_PAGE = 100
YEAR = 12  # cycles


@page(roles.CYCLE)
@never_cache
def routes(request: StaffRequest, name: str) -> HttpResponse:
    """How far each route is. Counted for the routes shown only: a million service points lie on some thousands."""
    cycle = get_object_or_404(Cycle, name=name)
    every = Route.objects.select_related("reader").order_by("district", "number")
    asked = request.GET.get("q", "").replace("\0", "").strip()
    if asked:
        every = every.filter(
            Q(number__icontains=asked)
            | Q(reader__code__iexact=asked)
            | Q(reader__name__icontains=asked)
            | Q(district__icontains=asked)
        )
    leaf = Paginator(every, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "here": "cycle",
        "tab": "field",
        "cycle": cycle,
        "leaf": leaf,
        "asked": asked,
        "rows": _progress(list(leaf), cycle),
    }
    return render(request, "console/month_routes.html", context)


@dataclass(frozen=True)
class Progress:
    route: Route
    stops: int
    read: int
    no_access: int

    @property
    def visited(self) -> int:
        return self.read + self.no_access

    @property
    def read_percent(self) -> float:
        return 100 * self.read / self.stops if self.stops else 0.0

    @property
    def no_access_percent(self) -> float:
        return 100 * self.no_access / self.stops if self.stops else 0.0


def _progress(found: list[Route], cycle: Cycle) -> list[Progress]:
    """A service point counts once: as read where any visit has a value."""
    stops = _counted(ServicePoint.objects.filter(route__in=found).values("route").annotate(n=Count("pk")))
    on = FieldRead.objects.filter(cycle=cycle, service_point__route__in=found)
    by_route = on.order_by().values("service_point__route")
    each = by_route.annotate(
        n=Count("service_point", distinct=True),
        read=Count("service_point", distinct=True, filter=Q(value__isnull=False)),
    )
    visited = {one["service_point__route"]: (one["n"], one["read"]) for one in each}
    rows = []
    for route in found:
        n, read = visited.get(route.pk, (0, 0))
        rows.append(Progress(route, stops.get(route.pk, 0), read, n - read))
    return rows


def _counted(rows: Any) -> dict[int, int]:
    return {one["route"]: one["n"] for one in rows}


@page(roles.CYCLE)
@never_cache
def route(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """Its stops in their order, and what was brought from each."""
    cycle = get_object_or_404(Cycle, name=name)
    walked = get_object_or_404(Route.objects.select_related("reader"), pk=pk)
    leaf = Paginator(walked.service_points.order_by("stop", "number"), STOPS_A_PAGE).get_page(
        request.GET.get("page")
    )
    visits: dict[int, list[FieldRead]] = {}
    brought = FieldRead.objects.filter(cycle=cycle, service_point__in=list(leaf)).select_related(
        "reader", "comparison"
    )
    for one in brought.order_by("visited_at", "pk"):
        visits.setdefault(one.service_point_id, []).append(one)
    (progress,) = _progress([walked], cycle)
    context = {
        "here": "cycle",
        "tab": "field",
        "cycle": cycle,
        "route": walked,
        "progress": progress,
        "leaf": leaf,
        "stops": [(point, visits.get(point.pk, [])) for point in leaf],
    }
    return render(request, "console/month_route.html", context)


@page()
@never_cache
def field_read(request: StaffRequest, pk: int) -> HttpResponse:
    """One visit: what was brought, what the machine sees in the photograph, and how it compares with the customer's."""
    visit = _visit(request, pk)
    comparison = getattr(visit, "comparison", None)
    photograph = visit.photograph
    context = {
        "here": "cycle",
        "tab": "field",
        "cycle": visit.cycle,
        "visit": visit,
        "seen": photograph.seen if photograph else None,
        "comparison": comparison,
        "customers_photograph": _customers_photograph(visit),
        "may_decide": request.user.has_perm(roles.COMPARISONS),
        "sees_all": request.user.has_perm(roles.CYCLE),
        "question": getattr(visit, "question", None),
    }
    return render(request, "console/month_field_read.html", context)


@page(roles.COMPARISONS)
@require_POST
def decide(request: StaffRequest, pk: int) -> HttpResponse:
    """G5: a person says who was right."""
    visit = _visit(request, pk)
    with transaction.atomic():
        comparison = getattr(visit, "comparison", None)
        if comparison is None:
            raise Http404
        try:
            comparison.decide(
                request.POST.get("decided", ""),
                why=request.POST.get("why", ""),
                at=timezone.now(),
                actor=actor_of(request.user),
            )
        except ValueError:
            messages.error(request, _("Choose who was right, and say in a few words what that rests on."))
        else:
            messages.success(request, _("It is on record with your name and your reason."))
    return redirect("console:field_read", pk)


@page()
def picture(request: StaffRequest, pk: int, whose: str, size: str) -> HttpResponse:
    """The reader's photograph; the customer's too, for who sees the month: not for the reader."""
    visit = _visit(request, pk)
    if whose == "customer" and not request.user.has_perm(roles.CYCLE):
        raise PermissionDenied
    photograph = visit.photograph if whose == "reader" else _customers_photograph(visit)
    if photograph is None:
        raise Http404
    viewed(request.user, photograph.sha256)
    return shown(photograph.sha256, longest=LONGEST[size], turns=turns_of(photograph.seen or {}))


def _visit(request: StaffRequest, pk: int) -> FieldRead:
    """Raises Http404, also for a reader who asks for another's."""
    rows = FieldRead.objects.select_related(
        "reader",
        "route",
        "service_point",
        "register__meter",
        "cycle",
        "photograph__same_as",
        "comparison__customer_reading__submission",
        "question",
    )
    if not any(map(request.user.has_perm, (roles.CYCLE, roles.COMPARISONS))):
        rows = rows.filter(reader__user=request.user)
    return get_object_or_404(rows, pk=pk)


def _customers_photograph(visit: FieldRead) -> Any:
    comparison = getattr(visit, "comparison", None)
    submission = comparison.customer_reading.submission if comparison else None
    return submission.photographs.order_by("sent_at", "pk").last() if submission else None


@dataclass(frozen=True)
class Line:
    """One sign of one reader, as the pages show it. Per cents run from 0 to 100."""

    reader: Reader | None
    kind: str
    standing: Standing

    @property
    def label(self) -> str:
        return str(ReaderSign.Kind(self.kind).label)

    @property
    def words(self) -> Words:
        return WORDS[self.kind]

    @property
    def share(self) -> Share:
        return Share(self.standing.found, self.standing.of)

    @property
    def low(self) -> float:
        return 100 * self.standing.low

    @property
    def wide(self) -> float:
        return 100 * (self.standing.high - self.standing.low)

    @property
    def at(self) -> float:
        return 100 * self.standing.share

    @property
    def others(self) -> float | None:
        return None if self.standing.others is None else 100 * self.standing.others


def _cycles(request: StaffRequest, cycle: Cycle) -> tuple[list[Cycle], bool]:
    """``?year=1``: that one and the eleven before."""
    if "year" not in request.GET:
        return [cycle], False
    return list(Cycle.objects.filter(name__lte=cycle.name).order_by("-name")[:YEAR]), True


@page(roles.CYCLE)
@never_cache
def readers(request: StaffRequest, name: str) -> HttpResponse:
    """All readers by one sign, each with his interval; ``?sign=``."""
    cycle = get_object_or_404(Cycle, name=name)
    asked = request.GET.get("sign", "")
    kind = asked if asked in ReaderSign.Kind.values else str(ReaderSign.Kind.DISAGREES)
    cycles, year = _cycles(request, cycle)
    found = records.standings(records.counts_of(cycles))
    people = {one.code: one for one in Reader.objects.filter(code__in={code for code, _ in found})}
    lines = [
        Line(people[code], kind, one) for (code, of_kind), one in found.items() if of_kind == kind and one.of
    ]
    lines.sort(
        key=lambda line: (-line.standing.low, -line.standing.share, line.reader.code if line.reader else "")
    )
    out = sorted((code, kind) for (code, kind), one in found.items() if one.stands_out)
    last = ReaderSign.objects.filter(cycle=cycle).order_by("-reckoned_at").first()
    context = {
        "here": "cycle",
        "tab": "readers",
        "cycle": cycle,
        "year": year,
        "kind": kind,
        "kinds": [(key, label) for key, label in ReaderSign.Kind.choices],
        "words": WORDS[kind],
        "upto": _scale(lines),
        "lines": Paginator(lines, 50).get_page(request.GET.get("page")),
        "out": [(people[code], sign, ReaderSign.Kind(sign).label) for code, sign in out],
        "out_readers": len({code for code, _sign in out}),
        "reckoned_at": last.reckoned_at if last else None,
        "tested": kind in records.SIGNS,
    }
    return render(request, "console/month_readers.html", context)


def _scale(lines: list[Line]) -> int:
    """Per cent at which the plot ends: the next ten above all intervals, so that 4 and 8 are told apart."""
    most = max((line.low + line.wide for line in lines), default=100.0)
    return min(100, 10 * math.ceil(most / 10) or 10)


@page()
@never_cache
def reader(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """One reader's record; ``?sign=`` lists the visits that show it. He sees his own and answers."""
    cycle = get_object_or_404(Cycle, name=name)
    one = _reader(request, pk)
    cycles, year = _cycles(request, cycle)
    found = records.standings(records.counts_of(cycles))
    lines = [
        Line(one, kind, found[one.code, kind]) for kind in ReaderSign.Kind.values if (one.code, kind) in found
    ]
    asked = request.GET.get("sign", "")
    chosen = next((line for line in lines if line.kind == asked), None)
    context = {
        "here": "cycle",
        "tab": "readers",
        "cycle": cycle,
        "year": year,
        "reader": one,
        "lines": lines,
        "chosen": chosen,
        "evidence": _evidence(one, cycle, chosen.kind) if chosen and chosen.standing.found else [],
        "answers": ReaderAnswer.objects.filter(reader=one, cycle=cycle).select_related("by").order_by("at"),
        "is_mine": one.user_id == request.user.pk,
        "sees_all": request.user.has_perm(roles.CYCLE),
        "visits": next((line.standing.of for line in lines if line.kind == ReaderSign.Kind.NO_ACCESS), 0),
        "longest": ANSWER_LONGEST,
        "others": Cycle.objects.exclude(pk=cycle.pk).order_by("-name")[:YEAR],
    }
    return render(request, "console/month_reader.html", context)


def _evidence(one: Reader, cycle: Cycle, kind: str) -> list[tuple[FieldRead, records.Evidence]]:
    found = records.evidence(one, cycle, kind)
    visits = FieldRead.objects.select_related("service_point", "comparison", "photograph").in_bulk(
        [each.field_read for each in found]
    )
    return [(visits[each.field_read], each) for each in found]


@page()
@require_POST
def answer(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """G5: what he says to his record. Nobody else may say it for him."""
    cycle = get_object_or_404(Cycle, name=name)
    one = _reader(request, pk)
    if one.user_id != request.user.pk:
        raise PermissionDenied
    kind = request.POST.get("sign", "")
    try:
        ReaderAnswer.give(
            one,
            cycle,
            request.POST.get("text", ""),
            at=timezone.now(),
            kind=kind if kind in ReaderSign.Kind.values else "",
        )
    except ValueError:
        messages.error(request, _("Write up to %(most)d characters.") % {"most": ANSWER_LONGEST})
    else:
        messages.success(request, _("Your answer stands beside your record, for everybody who sees it."))
    return redirect("console:month_reader", name, pk)


@page()
@never_cache
def my_round(request: StaffRequest) -> HttpResponse:
    """A reader's own record of the round that goes on."""
    one = get_object_or_404(Reader, user=request.user)
    cycle = Cycle.latest(timezone.now())
    if cycle is None:
        raise Http404
    return redirect("console:month_reader", cycle.name, one.pk)


def _reader(request: StaffRequest, pk: int) -> Reader:
    rows = Reader.objects.all()
    if not request.user.has_perm(roles.CYCLE):
        rows = rows.filter(user=request.user)
    return get_object_or_404(rows, pk=pk)
