"""Shares, and how sure so many visits make us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from rasd.watch.measures.completion import completion, share
from rasd.watch.measures.league import league
from rasd.watch.measures.promise import may_hide, seen_with, visits_needed
from rasd.watch.measures.rows import BY_HAND, CONFIRMATION, Counted, Unpaid
from rasd.watch.verdicts import Verdict


@pytest.mark.parametrize(("visits", "low"), [(4, 0.51), (10, 0.722), (30, 0.886), (168, 0.978)])
def test_all_of_so_many_prove_no_more_than_wilsons_lower_bound(visits, low):
    assert share(visits, visits).low == pytest.approx(low, abs=0.0005)
    assert share(visits, visits).high == 1.0


def test_of_no_visit_nothing_is_known():
    nothing = share(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (None, 0.0, 1.0)


def test_more_done_than_visits_is_refused():
    with pytest.raises(ValueError, match="5 of 4"):
        share(5, 4)


some = st.integers(1, 100_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(some)
def test_it_is_the_interval_that_scipy_gives_and_holds_the_share(done_of):
    ours, theirs = share(*done_of), binomtest(*done_of).proportion_ci(0.95, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= ours.low <= ours.value <= ours.high <= 1


rows = st.lists(
    st.builds(
        Counted,
        verdict=st.sampled_from(Verdict),
        visits=st.integers(0, 50),
        why=st.sampled_from(["planned", CONFIRMATION, BY_HAND]),
        hour=st.integers(0, 167),
    )
)


@given(rows)
def test_every_visit_is_counted_once_and_in_one_place(some):
    seen = completion(some)
    ours_or_wall_otherwise = sum(
        row.visits for row in some if row.why in {CONFIRMATION, BY_HAND} and not row.verdict.counts
    )
    counted = seen.share.of + seen.ours + seen.wall + seen.confirmations.of + seen.by_hand.of
    assert counted + ours_or_wall_otherwise == sum(row.visits for row in some)


@given(rows, st.sampled_from(Verdict), st.sampled_from([CONFIRMATION, BY_HAND]))
def test_a_confirmation_or_a_visit_by_hand_never_moves_the_share(some, verdict, why):
    assert completion([*some, Counted(verdict, why=why)]).share == completion(some).share


@given(rows, st.integers(1, 50))
def test_g15_the_watchs_own_fault_never_moves_the_share(some, visits):
    after = completion(
        [*some, Counted(Verdict.OURS, visits), Counted(Verdict.WALL, visits)], [Unpaid("busy")]
    )
    assert after.share == completion(some).share


def of(done, visits):
    return completion([Counted(Verdict.COMPLETED, done), Counted(Verdict.THEIRS, visits - done)])


def test_the_league_is_ordered_by_the_lower_bound_and_few_visits_are_not_rewarded():
    places = league(
        {"four of four": of(4, 4), "most": of(970, 1000), "fewer": of(400, 1000), "none": of(0, 0)}
    )
    assert [place.name for place in places] == ["most", "four of four", "fewer", "none"]
    most, four, fewer, none = places
    assert (most.best, most.worst, most.not_told_apart) == (1, 3, ("four of four", "none"))
    assert set(four.not_told_apart) == {"most", "none"}
    assert (fewer.best, fewer.worst) == (3, 4)
    assert (none.best, none.worst) == (1, 4)


@given(st.dictionaries(st.text(max_size=3), some.map(lambda each: of(*each)), max_size=8))
def test_nobody_is_ranked_before_another_whose_interval_touches_his(entries):
    places = league(entries)
    assert len(places) == len(entries)
    for place in places:
        assert 1 <= place.best <= place.worst <= len(places)
        for other in places:
            if place.worst < other.best:
                assert place.share.low > other.share.high
                assert other.name not in place.not_told_apart


def test_what_so_many_visits_promise():
    assert [visits_needed(p) for p in (1, 0.5, 0.1, 0.05, 0.01)] == [1, 5, 29, 59, 299]
    assert may_hide(0) == 1.0
    assert may_hide(299) == pytest.approx(0.00997, abs=0.0001)


@given(st.floats(0.0005, 0.99), st.floats(0.5, 0.999))
def test_the_visits_that_are_promised_are_enough_and_none_too_many(p, probability):
    visits = visits_needed(p, probability)
    assert seen_with(p, visits) >= probability - 1e-6
    assert visits == 1 or seen_with(p, visits - 1) < probability + 1e-6


@pytest.mark.parametrize("p", [0, -0.1, 1.1])
def test_no_share_of_visits_lies_outside_zero_and_one(p):
    with pytest.raises(ValueError, match="shares"):
        visits_needed(p)
