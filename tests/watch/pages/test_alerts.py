"""Alerts and maintenance as people meet them: taken up, given back, announced, changed, withdrawn; all of it on record."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from rasd.watch.models import Alert, Maintenance, Target, Telling, Watcher
from tests.watch.making import NOW, make_journey, make_probe, make_target

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def salma(client: Client) -> Client:
    client.force_login(User.objects.create(username="salma"))
    client.cookies["django_language"] = "en"
    return client


def an_alert(target: Target, **more: object) -> Alert:
    probe = make_probe(make_journey(target), NOW - timedelta(hours=2), "theirs")
    facts = {
        "objective": 0.95, "visits": 12, "failures": 4, "low": 0.2514, "high": 0.9468, "rate": 6.7,
        "since": (NOW - timedelta(hours=6)).isoformat(), "probes": [probe.token], "journeys": ["open-a-ticket"],
    }  # fmt: skip
    fields = {"window": "fast", "opened_at": NOW - timedelta(hours=1), "facts": facts}
    return Alert.objects.create(target=target, **(fields | more))


def test_an_alert_is_taken_up_with_words_and_given_back_and_both_stay_on_record(salma: Client) -> None:
    alert = an_alert(make_target())
    page = salma.get(f"/alerts/{alert.pk}").content.decode()
    assert "4 of 12 visits" in page
    assert f"/probes/{alert.facts['probes'][0]}" in page
    salma.post(f"/alerts/{alert.pk}/acknowledge", {"words": "the mail server <b>"})
    page = salma.get(f"/alerts/{alert.pk}").content.decode()
    assert "salma looks after it" in page
    assert "the mail server &lt;b&gt;" in page
    salma.post(f"/alerts/{alert.pk}/take-back")
    page = salma.get(f"/alerts/{alert.pk}").content.decode()
    assert "nobody has taken it up" in page
    assert "taken back by salma" in page
    assert "the mail server" in page


def test_who_comes_second_is_told_who_already_looks_after_it(salma: Client) -> None:
    alert = an_alert(make_target())
    alert.acknowledge(User.objects.create(username="said"), NOW)
    page = salma.post(f"/alerts/{alert.pk}/acknowledge", {"words": ""}, follow=True).content.decode()
    assert "said already looks after it." in page
    assert alert.acknowledgements.count() == 1


def test_words_that_are_too_long_are_kept_and_the_reason_said(salma: Client) -> None:
    alert = an_alert(make_target())
    answer = salma.post(f"/alerts/{alert.pk}/acknowledge", {"words": "x" * 501})
    assert answer.status_code == 422
    assert "x" * 501 in answer.content.decode()
    assert not alert.acknowledgements.exists()


def test_what_could_not_be_told_and_a_heartbeat_that_does_not_go_out_are_seen(salma: Client) -> None:
    alert = an_alert(make_target())
    Telling.objects.create(
        alert=alert, what="opened", to="0" * 64, shown="mailto://example.invalid", written_at=NOW, due_at=NOW,
        attempts=3, error="no route to it",
    )  # fmt: skip
    Watcher.objects.filter(name="here").update(facts={"heartbeat": {"error": "ConnectError: refused"}})
    assert "not yet: 3 attempts failed" in salma.get(f"/alerts/{alert.pk}").content.decode()
    page = salma.get("/alerts").content.decode()
    assert "somebody could not be told yet" in page
    assert "ConnectError: refused" in page
    assert '<span class="count">1</span>' in page


def local(hours: float) -> str:
    """As a browser sends it, of the target's zone: four hours ahead of UTC."""
    return f"{NOW + timedelta(hours=4 + hours):%Y-%m-%dT%H:%M}"


def test_maintenance_is_announced_in_the_services_own_time_changed_and_withdrawn(salma: Client) -> None:
    make_target()
    salma.post(
        "/targets/helpdesk/maintenance",
        {"begins_at": local(2), "ends_at": local(4), "words": "a new version"},
    )
    announced = Maintenance.objects.get()
    assert (announced.begins_at, announced.ends_at) == (NOW + timedelta(hours=2), NOW + timedelta(hours=4))
    assert announced.by.username == "salma"
    page = salma.get(f"/maintenance/{announced.pk}").content.decode()
    assert f'value="{local(4)}"' in page
    salma.post(f"/maintenance/{announced.pk}", {"begins_at": local(3), "ends_at": local(5), "words": "later"})
    changed = Maintenance.objects.get(withdrawn_at=None)
    assert (changed.begins_at, changed.words, changed.replaces) == (
        NOW + timedelta(hours=3),
        "later",
        announced,
    )
    salma.post(f"/maintenance/{changed.pk}/withdraw")
    page = salma.get("/targets/helpdesk/maintenance").content.decode()
    assert "changed on" in page
    assert "withdrawn on" in page
    assert not Maintenance.objects.filter(withdrawn_at=None).exists()


def test_maintenance_that_has_begun_can_be_lengthened_and_ended_but_not_moved(salma: Client) -> None:
    make_target()
    salma.post("/targets/helpdesk/maintenance", {"begins_at": "", "ends_at": local(1), "words": "now"})
    begun = Maintenance.objects.get()
    assert begun.begins_at == NOW
    with time_machine.travel(NOW + timedelta(minutes=30), tick=False):
        assert 'name="begins_at"' not in salma.get(f"/maintenance/{begun.pk}").content.decode()
        salma.post(
            f"/maintenance/{begun.pk}", {"begins_at": local(-9), "ends_at": local(2), "words": "longer"}
        )
    longer = Maintenance.objects.get(withdrawn_at=None)
    assert (longer.begins_at, longer.ends_at) == (NOW + timedelta(minutes=30), NOW + timedelta(hours=2))
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        page = salma.post(f"/maintenance/{longer.pk}/withdraw", follow=True).content.decode()
    assert "over or was withdrawn" in page


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [
        (-1, 1, "It cannot cover what has passed"),
        (2, 1, "It ends before it begins"),
        (1, 1, "It ends before it begins"),
    ],
)
def test_maintenance_that_cannot_be_is_not_announced(
    salma: Client, begins: float, ends: float, says: str
) -> None:
    make_target()
    sent = {"begins_at": local(begins), "ends_at": local(ends), "words": "typed words"}
    answer = salma.post("/targets/helpdesk/maintenance", sent)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert "typed words" in page
    assert not Maintenance.objects.exists()


def test_an_hour_that_the_clocks_skip_is_refused(salma: Client) -> None:
    make_target(zone="Europe/Berlin")
    skipped = datetime(2027, 3, 28, 2, 30, tzinfo=UTC)
    sent = {"begins_at": f"{skipped:%Y-%m-%dT%H:%M}", "ends_at": "2027-03-28T05:00", "words": "x"}
    assert salma.post("/targets/helpdesk/maintenance", sent).status_code == 422
