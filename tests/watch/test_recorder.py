"""The recorder: an errand done by hand, on a page that shows a browser, becomes a journey that the watch repeats."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Locator, Page, expect, sync_playwright

from rasd.watch.cli import watch
from rasd.watch.evidence.box import Box
from rasd.watch.journeys import Channel, Journey, parse, read
from rasd.watch.journeys.language import Persona
from rasd.watch.journeys.saying import said
from rasd.watch.journeys.steps import Thing
from rasd.watch.players import pointing
from rasd.watch.players.base import Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.finding import Finding
from rasd.watch.players.playing import Visit, no_host
from rasd.watch.players.web import WebPlayer
from rasd.watch.recorder import honest, naming, privacy, writing
from rasd.watch.recorder.deeds import DeadEnd, Deed, End, Field, Kind, Recording
from tests.chrome import chrome
from tests.watch.players.site import Site, served

WHO = Persona(patience="3m")  # type: ignore[arg-type]


def typed(label: str, value: str, *, at: float = 1, kind: str = "text", meaning: str = "") -> Deed:
    return Deed(Kind.TYPED, at, Thing(name=label), value, field=Field(kind, meaning, label))


def pressed(name: str, **more: object) -> Deed:
    return Deed(Kind.PRESSED, 2, Thing(name=name), **more)  # type: ignore[arg-type]


def saw(words: str) -> Deed:
    return Deed(Kind.SAW, 9, value=words)


def recording(*deeds: Deed) -> Recording:
    began = datetime(2026, 11, 22, 8, tzinfo=UTC)
    opened = Deed(Kind.OPENED, 0, value="/")
    return Recording("http://127.0.0.1:8000/", WHO, began, [opened, *deeds], ended=100, title="أفتح بلاغا")


def steps(*deeds: Deed) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    before, done = writing.steps_of(list(deeds))
    return before, done


@pytest.mark.parametrize(
    ("deed", "instead"),
    [
        (typed("البريد الإلكتروني", "huda@example.com"), "{someone.email}"),
        (typed("x", "huda@example.com"), "{someone.email}"),
        (typed("Phone", "+968 9000 0000"), "{someone.phone}"),
        (typed("Phone model", "Nokia"), "Nokia"),
        (typed("رقم الهاتف *", "٩٠٠٠٠٠٠٠", kind="tel"), "{someone.phone}"),
        (typed("الاسم", "هدى"), "{someone.name}"),
        (typed("الاسم الأول:", "هدى"), "{someone.first}"),
        (typed("q", "هدى", meaning="section-a family-name"), "{someone.last}"),
        (typed("الرمز السري", "1234", kind="password"), "{secret.password}"),
        (typed("PIN *", "1234", kind="password"), "{secret.pin}"),
        (typed("رقم الحساب", "77"), "{secret.account}"),
        (typed("Civil number", "12345678"), "{secret.civil_number}"),
        (typed("الرمز", "123456", meaning="one-time-code"), "{code}"),
        (typed("المشكلة", "انقطع الماء عن بيتنا"), "انقطع الماء عن بيتنا"),
    ],
)
def test_what_he_typed_of_himself_is_a_made_up_persons_or_a_secret(deed, instead):
    assert privacy.of(deed) == instead


def test_deeds_become_steps_in_their_order_with_nothing_of_his_own_in_them():
    deeds = [
        typed("الاسم", "هدى السيابية"), typed("PIN", "4711", kind="password"), Deed(Kind.TICKED, 2, Thing(name="أوافق")),
        Deed(Kind.CHOSE, 3, Thing(name="الخدمة"), "ماء"), Deed(Kind.CHOSE, 3, Thing(name="الوقت"), "صباحا"),
        typed("المشكلة", "أنا هدى السيابية والماء مقطوع"), pressed("فراغ", nothing=True, pressable=False),
        Deed(Kind.PRESSED, 4, Thing(name="عرض", near="فاتورة {يناير}")), Deed(Kind.WENT_BACK, 5), Deed(Kind.ENTERED, 6),
    ]  # fmt: skip
    before, done = steps(
        *deeds,
        saw("شكرا هدى السيابية، رقم البلاغ: T-4521 بتاريخ ٢٢"),
        pressed("بلاغاتي"),
        typed("رقم البلاغ", "t-4521"),
    )

    assert before == [
        {"fill": {"الاسم": "{someone.name}", "PIN": "{secret.pin}"}}, {"tick": "أوافق"},
        {"choose": {"الخدمة": "ماء", "الوقت": "صباحا"}}, {"fill": {"المشكلة": "أنا {someone.name} والماء مقطوع"}},
        {"press": {"name": "عرض", "near": "فاتورة {يناير}"}}, {"back": True}, {"press": "Enter"},
    ]  # fmt: skip
    assert done == [
        {"keep": {"number": r"شكرا\s+{someone.name}،\s+رقم\s+البلاغ:\s+([\w/-]+)\s+بتاريخ\s+[\w/-]+"}},
        {"press": "بلاغاتي"},
        {"fill": {"رقم البلاغ": "{number}"}},
    ]
    text = writing.written(recording(*deeds, saw("شكرا")), "ticket", "desk")
    assert "4711" not in text
    assert "السيابية" not in text
    assert "# Wants RASD_WATCH_SECRET_PIN in the environment." in text
    assert parse(text).who.patience.total_seconds() == 4 * 60


def test_a_chat_is_said_and_heard_and_its_place_is_written_down():
    spoken = Deed(Kind.SAID, 3, Thing(name="اكتب رسالتك"), "الماء مقطوع", heard=True, send=Thing(name="أرسل"))
    journey = parse(writing.written(recording(spoken, saw("أهلا بك")), "chat", "desk"))

    assert [each.verb for each in journey.steps] == ["open", "say", "hear"]
    assert journey.chat is not None
    assert (journey.chat.box, journey.chat.send) == ("اكتب رسالتك", Thing(name="أرسل"))


def test_without_words_that_prove_it_there_is_no_journey_but_an_honest_page():
    gave_up = recording(typed("البريد", "h@example.com", at=30), typed("البريد", "h@example.com", at=40))
    gave_up.dead_ends = [DeadEnd(50, End.ERROR, "500"), DeadEnd(60, End.GAVE_UP, "تعبت <b>")]
    with pytest.raises(writing.NothingProves):
        writing.written(gave_up, "ticket", "desk")

    page = honest.page(gave_up, "")
    assert gave_up.asked_again() == [gave_up.deeds[2]]
    assert "<b>1:40</b> minutes" in page
    assert "<b>2</b> fields typed" in page
    assert "<b>1</b> time asked the same again" in page
    assert "<b>2</b> dead ends" in page
    assert "He gave up: تعبت &lt;b&gt;" in page
    assert "For 30 seconds he did nothing" in page
    assert "h@example.com" not in page


SNAPSHOT = """
- generic [ref=e1] [box=0,0,400,800]:
  - generic [ref=e2] [box=0,0,400,100]:
    - paragraph [ref=e3] [box=0,0,400,20]: فاتورة يناير
    - button "عرض" [ref=e4] [box=0,20,40,20]
  - generic [ref=e5] [box=0,100,400,100]:
    - paragraph [ref=e6] [box=0,100,400,20]: فاتورة فبراير
    - button "عرض" [ref=e7] [box=0,120,40,20]
  - link [ref=e8] [cursor=pointer] [box=0,200,400,100]:
    - /url: /offer
    - heading "عرض اليوم" [level=2] [ref=e9] [box=0,200,400,20]
    - paragraph [ref=e10] [box=0,220,400,80]: كلام طويل عن العرض لا يقرؤه أحد إلى آخره وهو لا ينتهي في سطر واحد ولا في سطرين أبدا
  - button "+" [ref=e11] [box=0,300,20,20]
  - button "حذف" [ref=e12] [box=0,320,20,20]
  - button "حذف" [ref=e13] [box=0,340,20,20]
  - textbox "البريد" [ref=e14] [box=0,360,200,20]
  - text: رقم الحساب
  - textbox [ref=e15] [box=0,380,200,20]
