"""``rasd bench vision``: its figures against ones worked out by hand, and a small run from labels to pictures."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.vision import __main__ as command
from bench.vision import history, measures, runner
from bench.vision.charts import rejection_chart, reliability_chart
from bench.vision.child import choose
from bench.vision.labels import Labelled, Labels, UnusableFolder, normalised, read_labels
from bench.vision.measures import Outcome
from bench.vision.report import Measured, gap
from click.testing import CliRunner
from PIL import Image

from rasd.vision import Eye, NotAPhotograph
from rasd.vision.rendered import render_meter, render_no_meter


def outcome(
    label: str,
    digits: str,
    confidence: float = 0.5,
    *,
    decimals: int = 0,
    decision: str = "confirm",
    meter: str = "",
) -> Outcome:
    picture = Labelled(
        Path("x.jpg"), f"{label}-{digits}-{confidence}.jpg", label, "roller", "somewhere", meter
    )
    answer = {"digits": digits, "decimals": decimals, "confidence": confidence, "decision": decision}
    return Outcome.of(picture, answer | {"wall_ms": 40.0, "cpu_ms": 30.0, "inside_ms": 35.0})


@pytest.mark.parametrize(
    ("label", "digits", "decimals", "exact", "digits_right", "whole"),
    [
        ("04471", "04471", 0, True, True, True),
        ("04471", "4471", 0, False, False, False),  # a leading zero that is shown is a digit
        ("04471.2", "044712", 1, True, True, True),
        ("04471.2", "044712", 0, False, True, False),  # ten times as much
        ("04471.2", "04471", 0, False, False, True),
        ("04471.2", "044719", 1, False, False, True),
        ("04471", "044712", 1, False, False, True),  # the label does not count the decimal that is read
        ("044712", "044712", 1, True, True, True),  # the label says nothing of a point
        ("04471", "", 0, False, False, False),
        ("", "04471", 0, False, False, False),
    ],
)
def test_a_reading_is_judged_by_its_digits_its_point_and_its_whole_part(
    label, digits, decimals, exact, digits_right, whole
):
    found = outcome(label, digits, decimals=decimals)
    assert (found.exact, found.digits_right, found.whole_right) == (exact, digits_right, whole)


def test_a_wheel_that_nobody_could_tell_may_be_read_or_not():
    label = Labelled(Path("x.jpg"), "x.jpg", "0447.1", "roller", "somewhere", "", untold=1)
    answer = {"confidence": 0.5, "wall_ms": 1.0, "cpu_ms": 1.0}
    read = {"04471": 1, "044712": 2, "0447123": 3, "04472": 1}
    found = {d: Outcome.of(label, answer | {"digits": d, "decimals": n}).exact for d, n in read.items()}
    assert found == {"04471": True, "044712": True, "0447123": False, "04472": False}


def test_wilsons_interval_is_the_published_one():
    assert measures.wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-3)
    assert measures.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-3)  # Newcombe, 1998, table I
    assert measures.wilson(0, 0) == (0.0, 1.0)


# By falling confidence: right, right, wrong, right, wrong; and one in which nothing was read.
SIX = [
    outcome("1111", "1111", 0.9, decision="accept"),
    outcome("2222", "2222", 0.8, decision="accept"),
    outcome("3333", "3334", 0.7, decision="accept"),
    outcome("4444", "4444", 0.6),
    outcome("5555", "5556", 0.5, decision="review"),
    outcome("6666", "", 0.0, decision="retake"),
]


def test_the_rejection_curve_leaves_out_the_least_sure_first():
    shares = [(share, exact) for share, exact, _ in measures.rejection_curve(SIX)]
    assert shares == [
        pytest.approx(point)
        for point in [(1 / 6, 1), (2 / 6, 1), (3 / 6, 2 / 3), (4 / 6, 3 / 4), (5 / 6, 3 / 5)]
    ]
    assert measures.answered_at(SIX, 0.99) == (pytest.approx(2 / 6), 0.8)
    assert measures.answered_at(SIX, 0.75) == (
        pytest.approx(4 / 6),
        0.6,
    )  # the largest share, not the first dip
    assert measures.answered_at([SIX[2]], 0.95) == (0.0, None)


def test_pictures_of_one_confidence_are_answered_together():
    tied = [outcome("1111", "1111", 0.9), outcome("2222", "2223", 0.9)]
    assert [exact for _, exact, _ in measures.rejection_curve(tied)] == [0.5]


def test_a_reading_where_there_is_nothing_to_read_costs_precision_and_earns_no_share():
    found = [*SIX[:2], outcome("", "7777", 0.85)]
    assert [(share, exact) for share, exact, _ in measures.rejection_curve(found)] == [
        (0.5, 1.0), (0.5, 0.5), (1.0, pytest.approx(2 / 3)),
    ]  # fmt: skip


def test_the_summary_is_what_one_counts_by_hand():
    held = measures.summary([*SIX, outcome("", "", 0.0, decision="retake"), outcome("", "9999", 0.4)])
    assert (held["pictures"], held["with_reading"], held["nothing_to_read"]) == (8, 6, 2)
    assert held["exact"] == pytest.approx(3 / 6)
    assert held["nothing_read"] == pytest.approx(1 / 6)
    assert (held["accepted"], held["accepted_right"], held["accept_precision"]) == (
        3,
        2,
        pytest.approx(2 / 3),
    )
    assert [held[name] for name in measures.DECISIONS] == [3 / 8, 2 / 8, 2 / 8, 1 / 8]
    assert held["left_alone"] == 0.5  # of the two with nothing to read one was asked about
    # Six were read, so each is a bin of its own: 0.1, 0.2, 0.7, 0.4, 0.5 and 0.4 off.
    assert held["ece"] == pytest.approx((0.1 + 0.2 + 0.7 + 0.4 + 0.5 + 0.4) / 6)
    assert held["brier"] == pytest.approx((0.01 + 0.04 + 0.49 + 0.16 + 0.25 + 0.16) / 6)


def test_each_meter_counts_once_however_often_it_was_photographed():
    shown = [outcome("1111", "1111", c, meter="a") for c in (0.1, 0.2, 0.3)] + [outcome("1", "2", meter="b")]
    held = measures.summary(shown)
    assert (held["exact"], held["exact_by_meter"], held["meters"]) == (0.75, 0.5, 2)


def test_bins_hold_equal_numbers_and_say_how_sure_they_were():
    many = [outcome("1111", "1111" if n % 2 else "1112", n / 100) for n in range(100)]
    bins = measures.reliability(many)
    assert [part.pictures for part in bins] == [10] * 10
    assert bins[0].said == pytest.approx(0.045)
    assert {part.right for part in bins} == {5}


def test_times_are_told_with_their_spread():
    held = measures.timing([outcome("1", "1")])
    assert (held["median_ms"], held["p95_ms"], held["cpu_median_ms"], held["decode_median_ms"]) == (
        40,
        40,
        30,
        5,
    )


def test_what_nobody_labelled_is_not_called_nothing_to_read(tmp_path):
    (tmp_path / "unlabelled_lcd").mkdir()
    for name in ("unlabelled_lcd/1.jpg", "meters-unlabelled_lcd-2.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "labels.csv").write_text(
        "path,reading\nunlabelled_lcd/1.jpg,\nmeters-unlabelled_lcd-2.jpg,\n", encoding="utf-8"
    )
    labels = read_labels(tmp_path)
    assert [picture.name for picture in labels.pictures] == ["meters-unlabelled_lcd-2.jpg"]
    assert labels.unlabelled == 1


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("٠٤٤٧١٫٢", "04471.2"),
        ("۰۴۴۷۱", "04471"),
        (" 044,7 ", "044.7"),
        ("", ""),
        ("1.2.3", None),
        ("12a", None),
    ],
)
def test_labels_may_be_written_in_any_digits(written, meant):
    assert normalised(written) == meant


def test_rows_that_cannot_be_measured_are_named_and_not_lost(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "labels.csv").write_text(
        "path,reading,kind,label_check\n"
        "a.jpg,٠٠١٢,roller,\n"
        "a.jpg,0012,roller,\n"
        "b.jpg,0013,,\n"
        "b.jpg,0014,,\n"
        "c.jpg,12/34,,\n"
        "d.jpg,,,unlabelled\n"
        "gone.jpg,0015,,\n"
        ",0016,,\n",
        encoding="utf-8-sig",
    )
    labels = read_labels(tmp_path)
    assert [(picture.name, picture.reading, picture.source) for picture in labels.pictures] == [
        ("a.jpg", "0012", tmp_path.name)
    ]
    assert labels.unlabelled == 1
    said = "\n".join(labels.problems)
    for words in ("a.jpg: stands twice (line 3)", "b.jpg: stands twice with different", "'12/34' (line 6)",
                  "gone.jpg: there is no such file", "line 9: no path"):  # fmt: skip
        assert words in said
    assert len(labels.problems) == 5


def test_a_folder_without_labels_says_where_they_are(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "labels.csv").write_text("path,reading\n", encoding="utf-8")
    with pytest.raises(UnusableFolder, match=r"these folders in it do: below"):
        read_labels(tmp_path)
    (tmp_path / "labels.csv").write_text("file;value\n", encoding="utf-8")
    with pytest.raises(UnusableFolder, match="no column path and no column reading"):
        read_labels(tmp_path)


def test_the_peers_answer_is_the_tallest_line_of_digits_alone():
    lines = [("No. 20417735", 44, 0.9), ("04471,2", 60, 0.8), ("240", 90, 0.9), ("1234 kWh", 50, 0.7)]
    found = choose(lines)
    assert (found["digits"], found["decimals"], found["confidence"]) == ("044712", 1, 0.8)
    assert found["anywhere"] == ["20417735", "044712", "1234"]
    assert choose([("No. 20417735", 44, 0.9)])["digits"] == "20417735"
    assert choose([("kWh", 50, 0.9)])["digits"] == ""


def test_a_made_up_history_leads_up_to_the_label_and_is_the_same_each_time():
    made = history.made_up("04471.2", "electricity roller", "1:a")
    assert made == history.made_up("04471.2", "electricity roller", "1:a")
    assert made != history.made_up("04471.2", "electricity roller", "1:b")
    found = history.as_history(made)
    values = [past.value for past in found.readings]
    assert (found.digits, found.decimals, len(values)) == (5, 1, 6)
    assert values == sorted(values)
    assert 0 < 4471.2 - float(values[-1]) < 4471.2 / 3
    assert history.made_up("1" * 13, "", "") is None


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    """RENDERED meters: two labelled truly, one falsely, one that is no meter, one that is no picture, one missing."""
    folder = tmp_path_factory.mktemp("photographs")
    for number, value in enumerate((123456, 44712, 73105)):
        (folder / f"{number}.jpg").write_bytes(render_meter(value, 5, 1, seed=number))
    (folder / "wall.jpg").write_bytes(render_no_meter(seed=3))
    (folder / "damaged.jpg").write_bytes(render_meter(1, seed=4)[:300])
    (folder / "labels.csv").write_text(
        "path,reading,kind,source\n0.jpg,12345.6,roller,true\n1.jpg,04471.2,roller,true\n"
        "2.jpg,88888888,roller,false\nwall.jpg,,none,false\ndamaged.jpg,12345,roller,false\ngone.jpg,1,roller,false\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def said(photographs, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    arguments = [str(photographs), "--with-history", "--json", "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "PEERS", ("tesseract",))
        patch.setattr(runner.shutil, "which", lambda _: None)
        result = CliRunner().invoke(command.main, arguments)
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return (
        out,
        {(row["table"], row.get("source"), row.get("reader"), row.get("history")): row for row in rows},
        result,
    )


def test_a_run_counts_what_the_eye_reads(photographs, said):
    _, rows, _ = said
    eye = Eye.shipped()
    right = 0
    for name, label in (("0.jpg", "12345.6"), ("1.jpg", "04471.2")):
        reading = eye.read((photographs / name).read_bytes())
        whole = len(reading.digits) - reading.decimals
        right += f"{reading.digits[:whole]}.{reading.digits[whole:]}".rstrip(".") == label
    assert rows["source", "true", None, None]["exact"] == right / 2
    assert rows["source", "false", None, None]["exact"] == 0
    whole = rows["all", None, None, None]
    assert (whole["pictures"], whole["with_reading"], whole["nothing_to_read"]) == (5, 4, 1)
    assert whole["exact"] == right / 4
    assert rows["history", None, None, True]["pictures"] == 4


def test_a_run_tells_milliseconds_memory_and_weights_of_a_process_of_its_own(said):
    cost = said[1]["cost", None, "rasd", None]
    assert cost["called"].startswith(Eye.shipped().name)
    assert cost["pictures"] == 5
    assert 0 < cost["cpu_median_ms"] <= cost["max_ms"]
    assert 50 < cost["peak_mb"] < 2000
    held = sum((Eye.shipped().folder / name).stat().st_size for name in Eye.shipped().files)
    assert cost["weights_mb"] >= held / 1e6


def test_what_is_missing_is_said_and_not_skipped(said):
    _, rows, result = said
    assert "not installed" in rows["readers", None, "tesseract", None]["missing"]
    assert "left out: gone.jpg: there is no such file" in result.stderr
    with pytest.raises(NotAPhotograph) as damaged:
        Eye.shipped().read(render_meter(1, seed=4)[:300])
    assert f"counted as not read: damaged.jpg: {damaged.value.code}" in result.stderr


def test_every_error_stands_on_a_sheet_that_opens(photographs, said):
    out, _, _ = said
    page = Image.open(out / "errors-01.png")
    page.load()
    assert page.width == 5 * 400
    html = (out / "index.html").read_text(encoding="utf-8")
    for part in ("errors-01.png", "reliability.svg", "rejection.svg", "MADE-UP", "gone.jpg"):
        assert part in html
    with (out / "readings.csv").open(encoding="utf-8", newline="") as file:
        readings = {row["path"]: row for row in csv.DictReader(file)}
    assert set(readings) == {"0.jpg", "1.jpg", "2.jpg", "wall.jpg", "damaged.jpg"}
    assert readings["2.jpg"]["rasd exact"] == "0"
    assert "<svg" in (out / "rejection.svg").read_text(encoding="utf-8")


def test_two_folders_are_compared_whole_and_by_kind():
    first, second = (Measured(Labels(Path(name))) for name in ("real", "rendered"))
    first.outcomes["rasd"], second.outcomes["rasd"] = SIX, SIX[:2]
    rows = gap([first, second]).rows
    assert [(row[0], row[1], row[2], row[4]) for row in rows] == [
        ("all: real", "6", "50.0", "+0.0"),
        ("all: rendered", "2", "100.0", "+50.0"),
        ("roller: real", "6", "50.0", "+0.0"),
        ("roller: rendered", "2", "100.0", "+50.0"),
    ]
    assert gap([first]) is None


def test_the_charts_show_what_was_counted():
    points = rejection_chart({"rasd": SIX})["layer"][1]["data"]["values"]
    assert points[0] == {"reader": "rasd", "answered": pytest.approx(1 / 6), "exact": 1.0}
    bins = reliability_chart(SIX, "rasd")["layer"][2]["data"]["values"]
    assert [(part["said"], part["right"]) for part in bins] == [
        (0.5, 0),
        (0.6, 1),
        (0.7, 0),
        (0.8, 1),
        (0.9, 1),
    ]


def test_a_reader_that_dies_is_named_and_the_rest_is_read(photographs, monkeypatch):
    line, lines = runner._Child._line, []

    def killed_while_it_reads_the_second(child):
        lines.append(child)
        if len(lines) == 3:  # it said that it was ready, and read the first
            child._process.kill()
        return line(child)

    monkeypatch.setattr(runner._Child, "_line", killed_while_it_reads_the_second)
    run = runner.run("eye", read_labels(photographs).pictures[:3])
    assert run.finished
    assert [answer.get("error") for answer in run.answers.values()] == [
        None, "the reader ended with status -9", None,
    ]  # fmt: skip


def test_an_interrupted_run_tells_what_is_done(photographs, monkeypatch):
    ask, asked = runner._Child.ask, []

    def interrupted_at_the_third(child, task):
        asked.append(task)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return ask(child, task)

    monkeypatch.setattr(runner._Child, "ask", interrupted_at_the_third)
    result = CliRunner().invoke(command.main, [str(photographs)])
    assert result.exit_code == 130
    assert "interrupted after 2 of 5" in result.stderr
    assert "(interrupted)" in result.stdout


def test_the_eye_that_is_named_is_the_one_that_is_measured(photographs, tmp_path):
    result = CliRunner().invoke(
        command.main, [str(photographs), "--without-peers", "--eye", str(tmp_path), "--limit", "1"]
    )
    assert result.exit_code != 0
    assert "the eye could not be started" in result.output


def test_a_folder_that_cannot_be_measured_is_wrong_usage(tmp_path):
    result = CliRunner().invoke(command.main, [str(tmp_path)])
    assert result.exit_code == 2
    assert "holds no labels.csv" in result.stderr


def test_the_command_takes_relative_folders_and_gives_on_the_status(tmp_path):
    (tmp_path / "mine").mkdir()
    rasd = [sys.executable, "-c", "from rasd.cli import main; main()", "bench", "vision", "mine"]
    done = subprocess.run(rasd, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "mine holds no labels.csv" in done.stderr
