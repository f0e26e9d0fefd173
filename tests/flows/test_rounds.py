"""G5: two readings that differ have a case, once, for a person; the reader's photograph is looked at."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from rasd.desk.models import Case
from rasd.flows.rounds import open_case
from rasd.metering.comparing import compare
from rasd.metering.importing.bringing import Visit
from rasd.metering.models import Comparison, Cycle, FieldRead, Photograph, Reader, Reading
from tests.jobs import do_jobs
from tests.metering.house import NOON, Eye, give_history, make_house, seen

pytestmark = pytest.mark.django_db
NOW = NOON + timedelta(days=4)


@pytest.fixture
def field_read() -> FieldRead:
    """4500 by the reader, two days after the customer's 4310."""
    month = Cycle.open("2026-11", at=datetime(2026, 11, 1, tzinfo=UTC), actor="user:test")
    house = make_house()
    give_history(house)
    mine = Reading.objects.create(
        service_point=house,
        register=house.current_register,
        cycle=month,
        value=Decimal(4310),
        source="customer",
        taken_at=NOON - timedelta(days=2),
    )
    mine.adoptions.create(
        service_point=house, register=mine.register, cycle=month, actor="x", why="x", receipt="r1"
    )
    Reader.objects.create(code="R-1", name="Reader One")
    visit = Visit("R-1", "k", NOON, service_point="SP-1", value=Decimal(4500))
    return FieldRead.bring(visit, at=NOON, actor="user:test")


def test_g5_a_comparison_beyond_tolerance_opens_one_case_whose_title_names_no_reader(field_read):
    for _ in range(2):
        with connection.cursor() as cursor:
            compare(cursor, field_read.cycle, NOW)
    do_jobs(queues={"flows"})
    case = Case.objects.get()
    differ = Comparison.objects.get()
    assert (differ.case, case.kind.code, case.service_point) == (case.reference, "reading", "SP-1")
    assert "R-1" not in case.title
    note = case.entries.get(kind="note").text
    assert {"R-1", "4310", "4500"} <= set(note.replace("،", " ").replace(",", " ").split())
    assert case.work is not None
    assert open_case(differ.pk, at=NOW) is None


def test_g4_the_readers_photograph_is_read_by_a_worker(field_read, monkeypatch):
    from rasd.metering.models import photographs

    eye = Eye()
    monkeypatch.setattr(photographs, "read_photograph", eye)
    field_read.keep_photograph(eye.shows(b"picture", seen(4500)))
    do_jobs(queues={"vision"})
    assert Photograph.objects.get().seen["value"] == "4500"
