"""``rasd watch plan`` and ``rasd watch audit``, as they are called."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasd.watch.cli import watch
from rasd.watch.models import Plan, Planned
from rasd.watch.schedule.costs import cost
from tests.watch import reports
from tests.watch.schedule.test_audit import publication, published


def call(*arguments: str):
    return CliRunner().invoke(watch, arguments)


def test_g14_the_audit_needs_nothing_but_the_published_file(tmp_path: Path):
    file = tmp_path / "plans.json"
    file.write_text(publication(published()))
    kept = call("audit", str(file))
    assert kept.exit_code == 0, kept.output
    assert "were visited, " in kept.output
    assert "0 are hidden" in kept.output
    assert json.loads(call("audit", str(file), "--json").stdout)["findings"] == []


def test_g14_the_audit_names_what_is_wrong_and_ends_with_1(tmp_path: Path):
    file, plan = tmp_path / "plans.json", published()
    del plan["visits"][20]
    file.write_text(publication(plan))
    found = call("audit", str(file), "--commitment", "00" * 32)
    assert found.exit_code == 1
    assert "WRONG: drawn and not shown: a hidden visit" in found.output
    assert f"no plan has the commitment {'00' * 32} that was noted" in found.output


def test_what_cannot_be_audited_ends_with_2(tmp_path: Path):
    assert call("audit", str(tmp_path / "none.json")).exit_code == 2
    assert call("audit", "http://127.0.0.1:9/plans.json").exit_code == 2
    (tmp_path / "page.html").write_text("<html>")
    assert "this is no published plan" in call("audit", str(tmp_path / "page.html")).output


@pytest.mark.django_db
def test_g14_the_plan_is_shown_without_any_moment_or_hour_of_a_visit():
    reports.journey()
    assert call("plan").exit_code == 1
    Plan.objects.keep_ahead(datetime.now(reports.NOON.tzinfo), 4)
    shown = call("plan").output
    plan = Plan.objects.get()
    assert plan.commitment in shown
    assert plan.seed not in shown
    assert plan.inputs["rotation"] not in shown
    told = json.loads(call("plan", "--json", "--target", "desk").stdout)
    assert set(told) == {
        "target", "begins", "ends", "weeks", "visits", "paid", "skipped", "commitment", "committed_at"
    }  # fmt: skip
    assert told["visits"] == Planned.objects.count()
    assert "*       4             6      42         168                 97.8%" in shown


@pytest.mark.parametrize(("weeks", "a_day", "bound"), [(1, 24, 0.994), (4, 6, 0.978), (8, 3, 0.956)])
def test_what_n_costs_in_visits_and_what_they_could_show(weeks, a_day, bound):
    told = cost(weeks)
    assert told.visits_a_day == a_day
    assert told.bound_after_four_weeks == pytest.approx(bound, abs=0.0005)
