"""What is trained on and what is measured on have no meter in common, and labels are mended only where they were looked at."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import sources
from sources import CLEAR, HELD_BACK, LABELS, Labelled, labelled

SEEN = [
    row
    for name in ("rollers.csv", "displays.csv")
    for row in csv.DictReader((LABELS / name).open(encoding="utf-8", newline=""))
]
CORRECTED = list(csv.DictReader((LABELS / "corrections.csv").open(encoding="utf-8", newline="")))


def source_of(path: str) -> str:
    folder = Path(path).parts[1]
    return sources.NAMES.get(folder, folder.split("_")[0])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of pictures as the recipe expects it, with one picture that came with a label and one that was corrected."""
    columns = "path,reading,kind,licence,digit_boxes,label_check"
    corrected = next(
        row
        for row in CORRECTED
        if row["path"].startswith("more/toloka") and row["reading"] != row["was"] and row["reading"]
    )
    name = corrected["path"].split("/", 2)[2]
    # Trailing zeros were dropped in this source, and leading ones.
    came = corrected["was"].lstrip("0").rstrip("0")
    rows = {
        "toloka_water_ru": f"{name},{came},whole roller,x,counter:0.5,0.5,0.4,0.1,ok",
        "misc_small_repos": "images/none.jpg,00123,whole roller,MIT,,ok",
    }
    for folder, row in rows.items():
        (tmp_path / "more" / folder).mkdir(parents=True)
        fields = row.split(",")
        if folder.startswith("toloka"):
            row = f'{fields[0]},{fields[1]},{fields[2]},x,"counter:0.5,0.5,0.4,0.1",ok'
        (tmp_path / "more" / folder / "labels.csv").write_text(f"{columns}\n{row}\n", encoding="utf-8")
        picture = tmp_path / "more" / folder / row.split(",")[0]
        picture.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(picture), np.zeros((90, 120, 3), np.uint8))
    (tmp_path / "meters").mkdir()
    (tmp_path / "meters/labels.csv").write_text("path,reading,digit_boxes,label_check\n", encoding="utf-8")
    return tmp_path


def test_no_meter_of_a_held_back_source_is_in_another_source() -> None:
    of_meter: dict[str, set[bool]] = {}
    for row in SEEN:
        if row["meter"]:
            of_meter.setdefault(row["meter"], set()).add(source_of(row["path"]) in HELD_BACK)
    assert len(of_meter) > 500
    assert [name for name, sides in of_meter.items() if len(sides) > 1] == []


def test_what_is_held_back_is_whole_sources(data: Path) -> None:
    sides = {item.source: set() for item in labelled(data)}
    for item in labelled(data):
        sides[item.source].add(item.held_back)
    assert sides["misc"] == {True}
    assert sides["toloka"] == {False}
    assert all(len(side) == 1 for side in sides.values())
    assert not set(HELD_BACK) & CLEAR


def test_only_what_is_trained_on_was_corrected_so_that_no_figure_is() -> None:
    assert CORRECTED
    assert {source_of(row["path"]) for row in CORRECTED} & set(HELD_BACK) == set()
    assert all(row["reason"] for row in CORRECTED)
    assert {row["path"] for row in CORRECTED} & {row["path"] for row in SEEN} == set()


def test_a_correction_takes_the_place_of_the_label_that_was_looked_at(data: Path) -> None:
    row = next(
        row
        for row in CORRECTED
        if row["path"].startswith("more/toloka") and row["reading"] != row["was"] and row["reading"]
    )
    (found,) = (item for item in labelled(data) if str(item.path.relative_to(data)) == row["path"])
    assert found.reading == row["reading"] != ""
    assert not found.settled, "its last wheel was not looked at"


def test_a_label_that_changed_since_it_was_corrected_is_refused() -> None:
    item = Labelled(Path("a.jpg"), "toloka", "roller", "00012.345", True, None, True, True)
    row = {"path": "a.jpg", "was": "00012.346", "reading": "00012.345", "turned": "", "reason": "x"}
    with pytest.raises(ValueError, match=r"'00012\.346' was corrected"):
        sources._corrected(item, row)


def test_a_counter_marked_from_the_wrong_end_begins_at_the_other() -> None:
    quad = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    item = Labelled(Path("a.jpg"), "toloka", "roller", "12", True, quad, True, True)
    turned = sources._corrected(item, {"was": "12", "reading": "12", "turned": "1", "reason": "x"})
    assert turned.quad.tolist() == [[1, 1], [0, 1], [0, 0], [1, 0]]
    assert not turned.settled


def test_where_no_register_says_where_the_point_stands_it_is_part_of_the_reading() -> None:
    item = Labelled(Path("a.jpg"), "misc", "lcd", "123.4", True, None, True, True)
    assert item.is_read_by("1234")
    assert item.is_told_by("1234", 1)
    assert not item.is_told_by("1234", 0)
    without = Labelled(Path("a.jpg"), "misc", "lcd", "1234", True, None, True, True)
    assert without.is_told_by("1234", 1), "its label says nothing about a point"


def test_a_wheel_that_nobody_could_tell_may_be_read_and_moves_the_point() -> None:
    item = Labelled(Path("a.jpg"), "analog", "roller", "0736.1", True, None, True, True, untold=1)
    assert item.is_told_by("073615", 2)
    assert item.is_told_by("07361", 1)
    assert not item.is_told_by("073615", 1)
