"""`rasd read`: JSON on standard output, words on standard error, 0 / 1 / 2."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rasd.vision.cli import read
from rasd.vision.rendered import render_meter, render_no_meter


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "clear.jpg").write_bytes(render_meter(45217, 5, 1, seed=2))
    (folder / "none.jpg").write_bytes(render_no_meter())
    (folder / "letter.txt").write_bytes(b"Dear Sir or Madam" + bytes(200))
    return folder


def test_it_prints_one_object_a_line(photos: Path) -> None:
    result = CliRunner().invoke(read, [str(photos / "clear.jpg"), str(photos / "none.jpg"), "--json"])
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    needed = {
        "path",
        "digits",
        "decimals",
        "reading",
        "confidence",
        "decision",
        "reason",
        "kind",
        "milliseconds",
    }
    assert needed <= first.keys()
    assert needed <= second.keys()
    assert first["path"].endswith("clear.jpg")
    assert (first["digits"], first["decision"]) == ("045217", "confirm")
    assert (second["reading"], second["kind"]) == (None, "none")
    assert result.exit_code == 1  # the second was not read


def test_with_the_history_it_accepts(photos: Path) -> None:
    arguments = [
        "--json",
        "--digits",
        "5",
        "--decimals",
        "1",
        "--last",
        "4210",
        "--days",
        "31",
        "--usual",
        "300",
    ]
    result = CliRunner().invoke(read, [str(photos / "clear.jpg"), *arguments])
    row = json.loads(result.stdout)
    assert (row["reading"], row["decision"]) == ("4521.7", "accept")
    assert result.exit_code == 0


def test_what_is_no_photograph_is_a_finding_told_on_standard_error(photos: Path) -> None:
    result = CliRunner().invoke(read, [str(photos / "letter.txt"), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["reason"] == "not_a_picture"
    assert "not a photograph" in result.stderr


HISTORY = ["--last", "4410", "--days", "31", "--usual", "350"]  # click takes an option's last value

WRONG = {
    "no photographs": [],
    "half a history": ["PHOTO", "--last", "4410", "--digits", "5"],
    "a history without the register": ["PHOTO", "--last", "4410", "--days", "31", "--usual", "350"],
    "a last reading that does not fit": [
        "PHOTO",
        "--last",
        "44100",
        "--days",
        "31",
        "--usual",
        "350",
        "--digits",
        "4",
    ],
    "no days at all": ["PHOTO", "--last", "4410", "--days", "0", "--usual", "350", "--digits", "5"],
    "a file that is not there": ["missing.jpg"],
    "decimals without the digits before them": ["PHOTO", "--decimals", "1"],
    **{
        f"{option} {value}": ["PHOTO", "--digits", "5", *HISTORY, option, value]
        for option, value in (
            ("--last", "nan"),
            ("--last", "inf"),
            ("--usual", "nan"),
            ("--usual", "inf"),
            ("--usual", "1e300"),
            ("--days", "nan"),
            ("--days", "inf"),
            ("--days", "1e9"),
            ("--days", "0.5"),
        )
    },
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_ends_with_two(arguments: list[str], photos: Path) -> None:
    given = [str(photos / "clear.jpg") if argument == "PHOTO" else argument for argument in arguments]
    assert CliRunner().invoke(read, given).exit_code == 2


@pytest.mark.parametrize("option", ["--last", "--days", "--usual"])
def test_a_number_that_is_none_is_told_with_its_option(option: str, photos: Path) -> None:
    arguments = [str(photos / "clear.jpg"), "--digits", "5", *HISTORY, option, "nan"]
    assert f"{option} nan is not a number" in CliRunner().invoke(read, arguments).stderr


def test_without_json_it_says_it_in_a_sentence(photos: Path) -> None:
    result = CliRunner().invoke(read, [str(photos / "clear.jpg"), "--digits", "5", "--decimals", "1"])
    assert "4521.7" in result.stdout
    assert "confirm" in result.stdout
