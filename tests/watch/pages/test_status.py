"""What everybody may see: errands done, of how many; never "up" because a page came."""

import json
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.test import Client

from rasd.watch.models import Alert, Maintenance, Probe, Target
from rasd.watch.pages.status import status_at
from tests.watch.making import NOW, make_journey, make_probe, make_target

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_that_moment")]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def _at_that_moment(time_machine) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def target() -> Target:
    target = make_target()
    make_probe(make_journey(target), NOW - timedelta(hours=3))
    return target


def everybody(path: str = "/status") -> str:
    answer = Client(HTTP_ACCEPT_LANGUAGE="en").get(path)
    assert answer.status_code == 200
    return answer.content.decode().replace("&#x27;", "'")


def state() -> str:
    return status_at(NOW).services[0].state


def test_it_says_how_many_errands_were_done_of_how_many(target: Target):
    make_probe(target.journeys.get(), NOW - timedelta(hours=2), "theirs")
    page = everybody()
    assert "1 of 2 errands done in the last 24 hours" in page
    assert "Some errands that were tried in the last day were not done" in page


def test_a_service_that_was_not_tried_is_not_said_to_be_well():
    make_target()
    assert state() == "unknown"
    assert "It was not tried in the last day" in everybody()


def test_g15_the_watchs_own_faults_and_walls_and_second_visits_are_not_held_against_a_service(target: Target):
    journey = target.journeys.get()
    make_probe(journey, NOW - timedelta(hours=2), "ours")
    make_probe(journey, NOW - timedelta(hours=2), "wall")
    make_probe(journey, NOW - timedelta(hours=1), "theirs", why="by hand")
    assert state() == "well"
    assert "1 of 1 errand done" in everybody()


def test_an_open_alert_and_announced_maintenance_are_told(target: Target):
    alert = Alert.objects.create(target=target, window="fast", opened_at=NOW - timedelta(hours=1), facts={})
    assert state() == "trouble"
    Maintenance.objects.create(
        target=target, begins_at=NOW, ends_at=NOW + timedelta(hours=2), words="نحدّث النظام", announced_at=NOW
    )
    assert state() == "maintenance"
    page = everybody()
    assert "نحدّث النظام" in page
    assert "Many errands have failed in the last hours" in page
    feed = ElementTree.fromstring(everybody("/status.atom"))
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert len(titles) == 2
    Alert.objects.filter(pk=alert.pk).update(closed_at=NOW)
    cache.clear()
    assert len(list(ElementTree.fromstring(everybody("/status.atom")).iter(f"{ATOM}entry"))) == 3


def test_walls_and_blindness_are_no_incidents_of_the_service(target: Target):
    for window in ("wall", "blind"):
        Alert.objects.create(target=target, window=window, opened_at=NOW, facts={})
    assert state() == "well"
    assert "Robots are kept out" not in everybody()


def test_only_what_is_public_is_shown_and_nothing_that_leads_to_evidence(target: Target):
    hidden = make_target("bills", title="فواتيري", public=False)
    probe = make_probe(make_journey(hidden), NOW - timedelta(hours=1))
    for path in ("/status", "/status.json", "/status.atom"):
        told = everybody(path)
        assert "فواتيري" not in told
        assert probe.token not in told
        assert target.probes.get().token not in told
        assert "/probes/" not in told


def test_ninety_days_by_day_in_the_services_own_zone(target: Target):
    make_probe(target.journeys.get(), NOW.replace(hour=20, minute=30) - timedelta(days=1), "theirs")
    told = json.loads(everybody("/status.json"))["services"][0]
    assert len(told["days"]) == 90
    assert [(each["day"], each["done"], each["of"]) for each in told["days"] if each["of"]] == [
        ("2026-11-22", 1, 2)  # 20:30 UTC on Saturday is half past midnight on Sunday in Muscat
    ]


def test_it_is_asked_of_the_database_once_a_minute(target: Target, django_assert_num_queries, time_machine):
    everybody()
    with django_assert_num_queries(0):
        everybody("/status.json")
    make_probe(target.journeys.get(), NOW, "theirs")
    assert "1 of 1 errand done" in everybody()
    time_machine.move_to(NOW + timedelta(seconds=61), tick=False)
    assert "1 of 2 errands done" in everybody()


def test_the_records_seal_of_the_day_before_is_everybodys_to_keep_and_the_record_is_held_against_it(
    target: Target,
):
    assert "seal" not in everybody()  # of today: it would tell that the watch was just there
    kept = make_probe(target.journeys.get(), NOW - timedelta(days=1)).digest
    last = make_probe(target.journeys.get(), NOW - timedelta(hours=1)).digest
    cache.clear()
    assert kept in everybody()
    assert json.loads(everybody("/status.json"))["record"]["head"] == kept
    assert kept in everybody("/status.atom")
    assert last not in everybody()
    assert Probe.objects.verify(kept) is None
    assert Probe.objects.verify("0" * 64) is not None
