"""What meter readers bring, in the flows: their photographs are looked at, and where two readings differ a person has a case."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.dispatch import receiver
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from rasd.channels.jobs import Patience, defer
from rasd.desk.models import Case, Conversation
from rasd.flows import jobs
from rasd.flows.cases import MACHINE
from rasd.flows.live import announce
from rasd.metering.models import Comparison, Cycle, Photograph
from rasd.metering.signals import field_photograph_kept, readings_differ

AT_ONCE = 50  # cases a job opens: none holds the ledger for long


@receiver(field_photograph_kept)
def look_at_it_later(sender: Any, photograph: Photograph, **_: Any) -> None:
    defer(jobs.read, priority=jobs.LAST, photograph_id=photograph.pk)


@receiver(readings_differ)
def open_cases_later(sender: Any, comparisons: list[int], **_: Any) -> None:
    for first in range(0, len(comparisons), AT_ONCE):
        defer(open_cases, comparison_ids=comparisons[first : first + AT_ONCE])


@app.task(queue="flows", priority=jobs.LAST, retry=Patience())
def open_cases(comparison_ids: list[int]) -> None:
    """G5: each comparison beyond its tolerance has a case."""
    for pk in comparison_ids:
        open_case(pk, at=timezone.now())


@app.periodic(cron="7 3 * * *")
@app.task(queue="flows", priority=jobs.LAST, queueing_lock="flows-rounds", pass_context=False)
def reckon(timestamp: int) -> None:
    """Every night: what came in is compared, and readers' records are counted anew, of open cycles and the one closed last."""
    from rasd.metering import records
    from rasd.metering.comparing import compare

    at = timezone.now()
    last = Cycle.objects.exclude(closed_at=None).order_by("-name")[:1]
    for cycle in [*last, *Cycle.objects.filter(closed_at=None, opened_at__lte=at).order_by("name")]:
        if cycle.closed_at is None:
            with transaction.atomic(), connection.cursor() as cursor:
                compare(cursor, cycle, at)
        records.reckon(cycle, at)
    announce("cycle")


def open_case(comparison_id: int, *, at: datetime) -> Case | None:
    """For a person, who asks both and looks at both photographs; the customer's page of it says no reader's name. None where it
    has a case already, or agrees by now."""
    with transaction.atomic():
        rows = Comparison.objects.select_for_update(of=("self",)).filter(
            pk=comparison_id, agrees=False, case=""
        )
        differ = rows.select_related(
            "field_read__service_point",
            "field_read__reader",
            "customer_reading__submission",
            "register",
            "cycle",
        ).first()
        if differ is None:
            return None
        with translation.override(settings.LANGUAGE_CODE):
            case = Case.open(
                "reading",
                _("Two readings of one meter differ: %(place)s") % {"place": _short(differ)},
                at=at,
                actor=MACHINE,
                origin=Case.Origin.SUBMISSION,
                contact=_customer(differ),
                service_point=differ.field_read.service_point.number,
                text=_about(differ),
                key=str(differ),
            )
        differ.case = case.reference
        differ.save(update_fields=["case"])
        announce("cycle", "cases")
    return case


def _short(differ: Comparison) -> str:
    return differ.field_read.service_point.place[:60]


def _about(differ: Comparison) -> str:
    """For staff: the two, and what was to be expected."""
    told = _(
        "Cycle %(cycle)s, %(number)s: the customer read %(customer)s on %(customer_at)s, meter reader %(reader)s read"
        " %(field)s on %(field_at)s (%(field_read)s). That is %(difference)s %(unit)s from what was to be expected, and"
        " %(tolerance)s would still agree. Either may be mistaken, or both right: look at both photographs, and at the"
        " meter if need be; then say on the page of the field read who was right."
    )
    field_read, customer = differ.field_read, differ.customer_reading
    return told % {
        "cycle": differ.cycle.name,
        "number": field_read.service_point.number,
        "customer": _plain(customer.value),
        "customer_at": f"{timezone.localtime(customer.taken_at):%Y-%m-%d %H:%M}",
        "reader": field_read.reader.code,
        "field": _plain(field_read.value or Decimal(0)),
        "field_at": f"{timezone.localtime(field_read.visited_at):%Y-%m-%d %H:%M}",
        "field_read": field_read,
        "difference": _plain(differ.difference),
        "unit": differ.register.unit,
        "tolerance": _plain(differ.tolerance),
    }


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _customer(differ: Comparison) -> Any:
    submission = differ.customer_reading.submission
    number = submission.conversation.removeprefix("conversation:") if submission else ""
    found = Conversation.objects.filter(pk=number).select_related("contact").first() if number else None
    return found.contact if found else None
