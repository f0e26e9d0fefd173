"""The console as people use it: with the keyboard, with a connection that breaks, and without script."""

import contextlib
import time

import pytest
from django.db import connection, transaction
from playwright.sync_api import expect, sync_playwright

from rasd.channels.models import Outgoing
from rasd.console.chat import chat_of
from rasd.flows.live import announce
from rasd.metering.models import Review
from tests.console.browsing import PHONE, opened, served, shoot

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def browse(monkeypatch):
    """``with browse(user, language="en") as page``: a real browser before a real server."""
    # Playwright keeps an event loop in this thread; the rows that a test makes are made beside it, not in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

    @contextlib.contextmanager
    def browsing(user, **how):
        with served() as url, sync_playwright() as playwright, opened(playwright, url, user, **how) as page:
            yield page

    return browsing


def outcomes() -> list[tuple[str, int | None]]:
    rows = Review.objects.exclude(closed_at=None).order_by("closed_at")
    return [(row.outcome, None if row.value is None else int(row.value)) for row in rows]


def test_a_morning_of_reviews_by_the_keyboard_alone(browse, person, utility):
    for digits in ("04433", "04521", "04390", "04455", "04466"):
        utility.review(digits)
    with browse(person("reviewer"), language="en") as page:
        page.goto("/review/")
        value = page.locator("#value")
        expect(value).to_have_value("04433")
        page.keyboard.press("Enter")
        expect(value).to_have_value("04521")

        page.keyboard.type("04527")
        expect(page.get_by_role("button", name="Correct it to this")).to_be_visible()
        shoot(page, "review-corrected-en-desktop")
        page.keyboard.press("Enter")
        expect(value).to_have_value("04390")

        page.keyboard.press("r")
        expect(page.get_by_text("What is wrong with it?")).to_be_visible()
        shoot(page, "review-ask-again-en-desktop")
        page.keyboard.press("2")
        expect(value).to_have_value("04455")

        page.keyboard.press("n")
        expect(value).to_have_value("04466")
        page.keyboard.press("s")
        expect(page.get_by_text("Nothing for you just now")).to_be_visible()
        page.keyboard.press("u")
        expect(value).to_have_value("04455")
        expect(page.get_by_text("3 done by you today")).to_be_visible()
        page.keyboard.press("?")
        expect(page.get_by_text("type what the counter shows")).to_be_visible()
    assert outcomes() == [("accepted", 4433), ("corrected", 4527), ("asked_again", None)]


def test_every_decision_is_on_the_screen_of_a_desk_without_scrolling(browse, person, utility):
    review = utility.review("04521")
    photograph = review.submission.photographs.get()
    photograph.seen["counter_box"] = [0.2, 0.1, 0.6, 0.75]  # a tall crop, the worst of cases
    photograph.save()
    with browse(person("reviewer"), language="ar") as page:
        page.goto("/review/")
        page.wait_for_load_state("networkidle")
        for key in ("r", "n", "s"):
            box = page.locator(f'[data-key="{key}"]').bounding_box()
            assert box["y"] + box["height"] <= page.viewport_size["height"], key
        window, picture = page.locator(".counter").bounding_box(), page.locator(".counter img").bounding_box()
        assert abs(window["width"] - picture["width"]) <= 3, (
            "the digits' places are counted on the picture's width"
        )
        shoot(page, "review-tall-ar-desktop")


def test_an_arabic_keyboard_reviews_as_well(browse, person, utility):
    for digits in ("04433", "04521"):
        utility.review(digits)
    with browse(person("reviewer")) as page:
        page.goto("/review/")
        expect(page.locator("#value")).to_have_value("04433")
        # The key of N writes ى on an Arabic keyboard.
        page.evaluate(
            "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'ى', code: 'KeyN', bubbles: true}))"
        )
        expect(page.locator("#value")).to_have_value("04521")
        page.keyboard.insert_text("٠٤٥٢٩")
        page.keyboard.press("Enter")
        expect(page.locator(".empty")).to_be_visible()
    assert outcomes() == [("not_a_meter", None), ("corrected", 4529)]


