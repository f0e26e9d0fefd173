"""G14: the watcher pays what is due in its hour, shows what it did not pay, and goes on whatever happens. Time is made up."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from rasd.watch import watcher as module
from rasd.watch.conduct import NotPaid
from rasd.watch.leave import Leave
from rasd.watch.models import Plan, Planned, Probe, Skip, Target, Watcher
from rasd.watch.players.base import Clock
from rasd.watch.schedule.audit import audit
from rasd.watch.watcher import AlreadyAtWork, Stopped, Watching
from tests.watch import reports

BEGIN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
WATCH = """\
weeks: 1
targets:
  desk:
    title: The desk
    url: http://127.0.0.1:9/
    visits_a_day: 40
    journeys: [ask.yaml]
"""


class Time:
    """The wall's clock and the machine's own, which go together until one of them jumps."""

    def __init__(self) -> None:
        self.wall, self.ticks = BEGIN, 1000.0

    def sleep(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.ticks, self.sleep)


class Cast:
    """Pays every visit in thirty seconds. ``verdicts``: of the next ones; then they are completed."""

    def __init__(self, time: Time, *verdicts: object) -> None:
        self.time, self.verdicts, self.orders, self.closed = time, list(verdicts), [], False

    def pay(self, order):
        self.orders.append(order)
        began = self.time.wall
        verdict = self.verdicts.pop(0) if self.verdicts else "completed"
        if callable(verdict):
            verdict()
        if isinstance(verdict, Exception):
            raise verdict
        self.time.sleep(30)
        return reports.report(verdict, at=began)

    def close(self):
        self.closed = True


@pytest.fixture(autouse=True)
def _rounds_by_the_hour(monkeypatch):
    """So that a week takes hundreds of turns and not sixty thousand."""
    monkeypatch.setattr(module, "LOOK", 7200.0)
    monkeypatch.setattr(module, "ROUND", 1800.0)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def file(tmp_path: Path, settings) -> Path:
    settings.WATCH_FOLDER = tmp_path / "data"
    (tmp_path / "ask.yaml").write_text(reports.TEXT)
    (tmp_path / "watch.yaml").write_text(WATCH)
    return tmp_path / "watch.yaml"


@pytest.fixture
def watching(file: Path, time: Time):
    """A watcher that has begun, and its cast."""

    def begin(*verdicts: object, **more: object) -> Watching:
        watching = Watching(
            file,
            Cast(time, *verdicts),
            time.clock(),
            **{
                "leave": lambda *_: Leave(),
                "after_round": (lambda now, _: beats.append(now),),
            }
            | more,
        )
        watching.begin()
        begun.append(watching)
        return watching

    beats: list[datetime] = []
    begun: list[Watching] = []
    begin.beats = beats
    yield begin
    for each in begun:
        module._let_go_of(each.whole.file.watcher.name)


def play(watching: Watching, time: Time, until: datetime) -> None:
    while time.wall < until and not watching.stopping.is_set():
        watching.turn()


@pytest.mark.django_db
def test_g14_in_a_week_every_hour_is_visited_and_the_published_plan_stands_up_to_the_audit(
    watching, time, monkeypatch
):
    monkeypatch.setattr(module, "ROUND", 6 * 3600.0)
    it = watching()
    play(it, time, BEGIN + timedelta(days=7, hours=8))
    plan = Plan.objects.order_by("begins_at")[0]
    assert plan.revealed_at
    assert plan.visits.exclude(probe=None).count() == plan.visits.count() >= 168
    (first, *_), between = audit(Plan.objects.published(Target.objects.get(), time.wall))
    assert first.findings + between == []
    assert first.hours_visited == 168
    assert all(probe.began_at == probe.visit.due_at for probe in Probe.objects.select_related("visit"))
    assert len({order.seed for order in it.crew.orders}) == len(it.crew.orders)
    assert len(watching.beats) > 7 * 2


@pytest.mark.django_db
def test_g14_a_machine_that_slept_pays_no_visit_late_and_shows_what_it_missed(watching, time):
    it = watching()
    play(it, time, BEGIN + 3 * HOUR)
    paid = Probe.objects.count()
    time.wall += 9 * HOUR  # the machine's own clock does not go on in its sleep
    play(it, time, time.wall + timedelta(minutes=1))
    assert Probe.objects.count() - paid <= 1  # that of the hour in which it woke
    missed = Skip.objects.values_list("reason", flat=True)
    assert len(missed) >= 8
    assert set(missed) == {"stopped"}
    play(it, time, time.wall + 3 * HOUR)
    assert Probe.objects.count() - paid >= 3


@pytest.mark.django_db
def test_g14_a_clock_that_was_wrong_for_a_day_neither_doubles_nor_hides_a_visit(watching, time):
    it = watching()
    play(it, time, BEGIN + 26 * HOUR)
    time.wall -= 24 * HOUR
    play(it, time, BEGIN + 26 * HOUR)
    visits = Planned.objects.filter(due_at__lt=BEGIN + 25 * HOUR)
    assert not visits.filter(probe=None, skip=None).exists()
    assert Probe.objects.count() == Planned.objects.exclude(claim=None).count()


@pytest.mark.django_db
def test_g14_a_watcher_that_is_stopped_in_a_visit_notes_it_as_died_and_leaves_cleanly(watching, time):
    it = watching("completed", lambda: it.stop())
    with pytest.raises(Stopped):
        play(it, time, BEGIN + 9 * HOUR)
    assert Probe.objects.count() == 1
    assert Skip.objects.get().reason == "died"
    assert Skip.objects.get().visit.claim
    it.stop()  # an impatient person's second signal disturbs nothing
    assert not Planned.objects.unfinished().exists()


@pytest.mark.django_db
def test_g14_a_watcher_that_was_killed_goes_on_and_shows_the_visit_that_died_with_it(watching, time):
    it = watching()
    it.turn()
    visit = Planned.objects.order_by("due_at").first()
    time.wall = visit.due_at
    assert Planned.objects.claim(it.me, time.wall) == visit
    again = watching()
    play(again, time, time.wall + 2 * HOUR)
    assert visit.skip.reason == "died"
    assert Probe.objects.exists()


@pytest.mark.django_db
def test_a_visit_whose_crew_fails_died_and_the_next_is_paid(watching, time):
    it = watching(RuntimeError("no browser"))
    play(it, time, BEGIN + 4 * HOUR)
    assert (Skip.objects.get().reason, Skip.objects.get().words) == ("died", "RuntimeError: no browser")
    assert Probe.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("verdict", ["theirs", "ours"])
def test_after_a_visit_that_did_not_go_well_a_second_fact_is_sought_within_minutes(watching, time, verdict):
    it = watching(verdict)
    play(it, time, BEGIN + 2 * HOUR)
    first = Probe.objects.get(verdict=verdict)
    assert first.why == "planned"
    after = first.confirmation.began_at - first.ended_at
    assert timedelta(minutes=2) <= after < timedelta(minutes=10)
    assert first.confirmation.why == "confirmation"
    assert it.crew.orders[0].seed != it.crew.orders[1].seed
    assert Probe.objects.filter(why="confirmation").count() == 1


@pytest.mark.django_db
def test_at_a_wall_and_after_a_visit_that_went_well_nobody_knocks_again(watching, time):
    play(watching("wall", "completed", "completed, but"), time, BEGIN + 6 * HOUR)
    assert not Probe.objects.filter(why="confirmation").exists()


@pytest.mark.django_db
def test_a_confirmation_that_fails_is_not_confirmed_in_its_turn(watching, time):
    play(watching(*["theirs"] * 30), time, BEGIN + 4 * HOUR)
    confirmed = Probe.objects.exclude(confirmation=None)
    assert set(confirmed.values_list("why", flat=True)) == {"planned"}


@pytest.mark.django_db
def test_g14_a_confirmation_takes_no_visit_from_the_plan(watching, time, file):
    file.write_text(WATCH.replace("40", "24"))  # no more than what covers the week
    play(watching(*["theirs"] * 30), time, BEGIN + 40 * HOUR)
    assert not Skip.objects.exists()
    days = [
        each.began_at.astimezone(reports.NOON.tzinfo) + timedelta(hours=4) for each in Probe.objects.all()
    ]
    assert max(sum(1 for each in days if each.date() == day.date()) for day in days) <= 24


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["maintenance", "permission", "robots", "rate", "budget"])
def test_g14_what_may_not_be_paid_is_skipped_with_its_reason(watching, time, reason):
    it = watching(leave=lambda *_: NotPaid(Skip.Reason(reason), "because"))
    play(it, time, BEGIN + 3 * HOUR)
    assert set(Skip.objects.values_list("reason", "words")) == {(reason, "because")}
    assert it.crew.orders == []


@pytest.mark.django_db
def test_a_watch_yaml_that_went_wrong_is_not_taken_over_and_the_last_good_one_counts(watching, time, file):
    it = watching()
    play(it, time, BEGIN + HOUR)
    file.write_text(WATCH.replace("title", "titel"))
    play(it, time, BEGIN + 3 * HOUR)
    assert "'titel' is not known here" in Watcher.objects.get().facts["watchfile"]["wrong"]
    assert Target.objects.in_force().exists()
    paid = Probe.objects.count()
    file.write_text(WATCH.replace("The desk", "The office"))
    play(it, time, BEGIN + 5 * HOUR)
    assert Watcher.objects.get().facts["watchfile"]["wrong"] == ""
    assert Target.objects.get().title == "The office"
    assert Probe.objects.count() > paid


@pytest.mark.django_db
def test_g14_a_changed_budget_is_planned_anew_and_both_plans_are_shown(watching, time, file):
    it = watching()
    play(it, time, BEGIN + 2 * HOUR)
    file.write_text(WATCH.replace("40", "30"))
    os.utime(file, (1, 1))
    play(it, time, BEGIN + 5 * HOUR)
    old, new, _ = Plan.objects.order_by("begins_at", "committed_at")[:3]
    assert old.closed_because == "visits_a_day: 40 became 30"
    assert old.revealed_at
    assert new.begins_at == old.ends_at
    audited, between = audit(Plan.objects.published(Target.objects.get(), time.wall))
    assert [finding for each in audited for finding in each.findings] + between == []


@pytest.mark.django_db
def test_a_part_of_the_round_that_fails_keeps_no_visit_from_being_paid(watching, time):
    def fails(*_):
        raise RuntimeError("nobody listens")

    play(watching(after_round=(fails, fails)), time, BEGIN + 3 * HOUR)
    assert Probe.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_processes_cannot_be_the_same_watcher(watching):
    held, done = threading.Event(), threading.Event()

    def another() -> None:
        try:
            assert module._take_hold_of("here")
            held.set()
            done.wait(30)
            module._let_go_of("here")
        finally:
            connection.close()

    thread = threading.Thread(target=another)
    thread.start()
    held.wait(30)
    try:
        with pytest.raises(AlreadyAtWork, match="'here' is at work: give this one another name"):
            watching()
    finally:
        done.set()
        thread.join()
    watching(name="there")
    assert Watcher.objects.get().name == "there"
