"""What must be told goes out, in both languages, however often it takes; and a heartbeat that fails is seen."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from rasd.watch import telling
from rasd.watch.models import Alert, Telling, Watcher
from rasd.watch.watchfile import Watchfile
from tests.watch.reports import NOON, target

pytestmark = pytest.mark.django_db

SECRET = "kept-quiet"


def file(*to: str, heartbeat: str | None = None) -> Watchfile:
    return Watchfile.model_validate(
        {
            "watcher": {"heartbeat": heartbeat},
            "targets": {"desk": {"title": "Desk", "url": "http://127.0.0.1:9/", "journeys": ["*.yaml"]}},
            "alerts": {"to": list(to)},
        }
    )


@contextmanager
def listening(status: int = 200) -> Iterator[tuple[int, list[Any]]]:
    heard: list[Any] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port, heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def an_alert(watchfile: Watchfile, window: str = "fast") -> Alert:
    facts = {
        "objective": 0.95, "visits": 12, "failures": 4, "low": 0.2514, "high": 0.9468, "rate": 6.7,
        "since": NOON.isoformat(), "probes": [], "journeys": ["ask"],
    }  # fmt: skip
    alert = Alert.objects.create(target=target(title="بلاغات"), window=window, opened_at=NOON, facts=facts)
    telling.write(alert, "opened", NOON, watchfile.alerts)
    return alert


def test_what_is_told_says_it_in_arabic_and_english_with_the_link_to_its_evidence() -> None:
    with listening() as (port, heard):
        watchfile = file(f"json://user:{SECRET}@127.0.0.1:{port}/")
        alert = an_alert(watchfile)
        telling.send(NOON, watchfile)
        telling.send(NOON, watchfile)
    (message,) = heard
    assert "بلاغات: visits are failing" in message["title"]
    assert "لم تبلغ ٤ من ١٢ زيارة" in message["message"]
    assert "4 of 12 visits since 4 March 2026 at 12:00 (Asia/Muscat)" in message["message"]
    assert "so many visits show between 25.1 % and 94.7 %" in message["message"]
    assert message["message"].endswith(f"/alerts/{alert.pk}")
    (told,) = alert.tellings.all()
    assert told.told_at == NOON
    assert SECRET not in told.shown + told.to


def test_what_cannot_be_sent_is_kept_shown_and_tried_again_later_and_later_and_never_lost() -> None:
    with listening(status=503) as (port, heard):
        watchfile = file(f"json://user:{SECRET}@127.0.0.1:{port}/")
        alert = an_alert(watchfile)
        now, waits = NOON, []
        for _ in range(9):
            telling.send(now, watchfile)
            telling.send(now, watchfile)  # not yet due again
            row = alert.tellings.get()
            waits.append((row.due_at - now).total_seconds() / 60)
            now = row.due_at
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert len(heard) == 9
    assert (row.attempts, row.told_at) == (9, None)
    assert "503" in row.error
    assert SECRET not in row.error
    assert alert.telling_failed == row.error
    telling.send(now, watchfile, notify=lambda *_: "")
    assert Alert.objects.get().told_at == now
    assert Alert.objects.get().telling_failed == ""


def test_each_address_hears_in_order_and_one_that_is_dead_holds_up_no_other() -> None:
    watchfile = file("json://dead", "json://quick")
    alerts = [an_alert(watchfile), an_alert(watchfile, window="slow")]
    for alert in alerts:
        alert.closed_at = NOON + timedelta(hours=3)
        alert.save()
    tried: list[tuple[str, str, str]] = []
    alive = {"json://quick"}

    def notify(address: str, title: str, text: str) -> str:
        tried.append((address, text.rpartition("/")[2], "closed" if "Over:" in title else "opened"))
        return "" if address in alive else "nobody there"

    telling.send(NOON, watchfile, notify)
    assert [address for address, *_ in tried].count("json://dead") == 1  # and left alone until the next round
    assert [address for address, *_ in tried].count("json://quick") == 2
    for alert in alerts:
        telling.write(alert, "closed", NOON, watchfile.alerts)
    telling.send(NOON, watchfile, notify)
    assert [what for address, _, what in tried if address == "json://quick"] == [
        "opened",
        "opened",
        "closed",
        "closed",
    ]
    tried.clear()
    alive.add("json://dead")
    telling.send(NOON + timedelta(minutes=5), watchfile, notify)
    for alert in alerts:
        assert [what for _, pk, what in tried if pk == str(alert.pk)] == ["opened", "closed"]
    assert not Telling.objects.filter(told_at=None).exists()


@pytest.mark.parametrize(
    ("then", "says"),
    [((), "no longer in alerts.to"), (("json://user@127.0.0.1:1/",), "no longer in alerts.to")],
)
def test_an_address_that_left_watch_yaml_is_not_written_to_and_the_telling_stays(
    then: tuple[str, ...], says: str
) -> None:
    alert = an_alert(file("json://somebody"))
    telling.send(NOON, file(*then), notify=lambda *_: pytest.fail("it was sent"))
    assert says in alert.tellings.get().error


def test_an_address_that_apprise_does_not_know_is_told_as_such() -> None:
    watchfile = file("pigeon://coo")
    alert = an_alert(watchfile)
    telling.send(NOON, watchfile)
    assert "alerts.to in watch.yaml" in alert.tellings.get().error


def test_secrets_of_an_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASD_WATCH_SECRET_MAIL", SECRET)
    assert (
        telling._whole("mailto://user:{secret.mail}@example.invalid")
        == f"mailto://user:{SECRET}@example.invalid"
    )
    assert SECRET not in telling.shown("mailto://user:{secret.mail}@example.invalid")


@pytest.mark.parametrize("window", ["fast", "slow", "wall", "blind", "leave"])
@pytest.mark.parametrize("what", ["opened", "reminder", "closed"])
def test_every_kind_is_said_in_both_languages(window: str, what: str) -> None:
    alert = an_alert(file("json://somebody"))
    alert.window, alert.closed_at = window, NOON + timedelta(hours=3)
    if window == "blind":
        alert.target, alert.facts = None, {"targets": ["desk", "shop"], "since": NOON.isoformat()}
    if window == "leave":
        alert.facts = {"ends": NOON.isoformat(), "over": what == "reminder"}
    alert.save()
    title, text = telling.message(Telling(alert=alert, what=what))
    assert " · " in title
    assert "%" not in title
    assert "%(" not in text
    assert len(text.splitlines()) >= 3


def test_a_heartbeat_goes_out_after_a_round_and_one_that_fails_is_seen() -> None:
    with listening() as (port, _):
        telling.heartbeat(NOON, file(heartbeat=f"http://127.0.0.1:{port}/"))
    beat = Watcher.objects.get(name="here").facts["heartbeat"]
    assert (beat["went_at"], beat["error"]) == (NOON.isoformat(), "")
    later = NOON + timedelta(minutes=1)
    with listening(status=500) as (port, _):
        telling.heartbeat(later, file(heartbeat=f"http://127.0.0.1:{port}/"))
    beat = Watcher.objects.get(name="here").facts["heartbeat"]
    assert (beat["went_at"], beat["tried_at"]) == (NOON.isoformat(), later.isoformat())
    assert beat["error"] == "it answered 500", "and not where: who knows the address beats for a dead watch"
    telling.heartbeat(later, file())
