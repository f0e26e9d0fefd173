"""What Meta's Cloud API accepts and refuses, as a table: the body, the code, the field that the words must name."""

import httpx
import pytest

from rasd.channels.whatsapp.emulator.client import Emulator, Phone
from rasd.channels.whatsapp.emulator.settings import DEFAULT_PHONE_NUMBER_ID

from .conftest import MESSAGES, NUMBER, Business, Webhook


def buttons(*titles: str) -> dict:
    replies = [{"type": "reply", "reply": {"id": str(n), "title": title}} for n, title in enumerate(titles)]
    return interactive("button", {"buttons": replies})


def rows(count: int, **row: str) -> dict:
    made = [{"id": str(n), "title": f"row {n}", **row} for n in range(count)]
    return interactive("list", {"button": "Choose", "sections": [{"rows": made}]})


def interactive(kind: str, action: dict) -> dict:
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": "?"}, "action": action}}


REFUSED = [
    ("an empty text", {"type": "text", "text": {"body": ""}}, 131008, "text.body"),
    ("a text of 4097 characters", {"type": "text", "text": {"body": "a" * 4097}}, 131009, "4096"),
    ("an unknown type", {"type": "hologram", "hologram": {}}, 131051, "hologram"),
    ("four buttons", buttons("1", "2", "3", "4"), 131009, "1 to 3 buttons"),
    ("no button", buttons(), 131009, "1 to 3 buttons"),
    ("a button of 21 characters", buttons("x" * 21), 131009, "buttons[0].reply.title"),
    ("two buttons alike", buttons("a", "a"), 131009, "same title"),
    ("eleven rows", rows(11), 131009, "11 rows"),
    ("a row title of 25 characters", rows(1, title="x" * 25), 131009, "rows[0].title"),
    ("two rows with one id", rows(2, id="same"), 131009, "same id"),
    ("a picture with neither id nor link", {"type": "image", "image": {}}, 131009, "either id or link"),
    ("a picture that does not exist", {"type": "image", "image": {"id": "1"}}, 131009, "image.id"),
    (
        "a place off the Earth",
        {"type": "location", "location": {"latitude": 91, "longitude": 0}},
        131009,
        "latitude",
    ),
    ("a contact without a name", {"type": "contacts", "contacts": [{}]}, 131009, "formatted_name"),
    (
        "a reaction to nothing",
        {"type": "reaction", "reaction": {"message_id": "x", "emoji": "👍"}},
        131009,
        "message_id",
    ),
    (
        "a template unknown",
        {"type": "template", "template": {"name": "x", "language": {"code": "ar"}}},
        132001,
        "x",
    ),
    ("an unknown interactive", interactive("dance", {}), 131009, "interactive.type"),
    ("opaque data of 513 characters", {"biz_opaque_callback_data": "x" * 513}, 131009, "512"),
]


@pytest.mark.parametrize(("what", "message", "code", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_it_refuses(
    business: Business, phone: Phone, what: str, message: dict, code: int, words: str
) -> None:
    answer = business.send(**message)
    error = answer.json()["error"]
    assert error["code"] == code
    assert words in error["error_data"]["details"]
    assert error["type"] == "OAuthException"
    assert error["fbtrace_id"]
    assert answer.status_code == (404 if code == 132001 else 400)


ACCEPTED = [
    {"type": "text", "text": {"body": "a" * 4096}},
    buttons("نعم، هي 04521", "لا", "موظف"),
    rows(10, description="d" * 72),
    {"type": "location", "location": {"latitude": "23.588", "longitude": "58.3829", "name": "مسقط"}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "مركز الخدمة"}}]},
    {"type": "image", "image": {"link": "https://example.com/a.jpg", "caption": "هكذا"}},
    {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
    interactive(
        "cta_url", {"name": "cta_url", "parameters": {"display_text": "Track", "url": "https://example.com"}}
    ),
]


@pytest.mark.parametrize("message", ACCEPTED, ids=lambda m: m["type"])
def test_it_accepts_and_the_phone_shows(business: Business, phone: Phone, message: dict) -> None:
    sent = business.sent(**message)
    assert phone.wait_for()["id"] == sent


def test_a_wrong_token_is_answered_with_401_and_code_190(emulator: Emulator, phone: Phone) -> None:
    answer = httpx.post(f"{emulator.url}{MESSAGES}", json={}, headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)


def test_free_text_is_refused_24_hours_after_the_customers_last_message_and_a_template_is_not(
    emulator: Emulator, business: Business, phone: Phone
) -> None:
    emulator.advance(24 * 3600 - 60)
    business.sent()
    emulator.advance(120)
    assert business.send().json()["error"]["code"] == 131047
    business.sent(type="template", template={"name": "hello_world", "language": {"code": "en_US"}})


