"""Whoever has a link comes in, once; everybody else learns how to get one."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from rasd.watch.pages.door import login_link
from rasd.watch.urls import PAGES

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
FOR_EVERYBODY = {"login", "come-in", "language", "theme", "status", "status-json", "status-feed", "plans"}


def come(link: str, client: Client | None = None) -> int:
    return (client or Client()).post(urlsplit(link).path).status_code


def test_a_link_logs_in_whoever_it_was_printed_for_and_makes_him_if_he_is_new():
    client = Client()
    link = login_link("salma", "http://127.0.0.1:8500/")
    assert link.startswith("http://127.0.0.1:8500/login/")
    assert come(link, client) == 302
    assert client.get("/").context["request"].user.get_username() == "salma"
    assert not User.objects.get(username="salma").has_usable_password()


def test_a_link_works_once_and_every_other_one_of_the_same_person_ends_with_it():
    first, second = login_link("salma"), login_link("salma")
    assert come(first) == 302
    assert come(first) == 403
    assert come(second) == 403


def test_a_link_that_is_only_looked_at_still_works():
    link = login_link("salma")
    client = Client()
    assert b"salma" in client.get(urlsplit(link).path).content
    assert client.get("/").status_code == 302, "looking is not coming in"
    assert come(link, client) == 302


def test_a_link_is_good_for_fifteen_minutes():
    with time_machine.travel(NOW, tick=False):
        link = login_link("salma")
    with time_machine.travel(NOW + timedelta(minutes=15, seconds=1), tick=False):
        assert come(link) == 403
    with time_machine.travel(NOW + timedelta(minutes=14, seconds=59), tick=False):
        assert come(link) == 302


def test_a_link_that_was_altered_lets_nobody_in():
    link = login_link("salma")
    assert come(link[:-1] + ("A" if link[-1] != "A" else "B")) == 403


def test_who_was_shut_out_stays_out():
    link = login_link("salma")
    User.objects.update(is_active=False)
    assert come(link) == 403


def test_without_a_login_every_page_but_those_for_everybody_says_how_to_get_a_link():
    found = set()
    for pattern in PAGES:
        path = "/" + str(pattern.pattern)
        for name, converter in pattern.pattern.converters.items():
            example = {"IntConverter": "1"}.get(type(converter).__name__, "x")
            path = path.replace(f"<{_written(converter)}:{name}>", example)
        response = Client().get(path)
        if response.status_code != 302 or not response["Location"].startswith("/login?"):
            found.add(pattern.name)
    assert found <= FOR_EVERYBODY
    assert "rasd watch login" in Client().get("/login").content.decode()


def _written(converter: object) -> str:
    kind = type(converter).__name__.removesuffix("Converter").lower()
    return {"string": "str"}.get(kind, kind)


def test_logging_out_leads_to_the_door(client: Client, django_user_model):
    client.force_login(django_user_model.objects.create(username="salma"))
    assert client.post("/logout").headers["Location"] == "/login"
    assert client.get("/").status_code == 302


def test_a_page_lets_nothing_from_elsewhere_run(client: Client):
    policy = client.get("/login").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
