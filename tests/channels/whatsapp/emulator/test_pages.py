"""The phone in a browser: Arabic and English, live, by keyboard, without a script error."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rasd.channels.whatsapp.emulator.client import Emulator
from tests.chrome import chrome

from .conftest import NUMBER, Business, Webhook

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 760}
DESKTOP = {"width": 1280, "height": 900}
BUTTONS = {
    "type": "button",
    "body": {"text": "هل القراءة 04521؟"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "نعم، صحيحة"}}]},
}
LIST = {
    "type": "list",
    "body": {"text": "أي عداد؟"},
    "action": {
        "button": "اختر",
        "sections": [{"rows": [{"id": "sp-2", "title": "العداد ٢", "description": "الخوض"}]}],
    },
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        fakes = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=chrome(), args=["--no-sandbox", *fakes])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a phone's width; script errors fail the test."""
    context = browser.new_context(viewport=PHONE, locale="ar-OM", reduced_motion="reduce")
    errors: list[str] = []
    try:
        page = context.new_page()
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.set_default_timeout(8000)
        yield page
    finally:
        context.close()
    assert not errors


@pytest.fixture
def chat(page: Page, emulator: Emulator) -> Page:
    """The chat of a customer, open in Arabic."""
    emulator.phone(NUMBER, name="عميل تجريبي", reads=False)
    page.goto(f"{emulator.url}/phone/{NUMBER}")
    expect(page.locator("#log .empty")).to_be_visible()
    return page


def write(page: Page, text: str) -> None:
    page.get_by_placeholder("اكتب رسالة").fill(text)
    page.keyboard.press("Enter")


def test_it_is_arabic_from_right_to_left_and_says_that_it_is_an_emulator(chat: Page) -> None:
    assert chat.locator("html").get_attribute("dir") == "rtl"
    expect(chat.locator(".badge")).to_contain_text("محاكاة / Emulator — ليس واتساب")
    expect(chat).to_have_title(re.compile("Emulator, not WhatsApp"))
    expect(chat.locator("#log .empty")).to_contain_text("لا رسائل بعد")


def test_it_changes_to_english(chat: Page) -> None:
    chat.get_by_role("link", name="English").click()
    expect(chat.locator("html")).to_have_attribute("dir", "ltr")
    expect(chat.locator(".badge")).to_contain_text("not WhatsApp")
    expect(chat.get_by_placeholder("Write a message")).to_be_focused()


def test_enter_sends_and_the_ticks_follow_the_webhook(
    chat: Page, emulator: Emulator, webhook: Webhook
) -> None:
    emulator.faults(paused=True)
    write(chat, "السلام عليكم")
    expect(chat.locator(".bubble.in .ticks")).to_have_text("✓")
    emulator.faults(paused=False)
    expect(chat.locator(".bubble.in .ticks")).to_have_text("✓✓")
    assert webhook.message()["text"]["body"] == "السلام عليكم"


def test_shift_enter_makes_a_new_line(chat: Page, webhook: Webhook) -> None:
    box = chat.get_by_placeholder("اكتب رسالة")
    box.press_sequentially("أ")
    box.press("Shift+Enter")
    box.press_sequentially("ب")
    box.press("Enter")
    assert webhook.message()["text"]["body"] == "أ\nب"


def test_an_answer_appears_by_itself_and_is_read_and_the_blue_ticks_come(
    chat: Page, business: Business, webhook: Webhook
) -> None:
    write(chat, "؟")
    question = webhook.message()
    sent = business.sent(type="text", text={"body": "أهلا بك"})
    expect(chat.locator(".bubble.out")).to_contain_text("أهلا بك")
    webhook.status(sent, "read")
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": question["id"]}
    business.http.post("/v23.0/106540352242922/messages", json={**body, "typing_indicator": {"type": "text"}})
    expect(chat.locator(".bubble.in .ticks.read")).to_be_visible()
    expect(chat.locator("#presence")).to_have_text("يكتب…")


def test_buttons_work(chat: Page, business: Business, webhook: Webhook) -> None:
    write(chat, "؟")
    webhook.message()
    business.sent(type="interactive", interactive=BUTTONS)
    chat.get_by_role("button", name="نعم، صحيحة").click()
    assert webhook.message(2)["interactive"]["button_reply"]["id"] == "yes"
    expect(chat.locator(".bubble.in").last).to_contain_text("نعم، صحيحة")


def test_lists_work_by_keyboard(chat: Page, business: Business, webhook: Webhook) -> None:
    write(chat, "؟")
    webhook.message()
    business.sent(type="interactive", interactive=LIST)
    chat.get_by_role("button", name="☰ اختر").focus()
    chat.keyboard.press("Enter")
    expect(chat.locator("#list")).to_be_visible()
    chat.keyboard.press("Enter")  # the first row has the focus
    assert webhook.message(2)["interactive"]["list_reply"]["id"] == "sp-2"
    expect(chat.locator("#list")).to_be_hidden()


def test_a_photograph_is_sent_shown_and_enlarged(chat: Page, webhook: Webhook, photo: bytes) -> None:
    chat.locator("#camera").set_input_files({"name": "meter.jpg", "mimeType": "image/jpeg", "buffer": photo})
    assert webhook.message()["image"]["mime_type"] == "image/jpeg"
    picture = chat.get_by_role("button", name="تكبير الصورة")
    picture.click()
    expect(chat.locator("#zoom")).to_be_visible()
    chat.keyboard.press("Escape")
    expect(chat.locator("#zoom")).to_be_hidden()
    assert chat.locator("#camera").get_attribute("capture") == "environment"
    assert chat.locator("#camera").get_attribute("accept") == "image/*"


