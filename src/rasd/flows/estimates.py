"""What the month's estimates mean for people: a case for each third in a row, and everybody told (G2)."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.dispatch import receiver
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from rasd.desk.models import Case
from rasd.flows import words
from rasd.flows.models import EstimateTold
from rasd.flows.models.reminders import MACHINE
from rasd.metering.models import Closing, Cycle, Register
from rasd.metering.signals import cycle_closed, third_estimates

NOTE = _(
    "Cycle %(cycle)s: nobody read the meter, and the bills before were estimates too; this one is number %(count)s in a row. Get"
    " a real reading: an appointment, another reader, or a photograph of the customer's."
)


@receiver(third_estimates)
def open_cases(
    sender: Any, cycle: Cycle, at: datetime, registers: dict[int, int], **_signal: Any
) -> dict[int, str]:
    """The case of each: one that is open already to see the meter, or a new one. Inside the closing's transaction, so that the
    estimate and its case are there together or not at all."""
    found = (
        Register.objects.filter(pk__in=registers)
        .select_related("meter__service_point__account")
        .order_by("pk")
    )
    points = {one.meter.service_point.number for one in found}
    there = dict(
        Case.objects.open()
        .filter(kind__code="meter", service_point__in=points)
        .order_by("-opened_at")
        .values_list("service_point", "reference")
    )
    for one in found:
        point = one.meter.service_point
        if point.number not in there:
            with translation.override(point.account.language):
                title = words.real_reading_needed()
            with translation.override(settings.LANGUAGE_CODE):
                note = str(NOTE) % {"cycle": cycle.name, "count": registers[one.pk]}
            case = Case.open(
                "meter",
                title,
                at=at,
                actor=MACHINE,
                origin=Case.Origin.MONTH,
                service_point=point.number,
                text=note,
                key=f"third-estimate:{cycle.name}:{point.number}",
            )
            there[point.number] = case.reference
    return {one.pk: there[one.meter.service_point.number] for one in found}


@receiver(cycle_closed)
def tell_customers(sender: Any, closing: Closing, **_signal: Any) -> None:
    """Who is told is settled with the closing; the job of each minute writes to them."""
    EstimateTold.draw(closing.cycle, closing.cycle.closed_at or closing.begun_at)
