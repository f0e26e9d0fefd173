"""The files that billing took of a month, and what the next one lacks."""

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import counts, roles
from rasd.console.access import StaffRequest, page
from rasd.ledger import evidence
from rasd.ledger.models import actor_of, record
from rasd.metering import billing
from rasd.metering.jobs import export_billing
from rasd.metering.models import BillingExport, Cycle

KINDS = {"csv": "text/csv; charset=utf-8", "xml": "application/xml"}


@page(roles.BILLING)
@never_cache
def files(request: StaffRequest, name: str) -> HttpResponse:
    """The newest first; whether corrections wait for the next one; and what stands in the way of the first."""
    cycle = get_object_or_404(Cycle, name=name)
    made = list(cycle.exports.order_by("-number"))
    closed = cycle.closed_at is not None
    missing, counted_at = counts.of("missing", cycle, timezone.now()) if closed and not made else ([], None)
    return render(
        request,
        "console/month_billing.html",
        {
            "here": "cycle",
            "tab": "billing",
            "cycle": cycle,
            "made": made,
            "missing": missing,
            "counted_at": counted_at,
            "most": billing.MISSING_SHOWN,
            "waits": closed and (not made or _is_corrected(cycle, made[0].number)),
        },
    )


def _is_corrected(cycle: Cycle, number: int) -> bool:
    """Since the file ``number``, the last: what was kept of an earlier one says nothing."""
    (counted, is_corrected), _at = counts.of("corrected", cycle, timezone.now())
    return bool(is_corrected) and counted == number


@page(roles.BILLING)
@require_POST
def export(request: StaffRequest, name: str) -> HttpResponse:
    cycle = get_object_or_404(Cycle, name=name, closed_at__isnull=False)
    export_billing.defer(cycle_id=cycle.pk, actor=actor_of(request.user))
    messages.success(request, _("The file is being made. It appears here when it is whole."))
    return redirect("console:month_billing", name)


@page(roles.BILLING)
def file(request: StaffRequest, name: str, number: int, kind: str) -> HttpResponse | StreamingHttpResponse:
    """One of the two, as it was made, or not at all; who took it is an entry of the ledger."""
    made = get_object_or_404(BillingExport, cycle__name=name, number=number)
    if kind not in KINDS:
        raise Http404
    sha256 = made.csv_sha256 if kind == "csv" else made.xml_sha256
    if not evidence.is_whole(sha256):
        messages.error(
            request, _("This file was changed in storage since it was made, and is not given out.")
        )
        return redirect("console:month_billing", name)
    record(
        actor_of(request.user),
        "billing.taken",
        f"cycle:{name}",
        at=timezone.now(),
        facts={"number": number, "sha256": sha256},
    )
    answer = StreamingHttpResponse(evidence.chunks(sha256), content_type=KINDS[kind])
    answer["Content-Disposition"] = content_disposition_header(True, f"{made.name}.{kind}")
    return answer
