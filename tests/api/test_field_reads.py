"""Handhelds bring what was read: in batches, safe to repeat, one visit not hindered by another."""

import base64
from datetime import UTC, datetime

import pytest

from rasd.ledger import evidence
from rasd.metering.models import Cycle, FieldRead, Reader, Route
from tests.metering.house import make_house

VISIT = {
    "reader": "R-1",
    "key": "k1",
    "service_point": "SP-1",
    "visited_at": "2026-11-20T12:00:00+04:00",
    "value": "4310",
}
PICTURE = base64.b64encode(b"a picture").decode()


@pytest.fixture
def handheld(program):
    Cycle.open("2026-11", at=datetime(2026, 11, 1, tzinfo=UTC), actor="user:test")
    point = make_house()
    reader = Reader.objects.create(code="R-1", name="Reader One")
    point.route, point.stop = Route.objects.create(number="B-01", district="Bawshar", reader=reader), 1
    point.save()
    return program("handheld", "field-reads")


def test_g6_a_visit_sent_again_in_other_company_is_the_same_visit(handheld):
    first = handheld.post("/field-reads", {"reads": [VISIT | {"photograph": PICTURE}]}).json()["results"]
    wrong = VISIT | {"key": "k2", "service_point": "SP-9"}
    again = handheld.post("/field-reads", {"reads": [wrong, VISIT | {"photograph": PICTURE}]}).json()[
        "results"
    ]
    field_read = FieldRead.objects.get()
    assert [(one["state"], one["id"]) for one in first] == [("created", field_read.pk)]
    assert [(one["state"], one["id"]) for one in again] == [("refused", None), ("known", field_read.pk)]
    assert again[0]["errors"] == [
        {
            "field": "service_point",
            "detail": "SP-9 is not on record; correct it, or import the service points first",
        }
    ]
    assert (field_read.cycle.name, field_read.reading.value) == ("2026-11", 4310)
    assert evidence.fetch(field_read.photograph.sha256) == b"a picture"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"value": None}, "reads.0", "give one of the two"),
        ({"service_point": ""}, "reads.0", "service_point and serial are both missing"),
        ({"photograph": "!"}, "reads.0.photograph", "is not base64"),
        ({"visited_at": "2026-11-20T12:00:00"}, "reads.0.visited_at", "timezone"),
        ({"latitude": 91}, "reads.0.latitude", "less than or equal to 90"),
    ],
)
def test_what_no_handheld_should_send_is_told_by_its_field(handheld, change, field, words):
    answer = handheld.post("/field-reads", {"reads": [VISIT | change]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], words in error["detail"]) == (field, True)


def test_another_photograph_of_the_same_visit_is_refused_and_the_visit_stays(handheld):
    handheld.post("/field-reads", {"reads": [VISIT | {"photograph": PICTURE}]})
    other = base64.b64encode(b"another").decode()
    (result,) = handheld.post("/field-reads", {"reads": [VISIT | {"photograph": other}]}).json()["results"]
    assert (result["state"], result["errors"][0]["field"]) == ("known", "photograph")


def test_a_route_says_where_to_go_and_what_is_done_and_names_no_customer(handheld):
    route = handheld.get("/routes?number=B-01").json()
    assert (route["reader"], route["stops"][0]["serial"], route["stops"][0]["visited_at"]) == (
        "R-1",
        "MCT000001",
        None,
    )
    handheld.post("/field-reads", {"reads": [VISIT]})
    told = handheld.get("/routes?number=B-01")
    assert told.json()["stops"][0]["visited_at"] == "2026-11-20T08:00:00Z"
    assert "Customer" not in told.content.decode()
    assert handheld.get("/routes?number=X").status_code == 404


def test_a_token_without_the_scope_may_not(handheld, program):
    assert program("other", "cases:read").post("/field-reads", {"reads": [VISIT]}).status_code == 403
