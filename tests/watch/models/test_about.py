"""What pages ask of the tables."""

from datetime import date, timedelta

import pytest

from rasd.watch.measures.completion import share
from rasd.watch.models import About, Skip
from rasd.watch.models.about import COUNTING
from rasd.watch.models.probes import Probe
from tests.watch import reports
from tests.watch.reports import NOON, finding, record

pytestmark = pytest.mark.django_db


def that_week(**more):
    return About(date(2026, 3, 2), date(2026, 3, 8), **more)


def skip(due_at=NOON, reason="busy", of=None):
    visit = reports.planned(of or reports.journey(), due_at)
    return Skip.objects.create(visit=visit, reason=reason, noticed_at=due_at)


def test_only_planned_visits_that_speak_of_the_service_make_the_share_and_all_else_stands_beside_it():
    for verdict in ("completed", "completed, but", "theirs", "ours", "wall"):
        record(verdict)
    failed = record("theirs")
    record("completed", "confirmation", confirms=failed)
    record("ours", "confirmation")
    record("theirs", "by hand")
    skip()
    skip(NOON + timedelta(hours=1), reason="stopped")
    seen = that_week().completion()
    assert seen.share == share(2, 4)
    assert (seen.but, seen.ours, seen.wall, seen.skipped) == (1, 1, 1, 2)
    assert seen.unpaid == {"busy": 1, "stopped": 1}
    assert (seen.confirmations, seen.by_hand) == (share(1, 1), share(0, 1))


def test_days_are_the_targets_own_for_visits_paid_and_not_paid():
    late = NOON.replace(hour=21)  # 01:00 the next day in Muscat
    record(at=late)
    skip(late)
    thursday = About(date(2026, 3, 5), date(2026, 3, 5))
    assert (thursday.completion().share.of, thursday.completion().skipped) == (1, 1)
    assert [cell.hour for cell in thursday.week() if cell.share.of] == [3 * 24 + 1]
    wednesday = About(date(2026, 3, 4), date(2026, 3, 4))
    assert (wednesday.completion().share.of, wednesday.completion().skipped) == (0, 0)


def test_targets_and_journeys_are_told_apart_by_name_and_all_wordings_of_one_are_one():
    shop = reports.target("shop")
    old = reports.journey(text="old")
    record(of=old)
    old.gone_at = NOON
    old.save()
    record(of=reports.journey(text="new"))
    record("theirs", of=reports.journey(shop))
    assert {name: each.share.of for name, each in that_week().of_each("target").items()} == {
        "desk": 2,
        "shop": 1,
    }
    assert {name: each.share.of for name, each in that_week().of_each("journey").items()} == {
        "desk/ask": 2,
        "shop/ask": 1,
    }
    of_the_shop = About(date(2026, 3, 2), date(2026, 3, 8), shop, "ask")
    assert {name: each.share.done for name, each in of_the_shop.of_each("journey").items()} == {"ask": 0}
    assert [place.name for place in that_week().league("target")] == ["desk", "shop"]


def test_weeks_without_a_visit_are_in_the_trend():
    record()
    weeks = About.weeks(3, date(2026, 3, 4)).trend()
    assert [(str(week.begins_on), week.share.of) for week in weeks] == [
        ("2026-02-16", 0), ("2026-02-23", 0), ("2026-03-02", 1),
    ]  # fmt: skip


def test_the_funnel_counts_who_reached_each_step_and_what_stopped_the_others():
    record()
    record()
    record("theirs")
    record("ours")
    record("theirs", "confirmation")
    stages = that_week().funnel(reports.journey())
    assert [(stage.part, stage.passed.done, stage.reached, stage.stopped) for stage in stages] == [
        ("steps", 3, 3, {}), ("steps", 2, 3, {"error page": 1}), ("done", 2, 2, {}),
    ]  # fmt: skip
    assert stages[0].seconds.median == 10.0
    assert that_week().effort().clicks.median == 2


def test_who_gave_up_is_censored_and_who_was_turned_away_is_not_in_the_time():
    record(done_after=20.0)
    record("theirs", findings=(finding(1, "gave up", seconds=180.0, trouble="no answer"),))
    record("theirs")
    time = that_week().time_to_done()
    assert (time.of, time.happened, time.gave_up, time.median) == (2, 1, 1, 20.0)


def test_the_first_answer_is_of_a_visits_first_message_and_waiting_in_vain_is_censored():
    record(
        findings=(
            finding(1, facts={"first_answer": 3.0}),
            finding(2, facts={"first_answer": 90.0, "person": 91.0}),
        )
    )
    record(
        "theirs",
        findings=(finding(1, "gave up", seconds=100.0, facts={"first_answer": None, "person": None}),),
    )
    record()
    answer, person = that_week().first_answer(), that_week().person()
    assert (answer.of, answer.happened, answer.median) == (2, 1, 3.0)
    assert (person.of, person.happened, person.longest) == (2, 1, 100.0)
    assert (person.median, person.three_quarters) == (91.0, None)


def test_the_words_for_why_are_those_of_the_tables():
    from rasd.watch.measures import funnel, rows
    from rasd.watch.players.finding import Outcome

    assert {rows.PLANNED, rows.CONFIRMATION, rows.BY_HAND} == set(Probe.Why.values)
    assert {funnel.DONE, funnel.NOT_REACHED} < {str(each) for each in Outcome}
    assert set(COUNTING) == {"completed", "completed, but", "theirs"}


def test_the_latest_visits_of_each_target_come_the_oldest_first():
    shop = reports.journey(reports.target("shop"))
    probes = [record(at=NOON + timedelta(hours=n)) for n in range(3)]
    other = record(of=shop)
    found = Probe.objects.last_of_each([reports.target(), shop.target, reports.target("quiet")], 2)
    assert found == {probes[0].target_id: probes[1:], shop.target_id: [other]}


def test_of_no_visit_nothing_is_said():
    empty = that_week(target=reports.target())
    assert (empty.completion().share.value, empty.effort().clicks, empty.time_to_done().median) == (
        None,
        None,
        None,
    )
    assert (len(empty.week()), empty.of_each("journey"), empty.funnel(reports.journey())) == (168, {}, [])
    assert not empty.first_answer().not_reached_by_half
