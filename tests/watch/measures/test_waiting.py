"""Waits that some did not live to see the end of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.measures.spread import spread
from rasd.watch.measures.waiting import Wait, Waiting, waiting

# Freireich and others, Blood 21 (1963): weeks of remission under 6-MP. The median of 23 is in every textbook of survival.
HAPPENED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
IN_VAIN = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_the_median_is_the_textbooks():
    seen = waiting([*(Wait(t) for t in HAPPENED), *(Wait(t, False) for t in IN_VAIN)])
    assert (seen.of, seen.happened, seen.gave_up) == (21, 9, 12)
    assert (seen.quarter, seen.median, seen.three_quarters) == (13, 23, None)
    assert (seen.low, seen.high) == (13, None)
    assert seen.longest == 35


def test_where_most_gave_up_half_is_not_reached_and_no_number_is_made_up():
    seen = waiting([Wait(5.0), *[Wait(60.0, False)] * 9])
    assert seen.not_reached_by_half
    assert (seen.median, seen.high) == (None, None)
    assert waiting([Wait(60.0, False)]) == Waiting(1, 0, longest=60.0)
    assert waiting([]) == Waiting(0, 0)
    assert not waiting([]).not_reached_by_half


def test_leaving_out_who_gave_up_would_flatter_the_service():
    answered, gave_up = [Wait(float(t)) for t in range(1, 11)], [Wait(5.5, False)] * 5
    assert waiting(answered).median < waiting(answered + gave_up).median


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_wait_is_a_number_of_seconds(seconds):
    with pytest.raises(ValueError, match="seconds"):
        waiting([Wait(seconds)])


waits = st.lists(st.builds(Wait, st.integers(0, 200).map(float), st.booleans()), max_size=60)


@given(waits)
def test_the_curve_only_falls_and_its_median_lies_in_its_interval(some):
    seen = waiting(some)
    reached = [
        each for each in (seen.quarter, seen.median, seen.three_quarters, seen.p95) if each is not None
    ]
    assert reached == sorted(reached)
    if seen.median is not None:
        assert seen.low is not None
        assert seen.low <= seen.median <= (float("inf") if seen.high is None else seen.high)


@given(st.lists(st.integers(0, 200).map(float), min_size=1, max_size=60))
def test_with_nobody_giving_up_it_is_the_plain_share_of_those_who_still_wait(times):
    seen = waiting(Wait(t) for t in times)
    at_most = sorted(times)
    assert seen.median == at_most[(len(at_most) + 1) // 2 - 1]
    assert seen.not_reached_by_half is False


@given(waits)
def test_each_more_that_gives_up_never_makes_it_faster(some):
    before, after = waiting(some), waiting([*some, Wait(200.0, False)])
    if before.median is None:
        assert after.median is None
    elif after.median is not None:
        assert after.median >= before.median


def test_the_spread_is_linear_between_neighbours_as_the_databases():
    assert spread([]) is None
    four = spread([1.0, 2.0, 3.0, 4.0])
    assert (four.of, four.quarter, four.median, four.three_quarters, four.p95) == (
        4,
        1.75,
        2.5,
        3.25,
        pytest.approx(3.85),
    )
