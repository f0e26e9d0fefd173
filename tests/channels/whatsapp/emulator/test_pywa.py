"""pywa, unchanged but for its transport, is a client that we did not write: it sends, looks media up and downloads here."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pywa import WhatsApp, types
from pywa.errors import InvalidParameter, ReEngagementMessage, TemplateNotExists
from pywa.types.templates import TemplateLanguage

from rasd.channels.whatsapp.emulator.client import Emulator, EmulatorTransport
from rasd.channels.whatsapp.emulator.settings import DEFAULT_PHONE_NUMBER_ID, DEFAULT_TOKEN, DEFAULT_WABA_ID

from .conftest import NUMBER, Webhook


@pytest.fixture
def wa(emulator: Emulator) -> Iterator[WhatsApp]:
    with httpx.Client(transport=EmulatorTransport(emulator.url)) as session:
        yield WhatsApp(DEFAULT_PHONE_NUMBER_ID, DEFAULT_TOKEN, session=session, waba_id=DEFAULT_WABA_ID)


def test_pywa_sends_a_text_and_the_phone_shows_it(emulator: Emulator, wa: WhatsApp) -> None:
    phone = emulator.phone(NUMBER)
    phone.send_text("السلام عليكم")
    sent = wa.send_message(NUMBER, "وعليكم السلام", tracker="row 7")
    assert sent.id.startswith("wamid.")
    assert phone.wait_for("وعليكم")["id"] == sent.id


def test_pywa_sends_buttons_and_the_press_comes_back(
    emulator: Emulator, wa: WhatsApp, webhook: Webhook
) -> None:
    phone = emulator.phone(NUMBER)
    phone.send_text("؟")
    wa.send_message(NUMBER, "هل هي 04521؟", buttons=[types.Button("نعم", "yes"), types.Button("لا", "no")])
    phone.wait_for("04521")
    phone.press("نعم")
    reply = webhook.message(2)
    assert reply["interactive"] == {"type": "button_reply", "button_reply": {"id": "yes", "title": "نعم"}}


def test_pywa_sends_a_list_and_the_choice_comes_back(
    emulator: Emulator, wa: WhatsApp, webhook: Webhook
) -> None:
    phone = emulator.phone(NUMBER)
    phone.send_text("؟")
    rows = [types.SectionRow(f"العداد {n}", f"sp-{n}", f"الخوض {n}") for n in range(3)]
    wa.send_message(NUMBER, "أي عداد؟", buttons=types.SectionList("اختر", [types.Section("عداداتك", rows)]))
    phone.wait_for("أي عداد")
    phone.choose("sp-2")
    reply = webhook.message(2)["interactive"]["list_reply"]
    assert reply == {"id": "sp-2", "title": "العداد 2", "description": "الخوض 2"}


def test_pywa_uploads_and_sends_a_photograph(emulator: Emulator, wa: WhatsApp, photo: bytes) -> None:
    phone = emulator.phone(NUMBER)
    phone.send_text("؟")
    wa.send_image(NUMBER, photo, caption="هكذا", mime_type="image/jpeg")
    shown = phone.wait_for("هكذا")
    assert httpx.get(f"{emulator.url}/_emulator/media/{shown['content']['id']}").content == photo


def test_pywa_looks_a_customers_photograph_up_and_downloads_it(
    emulator: Emulator, wa: WhatsApp, webhook: Webhook, photo: bytes, tmp_path: Path
) -> None:
    emulator.phone(NUMBER).send_photo(photo, "عدادي")
    image = webhook.message()["image"]
    found = wa.get_media_url(image["id"])
    assert (found.mime_type, found.file_size) == ("image/jpeg", len(photo))
    assert wa.download_media(url=found.url, path=tmp_path, filename="it.jpg").read_bytes() == photo


def test_pywa_understands_what_the_webhook_gets(emulator: Emulator, wa: WhatsApp, webhook: Webhook) -> None:
    phone = emulator.phone(NUMBER, name="عميل تجريبي")
    phone.send_text("القراءة ٤٥٢١")
    webhook.message()
    message = types.Message.from_update(wa, json.loads(webhook.calls[0][1]))
    assert (message.text, message.from_user.wa_id, message.from_user.name) == (
        "القراءة ٤٥٢١",
        NUMBER,
        "عميل تجريبي",
    )


def test_pywa_raises_its_own_errors_for_ours(emulator: Emulator, wa: WhatsApp) -> None:
    phone = emulator.phone(NUMBER)
    with pytest.raises(ReEngagementMessage):
        wa.send_message(NUMBER, "too late")
    phone.send_text("؟")
    with pytest.raises(InvalidParameter):
        wa.send_message(NUMBER, "?", buttons=[types.Button("a title of more than 20 letters", "1")])
    with pytest.raises(TemplateNotExists):
        wa.send_template(NUMBER, "no_such_template", TemplateLanguage.ARABIC, [])


def test_pywa_sends_to_someone_without_a_number(emulator: Emulator, wa: WhatsApp, webhook: Webhook) -> None:
    phone = emulator.phone(user_id="OM.13491208655302741918", username="majhul")
    phone.send_text("أنا بلا رقم")
    message = webhook.message()
    assert "from" not in message
    assert message["from_user_id"] == "OM.13491208655302741918"
    wa.send_message("OM.13491208655302741918", "أهلا")
    phone.wait_for("أهلا")


def test_pywa_marks_read_shows_typing_and_reads_the_business_number(
    emulator: Emulator, wa: WhatsApp, webhook: Webhook
) -> None:
    phone = emulator.phone(NUMBER)
    sent = phone.send_text("؟")
    webhook.message()
    wa.mark_message_as_read(sent["id"])
    wa.indicate_typing(sent["id"])
    assert phone.chat()[0]["status"] == "read"
    assert wa.get_business_phone_number().display_phone_number == "+968 2400 0000"
