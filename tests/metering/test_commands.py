"""``rasd import`` and ``rasd cycle`` say what they did on standard error, and how it went by their exit status."""

import json

import pytest
from click.testing import CliRunner

from rasd.metering.cli import cycle, import_
from rasd.metering.models import Cycle, Reading
from tests.metering.house import make_house

pytestmark = pytest.mark.django_db


def run(command, *arguments: object):
    return CliRunner().invoke(command, [str(one) for one in arguments])


@pytest.fixture
def readings(tmp_path):
    make_house("SP-9")
    path = tmp_path / "readings.csv"
    path.write_text("service_point,taken_at,value\nSP-9,2026-09-20,4100\n")
    return path


def test_all_rows_taken_is_status_0(readings):
    result = run(import_, "readings", readings)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 rows: 1 created, 0 changed, 0 known already, 0 left out" in result.stderr
    assert Reading.objects.count() == 1


def test_a_row_left_out_is_status_1_and_says_where_to_mend_it(readings):
    readings.write_text(readings.read_text() + "SP-9,2026-09-21,x\n")
    result = run(import_, "readings", readings)
    assert result.exit_code == 1
    assert "row 3, value: 'x' is not a number; write digits only" in result.stderr
    assert "readings.csv.errors.csv" in result.stderr.replace("\n", "")
    assert Reading.objects.count() == 1


def test_a_dry_run_keeps_nothing(readings):
    result = run(import_, "readings", readings, "--dry-run")
    assert result.exit_code == 0
    assert "nothing was kept" in result.stderr
    assert not Reading.objects.exists()


@pytest.mark.parametrize("arguments", [["readings"], ["readings", "nowhere.csv"], ["gas-points", "x.csv"]])
def test_a_wrong_call_is_status_2(arguments):
    assert run(import_, *arguments).exit_code == 2


def test_a_file_without_the_columns_is_status_2(readings):
    readings.write_text("a,b\n1,2\n")
    result = run(import_, "readings", readings)
    assert result.exit_code == 2
    assert "no column service_point" in result.stderr


def test_a_cycle_is_opened_and_shown():
    make_house()
    assert run(cycle, "open", "2026-11").exit_code == 0
    assert Cycle.objects.get().window_opens.day == 15
    shown = json.loads(run(cycle, "show", "2026-11", "--json").stdout)
    assert (shown["cycle"], shown["window_closes"], shown["points"], shown["missing"]) == (
        "2026-11",
        "2026-11-25",
        1,
        1,
    )
    assert "missing        1" in run(cycle, "show", "2026-11").stdout


def test_a_cycle_may_have_a_window_of_its_own():
    assert run(cycle, "open", "2026-11", "--from", "2026-11-01", "--to", "2026-11-10").exit_code == 0
    assert Cycle.objects.get().window_closes.day == 10


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["open", "2026-13"], "not a month"),
        (["show", "2026-11"], "there is no cycle '2026-11'; there are: none"),
        (["open", "2026-11", "--from", "soon"], "soon"),
    ],
)
def test_a_cycle_that_cannot_be_is_status_2(arguments, says):
    result = run(cycle, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