def test_a_pair_may_burst_45_messages_and_then_one_in_6_seconds(
    emulator: Emulator, business: Business, phone: Phone
) -> None:
    for _ in range(45):
        business.sent()
    answer = business.send()
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, 131056)
    emulator.advance(6.1)
    business.sent()
    assert business.send().json()["error"]["code"] == 131056


def test_a_line_takes_80_messages_a_second(emulator: Emulator, business: Business) -> None:
    from rasd.channels.whatsapp.emulator.limits import Throughput

    line = Throughput()
    for n in range(80):
        assert not line.is_exhausted(1000 + n / 100)
        line.count(1000 + n / 100)
    assert line.is_exhausted(1000.8)
    assert not line.is_exhausted(1001.9)


def test_limits_can_be_switched_off(emulator: Emulator, business: Business, phone: Phone) -> None:
    emulator.faults(enforce_limits=False)
    assert {business.send().status_code for _ in range(60)} == {200}


def test_a_number_that_nobody_has_is_accepted_and_then_fails_by_webhook(
    business: Business, webhook: Webhook
) -> None:
    sent = business.sent("96899999999", biz_opaque_callback_data="row 9")
    status = webhook.status(sent, "failed")
    assert status["errors"][0]["code"] == 131026
    assert status["biz_opaque_callback_data"] == "row 9"


def test_who_is_not_on_the_allowed_list_is_refused(
    emulator: Emulator, business: Business, phone: Phone
) -> None:
    assert emulator.settings
    emulator.settings.allowed_recipients = {"96800000000"}
    assert business.send().json()["error"]["code"] == 131030


def test_a_template_is_filled_in_and_its_parameters_are_counted(
    emulator: Emulator, business: Business, phone: Phone
) -> None:
    emulator.add_template("adopted", "اعتُمدت قراءتك {{1}} برقم {{2}}")
    value = [{"type": "text", "text": "04521"}]
    template = {
        "name": "adopted",
        "language": {"code": "ar"},
        "components": [{"type": "body", "parameters": value}],
    }
    assert business.send(type="template", template=template).json()["error"]["code"] == 132000
    value.append({"type": "text", "text": "R-7"})
    business.sent(type="template", template=template)
    assert phone.wait_for()["text"] == "اعتُمدت قراءتك 04521 برقم R-7"


def test_statuses_carry_the_businesss_own_data_and_come_as_sent_delivered_read(
    business: Business, phone: Phone, webhook: Webhook
) -> None:
    sent = business.sent(biz_opaque_callback_data="outbox 12", type="text", text={"body": "تم"})
    read = webhook.status(sent, "read")
    assert read["biz_opaque_callback_data"] == "outbox 12"
    assert read["pricing"]["category"] == "service"
    assert [s["status"] for s in webhook.statuses if s["id"] == sent] == ["sent", "delivered", "read"]
    assert all(s["recipient_id"] == NUMBER for s in webhook.statuses)


def test_a_phone_that_is_off_gets_its_messages_when_it_is_on_again(
    business: Business, phone: Phone, webhook: Webhook
) -> None:
    phone.set_online(False)
    sent = business.sent()
    webhook.status(sent, "sent")
    assert [m["direction"] for m in phone.chat()] == ["in"]
    phone.set_online(True)
    webhook.status(sent, "delivered")
    assert phone.wait_for("مرحبا")["id"] == sent


def test_a_read_receipt_for_someone_elses_message_is_refused(business: Business, phone: Phone) -> None:
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.unknown"}
    answer = business.http.post(MESSAGES, json=body)
    assert answer.json()["error"]["code"] == 131009


def test_a_file_of_a_kind_that_meta_refuses_is_refused(business: Business) -> None:
    files = {"file": ("a.exe", b"MZ", "application/x-msdownload")}
    answer = business.http.post(
        f"/v23.0/{DEFAULT_PHONE_NUMBER_ID}/media", data={"messaging_product": "whatsapp"}, files=files
    )
    assert answer.json()["error"]["code"] == 100


def upload(business: Business, data: bytes, mime_type: str) -> httpx.Response:
    files = {"file": ("f", data, mime_type)}
    form = {"messaging_product": "whatsapp", "type": mime_type}
    return business.http.post(f"/v23.0/{DEFAULT_PHONE_NUMBER_ID}/media", data=form, files=files)


def test_a_file_cannot_be_sent_as_something_else(business: Business, phone: Phone) -> None:
    sound = upload(business, b"OggS", "audio/ogg").json()["id"]
    assert business.send(type="image", image={"id": sound}).json()["error"]["code"] == 131053
    business.sent(type="audio", audio={"id": sound})


def test_a_file_too_large_for_its_kind_is_refused(business: Business) -> None:
    assert upload(business, bytes(17 * 1024 * 1024), "video/mp4").json()["error"]["code"] == 131053


def test_what_the_emulator_does_not_have_says_so(business: Business) -> None:
    assert "does not know" in business.http.get("/v23.0/1/flows").json()["error"]["message"]
    assert business.http.get("/v23.0/12345").json()["error"]["error_subcode"] == 33
