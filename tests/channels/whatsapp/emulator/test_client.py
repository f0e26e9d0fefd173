"""The Python client, and load."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rasd.channels.whatsapp.emulator.client import Emulator, EmulatorError, EmulatorTransport, Phone
from rasd.channels.whatsapp.emulator.server import run_emulator

from .conftest import Business, Webhook


def test_wait_for_returns_an_answer_that_comes_later(phone: Phone, business: Business) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(phone.wait_for, "متأخر", 5)
        time.sleep(0.1)
        sent = business.sent(type="text", text={"body": "جواب متأخر"})
        assert waiting.result()["id"] == sent


def test_wait_for_gives_each_answer_once_in_any_order(phone: Phone, business: Business) -> None:
    for n in (1, 2, 3):
        business.sent(type="text", text={"body": f"answer {n}"})
    assert phone.wait_for("answer 3")["text"] == "answer 3"
    assert phone.wait_for(lambda m: m["text"].startswith("answer"))["text"] == "answer 1"
    assert phone.wait_for("answer")["text"] == "answer 2"
    with pytest.raises(TimeoutError, match="answer 2"):
        phone.wait_for("answer", timeout=0.1)


def test_wait_for_leaves_out_what_came_before_the_last_message_sent(phone: Phone, business: Business) -> None:
    business.sent()
    phone.wait_for("مرحبا")
    phone.send_text("ثم")
    with pytest.raises(TimeoutError):
        phone.wait_for("مرحبا", timeout=0.1)


def test_wait_for_finds_the_titles_of_buttons(phone: Phone, business: Business) -> None:
    buttons = [{"type": "reply", "reply": {"id": "1", "title": "نعم"}}]
    interactive = {"type": "button", "body": {"text": "؟"}, "action": {"buttons": buttons}}
    business.sent(type="interactive", interactive=interactive)
    assert phone.wait_for("نعم")["type"] == "interactive"


def test_the_chat_as_text_has_times_in_muscat_and_both_sides(phone: Phone, business: Business) -> None:
    business.sent(type="text", text={"body": "وعليكم السلام"})
    phone.wait_for("وعليكم")
    first, second = phone.chat_as_text().splitlines()
    assert "العميل: السلام عليكم" in first
    assert "المؤسسة: وعليكم السلام" in second
    utc_hour = int(phone.chat()[0]["at"][11:13])
    assert first.startswith(f"{(utc_hour + 4) % 24:02d}:")


def test_phones_that_write_to_several_lines_keep_the_chats_apart(
    emulator: Emulator, webhook: Webhook
) -> None:
    emulator.add_line("1002", name="Services", display_phone_number="+968 2400 0002")
    first, second = emulator.phone("96890000001"), emulator.phone("96890000001", line="1002")
    first.send_text("to readings")
    second.send_text("to services")
    webhook.message(2)
    assert {v["metadata"]["phone_number_id"] for v in webhook.values} == {"106540352242922", "1002"}
    assert [m["text"] for m in second.chat()] == ["to services"]


def test_load_sends_what_was_asked_for_and_every_message_arrives(
    emulator: Emulator, webhook: Webhook, photo: bytes
) -> None:
    done = emulator.load(
        messages=200, phones=10, rate=0, photo_share=0.25, photos=[photo], duplicate_rate=0.1, reorder=0.3
    )
    assert (done["state"], done["sent"], done["photos"]) == ("done", 200, 50)
    emulator.settle()
    ids = [m["id"] for m in webhook.messages]
    assert set(ids) == set(done["message_ids"])
    assert len(ids) > 200
    assert ids != done["message_ids"]
    assert sum(m["type"] == "image" for m in {m["id"]: m for m in webhook.messages}.values()) == 50
    assert emulator.faults()["duplicate_rate"] == 0


def test_load_keeps_its_rate_and_its_time(emulator: Emulator) -> None:
    done = emulator.load(messages=1000, phones=2, rate=50, seconds=0.5)
    assert done["cut_short"]
    assert 10 <= done["sent"] <= 30


@pytest.mark.parametrize(
    ("plan", "words"), [({"messages": 0}, "messages"), ({"photo_share": 0.5}, "photo"), ({"x": 1}, "x")]
)
def test_a_load_out_of_bounds_is_refused(emulator: Emulator, plan: dict, words: str) -> None:
    with pytest.raises(EmulatorError, match=words):
        emulator.load(**plan)


@pytest.mark.parametrize("make", [Emulator, EmulatorTransport])
def test_the_client_talks_to_this_machine_only(make: type) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        make("https://graph.facebook.com")


def test_the_chat_of_a_phone_is_bounded(webhook: Webhook) -> None:
    with run_emulator(webhook_url=webhook.url, kept_messages=10, kept_deliveries=5) as emulator:
        phone = emulator.phone("96890000001")
        for n in range(25):
            phone.send_text(str(n))
        emulator.settle()
        assert [m["text"] for m in phone.chat()] == [str(n) for n in range(15, 25)]
        assert len(emulator.deliveries()) <= 5
        assert emulator.state()["messages"] == 10


def test_files_are_removed_when_it_ends(
    webhook: Webhook, photo: bytes, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with run_emulator(webhook_url=webhook.url) as emulator:
        emulator.phone("96890000001").send_photo(photo)
        assert list(tmp_path.glob("rasd-emulator-*/*"))
    assert not list(tmp_path.iterdir())


def test_the_clock_can_be_set_and_messages_are_dated_by_it(emulator: Emulator, webhook: Webhook) -> None:
    at = datetime(2026, 7, 18, 9, 0, tzinfo=ZoneInfo("Asia/Muscat"))
    emulator.set_time(at)
    emulator.phone("96890000001").send_text("؟")
    assert 0 <= int(webhook.message()["timestamp"]) - at.timestamp() < 5
    with pytest.raises(EmulatorError, match="time zone"):
        emulator.set_time(datetime(2026, 7, 18, 9, 0))  # noqa: DTZ001 - that it has no zone is the point
