"""``rasd watch verify`` and ``rasd watch export``."""

import csv
import io
import json
from datetime import date

import pytest
from asgiref.sync import async_to_sync
from click.testing import CliRunner

from rasd.watch.evidence.box import Box
from rasd.watch.export import BOM, KINDS, cell, download
from rasd.watch.models import About, Skip, Tally
from rasd.watch.players.finding import ExhibitKind
from rasd.watch.record_cli import export, verify
from tests.watch import reports
from tests.watch.models.test_probes import behind_its_back
from tests.watch.reports import NOON, finding, record

pytestmark = pytest.mark.django_db


def run(command, *arguments):
    return CliRunner().invoke(command, arguments)


def table(kind, *arguments):
    done = run(export, kind, *arguments)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_a_record_that_nobody_changed_holds_and_tells_its_head():
    record()
    last = record("theirs")
    done = run(verify)
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"probes": 2, "head": last.digest, "holds": True})
    assert run(verify, "--head", last.digest).exit_code == 0


def test_what_was_changed_is_named_with_exit_status_1():
    record()
    probe = record("theirs")
    behind_its_back("UPDATE watch_probe SET done_after = 1 WHERE token = %s", probe.token)
    done = run(verify)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["token"] == probe.token
    assert "done_after was changed" in done.stderr


def test_counts_that_are_not_those_of_the_visits_are_told():
    probe = record()
    record("theirs")
    assert run(verify).exit_code == 0
    Tally.objects.filter(verdict="theirs").update(visits=0)
    done = run(verify)
    assert done.exit_code == 1
    assert f"{probe.day}: its visits are not as many as the pages count" in done.stderr


def test_evidence_that_is_missing_or_changed_is_named(settings, tmp_path):
    settings.WATCH_FOLDER = tmp_path
    box = Box(tmp_path / "box")
    whole, changed, missing = (box.put(ExhibitKind.WORDS, each, "text/plain") for each in (b"a", b"b", b"c"))
    record(findings=(finding(1, exhibits=(whole, changed, missing)),))
    assert run(verify, "--evidence", "here").exit_code == 0
    box.path(changed.sha256).write_bytes(b"x")
    box.path(missing.sha256).unlink()
    done = run(verify, "--evidence", "here")
    assert done.exit_code == 1
    assert f"{changed.sha256} was changed" in done.stderr
    assert f"{missing.sha256} is missing" in done.stderr
    assert whole.sha256 not in done.stderr
    assert run(verify, "--evidence", "there").exit_code == 0


def test_every_probe_and_step_is_in_the_file_with_times_that_say_their_zone():
    first, second = record(), record("theirs", at=NOON.replace(hour=21))
    probes, steps = table("probes"), table("steps")
    assert [row["probe"] for row in probes] == [first.token, second.token]
    assert (probes[1]["began"], probes[1]["hour_of_week"]) == ("2026-03-05T01:00:00+04:00", "73")
    assert (probes[0]["done_after"], probes[1]["done_after"]) == ("30.0", "")
    assert [(row["probe"], row["number"]) for row in steps] == [
        (each.token, n) for each in (first, second) for n in "123"
    ]
    assert [row["probe"] for row in table("probes", "--since", "2026-03-05")] == [second.token]
    assert [row["probe"] for row in table("probes", "--until", "2026-03-04")] == [first.token]
    assert table("probes", "--target", "desk") == probes


def test_g14_visits_are_paid_or_skipped_with_the_reason_and_those_to_come_are_nobodys_to_know():
    journey = reports.journey()
    paid, skipped, _to_come = (reports.planned(journey, NOON.replace(hour=each)) for each in (8, 9, 10))
    probe = record(visit=paid)
    Skip.objects.create(visit=skipped, reason="busy", words="two at once", noticed_at=NOON)
    assert [(row["became"], row["probe"], row["skipped_because"]) for row in table("visits")] == [
        ("paid", probe.token, ""), ("skipped", "", "busy"),
    ]  # fmt: skip


def test_a_target_that_is_not_known_is_named_with_those_that_are():
    reports.target("shop")
    done = run(export, "probes", "--target", "shp")
    assert done.exit_code == 2
    assert "there are: shop" in done.stderr


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "＝1"])
def test_what_a_page_wrote_is_never_run_as_a_formula(text):
    assert cell(text) == f"'{text}"


def test_numbers_and_plain_words_stand_as_they_are():
    assert [cell(each) for each in (None, -1.5, 0, "press: =1", "شكرًا")] == [
        "",
        "-1.5",
        "0",
        "press: =1",
        "شكرًا",
    ]


def test_a_download_begins_as_spreadsheets_want_it_and_is_the_commands_file():
    record(findings=(finding(1, says='press: أرسل, "now"\nplease'),))

    async def whole(kind):
        return b"".join([each async for each in download(kind, About(date(2026, 3, 1), date(2026, 3, 31)))])

    for kind in KINDS:
        assert async_to_sync(whole)(kind) == BOM + run(export, kind).stdout_bytes
        assert async_to_sync(whole)(kind) == run(export, kind, "--bom").stdout_bytes
    assert table("steps")[0]["says"] == 'press: أرسل, "now"\nplease'


def test_no_row_is_twice_or_left_out_where_pages_of_it_meet(monkeypatch):
    monkeypatch.setattr("rasd.watch.export.AT_A_TIME", 2)
    tokens = {record(at=NOON).token for _ in range(5)} | {record(at=NOON.replace(hour=9)).token}
    rows = [row["probe"] for row in table("probes")]
    assert (len(rows), set(rows)) == (6, tokens)
