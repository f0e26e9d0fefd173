"""A customer who writes to the utility through the real webhook; only Meta and the eye are played.

``Customer.sends_photograph`` says what the eye shall see, so that each dialogue can be told without a picture.
"""

import hashlib
import hmac
import io
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from PIL import Image

from rasd.channels.models import Channel, Line, Outgoing
from rasd.channels.whatsapp import api
from rasd.desk.models import Conversation
from rasd.metering.models import (
    Account,
    AccountContact,
    Cycle,
    Meter,
    Reading,
    Register,
    ServicePoint,
    photographs,
)
from rasd.vision import Candidate, Decision, Finding, PhotoReading
from rasd.vision.types import Severity
from tests.jobs import do_jobs

NOON = datetime(2026, 11, 20, 8, tzinfo=UTC)  # noon in Muscat, inside the window
PHONE = "96890000001"
LAST = Decimal(4170)


@dataclass
class World:
    """What is outside: Meta's servers, which take what is sent, and pictures with what the eye will see in them."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    seen: dict[str, PhotoReading] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()

    def send(line: Line, body: dict[str, Any]) -> str:
        world.sent.append(body)
        return f"wamid.out.{next(world.numbers)}"

    @contextmanager
    def download(line: Line, media_id: str) -> Iterator[Iterator[bytes]]:
        yield iter([world.files[media_id]])

    def read_photograph(data: bytes, **_: Any) -> PhotoReading:
        return world.seen[hashlib.sha256(data).hexdigest()]

    monkeypatch.setattr(api, "send", send)
    monkeypatch.setattr(api, "download", download)
    monkeypatch.setattr(photographs, "read_photograph", read_photograph)
    return world


@pytest.fixture
def line(db: None, clock: Any) -> Line:
    return Line.objects.create(
        channel=Channel.WHATSAPP,
        purpose=Line.Purpose.READINGS,
        external_id="1000",
        name="readings",
        display_address="+96824000000",
    )


@pytest.fixture
def cycle(db: None) -> Cycle:
    return Cycle.open("2026-11", at=NOON - timedelta(days=10), actor="machine:test")


def make_point(number: int, account: Account, *, readings: bool = True) -> ServicePoint:
    """A home with two years of readings, 300 kWh a month, that showed 4,170 on 20 October."""
    point = ServicePoint.objects.create(
        number=f"SP-{number}", account=account, place=f"الخوير، منزل {number}", district="بوشر"
    )
    meter = Meter.objects.create(service_point=point, serial=f"E{number:08}", installed_on="2020-01-01")
    register = Register.objects.create(meter=meter, digits=5, decimals=0)
    if readings:
        Reading.objects.bulk_create(
            Reading(
                service_point=point,
                register=register,
                value=LAST - 300 * (ago - 1),
                source=Reading.Source.FIELD,
                taken_at=NOON - timedelta(days=30.5 * ago),
            )
            for ago in range(1, 14)
        )
    return point


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(number="100200", holder_name="سالم بن أحمد التجريبي")


@pytest.fixture
def point(account: Account) -> ServicePoint:
    AccountContact.objects.create(account=account, identifier=f"tel:+{PHONE}")
    return make_point(1, account)


@dataclass
class Customer:
    """Someone with a phone. Each method is one message; the jobs that follow are done before it returns."""

    world: World
    client: Client
    clock: Any
    phone: str = PHONE
    user_id: str = ""
    sent: int = 0

    def says(self, text: str, **more: Any) -> list[Outgoing]:
        return self.sends({"type": "text", "text": {"body": text}}, **more)

    def presses(self, button: str) -> list[Outgoing]:
        """The newest button or list row whose id or title begins so."""
        for outgoing in self.conversation.timeline().exclude(outgoing=None).order_by("-id"):
            for choice in outgoing.outgoing.buttons:
                if choice["id"].startswith(button) or choice["title"].startswith(button):
                    kind = "list_reply" if "rows" in outgoing.outgoing.content else "button_reply"
                    reply = {"id": choice["id"], "title": choice["title"]}
                    return self.sends({"type": "interactive", "interactive": {"type": kind, kind: reply}})
        raise AssertionError(f"no button {button}")

    def sends_photograph(self, seen: PhotoReading, *, caption: str = "", **more: Any) -> list[Outgoing]:
        return self.sends(self.photograph(seen, caption=caption), **more)

    def photograph(self, seen: PhotoReading, *, caption: str = "") -> dict[str, Any]:
        number = next(self.world.numbers)
        picture = io.BytesIO()
        Image.new("RGB", (64, 64), (number % 256, number // 256, 0)).save(picture, "JPEG")
        media_id = f"media-{number}"
        self.world.files[media_id] = picture.getvalue()
        self.world.seen[hashlib.sha256(picture.getvalue()).hexdigest()] = seen
        image = {"id": media_id, "mime_type": "image/jpeg", "sha256": "x"}
        return {"type": "image", "image": {**image, "caption": caption} if caption else image}

    def sends(self, *messages: dict[str, Any], at: datetime | None = None) -> list[Outgoing]:
        """Messages in one delivery, as Meta makes it; what the utility answered to them."""
        self.clock.shift(timedelta(seconds=20))
        before = set(Outgoing.objects.values_list("pk", flat=True))
        self.deliver(*messages, at=at)
        do_jobs()
        return list(Outgoing.objects.exclude(pk__in=before).order_by("pk"))

    def deliver(self, *messages: dict[str, Any], at: datetime | None = None) -> None:
        when = int((at or datetime.now(UTC)).timestamp())
        whole = []
        for message in messages:
            self.sent += 1
            sender = {"from": self.phone} if self.phone else {"from_user_id": self.user_id}
            whole.append(
                {**sender, "id": f"wamid.{self.phone}.{self.sent}", "timestamp": str(when), **message}
            )
        contact = {"profile": {"name": "سالم"}, "wa_id": self.phone, "user_id": self.user_id}
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "96824000000", "phone_number_id": "1000"},
            "contacts": [{key: what for key, what in contact.items() if what}],
            "messages": whole,
        }
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
            }
        ).encode()
        signature = hmac.new(b"test-app-secret", body, hashlib.sha256).hexdigest()
        answer = self.client.post(
            "/channels/whatsapp/webhook",
            body,
            content_type="application/json",
            headers={"X-Hub-Signature-256": f"sha256={signature}"},
        )
        assert answer.status_code == 200

    @property
    def conversation(self) -> Conversation:
        return (
            Conversation.objects.get(address__phone=f"+{self.phone}")
            if self.phone
            else Conversation.objects.get()
        )


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def customer(world: World, line: Line, cycle: Cycle, client: Client, clock: Any) -> Customer:
    return Customer(world, client, clock)


def shows(value: str, sure: float = 0.995, **more: Any) -> PhotoReading:
    """The eye reads ``value`` and is so sure of it."""
    decision = Decision.ACCEPT if sure >= 0.99 else Decision.CONFIRM if sure >= 0.3 else Decision.REVIEW
    reason = {Decision.ACCEPT: "sure", Decision.CONFIRM: "likely", Decision.REVIEW: "unsure"}[decision]
    number = Decimal(value)
    fields: dict[str, Any] = {
        "digits": value,
        "decimals": 0,
        "value": number,
        "confidence": sure,
        "decision": decision,
        "reason": reason,
        "kind": "roller",
        "digit_readings": (),
        "candidates": (Candidate(value, number, sure),),
        "findings": (),
        "counter_box": None,
        "serials": (),
        "model": "played",
        "milliseconds": 1.0,
    }
    return PhotoReading(**{**fields, **more})


def unreadable(code: str) -> PhotoReading:
    """The eye reads nothing, and knows what is wrong with the picture."""
    return replace(
        shows("0", 0.0),
        digits="",
        value=None,
        candidates=(),
        decision=Decision.RETAKE,
        reason="picture",
        findings=(Finding(code, Severity.SERIOUS, code),),
    )
