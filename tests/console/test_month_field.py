"""The pages of field reads and meter readers: who sees what, who decides, who answers; and how they look (G5)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from rasd.ledger import evidence
from rasd.ledger.models import Entry
from rasd.metering import records
from rasd.metering.comparing import compare
from rasd.metering.importing.bringing import Visit
from rasd.metering.models import Comparison, Cycle, FieldRead, Photograph, Reader, ReaderAnswer, Reading
from tests.console.looking import look_at
from tests.console.making import photograph_of, seen
from tests.metering.house import NOON, give_history, make_house
from tests.metering.rounds import play

NOW = NOON + timedelta(days=4)


@pytest.fixture
def month(db) -> Cycle:
    return Cycle.open("2026-11", at=datetime(2026, 11, 1, tzinfo=UTC), actor="user:test")


@pytest.fixture
def differ(month) -> Comparison:
    """Reader R-1 read 4500 two days after the customer's 4310; a second reader read another house."""
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
    for code, number, value in (("R-1", "SP-1", 4500), ("R-2", "SP-2", 4200)):
        if number != "SP-1":
            make_house(number)
        Reader.objects.create(code=code, name=f"Reader {code}", user=User.objects.create_user(code.lower()))
        visit = Visit(code, "k", NOON, service_point=number, value=Decimal(value))
        FieldRead.bring(visit, at=NOON, actor="user:test")
    with connection.cursor() as cursor:
        compare(cursor, month, NOW)
    records.reckon(month, NOW)
    return Comparison.objects.get()


def client_of(user: User) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(user)
    return client


def test_g5_a_person_decides_with_a_reason_and_the_record_counts_it_so(differ, month, as_):
    supervisor = as_("supervisor")
    address = f"/field-reads/{differ.field_read_id}"
    assert "differs from the customer" in supervisor.get(address).content.decode()
    supervisor.post(f"{address}/decide", {"decided": "reader", "why": " "})
    differ.refresh_from_db()
    assert differ.decided == ""
    supervisor.post(f"{address}/decide", {"decided": "reader", "why": "the photograph shows it"})
    differ.refresh_from_db()
    assert (differ.decided, differ.decided_by) == ("reader", "user:supervisor")
    entry = Entry.objects.get(action="comparison.decided", subject=str(differ))
    assert entry.why == "the photograph shows it"
    assert records.counts_of([month])["R-1", "disagrees"] == (1, 1)
    records.reckon(month, NOW)
    assert records.counts_of([month])["R-1", "disagrees"] == (0, 1)


def test_g5_a_reader_sees_his_own_record_and_answers_and_nobody_elses(differ, month):
    one, other = Reader.objects.get(code="R-1"), Reader.objects.get(code="R-2")
    his = client_of(one.user)
    assert "/my-round" in his.get("/").content.decode()
    assert his.get("/my-round")["Location"] == f"/cycle/2026-11/readers/{one.pk}"
    assert his.get(f"/field-reads/{differ.field_read_id}").status_code == 200
    theirs = FieldRead.objects.get(reader=other)
    for closed in (f"/cycle/2026-11/readers/{other.pk}", f"/field-reads/{theirs.pk}"):
        assert his.get(closed).status_code == 404
    for closed in ("/cycle/2026-11/readers", "/cycle/2026-11/field-reads"):
        assert his.get(closed).status_code == 403
    assert his.post(f"/field-reads/{differ.field_read_id}/decide", {"decided": "reader"}).status_code == 403
    address = f"/cycle/2026-11/readers/{one.pk}"
    his.post(f"{address}/answer", {"text": "I stood before it.", "sign": "disagrees"})
    given = ReaderAnswer.objects.get()
    assert (given.text, given.kind, given.by) == ("I stood before it.", "disagrees", one.user)
    assert "I stood before it." in his.get(address).content.decode()


def test_g5_nobody_answers_for_a_reader(differ, month, as_):
    one = Reader.objects.get(code="R-1")
    supervisor = as_("supervisor")
    page = supervisor.get(f"/cycle/2026-11/readers/{one.pk}?sign=disagrees").content.decode()
    assert "It may be innocent:" in page
    assert "Your answer" not in page
    assert supervisor.post(f"/cycle/2026-11/readers/{one.pk}/answer", {"text": "x"}).status_code == 403


def test_his_photograph_is_shown_to_him_and_who_sees_the_month_and_that_is_on_record(differ, month, as_):
    field_read = differ.field_read
    sha256, _ = evidence.keep([photograph_of("04500")], limit=10_000_000)
    field_read.keep_photograph(sha256)
    address = f"/field-reads/{field_read.pk}/reader/thumb"
    assert client_of(field_read.reader.user).get(address)["Content-Type"] == "image/jpeg"
    assert client_of(User.objects.get(username="r-2")).get(address).status_code == 404
    assert as_("supervisor").get(address).status_code == 200
    viewers = Entry.objects.filter(action="evidence.viewed", subject=f"evidence:{sha256}").values_list(
        "actor", flat=True
    )
    assert set(viewers) == {"user:r-1", "user:supervisor"}
    assert client_of(field_read.reader.user).get(address.replace("reader", "customer")).status_code == 403


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_of_field_reads_are_fit_to_look_at(person):
    month = Cycle.open("2026-11", at=datetime(2026, 11, 1, tzinfo=UTC), actor="user:test")
    play(month, seed=1, dishonest=3)
    with connection.cursor() as cursor:
        compare(cursor, month, NOW)
    Reader.objects.filter(code="R-3").update(name="سالم التجريبي")
    one = Reader.objects.get(code="R-3")
    one.user = person(username="reader3")
    one.save()
    ReaderAnswer.give(one, month, "كانت الساعة في الجهاز خاطئة في ذلك اليوم.", at=NOW, kind="far")
    differing = Comparison.objects.filter(agrees=False, field_read__reader=one).first()
    sha256, _ = evidence.keep([photograph_of("04500")], limit=10_000_000)
    picture = differing.field_read.keep_photograph(sha256)
    Photograph.objects.filter(pk=picture.pk).update(read_at=NOW, seen=seen("04500"))
    records.reckon(month, NOW)
    look_at(
        person("supervisor"),
        {
            "field-routes": "/cycle/2026-11/field-reads",
            "field-route": f"/cycle/2026-11/routes/{differing.field_read.route_id}",
            "field-read": f"/field-reads/{differing.field_read_id}",
            "field-readers": "/cycle/2026-11/readers",
            "field-readers-far": "/cycle/2026-11/readers?sign=far&year=1",
            "field-reader": f"/cycle/2026-11/readers/{one.pk}?sign=repeats",
        },
        sparing=True,
    )
