"""The pages of cases and standards in a real browser: they fit, everybody can read them, keyboard and stream work."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import sync_playwright

from rasd.channels.models import Outgoing
from rasd.desk.models import CannedAnswer, Case, Employee, Standard
from rasd.desk.models.breaches import record_all_breaches
from tests.console.browsing import opened, served, shoot
from tests.console.looking import WIDER_THAN_THE_SCREEN, look_at

"""The bar above is test_looks.py's."""

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TITLES = (
    ("شكوى من زيارة قارئ العداد ليلًا دون موعد", "visit", 100),
    ("The bill is three times what it was last year", "bill", 10),
    ("قراءة معترض عليها لشهر أكتوبر", "reading", 3),
    ("عداد خلف بوابة مقفلة", "meter", 1),
)


@pytest.fixture
def rows(monkeypatch, person, utility):
    # Playwright keeps an event loop in this thread; the rows that this test makes are made beside it, not in it.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    user = person("administrator", username="salma")
    user.first_name, user.last_name = "سلمى", "المثال"
    user.save()
    Employee.objects.create(user=user)
    utility.queue.people.add(user)
    CannedAnswer.objects.create(
        shortcut="visit", title="زيارة", text_ar="سنزورك غدًا.", text_en="We come tomorrow."
    )
    Standard.objects.create(
        code="complaint",
        name_ar="الرد الكتابي على الشكوى",
        name_en="A complaint is answered in writing",
        begins="case.opened",
        ends="case.closed",
        matter="complaint",
        limit=72,
        unit="hours",
        compensation=Decimal(10),
        source="An example.",
        in_force_from=date(2022, 7, 1),
    )
    cases = [
        Case.open(
            kind,
            title,
            at=utility.now - timedelta(hours=hours),
            actor="user:salma",
            origin="employee",
            conversation=utility.conversation(),
            service_point=utility.point().number,
        )
        for title, kind, hours in TITLES
    ]
    told(user, cases, utility)
    record_all_breaches(timezone.now())
    return user, cases


def told(user, cases, utility) -> None:
    """Something of everything in the first one; the second waits for the customer, the third could not be answered."""
    first, second, third, last = cases
    at = utility.now - timedelta(hours=99)
    first.take_up(at=at, actor="user:salma")
    first.note("قال الجار إنه سمع الطرق أيضًا.", author=user, at=at + timedelta(minutes=10))
    first.say(
        "نعتذر عن الزيارة المتأخرة، ونراجع جدول القارئ.", author=user, key="a", at=at + timedelta(minutes=20)
    )
    first.hear("وصلتني الرسالة، بانتظاركم.", at=at + timedelta(hours=2), expects_answer=False, key="h")
    second.wait_for_customer(at=utility.now - timedelta(hours=4), actor="user:salma")
    third.close("حُسبت القراءة من جديد.", author=user, key="c", at=utility.now - timedelta(hours=1))
    Outgoing.objects.filter(text__contains="حُسبت").update(
        failed_at=timezone.now(), error_code=131047, error_words="Re-engagement message"
    )
    third.settle()
    last.give_link(at=utility.now, actor="user:salma")
    last.close("فُتحت البوابة وقُرئ العداد.", author=user, key="d", at=utility.now, on_page=True)
    last.rate(3, "شكرًا جزيلًا", at=utility.now)


A4 = (794, 1123)  # at 96 dots an inch


def test_on_paper_there_is_the_sheet_and_the_report_and_nothing_to_press(rows):
    user, cases = rows
    pages = {"case-sheet": f"/cases/{cases[0].pk}/sheet", "standards": "/standards/"}
    with served() as url, sync_playwright() as playwright:
        for language in ("ar", "en"):
            with opened(playwright, url, user, size=A4, language=language) as page:
                page.emulate_media(media="print")
                for name, path in pages.items():
                    page.goto(path)
                    shoot(page, f"{name}-{language}-paper")
                    assert not page.evaluate(WIDER_THAN_THE_SCREEN), name
                    for pressed in ("button", "nav", ".bar"):
                        assert not page.locator(pressed).locator("visible=true").count(), (name, pressed)


def test_every_page_fits_can_be_read_by_everybody_and_no_script_fails(rows):
    user, cases = rows
    pages = {
        "cases": "/cases/",
        "case": f"/cases/{cases[0].pk}",
        "case-waiting": f"/cases/{cases[1].pk}",
        "case-failed": f"/cases/{cases[2].pk}",
        "case-closed": f"/cases/{cases[3].pk}",
        "case-new": f"/cases/new?conversation={cases[0].conversation_id}",
        "case-sheet": f"/cases/{cases[0].pk}/sheet",
        "case-ledger": f"/cases/{cases[0].pk}/ledger",
        "case-kinds": "/cases/kinds",
        "case-kind": f"/cases/kinds/{cases[0].kind_id}",
        "standards": "/standards/",
        "standard": f"/standards/{Standard.objects.get().pk}",
    }
    look_at(user, pages)


def test_a_case_is_worked_on_by_the_keyboard_and_a_colleagues_deed_appears_by_itself(rows):
    user, cases = rows
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, user, language="en") as page,
    ):
        page.goto("/cases/")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/cases/{cases[0].pk}")
        page.wait_for_function("document.documentElement.dataset.connected === 'yes'")
        page.keyboard.press("e")
        page.select_option("#canned-close-text", label="زيارة /visit")
        assert page.input_value("#close-text") == "سنزورك غدًا."
        with transaction.atomic():
            cases[0].note("A colleague was here", author=user, at=timezone.now())
        page.wait_for_selector("text=A colleague was here")
        assert page.input_value("#close-text") == "سنزورك غدًا.", "what is being typed stays"
        page.reload()
        assert page.input_value("#close-text") == "سنزورك غدًا.", "and no reload loses it"
        page.locator("details[data-form=close]").evaluate("box => { box.open = true }")
        page.click("details[data-form=close] button.primary")
        page.click("text=Send and close")
        page.wait_for_selector("text=its way")
        shoot(page, "case-answered-en-desktop")
    cases[0].refresh_from_db()
    assert cases[0].stage == Case.Stage.ANSWERED
    assert Outgoing.objects.filter(text__contains="سنزورك غدًا.").count() == 1
