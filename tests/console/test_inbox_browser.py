"""The inbox as agents use it: two at a time, by the keyboard, on a phone, and on a connection that breaks."""

import contextlib
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from rasd.channels.models import Media, Outgoing
from rasd.desk.models import (
    CannedAnswer,
    Claim,
    Contact,
    ContactAddress,
    Draft,
    Employee,
    Message,
    Notice,
    SavedView,
)
from rasd.flows.live import announce, said_in
from rasd.ledger import evidence
from tests.console.browsing import DESKTOP, PHONE, opened, served, shoot
from tests.console.filling import a_conversation, some_conversations
from tests.console.looking import look_at
from tests.console.staff import owed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

WIDE = (1440, 900)
NARROW = (360, 740)


@pytest.fixture
def browse(monkeypatch):
    """``with browse(user, …) as page``, or ``with browse(one, other) as (page, page)``: each in a browser of their own."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

    @contextlib.contextmanager
    def browsing(*users, **how):
        with contextlib.ExitStack() as stack:
            url = stack.enter_context(served())
            playwright = stack.enter_context(sync_playwright())
            pages = [stack.enter_context(opened(playwright, url, user, **how)) for user in users]
            yield pages[0] if len(pages) == 1 else pages

    return browsing


@pytest.fixture
def salim(person):
    user = person("agent", username="salim")
    user.first_name, user.last_name = "Salim", "Example"
    user.save()
    Employee.objects.create(user=user)
    return user


@pytest.fixture
def nora(person):
    user = person("agent", username="nora")
    user.first_name, user.last_name = "نورة", "المثال"
    user.save()
    Employee.objects.create(user=user)
    return user


def full(utility, user):
    """An inbox with something of everything."""
    one = a_conversation(utility, user)
    ContactAddress.objects.get_or_create(address=one.address, defaults={"contact": one.contact})
    some_conversations(utility)
    twin = utility.conversation(name=one.contact.name)
    ContactAddress.objects.create(address=twin.address, contact=twin.contact)
    utility.writes(twin, "هذا رقمي الآخر", minutes_ago=3)
    voice(utility, one)
    pdf(utility, one)
    CannedAnswer.objects.create(
        shortcut="bill",
        title="الفاتورة",
        text_ar="أهلًا {name}، نراجع فاتورتك ونرد عليك. {agent}، {utility}",
        text_en="Hello {name}, we are looking at your bill. {agent}, {utility}",
    )
    CannedAnswer.objects.create(shortcut="bye", title="وداع", text_ar="شكرًا لك", text_en="Thank you")
    SavedView.objects.create(owner=user, name="بالإنجليزية", filters={"state": "all", "language": "en"})
    SavedView.objects.create(owner=None, name="Readings, late", filters={"state": "late"})
    Notice.tell(user, Notice.Kind.MENTION, at=utility.now, conversation=one)
    return one


def file(utility, conversation, data: bytes, kind: str, content_type: str, name: str) -> Message:
    message = utility.writes(conversation, "", minutes_ago=8, kind=kind)
    sha256, size = evidence.keep([data], limit=10_000_000)
    Media.objects.create(
        incoming=message.incoming,
        external_id=name,
        file_name=name,
        gives_up_at=utility.now,
        stored_at=utility.now,
        sha256=sha256,
        size=size,
        content_type=content_type,
    )
    return message


def voice(utility, conversation):
    return file(utility, conversation, b"OggS" + bytes(3000), "audio", "audio/ogg", "voice.ogg")


def pdf(utility, conversation):
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    document.new_page(420, 595)
    import io

    out = io.BytesIO()
    document.save(out)
    return file(utility, conversation, out.getvalue(), "document", "application/pdf", "tenancy.pdf")


def fetches(part):
    return lambda answer: answer.request.headers.get("hx-target") == part


def live(page):
    expect(page.locator("html")).to_have_attribute("data-connected", "yes")
    page.wait_for_timeout(300)


def test_the_inbox_fits_every_screen_and_nobody_is_kept_out(salim, utility):
    one = full(utility, salim)
    twin = Contact.objects.exclude(pk=one.contact_id).get(name=one.contact.name)
    pages = {
        "inbox": "/conversations/",
        "inbox-one": f"/conversations/{one.pk}?state=all",
        "inbox-views": "/conversations/?state=all#views",
        "inbox-customer": f"/conversations/{one.pk}?state=all#customer",  # not after its own page: that answers nothing
        "inbox-search": "/conversations/?state=all&q=" + "الفاتورة",
        "inbox-merge": f"/conversations/{one.pk}/merge/{twin.pk}",
        "inbox-canned": "/canned-answers/",
        "inbox-notices": "/notices/",
    }
    look_at(salim, pages, NARROW, DESKTOP, WIDE)


# Two at once: who has it, taking it over and an answer that is held are played in tests/console/test_story.py


def test_whoever_leaves_lets_go_of_it(browse, salim, utility):
    one, other = utility.conversation(), utility.conversation(name="Another")
    for each in (one, other):
        utility.writes(each, "?")
    with browse(salim, language="en") as page:
        page.goto(f"/conversations/{one.pk}?state=all")
        page.locator("#text").press_sequentially("Half a")
        expect(page.locator("#conversation")).to_have_attribute("data-claim", "mine")
        page.locator(f"#row-{other.pk}").click()
        expect(page.locator("#answer")).to_have_attribute("data-conversation", str(other.pk))
        expect(page.locator("#text")).to_have_value("")
        page.wait_for_timeout(600)
        assert not Claim.objects.exists()
        assert Draft.of(one, salim) == "Half a"
        page.locator(f"#row-{one.pk}").click()
        expect(page.locator("#text")).to_have_value("Half a")


# Exactly once, and nothing lost


def test_g7_a_send_that_is_cut_in_the_middle_goes_out_exactly_once_by_itself(browse, salim, utility):
    """The server takes the answer, the network dies before it says so, the page tries again: one message."""
    one = utility.conversation()
    utility.writes(one, "hello?")
    arrived = []

    with browse(salim, language="en") as page:
        page.goto(f"/conversations/{one.pk}?state=all")
        page.locator("#text").fill("Exactly once")

        def cut(route):
            arrived.append(route.request.post_data)
            if len(arrived) == 1:
                route.fetch()  # it reaches the server …
                page.context.set_offline(True)
                route.abort("connectionreset")  # … and its answer never reaches the page
            else:
                route.continue_()

        page.route("**/reply*", cut)
        page.locator("#text").press("Enter")
        expect(page.locator("#problem")).to_contain_text("Not sent yet")
        expect(page.locator("#text")).to_have_value("Exactly once")
        assert Outgoing.objects.count() == 1
        shoot(page, "inbox-offline-en-1280")
        page.context.set_offline(False)
        expect(page.locator("#text")).to_have_value("", timeout=15_000)
        expect(page.locator(".bubble.ours")).to_have_count(1)
        expect(page.locator("#problem")).to_be_empty()
    assert len(arrived) >= 2
    assert Outgoing.objects.get().text == "Exactly once"


def test_on_a_phone_the_way_to_the_customer_stands_beside_the_name_however_long_that_is(
    browse, salim, utility
):
    one = utility.conversation(name="عبد الرحمن بن عبد العزيز بن عبد الله التجريبي الأول")
    utility.writes(one, "hello?")
    with browse(salim, language="en", size=NARROW) as page:
        page.goto(f"/conversations/{one.pk}")
        expect(page.locator(".chat-head .to-customer")).to_be_visible()
        # In one moment: what lives may be replaced between two.
        back, customer = page.evaluate(
            "['back', 'to-customer'].map(name => document.querySelector(`.chat-head .${name}`).getBoundingClientRect().toJSON())"
        )
    assert abs(back["y"] + back["height"] / 2 - customer["y"] - customer["height"] / 2) < 5
    assert customer["x"] + customer["width"] <= NARROW[0]


def test_a_name_too_long_for_its_row_is_cut_at_its_own_end_in_either_language(browse, salim, utility):
    one = utility.conversation(name="عبد الرحمن بن عبد العزيز بن عبد الله التجريبي الأول")
    utility.writes(one, "hello?")
    with browse(salim, language="en") as page:
        page.goto("/conversations/?state=all")
        # In one go: the list may fetch itself anew between two questions.
        how = page.evaluate(
            "() => { const e = document.querySelector('.rows .who strong bdi'); const s = getComputedStyle(e);"
            " return [s.direction, s.textOverflow, e.scrollWidth > e.clientWidth]; }"
        )
    assert how == ["rtl", "ellipsis", True]


def test_the_first_letter_is_told_at_once_and_the_rest_after_a_pause(browse, salim, utility):
    """Not every letter by itself while the answer to the first is under way."""
    one = utility.conversation()
    utility.writes(one, "hello?")
    with browse(salim, language="en") as page:
        told = []
        page.on("request", lambda r: told.append(r.url) if r.url.endswith("/typing") else None)
        page.goto(f"/conversations/{one.pk}")
        page.locator("#text").press_sequentially("Not each letter by itself")
        expect(page.locator("[data-kept]")).to_have_text("kept, on every device")
        expect(page.locator("#conversation")).to_have_attribute("data-claim", "mine")
    assert len(told) <= 3, told


def test_what_was_typed_without_a_connection_is_there_after_a_reload_and_on_another_device(
    browse, salim, utility
):
    one = utility.conversation()
    utility.writes(one, "hello?")
    with browse(salim, salim, language="en") as (desk, telephone):
        desk.goto(f"/conversations/{one.pk}")
        desk.locator("#text").press_sequentially("Kept ev")
        expect(desk.locator("[data-kept]")).to_have_text("kept, on every device")
        desk.locator("#text").press_sequentially("erywhere")
        expect(desk.locator("[data-kept]")).to_have_text("kept, on every device")
        telephone.goto(f"/conversations/{one.pk}")
        expect(telephone.locator("#text")).to_have_value("Kept everywhere")

        desk.route("**/typing", lambda route: route.abort())
        desk.locator("#text").press_sequentially(", and here")
        expect(desk.locator("[data-kept]")).to_have_text("kept on this device")
        desk.reload()
        expect(desk.locator("#text")).to_have_value("Kept everywhere, and here")
        desk.unroute("**/typing")
        desk.locator("#text").press("Enter")
        expect(desk.locator(".bubble.ours")).to_contain_text("Kept everywhere, and here")
        telephone.reload()
        expect(telephone.locator("#text")).to_have_value("")
        desk.reload()
        expect(desk.locator("#text")).to_have_value("")
    assert Outgoing.objects.count() == 1


# By the keyboard


def test_a_morning_in_the_inbox_by_the_keyboard_alone(browse, salim, utility):
    for n, text in enumerate(["first", "second", "third"]):
        one = utility.conversation(name=f"Customer {n}")
        one.owe(utility.writes(one, text, minutes_ago=20 - n), queue=utility.queue)
    with browse(salim, language="en") as page:
        page.goto("/conversations/")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("o")
        expect(page.locator("#chat")).to_contain_text("first")
        page.keyboard.press("j")
        expect(page.locator("#chat")).to_contain_text("second")
        page.keyboard.press("e")
        expect(page.locator("#conversation")).to_contain_text("You said that it needs no answer")
        expect(page.locator("#list .row-link")).to_have_count(2)
        page.keyboard.press("u")
        expect(page.locator("#list .row-link")).to_have_count(3)
        page.keyboard.press("n")
        expect(page.locator("#text")).to_be_focused()
        page.keyboard.type("for us")
        page.keyboard.press("Enter")
        expect(page.locator(".bubble.note")).to_contain_text("for us")
        page.keyboard.press("Escape")
        page.keyboard.press("r")
        page.keyboard.type("for you")
        page.keyboard.press("Enter")
        expect(page.locator(".bubble.ours")).to_contain_text("for you")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        shoot(page, "inbox-keys-en-1280")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("a")
        page.wait_for_url("**/conversations/?state=all")
    assert Outgoing.objects.get().text == "for you"


def test_an_arabic_keyboard_does_the_same(browse, salim, utility):
    one = utility.conversation()
    one.owe(utility.writes(one, "السلام عليكم"), queue=utility.queue)
    press = (
        "([key, code]) => document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true}))"
    )
    with browse(salim) as page:
        page.goto("/conversations/")
        page.evaluate(press, ["ت", "KeyJ"])
        page.evaluate(press, ["خ", "KeyO"])
        expect(page.locator("#chat")).to_contain_text("السلام عليكم")
        page.evaluate(press, ["ى", "KeyN"])
        expect(page.locator("#reply [value=note]")).to_be_checked()
        page.keyboard.press("Escape")
        page.evaluate(press, ["ظ", "Slash"])
        expect(page.locator("#q")).to_be_focused()
        page.keyboard.press("Escape")
        page.evaluate(press, ["؟", "Slash"])
        expect(page.locator("#keys")).to_be_visible()


def test_a_canned_answer_is_offered_filled_in_and_chosen_by_the_keyboard(browse, salim, utility):
    one = full(utility, salim)
    with browse(salim) as page:
        page.goto(f"/conversations/{one.pk}")
        page.locator("#text").press_sequentially("/bi")
        expect(page.locator("#offers [role=option]")).to_have_count(1)
        expect(page.locator("#offers")).to_contain_text("أهلًا سالم المثال، نراجع فاتورتك")
        shoot(page, "inbox-canned-offered-ar-1280")
        page.keyboard.press("Enter")
        expect(page.locator("#text")).to_have_value(
            "أهلًا سالم المثال، نراجع فاتورتك ونرد عليك. Salim Example، Rasd"
        )
        expect(page.locator("#offers [role=option]")).to_have_count(0)
    assert not Outgoing.objects.filter(message__author=salim, text__contains="نراجع فاتورتك").exists()


def test_a_colleague_is_mentioned_by_the_first_letters_and_told_at_once(browse, salim, nora, utility):
    one = utility.conversation()
    with browse(salim, nora, language="en") as (page, hers):
        hers.goto("/")
        page.goto(f"/conversations/{one.pk}")
        page.locator("#chat").focus()
        page.keyboard.press("n")
        page.keyboard.type("ask @no")
        expect(page.locator("#offers [role=option]")).to_have_count(1)
        page.keyboard.press("Tab")
        expect(page.locator("#text")).to_have_value("ask @nora ")
        page.keyboard.press("Enter")
        expect(page.locator(".bubble.note")).to_contain_text("ask @nora")
        expect(hers.locator("#bell .count")).to_have_text("1")
        hers.locator("#bell summary").click()
        shoot(hers, "bell-en-1280")
        hers.locator("#bell .notice button").click()
        hers.wait_for_url(f"**/conversations/{one.pk}#latest")
        expect(hers.locator("#bell .count")).to_have_count(0)


# Live


def test_what_comes_in_appears_in_list_and_conversation_and_nothing_is_lost(browse, salim, utility):
    """Neither the scroll, nor the focus, nor what is typed."""
    shown = []
    for n in range(30):
        one = utility.conversation(name=f"Customer {n}")
        one.last_message_at = utility.now - timedelta(minutes=n)
        one.save()
        shown.append(one)
    with browse(salim, language="en") as page:
        page.goto(f"/conversations/{shown[0].pk}?state=all")
        live(page)
        page.locator(f"#row-{shown[20].pk}").focus()
        before = page.evaluate("document.querySelector('#rows').scrollTop")
        assert before > 0
        place = f"document.querySelector('#row-{shown[20].pk}').getBoundingClientRect().top"
        at = page.evaluate(place)
        page.locator("#text").evaluate("field => { field.value = 'half a sen'; }")
        with transaction.atomic():
            newest = utility.conversation(name="Somebody new")
            utility.writes(newest, "I am new")
            newest.last_message_at = timezone.now()
            newest.save()
            utility.writes(shown[0], "And I say more")
            announce("conversations", str(shown[0]))
        expect(page.locator(f"#row-{newest.pk}")).to_have_count(1)
        expect(page.locator("#chat")).to_contain_text("And I say more")
        expect(page.locator(f"#row-{shown[20].pk}")).to_be_focused()
        assert abs(page.evaluate(place) - at) < 2
        expect(page.locator("#text")).to_have_value("half a sen")
        expect(page.locator(f"#row-{shown[0].pk}")).to_have_attribute("aria-current", "true")


def test_a_list_by_due_time_has_the_row_fetched_in_which_something_was_said_and_stays_as_it_is(
    browse, salim, utility
):
    mine = [owed(utility, owner=salim, due_in=n).conversation for n in (10, 20)]
    asked: list[str] = []
    with browse(salim, language="en") as page:
        first = {part: page.expect_response(fetches(part)) for part in ("list", "about")}
        with first["list"], first["about"]:  # the page's first look, once the server listens
            page.goto(f"/conversations/{mine[0].pk}?mine=1")
        page.on("request", lambda request: asked.append(request.headers.get("hx-target", "")))
        with transaction.atomic():
            for one in mine:
                utility.writes(one, "And I say more")
                announce(*said_in(one))
        for one in mine:
            expect(page.locator(f"#row-{one.pk}")).to_contain_text("And I say more")
        expect(page.locator("#chat")).to_contain_text("And I say more")
        expect(page.locator(f"#row-{mine[0].pk}")).to_have_attribute("aria-current", "true")
    assert {f"one-{one.pk}" for one in mine} | {"conversation"} <= set(asked)
    assert not {"list", "about"} & set(asked)


# Promises, pictures, phones


def test_a_promise_is_sent_with_its_time_in_words_and_owed_from_then_on(browse, salim, utility):
    one = utility.conversation()
    utility.writes(one, "متى؟")
    with browse(salim, language="en") as page:
        page.goto(f"/conversations/{one.pk}?state=all")
        page.locator("#chat").focus()
        page.keyboard.press("p")
        page.locator("#by").select_option(label="tomorrow 12:00")
        shoot(page, "inbox-promise-en-1280")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".bubble.ours")).to_be_visible()
        expect(page.locator("#about")).to_contain_text("tomorrow 12:00")
    promised = one.obligations.get(kind="promise")
    assert timezone.localtime(promised.due_at).hour == 12
    assert promised.owner == salim


def test_a_photograph_opens_large_zooms_and_turns(browse, salim, utility):
    one = utility.conversation()
    utility.sends_photograph(one, "04521")
    with browse(salim, language="en") as page:
        page.goto(f"/conversations/{one.pk}?state=all")
        page.locator("a.photo").click()
        image = page.locator("#viewer img")
        expect(image).to_be_visible()
        page.keyboard.press("+")
        page.keyboard.press("t")
        style = image.get_attribute("style")
        assert "rotate(90deg)" in style
        assert "scale(1)" not in style
        page.wait_for_timeout(400)
        shoot(page, "inbox-viewer-en-1280")
        page.keyboard.press("0")
        assert "rotate(0deg) scale(1)" in image.get_attribute("style")
        page.keyboard.press("Escape")
        expect(page.locator("#viewer")).to_be_hidden()


def test_on_a_phone_one_pane_is_shown_at_a_time_with_a_way_back(browse, salim, utility):
    one = utility.conversation(name="Customer")
    utility.writes(one, "hello?")
    with browse(salim, language="en", size=PHONE) as page:
        page.goto("/conversations/?state=all")
        expect(page.locator("#pane")).to_be_hidden()
        page.locator(f"#row-{one.pk}").click()
        expect(page.locator("#chat")).to_be_visible()
        expect(page.locator("#list")).to_be_hidden()
        page.locator(".to-customer").click()
        expect(page.locator("#about")).to_be_visible()
        page.locator(".customer .back").click()
        expect(page.locator("#about")).to_be_hidden()
        page.locator(".chat-head .back").click()
        expect(page.locator("#list")).to_be_visible()
        expect(page.locator("#pane")).to_be_hidden()


def test_without_script_everything_is_a_link_or_a_form(browse, salim, utility):
    one = utility.conversation(name="Customer")
    one.owe(utility.writes(one, "hello?"), queue=utility.queue)
    with browse(salim, language="en") as page:
        page.goto("/")
        context = page.context.browser.new_context(
            java_script_enabled=False, base_url=page.evaluate("location.origin")
        )
        context.add_cookies(page.context.cookies())
        plain = context.new_page()
        plain.set_default_timeout(10_000)
        plain.goto("/conversations/?state=all")
        plain.locator(f"#row-{one.pk}").click()
        plain.get_by_role("button", name="Take").click()
        expect(plain.locator("#conversation")).to_contain_text("You are answering")
        plain.locator("label:has([value=note])").click()
        plain.locator("#text").fill("a note")
        plain.get_by_role("button", name="Send").click()
        expect(plain.locator(".bubble.note")).to_contain_text("a note")
        plain.get_by_role("button", name="Needs no answer").click()
        plain.get_by_role("button", name="Undo").click()
        plain.locator("#matter").select_option("complaint")
        plain.get_by_role("button", name="Keep").click()
        plain.locator("#text").fill("an answer")
        plain.get_by_role("button", name="Send").click()
        expect(plain.locator(".bubble.ours")).to_contain_text("an answer")
    one.refresh_from_db()
    assert one.matter == "complaint"
    assert one.obligations.get(kind="answer").discharged_by.words == "an answer"
