"""What history makes likely: the properties that G3 leans on, tried on many registers."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rasd.vision.prior import BELOW, FLOOR, GULF_SEASON, Prior, prior_for, season
from rasd.vision.types import History, PastReading

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def history_of(
    rates: list[float],
    *,
    start: int = 1200,
    digits: int = 5,
    decimals: int = 0,
    days: float = 30.0,
    changed: bool = False,
) -> History:
    """Readings a month apart, the last of them a month ago; `rates` in units a day, oldest first."""
    size = 10**digits
    value, when = float(start), NOW - timedelta(days=days * (len(rates) + 1))
    past = [PastReading(when, Decimal(int(value % size)))]
    for rate in rates:
        value, when = value + rate * days, when + timedelta(days=days)
        past.append(PastReading(when, Decimal(int(value % size))))
    return History(tuple(past), NOW, digits, decimals, changed)


def seasonal(base: float, months: int, alpha: float = 0.8) -> list[float]:
    """The rates of a home that follows the Gulf's season with the usual share, for the months before the last."""
    rates = []
    for index in range(months, 0, -1):
        end = NOW - timedelta(days=30 * index)
        rates.append(base * season(end - timedelta(days=30), end) ** alpha)
    return rates


def prior_of(history: History) -> Prior:
    return prior_for(history, digits=history.digits, decimals=history.decimals)


@st.composite
def histories(draw: st.DrawFn) -> History:
    digits = draw(st.integers(2, 4))
    rates = draw(st.lists(st.floats(0, 10 ** (digits - 1) / 30), min_size=0, max_size=14))
    start = draw(st.integers(0, 10**digits - 1))
    return history_of(rates, start=start, digits=digits, changed=draw(st.booleans()))


@given(histories())
@settings(max_examples=40)
def test_it_sums_to_one_over_all_the_register_can_show(history: History) -> None:
    prior = prior_of(history)
    total = math.fsum(math.exp(prior.log_state(state)) for state in range(prior.size))
    assert total == pytest.approx(1.0, abs=1e-6)


def test_it_sums_to_one_where_nothing_is_known() -> None:
    prior = prior_for(None, digits=3, decimals=1)
    assert math.fsum(math.exp(prior.log_state(state)) for state in range(prior.size)) == pytest.approx(1.0)


@given(
    start=st.integers(0, 60_000),
    rates=st.lists(st.floats(0.2, 60), min_size=1, max_size=14),
    back=st.integers(1, 50_000),
)
@settings(max_examples=150)
def test_it_never_goes_below_the_last_reading_but_for_the_documented_trace(
    start: int, rates: list[float], back: int
) -> None:
    history = history_of(rates, start=start)
    last = int(history.readings[-1].value)
    assume(sum(rates) * 30 + start < 100_000)  # not yet rolled over
    assume(last - back >= 0)
    prior = prior_of(history)
    assume((last - back - last) % prior.size >= prior.reach())  # not within reach by rolling over
    assert math.exp(prior.log_state(last - back)) <= BELOW / prior.size * 1.001
    assert prior.is_below_last(Decimal(last - back))


def test_all_that_lies_below_the_last_reading_together_is_at_most_the_documented_trace() -> None:
    history = history_of([12.0] * 6, start=4000)
    prior = prior_of(history)
    last = int(history.readings[-1].value)
    assert math.fsum(math.exp(prior.log_state(state)) for state in range(last)) <= BELOW


def test_a_register_that_ran_past_its_end_goes_on_from_zero() -> None:
    history = history_of(
        [10.0] * 8, start=99_850 - 8 * 300
    )  # the last reading is 99850, 300 a month are usual
    prior = prior_of(history)
    assert int(history.readings[-1].value) == 99_850
    assert prior.log_state(150) > prior.log_state(99_990)  # 300 used, against 140
    assert prior.log_state(150) > prior.log_state(5_000) + 2
    assert not prior.is_below_last(Decimal(150))
    assert prior.is_below_last(Decimal(99_000))


def test_past_readings_across_a_roll_over_count_as_what_was_used() -> None:
    across = history_of([10.0] * 8, start=98_800)  # ran over in the fourth month
    plain = history_of([10.0] * 8, start=1_000)
    assert prior_of(across).mu == pytest.approx(prior_of(plain).mu)


def test_an_exchanged_meter_may_show_less_and_most_likely_little() -> None:
    history = history_of([10.0] * 8, start=40_000, changed=True)
    prior = prior_of(history)
    assert prior.log_state(280) > prior.log_state(42_700) + 3
    assert not prior.is_below_last(Decimal(280))
    assert prior.surprise(Decimal(280)) == 1.0


