"""G5: a customer's reading and the meter reader's are compared by the days between them; beyond tolerance a person is asked."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.metering import signals
from rasd.metering.comparing import compare, compared
from rasd.metering.consumption import used_between
from rasd.metering.importing.bringing import Visit
from rasd.metering.models import Comparison, FieldRead, Reader, Reading
from rasd.vision import PastReading
from tests.metering.house import NOON, give_history, make_house, seen

DAY = timedelta(days=1)


def verdict(customer: int, reader: int, *, days: float, per_day: float | None = 10, digits: int = 5):
    return compared(
        PastReading(NOON, Decimal(customer)),
        PastReading(NOON + days * DAY, Decimal(reader)),
        per_day=per_day,
        digits=digits,
        unit="kWh",
    )


@pytest.mark.parametrize(
    ("customer", "reader", "days", "agrees"),
    [
        (4000, 4000, 0, True),
        (4000, 4001, 0, True),  # the last wheel, read up or down
        (4000, 4003, 0, False),
        (4000, 4040, 4, True),  # ten a day
        (4000, 4080, 4, True),  # guests
        (4000, 4100, 4, False),
        (4000, 3998, 4, False),  # no counter runs backwards
        (4000, 3960, -4, True),  # the reader came first
        (4000, 4003, -4, False),
        (99_990, 10, 2, True),  # past its highest value
    ],
)
def test_g5_two_readings_agree_within_what_may_have_been_used_between_them(customer, reader, days, agrees):
    assert verdict(customer, reader, days=days).agrees is agrees


def test_g5_where_no_past_tells_a_wide_tolerance_is_taken():
    assert verdict(4000, 4100, days=1, per_day=None).tolerance == 91.0
    assert not verdict(4000, 3990, days=1, per_day=None).agrees  # and backwards is backwards


DAYS = st.floats(-14, 14)
RATES = st.floats(0, 200)


@given(value=st.integers(0, 99_999), days=DAYS, rate=RATES)
def test_g5_who_reads_what_was_to_be_expected_agrees(value, days, rate):
    reader = (value + round(rate * days)) % 100_000
    assert verdict(value, reader, days=days, per_day=rate).agrees


@given(one=st.integers(0, 99_999), other=st.integers(0, 99_999), days=DAYS, rate=RATES)
def test_g5_it_is_the_same_whose_reading_is_called_the_customers(one, other, days, rate):
    first, turned = (
        verdict(one, other, days=days, per_day=rate),
        verdict(other, one, days=-days, per_day=rate),
    )
    assert (first.agrees, first.tolerance) == (turned.agrees, turned.tolerance)


@given(apart=st.integers(0, 40_000), rate=RATES, days=st.floats(0, 14))
def test_g5_what_was_too_much_stays_too_much_with_more(apart, rate, days):
    if not verdict(0, apart, days=days, per_day=rate).agrees and apart > rate * days:
        assert not verdict(0, apart + 1, days=days, per_day=rate).agrees


@pytest.fixture
def told():
    found: list[list[int]] = []

    def hear(comparisons: list[int], **_: object) -> None:
        found.append(comparisons)

    signals.readings_differ.connect(hear)
    yield found
    signals.readings_differ.disconnect(hear)


def run(cycle, at=NOON + 5 * DAY) -> int:
    with connection.cursor() as cursor:
        return compare(cursor, cycle, at)


def bring(value: int, *, point: str = "SP-1", at=NOON + 2 * DAY, key: str = "k") -> FieldRead:
    reader, _ = Reader.objects.get_or_create(code="R-1", name="Reader One")
    visit = Visit(reader.code, key, at, service_point=point, value=Decimal(value))
    return FieldRead.bring(visit, at=NOON + 3 * DAY, actor="user:test")


@pytest.mark.django_db
def test_g5_a_comparison_beyond_tolerance_is_told_until_it_has_a_case(house, november, send, told):
    submission = send(house, seen(4310))
    submission.adopt(Decimal(4310), NOON, "machine:test", "sure")
    honest, made_up = bring(4331), bring(4500, key="k2", at=NOON + 3 * DAY)
    assert run(november) == 2
    good, bad = Comparison.objects.order_by("pk")
    assert (good.field_read, good.agrees, good.days, good.expected) == (honest, True, 2, 20)
    assert (bad.field_read, bad.agrees, bad.difference) == (made_up, False, 160)
    assert told == [[bad.pk]]
    assert run(november) == 2
    assert told == [[bad.pk]] * 2
    Comparison.objects.filter(pk=bad.pk).update(case="26-000001")
    run(november)
    assert len(told) == 2


@pytest.mark.django_db
def test_g5_the_customers_reading_that_he_corrected_is_the_one_compared_and_what_a_person_decided_stands(
    house, november, send, told
):
    first = send(house, seen(4210)).adopt(Decimal(4210), NOON, "machine:test", "sure")
    bring(4331)
    run(november)
    assert not Comparison.objects.get().agrees
    corrected = send(house, seen(4310), at=NOON + DAY)
    corrected.adopt(Decimal(4310), NOON + DAY, "machine:test", "corrected", replace=True)
    run(november)
    there = Comparison.objects.get()
    assert (there.agrees, there.customer_reading.value) == (True, 4310)
    assert first.reading != there.customer_reading
    there.decide("customer", why="the photograph shows it", at=NOON + 5 * DAY, actor="user:test")
    send(house, seen(4300), at=NOON + 2 * DAY).adopt(Decimal(4300), NOON, "machine:test", "x", replace=True)
    run(november)
    assert Comparison.objects.get().customer_reading.value == 4310


@pytest.mark.django_db
def test_g5_a_past_reading_that_nobody_billed_on_says_nothing_of_what_is_usual(house, november, send, told):
    """The customer misread a month ago, and a person refused it: no reader is measured by that."""
    refused = send(house, seen(99_000), at=NOON - 25 * DAY)
    Reading.objects.create(
        service_point=house, register=house.current_register, value=99_000, source="customer",
        taken_at=NOON - 25 * DAY, submission=refused,
    )  # fmt: skip
    send(house, seen(4310)).adopt(Decimal(4310), NOON, "machine:test", "sure")
    bring(4331)
    run(november)
    assert Comparison.objects.get().expected == 20


@pytest.mark.django_db
def test_g5_a_customers_reading_that_was_taken_back_is_compared_with_nothing(house, november, send, told):
    adoption = send(house, seen(9000)).adopt(Decimal(9000), NOON, "machine:test", "by mistake")
    adoption.take_back(NOON + DAY)
    bring(4331)
    assert run(november) == 0


@pytest.mark.django_db
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pairs=st.lists(
        st.tuples(
            st.integers(0, 99_999),  # the customer's
            st.integers(-300, 900),  # the reader's more
            st.integers(-300, 300),  # hours between the two
            st.sampled_from([0, 9, 300, 2400]),  # use a month; 0: no past
            st.sampled_from(["kWh", "MWh", "m³", "m3", "L", "toe"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_g5_the_statement_for_a_whole_month_says_what_the_rule_says(november, pairs):
    with transaction.atomic():
        wanted = {}
        for place, (value, more, hours, a_month, unit) in enumerate(pairs):
            point = make_house(f"SP-{place}")
            if a_month:
                give_history(
                    point, last=value - a_month if value > a_month else value, a_month=a_month, months=2
                )
            register = point.current_register
            register.unit = unit
            register.save()
            mine = Reading.objects.create(
                service_point=point,
                register=register,
                cycle=november,
                value=value,
                source="customer",
                taken_at=NOON,
            )
            mine.adoptions.create(
                service_point=point,
                register=register,
                cycle=november,
                actor="x",
                why="x",
                receipt=f"r{place}",
            )
            taken_at, theirs = NOON + timedelta(hours=hours), (value + more) % 100_000
            bring_at = min(taken_at, NOON + 3 * DAY)
            field_read = bring(theirs, point=point.number, at=bring_at, key=f"k{place}")
            past = [
                r
                for r in register.readings.order_by("taken_at")
                if r.cycle_id is None and r.source == "field"
            ]
            rate = None
            if len(past) == 2:
                rate = float(used_between(past[0].value, past[1].value, 5)) / 30
            wanted[field_read.pk] = compared(
                PastReading(NOON, Decimal(value)),
                PastReading(bring_at, Decimal(theirs)),
                per_day=rate,
                digits=5,
                unit=unit,
            )
        run(november)
        made = {one.field_read_id: one for one in Comparison.objects.all()}
        assert made.keys() == wanted.keys()
        for pk, rule in wanted.items():
            got = made[pk]
            assert float(got.difference) == pytest.approx(rule.difference, abs=0.0015)
            assert float(got.tolerance) == pytest.approx(rule.tolerance, abs=0.0015)
            assert float(got.expected) == pytest.approx(rule.expected, abs=0.0015)
            assert got.agrees == rule.agrees or abs(abs(rule.difference) - rule.tolerance) < 0.003
        transaction.set_rollback(True)
