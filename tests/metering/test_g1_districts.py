"""G1: a district may have days of its own in a cycle; everything that decides or tells a date goes by them."""

from datetime import date, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rasd.ledger.models import Entry
from rasd.metering.cli import open_cycle
from rasd.metering.models import Cycle, DistrictWindow, ServicePoint
from rasd.metering.models.windows import FaultyWindows
from tests.metering.house import MUSCAT, NOON, make_house, seen

BAWSHAR = (date(2026, 11, 3), date(2026, 11, 8))


def put(cycle, **windows):
    cycle.put_windows(windows, at=NOON, actor="user:test")


@pytest.mark.django_db
def test_g1_a_district_counts_by_its_own_days_and_the_others_by_the_cycles(november, house):
    elsewhere = ServicePoint(number="SP-9", account=house.account, district="صور")
    put(november, **{house.district: BAWSHAR})
    early, usual = (
        datetime(2026, 11, 8, 23, 59, tzinfo=MUSCAT),
        datetime(2026, 11, 20, 12, tzinfo=MUSCAT),
    )
    counted = [Cycle.containing(at, point) for point in (house, elsewhere) for at in (early, usual)]
    assert counted == [november, None, None, november]
    assert november.days_of(house) == BAWSHAR
    assert november.days_of(elsewhere) == (november.window_opens, november.window_closes)


@pytest.mark.django_db
def test_g1_a_submission_is_counted_by_the_district_of_its_service_point(november, house, send):
    put(november, **{house.district: BAWSHAR})
    assert send(house, seen(4300), at=datetime(2026, 11, 5, 9, tzinfo=MUSCAT)).cycle == november
    outside = send(house, seen(4300), at=NOON, identifier=f"{house.account}")
    assert outside.cycle is None


@pytest.mark.django_db
def test_g1_within_a_district_no_two_cycles_share_a_day(november, house):
    december = Cycle.open("2026-12", at=NOON, actor="user:test")
    with pytest.raises(FaultyWindows, match="shares a day with that of cycle 2026-11; choose other days"):
        put(december, **{house.district: (date(2026, 11, 25), date(2026, 12, 2))})
    put(december, **{house.district: (date(2026, 12, 18), date(2026, 12, 22))})
    put(november, **{house.district: (date(2026, 11, 28), date(2026, 12, 17))})
    with pytest.raises(FaultyWindows, match="2026-11"):
        put(december)
    assert december.district_windows.count() == 1


@pytest.mark.django_db
def test_windows_are_put_once_and_recorded_and_a_closed_cycle_keeps_its_own(november, house):
    put(november, **{house.district: BAWSHAR})
    put(november, **{house.district: BAWSHAR})
    entries = Entry.objects.filter(action="cycle.windows")
    assert entries.get().facts["to"] == {house.district: ["2026-11-03", "2026-11-08"]}
    Cycle.objects.update(closed_at=NOON)
    with pytest.raises(ValueError, match="closed"):
        put(november)


@pytest.mark.django_db
def test_windows_come_from_a_file_or_not_at_all_and_the_error_names_row_field_and_mend(tmp_path):
    make_house()
    file = tmp_path / "windows.csv"
    file.write_text(
        "المنطقة,من,إلى\nبوشر,3/11/2026,2026-11-08\nبوشر,2026-11-03,soon\n,2026-11-03,2026-11-04\n"
    )
    said = CliRunner().invoke(open_cycle, ["2026-11", "--windows", str(file)])
    assert said.exit_code == 2
    assert "row 3, district: 'بوشر' is there twice; leave one of the two" in said.output
    assert "row 4, district: is empty; fill it in" in said.output
    assert not Cycle.objects.exists()
    district = ServicePoint.objects.get().district
    file.write_text(f"district,opens,closes\n{district},3/11/2026,2026-11-08\n")
    assert CliRunner().invoke(open_cycle, ["2026-11", "--windows", str(file)]).exit_code == 0
    window = DistrictWindow.objects.get()
    assert (window.opens, window.closes) == BAWSHAR


class TestG1Districts(TestCase):
    @given(
        opens=st.integers(1, 28),
        length=st.integers(0, 10),
        day=st.integers(1, 30),
    )
    def test_g1_a_moment_counts_exactly_when_its_day_is_in_the_districts_window(self, opens, length, day):
        point = make_house()
        cycle = Cycle.open("2026-11", at=NOON, actor="user:test")
        last = min(opens + length, 30)
        put(cycle, **{point.district: (date(2026, 11, opens), date(2026, 11, last))})
        sent_at = datetime(2026, 11, day, 23, 59, tzinfo=MUSCAT)
        assert (Cycle.containing(sent_at, point) == cycle) is (opens <= day <= last)
