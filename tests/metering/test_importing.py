"""Importing keeps what is valid, says of every other row what is wrong and how to mend it, and can be repeated."""

import csv
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from rasd.ledger.models import Entry
from rasd.metering.importing import UnreadableTable, import_readings, import_service_points
from rasd.metering.models import Account, AccountContact, Meter, Reading, Register, ServicePoint
from tests.metering.house import MUSCAT, give_history, make_house

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WHO = {"at": NOW, "actor": "user:test"}

HEADER = "service_point,account,holder_name,phones,commodity,place,district,meter_serial,installed_on,digits,decimals"
GOOD = "SP-7,A-7,Customer Seven,9123 4567;+968 92345678,electricity,House 7,Bawshar,E 777-01,2024-01-05,5,1"


def write(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "points.csv") -> Path:
    path = folder / name
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def errors(path: Path) -> list[dict[str, str]]:
    with path.with_name(path.name + ".errors.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_service_point_comes_in_whole(tmp_path):
    outcome = import_service_points(write(tmp_path, HEADER, GOOD), **WHO)
    assert (outcome.rows, outcome.created, outcome.changed, outcome.unchanged) == (1, 1, 0, 0)
    point = ServicePoint.objects.get(number="SP-7")
    assert (point.place, point.district, point.account.holder_name) == (
        "House 7",
        "Bawshar",
        "Customer Seven",
    )
    assert point.current_meter.serial == "E77701"
    assert point.current_meter.installed_on == date(2024, 1, 5)
    register = point.current_register
    assert (register.name, register.digits, register.decimals, register.unit) == ("1.8.0", 5, 1, "kWh")
    assert list(ServicePoint.of("tel:+96891234567")) == [point]
    assert list(ServicePoint.of("tel:+96892345678")) == [point]
    assert outcome.errors_file is None


def test_importing_it_again_changes_nothing(tmp_path):
    path = write(tmp_path, HEADER, GOOD)
    import_service_points(path, **WHO)
    outcome = import_service_points(path, **WHO)
    assert (outcome.created, outcome.changed, outcome.unchanged) == (0, 0, 1)
    counts = [one.objects.count() for one in (Account, AccountContact, ServicePoint, Meter, Register)]
    assert counts == [1, 2, 1, 1, 1]


def test_a_dry_run_says_the_same_and_keeps_nothing(tmp_path):
    outcome = import_service_points(write(tmp_path, HEADER, GOOD), dry_run=True, **WHO)
    assert outcome.created == 1
    assert not ServicePoint.objects.exists()
    assert not Entry.objects.exists()


def test_g12_an_import_is_on_record(tmp_path):
    import_service_points(write(tmp_path, HEADER, GOOD), **WHO)
    entry = Entry.objects.get()
    assert (entry.actor, entry.action, entry.facts["created"]) == ("user:test", "records.imported", 1)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("service_point", "", "is empty"),
        ("account", "9" * 41, "41 characters"),
        ("holder_name", "", "is empty"),
        ("phones", "12", "not a telephone number"),
        ("phones", "91234567;abc", "not a telephone number"),
        ("commodity", "gas", "not known"),
        ("meter_serial", "—", "neither letters nor digits"),
        ("installed_on", "2024-13-05", "not a date"),
        ("installed_on", "", "is empty"),
        ("digits", "0", "not a whole number from 1 to 9"),
        ("digits", "", "is empty"),
        ("decimals", "x", "not a whole number from 0 to 3"),
    ],
)
def test_what_is_wrong_with_a_row_is_written_beside_the_file_and_the_others_are_kept(
    tmp_path, column, value, problem
):
    cells = dict(zip(HEADER.split(","), GOOD.replace("SP-7", "SP-8").split(","), strict=True))
    bad = ",".join({**cells, column: value}.values())
    path = write(tmp_path, HEADER, bad, GOOD)
    outcome = import_service_points(path, **WHO)
    assert list(ServicePoint.objects.values_list("number", flat=True)) == ["SP-7"]
    assert outcome.errors_file == tmp_path / "points.csv.errors.csv"
    [error] = errors(path)
    assert (error["#row"], error["#field"]) == ("2", column)
    assert problem in error["#problem"]
    assert error["#mend"]
    assert error[column] == value


