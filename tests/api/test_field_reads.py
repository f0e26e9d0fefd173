"""Handhelds bring what was read: in batches, safe to repeat, one visit not hindered by another."""

import base64
import io
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

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


def photograph(grey: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (320, 240), grey).save(out, "JPEG")
    return out.getvalue()


PICTURE = base64.b64encode(photograph(100)).decode()


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
    assert evidence.fetch(field_read.photograph.sha256) == photograph(100)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"value": None}, "", "give one of the two"),
        ({"value": "12a"}, "value", "valid decimal"),
        ({"service_point": ""}, "", "service_point and serial are both missing"),
        ({"photograph": "!"}, "photograph", "is not base64"),
        ({"visited_at": "2026-11-20T12:00:00"}, "visited_at", "timezone"),
        ({"latitude": 91}, "latitude", "less than or equal to 90"),
    ],
)
def test_what_no_handheld_should_send_is_told_by_its_field_and_hinders_no_other(
    handheld, change, field, words
):
    answer = handheld.post("/field-reads", {"reads": [VISIT | {"key": "k0"} | change, VISIT, 7]})
    assert answer.status_code == 200
    wrong, right, nothing = answer.json()["results"]
    assert (wrong["reader"], wrong["key"], wrong["state"], wrong["id"]) == ("R-1", "k0", "refused", None)
    assert [(one["field"], words in one["detail"]) for one in wrong["errors"]] == [(field, True)]
    assert (right["state"], nothing["state"], nothing["key"]) == ("created", "refused", "")


def test_what_is_no_photograph_is_told_and_leaves_room_for_one(handheld):
    nonsense = base64.b64encode(b"hello").decode()
    (first,) = handheld.post("/field-reads", {"reads": [VISIT | {"photograph": nonsense}]}).json()["results"]
    assert (first["state"], first["errors"][0]["field"]) == ("created", "photograph")
    (second,) = handheld.post("/field-reads", {"reads": [VISIT | {"photograph": PICTURE}]}).json()["results"]
    assert (second["state"], second["errors"]) == ("known", [])


def test_a_call_that_is_too_large_is_told_so_and_not_to_try_again(handheld):
    answer = handheld.post("/field-reads", {"reads": [VISIT | {"photograph": "A" * 5_000_000}]})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:rasd:problem:too-large")


def test_another_photograph_of_the_same_visit_is_refused_and_the_visit_stays(handheld):
    handheld.post("/field-reads", {"reads": [VISIT | {"photograph": PICTURE}]})
    other = base64.b64encode(photograph(200)).decode()
    (result,) = handheld.post("/field-reads", {"reads": [VISIT | {"photograph": other}]}).json()["results"]
    assert (result["state"], result["errors"][0]["field"]) == ("known", "photograph")


def test_a_route_says_where_to_go_and_what_is_done_and_names_no_customer(handheld):
    route = handheld.get("/routes?number=B-01").json()
    (stop,) = route["stops"]
    assert (route["reader"], stop["serial"], stop["visited_at"], stop["must_be_read"]) == (
        "R-1",
        "MCT000001",
        None,
        False,
    )
    handheld.post("/field-reads", {"reads": [VISIT]})
    told = handheld.get("/routes?number=B-01")
    assert told.json()["stops"][0]["visited_at"] == "2026-11-20T08:00:00Z"
    assert "Customer" not in told.content.decode()
    assert handheld.get("/routes?number=X").status_code == 404


def test_a_token_without_the_scope_may_not(handheld, program):
    assert program("other", "cases:read").post("/field-reads", {"reads": [VISIT]}).status_code == 403


def send_file(program, path, data, key):
    part = SimpleUploadedFile("meter.jpg", data, "image/jpeg")
    where = f"/api/v1{path}"
    return program.client.post(where, {"photograph": part}, headers={"Idempotency-Key": key})


def test_a_photograph_may_come_as_a_file_and_again(handheld):
    (visit,) = handheld.post("/field-reads", {"reads": [VISIT]}).json()["results"]
    where = f"/field-reads/{visit['id']}/photograph"
    for key in ("one", "one", "two"):
        assert send_file(handheld, where, photograph(100), key).status_code == 204
    assert evidence.fetch(FieldRead.objects.get().photograph.sha256) == photograph(100)
    assert send_file(handheld, where, photograph(100), "one")["Idempotent-Replayed"] == "true"
    another, none = (
        send_file(handheld, where, photograph(7), "three"),
        send_file(handheld, where, b"x", "four"),
    )
    assert [one.json()["errors"][0]["field"] for one in (another, none)] == ["photograph"] * 2
    assert send_file(handheld, where, photograph(7), "one").json()["type"] == "urn:rasd:problem:key-reused"
    assert send_file(handheld, "/field-reads/999/photograph", photograph(7), "five").status_code == 404
