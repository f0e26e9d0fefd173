"""What a customer does, as the webhook tells it, and as pywa understands it."""

import json
import re

import httpx
import pytest
from pywa import WhatsApp, types
from pywa.types import CallbackButton, CallbackSelection, MessageStatus
from pywa.types.system import PhoneNumberChange

from rasd.channels.whatsapp.emulator.client import Emulator, EmulatorError, Phone

from .conftest import NUMBER, Business, Webhook

WA = WhatsApp("1", "t", session=httpx.Client())


def parsed(webhook: Webhook, count: int, kind: type) -> types.Message:
    """The ``count``-th message, read by pywa."""
    webhook.message(count)
    return kind.from_update(WA, json.loads(webhook.calls[count - 1][1]))


def test_a_photograph_has_its_caption_type_and_hash(phone: Phone, webhook: Webhook, photo: bytes) -> None:
    phone.send_photo(photo, "عدادي")
    message = parsed(webhook, 2, types.Message)
    assert message.image
    assert (message.caption, message.image.mime_type) == ("عدادي", "image/jpeg")


def test_a_voice_note_is_marked_as_one(phone: Phone, webhook: Webhook) -> None:
    phone.send_voice(b"OggS")
    message = parsed(webhook, 2, types.Message)
    assert message.audio
    assert message.audio.voice


def test_a_document_keeps_its_name(phone: Phone, webhook: Webhook) -> None:
    phone.send_document(b"%PDF-1.4", "فاتورة.pdf")
    message = parsed(webhook, 2, types.Message)
    assert message.document
    assert message.document.filename == "فاتورة.pdf"


def test_a_video_and_a_sticker_are_what_they_are(phone: Phone, webhook: Webhook) -> None:
    phone.send_file(b"mp4", "video/mp4", caption="v")
    phone.send_file(b"webp", "image/webp")
    assert parsed(webhook, 2, types.Message).video
    assert parsed(webhook, 3, types.Message).sticker


def test_a_place_and_a_contact_card(phone: Phone, webhook: Webhook) -> None:
    phone.send_location(23.588, 58.3829, "مسقط")
    phone.send_contacts(
        {"name": {"formatted_name": "جار تجريبي", "first_name": "جار"}, "phones": [{"phone": "+968"}]}
    )
    place = parsed(webhook, 2, types.Message).location
    assert place
    assert (place.latitude, place.longitude, place.name) == (23.588, 58.3829, "مسقط")
    cards = parsed(webhook, 3, types.Message).contacts
    assert cards
    assert cards[0].name.formatted_name == "جار تجريبي"


def test_a_reaction_comes_and_goes(phone: Phone, webhook: Webhook) -> None:
    first = phone.chat()[0]["id"]
    phone.react(first, "👍")
    assert phone.chat()[0]["reactions"] == {"customer": "👍"}
    phone.react(first, "")
    assert webhook.message(2)["reaction"] == {"message_id": first, "emoji": "👍"}
    assert webhook.message(3)["reaction"] == {"message_id": first}


def test_an_answer_names_the_message_that_it_answers(
    phone: Phone, business: Business, webhook: Webhook
) -> None:
    sent = business.sent()
    phone.wait_for("مرحبا")
    phone.send_text("نعم", reply_to=sent)
    assert webhook.message(2)["context"] == {"from": "96824000000", "id": sent}


def test_a_forwarded_message_says_so(phone: Phone, webhook: Webhook) -> None:
    phone.send_text("منقول", forwarded=True)
    assert parsed(webhook, 2, types.Message).forwarded


def test_an_edit_names_the_original_and_carries_the_new_words(phone: Phone, webhook: Webhook) -> None:
    sent = phone.send_text("القراءة 4512")
    phone.edit(sent["id"], "القراءة 4521")
    edit = webhook.message(3)["edit"]
    assert edit["original_message_id"] == sent["id"]
    assert edit["message"]["text"] == {"body": "القراءة 4521"}
    assert [m["text"] for m in phone.chat() if m["edited"]] == ["القراءة 4521"]


def test_a_revocation_names_the_original(phone: Phone, webhook: Webhook) -> None:
    sent = phone.send_text("خطأ")
    phone.revoke(sent["id"])
    assert webhook.message(3)["revoke"] == {"original_message_id": sent["id"]}
    assert phone.chat()[1]["revoked"]


