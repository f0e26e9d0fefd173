"""What the rules doubt in a month: the list, and one at a time with the usual mends."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.months import RULES
from rasd.metering.mending import reopen, settle
from rasd.metering.models import Cycle, NotAdoptable, ReadingException, ReviewClosed, Rule

A_PAGE = 40


@page(roles.CYCLE, roles.EXCEPTIONS)
@never_cache
def listed(request: StaffRequest, name: str) -> HttpResponse:
    """``?rule=``, ``?whose=mine``, ``?settled=1``: those of a rule, mine, the settled ones."""
    cycle = get_object_or_404(Cycle, name=name)
    rule, mine, settled = (request.GET.get(one, "") for one in ("rule", "whose", "settled"))
    found = ReadingException.objects.filter(cycle=cycle, closed_at__isnull=not settled)
    if mine:
        found = found.filter(owner=request.user)
    rules = (
        found.order_by().values("rule").annotate(n=Count("id"), held=Count("id", filter=Q(holds_back=True)))
    )
    counts = {one["rule"]: one for one in rules}
    if rule in Rule.values:
        found = found.filter(rule=rule)
    found = found.select_related("service_point", "reading", "owner").order_by("-holds_back", "rule", "id")
    return render(
        request,
        "console/month_exceptions.html",
        {
            "here": "cycle",
            "tab": "exceptions",
            "cycle": cycle,
            "rules": [(one, counts[one.value]) for one in Rule if one.value in counts],
            "rule": rule,
            "mine": mine,
            "settled": settled,
            "page": Paginator(found, A_PAGE).get_page(request.GET.get("page")),
        },
    )


@page(roles.CYCLE, roles.EXCEPTIONS)
@never_cache
def one(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """POST ``outcome`` (kept, estimated, corrected or reopen) and ``why``: settle it, or think again."""
    found = get_object_or_404(
        ReadingException.objects.select_related(
            "cycle", "service_point", "register__meter", "reading", "closed_by"
        ),
        pk=pk,
        cycle__name=name,
    )
    problem = ""
    may_settle = request.user.has_perm(roles.EXCEPTIONS)
    if request.method == "POST" and may_settle:
        problem = _mend(request, found)
        if not problem:
            return redirect("console:month_exception", name, pk)
    context: dict[str, Any] = {
        "here": "cycle",
        "tab": "exceptions",
        "cycle": found.cycle,
        "found": found,
        "about": RULES[found.rule],
        "facts": found.facts,
        "may_settle": may_settle,
        "problem": problem,
        "next": _next(found),
    }
    return render(request, "console/month_exception.html", context, status=422 if problem else 200)


def _mend(request: StaffRequest, found: ReadingException) -> str:
    """What is wrong with what was asked, where something is."""
    outcome, why, at = request.POST.get("outcome", ""), request.POST.get("why", "").strip(), timezone.now()
    try:
        if outcome == "reopen":
            reopen(found, at=at, user=request.user)
        elif outcome not in {"kept", "estimated", "corrected"}:
            return _("Choose what is to become of it.")
        elif not why:
            return _("Say why in a few words: it stays on record.")
        else:
            settle(found, outcome, why=why, at=at, user=request.user)
            messages.success(request, _("Settled."))
    except ReviewClosed:
        messages.warning(request, _("Somebody else was quicker. This is how it stands now."))
    except NotAdoptable:
        return _("There is nothing to estimate from here. Adopt a value by hand.")
    return ""


def _next(found: ReadingException) -> ReadingException | None:
    """The next open one of the same rule."""
    return (
        ReadingException.objects.filter(cycle=found.cycle, rule=found.rule, closed_at=None)
        .exclude(pk=found.pk)
        .order_by("-holds_back", "id")
        .first()
    )