def test_a_new_photograph_appears_before_whom_it_waits_for(browse, person, utility):
    with browse(person("reviewer")) as page:
        page.goto("/review/")
        expect(page.locator(".empty")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")
        with transaction.atomic():
            utility.review("04521")
            announce("review")
        expect(page.locator("#value")).to_have_value("04521")
        expect(page.locator("#nav .count")).to_contain_text("1")


def test_the_whole_photograph_can_be_zoomed_and_turned(browse, person, utility):
    utility.review("04521")
    with browse(person("reviewer"), language="en") as page:
        page.goto("/review/")
        page.keyboard.press("z")
        page.keyboard.press("t")
        style = page.locator(".whole .frame img").get_attribute("style")
    assert "scale(2)" in style
    assert "rotate(90deg)" in style


def test_an_answer_typed_survives_a_reload_and_enter_sends_it_once(browse, person, utility):
    one = utility.conversation()
    utility.writes(one, "السلام عليكم")
    with browse(person("agent")) as page:
        page.goto(f"/conversations/{one.pk}")
        page.locator("#text").fill("وعليكم السلام، كيف أساعدك؟")
        key = page.locator("#key").input_value()
        page.reload()
        expect(page.locator("#text")).to_have_value("وعليكم السلام، كيف أساعدك؟")
        assert page.locator("#key").input_value() == key
        page.locator("#text").press("Enter")
        expect(page.locator(".bubble.ours")).to_contain_text("كيف أساعدك")
        expect(page.locator("#text")).to_have_value("")
        assert page.locator("#key").input_value() != key
        page.locator("#text").fill("سطر")
        page.locator("#text").press("Shift+Enter")
        expect(page.locator("#text")).to_have_value("سطر\n")
        page.reload()
        expect(page.locator("#text")).to_have_value("سطر\n")
    assert Outgoing.objects.count() == 1


def test_what_a_customer_writes_appears_by_itself_and_what_is_being_typed_stays(browse, person, utility):
    one = utility.conversation()
    utility.writes(one, "first")
    with browse(person("agent")) as page:
        page.goto(f"/conversations/{one.pk}")
        page.locator("#text").fill("half a sen")
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")
        with transaction.atomic():
            utility.writes(one, "second")
            announce(str(one))
        expect(page.locator("#chat")).to_contain_text("second")
        expect(page.locator("#text")).to_have_value("half a sen")
        expect(page.locator("#text")).to_be_focused()


def test_what_is_said_while_the_chat_is_being_fetched_is_not_missed(browse, person, utility, monkeypatch):
    one = utility.conversation()
    fetched = []

    def slow_the_first_time(*asked, **how):
        chat = chat_of(*asked, **how)
        fetched.append(chat)
        if len(fetched) == 2:  # the first live fetch: what it saw is old when it arrives
            time.sleep(1.0)
        return chat

    monkeypatch.setattr("rasd.console.views.conversations.chat_of", slow_the_first_time)
    with browse(person("agent")) as page:
        page.goto(f"/conversations/{one.pk}")
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")
        page.wait_for_timeout(300)
        for text in ("first", "second"):
            with transaction.atomic():
                utility.writes(one, text)
                announce(str(one))
            page.wait_for_timeout(500)
        expect(page.locator("#chat")).to_contain_text("first")
        expect(page.locator("#chat")).to_contain_text("second")


def test_after_the_database_lost_its_listener_the_page_finds_out_what_it_missed(browse, person, utility):
    one = utility.conversation()
    with browse(person("agent")) as page:
        page.goto(f"/conversations/{one.pk}")
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")
        page.wait_for_timeout(500)
        utility.writes(one, "said while nobody listened")  # as if: nobody is told of it
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'rasd-live%'"
            )
        expect(page.locator("#chat")).to_contain_text("said while nobody listened")


