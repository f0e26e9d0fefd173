"""The report of guaranteed standards: what was promised, what was not kept, what it costs; on the page and as a file."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rasd.desk.models import Breach, Calendar, Standard
from rasd.desk.models.breaches import record_all_breaches
from rasd.ledger.models import Entry
from tests.console.making import Utility

pytestmark = pytest.mark.django_db

FIELDS = {
    "code": "message",
    "name_ar": "الرد على الرسالة",
    "name_en": "A message is answered",
    "begins": "obligation.owed",
    "ends": "obligation.answered",
    "kind": "answer",
    "limit": 1,
    "unit": "hours",
    "stops_for_customer": "on",
    "compensation": "5.000",
    "in_force_from": "2022-07-01",
}


@pytest.fixture
def manager(as_) -> Client:
    return as_("supervisor")


@pytest.fixture
def breach(utility: Utility) -> Breach:
    Standard.objects.create(
        **{
            **FIELDS,
            "stops_for_customer": True,
            "compensation": Decimal(5),
            "in_force_from": date(2022, 7, 1),
        }
    )
    conversation = utility.conversation()
    utility.queue.name = '=HYPERLINK("x")'
    utility.queue.save()
    conversation.owe(utility.writes(conversation, "?", minutes_ago=150), queue=utility.queue)
    record_all_breaches(utility.now)
    return Breach.objects.get()


def month(breach: Breach) -> str:
    return f"{timezone.localtime(breach.due_at):%Y-%m}"


def test_a_months_report_in_both_languages(manager, breach):
    address = reverse("console:standards", args=[month(breach)])
    english = manager.get(address).content.decode()
    assert "A message is answered" in english
    assert "5.000" in english
    assert "not yet" in english
    arabic = manager.get(address, headers={"Accept-Language": "ar"}).content.decode()
    assert "الرد على الرسالة" in arabic
    assert 'dir="rtl"' in arabic


def test_the_file_has_every_breach_and_no_cell_that_a_spreadsheet_would_run(manager, breach):
    answer = manager.get(reverse("console:standards_csv", args=[month(breach)]))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["standard"], row["compensation_omr"], row["counts"]) == ("message", "5.000", "yes")
    assert row["due_at"] == timezone.localtime(breach.due_at).isoformat(timespec="minutes")
    assert row["queue"].startswith("'=")
    assert Entry.objects.get(number=int(row["ledger_entry"])).action == "obligation.owed"


def test_a_month_without_breaches_says_so(manager, breach):
    assert (
        "Everything was kept" in manager.get(reverse("console:standards", args=["2022-08"])).content.decode()
    )


@pytest.mark.parametrize("wrong", ["2026-13", "2026-00", "0000-01"])
def test_a_month_that_is_none_is_not_there(manager, wrong):
    assert manager.get(reverse("console:standards", args=[wrong])).status_code == 404
    assert manager.get(reverse("console:standards_csv", args=[wrong])).status_code == 404


def test_a_breach_is_excused_with_a_reason_and_counted_again(manager, breach):
    address = reverse("console:excuse_breach", args=[breach.pk])
    assert "Say why" in manager.post(address, {"why": " "}, follow=True).content.decode()
    page = manager.post(address, {"why": "The customer moved away"}, follow=True).content.decode()
    assert "The customer moved away" in page
    breach.refresh_from_db()
    assert breach.excused_by == User.objects.get(username="supervisor")
    manager.post(address, {"undo": "1"})
    breach.refresh_from_db()
    assert breach.excused_at is None


def test_a_standard_is_made_and_changed_and_what_cannot_be_measured_is_refused_with_the_mend(manager):
    assert manager.post(reverse("console:standard_new"), FIELDS).status_code == 302
    standard = Standard.objects.get()
    address = reverse("console:standard", args=[standard.pk])
    answer = manager.post(address, {**FIELDS, "unit": "working_days"})
    assert answer.status_code == 422
    assert "Say by which working hours" in answer.content.decode()
    assert manager.post(address, {**FIELDS, "compensation": "12.5"}).status_code == 302
    standard.refresh_from_db()
    assert standard.compensation == Decimal("12.5")


def test_what_was_found_keeps_what_it_cost_then(manager, breach):
    manager.post(reverse("console:standard", args=[breach.standard_id]), {**FIELDS, "compensation": "30"})
    breach.refresh_from_db()
    assert breach.compensation == 5


def test_the_usual_ones_are_made_by_one_button(manager):
    page = manager.get(reverse("console:standards")).content.decode()
    assert "Make working hours first" in page
    calendar = Calendar.objects.create(name="Office")
    for wrong in ("", "x", "999999"):
        assert manager.post(reverse("console:usual_standards"), {"calendar": wrong}).status_code == 404
    manager.post(reverse("console:usual_standards"), {"calendar": calendar.pk})
    assert Standard.objects.count() == 3


def test_the_report_asks_no_more_questions_for_many_breaches(manager, breach, django_assert_max_num_queries):
    standard = breach.standard
    address = reverse("console:standards", args=[month(breach)])
    manager.get(address)
    with CaptureQueriesContext(connection) as of_one:
        manager.get(address)
    Breach.objects.bulk_create(
        Breach(
            standard=standard,
            subject=f"obligation:{n}",
            began_entry=1_000_000 + n,
            began_at=breach.began_at,
            due_at=breach.due_at + timedelta(seconds=n),
            compensation=5,
            found_at=breach.found_at,
        )
        for n in range(300)
    )
    with django_assert_max_num_queries(len(of_one)):
        page = manager.get(address).content.decode()
    assert "101 more are in the file" in page