"""


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("e4", Thing(name="عرض", near="فاتورة يناير")), ("e9", Thing(name="عرض اليوم")), ("e11", Thing(name="+")),
        ("e12", Thing(name="حذف", nth=1)), ("e13", Thing(name="حذف", nth=2)),
    ],
)  # fmt: skip
def test_a_thing_is_named_as_a_player_finds_it_again(ref, name):
    root = pointing.tree(SNAPSHOT)
    node = naming.pressable(next(each for each in root.all() if each.ref == ref))
    assert naming.to_press(root, node) == name
    assert naming.found_again(root, node, name, pointing.to_press, pointing.to_touch)


def test_a_field_is_named_by_its_label_or_by_the_words_beside_it():
    root = pointing.tree(SNAPSHOT)
    names = [
        naming.to_fill(root, each, pointing.to_type) for each in root.all() if each.role in pointing.TYPED
    ]
    assert names == [Thing(name="البريد"), Thing(name="رقم الحساب")]


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


@pytest.fixture
def manager() -> Iterator[Page]:
    """Before his own browser, as wide as a telephone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome(), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 400, "height": 800}, reduced_motion="reduce")
        browser.close()


def tap(page: Page, x: float, y: float) -> None:
    """At a place of the page that is shown, in its own pixels: it is 412 wide."""
    box = page.locator("#frame").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"] / 412, box["y"] + y * box["width"] / 412)


