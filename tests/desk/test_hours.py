"""Working time, as rules that hold for any hours and as days to the minute. G7: every time by which an answer is owed rests
on these."""

from __future__ import annotations

import time as clock
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rasd.desk.hours import (
    LOOKS_AHEAD,
    Hours,
    NeverOpen,
    RoundTheClock,
    Without,
    after,
    between,
    is_open,
    open_until,
    opens_at,
)

MUSCAT, BERLIN, BEIRUT, CAIRO = (
    ZoneInfo(name) for name in ("Asia/Muscat", "Europe/Berlin", "Asia/Beirut", "Africa/Cairo")
)
APIA, LORD_HOWE = ZoneInfo("Pacific/Apia"), ZoneInfo("Australia/Lord_Howe")  # lost a day; half an hour
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def t(words: str) -> time:
    return time.fromisoformat(words)


def spans(*words: str) -> list[tuple[time, time]]:
    """``spans("07:30-14:30")``."""
    return [(t(opens), t(closes)) for opens, _dash, closes in (each.partition("-") for each in words)]


def every_day(*words: str) -> dict[int, list[tuple[time, time]]]:
    return {day: spans(*words) for day in range(7)}


def at(words: str, zone: ZoneInfo = MUSCAT, fold: int = 0) -> datetime:
    """``at("2026-11-19 14:00")``, as the clock on the wall shows it."""
    return datetime.fromisoformat(words).replace(tzinfo=zone, fold=fold)


def shown(moment: datetime, zone: ZoneInfo = MUSCAT) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"


WORK = {day: spans("07:30-14:30") for day in (SUN, MON, TUE, WED, THU)}
RAMADAN = {day: spans("09:00-14:00") for day in (SUN, MON, TUE, WED, THU)}
OMAN = Hours(
    WORK,
    MUSCAT,
    seasons=[(date(2026, 2, 19), date(2026, 3, 19), RAMADAN)],
    days={
        date(2026, 11, 25): [],  # National Day, a Wednesday and a Thursday: then comes the weekend
        date(2026, 11, 26): [],
        date(2026, 3, 19): [],  # the feast begins
        date(2026, 12, 6): spans("10:00-12:00", "13:00-14:00"),
    },
)

# Any hours, in any of the zones, and moments around the days on which their clocks change.


