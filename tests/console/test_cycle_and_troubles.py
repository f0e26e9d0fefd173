import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.models import Refusal
from rasd.console import troubles as lists
from rasd.console.templatetags.console import share
from rasd.ledger.models import Entry
from tests.console.filling import adopt_some, troubles
from tests.console.staff import employee

pytestmark = pytest.mark.django_db


def test_the_picture_fills_with_what_was_read_adopted_reviewed_asked_and_is_missing(as_, utility):
    utility.cycle(opens=-6)
    utility.review("04521")
    adopt_some(utility)
    answer = as_("supervisor").get(reverse("console:cycle"))
    parts = {part.name: part.count for part in answer.context["filling"].parts}
    assert parts == {"adopted": 19, "in_review": 1, "asked": 4, "reading": 0, "missing": 11}
    assert sum(part.percent for part in answer.context["filling"].parts) == pytest.approx(100)
    page = answer.content.decode()
    assert "24 of 35 service points" in page
    assert "day 7 of 11" in page
    days = answer.context["days"].days
    assert len(days) == 11
    assert sum(day.new for day in days) == 19
    assert [day.adopted for day in days][-1] is None, "days to come are empty, not zero"


def test_the_noun_below_a_tiles_number_goes_with_it(as_, utility):
    utility.review("04521")
    client = as_("reviewer")
    assert "photograph waits for a look" in client.get(reverse("console:home")).content.decode()
    utility.review("04522")
    assert "photographs wait for a look" in client.get(reverse("console:home")).content.decode()
    assert "صورتان" in client.get(reverse("console:home"), headers={"Accept-Language": "ar"}).content.decode()


@pytest.mark.parametrize(
    ("percents", "shown"),
    [(0.0, "0%"), (0.3, "\u2066<1%\u2069"), (52.6, "53%"), (99.7, "99%"), (100.0, "100%")],
)
def test_a_share_is_neither_none_nor_all_where_that_is_not_so(percents, shown):
    assert share(percents) == shown


def test_another_cycle_can_be_looked_at(as_, utility):
    utility.cycle()
    assert as_("supervisor").get(reverse("console:cycle", args=["1999-01"])).status_code == 404


def test_without_a_cycle_it_says_what_to_do(as_):
    assert "rasd cycle open" in as_("supervisor").get(reverse("console:cycle")).content.decode()


def test_all_is_well(as_):
    page = as_("supervisor").get(reverse("console:troubles")).content.decode()
    assert "All is well" in page
    assert 'class="count bad" hidden>' in page


@pytest.fixture
def troubled(utility):
    troubles(utility, utility.conversation())
    failed = utility.says(
        utility.conversation(),
        "Hello",
        failed_at=utility.now,
        error_code=131047,
        error_words="Re-engagement message",
    )
    return failed.outgoing


def test_each_trouble_is_shown_with_what_to_do(as_, utility, troubled):
    answer = as_("supervisor").get(reverse("console:troubles"))
    counts = {name: each["count"] for name, each in answer.context["lists"].items()}
    assert counts == {
        "nobodys": 0,
        "jobs": 1,
        "media": 1,
        "outgoing": 1,
        "deliveries": 1,
        "refusals": 2,
        "webhooks": 0,
    }
    assert lists.count(utility.now) == 6
    page = answer.content.decode()
    for words in (
        "Read a photograph",
        "More than 24 hours have passed",
        "gone at WhatsApp",
        "entry[0].changes[2]",
        "a wrong signature",
    ):
        assert words in page
    assert 'class="count bad">' in page


def test_a_dead_job_is_tried_again_and_that_is_in_the_ledger(as_, troubled):
    job = ProcrastinateJob.objects.get(status="failed")
    client = as_("supervisor")
    client.post(reverse("console:retry", args=[job.pk]))
    job.refresh_from_db()
    assert job.status == "todo"
    assert Entry.objects.get(action="job.retried").subject == f"job:{job.pk}"
    again = client.post(reverse("console:retry", args=[job.pk]), follow=True)
    assert "somebody was quicker" in again.content.decode()


def test_a_settled_trouble_leaves_the_page_and_can_be_taken_back(as_, utility, troubled):
    client = as_("supervisor")
    settle = reverse("console:settle", args=["outgoing", troubled.pk])
    answer = client.post(settle, follow=True)
    assert "One trouble settled" in answer.content.decode()
    assert not lists.outgoing(utility.now).exists()
    client.post(settle, {"undo": "1"})
    assert lists.outgoing(utility.now).exists()
    assert list(Entry.objects.filter(subject=f"outgoing:{troubled.pk}").values_list("action", flat=True)) == [
        "trouble.settled",
        "trouble.reopened",
    ]


def test_refusals_that_go_on_after_they_were_settled_are_shown_again(person, utility, troubled):
    refusal = Refusal.objects.get(reason="unsigned")
    lists.settle(f"refusal:{refusal.pk}", person("supervisor"), utility.now)
    assert refusal not in lists.refusals(utility.now)
    Refusal.count_one("whatsapp", "unsigned", "192.0.2.9", refusal.last_at + timedelta(seconds=1))
    assert refusal in lists.refusals(utility.now)


def test_an_answer_that_arrived_after_all_is_no_trouble(utility, troubled):
    troubled.delivered_at = utility.now
    troubled.save()
    assert not lists.outgoing(utility.now).exists()


def test_the_numbers_in_the_navigation_are_those_of_the_pages(as_, utility, troubled):
    utility.review("04521")
    one = utility.conversation()
    one.owe(utility.writes(one, "?"), queue=utility.queue)
    employee("clerk", utility.queue)
    page = as_("administrator").get(reverse("console:home")).content.decode()
    beside = dict(re.findall(r'data-number="(\w+)">(\d*)<', page))
    assert beside == {"conversations": "1", "cases": "", "review": "1", "troubles": "6"}
    assert connection.connection is not None


def test_g7_what_lies_in_nobodys_hands_is_a_trouble_until_somebody_serves_its_queue(as_, utility):
    one = utility.conversation(name="Made-up Maryam")
    one.owe(utility.writes(one, "?"), queue=utility.queue)
    browser = as_("supervisor")
    page = browser.get(reverse("console:troubles"))
    assert page.context["lists"]["nobodys"]["count"] == 1
    assert "nobody serves this queue" in page.content.decode()
    employee("clerk", utility.queue)
    page = browser.get(reverse("console:troubles"))
    assert page.context["all_is_well"]
