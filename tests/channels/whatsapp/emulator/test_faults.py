"""Trouble made on purpose."""

import httpx
import pytest

from rasd.channels.whatsapp.emulator.client import Emulator, EmulatorError, Phone
from rasd.channels.whatsapp.emulator.errors import CODES
from rasd.channels.whatsapp.emulator.settings import DEFAULT_PHONE_NUMBER_ID, DEFAULT_TOKEN

from .conftest import NUMBER, Business, Webhook


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_can_be_asked_for(emulator: Emulator, business: Business, phone: Phone, code: int) -> None:
    emulator.fail_next(code)
    answer = business.send()
    assert (answer.json()["error"]["code"], answer.status_code) == (code, CODES[code][1])
    business.sent()


def test_an_error_can_be_meant_for_one_customer(emulator: Emulator, business: Business, phone: Phone) -> None:
    emulator.phone("96890000002").send_text("؟")
    emulator.fail_next(131056, times=-1, to=NUMBER)
    assert [business.send(to).status_code for to in (NUMBER, "96890000002", NUMBER)] == [429, 200, 429]


def test_an_error_can_come_by_webhook_after_the_message_was_accepted(
    emulator: Emulator,
    business: Business,
    phone: Phone,
    webhook: Webhook,
) -> None:
    emulator.fail_next(131049, via="webhook")
    assert webhook.status(business.sent(), "failed")["errors"][0]["code"] == 131049


def test_it_dies_after_accepting_so_that_the_sender_cannot_know(
    emulator: Emulator,
    business: Business,
    phone: Phone,
    webhook: Webhook,
) -> None:
    emulator.faults(die_after_accepting=1)
    text = {"type": "text", "text": {"body": "once"}}
    with pytest.raises(httpx.RemoteProtocolError):
        business.send(**text, biz_opaque_callback_data="outbox 5")
    arrived = phone.wait_for("once")
    assert webhook.status(arrived["id"], "sent")["biz_opaque_callback_data"] == "outbox 5"
    business.sent(**text)


def test_delivered_may_be_left_out(
    emulator: Emulator, business: Business, phone: Phone, webhook: Webhook
) -> None:
    emulator.faults(skip_delivered_rate=1.0)
    sent = business.sent()
    webhook.status(sent, "read")
    assert [s["status"] for s in webhook.statuses if s["id"] == sent] == ["sent", "read"]


def test_latency_slows_the_api(emulator: Emulator, business: Business, phone: Phone) -> None:
    emulator.faults(latency=0.3)
    assert business.send().elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sabotage": 1}, "no such fault"),
        ({"duplicate_rate": 2}, "probability"),
        ({"paused": "yes"}, "paused"),
        ({"errors": [{"kode": 1}]}, "errors[0]"),
        ({"errors": [{"code": 1, "via": "pigeon"}]}, "via"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_changes_nothing(
    emulator: Emulator, changes: dict, words: str
) -> None:
    before = emulator.faults()
    with pytest.raises(EmulatorError, match=words.replace("[", r"\[").replace("]", r"\]")):
        emulator.faults(latency=1, **changes)
    assert emulator.faults() == before


def test_a_reset_forgets_everything(emulator: Emulator, business: Business, phone: Phone) -> None:
    emulator.faults(paused=True, latency=0.1)
    emulator.advance(100)
    emulator.reset()
    state = emulator.state()
    assert (state["phones"], state["messages"], state["clock_offset_seconds"]) == (0, 0, 0)
    assert emulator.faults()["paused"] is False
    assert DEFAULT_PHONE_NUMBER_ID in {line["phone_number_id"] for line in state["lines"]}
    assert DEFAULT_TOKEN
