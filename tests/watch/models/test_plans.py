"""G14: plans are committed to before they begin, hold until something is changed, and are published when they are over."""

import json
from datetime import timedelta
from itertools import count, pairwise

import pytest
from django.db import ProgrammingError, connection, transaction

from rasd.watch.models import JourneyFile, Plan, Planned, Probe, Skip, Target
from rasd.watch.schedule import commitment_of, sealed
from rasd.watch.schedule.audit import audit, parse
from tests.watch import reports
from tests.watch.reports import NOON
from tests.watch.schedule.test_drawing import seed_of

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)


@pytest.fixture
def target() -> Target:
    target = reports.target(visits_a_day=24)
    reports.journey(target)
    reports.journey(target, "look", reports.TEXT.replace("journey: ask", "journey: look"))
    return target


def make(now=NOON, weeks=1) -> list[Plan]:
    return Plan.objects.keep_ahead(now, weeks)


def settle_all(plan: Plan, now, reason="stopped") -> None:
    open_ = plan.visits.filter(skip=None, probe=None)
    Skip.objects.bulk_create(Skip(visit=each, reason=reason, noticed_at=now) for each in open_)


def test_g14_a_plan_is_committed_to_before_its_first_visit_and_the_next_before_it_ends(target):
    first, second = make()
    assert first.committed_at < first.begins_at <= first.visits.first().due_at
    assert (first.begins_at, first.ends_at) == (NOON + timedelta(hours=1), NOON + timedelta(hours=169))
    assert second.begins_at == first.ends_at
    assert first.visits.count() == 168
    assert set(first.visits.values_list("hour", flat=True)) == set(range(168))
    assert make(NOON + timedelta(minutes=5)) == []
    assert make(NOON + WEEK)[0].begins_at == second.ends_at


def test_the_commitment_is_that_of_what_the_database_gives_back(target):
    for plan in make():
        plan.refresh_from_db()
        assert plan.commitment == commitment_of(plan.seed, sealed(plan.inputs))


def test_journeys_go_on_to_other_hours_with_each_plan(target):
    first, second = make()
    assert (first.inputs["turn"], second.inputs["turn"]) == (0, 1)
    assert {*first.visits.values_list("hour", "journey")}.isdisjoint(
        second.visits.values_list("hour", "journey")
    )
    third = make(NOON + WEEK)[0]
    assert third.inputs["turn"] == 0
    assert third.inputs["rotation"] != first.inputs["rotation"]


def test_g14_a_change_replans_the_rest_under_a_new_commitment_and_shows_both(target):
    (first, second) = make()
    target.visits_a_day = 30
    target.save()
    later = NOON + timedelta(days=2, minutes=7)
    (new,) = make(later, weeks=2)
    first.refresh_from_db()
    assert first.ends_at == new.begins_at == NOON + timedelta(days=2, hours=1)
    assert first.closed_because == "weeks: 1 became 2"
    assert new.commitment not in {first.commitment, second.commitment}
    unpaid = first.visits.filter(due_at__gte=first.ends_at)
    assert {each.skip.reason for each in unpaid} == {"replanned"}
    assert not first.visits.filter(due_at__lt=first.ends_at).exclude(skip=None).exists()
    settle_all(first, later)
    Plan.objects.reveal(new.begins_at)
    told = parse(Plan.objects.published(target, later).model_dump_json())
    assert [bool(each.seed) for each in told.plans] == [True, False, True]  # the last: closed before it began
    audited, between = audit(told, noted=[first.commitment, new.commitment])
    assert [each.findings for each in audited] == [[], [], []]
    assert between == []


@pytest.mark.parametrize("sql", [
    "UPDATE watch_skip SET reason = 'maintenance'", "DELETE FROM watch_skip", "UPDATE watch_plan SET seed = ''",
    "UPDATE watch_planned SET due_at = due_at + interval '1 minute'", "DELETE FROM watch_plan",
])  # fmt: skip
def test_g14_the_database_refuses_to_change_what_was_promised_or_why_it_was_not_kept(target, sql):
    first, _ = make()
    settle_all(first, NOON)
    with (
        pytest.raises(ProgrammingError, match="is refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_a_wording_that_changes_changes_no_plan(target):
    make()
    target.take({"ask": reports.TEXT + "# better\n", "look": "look"}, NOON)
    assert make(NOON + timedelta(minutes=1)) == []


def test_a_journey_that_is_taken_away_is_planned_no_more(target):
    make()
    JourneyFile.objects.filter(name="look").update(gone_at=NOON)
    new = make(NOON + timedelta(minutes=1))[0]
    assert set(new.visits.values_list("journey", flat=True)) == {"ask"}


def test_the_plans_of_a_target_that_is_gone_are_closed_and_their_visits_say_so(target):
    _, second = make()
    Target.objects.update(gone_at=NOON)
    assert make(NOON + timedelta(days=1)) == []
    second.refresh_from_db()
    assert second.closed_because == "desk left watch.yaml"
    assert {each.skip.reason for each in second.visits.all()} == {"gone"}


def test_g14_nothing_that_is_to_come_is_told_before_a_plan_is_over(target):
    first, _ = make()
    visit = first.visits.order_by("due_at")[0]
    visit.not_paid(Skip.Reason.BUSY, "", visit.until, None)
    told = Plan.objects.published(target, visit.until).model_dump_json()
    assert first.seed not in told
    assert first.inputs["rotation"] not in told
    assert json.loads(told)["plans"][0]["visits"][0]["hour"] == visit.hour
    assert len(json.loads(told)["plans"][0]["visits"]) == 1
    assert Plan.objects.reveal(first.ends_at) == 0  # one visit is still open
    settle_all(first, first.ends_at)
    assert Plan.objects.reveal(first.ends_at - timedelta(seconds=1)) == 0
    assert Plan.objects.reveal(first.ends_at) == 1


def test_g14_what_is_published_of_paid_and_skipped_visits_stands_up_to_the_audit(target):
    first, _ = make()
    visit = first.visits.order_by("due_at")[7]
    probe = reports.record(at=visit.due_at, visit=visit)
    settle_all(first, first.ends_at)
    Plan.objects.reveal(first.ends_at)
    (audited, _), between = audit(parse(Plan.objects.published(target, first.ends_at).model_dump_json()))
    assert audited.findings + between == []
    assert (audited.paid, audited.skipped["stopped"]) == (1, 167)
    assert Probe.objects.get() == probe


def test_after_a_long_stop_the_plan_begins_anew_and_the_gap_is_an_audits_finding(target):
    for plan in make():
        settle_all(plan, NOON)
    later = NOON + timedelta(days=21)
    make(later)
    Plan.objects.reveal(later)
    _, between = audit(Plan.objects.published(target, later))
    assert "hours in which nothing was promised" in between[0]


def test_visits_to_two_targets_are_not_due_at_the_same_moment(target):
    for name in ("shop", "bank", "ministry"):
        reports.journey(reports.target(name, visits_a_day=24))
    seeds = map(seed_of, count())
    Plan.objects.keep_ahead(NOON, 1, lambda: next(seeds))
    due = sorted(Planned.objects.values_list("due_at", "target_id"))
    close = [1 for (at, mine), (then, his) in pairwise(due) if mine != his and (then - at).seconds < 180]
    assert len(close) <= len(due) // 100  # by chance it would be one in seven
    assert any(plan.inputs["passed_over"] for plan in Plan.objects.all())
