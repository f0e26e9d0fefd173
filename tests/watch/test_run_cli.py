"""``rasd watch run``: one visit by hand, told in words and in JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasd.watch.cli import watch
from rasd.watch.players.finding import Finding
from rasd.watch.players.report import Report

JOURNEY = """
journey: ticket
title: A ticket
target: desk
who: {patience: 30s}
steps: [{press: Send}]
done: [{see: My ticket}]
clean_up: [{press: Delete}]
"""
CHECKOUT = Path(__file__).parents[2]
NOBODY_LISTENS = "http://127.0.0.1:9/"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))  # where the playing process finds the stand-ins
    (tmp_path / "ticket.yaml").write_text(JOURNEY, "utf-8")
    return tmp_path


def run(*arguments: str, journey: str = "ticket.yaml") -> Result:
    return CliRunner().invoke(watch, ["run", journey, "--cast", "tests.watch.stand_ins:StandIns", *arguments])


def test_a_visit_is_told_step_by_step_and_its_evidence_can_be_opened(folder):
    result = run("--target", NOBODY_LISTENS, "--json")

    assert result.exit_code == 0, result.output
    *findings, report = result.stdout.splitlines()
    assert [Finding.model_validate_json(each).says for each in findings] == [
        "press: Send", "see: My ticket", "press: Delete",
    ]  # fmt: skip
    assert Report.model_validate_json(report).verdict == "completed"
    assert "  2. (second look) see: My ticket: done" in result.stderr
    assert "Completed." in result.stderr
    [evidence] = (folder / "watch-evidence").glob("*-ticket")
    assert {each.name for each in evidence.iterdir()} >= {"01-press-words.txt", "report.json"}
    assert json.loads((evidence / "report.json").read_text("utf-8"))["verdict"] == "completed"


def test_where_the_service_is_stands_in_watch_yaml_and_a_finding_is_told_in_words(folder):
    (folder / "ticket.yaml").write_text(JOURNEY.replace("Send", "error"), "utf-8")
    (folder / "watch.yaml").write_text(
        f"targets: {{desk: {{title: Desk, url: {NOBODY_LISTENS}, journeys: [ticket.yaml]}}}}\n", "utf-8"
    )
    result = run(journey="desk/ticket")  # as the pages call it

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "failed after" in result.stderr
    assert "that is the service's doing" in result.stderr
    assert "step 1, “press: error”" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "https://service.example/"], "nobody's permission is there"),
        ([], "--target URL says it"),
        (["--target", "http://127.1/"], "127.1"),
    ],
)
def test_g13_nothing_is_played_without_a_place_or_where_nobody_permits_it(folder, arguments, says):
    result = run(*arguments)

    assert result.exit_code == 2
    assert says in result.stderr
    assert not (folder / "watch-evidence").exists()


def test_a_journey_that_is_wrong_is_told_with_its_place_and_mend(folder):
    (folder / "ticket.yaml").write_text(JOURNEY.replace("press: Send", "pres: Send"), "utf-8")
    result = run("--target", NOBODY_LISTENS)

    assert result.exit_code == 2
    assert "ticket.yaml:6:" in result.stderr
    assert "did you mean 'press'?" in result.stderr
