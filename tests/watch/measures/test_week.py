"""The week's cells, weeks in a row, and the funnel."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.measures.completion import share
from rasd.watch.measures.funnel import StepCounted, funnel, key_of
from rasd.watch.measures.rows import Counted, Unpaid
from rasd.watch.measures.trend import trend
from rasd.watch.measures.week import part_of_the_day, pooled, week, weekday
from rasd.watch.verdicts import Verdict
from tests.watch.measures.test_completion import rows


@given(rows)
def test_the_cells_are_168_and_their_visits_are_all_visits(some):
    cells = week(some)
    assert [cell.hour for cell in cells] == list(range(168))
    assert sum(cell.share.of for cell in cells) == sum(row.visits for row in some if row.in_the_sample)
    for by in (part_of_the_day, weekday):
        assert sum(pool.share.of for pool in pooled(cells, by)) == sum(cell.share.of for cell in cells)


def test_a_cell_of_fewer_than_ten_visits_is_hatched():
    cells = week(
        [
            Counted(Verdict.COMPLETED, 10, hour=0),
            Counted(Verdict.COMPLETED, 9, hour=1),
            Counted(Verdict.OURS, 50, hour=1),
        ]
    )
    assert [cell.hatched for cell in cells[:3]] == [False, True, True]


def test_g14_what_was_planned_and_not_paid_is_in_its_cell():
    cell = week([], [Unpaid("busy", 2, hour=30), Unpaid("stopped", hour=30)])[30]
    assert (cell.weekday, cell.hour_of_day, cell.completion.skipped, cell.share.of) == (1, 6, 3, 0)


def test_nights_that_fail_are_seen_in_the_pooled_hours_where_no_single_cell_proves_it():
    some = [
        Counted(Verdict.THEIRS if hour % 24 < 6 and n < 2 else Verdict.COMPLETED, hour=hour)
        for hour in range(168)
        for n in range(4)
    ]
    cells = week(some)
    assert all(cell.hatched for cell in cells)
    assert not any(cell.share.is_told_apart_from(cells[12].share) for cell in cells)
    assert [(pool.name, pool.is_worse) for pool in pooled(cells)] == [
        ("night", True), ("morning", False), ("afternoon", False), ("evening", False),
    ]  # fmt: skip
    assert not any(pool.is_worse for pool in pooled(cells, weekday))


days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


@given(
    st.lists(st.builds(Counted, verdict=st.sampled_from(Verdict), day=days), min_size=1), st.integers(0, 6)
)
def test_weeks_follow_each_other_without_a_gap_and_hold_every_visit(some, first_day):
    weeks = trend(some, first_day=first_day)
    assert all(each.begins_on.weekday() == first_day for each in weeks)
    assert all(b.begins_on - a.begins_on == timedelta(days=7) for a, b in pairwise(weeks))
    assert sum(each.share.of for each in weeks) == sum(row.visits for row in some if row.in_the_sample)


def test_of_nothing_there_is_no_week_unless_it_is_asked_for():
    assert trend([]) == []
    asked = trend([], first=date(2026, 3, 4), last=date(2026, 3, 10))
    assert [str(each.begins_on) for each in asked] == ["2026-03-02", "2026-03-09"]


def test_who_did_not_reach_a_step_is_in_none_of_its_numbers():
    stages = funnel([
        StepCounted("steps", 1, "open: /", "open", "done", visits=10),
        StepCounted("steps", 2, "press: Send", "press", "done", visits=6),
        StepCounted("steps", 2, "press: Send", "press", "failed", "out of reach", 3),
        StepCounted("steps", 2, "press: Send", "press", "gave up", "no answer", 1),
        StepCounted("done", 3, "see: Thank you", "see", "done", visits=6),
        StepCounted("done", 3, "see: Thank you", "see", "not reached", visits=4),
    ])  # fmt: skip
    assert [(stage.reached, stage.passed.done, stage.lost) for stage in stages] == [
        (10, 10, 0),
        (10, 6, 4),
        (6, 6, 0),
    ]
    assert list(stages[1].stopped.items()) == [("out of reach", 3), ("no answer", 1)]


def test_tidying_up_is_one_step_wherever_in_the_visit_it_came():
    stages = funnel([
        StepCounted("steps", 1, "open: /", "open", "done", visits=3),
        StepCounted("clean_up", 2, "press: Cancel it", "press", "done", visits=2),
        StepCounted("otherwise:1", 2, "write: to us", "write", "done", visits=1),
        StepCounted("clean_up", 4, "press: Cancel it", "press", "failed", "not there", 1),
    ])  # fmt: skip
    assert [stage.part for stage in stages] == ["steps", "otherwise:1", "clean_up"]
    assert stages[-1].passed == share(2, 3)
    assert key_of("clean_up", 2, "x") == key_of("clean_up", 4, "x")
