"""What meter readers bring: kept as it came in, once however often it is brought, and a reading where a meter hung (G2, G4)."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rasd.ledger.models import Entry
from rasd.metering import signals
from rasd.metering.importing import import_field_reads, import_readings, import_routes
from rasd.metering.importing.bringing import Visit, bring
from rasd.metering.models import Cycle, FieldRead, Meter, Photograph, Reader, Reading, Route, ServicePoint
from tests.metering.house import MUSCAT, NOON, give_history, make_house, seen

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WHO = {"at": NOW, "actor": "user:test"}
VISIT = Visit("R-1", "k1", NOON, service_point="SP-1", value=Decimal(4310))


@pytest.fixture
def reader(house: ServicePoint, november: Cycle) -> Reader:
    reader = Reader.objects.create(code="R-1", name="Reader One")
    house.route = Route.objects.create(number="B-01", district="Bawshar", reader=reader)
    house.save()
    return reader


LONG = "x" * 300  # no file's name can be so long


def write(folder: Path, *lines: str, name: str = "reads.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def errors(path: Path) -> list[tuple[str, str, str]]:
    with path.with_name(path.name + ".errors.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(one["#row"], one["#field"], one["#problem"]) for one in csv.DictReader(file)]


def test_g2_a_visit_with_a_value_is_kept_and_makes_a_reading_of_its_months_cycle(reader, house, november):
    brought = FieldRead.bring(VISIT, **WHO)
    assert (brought.service_point, brought.cycle, brought.route) == (house, november, house.route)
    made = brought.reading
    assert (made.value, made.source, made.taken_at, made.cycle) == (4310, "field", NOON, november)
    assert made.register == brought.register == house.current_register
    assert Entry.objects.filter(action="field_read.brought", subject=str(brought)).count() == 1


def test_a_visit_without_access_is_kept_with_its_reason_and_makes_no_reading(reader):
    before = Reading.objects.count()
    brought = FieldRead.bring(replace(VISIT, value=None, no_access="dog"), **WHO)
    assert (brought.no_access, brought.reading) == ("dog", None)
    assert Reading.objects.count() == before


def test_a_visit_is_never_overwritten(reader):
    FieldRead.bring(VISIT, **WHO)
    with pytest.raises(ValueError, match=r"^key: k1 of reader R-1 is on record with other content"):
        FieldRead.bring(replace(VISIT, value=Decimal(4311)), **WHO)
    with pytest.raises(
        ValueError, match=r"^value: a meter reader's 4310 is on record for the same meter and moment"
    ):
        FieldRead.bring(replace(VISIT, key="k2", value=Decimal(4311)), **WHO)
    assert FieldRead.objects.get().value == 4310


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"reader": "R-9"}, "reader: R-9 is not on record"),
        ({"service_point": "SP-9"}, "service_point: SP-9 is not on record"),
        ({"service_point": "", "serial": "NOSUCH"}, "serial: no meter NOSUCH hung anywhere on 2026-11-20"),
        (
            {"visited_at": NOW + timedelta(days=2)},
            "visited_at: .* is in the future; set the handheld's clock",
        ),
        ({"cycle": "2026-08"}, "cycle: 2026-08 is not open; leave it empty"),
        ({"route": "X"}, "route: X is not on record"),
        ({"no_access": "dog"}, "value: .*; give one of the two"),
    ],
)
def test_what_is_refused_is_told_by_field_and_mend(reader, change, told):
    with pytest.raises(ValueError, match=f"^{told}"):
        FieldRead.bring(replace(VISIT, **change), **WHO)
    assert not FieldRead.objects.exists()


def test_what_the_rules_of_the_month_are_to_find_is_kept(reader, house):
    """A value with too many digits, and a meter that hangs elsewhere: who could not hand it in would write it on paper."""
    high = FieldRead.bring(replace(VISIT, value=Decimal(431000)), **WHO)
    assert high.reading.value == 431000
    other = FieldRead.bring(
        replace(VISIT, key="k2", serial="OTHER1", visited_at=NOON + timedelta(hours=1)), **WHO
    )
    assert (other.serial, other.register, other.reading, other.value) == ("OTHER1", None, None, 4310)


def test_the_meter_is_the_one_that_hung_there_on_that_day(reader, house):
    old = house.current_meter
    old.removed_on = date(2026, 11, 18)
    old.save()
    new = Meter.objects.create(service_point=house, serial="NEW1", installed_on=date(2026, 11, 18))
    new.registers.create(digits=6)
    before = FieldRead.bring(replace(VISIT, visited_at=NOON - timedelta(days=3)), **WHO)
    after = FieldRead.bring(replace(VISIT, key="k2"), **WHO)
    assert (before.register.meter, after.register.meter) == (old, new)


def test_a_visit_after_the_cycle_was_closed_is_kept_for_none(reader, november):
    november.closed_at = NOW
    november.save()
    brought = FieldRead.bring(VISIT, **WHO)
    assert (brought.cycle, brought.reading.cycle) == (None, None)


def test_a_reading_imported_before_is_the_one_of_the_visit(reader, house, tmp_path):
    import_readings(write(tmp_path, "service_point,taken_at,value", "SP-1,2026-11-20 12:00,4310"), **WHO)
    there = Reading.objects.get(taken_at=NOON)
    assert FieldRead.bring(VISIT, **WHO).reading == there


MOMENTS = st.integers(0, 5).map(lambda hours: NOON - timedelta(hours=hours))
VISITS = st.builds(
    Visit,
    reader=st.sampled_from(["R-1", "R-2"]),
    key=st.sampled_from("abcd"),
    visited_at=MOMENTS,
    service_point=st.sampled_from(["SP-1", "SP-2", "SP-9"]),
    value=st.none() | st.integers(0, 99_999).map(Decimal),
    no_access=st.sampled_from(["", "locked"]),
)


def on_record() -> list[tuple[object, ...]]:
    columns = (
        "reader__code",
        "key",
        "service_point__number",
        "visited_at",
        "value",
        "no_access",
        "reading__value",
    )
    return sorted(FieldRead.objects.values_list(*columns), key=str)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    visits=st.lists(VISITS, max_size=8, unique_by=lambda visit: (visit.reader, visit.key)),
    cut=st.integers(0, 8),
)
def test_brought_whole_or_in_pieces_or_again_it_is_the_same_on_record(reader, visits, cut):
    with transaction.atomic():
        make_house("SP-2")
        Reader.objects.create(code="R-2", name="Reader Two")
        numbered = list(enumerate(visits))
        with transaction.atomic():
            whole = bring(numbered, at=NOW)
            told = on_record()
            transaction.set_rollback(True)
        first, second = bring(numbered[:cut], at=NOW), bring(numbered[cut:], at=NOW)
        assert on_record() == told
        assert {one.place for one in whole.refused} == {one.place for one in first.refused + second.refused}
        again = bring([*numbered, *((place + 10, visit) for place, visit in numbered)], at=NOW)
        assert on_record() == told
        assert again.created == {}
        assert len(again.known) + len({one.place for one in again.refused}) == 2 * len(visits)
        for pk in again.known.values():
            one = FieldRead.objects.get(pk=pk)
            assert (one.reading.value if one.reading else None) == one.value
        transaction.set_rollback(True)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    value=st.decimals(0, 99_999, places=0),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    arabic=st.booleans(),
)
def test_a_row_says_the_same_in_arabic_and_latin_digits(reader, tmp_path, value, hour, minute, arabic):
    row = f"R-1,SP-1,2026-11-19 {hour:02}:{minute:02},{value},23.588,58.4"
    if arabic:
        row = row.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    with transaction.atomic():
        path = write(tmp_path, "رمز القارئ,نقطة الخدمة,وقت الزيارة,القراءة,lat,lon", row)
        assert import_field_reads(path, **WHO).created == 1
        (made,) = FieldRead.objects.all()
        assert (made.value, made.latitude) == (value, 23.588)
        assert made.visited_at == datetime(2026, 11, 19, hour, minute, tzinfo=MUSCAT)
        again = import_field_reads(path, **WHO)
        assert (again.created, again.unchanged, again.problems) == (0, 1, [])
        transaction.set_rollback(True)


def test_a_file_of_field_reads_keeps_what_is_valid_and_says_what_is_not(reader, tmp_path, monkeypatch):
    told = []
    receiver = lambda photograph, **_: told.append(photograph)  # noqa: E731
    signals.field_photograph_kept.connect(receiver)
    Image.new("L", (320, 240)).save(tmp_path / "one.jpg")
    path = write(
        tmp_path,
        "reader,key,service_point,visited_at,value,no_access,photograph",
        "R-1,a,SP-1,2026-11-20 08:00,4310,,one.jpg",
        "R-1,b,SP-1,2026-11-20 09:00,,dog,",
        "R-1,c,SP-1,2026-11-20 10:00,4310,dog,",
        "R-1,d,SP-1,2026-11-20 10:00,4310,,../secret",
        f"R-1,g,SP-1,2026-11-20 10:30,4310,,{LONG}",
        "R-1,h,SP-1,2026-11-20 10:40,4310,,reads.csv",
        "R-1,e,SP-1,2026-11-20 11:00,,flood,",
        "R-7,f,SP-1,2026-11-20 11:00,1,,",
        "R-1,a,SP-1,2026-11-20 08:00,4310,,one.jpg",
    )
    outcome = import_field_reads(path, **WHO)
    assert (outcome.created, outcome.unchanged, len(outcome.problems)) == (2, 1, 6)
    assert errors(path) == [
        ("4", "value", "and no_access are both filled in"),
        ("5", "photograph", "'../secret' is no file beside the table"),
        ("6", "photograph", f"'{LONG}' is no file beside the table"),
        ("7", "photograph", "'reads.csv' is no photograph"),
        ("8", "no_access", "'flood' is not known"),
        ("9", "reader", "R-7 is not on record"),
    ]
    picture = FieldRead.objects.get(key="a").photograph
    assert told == [picture]
    assert (picture.submission, picture.sent_at) == (None, datetime(2026, 11, 20, 8, tzinfo=MUSCAT))
    assert Entry.objects.filter(action="records.imported", subject="import:field-reads").count() == 1
    signals.field_photograph_kept.disconnect(receiver)


def test_a_dry_run_keeps_neither_visits_nor_photographs(reader, tmp_path):
    Image.new("L", (320, 240)).save(tmp_path / "one.jpg")
    path = write(tmp_path, "reader,service_point,visited_at,value,photo", "R-1,SP-1,2026-11-20,4310,one.jpg")
    assert import_field_reads(path, dry_run=True, **WHO).created == 1
    assert not FieldRead.objects.exists()
    assert not Photograph.objects.exists()


def test_routes_come_in_with_readers_and_stops_and_again_change_nothing(house, tmp_path):
    make_house("SP-2")
    path = write(
        tmp_path,
        "route,district,reader,reader_name,service_point,stop",
        "B-01,Bawshar,R-1,Reader One,SP-1,1",
        "B-01,,,,SP-2,٢",
        "B-01,,R-2,,,",
        "B-02,,,,SP-2,1",
        "B-02,,,,SP-9,2",
    )
    outcome = import_routes(path, **WHO)
    assert (outcome.created, len(outcome.problems)) == (1, 3)
    assert errors(path) == [
        ("4", "reader", "row 2 gives this route to R-1"),
        ("5", "service_point", "row 3 puts it elsewhere"),
        ("6", "service_point", "SP-9 is not on record"),
    ]
    route = Route.objects.get()
    assert (route.number, route.district, route.reader.name) == ("B-01", "Bawshar", "Reader One")
    assert list(route.service_points.order_by("stop").values_list("number", "stop")) == [
        ("SP-1", 1),
        ("SP-2", 2),
    ]
    again = import_routes(path, **WHO)
    assert (again.created, again.changed, again.unchanged) == (0, 0, 2)


def test_g4_the_eye_looks_at_the_readers_photograph_as_at_a_customers(reader, house, eye, send):
    """It is given the register and the history; a photograph used before is found, and no customer is blamed for the reader's."""
    send(house, seen(4300), at=NOON - timedelta(days=1))
    field_read = FieldRead.bring(VISIT, **WHO)
    photograph = field_read.keep_photograph(eye.shows(b"picture 0", seen(4300)))
    photograph = Photograph.objects.get(pk=photograph.pk)
    photograph.read(NOW)
    assert eye.calls[-1]["register"] == house.current_register.hint
    assert eye.calls[-1]["history"] is not None
    assert photograph.seen["value"] == "4300"
    assert photograph.same_as == Photograph.objects.get(submission__isnull=False)
    assert Photograph.objects.get(submission__isnull=False).same_as is None
    with pytest.raises(ValueError, match="has another one, which is evidence"):
        field_read.keep_photograph("0" * 64)


def test_a_house_without_a_past_is_read_as_well(reader, november):
    make_house("SP-2")
    brought = FieldRead.bring(replace(VISIT, service_point="SP-2"), **WHO)
    give_history(brought.service_point)
    assert brought.reading.value == 4310
