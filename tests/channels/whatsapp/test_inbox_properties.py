"""Generated batches: repeated, shuffled, mangled. Every valid message is stored exactly once, nothing raises, and a status
ends at the highest level that was told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.channels.models import Address, Channel, Delivery, Incoming, Outgoing, StatusEvent
from rasd.channels.whatsapp import payload
from rasd.channels.whatsapp.content import content_of
from rasd.channels.whatsapp.payload import Message
from tests.channels.doors import CUSTOMER, deliver, envelope, status, text_message

FEW = settings(max_examples=40, suppress_health_check=list(HealthCheck))
NOW = timezone.now() - timedelta(hours=1)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KINDS = [
    "text", "image", "document", "audio", "voice", "video", "sticker", "location", "contacts", "interactive", "button",
    "reaction", "order", "edit", "revoke", "system", "unsupported", "request_welcome", "",
]  # fmt: skip


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """Valid where it matters (id, sender, time), anything elsewhere."""
    kind = draw(st.sampled_from(KINDS))
    message = text_message(draw(st.integers(0, 15)), at=NOW)
    del message["text"], message["type"]
    message["from"] = f"9689000{draw(st.integers(0, 5)):04d}"
    message |= draw(st.dictionaries(st.text(max_size=10), anything, max_size=3))
    message |= {"type": kind, kind or "x": draw(anything)}
    if draw(st.booleans()):
        message["from_user_id"] = f"OM.{draw(st.integers(0, 5))}"
    if draw(st.booleans()):
        message["context"] = draw(anything)
    return message


@contextmanager
def rolled_back() -> Iterator[None]:
    """Each example starts from an empty inbox."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@FEW
@given(st.lists(messages(), max_size=20), st.lists(anything, max_size=4), st.randoms(use_true_random=False))
def test_every_valid_message_is_stored_once_whatever_lies_around_it(line, valid, rubbish, random):
    with rolled_back():
        batches = []
        for _ in range(2):
            items = [*valid, *valid, *rubbish]
            random.shuffle(items)
            batches.append(envelope({"messages": items, "contacts": rubbish, "errors": rubbish}))
        for batch in batches:
            assert deliver(batch).sorted_at is not None
        stored = list(Incoming.objects.values_list("external_id", flat=True))
        ids = {message["id"] for message in valid}
        assert ids <= set(stored)
        assert len(stored) == len(set(stored))


@pytest.mark.django_db
@FEW
@given(anything)
def test_no_payload_whatever_raises(line, something):
    with rolled_back():
        assert deliver(json.dumps(something).encode()).sorted_at is not None
        deliver(envelope({"messages": something, "statuses": something, "contacts": something}))
        deliver({"entry": [{"changes": [{"field": something, "value": something}]}]})


@pytest.mark.django_db
@FEW
@given(
    st.lists(st.sampled_from(["sent", "delivered", "read", "played", "deleted"]), max_size=8),
    st.booleans(),
)
def test_a_status_ends_at_the_highest_level_told_in_any_order(line, told, split):
    with rolled_back():
        address = Address.objects.create(channel=Channel.WHATSAPP, phone=f"+{CUSTOMER}")
        outgoing = Outgoing.objects.create(
            line=line,
            address=address,
            key="k",
            kind="text",
            text="x",
            external_id="wamid.o",
            called_at=NOW,
            accepted_at=NOW,
        )
        items = [status("wamid.o", name, NOW + timedelta(seconds=n)) for n, name in enumerate(told)]
        for batch in [[item] for item in items] if split else [items]:
            deliver(envelope({"statuses": batch}))
        outgoing.refresh_from_db()
        levels = ["accepted", "sent", "delivered", "read"]
        told_levels = [levels.index({"played": "read"}.get(name, name)) for name in told if name != "deleted"]
        assert outgoing.state == levels[max(told_levels, default=0)]
        assert outgoing.status_events.count() == len(told)


@given(anything)
def test_reading_and_understanding_are_total(something):
    assert payload.read(json.dumps(something).encode()) is not None
    for kind in KINDS:
        message = Message.model_validate(
            {"type": kind, kind: something, "context": something, "errors": something}
        )
        assert isinstance(content_of(message).text, str)


@pytest.mark.django_db
def test_a_batch_of_a_thousand_updates_and_three_megabytes_is_sorted(line):
    filler = "م" * 1_000  # 2,000 bytes
    batch = envelope(
        {"messages": [text_message(n, filler, NOW, **{"from": f"9689001{n:04d}"}) for n in range(900)]},
        {"statuses": [status(f"wamid.out.{n}", "sent") for n in range(100)]},
    )
    body = json.dumps(batch).encode()  # escaped, each letter takes six bytes
    assert len(body) > 3 * 1024 * 1024
    delivery = deliver(body)
    assert delivery.trouble == ""
    assert (Incoming.objects.count(), StatusEvent.objects.count()) == (900, 100)
    assert Delivery.objects.count() == 1
