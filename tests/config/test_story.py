"""The demo's own utility, on whatever day of the month somebody tries it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from rasd.config import story
from rasd.metering.models import Cycle


@pytest.mark.parametrize("day", [date(2026, 11, 15), date(2026, 11, 20), date(2026, 11, 25)])
def test_within_the_usual_window_it_is_the_usual_one(day: date):
    assert story.window_around(day) == (date(2026, 11, 15), date(2026, 11, 25))


def test_on_every_other_day_of_two_years_it_holds_that_day():
    for number in range(2 * 366):
        day = date(2027, 1, 1) + timedelta(days=number)
        first, last = story.window_around(day)
        assert first <= day <= last
        assert (last - first).days == 10


@pytest.mark.django_db
@pytest.mark.parametrize(
    "day", ["2026-10-31", "2026-11-01", "2026-11-20", "2026-12-31", "2027-01-01", "2027-03-31", "2028-02-29"]
)
def test_a_photograph_of_today_falls_into_the_cycle_of_this_month(day: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(story, "POINTS", 3)
    told: list[str] = []
    with time_machine.travel(datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=UTC), tick=False):
        customer = story.make_utility(None, truth="", last="", say=told.append)
        cycle = Cycle.containing(timezone.now())
    assert cycle
    assert cycle.name == day[:7]
    assert customer.photograph
    assert any("outside the usual window" in words for words in told) == (day != "2026-11-20")
