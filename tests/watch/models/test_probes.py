"""A probe is written once, chained, and held against its report (G14, G15 rest on it)."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from rasd.watch.evidence.chain import canonical, plain
from rasd.watch.models import Probe, Shown, StepPlayed
from tests.watch import reports
from tests.watch.reports import NOON, exhibit, finding, record

REFUSED = (InternalError, ProgrammingError)


def behind_its_back(sql: str, *values: object) -> None:
    """As somebody would who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no trigger is left to wait: tables can be altered
        for table in ("watch_probe", "watch_stepplayed", "watch_shown"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        for table in ("watch_probe", "watch_stepplayed", "watch_shown"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.django_db
def test_a_report_becomes_a_probe_its_steps_and_its_exhibits():
    probe = record("theirs", exhibits=(exhibit(b"a trace"),), asked_again=1)
    probe.refresh_from_db()
    assert (probe.target.name, probe.hour, str(probe.day), probe.zone) == (
        "desk",
        60,
        "2026-03-04",
        "Asia/Muscat",
    )
    assert (probe.taken, probe.clicks, probe.typed, probe.asked_again) == (1, 2, 3, 1)
    assert [(s.number, s.outcome, s.trouble) for s in probe.steps.all()] == [
        (1, "done", ""), (2, "failed", "error page"), (3, "not reached", ""),
    ]  # fmt: skip
    assert sorted((e.step or 0, e.sha256) for e in probe.exhibits.all()) == sorted(
        [(1, sha256(b"a page").hexdigest()), (0, sha256(b"a trace").hexdigest())]
    )
    assert probe.told.findings[1].trouble == "error page"
    assert probe.changed() == ""


@pytest.mark.django_db
def test_he_gave_up_after_so_many_seconds_only_where_his_patience_ended_the_errand():
    def gave_up_after(*findings, done_after=None):
        return record("theirs", findings=findings, done_after=done_after).gave_up_after

    in_vain = finding(2, "gave up", seconds=45.5, trouble="no answer")
    assert gave_up_after(finding(1), in_vain) == 55.5
    assert gave_up_after(finding(1), finding(2, "failed", trouble="loop")) is None
    assert gave_up_after(finding(1), in_vain, finding(3, part="otherwise:1"), done_after=70.0) is None
    assert (
        gave_up_after(finding(1), in_vain, finding(3, "failed", part="otherwise:1", trouble="lost")) is None
    )
    assert gave_up_after(finding(1), finding(2, "gave up", part="clean_up")) is None


@pytest.mark.django_db
def test_a_wait_in_vain_is_told_from_one_that_nobody_waited():
    probe = record(findings=(
        finding(1, facts={"first_answer": 3}),
        finding(2, facts={"first_answer": 2.5, "person": None}, seconds=60.0),
        finding(3),
    ))  # fmt: skip
    assert (probe.first_answer, probe.waited, probe.person, probe.waited_for_person) == (
        3.0,
        None,
        None,
        60.0,
    )
    rows = probe.steps.values_list("first_answer", "person", "waited", "waited_for_person")
    assert list(rows) == [(3.0, None, None, None), (2.5, None, None, 60.0), (None, None, None, None)]


@pytest.mark.django_db
def test_each_probe_carries_the_digest_of_the_one_before_it():
    first, second = record(), record("theirs")
    assert (first.previous, second.previous) == ("", first.digest)
    assert second.digest == sha256(canonical(second.document)).hexdigest()
    assert Probe.objects.verify() is None
    assert Probe.objects.verify(head=second.digest) is None
    assert Probe.objects.verify(head=first.digest) is None
    assert "cut off" in Probe.objects.verify(head="0" * 64).why


@pytest.mark.django_db
@pytest.mark.parametrize("sql", [
    "UPDATE watch_probe SET verdict = 'theirs'", "UPDATE watch_probe SET report = '{}'", "DELETE FROM watch_probe",
    "UPDATE watch_stepplayed SET seconds = 0", "DELETE FROM watch_stepplayed", "DELETE FROM watch_shown",
    "UPDATE watch_shown SET keep_until = now()", "UPDATE watch_shown SET sha256 = '', thrown_away_at = now()",
])  # fmt: skip
def test_the_database_refuses_to_change_or_remove_what_was_recorded(sql):
    record()
    with pytest.raises(REFUSED, match="is refused"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@pytest.mark.parametrize(("sql", "says"), [
    ("""UPDATE watch_probe SET report = jsonb_set(report, '{findings,1,words}', '"it was there"')""", "its report"),
    ("UPDATE watch_probe SET why = 'by hand'", "its report, or what it belongs to"),
    ("UPDATE watch_probe SET verdict = 'completed'", "verdict was changed"),
    ("UPDATE watch_probe SET hour = 61", "hour was changed"),
    ("UPDATE watch_stepplayed SET seconds = 1 WHERE number = 2", "its steps"),
    ("DELETE FROM watch_stepplayed WHERE number = 3", "its steps"),
    ("UPDATE watch_shown SET sha256 = repeat('0', 64)", "its exhibits"),
    ("UPDATE watch_journeyfile SET text = text || ' '", "the wording"),
    ("UPDATE watch_target SET name = 'other'", "its report, or what it belongs to"),
])  # fmt: skip
def test_what_is_changed_behind_its_back_is_found_and_named(sql, says):
    record()
    second = record("theirs")
    rows = "WHERE token" if "watch_probe" in sql else ""
    behind_its_back(f"{sql} {rows and rows + ' = %s'}", *([second.token] if rows else []))
    changed = Probe.objects.verify()
    assert says in changed.why
    assert changed.token in {second.token, Probe.objects.order_by("pk").first().token}


@pytest.mark.django_db
def test_a_probe_that_is_removed_is_missed_by_the_next():
    first, second, third = record(), record(), record()
    for table in ("watch_shown", "watch_stepplayed"):
        behind_its_back(f"DELETE FROM {table} WHERE probe_id = %s", second.pk)
    behind_its_back("DELETE FROM watch_probe WHERE id = %s", second.pk)
    assert Probe.objects.verify().token == third.token
    assert first.changed() == ""


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain_with_no_fork():
    journey, watcher = reports.journey(), reports.watcher()

    def write(number: int) -> None:
        try:
            Probe.objects.record(
                reports.report(clicks=number), journey=journey, watcher=watcher, why=Probe.Why.PLANNED
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(12)))
    assert Probe.objects.count() == 12
    assert Probe.objects.verify() is None


@pytest.mark.django_db
def test_a_visit_is_recorded_once_and_nothing_of_a_second_time_stays():
    journey = reports.journey()
    visit = reports.planned(journey)
    record(visit=visit)
    with pytest.raises(IntegrityError), transaction.atomic():
        record(visit=visit)
    assert (Probe.objects.count(), StepPlayed.objects.count(), Shown.objects.count()) == (1, 3, 1)
    assert Probe.objects.verify() is None


@pytest.mark.django_db
def test_evidence_of_a_visit_that_went_well_is_kept_thirty_days_all_other_four_hundred():
    kept = {
        verdict: record(verdict).exhibits.get().keep_until - (NOON + timedelta(seconds=30))
        for verdict in ("completed", "completed, but", "theirs", "ours", "wall")
    }
    assert {verdict: each.days for verdict, each in kept.items()} == {
        "completed": 30, "completed, but": 400, "theirs": 400, "ours": 400, "wall": 400,
    }  # fmt: skip


any_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@pytest.mark.django_db
@settings(max_examples=100)
@given(any_json)
def test_what_is_hashed_is_what_the_database_gives_back(value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text", [canonical(plain(value)).decode()])
        assert canonical(json.loads(cursor.fetchone()[0])) == canonical(plain(value))
