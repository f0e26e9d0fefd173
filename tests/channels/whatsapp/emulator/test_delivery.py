"""Webhook calls: signed as Meta signs, in batches, repeated until they are answered with 200."""

import json

import pytest

from rasd.channels.whatsapp.emulator.client import Emulator, EmulatorError, Phone
from rasd.channels.whatsapp.emulator.delivery import sign
from rasd.channels.whatsapp.emulator.server import run_emulator
from rasd.channels.whatsapp.emulator.settings import DEFAULT_APP_SECRET, Line

from .conftest import NUMBER, Business, Webhook


def test_the_signature_is_hmac_sha256_of_the_raw_body() -> None:
    """RFC 4231, test case 2 (the key and the data are text there)."""
    assert sign(b"what do ya want for nothing?", "Jefe") == (
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_every_call_is_signed_over_what_was_sent_arabic_included(
    emulator: Emulator, webhook: Webhook
) -> None:
    emulator.phone(NUMBER).send_text("القراءة ٤٥٢١")
    webhook.message()
    headers, body = webhook.calls[0]
    assert headers["x-hub-signature-256"] == sign(body, DEFAULT_APP_SECRET)
    assert headers["content-type"] == "application/json"


def test_a_call_can_be_signed_wrongly(emulator: Emulator, webhook: Webhook) -> None:
    emulator.faults(wrong_signatures=1)
    phone = emulator.phone(NUMBER)
    phone.send_text("one")
    phone.send_text("two")
    webhook.message(2)
    right = [h["x-hub-signature-256"] == sign(b, DEFAULT_APP_SECRET) for h, b in webhook.calls]
    assert right == [False, True]


def test_it_repeats_with_growing_delays_until_it_is_answered_with_200(
    emulator: Emulator, webhook: Webhook
) -> None:
    webhook.answers = [500, 403, 302, 200]
    sent = emulator.phone(NUMBER).send_text("؟")
    webhook.wait(lambda w: len(w.calls) == 4)
    emulator.settle()
    assert len({body for _, body in webhook.calls}) == 1
    delivery = emulator.deliveries()[0]
    assert delivery["state"] == "delivered"
    assert [a["status"] for a in delivery["attempts"]] == [500, 403, 302, 200]
    assert delivery["message_ids"] == [sent["id"]]


def test_delays_double_from_5_seconds_and_end_after_7_days(webhook: Webhook) -> None:
    with run_emulator(webhook_url=webhook.url, seed=1) as emulator:
        webhook.answers = [500] * 60
        emulator.phone(NUMBER).send_text("؟")
        for calls in range(1, 60):
            webhook.wait(
                lambda _, calls=calls: (
                    len((emulator.deliveries() or [{"attempts": ()}])[0]["attempts"]) == calls
                )
            )
            if emulator.deliveries()[0]["state"] == "given up":
                break
            emulator.advance(6 * 3600 * 1.3)
        delivery = emulator.deliveries()[0]
        assert delivery["state"] == "given up"
        assert 35 <= len(delivery["attempts"]) <= 45


def test_a_webhook_that_is_down_gets_everything_when_it_is_up(emulator: Emulator, webhook: Webhook) -> None:
    emulator.set_webhook("http://127.0.0.1:9/nobody")
    emulator.phone(NUMBER).send_text("؟")
    emulator.set_webhook(webhook.url)
    assert webhook.message()["text"]["body"] == "؟"


def test_the_message_shows_one_tick_until_the_webhook_has_it(emulator: Emulator, webhook: Webhook) -> None:
    emulator.faults(paused=True)
    phone = emulator.phone(NUMBER)
    phone.send_text("؟")
    assert phone.chat()[0]["status"] == "pending"
    emulator.faults(paused=False)
    webhook.message()
    webhook.wait(lambda _: phone.chat()[0]["status"] == "delivered")


def test_batches_hold_several_messages_of_several_lines(webhook: Webhook) -> None:
    lines = [Line("1001", "+968 2400 0001", waba_id="91"), Line("1002", "+968 2400 0002", waba_id="92")]
    with run_emulator(webhook_url=webhook.url, lines=lines, max_batch=50, linger=0.3, lanes=1) as emulator:
        for n in range(6):
            emulator.phone(f"9689000000{n}", line="1001" if n % 2 else "1002").send_text(f"{n}")
        webhook.message(6)
        body = json.loads(webhook.calls[0][1])
    assert [e["id"] for e in body["entry"]] == ["91", "92"]
    assert {v["metadata"]["phone_number_id"] for v in webhook.values} == {"1001", "1002"}
    assert len(webhook.calls) < 6
    assert max(len(v["messages"]) for v in webhook.values) > 1
    for value in webhook.values:
        assert {c["wa_id"] for c in value["contacts"]} == {m["from"] for m in value["messages"]}


def test_the_handshake_is_done_and_reported(emulator: Emulator, webhook: Webhook) -> None:
    assert emulator.set_webhook(webhook.url) is True
    assert emulator.delivery_summary()["verified"] is True
    assert emulator.settings
    emulator.settings.verify_token = "another"
    assert emulator.set_webhook(webhook.url) is False


def test_latency_is_reported(emulator: Emulator, webhook: Webhook) -> None:
    phone = emulator.phone(NUMBER)
    for _ in range(5):
        phone.send_text("؟")
    webhook.message(5)
    latency = emulator.settle()["latency_ms"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["max"]


@pytest.mark.parametrize("fault", [{"duplicate_rate": 1.0}, {"reorder": 0.5}, {"delay": 0.2}])
def test_trouble_on_the_way_loses_nothing(emulator: Emulator, webhook: Webhook, fault: dict) -> None:
    emulator.faults(**fault)
    phone = emulator.phone(NUMBER)
    ids = [phone.send_text(str(n))["id"] for n in range(20)]
    twice = "duplicate_rate" in fault
    webhook.wait(lambda w: len(w.messages) == (40 if twice else 20))
    came = [m["id"] for m in webhook.messages]
    assert set(came) == set(ids)
    if "reorder" in fault:
        assert came != ids
    elif not twice:
        assert came == ids


def test_what_was_paused_before_a_reset_does_not_come_after_it(emulator: Emulator, webhook: Webhook) -> None:
    emulator.faults(paused=True)
    emulator.phone(NUMBER).send_text("before")
    emulator.reset()
    emulator.phone(NUMBER).send_text("after")
    emulator.settle()
    assert [m["text"]["body"] for m in webhook.messages] == ["after"]


def test_settling_waits_for_the_statuses_of_what_was_sent(
    emulator: Emulator, phone: Phone, business: Business, webhook: Webhook
) -> None:
    sent = business.sent()
    emulator.settle()
    assert [s["status"] for s in webhook.statuses if s["id"] == sent] == ["sent", "delivered", "read"]


def test_a_webhook_address_that_is_none_is_refused(emulator: Emulator) -> None:
    with pytest.raises(EmulatorError, match="http://"):
        emulator.set_webhook("localhost")


def test_a_load_goes_to_this_machine_only(emulator: Emulator) -> None:
    assert emulator.settings
    emulator.settings.webhook_url = "https://example.com/hook"
    with pytest.raises(EmulatorError, match="not on this machine"):
        emulator.load(messages=1)
