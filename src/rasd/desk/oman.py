"""What an Omani utility usually begins with, as data to be edited: guaranteed standards.

What is known for certain (and where from) stands in each one's ``source``, and so does what is not: the regulator's table of
limits and amounts was not at hand when this was written, only that the standards are in force since 1 July 2022, that they
cover meter reading and the handling of complaints among some ten matters, and that a breach costs RO 5 to 30 [Oman Observer,
"Oman's regulator obliges power distributors to pay compensation for poor service", 2022].
"""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from rasd.desk.models import Calendar, Standard

IN_FORCE_FROM = date(2022, 7, 1)

AN_EXAMPLE = (
    "The amount is an example within the RO 5 to 30 that a breach costs since 1 July 2022: put the regulator's own"
    " figure."
)

USUAL: tuple[dict[str, Any], ...] = (
    {
        "code": "complaint-answer",
        "name_ar": "الرد الكتابي على الشكوى",
        "name_en": "A complaint is answered in writing",
        "begins": Standard.Begins.OPENED,
        "ends": Standard.Ends.CLOSED,
        "matter": "complaint",
        "limit": 10,
        "unit": Standard.Unit.WORKING_DAYS,
        "compensation": Decimal(10),
        "source": "10 working days: the regulator's complaint procedure, stage one (apsr.om/en/submitcomplaint). That a"
        f" complaint ends only with a written answer: decisions 4/2020 and 8/2023. {AN_EXAMPLE}",
    },
    {
        "code": "complaint-acknowledged",
        "name_ar": "إشعار باستلام الشكوى",
        "name_en": "A complaint is acknowledged",
        "begins": Standard.Begins.OPENED,
        "ends": Standard.Ends.SAID,
        "matter": "complaint",
        "limit": 1,
        "unit": Standard.Unit.WORKING_DAYS,
        "compensation": Decimal(5),
        "source": "One working day, of complaints by letter or e-mail: what the Dhofar company promises on its page"
        f' "Complaints". Whether it is a guaranteed standard is not known to us. {AN_EXAMPLE}',
    },
    {
        "code": "message-answer",
        "name_ar": "الرد على رسالة المشترك",
        "name_en": "A customer's message is answered",
        "begins": Standard.Begins.OWED,
        "ends": Standard.Ends.ANSWERED,
        "kind": "answer",
        "limit": 2,
        "unit": Standard.Unit.WORKING_DAYS,
        "compensation": Decimal(5),
        "source": f"An example altogether: we know of no figure of the regulator's for messages. {AN_EXAMPLE}",
    },
)


def make_usual_standards(calendar: Calendar) -> list[Standard]:
    """Those of :data:`USUAL` that are missing, counted by ``calendar``; one that exists is left as it is."""
    with transaction.atomic():
        made = [
            Standard.objects.get_or_create(
                code=each["code"], defaults={**each, "calendar": calendar, "in_force_from": IN_FORCE_FROM}
            )
            for each in USUAL
        ]
    return [standard for standard, is_new in made if is_new]
