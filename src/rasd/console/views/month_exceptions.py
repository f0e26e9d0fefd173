"""What the rules doubt in a month: the list, and one at a time with the usual mends."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
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
from rasd.desk.models import Case
from rasd.metering.mending import SETTLES, give, reopen, settle, take_all
from rasd.metering.models import Cycle, FieldRead, NotAdoptable, Reading, ReadingException, ReviewClosed, Rule

A_PAGE = 40


@page(roles.CYCLE, roles.EXCEPTIONS)
@never_cache
def listed(request: StaffRequest, name: str) -> HttpResponse:
    """``?rule=``, ``?whose=mine`` or ``nobody``, ``?settled=1``: those of a rule, mine, nobody's, the settled ones. POST: what
    nobody has of these is mine."""
    cycle = get_object_or_404(Cycle, name=name)
    rule, whose, settled = (request.GET.get(one, "") for one in ("rule", "whose", "settled"))
    rule = rule if rule in Rule.values else ""
    may_settle = request.user.has_perm(roles.EXCEPTIONS)
    if request.method == "POST" and may_settle:
        taken = take_all(cycle, rule, at=timezone.now(), user=request.user)
        messages.success(request, _("Now yours: %(n)d.") % {"n": taken})
        return redirect(f"{request.path}?whose=mine&rule={rule}")
    found = ReadingException.objects.filter(cycle=cycle, closed_at__isnull=not settled)
    if whose in {"mine", "nobody"}:
        found = found.filter(owner=request.user if whose == "mine" else None)
    rules = (
        found.order_by().values("rule").annotate(n=Count("id"), held=Count("id", filter=Q(holds_back=True)))
    )
    counts = {one["rule"]: one for one in rules}
    if rule:
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
            "whose": whose,
            "may_settle": may_settle,
            "settled": settled,
            "page": Paginator(found, A_PAGE).get_page(request.GET.get("page")),
        },
    )


@page(roles.CYCLE, roles.EXCEPTIONS)
@never_cache
def one(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """POST ``outcome`` (kept, estimated, corrected or reopen) and ``why``: settle it, or think again; or ``owner``: give it."""
    found = get_object_or_404(
        ReadingException.objects.select_related(
            "cycle", "service_point", "register__meter", "reading__estimate", "closed_by", "owner"
        ),
        pk=pk,
        cycle__name=name,
    )
    problem = ""
    may_settle = request.user.has_perm(roles.EXCEPTIONS)
    if request.method == "POST" and may_settle:
        problem = _give(request, found) if "owner" in request.POST else _mend(request, found)
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
        "readings": _readings(found),
        "visit": FieldRead.objects.filter(pk=found.facts.get("field_read")).first(),
        "case": _case(found) if request.user.has_perm(roles.CASES) else None,
        "owners": _owners() if may_settle and found.closed_at is None else [],
    }
    return render(request, "console/month_exception.html", context, status=422 if problem else 200)


def _mend(request: StaffRequest, found: ReadingException) -> str:
    """What is wrong with what was asked, where something is."""
    outcome, why, at = request.POST.get("outcome", ""), request.POST.get("why", ""), timezone.now()
    try:
        if outcome == "reopen":
            reopen(found, at=at, user=request.user)
        elif outcome not in {"kept", "estimated", "corrected"}:
            return _("Choose what is to become of it.")
        else:
            settle(found, outcome, why=why, at=at, user=request.user)
            messages.success(request, _("Settled."))
    except ReviewClosed:
        messages.warning(request, _("Somebody else was quicker. This is how it stands now."))
    except NotAdoptable as error:
        if str(error).startswith("why"):
            return _("Say why in a few words: it stays on record.")
        return _("There is nothing to estimate from here. Adopt a value by hand.")
    return ""


def _give(request: StaffRequest, found: ReadingException) -> str:
    owner = next((one for one in _owners() if str(one.pk) == request.POST["owner"]), None)
    if owner is None:
        return _("Choose who is to settle it.")
    try:
        give(found, owner, at=timezone.now(), user=request.user)
    except ReviewClosed:
        messages.warning(request, _("Somebody else was quicker. This is how it stands now."))
    return ""


def _case(found: ReadingException) -> Case | None:
    """The one that was opened to get a real reading, where it is estimated too often."""
    estimate = getattr(found.reading, "estimate", None)
    return Case.objects.filter(reference=estimate.case).first() if estimate and estimate.case else None


def _owners() -> list[User]:
    """Who may settle exceptions, by name."""
    backend = "django.contrib.auth.backends.ModelBackend"
    may = User.objects.with_perm(SETTLES, backend=backend, include_superusers=True)
    return list(may.filter(is_active=True).order_by("first_name", "username"))


def _readings(found: ReadingException) -> list[Reading]:
    """What there is to look at: the last real reading, and all of this month."""
    of_month = Q(cycle=found.cycle)
    if since := found.facts.get("since"):
        of_month |= Q(taken_at=since)
    rows = Reading.objects.filter(of_month, register=found.register).select_related(
        "field_read__photograph", "submission"
    )
    return (
        list(rows.prefetch_related("submission__photographs").order_by("taken_at", "pk"))
        if found.register_id
        else []
    )


def _next(found: ReadingException) -> ReadingException | None:
    """The next open one of the same rule."""
    return (
        ReadingException.objects.filter(cycle=found.cycle, rule=found.rule, closed_at=None)
        .exclude(pk=found.pk)
        .order_by("-holds_back", "id")
        .first()
    )
