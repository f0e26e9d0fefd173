"""The made-up utility is one that a demo can show and a stranger cannot take for a real one."""

import time
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

import phonenumbers
import pytest

from rasd.metering import made_up, rules
from rasd.metering.consumption import used_between
from rasd.metering.models import Account, AccountContact, Meter, Reading, Register, ServicePoint
from tests.metering.house import MUSCAT

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, tzinfo=MUSCAT)


@pytest.fixture
def utility(db) -> None:
    made_up.make_utility(points=100, months=24, until=NOW.date(), seed=2026)


def test_it_is_made_in_less_than_five_seconds(db):
    began = time.perf_counter()
    made_up.make_utility(points=300, months=24, until=NOW.date(), seed=1)
    assert time.perf_counter() - began < 5
    assert (ServicePoint.objects.count(), Reading.objects.count()) == (300, 7_200)


def test_the_same_seed_makes_the_same_utility(utility):
    first = list(Reading.objects.order_by("taken_at", "value").values_list("taken_at", "value"))
    Reading.objects.all().delete()
    for model in (Register, Meter, ServicePoint, AccountContact, Account):
        model.objects.all().delete()
    made_up.make_utility(points=100, months=24, until=NOW.date(), seed=2026)
    assert list(Reading.objects.order_by("taken_at", "value").values_list("taken_at", "value")) == first


def test_made_twice_it_stays_one(utility):
    made_up.make_utility(points=100, months=24, until=NOW.date(), seed=2026)
    assert ServicePoint.objects.count() == 100


def test_nothing_is_read_in_the_month_that_is_to_come(utility):
    assert not Reading.objects.filter(taken_at__gte=datetime(2026, 11, 1, tzinfo=MUSCAT)).exists()


def test_july_is_about_three_times_january(utility):
    def used(year: int, month: int) -> Decimal:
        total = Decimal(0)
        for point in ServicePoint.objects.filter(commodity="electricity").prefetch_related(
            "readings__register"
        ):
            readings = sorted(point.readings.all(), key=lambda reading: reading.taken_at)
            for one, two in pairwise(readings):
                if (one.taken_at.year, one.taken_at.month) == (year, month):
                    total += used_between(one.value, two.value, one.register.digits)
        return total

    assert 2.4 < used(2026, 6) / used(2025, 12) < 3.5


def test_names_and_numbers_cannot_be_taken_for_real_ones(utility):
    assert not Account.objects.exclude(holder_name__contains="التجريبي").exists()
    for identifier in AccountContact.objects.values_list("identifier", flat=True):
        assert identifier.startswith(("tel:+9689000", "tel:+9689001"))
        assert phonenumbers.is_possible_number(phonenumbers.parse(identifier.removeprefix("tel:")))


def test_some_accounts_have_several_service_points_and_some_phones_several_accounts(utility):
    counts = [
        ServicePoint.of(identifier).count()
        for identifier in AccountContact.objects.values_list("identifier", flat=True).distinct()
    ]
    assert {1, 2} <= set(counts)
    assert max(counts) <= 10


def test_the_demo_customers_next_reading_is_one_that_would_be_adopted_unasked(utility):
    who = made_up.demo_customer(NOW)
    assert who.phone == "+96890000001"
    history = who.service_point.history(NOW)
    assert rules.surprise(who.next_reading, history) > rules.USUAL.plausible
    assert who.service_point.current_register.as_shown(
        who.next_reading
    ) == who.service_point.current_register.as_shown(who.next_reading.quantize(Decimal("0.1")))


@pytest.mark.parametrize("last", [None, Decimal("123"), Decimal("45210.5")])
def test_a_new_customer_has_the_meter_that_was_asked_for(utility, last):
    who = made_up.new_customer(digits=5, decimals=1, last=last, at=NOW)
    again = made_up.new_customer(digits=6, decimals=0, last=None, at=NOW)
    assert who.phone != again.phone
    assert ServicePoint.of(f"tel:{who.phone}").get() == who.service_point
    readings = who.service_point.history(NOW).readings
    assert (readings[-1].value if readings else None) == last


def test_until_may_be_any_day(db):
    made_up.make_utility(points=3, months=3, until=date(2026, 1, 31), seed=1)
    assert Reading.objects.count() == 9
