"""What billing takes of a closed month: whole or refused, the same bytes each time, corrections as deltas."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from rasd.ledger import evidence
from rasd.ledger.models import Entry
from rasd.metering import billing, numbers
from rasd.metering.models import Adoption, BillingExport, Cycle, Reading, Register, ServicePoint

pytestmark = pytest.mark.django_db

CLOSED = datetime(2026, 11, 27, tzinfo=UTC)
LATER = CLOSED + timedelta(days=3)
SCHEMA = Path(billing.__file__).parent / "schemas" / "MeterReadings.profile.xsd"


def adopt(
    register: Register, cycle: Cycle, value: str, *, at: datetime, source: str = "customer", why: str = "test"
) -> Adoption:
    standing = Adoption.objects.filter(register=register, cycle=cycle, superseded_at=None).first()
    if standing:
        standing.superseded_at = at
        standing.save()
    point = register.meter.service_point
    reading = Reading.objects.create(
        service_point=point, register=register, cycle=cycle, value=Decimal(value), source=source, taken_at=at,
        quality="estimated" if source == "estimate" else "valid",
    )  # fmt: skip
    number = Adoption.objects.count() + 1_000
    return Adoption.objects.create(
        service_point=point, register=register, cycle=cycle, reading=reading, adopted_at=at, actor="test", why=why,
        receipt=numbers.receipt(cycle.name, number), supersedes=standing,
    )  # fmt: skip


def bill(adoption: Adoption, previous: str, use: str) -> None:
    """Its row, as the closing writes it."""
    cycle, point, register = adoption.cycle, adoption.service_point, adoption.register
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS billed_{cycle.pk} PARTITION OF metering_billed FOR VALUES IN ({cycle.pk})"
        )
        cursor.execute(
            "INSERT INTO metering_billed VALUES (%s, %s, %s, %s, %s, 'residential', %s, %s, %s, %s, %s, %s, %s, %s, 0)",
            [cycle.pk, register.pk, point.pk, adoption.pk, point.district, point.commodity, adoption.reading.source,
             adoption.reading.quality, adoption.reading.value, adoption.reading.taken_at, previous, CLOSED - timedelta(days=30),
             use],
        )  # fmt: skip
    cycle.closed_at = CLOSED
    cycle.save()


@pytest.fixture
def register(house: ServicePoint) -> Register:
    register = house.current_register
    assert register
    return register


def rows_of(made: BillingExport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(evidence.fetch(made.csv_sha256).decode())))


def test_a_month_that_is_not_closed_is_refused_with_what_to_do(november: Cycle) -> None:
    with pytest.raises(billing.Refused, match="rasd cycle close 2026-11"):
        billing.export(november, at=LATER, actor="user:test")


def test_a_register_without_a_row_is_named_and_nothing_is_written(
    november: Cycle, register: Register
) -> None:
    november.closed_at = CLOSED
    november.save()
    with pytest.raises(billing.Refused) as refused:
        billing.export(november, at=LATER, actor="user:test")
    assert [(one.service_point, one.why) for one in refused.value.missing] == [
        (register.meter.service_point.number, "nothing is adopted for it")
    ]
    assert not BillingExport.objects.exists()


def test_a_closed_month_is_written_in_both_forms_and_again_with_the_same_bytes(
    november: Cycle, register: Register, tmp_path: Path
) -> None:
    bill(adopt(register, november, "4310", at=CLOSED, source="estimate"), "4000", "310")
    made = billing.export(november, at=LATER, actor="user:test")
    table, document = billing.write(made, tmp_path)
    [row] = csv.DictReader(table.open())
    assert (row["value"], row["use"], row["quality_code"], row["unit"]) == ("4310", "310.000", "3.8.0", "kWh")
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(etree.parse(document))
    first = table.read_bytes(), document.read_bytes()

    again = billing.export(november, at=LATER + timedelta(days=9), actor="user:other")
    assert again == made
    assert [path.read_bytes() for path in billing.write(again, tmp_path)] == list(first)
    entry = Entry.objects.get(action="billing.exported")
    assert entry.facts["xml_sha256"] == made.xml_sha256
    assert entry.facts["totals"]["use"] == {"kWh": {"registers": 1, "use": "310.000"}}


def test_a_file_changed_in_storage_is_found_out(november: Cycle, register: Register, tmp_path: Path) -> None:
    bill(adopt(register, november, "4310", at=CLOSED), "4000", "310")
    made = billing.export(november, at=LATER, actor="user:test")
    with default_storage.open(evidence.path_of(made.csv_sha256), "ab") as stored:
        stored.write(b"one line more")
    with pytest.raises(billing.Refused, match="changed in storage"):
        billing.write(made, tmp_path)
    assert not list(tmp_path.glob("billing*"))


def test_a_correction_after_the_file_comes_as_a_delta_and_the_month_after_it_moves_the_other_way(
    november: Cycle, register: Register
) -> None:
    december = Cycle.open("2026-12", at=CLOSED, actor="user:test")
    bill(adopt(register, november, "4310", at=CLOSED, source="estimate"), "4000", "310")
    bill(adopt(register, december, "4600", at=CLOSED), "4310", "290")
    for cycle in (november, december):
        billing.export(cycle, at=LATER, actor="user:test")

    adopt(register, november, "4290", at=LATER + timedelta(hours=1), why="the photograph came late")
    deltas = [
        billing.export(cycle, at=LATER + timedelta(days=1), actor="user:test")
        for cycle in (november, december)
    ]

    assert [each.number for each in deltas] == [2, 2]
    [of_november], [of_december] = map(rows_of, deltas)
    assert (of_november["value"], of_november["use"]) == ("4290", "290.000")
    assert (of_november["replaces_value"], of_november["replaces_use"]) == ("4310", "310.000")
    assert of_november["why"] == "the photograph came late"
    assert of_december["why"] == "the month before was corrected"
    assert deltas[0].totals["use"]["kWh"]["change"] == "-20.000"
    assert (of_december["previous_value"], of_december["use"], of_december["replaces_use"]) == (
        "4290",
        "310.000",
        "290.000",
    )
    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(
        etree.fromstring(evidence.fetch(deltas[0].xml_sha256)).getroottree()
    )
    assert [
        billing.export(cycle, at=LATER + timedelta(days=2), actor="user:test")
        for cycle in (november, december)
    ] == deltas


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    previous=st.integers(0, 99_999),
    use=st.integers(0, 20_000),
    corrected=st.integers(-300, 300),
    again=st.integers(-300, 300),
)
def test_whatever_is_corrected_the_deltas_add_up_to_what_was_used(
    previous: int, use: int, corrected: int, again: int, november: Cycle, register: Register
) -> None:
    """The counter has five digits: some of these months go past its end."""
    before = transaction.savepoint()
    bill(adopt(register, november, str((previous + use) % 100_000), at=CLOSED), str(previous), str(use))
    billing.export(november, at=LATER, actor="user:test")
    total = Decimal(use)
    for days, moved in ((1, corrected), (2, again)):
        day = LATER + timedelta(days=days)
        adopt(register, november, str((previous + use + moved) % 100_000), at=day)
        [row] = rows_of(billing.export(november, at=day + timedelta(hours=1), actor="user:test"))
        assert Decimal(row["replaces_use"]) == total
        total = Decimal(row["use"])
        assert total == use + moved
    transaction.savepoint_rollback(before)


def test_a_unit_that_the_standard_does_not_name_is_refused(november: Cycle, register: Register) -> None:
    register.unit = "gallons"
    register.save()
    bill(adopt(register, november, "4310", at=CLOSED), "4000", "310")
    with pytest.raises(billing.Refused) as refused:
        billing.export(november, at=LATER, actor="user:test")
    assert "gallons" in refused.value.missing[0].why