@pytest.mark.browser
def test_an_errand_done_on_the_remote_page_is_a_journey_that_the_watch_repeats(
    site: Site, manager: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    monkeypatch.setattr("rasd.watch.recorder.cli.click.echo", lambda words="", **_: told.append(words))
    arguments = ["record", site.url + "/", "--out", "ticket.yaml", "--network", "wifi", "--no-screen"]
    results: list[Result] = []
    recorder = threading.Thread(
        target=lambda: results.append(CliRunner().invoke(watch, arguments)), daemon=True
    )
    recorder.start()
    while not told:
        recorder.join(0.05)
    assert site.asked == []  # nobody looks yet: nothing is opened, and no time counted
    manager.goto(told[0].split()[-1] + "?lang=en")
    glass = manager.get_by_role("application")
    expect(manager.locator("#frame")).to_have_attribute("src", re.compile("jpeg"))

    def to(label: str) -> Locator:
        glass.press("Tab")
        expect(manager.locator("#typing label")).to_have_text(label)
        return manager.get_by_label(label, exact=True)

    def address(path: str) -> None:
        expect(manager.locator("#url")).to_have_text(site.url + path)

    address("/")
    glass.press("Tab")
    glass.press("Enter")
    address("/ticket")
    manager.get_by_role("button", name="Back").click()
    address("/")
    glass.press("Tab")
    glass.press("Enter")
    address("/ticket")
    to("رقم الحساب").fill("77")
    to("الاسم *").fill("هدى السيابية")
    to("البريد الإلكتروني مطلوب").fill("huda@example.com")
    to("تأكيد البريد").fill("huda@example.com")
    to("رقم الهاتف")
    to("الرمز السري").fill("4711")
    glass.press("Tab")
    glass.press(" ")
    manager.get_by_label("الخدمة").select_option("ماء")
    manager.get_by_role("button", name="Choose").click()
    glass.press("Tab")
    glass.press(" ")
    glass.press("Tab")
    glass.press(" ")
    to("المشكلة").fill("أنا هدى السيابية والماء مقطوع")
    glass.press("Tab")
    glass.press("Tab")
    glass.press("Enter")
    address("/done")
    manager.get_by_role("button", name="Finish").click()
    expect(manager.get_by_role("status")).to_contain_text("First show which words prove")
    manager.get_by_role("button", name="This is what I came for").click()
    tap(manager, 206, 90)
    expect(manager.get_by_label("These words prove it:")).to_have_value("رقم البلاغ: ٤٥٢١")
    manager.get_by_role("button", name="Yes, these").click()
    expect(manager.get_by_role("status")).to_contain_text("Kept.")
    manager.get_by_role("button", name="Finish").click()
    manager.get_by_label("In your own words").fill("أفتح بلاغا")
    manager.get_by_role("button", name="Write the journey").click()
    expect(manager.get_by_role("heading", name="أفتح بلاغا")).to_be_visible()
    recorder.join()

    assert results[0].exit_code == 0, results[0].output
    assert CliRunner().invoke(watch, ["check", "ticket.yaml"]).exit_code == 0
    journey = read(tmp_path / "ticket.yaml")
    assert [said(each) for each in [*journey.steps, *journey.done]] == [
        "open: /", "press: بلاغٌ جديد", "back: True", "press: بلاغٌ جديد",
        "fill: رقم الحساب: {secret.account}, الاسم *: {someone.name}, البريد الإلكتروني مطلوب: {someone.email}, "
        "تأكيد البريد: {someone.email}, الرمز السري: {secret.password}",
        "choose: الخدمة: ماء", "tick: صباحًا", "tick: أوافق على الشروط", "fill: المشكلة: أنا {someone.name} والماء مقطوع",
        "press: إرسال", r"keep: number: رقم\s+البلاغ:\s+([\w/-]+)",
    ]  # fmt: skip
    assert [
        each.note for each in journey.every_step() if each.note
    ] == []  # each name was tried, and finds its thing
    page = (tmp_path / "ticket.html").read_text("utf-8")
    assert "<b>7</b> clicks" in page
    assert "<b>6</b> fields typed" in page
    assert "<b>1</b> time asked the same again" in page
    assert "<b>1</b> dead end<" in page
    for written in (page, (tmp_path / "ticket.yaml").read_text("utf-8")):
        assert not re.search("huda@|السيابية|4711", written)
    assert len(list((tmp_path / "ticket-film").iterdir())) == page.count("<symbol")

    site.sent.clear()
    findings: list[Finding] = []
    replay = threading.Thread(target=lambda: findings.extend(played(journey, site, tmp_path)))
    replay.start()
    replay.join()
    assert [each.words for each in findings if not each.went_well] == []
    assert site.sent[0]["name"] == ["سالم البلوشي"]


def played(journey: Journey, site: Site, folder: Path) -> list[Finding]:
    browser = Browser(chrome() or "")
    made_up = {"name": "سالم البلوشي", "email": "s@example.org"}
    secrets = {"account": "5", "password": "1"}
    errand = Errand(journey, site.url, Box(folder / "box"), made_up, secrets, random=Random(7))
    try:
        return Visit(errand, {Channel.WEB: lambda: WebPlayer(browser)}, no_host).play()
    finally:
        browser.close()
