"""G14: a visit is paid by one watcher in its own hour, or skipped with the reason. Never silently neither."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import chain

import pytest
from django.db import connection

from rasd.watch.models import Claim, JourneyFile, Planned, Skip, Target
from tests.watch import reports
from tests.watch.reports import NOON

MINUTE = timedelta(minutes=1)


def planned(many: int = 1, apart: timedelta = timedelta(0), targets: int = 1) -> list[Planned]:
    journeys = [reports.journey(reports.target(f"desk{number}")) for number in range(targets)]
    return [reports.planned(journeys[number % targets], NOON + number * apart) for number in range(many)]


def claim(now: datetime = NOON, name: str = "here") -> Planned | None:
    return Planned.objects.claim(reports.watcher(name), now)


@pytest.mark.django_db(transaction=True)
def test_g14_several_watchers_share_the_visits_and_none_is_paid_twice():
    planned(60, targets=60)
    watchers = [reports.watcher(f"w{number}") for number in range(6)]
    start = threading.Barrier(6)

    def pay(watcher) -> list[int]:
        try:
            start.wait()
            paid = []
            while visit := Planned.objects.claim(watcher, NOON):
                paid.append(visit.pk)
            return paid
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        paid = [each.result(timeout=60) for each in [pool.submit(pay, watcher) for watcher in watchers]]
    assert sorted(chain.from_iterable(paid)) == sorted(Planned.objects.values_list("pk", flat=True))
    assert Claim.objects.count() == 60
    assert sum(map(bool, paid)) > 1


@pytest.mark.django_db(transaction=True)
def test_g14_several_watchers_together_do_not_exceed_the_days_budget_nor_crowd_a_service():
    Target.objects.filter(pk=reports.target("desk0").pk).update(visits_a_day=3)
    planned(6)
    times = [NOON + number * 2 * MINUTE for number in range(6)]
    start = threading.Barrier(3, timeout=30)

    def pay(name: str) -> int:
        try:
            watcher, paid = reports.watcher(name), 0
            for now in times:
                start.wait()
                paid += Planned.objects.claim(watcher, now) is not None
            return paid
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(pay, name) for name in ("a", "b", "c")]
        assert sum(each.result(timeout=60) for each in futures) == 3
    claimed = sorted(Claim.objects.values_list("claimed_at", flat=True))
    assert claimed == times[:3]
    assert set(Skip.objects.values_list("reason", flat=True)) == {"budget"}
    assert Skip.objects.count() == 3


@pytest.mark.django_db
def test_a_visit_is_begun_in_its_own_hour_only():
    (visit,) = planned()
    assert claim(NOON - timedelta(seconds=1)) is None
    assert claim(visit.until) is None
    assert claim(visit.until - MINUTE) == visit


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("awake", "seen", "reason"),
    [
        (None, None, "stopped"),
        (timedelta(hours=-1), timedelta(hours=2), "busy"),
        (timedelta(minutes=20), timedelta(hours=2), "stopped"),  # it woke in the middle of the hour
        (timedelta(hours=-1), timedelta(minutes=30), "stopped"),  # and here it fell asleep
    ],
)
def test_g14_a_missed_visit_is_skipped_and_says_whether_anybody_was_awake(awake, seen, reason):
    planned()
    me = reports.watcher()
    if awake:
        me.awake_since, me.seen_at = NOON + awake, NOON + seen
        me.save()
    assert Planned.objects.settle(NOON + timedelta(hours=1), me) == 0  # another's clock may be slow
    assert Planned.objects.settle(NOON + timedelta(hours=2), me) == 1
    assert Skip.objects.get().reason == reason
    assert Planned.objects.settle(NOON + timedelta(hours=3), me) == 0


@pytest.mark.django_db
def test_g14_what_a_dead_watcher_was_about_is_skipped_as_died_when_it_begins_again():
    planned(2, targets=2)
    assert claim(name="here")
    other = claim(name="there")
    assert Planned.objects.bury(NOON + MINUTE, reports.watcher("here")) == 1
    assert Skip.objects.get().reason == "died"
    assert Planned.objects.unfinished().get() == other
    assert Planned.objects.bury(NOON + timedelta(hours=13), reports.watcher("here")) == 1


@pytest.mark.django_db
def test_g14_a_journey_or_target_that_left_the_file_is_skipped_as_gone():
    planned(2, targets=2)
    JourneyFile.objects.filter(target__name="desk0").update(gone_at=NOON)
    Target.objects.filter(name="desk1").update(gone_at=NOON)
    assert claim(NOON + MINUTE) is None
    assert set(Skip.objects.values_list("reason", "words")) == {
        ("gone", "ask left watch.yaml"),
        ("gone", "desk1 left watch.yaml"),
    }


@pytest.mark.django_db
def test_the_days_budget_counts_every_visit_that_was_begun_on_the_targets_own_day():
    (first, *_) = planned(4, apart=3 * MINUTE)
    target = first.target
    midnight_in_muscat = datetime.fromisoformat("2026-03-03T20:00:00+00:00")
    reports.record(of=reports.journey(target), at=midnight_in_muscat - MINUTE, why="by hand")
    assert target.visits_left(NOON) == 48
    reports.record(of=reports.journey(target), at=midnight_in_muscat, why="by hand")
    reports.record(of=reports.journey(target), at=NOON, why="confirmation")
    assert target.visits_left(NOON) == 46
    under_way, died, refused = claim(NOON), claim(NOON + 3 * MINUTE), claim(NOON + 6 * MINUTE)
    died.not_paid(Skip.Reason.DIED, "", NOON, None)
    refused.not_paid(Skip.Reason.ROBOTS, "", NOON, None)
    assert target.visits_left(NOON) == 44
    reports.record(of=reports.journey(target), at=NOON, visit=under_way)
    assert target.visits_left(NOON) == 44
