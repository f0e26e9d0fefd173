from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.console import roles, troubles
from rasd.console.access import StaffRequest, page
from rasd.flows.live import announce
from rasd.ledger.models import actor_of


@page(roles.TROUBLES)
@never_cache
def show(request: StaffRequest) -> HttpResponse:
    """What went wrong, each with what to do."""
    now = timezone.now()
    lists = {
        "nobodys": troubles.in_nobodys_hands(now),
        "jobs": troubles.dead_jobs(),
        "media": troubles.media(now),
        "outgoing": troubles.outgoing(now),
        "deliveries": troubles.deliveries(now),
        "refusals": troubles.refusals(now),
        "webhooks": troubles.webhooks(now),
    }
    context: dict[str, Any] = {
        "here": "troubles",
        "lists": {
            name: {"rows": list(rows[: troubles.SHOWN]), "count": rows.count()}
            for name, rows in lists.items()
        },
        "ledger": troubles.ledger(now),
        "settled": request.GET.get("settled", ""),
        "can_converse": request.user.has_perm(roles.CONVERSATIONS),
    }
    context["all_is_well"] = not (
        any(each["count"] for each in context["lists"].values())
        or context["ledger"]["broken"]
        or context["ledger"]["overdue"]
    )
    return render(request, "console/troubles.html", context)


@page(roles.TROUBLES)
@require_POST
def retry(request: StaffRequest, pk: int) -> HttpResponse:
    """Put a dead job back into its queue."""
    try:
        with transaction.atomic():
            troubles.try_again(pk, actor_of(request.user), timezone.now())
            announce("troubles")
    except ProcrastinateJob.DoesNotExist:
        messages.warning(request, _("That job is not dead any more: somebody was quicker."))
    else:
        messages.success(request, _("It is tried again now. If it fails again it comes back here."))
    return redirect("console:troubles")


@page(roles.TROUBLES)
@require_POST
def settle(request: StaffRequest, kind: str, pk: int) -> HttpResponse:
    """I have dealt with it; or, with ``undo``, I have not after all."""
    subject, now = f"{kind}:{pk}", timezone.now()
    with transaction.atomic():
        if "undo" in request.POST:
            troubles.unsettle(subject, request.user, now)
        else:
            troubles.settle(subject, request.user, now)
        announce("troubles")
    if "undo" in request.POST:
        return redirect("console:troubles")
    response = redirect("console:troubles")
    response["Location"] += f"?settled={subject}"
    return response