@st.composite
def days_spans(draw: st.DrawFn) -> list[tuple[time, time]]:
    """Up to three spans of a day, the last one perhaps to midnight."""
    marks = sorted(draw(st.sets(st.integers(0, 24 * 12), max_size=6)))  # in five minutes
    return [
        (time(opens // 12, opens % 12 * 5), time(closes // 12 % 24, closes % 12 * 5))
        for opens, closes in zip(marks[::2], marks[1::2], strict=False)
    ]


weeks = st.dictionaries(st.integers(0, 6), days_spans())
DAYS = {
    BERLIN: (date(2026, 3, 29), date(2026, 10, 25)),
    BEIRUT: (date(2026, 3, 29), date(2026, 10, 25)),  # both at midnight
    CAIRO: (date(2026, 4, 24), date(2026, 10, 29)),  # both at midnight
    MUSCAT: (date(2026, 2, 19), date(2026, 11, 25)),
    LORD_HOWE: (date(2026, 4, 5), date(2026, 10, 4)),
    APIA: (date(2011, 12, 30), date(2011, 12, 30)),
}


@st.composite
def settings_of_a_desk(draw: st.DrawFn) -> tuple[Hours, date]:
    """Hours, and a day about which to ask them: on or near one that is unlike others."""
    zone = draw(st.sampled_from(list(DAYS)))
    day = draw(st.sampled_from(DAYS[zone])) + timedelta(days=draw(st.integers(-8, 8)))
    near = st.integers(-10, 10).map(lambda n: day + timedelta(days=n))
    first = draw(near)
    seasons = [(first, first + timedelta(days=draw(st.integers(0, 29))), draw(weeks))] * draw(
        st.integers(0, 1)
    )
    return Hours(draw(weeks), zone, seasons, draw(st.dictionaries(near, days_spans(), max_size=4))), day


@st.composite
def hours_and_moments(draw: st.DrawFn) -> tuple[Hours | Without, datetime, datetime]:
    """Any hours, with or without absences, and two moments in order."""
    hours, day = draw(settings_of_a_desk())
    minutes = st.integers(-3 * 1440, 12 * 1440)
    noon = datetime.combine(day, time(12), UTC)
    one, other = sorted(noon + MINUTE * draw(minutes) for _each in range(2))
    away = [
        (left, left + MINUTE * draw(st.integers(1, 3000)))
        for left in (noon + MINUTE * draw(minutes) for _each in range(draw(st.integers(0, 3))))
    ]
    return (Without(hours, away) if away else hours), one, other


amounts = st.integers(1, 40 * 60).map(lambda minutes: MINUTE * minutes)


@given(hours_and_moments(), amounts)
def test_between_takes_back_what_after_added(case, amount):
    hours, begin, _end = case
    try:
        due = after(hours, begin, amount)
    except NeverOpen:
        assert between(hours, begin, begin + LOOKS_AHEAD) < amount
        return
    assert between(hours, begin, due) == amount


@given(hours_and_moments())
def test_after_what_lies_between_it_is_the_same_open_moment_again(case):
    """Exactly where ``end`` is open; where it is closed, the closing before it, as nothing passed since."""
    hours, begin, end = case
    passed = between(hours, begin, end)
    assume(passed)
    again = after(hours, begin, passed)
    assert again <= end
    assert not between(hours, again, end)
    if is_open(hours, end - timedelta(microseconds=1)):
        assert again == end


@given(hours_and_moments(), amounts, amounts)
def test_more_work_is_due_later_and_a_later_start_is_never_due_earlier(case, less, more):
    hours, begin, later = case
    less, more = sorted((less, more))
    try:
        due, due_later = after(hours, begin, more), after(hours, later, more)
    except NeverOpen:
        return
    assert due <= due_later
    if less < more:
        assert after(hours, begin, less) < due


@given(hours_and_moments(), amounts, amounts)
def test_time_may_be_counted_in_two_parts_as_a_clock_that_was_stopped_does(case, one, other):
    hours, begin, _end = case
    try:
        whole = after(hours, begin, one + other)
    except NeverOpen:
        return
    assert after(hours, after(hours, begin, one), other) == whole


@given(hours_and_moments(), st.integers(0, 12 * 1440))
def test_time_between_adds_up_wherever_it_is_cut(case, minutes):
    hours, begin, end = case
    middle = min(end, begin + MINUTE * minutes)
    assert between(hours, begin, middle) + between(hours, middle, end) == between(hours, begin, end)
    assert timedelta() <= between(hours, begin, end) <= end - begin


@given(hours_and_moments())
def test_stretches_come_in_order_share_no_time_and_are_open_at_every_moment(case):
    hours, begin, end = case
    last = begin
    for opened, closed in hours.spans(begin, end):
        assert last <= opened < closed <= end
        assert opened.utcoffset() == closed.utcoffset() == timedelta()
        assert is_open(hours, opened)
        assert is_open(hours, opened + (closed - opened) / 2)
        last = closed


@given(hours_and_moments())
def test_open_until_and_opens_at_agree_with_is_open(case):
    hours, moment, _end = case
    opening = opens_at(hours, moment)
    assert is_open(hours, moment) == (opening == moment)
    if opening is None:
        assert not between(hours, moment, moment + LOOKS_AHEAD)
        return
    assert not between(hours, moment, opening)
    until = open_until(hours, opening)
    if until is not None:
        assert between(hours, opening, until) == until - opening
        assert not is_open(hours, until)


@given(st.lists(st.tuples(st.integers(0, 287), st.integers(0, 287)), max_size=4))
def test_time_that_two_spans_share_counts_once(pairs):
    some = [(opens, closes) for opens, closes in map(sorted, pairs) if opens < closes]
    told = [(time(a // 12, a % 12 * 5), time(b // 12, b % 12 * 5)) for a, b in some]
    covered = {mark for a, b in some for mark in range(a, b)}
    midnight = at("2026-11-22 00:00")
    hours = Hours({}, MUSCAT, days={midnight.date(): told})
    assert between(hours, midnight, midnight + 24 * HOUR) == 5 * MINUTE * len(covered)


@given(st.integers(0, 6), days_spans(), st.integers(0, 2 * 1440), st.integers(0, 9 * 1440))
@settings(max_examples=40)
def test_a_minute_counts_where_the_clock_on_the_wall_is_within_a_span(weekday, own, start, length):
    """Against counting minute by minute, where clocks do not change."""
    week = {**dict.fromkeys((SUN, MON, TUE, WED, THU), spans("07:30-14:30")), weekday: own}
    hours, begin = Hours(week, MUSCAT), at("2026-11-17 00:00") + MINUTE * start

    def counts(minute: datetime) -> bool:
        shown = minute.timetz().replace(tzinfo=None)
        return any(
            opens <= shown and (shown < closes or closes == time.min)
            for opens, closes in week.get(minute.weekday(), ())
        )

    counted = sum(counts(begin + MINUTE * n) for n in range(length))
    assert between(hours, begin, begin + MINUTE * length) == MINUTE * counted


@given(settings_of_a_desk(), amounts)
@example((Hours(every_day("00:00-00:00"), BERLIN), date(2026, 10, 25)), HOUR)
def test_it_is_the_same_whatever_zone_the_moment_is_told_in(case, amount):
    hours, day = case
    begin = datetime.combine(day, time(0, 30), UTC)
    try:
        due = after(hours, begin, amount)
    except NeverOpen:
        return
    for zone in DAYS:
        assert after(hours, begin.astimezone(zone), amount) == due
        assert between(hours, begin.astimezone(zone), due.astimezone(zone)) == amount


# To the minute, as the desk in Muscat lives.


@pytest.mark.parametrize(
    ("begin", "minutes", "due"),
    [
        pytest.param("2026-11-17 08:00", 30, "2026-11-17 08:30", id="within a day"),
        pytest.param("2026-11-17 06:00", 30, "2026-11-17 08:00", id="before opening"),
        pytest.param("2026-11-17 14:30", 1, "2026-11-18 07:31", id="at closing time"),
        pytest.param("2026-11-17 14:00", 30, "2026-11-17 14:30", id="to the very end of the day"),
        pytest.param("2026-11-17 14:00", 31, "2026-11-18 07:31", id="a minute more"),
        pytest.param("2026-11-19 14:10", 45, "2026-11-22 07:55", id="across the weekend"),
        pytest.param("2026-11-20 11:00", 45, "2026-11-22 08:15", id="on a Friday"),
        pytest.param("2026-11-21 23:59", 420, "2026-11-22 14:30", id="on a Saturday, a whole day's work"),
        pytest.param(
            "2026-11-24 14:00", 60, "2026-11-29 08:00", id="across National Day and the weekend after it"
        ),
        pytest.param("2026-02-18 14:00", 60, "2026-02-19 09:30", id="into Ramadan"),
        pytest.param("2026-02-22 13:30", 31, "2026-02-23 09:01", id="a Ramadan day, a minute over its end"),
        pytest.param("2026-02-26 13:00", 120, "2026-03-01 10:00", id="across a weekend in Ramadan"),
        pytest.param("2026-03-18 13:00", 90, "2026-03-22 08:00", id="out of Ramadan, across the feast"),
        pytest.param("2026-12-06 08:00", 150, "2026-12-06 13:30", id="other hours in two stretches"),
    ],
)
def test_G7_an_answer_is_due_to_the_minute(begin, minutes, due):
    found = after(OMAN, at(begin), MINUTE * minutes)
    assert shown(found) == due
    assert between(OMAN, at(begin), found) == MINUTE * minutes


def test_for_no_work_it_is_due_at_once_even_where_closed():
    assert after(OMAN, at("2026-11-20 11:00"), timedelta()) == at("2026-11-20 11:00")


def test_a_split_shift_is_closed_over_noon():
    hours = Hours({SUN: spans("07:00-12:00", "16:00-19:00")}, MUSCAT)
    assert shown(after(hours, at("2026-11-22 11:30"), HOUR)) == "2026-11-22 16:30"
    assert not is_open(hours, at("2026-11-22 12:00"))
    assert shown(opens_at(hours, at("2026-11-22 12:00"))) == "2026-11-22 16:00"


def test_a_day_to_midnight_goes_on_into_the_next():
    night = Hours({SUN: spans("22:00-00:00"), MON: spans("00:00-06:00")}, MUSCAT)
    assert shown(open_until(night, at("2026-11-22 23:00"))) == "2026-11-23 06:00"
    assert shown(after(night, at("2026-11-22 22:00"), 3 * HOUR)) == "2026-11-23 01:00"


def test_of_two_seasons_on_a_day_the_last_counts_and_a_day_of_its_own_before_both():
    day = date(2026, 11, 22)
    early, late = ({SUN: spans(words)} for words in ("08:00-09:00", "10:00-11:00"))
    hours = Hours(WORK, MUSCAT, [(day, day, early), (day, day, late)])
    assert hours.on(day) == spans("10:00-11:00")
    assert Hours(WORK, MUSCAT, [(day, day, early)], {day: spans("12:00-13:00")}).on(day) == spans(
        "12:00-13:00"
    )


def test_hours_are_open_without_end_only_where_they_are():
    assert open_until(RoundTheClock(), at("2026-11-22 12:00")) is None
    assert open_until(Hours(every_day("00:00-00:00"), BERLIN), at("2026-11-22 12:00")) is None
    with pytest.raises(ValueError, match="not open at 2026-11-20"):
        open_until(OMAN, at("2026-11-20 12:00"))


def test_who_is_away_is_not_there_and_absences_may_overlap():
    away = [
        (at("2026-11-22 09:00"), at("2026-11-22 12:00")),
        (at("2026-11-22 10:00"), at("2026-11-22 11:00")),
        (at("2026-11-23 07:30"), at("2026-11-23 14:30")),
    ]
    hours = Without(OMAN, away)
    assert shown(open_until(hours, at("2026-11-22 08:00"))) == "2026-11-22 09:00"
    assert shown(opens_at(hours, at("2026-11-22 09:00"))) == "2026-11-22 12:00"
    assert between(hours, at("2026-11-22 00:00"), at("2026-11-24 00:00")) == 4 * HOUR


def test_hours_that_never_open_make_nothing_due():
    for never in (
        Hours({}, MUSCAT),
        Without(RoundTheClock(), [(at("2020-01-01 00:00"), at("2099-01-01 00:00"))]),
    ):
        with pytest.raises(NeverOpen, match="no 0:30:00 of open time in the 400 days after 2026-11-22"):
            after(never, at("2026-11-22 12:00"), 30 * MINUTE)
        assert opens_at(never, at("2026-11-22 12:00")) is None
        assert not is_open(never, at("2026-11-22 12:00"))


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone; give an aware datetime"):
        after(OMAN, datetime(2026, 11, 22, 12), HOUR)  # noqa: DTZ001


# Where clocks change.


@pytest.mark.parametrize(
    ("zone", "day", "words", "length"),
    [
        pytest.param(BERLIN, date(2026, 3, 29), "00:00-06:00", 5 * HOUR, id="forward in Berlin"),
        pytest.param(BERLIN, date(2026, 10, 25), "00:00-06:00", 7 * HOUR, id="back in Berlin"),
        pytest.param(BERLIN, date(2026, 3, 29), "02:30-04:00", HOUR, id="opens at a time left out"),
        pytest.param(BERLIN, date(2026, 3, 29), "01:00-02:30", HOUR, id="closes at a time left out"),
        pytest.param(BERLIN, date(2026, 3, 29), "02:10-02:50", timedelta(), id="wholly left out"),
        pytest.param(BERLIN, date(2026, 10, 25), "00:00-02:30", 2.5 * HOUR, id="closes when first shown"),
        pytest.param(BERLIN, date(2026, 10, 25), "02:30-04:00", 2.5 * HOUR, id="opens when first shown"),
        pytest.param(BEIRUT, date(2026, 3, 29), "00:00-00:00", 23 * HOUR, id="midnight left out in Beirut"),
        pytest.param(BEIRUT, date(2026, 10, 24), "00:00-00:00", 25 * HOUR, id="an evening twice in Beirut"),
        pytest.param(CAIRO, date(2026, 4, 24), "00:00-08:00", 7 * HOUR, id="midnight left out in Cairo"),
        pytest.param(CAIRO, date(2026, 4, 23), "20:00-00:00", 4 * HOUR, id="to a midnight left out"),
        pytest.param(CAIRO, date(2026, 10, 29), "20:00-00:00", 5 * HOUR, id="an evening twice in Cairo"),
        pytest.param(LORD_HOWE, date(2026, 10, 4), "00:00-06:00", 5.5 * HOUR, id="half an hour"),
        pytest.param(APIA, date(2011, 12, 30), "00:00-00:00", timedelta(), id="a day that never was"),
    ],
)
def test_a_day_on_which_clocks_change_has_the_length_that_really_passes(zone, day, words, length):
    hours = Hours({}, zone, days={day: spans(words)})
    noon = datetime.combine(day, time(12), UTC)
    assert between(hours, noon - 48 * HOUR, noon + 48 * HOUR) == length


def test_in_the_hour_that_comes_twice_time_passes_once():
    first, second = at("2026-10-25 02:30", BERLIN), at("2026-10-25 02:30", BERLIN, fold=1)
    assert between(RoundTheClock(), first, second) == HOUR
    assert after(RoundTheClock(), first, HOUR) == second.astimezone(UTC)


# Fast enough to ask for every message.


def test_a_year_of_closed_days_is_looked_through_at_once():
    far = at("2026-11-22 12:00")
    closed = Hours(
        every_day("07:30-14:30"), MUSCAT, days={far.date() + timedelta(days=n): [] for n in range(390)}
    )
    begun = clock.perf_counter()
    due = after(closed, far, HOUR)
    assert shown(due) == "2027-12-17 08:30"
    assert clock.perf_counter() - begun < 0.1  # seconds; 0.13 ms measured
