"""G2: who is billed on an estimate is told that it is one, why, and how to replace it; a third in a row has a case."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from rasd.channels.models import Address, Line, OptOut, Outgoing
from rasd.desk.models import Case
from rasd.flows.models import ApprovedTemplate, EstimateTold
from rasd.flows.models.estimated import next_window
from rasd.metering.missing import estimate_missing
from rasd.metering.models import Adoption, Cycle, Estimate, ServicePoint
from tests.metering.house import give_history, make_house

CLOSED = datetime(2026, 11, 26, 9, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> Line:
    return Line.objects.create(
        channel="whatsapp", external_id="1001", name="readings", purpose="readings", sends_per_second=40
    )


@pytest.fixture
def house() -> ServicePoint:
    point = make_house()
    give_history(point)
    return point


def bill(name: str) -> Estimate:
    """A cycle in which nobody reads, up to the adoption of its estimates."""
    cycle = Cycle.open(name, at=CLOSED, actor="user:test")
    with transaction.atomic(), connection.cursor() as cursor:
        estimate_missing(cursor, cycle, CLOSED)
    made = Estimate.objects.get(reading__cycle=cycle)
    Adoption.objects.create(
        service_point=made.reading.service_point,
        register=made.reading.register,
        cycle=cycle,
        reading=made.reading,
        actor="machine:closing",
        why="an estimate",
        receipt=f"T-{name}",
    )
    EstimateTold.draw(cycle, CLOSED)
    return made


def template(language: str = "ar") -> ApprovedTemplate:
    return ApprovedTemplate.objects.create(
        use="estimate",
        language=language,
        name="estimated_bill",
        code=language,
        body="{{1}} {{2}} {{3}} {{4}} {{5}}",
    )


def test_g2_the_customer_is_told_that_it_is_an_estimate_why_and_how_to_replace_it(
    line: Line, house: ServicePoint
) -> None:
    template("en")
    house.account.language = "en"
    house.account.save()
    made = bill("2026-11")
    assert EstimateTold.go_on_with_all(CLOSED) == 1
    sent = Outgoing.objects.get()
    said = sent.text.replace("\u2068", "").replace("\u2069", "")
    assert f"is an estimate, not a reading: {made.use:.0f} kWh" in said
    assert "Nobody read the meter" in said
    assert "a photograph of the meter from 15 December to 25 December" in said
    carried = sent.content["template"]
    assert (carried["name"], len(carried["parameters"])) == ("estimated_bill", 5)
    assert EstimateTold.go_on_with_all(CLOSED) == 0, "he is told once"
    EstimateTold.draw(made.reading.cycle, CLOSED)
    assert EstimateTold.objects.count() == 1


def test_nobody_is_told_who_wants_no_messages_or_at_night_or_of_an_estimate_that_was_replaced(
    line: Line, house: ServicePoint
) -> None:
    template()
    bill("2026-11")
    assert EstimateTold.go_on_with_all(CLOSED.replace(hour=20)) == 0, "midnight in Muscat"
    address = Address.objects.create(channel="whatsapp", phone="+96890000010")
    OptOut.begin(address, "STOP", at=CLOSED)
    EstimateTold.go_on_with_all(CLOSED)
    told = EstimateTold.objects.get()
    assert (told.left_out, told.outgoing) == ("opted_out", None)
    EstimateTold.objects.update(left_out="")
    Adoption.objects.update(superseded_at=CLOSED)
    EstimateTold.go_on_with_all(CLOSED)
    assert EstimateTold.objects.get().left_out == "replaced"
    assert not Outgoing.objects.exists()


def test_without_an_approved_template_only_who_wrote_within_24_hours_is_told(
    line: Line, house: ServicePoint
) -> None:
    bill("2026-11")
    EstimateTold.go_on_with_all(CLOSED)
    assert EstimateTold.objects.get().left_out == "no_template"


def test_g2_the_third_estimate_in_a_row_opens_a_case_and_the_customer_hears_its_number(
    line: Line, house: ServicePoint
) -> None:
    template()
    for month in ("2026-11", "2026-12"):
        assert bill(month).case == ""
    third = bill("2027-01")
    case = Case.objects.get()
    assert (third.in_a_row, third.case) == (3, case.reference)
    assert (case.service_point, case.kind.code, case.origin) == (house.number, "meter", "month")
    assert case.work is not None, "somebody owes it (G7)"
    EstimateTold.go_on_with_all(CLOSED)
    assert case.reference in Outgoing.objects.order_by("pk").last().text  # type: ignore[union-attr]
    assert bill("2027-02").case == case.reference, "the case that is open already"


def test_the_window_that_is_told_is_the_districts_own(house: ServicePoint) -> None:
    november = Cycle.open("2026-11", at=CLOSED, actor="user:test")
    december = Cycle.open("2026-12", at=CLOSED, actor="user:test")
    first = december.window_opens + timedelta(days=2)
    december.put_windows({"Bawshar": (first, december.window_closes)}, at=CLOSED, actor="user:test")
    assert next_window(november, house) == (first, december.window_closes)