@given(base=st.floats(4, 60), fewer=st.integers(1, 20), more=st.integers(1, 10))
@settings(max_examples=80)
def test_more_history_never_makes_a_sane_reading_less_likely(base: float, fewer: int, more: int) -> None:
    """The home goes on as it always has; the longer that has been seen, the likelier is its next ordinary reading."""
    ahead = base * season(NOW - timedelta(days=30), NOW) ** 0.8 * 30
    rates = seasonal(base, fewer + more)
    long = history_of(rates)
    short = History(long.readings[more:], long.at, long.digits)
    sane = int((float(long.readings[-1].value) + ahead) % 100_000)
    # Readings are whole units: rounding them moves the mean by a few thousandths.
    assert prior_of(long).log_state(sane) >= prior_of(short).log_state(sane) - 0.02


@given(
    base=st.floats(4, 60),
    scatter=st.lists(st.floats(0.85, 1.15), min_size=14, max_size=24),
    at=st.floats(0.85, 1.15),
)
@settings(max_examples=80)
def test_a_year_of_ordinary_scatter_never_tells_less_than_one_month(
    base: float, scatter: list[float], at: float
) -> None:
    rates = [rate * wobble for rate, wobble in zip(seasonal(base, len(scatter)), scatter, strict=True)]
    long = history_of(rates, start=0, digits=6)
    short = History(long.readings[-2:], long.at, long.digits)
    ahead = base * season(NOW - timedelta(days=30), NOW) ** 0.8 * 30
    sane = int(float(long.readings[-1].value) + ahead * at)
    assert prior_of(long).log_state(sane) >= prior_of(short).log_state(sane) - 0.1


def test_summer_is_expected_to_cost_more_than_winter() -> None:
    july = datetime(2026, 7, 20, tzinfo=UTC)
    past = tuple(PastReading(july - timedelta(days=30 * (4 - i)), Decimal(1000 + 400 * i)) for i in range(4))
    january = past[0].taken_at.replace(year=2027, month=1, day=20)
    in_july = prior_for(History(past, july, 5), digits=5, decimals=0)
    later = tuple(PastReading(p.taken_at + (january - july), p.value) for p in past)
    in_january = prior_for(History(later, january, 5), digits=5, decimals=0)
    # April to June rise into July; November to December fall into January.
    assert in_july.mu > in_january.mu


def test_a_home_without_a_season_teaches_it_that_within_two_years() -> None:
    def expected(months: int) -> float:
        prior = prior_of(history_of([20.0] * months, start=0, digits=6))
        return math.exp(prior.mu)

    assert abs(expected(24) - 600) < abs(expected(3) - 600)
    assert expected(24) == pytest.approx(600, rel=0.12)


def test_a_real_surprise_keeps_the_documented_share() -> None:
    """A clear picture of an unusual value must stay more likely than an unclear one of a usual value."""
    history = history_of([10.0] * 12)
    prior = prior_of(history)
    last = int(history.readings[-1].value)
    far = last + 20_000
    assert math.exp(prior.log_state(far)) == pytest.approx(FLOOR / prior.reach(), rel=0.01)
    assert prior.surprise(Decimal(far)) < 0.01
    assert prior.surprise(Decimal(last + 250)) > 0.01


def test_it_refuses_a_value_that_the_register_cannot_show() -> None:
    prior = prior_for(None, digits=5, decimals=1)
    with pytest.raises(ValueError, match="123456"):
        prior.log_probability(Decimal(123456))
    with pytest.raises(ValueError, match=r"0\.05"):
        prior.log_probability(Decimal("0.05"))


def test_the_shorthand_of_the_command_line_stands_for_two_readings() -> None:
    history = History.from_usual(4410, 31, 350, at=NOW)
    assert [past.value for past in history.readings] == [4060, 4410]
    assert NOW - history.readings[-1].taken_at == timedelta(days=31)
    prior = prior_of(history)
    assert prior.log_state(4760) > prior.log_state(4410)
    assert prior.log_state(4760) > prior.log_state(6000)


@pytest.mark.parametrize("days", [0, -3])
def test_the_shorthand_refuses_days_that_are_none(days: int) -> None:
    with pytest.raises(ValueError, match="days"):
        History.from_usual(4410, days, 350, at=NOW)


def test_the_season_has_a_mean_of_one() -> None:
    assert sum(GULF_SEASON) / 12 == pytest.approx(1.0)