def test_a_sound_file_is_sent_as_a_voice_note(chat: Page, webhook: Webhook) -> None:
    chat.locator("#voiceFile").set_input_files({"name": "v.ogg", "mimeType": "audio/ogg", "buffer": b"OggS"})
    assert webhook.message()["audio"]["voice"] is True


def test_a_voice_note_is_recorded(chat: Page, webhook: Webhook) -> None:
    chat.get_by_role("button", name="تسجيل رسالة صوتية").click()
    chat.wait_for_timeout(500)
    chat.get_by_role("button", name="إنهاء التسجيل").click()
    audio = webhook.message()["audio"]
    assert audio["voice"] is True
    assert audio["mime_type"].startswith("audio/")


def test_a_place_is_sent_when_the_browser_gives_none(chat: Page, webhook: Webhook) -> None:
    chat.get_by_role("button", name="المزيد").click()
    chat.get_by_role("button", name="موقعي").click()
    assert webhook.message()["location"]["name"] == "مسقط"
    expect(chat.get_by_role("alert")).to_contain_text("اسمح بالموقع")


def test_a_message_is_edited_and_deleted(chat: Page, webhook: Webhook) -> None:
    write(chat, "4512")
    chat.get_by_role("button", name="خيارات الرسالة").click()
    chat.get_by_role("button", name="تعديل").click()
    chat.locator("#answer").fill("4521")
    chat.keyboard.press("Enter")
    expect(chat.locator(".bubble.in")).to_contain_text("4521")
    assert webhook.message(2)["type"] == "edit"
    chat.get_by_role("button", name="خيارات الرسالة").click()
    chat.get_by_role("button", name="حذف لدى الجميع").click()
    expect(chat.locator(".bubble.in")).to_contain_text("حُذفت")


def test_what_is_refused_says_why_and_keeps_the_words(chat: Page) -> None:
    chat.locator("#document").set_input_files(
        {"name": "empty.pdf", "mimeType": "application/pdf", "buffer": b""}
    )
    expect(chat.get_by_role("alert")).to_contain_text("لم تُرسل الرسالة")


def test_the_phone_can_be_switched_off(
    chat: Page, emulator: Emulator, business: Business, webhook: Webhook
) -> None:
    write(chat, "؟")
    webhook.message()
    chat.get_by_role("button", name="المزيد").click()
    chat.get_by_role("button", name="إطفاء الهاتف").click()
    expect(chat.locator("#presence")).to_have_text("الهاتف مطفأ")
    business.sent()
    expect(chat.locator(".bubble.out")).to_have_count(0)
    chat.get_by_role("button", name="المزيد").click()
    chat.get_by_role("button", name="تشغيل الهاتف").click()
    expect(chat.locator(".bubble.out")).to_have_count(1)


def test_a_reset_empties_an_open_page(chat: Page, emulator: Emulator) -> None:
    write(chat, "قبل")
    expect(chat.locator(".bubble")).to_have_count(1)
    emulator.reset()
    emulator.phone(NUMBER).send_text("بعد")
    expect(chat.locator(".bubble")).to_have_text(re.compile("بعد"))
    expect(chat.locator(".bubble")).to_have_count(1)


def test_a_phone_is_added_on_the_first_page(page: Page, emulator: Emulator) -> None:
    page.goto(emulator.url)
    expect(page.locator("#none")).to_be_visible()
    page.get_by_label("الاسم").fill("عميل جديد")
    page.get_by_role("button", name="إضافة").click()
    expect(page).to_have_url(re.compile(f"/phone/{NUMBER}"))
    assert emulator.phones()[0]["name"] == "عميل جديد"


def test_trouble_is_made_on_its_page(page: Page, emulator: Emulator) -> None:
    page.goto(f"{emulator.url}/trouble?lang=en")
    page.get_by_label("Share delivered twice (0–1)").fill("0.5")
    page.get_by_role("button", name="Apply").click()
    page.get_by_role("button", name="Add error").click()
    expect(page.locator("#errors")).to_contain_text("131056")
    faults = emulator.faults()
    assert (faults["duplicate_rate"], faults["errors"][0]["code"]) == (0.5, 131056)
    page.get_by_role("button", name="Save and shake hands").click()
    expect(page.locator("#verified")).to_contain_text("Handshake done")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("path", ["/", f"/phone/{NUMBER}", "/trouble"])
def test_nothing_sticks_out_sideways(
    page: Page,
    emulator: Emulator,
    business: Business,
    path: str,
    language: str,
    size: dict,
    tmp_path: Path,
    photo: bytes,
) -> None:
    phone = emulator.phone(NUMBER, name="عميل تجريبي باسم طويل جدا لا يتسع له السطر أبدا " * 2)
    phone.send_photo(photo, "https://example.com/" + "a" * 200)
    business.sent(type="interactive", interactive=BUTTONS)
    phone.wait_for("04521")
    page.set_viewport_size(size)
    page.goto(f"{emulator.url}{path}?lang={language}")
    page.wait_for_timeout(400)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    if kept := os.environ.get("RASD_SCREENSHOTS"):
        name = f"emulator-{path.strip('/').split('/')[0] or 'phones'}-{language}-{size['width']}.png"
        page.screenshot(path=str(Path(kept) / name))