def test_the_errors_file_mended_in_place_can_itself_be_imported(tmp_path):
    path = write(tmp_path, HEADER, GOOD.replace(",5,1", ",55,1"))
    mended = import_service_points(path, **WHO).errors_file
    mended.write_text(mended.read_text(encoding="utf-8-sig").replace(",55,1", ",5,1"), encoding="utf-8-sig")
    outcome = import_service_points(mended, **WHO)
    assert (outcome.created, outcome.problems) == (1, [])


def test_an_errors_file_of_an_earlier_run_goes_when_all_is_well(tmp_path):
    path = write(tmp_path, HEADER, GOOD.replace(",5,1", ",55,1"))
    left = import_service_points(path, **WHO).errors_file
    write(tmp_path, HEADER, GOOD)
    import_service_points(path, **WHO)
    assert not left.exists()


def test_a_service_point_listed_twice_is_taken_once(tmp_path):
    path = write(tmp_path, HEADER, GOOD, GOOD.replace("House 7", "House 8"))
    import_service_points(path, **WHO)
    assert ServicePoint.objects.get().place == "House 7"
    assert "stands in row 2 already" in errors(path)[0]["#problem"]


ARABIC = "رقم نقطة الخدمة;رقم الحساب;اسم صاحب الحساب;الهواتف;العنوان;الولاية;رقم العداد;تاريخ التركيب;عدد الأرقام;الخدمة"
ARABIC_ROW = "٧٠١;٧٠;سالم التجريبي;٩١٢٣٤٥٦٧;منزل ٧;بوشر;ع٨٨٨٠١;٠٥/٠١/٢٠٢٤;٥;مياه"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1256", "utf-16"])
def test_headings_and_digits_may_be_arabic_in_any_of_the_usual_encodings(tmp_path, encoding):
    # Windows-1256 has no Arabic-Indic digits: such files come with 0 to 9.
    row = ARABIC_ROW
    if encoding == "windows-1256":
        row = row.translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
    outcome = import_service_points(write(tmp_path, ARABIC, row, encoding=encoding), **WHO)
    assert outcome.problems == []
    point = ServicePoint.objects.get(number="701")
    assert (point.account.holder_name, point.commodity) == ("سالم التجريبي", "water")
    assert point.current_meter.serial == "88801"
    assert point.current_meter.installed_on == date(2024, 1, 5)
    assert (point.current_register.name, point.current_register.unit) == ("8-0:1.0.0", "m³")
    assert list(ServicePoint.of("tel:+96891234567")) == [point]


def test_a_column_that_is_not_there_leaves_what_is_on_record(tmp_path):
    import_service_points(write(tmp_path, HEADER + ",language,latitude", GOOD + ",en,23.5"), **WHO)
    short = "service_point,account,holder_name,meter_serial,installed_on,digits"
    outcome = import_service_points(
        write(tmp_path, short, "SP-7,A-7,Customer Seven the Second,E77701,2024-01-05,5"), **WHO
    )
    assert outcome.changed == 1
    point = ServicePoint.objects.get()
    assert point.account.holder_name == "Customer Seven the Second"
    assert (point.account.language, point.latitude, point.place) == ("en", 23.5, "House 7")
    assert point.current_register.decimals == 1
    assert point.account.contacts.count() == 2


def test_a_number_given_up_no_longer_speaks_for_the_account_but_one_that_was_proved_does(tmp_path):
    import_service_points(write(tmp_path, HEADER, GOOD), **WHO)
    AccountContact.objects.create(account=Account.objects.get(), identifier="tel:+96899999999", known="name")
    import_service_points(write(tmp_path, HEADER, GOOD.replace(";+968 92345678", "")), **WHO)
    kept = set(AccountContact.objects.values_list("identifier", flat=True))
    assert kept == {"tel:+96891234567", "tel:+96899999999"}


