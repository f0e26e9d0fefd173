"""The customer's page in a real browser: on a small phone and a desk, in both languages, light and dark; without script; read by
axe-core. With RASD_SHOTS=FOLDER each is photographed, for people to look at."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import sync_playwright

from rasd.desk.models import Case
from tests.chrome import chrome
from tests.console.browsing import DESKTOP, opened, served, shoot
from tests.console.looking import SMALL, look_at

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def salma(monkeypatch, db) -> User:
    # Playwright keeps an event loop in this thread; the rows that this test makes are made beside it, not in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    return User.objects.create_user("salma")


@pytest.fixture
def cases(salma: User) -> dict[str, Case]:
    """One of each stage that looks different, opened the day before yesterday."""
    at = timezone.now() - timedelta(days=2)
    made = {}
    for stage in ("open", "customer", "late", "closed", "old"):
        made[stage] = case = Case.open(
            "visit", "المفتش لم يطرق الباب وترك ورقة عند الحارس", at=at, actor="user:salma", origin="employee"
        )
        case.hear(
            "كنت في البيت طوال الصباح ولم يطرق أحد الباب. https://example.om/averyveryveryveryverylongwordwithoutanyspace",
            at=at + timedelta(hours=1),
            expects_answer=True,
            key=f"seed:{stage}",
        )
        case.take_up(at=at + timedelta(hours=2), actor="user:salma")
        case.say(
            "نعتذر لك. نرسل المفتش مرة ثانية.\n\nهل يناسبك صباح الثلاثاء؟",
            author=salma,
            key=f"say:{stage}",
            at=at + timedelta(hours=3),
        )
    made["open"].hand_on(made["open"].work.queue, at=at, actor="user:salma", why="سبب داخلي")
    Case.objects.filter(pk=made["open"].pk).update(language="en")
    made["open"].obligations.filter(kind="work").update(due_at=timezone.now() + timedelta(days=3))
    made["customer"].wait_for_customer(at=at + timedelta(hours=4), actor="user:salma")
    for stage in ("closed", "old"):
        made[stage].close(
            "زار المفتش البيت صباح الثلاثاء وقرأ العداد: 04521.",
            author=salma,
            key=f"c:{stage}",
            at=at + timedelta(hours=5),
        )
    made["closed"].rate(3, "شكرًا، كان لطيفًا", at=at + timedelta(hours=6))
    Case.objects.filter(pk=made["old"].pk).update(closed_at=timezone.now() - timedelta(days=30))
    return made


def test_every_stage_fits_a_small_phone_and_axe_finds_no_serious_fault(cases: dict[str, Case]):
    pages = {f"case-{stage}": f"{case.url}?in={{language}}" for stage, case in cases.items()}
    look_at(None, {**pages, "case-nowhere": "/t/nope?in={language}"}, SMALL, DESKTOP)


def test_without_script_a_customer_writes_rates_and_opens_it_again(cases: dict[str, Case]):
    case = cases["closed"]
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome(), args=["--no-sandbox"])
        try:
            context = browser.new_context(java_script_enabled=False, base_url=url)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.goto(f"{case.url}?in=en")
            page.fill("#words", "Only one line is missing")
            page.click("button[value='2']")
            assert page.locator("[role=status]").inner_text().startswith("Thank you")
            assert page.locator("button[value='2']").get_attribute("aria-pressed") == "true"
            page.fill("#text", "The reading is still wrong.")
            page.click("text=Send")
            assert "Your message has arrived" in page.locator("[role=status]").inner_text()
            assert "It is our turn" in page.inner_text("main")
            page.reload()
            page.click("text=العربية")
            assert page.locator("html").get_attribute("dir") == "rtl"
            assert not context.cookies()
        finally:
            browser.close()
    case.refresh_from_db()
    assert case.stage == Case.Stage.OPEN
    assert case.entries.filter(kind="heard", text="The reading is still wrong.").count() == 1
    assert case.rating.score == 2


def test_the_headings_and_landmarks_tell_a_screen_reader_the_page(cases: dict[str, Case]):
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, None, language="en") as page,
    ):
        page.goto(f"{cases['customer'].url}?in=en")
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("banner").count() == 1
        assert page.get_by_role("contentinfo").count() == 1
        assert page.get_by_role("heading", level=1).count() == 1
        headings = page.get_by_role("heading", level=2).all_inner_texts()
        assert headings == ["Where it stands", "What happened", "Write to us"]
        now = page.locator("[aria-current=step]")
        assert now.inner_text().split() == ["2", "Being", "worked", "on", "–", "now"]
        assert page.get_by_label("Your message").count() == 1
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"


def test_it_can_be_printed_without_its_forms(cases: dict[str, Case], tmp_path: Path):
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, None, language="en") as page,
    ):
        page.goto(f"{cases['closed'].url}?in=en")
        page.emulate_media(media="print")
        shoot(page, "case-closed-print")
        assert not page.locator("form:visible").count()
        assert page.locator(".said li:visible").count() >= 5
        page.pdf(path=str(tmp_path / "case.pdf"), format="A4")
        assert (tmp_path / "case.pdf").stat().st_size > 10_000
