"""G2: where nobody read, an estimate from past readings and the season, with an interval, never a third without a case."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rasd.metering import signals
from rasd.metering.estimate_cli import estimate as estimate_command
from rasd.metering.estimating import Counter, Usual, estimate, season_days, stretches_of
from rasd.metering.missing import estimate_missing
from rasd.metering.models import (
    Adoption,
    Cycle,
    Estimate,
    Meter,
    Reading,
    Register,
    Season,
    ServicePoint,
    UsualUse,
)
from rasd.metering.seasons import learn
from rasd.metering.usual import kinds
from rasd.vision import PastReading
from tests.metering.house import MUSCAT, NOON, give_history, make_house

TILL = datetime(2026, 11, 25, 12, tzinfo=MUSCAT)
AT = datetime(2026, 11, 26, 9, tzinfo=MUSCAT)
SUMMER = (0.5, 0.5, 0.6, 0.9, 1.3, 1.6, 1.6, 1.6, 1.3, 1.0, 0.6, 0.5)
GULF = Usual(season=SUMMER, per_day=20.0, within=0.2, between=0.6)


def monthly(values: list[int], *, digits: int = 5, decimals: int = 0, last: datetime = NOON) -> Counter:
    """One a month, the last 35 days before ``TILL``."""
    count = len(values)
    readings = (
        PastReading(last - timedelta(days=30 * (count - place)), Decimal(value))
        for place, value in enumerate(values)
    )
    return Counter(digits, decimals, tuple(readings))


def test_who_uses_the_same_every_day_is_estimated_to_go_on_so() -> None:
    made = estimate([monthly([4000 + 300 * month for month in range(13)])], TILL, Usual())
    assert made is not None
    assert made.use == Decimal(round(10 * float(made.days)))
    assert made.value == 4000 + 300 * 12 + made.use
    assert made.least < made.use < made.most


def test_the_season_raises_a_summer_month_above_the_winter_before_it() -> None:
    june, july = datetime(2026, 6, 20, 12, tzinfo=MUSCAT), datetime(2026, 7, 20, 12, tzinfo=MUSCAT)
    winter = Counter(
        5, 0, (PastReading(june - timedelta(days=150), Decimal(0)), PastReading(june, Decimal(1500)))
    )
    flat, seasonal = estimate([winter], july, Usual()), estimate([winter], july, GULF)
    assert flat is not None
    assert seasonal is not None
    assert flat.use == 300
    assert seasonal.use > 1.5 * float(flat.use)


def test_a_home_of_which_nothing_is_known_is_estimated_like_its_kind_with_a_wide_interval() -> None:
    one = Counter(5, 0, (PastReading(NOON - timedelta(days=31), Decimal(100)),))
    known = monthly([600 * month for month in range(13)])
    kind = Usual(per_day=20.0, within=0.2, between=0.6)
    lonely, sure = estimate([one], TILL, kind), estimate([known], TILL, kind)
    assert lonely is not None
    assert sure is not None
    assert lonely.per_day == kind.per_day
    assert float(lonely.most / lonely.least) > 2 * float(sure.most / sure.least)
    assert estimate([one], TILL, Usual()) is None


def test_a_counter_that_runs_past_its_highest_value_goes_on_from_zero() -> None:
    made = estimate([monthly([(99_000 + 300 * month) % 100_000 for month in range(4)])], TILL, Usual())
    assert made is not None
    assert 320 < made.use < 400
    assert made.value == 99_000 + 900 + made.use - 100_000


def test_what_the_old_meter_showed_tells_of_the_use_and_the_new_one_counts_on() -> None:
    old = monthly([1000 + 300 * month for month in range(12)], last=NOON - timedelta(days=60))
    new = Counter(6, 1, (PastReading(NOON - timedelta(days=45), Decimal("3.0")),))
    made = estimate([old, new], TILL, Usual())
    assert made is not None
    assert made.value == Decimal("3.0") + made.use
    assert 9 < float(made.use / made.days) < 11
    hung_up = NOON - timedelta(days=45)
    begun = estimate([old, Counter(6, 1, ())], TILL, Usual(), installed=hung_up)
    assert begun is not None
    assert (begun.counts_on, begun.value) == ("zero", begun.use)
    assert estimate([old, Counter(6, 1, ())], TILL, Usual()) is None


def test_a_second_estimate_counts_on_from_the_first() -> None:
    known = monthly([4000 + 300 * month for month in range(13)])
    first = PastReading(TILL - timedelta(days=30), Decimal(7700))
    made = estimate([known], TILL, Usual(), estimated=first)
    assert made is not None
    assert (made.counts_on, made.value, made.days) == ("estimate", 7700 + made.use, 30)


@given(
    uses=st.lists(st.integers(0, 5000), min_size=1, max_size=14),
    start=st.integers(0, 99_999),
    days=st.integers(1, 200),
)
def test_no_history_makes_an_estimate_that_the_register_cannot_show(
    uses: list[int], start: int, days: int
) -> None:
    values = [start]
    for use in uses:
        values.append((values[-1] + use) % 100_000)
    made = estimate([monthly(values)], NOON - timedelta(days=30 - days), GULF)
    assert made is not None
    assert 0 <= made.value < 100_000
    assert 0 <= made.least <= made.most
    assert (values[-1] + made.use - made.value) % 100_000 == 0


def test_seasons_are_learnt_from_homes_of_which_each_uses_differently_much() -> None:
    homes = []
    for much in (3, 10, 40, 200) * 3:
        moments = [datetime(2024, 1, 20, 12, tzinfo=MUSCAT) + timedelta(days=30 * n) for n in range(26)]
        shown = [0.0]
        for one, two in pairwise(moments):
            shown.append(shown[-1] + much * season_days(one, two, SUMMER))
        readings = tuple(PastReading(m, Decimal(round(v))) for m, v in zip(moments, shown, strict=True))
        homes.append(stretches_of(Counter(6, 0, readings), TILL, timedelta(days=2000)))
    usual = learn(homes)
    mean = sum(SUMMER) / 12
    for learnt, true in zip(usual.season, SUMMER, strict=True):
        assert learnt == pytest.approx(true / mean, abs=0.06)
    assert usual.per_day == pytest.approx(25 * mean, rel=0.05)
    assert usual.within < 0.1 < usual.between


# In the database


@contextmanager
def cases(answered: bool = True) -> Iterator[list[dict[int, int]]]:
    """In the conductor's place somebody who opens a case for each third estimate, or does not."""
    asked: list[dict[int, int]] = []

    def open_cases(sender: Any, registers: dict[int, int], **_: Any) -> dict[int, str]:
        asked.append(registers)
        return {register: f"C-{register}" for register in registers} if answered else {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            signals.third_estimates, "send", lambda sender, **told: [(None, open_cases(sender, **told))]
        )
        yield asked