def test_another_serial_installed_later_is_an_exchange_and_the_old_meter_keeps_its_readings(tmp_path):
    import_service_points(write(tmp_path, HEADER, GOOD), **WHO)
    give_history(ServicePoint.objects.get())
    exchanged = GOOD.replace("E 777-01,2024-01-05", "E 888-01,2026-11-01")
    outcome = import_service_points(write(tmp_path, HEADER, exchanged), **WHO)
    assert outcome.changed == 1
    point = ServicePoint.objects.get()
    assert point.current_meter.serial == "E88801"
    old = Meter.objects.get(serial="E77701")
    assert (old.removed_on, old.registers.get().readings.count()) == (date(2026, 11, 1), 13)
    history = point.history(NOW)
    assert history.meter_changed
    assert len(history.readings) == 13


def test_an_old_file_does_not_bring_an_exchanged_meter_back(tmp_path):
    path = write(tmp_path, HEADER, GOOD)
    import_service_points(path, **WHO)
    exchanged = GOOD.replace("E 777-01,2024-01-05", "E 888-01,2026-11-01")
    import_service_points(write(tmp_path, HEADER, exchanged, name="new.csv"), **WHO)
    import_service_points(path, **WHO)
    assert ServicePoint.objects.get().current_meter.serial == "E88801"
    assert "installed no later" in errors(path)[0]["#problem"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2", "no column service_point"),
        (HEADER.replace("account", "konto").encode(), "no column account"),
        ((HEADER + ",address").encode(), "column place is there twice"),
        (b"\x00\x01\x02\x00", "neither CSV nor XLSX"),
        (b"PK\x03\x04 not really", "cannot be opened as a workbook"),
    ],
)
def test_a_file_that_is_no_table_says_so_and_how_to_mend_it(tmp_path, content, says):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableTable, match=says):
        import_service_points(path, **WHO)


def sheet(path: Path, *rows: list[object]) -> Path:
    """The least workbook that is one (ECMA-376): dates as serial numbers in style 1."""

    def cell(value: object) -> str:
        if isinstance(value, date):
            return f'<c s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "_rels/.rels",
            f'<Relationships {package}><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships {package}><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        )
        file.writestr(
            "xl/styles.xml",
            f'<styleSheet {main}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
        )
        file.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{body}</sheetData></worksheet>"
        )
    return path


def test_a_workbook_is_read_with_its_dates_and_whole_numbers(tmp_path):
    header = HEADER.split(",")
    row = [
        "SP-7",
        70,
        "Customer Seven",
        91234567,
        "electricity",
        "House 7",
        "Bawshar",
        77701,
        date(2024, 1, 5),
        5,
        1,
    ]
    outcome = import_service_points(sheet(tmp_path / "points.xlsx", header, row), **WHO)
    assert outcome.problems == []
    point = ServicePoint.objects.get()
    assert (point.account.number, point.current_meter.serial) == ("70", "77701")
    assert point.current_meter.installed_on == date(2024, 1, 5)
    assert list(ServicePoint.of("tel:+96891234567")) == [point]


# Readings

READINGS = "service_point,taken_at,value,source"


def test_readings_come_in_at_the_utilitys_own_time(tmp_path):
    house = make_house("SP-9")
    path = write(
        tmp_path,
        READINGS,
        "SP-9,2026-09-20,4100,field",
        "SP-9,2026-10-20 14:05,٤٢٠٠,customer",
        "SP-9,20/08/2026 08:30,4000,estimate",
        "SP-9,2026-07-20T08:30:00+00:00,3900,",
    )
    outcome = import_readings(path, **WHO)
    assert (outcome.created, outcome.problems) == (4, [])
    got = {
        (
            one.taken_at.astimezone(MUSCAT).isoformat(" ", "minutes")[:16],
            int(one.value),
            one.source,
            one.quality,
        )
        for one in house.readings.all()
    }
    assert got == {
        ("2026-09-20 12:00", 4100, "field", "valid"),
        ("2026-10-20 14:05", 4200, "customer", "valid"),
        ("2026-08-20 08:30", 4000, "estimate", "estimated"),
        ("2026-07-20 12:30", 3900, "field", "valid"),
    }
    assert [int(one.value) for one in house.history(NOW).readings] == [3900, 4100, 4200]