def test_a_new_number_comes_as_a_system_message_without_contacts(phone: Phone, webhook: Webhook) -> None:
    phone.change_number("+968 9000 0009")
    change = parsed(webhook, 2, PhoneNumberChange)
    assert (change.old_wa_id, change.new_wa_id) == (NUMBER, "96890000009")
    assert "contacts" not in webhook.values[1]
    phone.send_text("أنا نفسي")
    assert webhook.message(3)["from"] == "96890000009"
    assert phone.chat()[0]["text"] == "السلام عليكم"


def test_a_new_user_id_comes_as_a_system_message(phone: Phone, webhook: Webhook) -> None:
    phone.change_user_id("OM.777")
    system = webhook.message(2)["system"]
    assert (system["type"], system["user_id"]) == ("user_changed_user_id", "OM.777")
    phone.send_text("؟")
    assert webhook.message(3)["from_user_id"] == "OM.777"


def test_what_the_api_does_not_carry_comes_as_unsupported(phone: Phone, webhook: Webhook) -> None:
    phone.send_unsupported("poll")
    message = webhook.message(2)
    assert (message["type"], message["errors"][0]["code"]) == ("unsupported", 131051)


def test_a_template_button_is_pressed_by_its_payload(
    phone: Phone, business: Business, webhook: Webhook
) -> None:
    button = {"type": "button", "sub_type": "quick_reply", "index": "0"}
    button |= {"parameters": [{"type": "payload", "payload": "yes-please"}]}
    template = {"name": "hello_world", "language": {"code": "en_US"}, "components": [button]}
    business.sent(type="template", template=template)
    phone.wait_for("Hello")
    phone.press("yes-please")
    webhook.message(2)
    call = next(b for _, b in webhook.calls if b'"button"' in b)
    assert CallbackButton.from_update(WA, json.loads(call)).data == "yes-please"


def test_choices_are_understood_by_pywa(phone: Phone, business: Business, webhook: Webhook) -> None:
    rows = [{"rows": [{"id": "sp-1", "title": "العداد ١", "description": "الخوض"}]}]
    action = {"button": "اختر", "sections": rows}
    business.sent(
        type="interactive", interactive={"type": "list", "body": {"text": "أيها؟"}, "action": action}
    )
    phone.wait_for("أيها")
    phone.choose("العداد ١")
    webhook.message(2)
    call = next(b for _, b in webhook.calls if b"list_reply" in b)
    selection = CallbackSelection.from_update(WA, json.loads(call))
    assert (selection.data, selection.description) == ("sp-1", "الخوض")


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_statuses_are_understood_by_pywa(
    phone: Phone, business: Business, webhook: Webhook, status: str
) -> None:
    sent = business.sent(biz_opaque_callback_data="row 3")
    webhook.status(sent, status)
    call = next(b for _, b in webhook.calls if f'"status":"{status}"'.encode() in b)
    found = MessageStatus.from_update(WA, json.loads(call))
    assert (found.id, found.tracker, found.status.value) == (sent, "row 3", status)


def test_a_button_that_is_not_there_is_refused_with_those_that_are(phone: Phone) -> None:
    with pytest.raises(EmulatorError, match="no button 'نعم' in this chat"):
        phone.press("نعم")


def test_only_own_messages_can_be_changed(phone: Phone, business: Business) -> None:
    sent = business.sent()
    phone.wait_for("مرحبا")
    with pytest.raises(EmulatorError, match="customer can change"):
        phone.edit(sent, "x")


@pytest.mark.parametrize(
    ("number", "user_id", "words"),
    [("12", "", "7 to 15 digits"), ("", "", "give a number"), ("", "nonsense", "OM.12345")],
)
def test_a_malformed_phone_is_refused(emulator: Emulator, number: str, user_id: str, words: str) -> None:
    with pytest.raises(EmulatorError, match=re.escape(words)):
        emulator.phone(number, user_id=user_id)


def test_a_file_that_is_too_large_is_refused_with_the_limit(phone: Phone) -> None:
    with pytest.raises(EmulatorError, match="5242880 at most"):
        phone.send_photo(b"\xff\xd8" + bytes(5 * 1024 * 1024))


def test_an_order_can_be_sent_raw(phone: Phone, webhook: Webhook) -> None:
    item = {"product_retailer_id": "x", "quantity": 1, "item_price": 1, "currency": "OMR"}
    phone.send_raw("order", {"catalog_id": "1", "text": "", "product_items": [item]})
    order = parsed(webhook, 2, types.Message).order
    assert order
    assert order.products[0].sku == "x"