def run(cycle: Cycle, **how: Any) -> dict[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        return estimate_missing(cursor, cycle, AT, **how)


def adopt(estimated: Estimate, cycle: Cycle, number: int) -> Adoption:
    reading = estimated.reading
    return Adoption.objects.create(
        service_point=reading.service_point,
        register=reading.register,
        cycle=cycle,
        reading=reading,
        actor="machine:closing",
        why="an estimate",
        receipt=f"T-{number}",
    )


def learnt() -> None:
    """What is usual, so that nothing is learnt in the test."""
    for kind in ("", "residential"):
        for month, factor in enumerate(SUMMER, 1):
            Season.objects.create(
                commodity="electricity",
                customer_class=kind,
                month=month,
                factor=factor,
                registers=9,
                learnt_at=AT,
            )
        UsualUse.objects.create(
            commodity="electricity",
            customer_class=kind,
            per_day=20.0,
            within=0.2,
            between=0.6,
            low=-1.1,
            high=1.4,
            registers=9,
            learnt_at=AT,
        )


@pytest.mark.django_db
def test_sql_estimates_to_the_digit_what_python_does(november: Cycle) -> None:
    chance = Random(7)
    learnt()
    points = [
        make_house(f"SP-{n}", digits=chance.choice((4, 5, 6)), decimals=chance.choice((0, 1, 3)))
        for n in range(60)
    ]
    for place, point in enumerate(points):
        if place % 6 == 0:  # another meter hung there before
            point.meters.update(removed_on=date(2026, 6, 1))
            meter = Meter.objects.create(
                service_point=point, serial=f"NEW{place}", installed_on=date(2026, 6, 1)
            )
            Register.objects.create(meter=meter, digits=5, decimals=1)
        for register in Register.objects.filter(meter__service_point=point):
            shown = Decimal(chance.randrange(10**register.digits))
            moment = datetime(2025, 8, 1, tzinfo=UTC) + timedelta(days=chance.randrange(60))
            while moment < datetime(2026, 11, 1, tzinfo=UTC) and place % 10:
                gone = register.meter.removed_on
                if not gone or moment.date() < gone:
                    Reading.objects.create(
                        service_point=point, register=register, value=shown, source="field", taken_at=moment
                    )
                moment += timedelta(days=chance.choice((0.4, 29, 30, 31, 33, 62)))
                step = Decimal(chance.randrange(1, 40_000)).scaleb(-register.decimals)
                shown = (shown + step) % 10**register.digits
    counts = run(november)
    assert counts["missing"] == 60
    assert counts["estimated"] == Estimate.objects.count() > 50
    made = {one.reading.register_id: one for one in Estimate.objects.select_related("reading")}
    for register in Register.objects.filter(meter__removed_on=None):
        there = made.get(register.pk)
        expected = _python(register)
        assert (there is None) == (expected is None)
        if there is None or expected is None:
            continue
        assert there.reading.taken_at == TILL
        assert (there.reading.value, there.use, there.since, there.days) == (
            expected.value,
            expected.use,
            expected.since,
            expected.days,
        )
        assert float(there.least) == pytest.approx(float(expected.least), abs=0.0011)
        assert float(there.most) == pytest.approx(float(expected.most), abs=0.0011)
        assert (there.facts["stretches"], there.facts["counts_on"]) == (
            expected.stretches,
            expected.counts_on,
        )
    assert run(november)["estimated"] == 0, "done again, nothing is made twice"


def _python(register: Register) -> Any:
    hung = Register.objects.filter(meter__service_point=register.meter.service_point).order_by(
        "meter__removed_on"
    )
    counters = [
        Counter(
            one.digits,
            one.decimals,
            tuple(
                PastReading(r.taken_at, r.value)
                for r in one.readings.filter(source="field").order_by("taken_at")
            ),
        )
        for one in sorted(hung, key=lambda one: one.pk == register.pk)
    ]
    installed = datetime.combine(
        register.meter.installed_on, datetime.min.time(), timezone.get_default_timezone()
    )
    return estimate(counters, TILL, kinds()["electricity", "residential"], installed=installed)


@pytest.mark.django_db
def test_who_was_read_is_not_estimated_and_an_estimate_is_named_as_one(
    house: ServicePoint, november: Cycle
) -> None:
    other = make_house("SP-2")
    give_history(other)
    Reading.objects.create(
        service_point=other,
        register=other.current_register,
        cycle=november,
        value=4300,
        source="field",
        taken_at=NOON,
    )
    assert run(november) == {"missing": 1, "estimated": 1, "unknown": 0, "without_case": 0, "third": 0}
    made = Estimate.objects.get()
    assert (made.reading.service_point, made.reading.source, made.reading.quality, made.reading.cycle) == (
        house,
        "estimate",
        "estimated",
        november,
    )
    assert made.in_a_row == 1
    asked = other.current_register
    assert asked is not None
    assert run(november, only=[asked.pk])["estimated"] == 1, "a person may ask for one whatever was read"


@pytest.mark.django_db
def test_g2_a_third_estimate_in_a_row_is_impossible_without_a_case(house: ServicePoint) -> None:
    months = [Cycle.open(f"2026-{month}", at=AT, actor="user:test") for month in ("11", "12")]
    later = Cycle.open("2027-01", at=AT, actor="user:test")
    for number, cycle in enumerate(months):
        assert run(cycle)["estimated"] == 1
        adopt(Estimate.objects.get(reading__cycle=cycle), cycle, number)
    with cases(answered=False) as asked:
        assert run(later) == {"missing": 1, "estimated": 0, "unknown": 0, "without_case": 1, "third": 0}
    register = house.current_register
    assert register is not None
    assert asked == [{register.pk: 3}]
    with cases():
        assert run(later)["third"] == 1
    third = Estimate.objects.get(reading__cycle=later)
    assert (third.in_a_row, third.case) == (3, f"C-{register.pk}")
    assert third.since == Estimate.objects.get(reading__cycle=months[1]).reading.taken_at
    third.case = ""
    with pytest.raises(IntegrityError, match="no_third_estimate_without_a_case"), transaction.atomic():
        third.save()


@pytest.mark.django_db
def test_g2_after_a_real_reading_the_count_of_estimates_begins_anew(
    house: ServicePoint, november: Cycle
) -> None:
    run(november)
    adopt(Estimate.objects.get(), november, 0)
    december = Cycle.open("2026-12", at=AT, actor="user:test")
    real = Reading.objects.create(
        service_point=house,
        register=house.current_register,
        cycle=december,
        value=4600,
        source="field",
        taken_at=NOON + timedelta(days=30),
    )
    Adoption.objects.create(
        service_point=house,
        register=real.register,
        cycle=december,
        reading=real,
        actor="t",
        why="t",
        receipt="T-9",
    )
    january = Cycle.open("2027-01", at=AT, actor="user:test")
    run(january)
    made = Estimate.objects.get(reading__cycle=january)
    assert (made.in_a_row, made.facts["counts_on"]) == (1, "actual")


@pytest.mark.django_db
def test_the_backtest_by_command_estimates_known_months_from_before_rasd_beside_three_rivals() -> None:
    for n in range(3):
        give_history(make_house(f"SP-{n}"), months=30, a_month=200 + 100 * n)
    told = CliRunner().invoke(estimate_command, ["backtest", "--json"])
    assert told.exit_code == 0, told.output
    ours, *rivals = map(json.loads, told.output.splitlines())
    assert (ours["method"], ours["cases"], [one["cases"] for one in rivals]) == ("rasd", 36, [36] * 3)
    assert ours["error"] < 0.05
    assert CliRunner().invoke(estimate_command, ["backtest", "--months", "60"]).exit_code == 0
