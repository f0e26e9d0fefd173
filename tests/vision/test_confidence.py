"""Pixels and history together (G3): history may doubt what the pixels say and never speaks for them."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasd.vision.confidence import judge
from rasd.vision.eye import Eye
from rasd.vision.prior import Prior, prior_for
from rasd.vision.types import History, PastReading

ERRORS = {"beam": 0.2, "one_digit": 0.1, "elsewhere": 0.7}
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def prior(last: int = 4221, monthly: int = 300) -> Prior:
    past = tuple(
        PastReading(NOW - timedelta(days=30 * (i + 1)), Decimal(last - monthly * i))
        for i in reversed(range(8))
    )
    return prior_for(History(past, NOW, 5), digits=5, decimals=0)


def test_without_history_the_first_string_keeps_its_calibrated_probability() -> None:
    judged = judge((("04521", 0.9), ("04527", 0.1)), 0.8, 0, None, ERRORS)
    assert judged.candidates[0].digits == "04521"
    assert judged.candidates[0].probability == pytest.approx(0.8, abs=1e-6)


def test_a_history_that_agrees_makes_it_surer() -> None:
    judged = judge((("04521", 0.9), ("84521", 0.1)), 0.8, 0, prior(), ERRORS)
    assert judged.candidates[0].probability > 0.95
    assert judged.history_agrees


def test_a_history_that_disagrees_makes_it_less_sure() -> None:
    judged = judge((("84521", 0.9), ("04521", 0.1)), 0.8, 0, prior(), ERRORS)
    first = {candidate.digits: candidate.probability for candidate in judged.candidates}
    assert first["84521"] < 0.8
    assert judged.history_agrees == (judged.candidates[0].digits == "84521")


@given(
    right=st.floats(0.02, 0.98),
    first=st.integers(0, 99_999),
    second=st.integers(0, 99_999),
    decimals=st.integers(0, 2),
)
@settings(max_examples=200)
def test_the_probabilities_never_sum_to_more_than_one(
    right: float, first: int, second: int, decimals: int
) -> None:
    judged = judge(((f"{first:05d}", 0.7), (f"{second:05d}", 0.2)), right, 0, prior(), ERRORS)
    assert math.fsum(candidate.probability for candidate in judged.candidates) <= 1 + 1e-9
    assert all(candidate.probability >= 0 for candidate in judged.candidates)


def test_a_value_of_hidden_decimals_is_weighed_by_all_that_it_may_stand_for() -> None:
    with_tenths = prior_for(
        History((PastReading(NOW - timedelta(days=30), Decimal("4221.0")),), NOW, 5, 1), digits=5, decimals=1
    )
    judged = judge((("04521", 0.9),), 0.8, 0, with_tenths, ERRORS)
    assert judged.candidates[0].value == Decimal(4521)
    assert judged.candidates[0].probability > 0.8


def test_the_calibration_never_promises_more_than_was_measured() -> None:
    perfect = Eye.shipped().calibration.calibrated(
        {"log_probability": 0.0, "log_margin": 99.0, "agreeing": 1.0, "heat": 0.0}
    )
    assert perfect < 0.999