def test_importing_readings_again_changes_nothing_and_never_overwrites(tmp_path):
    make_house("SP-9")
    path = write(tmp_path, READINGS, "SP-9,2026-09-20,4100,field")
    import_readings(path, **WHO)
    again = import_readings(path, **WHO)
    assert (again.created, again.unchanged, again.problems) == (0, 1, [])
    other = write(tmp_path, READINGS, "SP-9,2026-09-20,4999,field", name="other.csv")
    [problem] = import_readings(other, **WHO).problems
    assert (problem.field, problem.problem) == (
        "value",
        "4100 is on record for the same meter, source and time",
    )
    assert Reading.objects.get().value == 4100


@pytest.mark.parametrize(
    ("line", "field", "says"),
    [
        ("SP-1,2026-09-20,4100,field", "service_point", "SP-1 is not on record"),
        (",2026-09-20,4100,field", "service_point", "is empty"),
        ("SP-9,2023-09-20,4100,field", "taken_at", "no such meter hung at SP-9 on 2023-09-20"),
        ("SP-9,2027-09-20,4100,field", "taken_at", "is in the future"),
        ("SP-9,soon,4100,field", "taken_at", "is not a date"),
        ("SP-9,2026-09-20,100000,field", "value", "100000 is more than a counter of 5 digits shows"),
        ("SP-9,2026-09-20,-5,field", "value", "is not a number"),
        ("SP-9,2026-09-20,41.5,field", "value", "41.5 has more decimals than the 0"),
        ("SP-9,2026-09-20,,field", "value", "is empty"),
        ("SP-9,2026-09-20,4100,guess", "source", "is not known"),
        ("SP-9,2026-08-20,4101,field", "value", "row 2 says 4000 for the same meter"),
    ],
)
def test_a_reading_that_cannot_be_is_left_out_with_its_mend(tmp_path, line, field, says):
    make_house("SP-9")
    path = write(tmp_path, READINGS, "SP-9,2026-08-20,4000,field", line)
    outcome = import_readings(path, **WHO)
    [problem] = outcome.problems
    assert (problem.row.number, problem.field) == (3, field)
    assert says in problem.problem
    assert problem.mend
    assert [int(one.value) for one in Reading.objects.all()] == [4000]
    assert (outcome.created, outcome.unchanged) == (1, 0)


def test_readings_may_be_told_by_the_meters_serial_unless_several_have_it(tmp_path):
    make_house("SP-9", serial="E1234567")
    make_house("SP-8", serial="E7777777")
    make_house("SP-7", serial="E7777777")
    path = write(
        tmp_path, "رقم العداد,تاريخ القراءة,القراءة", "e 1234567,2026-09-20,4100", "E7777777,2026-09-20,4100"
    )
    [problem] = import_readings(path, **WHO).problems
    assert problem.problem == "E7777777 is the serial of several meters"
    assert Reading.objects.get().service_point.number == "SP-9"


def test_a_reading_belongs_to_the_meter_that_hung_there_on_that_day(tmp_path):
    house = make_house("SP-9", serial="OLD123")
    Meter.objects.update(removed_on=date(2026, 9, 1))
    new = Meter.objects.create(service_point=house, serial="NEW123", installed_on=date(2026, 9, 1))
    Register.objects.create(meter=new, digits=6, decimals=1)
    path = write(tmp_path, READINGS, "SP-9,2026-08-31,99000,field", "SP-9,2026-09-01,12.5,field")
    assert import_readings(path, **WHO).problems == []
    values = {one.register.meter.serial: one.value for one in Reading.objects.all()}
    assert values == {"OLD123": 99_000, "NEW123": Decimal("12.5")}
