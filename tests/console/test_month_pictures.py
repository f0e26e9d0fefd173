"""The month in pictures: what they count, how they are drawn, and how they look in both languages; on paper too."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import altair
import pypdfium2
import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import translation

from rasd.console import month_charts, roles
from rasd.ledger.models import record
from rasd.metering import pictures
from rasd.metering.made_up import make_utility
from rasd.metering.models import Adoption, Cycle, Estimate, Reader, ReaderSign, Reading, ServicePoint
from tests.console.looking import look_at

UNTIL = date(2026, 11, 1)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def november(db: None) -> Cycle:
    """60 points with readings of two years; October closed with 12 of 60 on estimates; November half read."""
    make_utility(points=60, months=13, until=UNTIL, seed=7)
    months = [Cycle.open(f"2026-{month}", at=NOW, actor="user:test") for month in ("09", "10", "11")]
    for cycle, estimated in zip(months[:2], (18, 12), strict=True):
        within = Reading.objects.filter(taken_at__year=2026, taken_at__month=cycle.window_opens.month)
        within.update(cycle=cycle)
        totals = [
            {"commodity": "electricity", "unit": "kWh", "source": "field", "registers": 60 - estimated},
            {"commodity": "electricity", "unit": "kWh", "source": "estimate", "registers": estimated},
        ]
        with transaction.atomic():
            record("machine:test", "cycle.closed", f"cycle:{cycle.name}", at=NOW, facts={"totals": totals})
        Cycle.objects.filter(pk=cycle.pk).update(closed_at=NOW)
    _read(months[2])
    return months[2]


def _read(november: Cycle) -> None:
    for place, point in enumerate(ServicePoint.objects.order_by("pk")[:30]):
        last = point.readings.order_by("-taken_at").first()
        assert last is not None
        source = "customer" if place % 3 else "field"
        made = Reading.objects.create(
            service_point=point,
            register=last.register,
            cycle=november,
            value=last.value,
            source="estimate" if place == 0 else source,
            quality="estimated" if place == 0 else "valid",
            taken_at=datetime(2026, 11, 15 + place % 6, 9, tzinfo=UTC),
        )
        Adoption.objects.create(
            service_point=point,
            register=made.register,
            cycle=november,
            reading=made,
            actor="test",
            why="test",
            receipt=f"2611-{place}",
        )
        if place == 0:
            Estimate.objects.create(
                reading=made,
                method="t",
                since=NOW - timedelta(days=30),
                days=30,
                use=0,
                least=0,
                most=90,
                in_a_row=1,
            )


@pytest.fixture
def readers(november: Cycle) -> None:
    """One who differs in a third of what was compared, and one who does in none."""
    before = Cycle.objects.get(name="2026-10")
    for code, found in (("R-1", 10), ("R-2", 0)):
        reader = Reader.objects.create(code=code, name=f"Reader {code}")
        for cycle, differ in ((november, found), (before, 0)):
            ReaderSign.objects.create(
                reader=reader, cycle=cycle, kind="disagrees", found=differ, of=15, reckoned_at=NOW
            )


def test_g5_readers_disagreements_over_a_year_with_their_interval(november: Cycle, readers: None) -> None:
    one, other = pictures.disagreements(november)
    assert (one.reader, one.found, one.of, one.others) == ("R-1", 10, 30, 0.0)
    assert (round(one.low, 3), round(one.high, 3)) == (0.192, 0.512)  # Wilson, of 10 in 30
    assert (other.low, round(other.high, 3)) == (0.0, 0.114)


def test_what_the_pictures_count(november: Cycle) -> None:
    filled = pictures.coverage(november, date(2026, 11, 17))
    assert [one.day.day for one in filled[:3]] == [15, 16, 17]
    assert filled[0].this == 4 / 60
    assert filled[2].this == 14 / 60
    assert filled[3].this is None, "tomorrow is not known"
    assert filled[-1].last == 1.0, "all were read in October"
    bills = pictures.bills_on_estimates(november)
    assert [(one.name, one.share) for one in bills] == [("2026-09", 0.3), ("2026-10", 0.2)]
    districts = pictures.districts(november)
    assert (sum(one.points for one in districts), sum(one.read for one in districts)) == (60, 29)
    assert [one.share for one in districts] == sorted(one.share for one in districts)
    marks = pictures.life(ServicePoint.objects.get(number="SP-000001"), NOW)
    assert len(marks) == 14
    assert (marks[-1].source, marks[-1].adopted, marks[-1].most) == ("estimate", True, marks[-1].value + 90)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_picture_is_vega_lite_and_time_runs_as_the_page_is_read(
    november: Cycle, readers: None, language: str
) -> None:
    marks = pictures.life(ServicePoint.objects.get(number="SP-000001"), NOW)
    with translation.override(language):
        drawn = {
            "coverage": month_charts.coverage(pictures.coverage(november, UNTIL), month_charts.WIDE),
            "estimates": month_charts.bills_on_estimates(
                pictures.bills_on_estimates(november), month_charts.NARROW
            ),
            "districts": month_charts.districts(pictures.districts(november), month_charts.NARROW),
            "readers": month_charts.disagreements(pictures.disagreements(november), month_charts.NARROW),
            "life": month_charts.life(marks, month_charts.WIDE),
        }
    for spec in drawn.values():
        altair.Chart.from_dict(spec)  # its schema's validation
    assert drawn["coverage"]["encoding"]["x"]["scale"].get("reverse", False) == (language == "ar")


def test_each_picture_is_a_csv_that_no_spreadsheet_reckons_with(
    november: Cycle, readers: None, as_: Callable[..., Client]
) -> None:
    ServicePoint.objects.filter(number="SP-000001").update(district="=1+1")
    client = as_("supervisor")
    for what, column in (
        ("coverage", "this"),
        ("estimates", "estimated"),
        ("readers", "low"),
        ("districts", "points"),
    ):
        answer = client.get(f"/cycle/2026-11/pictures/{what}.csv")
        rows = list(csv.DictReader(answer.content.decode().splitlines()))
        assert column in rows[0]
    assert "'=1+1" in {row["name"] for row in rows}
    life = client.get("/meters/SP-000001.csv").content.decode().splitlines()
    assert len(list(csv.DictReader(life))) == 14
    assert client.get("/cycle/2026-11/pictures/nothing").status_code == 404


@pytest.mark.parametrize(("language", "word"), [("en", "How the window filled"), ("ar", "2026-11")])
def test_the_report_is_a_pdf_in_the_language_of_the_page(
    november: Cycle, as_: Callable[..., Client], language: str, word: str
) -> None:
    answer = as_("supervisor", language=language).get("/cycle/2026-11/report.pdf")
    assert answer["Content-Type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    text = "".join(page.get_textpage().get_text_bounded() for page in document)
    assert word in text
    assert "\ufffd" not in text


def test_who_may_not_see_the_month_sees_none_of_it(november: Cycle, as_: Callable[..., Client]) -> None:
    client = as_("agent")
    for path in ("cycle/2026-11/pictures", "cycle/2026-11/report.pdf", "meters/SP-000001"):
        assert client.get(f"/{path}").status_code == 403
    assert roles.CYCLE


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pictures_are_looked_at(november: Cycle, person: Callable[..., User]) -> None:
    look_at(
        person("supervisor"),
        {
            "month-pictures": "/cycle/2026-11/pictures",
            "month-coverage": "/cycle/2026-11/pictures/coverage",
            "month-estimates": "/cycle/2026-11/pictures/estimates",
            "month-districts": "/cycle/2026-11/pictures/districts",
            "month-meter": "/meters/SP-000001",
        },
        sparing=True,
    )