def test_a_long_english_message_in_the_arabic_list_keeps_its_beginning(browse, person, utility):
    one = utility.conversation()
    utility.writes(one, "Beginning of a long message " + "about readings and so on " * 4)
    with browse(person("agent"), size=PHONE) as page:
        page.goto("/conversations/?state=all")
        preview = page.locator(".preview")
        expect(preview).to_have_css("direction", "ltr")
        # In one go: the page may refresh itself between two questions.
        start, edge = page.evaluate(
            "() => { const range = document.createRange(); const box = document.querySelector('.preview');"
            " range.setStart(box.firstChild, 0); range.setEnd(box.firstChild, 9);"
            " return [range.getBoundingClientRect().x, box.getBoundingClientRect().x]; }"
        )
        assert start >= edge - 1
        shoot(page, "preview-ar-phone")


def test_a_note_and_taking_work_from_the_page(browse, person, utility):
    one = utility.conversation()
    with browse(person("agent"), language="en", size=PHONE) as page:
        page.goto(f"/conversations/{one.pk}")
        page.get_by_role("button", name="Take", exact=True).click()
        expect(page.get_by_text("a colleague took over")).to_be_visible()
        page.locator("label:has([value=note])").click()
        page.locator("#text").fill("ask for the bill")
        page.locator(".send").click()
        expect(page.locator(".bubble.note")).to_contain_text("ask for the bill")
        expect(page.locator("#text")).to_have_value("")
    assert not Outgoing.objects.exists()


def test_colours_change_at_once_and_are_remembered(browse, person):
    with browse(person("agent"), language="en") as page:
        page.goto("/")
        page.locator(".me:not(.bell) summary").click()
        page.get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        shoot(page, "menu-en-desktop-dark")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.locator(".me:not(.bell) summary").click()
        page.get_by_role("button", name="العربية").click()
        expect(page.locator("html")).to_have_attribute("dir", "rtl")


def test_the_login_by_hand_with_a_second_factor_set_up_on_the_way(browse, person):
    from binascii import unhexlify

    from django_otp.oath import TOTP
    from django_otp.plugins.otp_totp.models import TOTPDevice

    from tests.console.conftest import PASSWORD

    user = person("agent")
    with browse(None, language="en") as page:
        page.goto("/account")
        page.get_by_label("Username").fill("agent")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Set it up").click()
        expect(page.locator("svg.qr")).to_be_visible()
        shoot(page, "account-qr-en-desktop")
        device = TOTPDevice.objects.get(user=user)
        totp = TOTP(unhexlify(device.key))
        totp.time = time.time()
        page.get_by_label("Code").fill(f"{totp.token():06}")
        page.get_by_role("button", name="Turn it on").click()
        expect(page.locator(".codes li")).to_have_count(10)
        shoot(page, "account-codes-en-desktop")
        recovery = page.locator(".codes li").first.inner_text()
        page.locator(".me:not(.bell) summary").click()
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Username").fill("agent")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        shoot(page, "code-en-desktop")
        page.get_by_label("Code").fill(recovery)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("h1")).to_contain_text("Hello")


def test_without_script_one_can_still_review_and_answer(browse, person, utility):
    utility.review("04433")
    utility.review("04521")
    one = utility.conversation()
    with browse(person("administrator"), language="en") as page:
        page.goto("/")
        context = page.context.browser.new_context(
            java_script_enabled=False, base_url=page.evaluate("location.origin")
        )
        context.add_cookies(page.context.cookies())
        plain = context.new_page()
        plain.goto("/review/")
        plain.get_by_role("button", name="Adopt this").click()
        expect(plain.locator("#value")).to_have_value("04521")
        plain.locator("details.again summary").click()
        plain.get_by_role("button", name="Blurred").click()
        expect(plain.locator(".empty")).to_be_visible()
        plain.goto(f"/conversations/{one.pk}")
        plain.locator("#text").fill("Hello")
        plain.get_by_role("button", name="Send").click()
        expect(plain.locator(".bubble.ours")).to_contain_text("Hello")
        for n in range(30):
            utility.writes(one, f"message {n}")
        plain.locator("#text").fill("The last word")
        plain.get_by_role("button", name="Send").click()
        expect(plain.locator(".bubble.ours").last).to_be_in_viewport()
    assert outcomes() == [("accepted", 4433), ("asked_again", None)]
    assert Review.objects.get(outcome="asked_again").submission.judgement.why == "blurred"
