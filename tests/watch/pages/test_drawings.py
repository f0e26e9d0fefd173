"""Numbers and drawings of the pages, before anybody draws them."""

from datetime import date, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.journeys import parse
from rasd.watch.journeys.saying import said
from rasd.watch.measures.completion import Completion, share
from rasd.watch.measures.funnel import Stage
from rasd.watch.measures.trend import Week
from rasd.watch.pages.pictures import curve, tone
from rasd.watch.templatetags.watch import about, figures, per_cent, span
from rasd.watch.templatetags.watch import given as patience_of
from tests.watch.making import A_CHAT, A_TICKET

COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda two: (min(two), max(two)))


def weeks_of(counts: list[tuple[int, int]]) -> list[Week]:
    first = date(2026, 8, 31)
    return [Week(first + timedelta(weeks=n), Completion(share(*each))) for n, each in enumerate(counts)]


@given(st.lists(COUNTS, max_size=30))
def test_a_curve_stays_in_its_box_and_has_a_point_for_each_week_with_visits_and_for_no_other(counts):
    drawn = curve(weeks_of(counts))
    visited = [each for each in counts if each[1]]
    if drawn is None:
        assert len(visited) < 2
        return
    assert len(drawn.points) == len(visited)
    assert len(drawn.lines) == len(drawn.bands)
    for path in [*drawn.lines, *drawn.bands]:
        places = [tuple(map(float, each.split(","))) for each in path.split()]
        assert all(0 <= at <= 100 and 0 <= down <= 100 for at, down in places)
    assert sum(len(line.split()) for line in drawn.lines) == len(visited), "a week without visits is a gap"


@given(COUNTS)
def test_the_fullest_colour_is_only_for_all_and_none_for_no_visit(counts):
    its = share(*counts)
    assert (tone(its) == 10) == (its.of > 0 and its.done == its.of)
    assert (tone(its) == -1) == (its.of == 0)


@given(COUNTS)
def test_neither_all_nor_nothing_is_said_where_it_is_not_so(counts):
    done, of = counts
    with translation.override("en"):
        shown = per_cent(share(done, of).value)
    assert (shown == "100%") == (of > 0 and done == of)
    assert (shown == "0%") == (of > 0 and done == 0)


@pytest.mark.parametrize(
    ("seconds", "english", "arabic"),
    [
        (0.84, "0.8 s", "٠٫٨"),
        (42, "42 s", "٤٢"),
        (119, "119 s", "١١٩"),
        (60, "1 min", "١"),
        (185, "3 min 5 s", "٣"),
        (180, "3 min", "٣"),
        (7800, "2 h 10 min", "٢"),
        (None, "–", "–"),
    ],
)
def test_times_are_told_as_exactly_as_one_cares(seconds, english, arabic):
    with translation.override("en"):
        assert span(seconds) == english
    with translation.override("ar"):
        assert span(seconds).startswith(arabic)


def test_arabic_pages_have_arabic_digits_and_others_have_not():
    with translation.override("ar"):
        assert figures("14:05, 97.5%") == "١٤:٠٥, ٩٧٫٥٪"
    with translation.override("en"):
        assert figures("14:05, 97.5%") == "14:05, 97.5%"


def test_steps_are_told_without_the_languages_own_keys():
    told = []
    with translation.override("en"):
        for step in [*parse(A_TICKET).every_step(), *parse(A_CHAT).every_step()]:
            stage = Stage("steps", 1, said(step), step.verb, share(0, 0))
            told.append((step.verb, about(stage), patience_of(stage)))
    assert ("mail", "رقم البلاغ", 90.0) in told
    assert ("hear", "a person", 180.0) in told
    assert ("hear", "فاتورة", 60.0) in told
    assert ("press", "أرسل", None) in told
    assert not any("keep:" in words or "within:" in words for _verb, words, _given in told)
