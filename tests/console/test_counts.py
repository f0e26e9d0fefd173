"""Of very many service points a count is kept, shown at once, and made anew by a job: no page waits for one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from rasd.console import counts
from rasd.console.models import KeptCount
from rasd.metering.models import Cycle
from tests.jobs import do_jobs
from tests.metering.house import make_house

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 17, 12, tzinfo=UTC)


@pytest.fixture
def cycle() -> Cycle:
    return Cycle.open("2026-11", at=NOW, actor="user:test")


def test_of_many_a_page_shows_what_was_counted_last_and_when_and_a_job_counts_anew(
    cycle: Cycle, as_: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MANY", -1)
    make_house("SP-1")
    for what in counts.COUNTS:
        counts.make(what, cycle, NOW)
    KeptCount.objects.update(seconds=2.0)
    make_house("SP-2", serial="2")
    soon, late = NOW + timedelta(seconds=119), NOW + timedelta(seconds=121)
    found, made_at = counts.of("progress", cycle, soon)
    assert (found["points"], made_at) == (1, NOW)
    assert do_jobs() == []
    for _page in range(2):
        assert counts.of("progress", cycle, late)[0]["points"] == 1
    assert len(do_jobs()) == 1
    assert counts.of("progress", cycle, late)[0]["points"] == 2
    assert counts.of("by_day", cycle, soon)[0][0]["day"] == cycle.window_opens
    assert counts.of("districts", cycle, soon)[0][0].points == 1
    page = as_("supervisor").get("/cycle/2026-11").content.decode()
    assert "Counted" in page


def test_of_few_every_page_counts_for_itself(cycle: Cycle) -> None:
    make_house("SP-1")
    assert counts.of("progress", cycle, NOW)[1] is None
    make_house("SP-2", serial="2")
    assert counts.of("progress", cycle, NOW)[0]["points"] == 2
    assert not KeptCount.objects.exists()
