"""What one register is billed on in a month and why; and another value adopted by hand, with a reason."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.metering.mending import BY_HAND, adopt_by_hand, take_back_by_hand
from rasd.metering.models import (
    Adoption,
    Billed,
    Cycle,
    NotAdoptable,
    Reading,
    ReadingException,
    Register,
    TrueUp,
)
from rasd.metering.models.judgements import limits
from rasd.metering.numbers import parse_number
from rasd.metering.rules import is_below_last, surprise

SOURCES = {"field", "customer", "estimate"}


@page(roles.CYCLE, roles.BY_HAND)
@never_cache
def register(request: StaffRequest, name: str, pk: int) -> HttpResponse:
    """POST ``reading`` (a number) or ``value`` with ``source``, and ``why``: adopt by hand; ``undo``: take that back."""
    cycle = get_object_or_404(Cycle, name=name)
    shown = get_object_or_404(Register.objects.select_related("meter__service_point__account"), pk=pk)
    may = request.user.has_perm(roles.BY_HAND)
    problem = ""
    if request.method == "POST" and may:
        problem = _undo(request, cycle, shown) if "undo" in request.POST else _adopt(request, cycle, shown)
        if not problem:
            return redirect("console:month_register", name, pk)
    adoptions = list(
        Adoption.objects.filter(register=shown, cycle=cycle)
        .select_related("reading")
        .order_by("-adopted_at", "-id")
    )
    standing = next((one for one in adoptions if one.superseded_at is None), None)
    context: dict[str, Any] = {
        "here": "cycle",
        "tab": "exceptions",
        "cycle": cycle,
        "register": shown,
        "point": shown.meter.service_point,
        "readings": Reading.objects.filter(register=shown, cycle=cycle)
        .select_related("field_read__photograph", "submission")
        .prefetch_related("submission__photographs")
        .order_by("taken_at"),
        "adoptions": adoptions,
        "standing": standing,
        "can_undo": standing is not None and standing.rule == BY_HAND and standing.supersedes_id is not None,
        "billed": Billed.objects.filter(cycle=cycle, register=shown).first(),
        "true_up": TrueUp.objects.filter(cycle=cycle, adoption__register=shown).first(),
        "exceptions": ReadingException.objects.filter(cycle=cycle, register=shown).order_by("id"),
        "may": may,
        "problem": problem,
        "typed": request.POST,
    }
    return render(request, "console/month_register.html", context, status=422 if problem else 200)


def _adopt(request: StaffRequest, cycle: Cycle, shown: Register) -> str:
    """What is wrong with what was asked, where something is."""
    asked, why = request.POST.get("reading", ""), request.POST.get("why", "")
    source = request.POST.get("source", "")
    chosen = (
        Reading.objects.filter(pk=asked, register=shown, cycle=cycle).first()
        if asked.isdecimal()
        else parse_number(request.POST.get("value", ""))
    )
    if chosen is None or (not isinstance(chosen, Reading) and source not in SOURCES):
        return _("Choose a reading, or type the value and say whose it is.")
    if "sure" not in request.POST and _is_odd(shown, cycle, chosen):
        return _("That is far from what this place uses. Look again; if it is right, say that you are sure.")
    try:
        adopt_by_hand(shown, cycle, chosen, source=source, why=why, at=timezone.now(), user=request.user)
    except NotAdoptable as error:
        if str(error).startswith("why"):
            return _("Say why in a few words: it stays on record.")
        return _("This counter cannot show that value, or it is adopted already.")
    messages.success(
        request, _("Adopted. Billing gets it with the month, or as a correction where it is closed.")
    )
    return ""


def _is_odd(shown: Register, cycle: Cycle, chosen: Reading | Decimal) -> bool:
    """A digit too many is typed soon, and what is corrected after the closing no rule looks at."""
    point = shown.meter.service_point
    if point.current_register != shown:
        return False
    value, at = (
        (chosen.value, chosen.taken_at) if isinstance(chosen, Reading) else (chosen, _as_of(shown, cycle))
    )
    history = point.history(at, apart_from=cycle)
    if history is None:
        return False
    share = surprise(value, history)
    return is_below_last(value, history) or (share is not None and share < limits().believable)


def _as_of(shown: Register, cycle: Cycle) -> datetime:
    standing = (
        Adoption.objects.filter(register=shown, cycle=cycle, superseded_at=None)
        .select_related("reading")
        .first()
    )
    return standing.reading.taken_at if standing else timezone.now()


def _undo(request: StaffRequest, cycle: Cycle, shown: Register) -> str:
    standing = Adoption.objects.filter(register=shown, cycle=cycle, superseded_at=None).first()
    try:
        if standing is None:
            raise NotAdoptable("adoption: none stands")
        take_back_by_hand(standing, at=timezone.now(), user=request.user)
    except NotAdoptable:
        return _("That cannot be taken back any more. Adopt another value instead.")
    messages.success(request, _("Taken back. What it had replaced stands again."))
    return ""
