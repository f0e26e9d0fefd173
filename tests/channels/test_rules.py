"""The rules by their properties."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rasd.channels import rules

START = datetime(2026, 1, 1, tzinfo=UTC)
waits = st.lists(st.floats(0, 60), min_size=1, max_size=200)
intervals = st.floats(0.01, 10).map(lambda s: timedelta(seconds=s))
bursts = st.integers(1, 50)


def taken(waits: list[float], interval: timedelta, burst: int) -> list[datetime]:
    """The slots of one who asks after each of ``waits`` (seconds after his last slot) and takes what he is given."""
    now = arrival = START
    slots = []
    for wait in waits:
        now += timedelta(seconds=wait)
        now, arrival = rules.next_slot(arrival, now, interval=interval, burst=burst)
        slots.append(now)
    return slots


@given(waits, intervals, bursts)
def test_no_more_messages_lie_closer_together_than_the_limit_allows(waits, interval, burst):
    slots = taken(waits, interval, burst)
    for first in range(len(slots)):
        for last in range(first + burst, len(slots)):
            assert slots[last] - slots[first] >= (last - first + 1 - burst) * interval - timedelta(
                microseconds=200
            )


@given(intervals, bursts)
def test_after_a_silence_a_whole_burst_goes_at_once_and_the_next_waits_one_interval(interval, burst):
    slots = taken([1000.0] + [0.0] * burst, interval, burst)
    assert len(set(slots[:burst])) == 1
    assert abs(slots[burst] - slots[0] - interval) <= timedelta(microseconds=200)


@given(waits, intervals, bursts)
def test_a_slot_is_never_in_the_past_and_asking_alone_costs_nothing(waits, interval, burst):
    arrival = START + timedelta(seconds=sum(waits))
    now = START + timedelta(seconds=waits[0])
    first = rules.next_slot(arrival, now, interval=interval, burst=burst)
    assert first == rules.next_slot(arrival, now, interval=interval, burst=burst)
    slot, new_arrival = first
    assert slot >= now
    assert new_arrival >= arrival
    assert rules.next_slot(arrival, slot, interval=interval, burst=burst)[0] == slot


@given(st.integers(1, 10_000))
def test_back_off_doubles_from_the_first_wait_to_the_longest(attempt):
    first, longest = timedelta(seconds=5), timedelta(hours=1)
    wait = rules.wait_before(attempt, first=first, longest=longest)
    assert first <= wait <= longest
    assert rules.wait_before(attempt + 1, first=first, longest=longest) in (2 * wait, longest)


def test_the_window_is_open_for_24_hours_and_not_a_second_longer():
    assert rules.window_is_open(START, START + timedelta(hours=23, minutes=59, seconds=59))
    assert not rules.window_is_open(START, START + timedelta(hours=24))
    assert not rules.window_is_open(None, START)
