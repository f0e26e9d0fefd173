"""The rules that doubt a reading, and what estimates are made good: by hand, and the same in PostgreSQL."""

from dataclasses import astuple, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.metering.models import Rule
from rasd.metering.truing import RECKONED, reckon, short_way
from rasd.metering.validating import CONDITIONS, RULES, USUAL, Facts, find

USUAL_MONTH = Facts(
    commodity="electricity",
    unit="kWh",
    digits=5,
    decimals=0,
    value=Decimal(4300),
    day=date(2026, 11, 20),
    real_value=Decimal(4000),
    used=Decimal(300),
    days=Decimal(31),
    expected=Decimal(310),
    differs=None,
    installed_on=date(2020, 1, 1),
    removed_on=None,
    replaced=False,
    in_a_row=0,
)


def showing(value: str | int, **other: object) -> Facts:
    number = Decimal(value)
    facts = replace(USUAL_MONTH, value=number, **other)  # type: ignore[arg-type]
    assert facts.real_value is not None
    return replace(facts, used=short_way(number - facts.real_value, facts.digits))


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        (USUAL_MONTH, set()),
        (showing(3900), {Rule.NEGATIVE}),
        (showing(4000), {Rule.ZERO}),
        (showing(5200), {Rule.HIGH}),
        (showing(7300), {Rule.HIGH, Rule.IMPLAUSIBLE}),
        (showing(13900, expected=None), set()),
        (
            showing(14100, expected=None),
            {Rule.IMPLAUSIBLE},
        ),  # nothing usual known: a tenth of the counter's round
        (showing(4040), {Rule.LOW}),
        (showing("4300.5"), {Rule.DIGITS}),
        (showing(250, real_value=Decimal(99900)), {Rule.ROLLOVER}),
        # The short way round leads forwards, but with far more than is usual: a misread digit, no roll-over.
        (showing(3000, real_value=Decimal(60000)), {Rule.NEGATIVE}),
        (showing(43000), {Rule.HIGH, Rule.IMPLAUSIBLE, Rule.UNIT}),  # the red digit read as a whole one
        (replace(USUAL_MONTH, unit="m³"), {Rule.UNIT}),
        (replace(USUAL_MONTH, installed_on=date(2026, 11, 21)), {Rule.INACTIVE}),
        (replace(USUAL_MONTH, replaced=True), {Rule.REPLACED}),
        (replace(USUAL_MONTH, differs=Decimal("3.1")), {Rule.DUPLICATE}),
        (replace(USUAL_MONTH, in_a_row=3), {Rule.PROLONGED}),
        (replace(USUAL_MONTH, value=None, used=None, day=None, days=None, expected=None), {Rule.MISSING}),
        # An empty house uses nothing, and nobody need look.
        (showing(4000, expected=Decimal(0)), set()),
        (showing(4009, expected=Decimal(2)), set()),
    ],
)
def test_each_rule_finds_what_it_says(facts: Facts, rules: set[Rule]) -> None:
    assert find(facts) == rules


BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be; that says nothing of a rule."""

amounts = st.decimals(0, 99999, places=1) | st.integers(0, 99999).map(Decimal)
maybe = st.none() | st.integers(0, 2000).map(Decimal)


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    value, last = draw(st.none() | amounts), draw(st.none() | amounts)
    known = value is not None and last is not None
    day = date(2026, 11, 20) + timedelta(days=draw(st.integers(-3, 3)))
    return Facts(
        commodity=draw(st.sampled_from(["electricity", "water"])),
        unit=draw(st.sampled_from(["kWh", "m³"])),
        digits=draw(st.integers(4, 6)),
        decimals=draw(st.integers(0, 1)),
        value=value,
        day=day if value is not None else None,
        real_value=last,
        used=short_way(value - last, 5) if value is not None and last is not None else None,
        days=Decimal(draw(st.integers(1, 70))) if known else None,
        expected=draw(maybe) if known else None,
        differs=draw(st.none() | st.integers(0, 9).map(Decimal)),
        installed_on=date(2026, 11, 19),
        removed_on=draw(st.none() | st.just(date(2026, 11, 21))),
        replaced=draw(st.booleans()),
        in_a_row=draw(st.integers(0, 4)),
    )


TYPES = {
    "commodity": "text", "unit": "text", "digits": "int", "decimals": "int", "day": "date", "installed_on": "date",
    "removed_on": "date", "replaced": "boolean", "in_a_row": "int",
}  # fmt: skip


@pytest.mark.django_db
def test_postgresql_finds_what_the_rules_find() -> None:
    names = [one.name for one in fields(Facts)]
    row = "(" + ", ".join(f"%s::{TYPES.get(name, 'numeric')}" for name in names) + ")"
    asked = ", ".join(
        f"(SELECT coalesce({condition}, false) FROM (SELECT {USUAL[rule].limit}::numeric AS limit_of) AS t)".replace(
            "s.limit", "limit_of"
        )
        for rule, condition in CONDITIONS.items()
    )

    @BUSY
    @given(st.lists(any_facts(), min_size=1, max_size=20))
    def same(several: list[Facts]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {asked} FROM (VALUES {', '.join([row] * len(several))}) AS facts ({', '.join(names)})",
                [value for facts in several for value in astuple(facts)],
            )
            found = [
                {rule for rule, is_so in zip(CONDITIONS, one, strict=True) if is_so}
                for one in cursor.fetchall()
            ]
        expected = [
            {rule for rule, holds in RULES.items() if holds(facts, USUAL[rule].limit)} for facts in several
        ]
        assert found == expected

    same()


START = datetime(2025, 1, 20, 8, tzinfo=UTC)


def test_g2_a_true_up_reaches_twelve_months_back_and_gives_back_all() -> None:
    months = timedelta(days=30)
    short = reckon(
        value=Decimal(1900), at=START + 3 * months, previous=Decimal(1500), previous_at=START + 2 * months,
        real=Decimal(1000), real_at=START, digits=5, estimated=False,
    )  # fmt: skip
    assert (short.own, short.true_up, short.forgone, short.use) == (300, 100, 0, 400)
    # 24 months on estimates of 10 a month, 100 a month used: of what was billed too little, twelve months are billed.
    long = reckon(
        value=Decimal(3500), at=START + 25 * months, previous=Decimal(1240), previous_at=START + 24 * months,
        real=Decimal(1000), real_at=START, digits=5, estimated=False,
    )  # fmt: skip
    assert long.own == 100
    assert long.true_up + long.forgone == 2400 - 240
    assert long.forgone == (Decimal(2160) * 385 / 720).quantize(Decimal("0.001"))
    much = reckon(
        value=Decimal(1100), at=START + 25 * months, previous=Decimal(3400), previous_at=START + 24 * months,
        real=Decimal(1000), real_at=START, digits=5, estimated=False,
    )  # fmt: skip
    assert much.use == 1100 - 3400
    assert much.forgone == 0


@pytest.mark.django_db
def test_g2_what_a_bill_comes_to_balances_and_postgresql_agrees() -> None:
    moments = st.lists(st.integers(0, 900 * 86400), min_size=3, max_size=3).map(sorted)

    @BUSY
    @given(
        st.lists(
            st.tuples(amounts, amounts, amounts, moments, st.integers(4, 6), st.booleans()),
            min_size=1,
            max_size=20,
        )
    )
    def same(several: list[tuple[Decimal, Decimal, Decimal, list[int], int, bool]]) -> None:
        rows, expected = [], []
        for n, (value, previous, real, (one, two, three), digits, estimated) in enumerate(several):
            real_at, previous_at, at = (START + timedelta(seconds=each) for each in (one, two, three))
            rows += [
                n,
                value,
                at,
                "estimate" if estimated else "field",
                digits,
                previous,
                previous_at,
                real,
                real_at,
            ]
            reckoned = reckon(
                value=value, at=at, previous=previous, previous_at=previous_at, real=real, real_at=real_at,
                digits=digits, estimated=estimated,
            )  # fmt: skip
            assert reckoned.use == reckoned.used - reckoned.billed - reckoned.forgone
            assert reckoned.use == reckoned.own + reckoned.true_up
            expected.append(astuple(reckoned))
        moment = "%s::numeric, %s::timestamptz"
        row = f"(%s::int, {moment}, %s::text, %s::int, {moment}, {moment}, 0)"
        names = (
            "n, value, taken_at, source, digits, previous_value, previous_at, real_value, real_at, first_use"
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH taken ({names}) AS (VALUES {', '.join([row] * len(several))})"
                f" SELECT used, billed, own, true_up, forgone, use FROM ({RECKONED}) AS r ORDER BY n",
                rows,
            )
            assert cursor.fetchall() == expected

    same()
