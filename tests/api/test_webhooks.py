"""Programs that are told of what happens: nothing twice, nothing lost, nothing to a stranger, nothing into our own network."""

import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.db import transaction
from django.utils import timezone

from rasd.api import jobs, sending, telling
from rasd.api.models import Event, WebhookDelivery, WebhookSubscription
from rasd.channels.models import Outgoing
from rasd.desk.models import Case, Obligation
from tests.api.test_desk import accepted
from tests.desk.people import a_line, an_address, hears
from tests.jobs import do_jobs

pytestmark = pytest.mark.django_db
ALL_EVENTS = [event.value for event in Event]


class Subscriber:
    """A real server: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.calls, self.answers, self.location = [], [], ""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.calls.append((dict(self.headers), body))
                status = outer.answers.pop(0) if outer.answers else 200
                self.send_response(status)
                if outer.location:
                    self.send_header("Location", outer.location)
                self.end_headers()
                self.wfile.write(b"what it says")

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def events(self) -> list[str]:
        return [each["event"] for _headers, body in self.calls for each in json.loads(body)["events"]]


@pytest.fixture
def subscriber(settings):
    settings.WEBHOOKS_TO_PRIVATE = True
    one = Subscriber()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def told(caller, subscriber, queue) -> WebhookSubscription:
    """A subscription to everything, made as a program makes it."""
    answer = caller.post("/webhooks", {"url": subscriber.url, "events": ALL_EVENTS})
    assert answer.status_code == 201, answer.content
    return WebhookSubscription.objects.get()


def test_what_happens_is_told_signed_as_meta_signs(told, subscriber, asked, caller):
    assert do_jobs(queues={"outbox"}) == ["send"]  # one call, however many events
    headers, body = subscriber.calls[0]
    wanted = "sha256=" + hmac.new(told.secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == wanted
    assert subscriber.events == ["conversation.opened", "message.received", "obligation.owed"]
    message = json.loads(body)["events"][1]
    assert message["data"]["message"] == caller.get(f"/messages/{asked.pk}").json()
    assert message["id"] == str(WebhookDelivery.objects.get(event="message.received").event_id)
    assert set(caller.get(f"/webhooks/{told.pk}/deliveries?state=taken").json()["items"][0]) >= {
        "event_id",
        "state",
    }


def test_every_kind_of_event_comes_once(told, subscriber, asked, caller, omar):
    conversation = asked.conversation
    path = f"/conversations/{conversation.pk}"
    caller.post(f"{path}/claim", {})
    caller.post(f"{path}/replies", {"text": "yes"})
    accepted(Outgoing.objects.get())
    accepted(Outgoing.objects.get())
    case = Case.open("other", "x", at=timezone.now(), actor="user:sara", origin="employee")
    case.give_link(at=timezone.now(), actor="user:sara")
    case.take_up(at=timezone.now(), actor="user:sara")
    case.close("done", author=omar, key="c", at=timezone.now())
    case.rate(3, at=timezone.now())
    caller.post(f"{path}/close")
    caller.post(f"{path}/reopen")
    owed = conversation.owe(
        hears(conversation.line, conversation.address, "?", at=timezone.now()), queue=case.kind.queue
    )
    Obligation.objects.filter(pk=owed.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    telling.tell_late(timezone.now())
    telling.tell_late(timezone.now())
    do_jobs(queues={"outbox"})
    assert set(subscriber.events) == set(ALL_EVENTS)
    for once in (
        "message.sent",
        "conversation.closed",
        "obligation.late",
        "case.opened",
        "case.closed",
        "case.rated",
    ):
        assert subscriber.events.count(once) == 1, once
    answered = [
        each["data"]["stage"]
        for _headers, body in subscriber.calls
        for each in json.loads(body)["events"]
        if each["event"] == "case.stage"
    ]
    assert answered == ["working", "answered"]


def test_what_did_not_happen_after_all_is_not_told(told, subscriber, line):
    with transaction.atomic():
        hears(line, an_address(), "never", at=timezone.now())
        assert WebhookDelivery.objects.exists()
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_it_is_tried_again_until_it_is_taken(told, subscriber, asked):
    subscriber.answers = [503, 503]
    now = timezone.now()
    for expected in (30, 60):
        told.refresh_from_db()
        told.send(now)
        told.refresh_from_db()
        assert told.next_try_at == now + timedelta(seconds=expected)
        assert told.last_error == "503: what it says"
        assert WebhookSubscription.with_something_due(now) == []
        now = told.next_try_at
    assert WebhookSubscription.with_something_due(now) == [told]
    assert told.send(now) == 3
    assert [len(json.loads(body)["events"]) for _headers, body in subscriber.calls] == [3, 3, 3]
    assert told.send(now) == 0
    assert len(subscriber.calls) == 3


def test_one_that_is_refused_does_not_hold_up_the_others(told, subscriber, asked):
    subscriber.answers = [400, 200, 400, 200]
    assert told.send(timezone.now()) == 2
    left = WebhookDelivery.objects.get(taken_at=None)
    assert (left.event, left.attempts, left.last_error) == ("message.received", 1, "400: what it says")


def test_after_seven_days_it_is_a_trouble_and_can_be_sent_again(told, subscriber, asked, caller):
    subscriber.answers = [500, 500]
    late = timezone.now() + timedelta(days=7, minutes=1)
    told.send(timezone.now())
    assert not WebhookDelivery.untaken().exists()
    told.send(late)
    given_up = list(WebhookDelivery.untaken())
    assert len(given_up) == 3
    answer = caller.post(f"/webhooks/deliveries/{given_up[0].pk}/again")
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    do_jobs(queues={"outbox"})
    assert (
        caller.get(f"/webhooks/{told.pk}/deliveries?state=taken").json()["items"][0]["id"] == given_up[0].pk
    )
    assert WebhookDelivery.untaken().count() == 2


def test_a_redirect_is_not_followed(told, subscriber, asked):
    subscriber.answers, subscriber.location = [302], subscriber.url
    assert told.send(timezone.now()) == 0
    assert len(subscriber.calls) == 1
    told.refresh_from_db()
    assert "leads elsewhere" in told.last_error


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://100.64.0.1/",
        "https://name:word@example.com/",
        "ftp://example.com/",
        "https://",
        "https://[bad/",
    ],
)
def test_an_address_that_we_do_not_call_is_refused(caller, url):
    answer = caller.post("/webhooks", {"url": url, "events": ["case.opened"]})
    assert answer.status_code == 422, url
    assert answer.json()["errors"][0]["field"] == "url"
    assert not WebhookSubscription.objects.exists()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "169.254.169.254", "0.0.0.0"])
def test_a_name_that_points_into_our_network_is_not_called(
    told, subscriber, asked, settings, monkeypatch, address
):
    settings.WEBHOOKS_TO_PRIVATE = False
    monkeypatch.setattr(
        sending.socket,
        "getaddrinfo",
        lambda *_, **__: [(2, 1, 6, "", ("93.184.215.14", 1)), (2, 1, 6, "", (address, 1))],
    )
    assert told.send(timezone.now()) == 0
    assert subscriber.calls == []
    told.refresh_from_db()
    assert "is not called" in told.last_error


def test_the_call_goes_to_the_address_that_was_looked_at_and_asks_for_the_name(monkeypatch):
    monkeypatch.setattr(
        sending.socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("93.184.215.14", 443))]
    )
    request = sending._request("https://hooks.example.om/x?y=1", b"{}", "sha256=…".replace("…", "0"))
    assert str(request.url) == "https://93.184.215.14/x?y=1"
    assert request.headers["Host"] == "hooks.example.om"
    assert request.extensions["sni_hostname"] == "hooks.example.om"


def test_a_token_is_told_only_of_what_it_may_read(program, subscriber, asked):
    limited = program("limited", "webhooks", "cases:read")
    refused = limited.post("/webhooks", {"url": subscriber.url, "events": ["message.received"]})
    assert refused.status_code == 422
    assert "conversations:read" in refused.json()["detail"]


def test_a_token_of_one_line_is_not_told_of_another(program, subscriber, line, queue):
    one = program("one", lines=[line])
    one.post("/webhooks", {"url": subscriber.url, "events": ["message.received"]})
    hears(a_line("Other"), an_address(), "not his", at=timezone.now())
    assert not WebhookDelivery.objects.exists()
    hears(line, an_address(), "his", at=timezone.now())
    assert WebhookDelivery.objects.count() == 1


def test_a_revoked_token_and_an_ended_webhook_are_told_nothing_more(
    told, subscriber, asked, caller, sara, program
):
    second = program("second")
    answer = second.post("/webhooks", {"url": subscriber.url, "events": ["message.received"]})
    caller.token.revoke(by=sara, at=timezone.now())
    second.post(f"/webhooks/{answer.json()['id']}/end")
    do_jobs(queues={"outbox"})
    hears(asked.conversation.line, an_address(), "more", at=timezone.now())
    do_jobs(queues={"outbox"})
    assert subscriber.calls == []


def test_one_program_does_not_see_anothers_webhooks(told, program):
    other = program("other")
    assert other.get("/webhooks").json()["items"] == []
    assert other.get(f"/webhooks/{told.pk}").status_code == 404


def test_the_secret_is_shown_once(caller, subscriber):
    made = caller.post("/webhooks", {"url": subscriber.url, "events": ["case.opened"]}).json()
    assert len(made["secret"]) >= 32
    assert "secret" not in caller.get(f"/webhooks/{made['id']}").json()


def test_where_nobody_wants_to_know_an_event_costs_one_query(db, line, django_assert_num_queries):
    message = hears(line, an_address(), "x", at=timezone.now())
    with django_assert_num_queries(1):
        telling.tell(Event.MESSAGE_RECEIVED, message, at=timezone.now())


def test_the_round_of_every_minute_sends_what_a_job_missed(told, subscriber, asked):
    from procrastinate.contrib.django.models import ProcrastinateJob

    ProcrastinateJob.objects.all()._raw_delete("default")
    jobs.tell_again(0)
    do_jobs(queues={"outbox"})
    assert len(subscriber.events) == 3
