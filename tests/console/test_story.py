"""One story from end to end, in browsers: the customer's phone, two agents' screens and a team lead's, and the moved clock.

A photograph in doubt; a complaint about a visit; both agents reaching for it; one goes off shift in the middle; the answer is
late, and escalated; the case is closed, rated and reopened by a reply; the ledger holds, is tampered with, and that is found out.
"""

import contextlib
import io
import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from django.db import connection, transaction
from django.utils import timezone, translation
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from rasd.channels.models import Line
from rasd.channels.whatsapp.emulator.client import Emulator
from rasd.channels.whatsapp.emulator.server import run_emulator
from rasd.channels.whatsapp.emulator.settings import DEFAULT_PHONE_NUMBER_ID
from rasd.desk import jobs as desk_jobs
from rasd.desk.assigning import tick
from rasd.desk.models import Calendar, Case, CaseKind, Employee, Obligation, OpenSpan, Queue, Rating
from rasd.ledger.models import Entry, Verification, verify
from rasd.metering.models import Adoption, photographs
from tests.console.browsing import DESKTOP, PHONE, opened, served, shoot
from tests.console.making import Utility
from tests.flows.conftest import shows
from tests.jobs import do_jobs

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BEGIN = datetime(2026, 11, 22, 10, 10, tzinfo=UTC)
"""Sunday, 14:10 in Muscat; Nora goes at 14:30, and a message of now is due at 14:40."""

COMPLAINT = "شكوى: المفتش لم يطرق الباب وكتب أن البيت مغلق"
LATE_ANSWER = "نعتذر عن التأخير. راجعنا سجل الزيارة."
CLOSING = "زار المفتش بيتكم اليوم وقرأ العداد."
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@dataclass
class Stage:
    """All who play, each in a browser of their own."""

    url: str
    emulator: Emulator
    clock: Any
    open: Callable[..., Page]

    def works(self) -> None:
        """What came through the doors is taken in, and what is to go out has arrived, with its ticks."""
        for _ in range(3):
            self.emulator.settle()
            do_jobs()

    def later(self, minutes: float) -> None:
        """The clock is moved, and the pass of every minute is made."""
        self.clock.shift(timedelta(minutes=minutes))
        tick(timezone.now())
        self.works()


@pytest.fixture
def stage(monkeypatch, settings, transactional_db) -> Iterator[Stage]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setattr(photographs, "read_photograph", lambda data, **_: shows("04480", 0.6))
    with contextlib.ExitStack() as stack:
        clock = stack.enter_context(time_machine.travel(BEGIN, tick=True))
        emulator = stack.enter_context(run_emulator())
        settings.WHATSAPP = {
            "API_URL": f"{emulator.url}/v23.0",
            "TOKEN": emulator.settings.token,
            "APP_SECRET": emulator.settings.app_secret,
            "VERIFY_TOKEN": emulator.settings.verify_token,
        }
        url = settings.PUBLIC_URL = stack.enter_context(served())
        assert emulator.set_webhook(f"{url}/channels/whatsapp/webhook")
        playwright = stack.enter_context(sync_playwright())

        def open_(user: Any, at: str = url, **how: Any) -> Page:
            return stack.enter_context(opened(playwright, at, user, **how))

        yield Stage(url, emulator, clock, open_)


@pytest.fixture
def utility(stage) -> Utility:
    utility = Utility(timezone.now())
    Line.objects.update(external_id=DEFAULT_PHONE_NUMBER_ID)
    utility.cycle()
    return utility


@pytest.fixture
def staff(person, utility) -> dict[str, Any]:
    """Nora until 14:30; Salma, and their lead, whenever."""
    until_half_past_two = Calendar.objects.create(name="mornings", zone="Asia/Muscat")
    OpenSpan.objects.bulk_create(
        OpenSpan(calendar=until_half_past_two, weekday=day, opens=time(7, 30), closes=time(14, 30))
        for day in range(7)
    )
    names = {"nora": ("نورة", "المثال"), "salma": ("Salma", "Example"), "lead": ("Huda", "Example")}
    users = {}
    for name, (first, last) in names.items():
        user = users[name] = person("supervisor" if name == "lead" else "agent", username=name)
        user.first_name, user.last_name = first, last
        user.save()
        calendar = until_half_past_two if name == "nora" else None
        Employee.objects.create(user=user, calendar=calendar)
    utility.queue.people.set([users["nora"], users["salma"]])
    Queue.standing(Queue.Purpose.FIRST_LINE)
    CaseKind.usual()
    return users


def looked_at(page: Page, name: str) -> None:
    """It is no wider than its screen, axe finds no serious fault, and it is photographed where that is wanted."""
    shoot(page, f"story-{name}")
    assert not page.evaluate(WIDER), name
    serious = [
        (each["id"], [node["html"][:120] for node in each["nodes"]])
        for each in Axe().run(page).response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]
    assert not serious, (name, serious)


def test_a_story_from_the_photograph_to_the_ledger(stage: Stage, utility: Utility, staff):
    """G3, G7, G8, G9, G11, G12."""
    point = utility.point(last=4170)
    number = point.account.contacts.get().identifier.removeprefix("tel:+")
    stage.emulator.phone(number, name="سالم المثال")
    phone = stage.open(None, stage.emulator.url, size=PHONE)
    phone.goto(f"/phone/{number}")

    a_photograph_in_doubt(stage, phone)
    conversation = a_complaint(stage, phone)
    case = Case.objects.get()
    nora = stage.open(staff["nora"])
    salma = stage.open(staff["salma"], language="en", dark=True)
    lead = stage.open(staff["lead"], size=PHONE)
    both_reach_for_it(stage, nora, salma, conversation)
    one_goes_and_it_is_late(stage, nora, salma, lead, staff)
    it_is_answered_late(stage, phone, salma, conversation)
    it_is_closed_rated_and_reopened(stage, phone, salma, case)
    the_customers_page(stage, case)
    the_account_says_so(lead)
    the_ledger_is_tampered_with(lead)
    if os.environ.get("RASD_SHOTS"):
        every_look(stage, staff, conversation, case)


def a_photograph_in_doubt(stage: Stage, phone: Page) -> None:
    """G3: it asks, he says yes."""
    picture = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 110, 90)).save(picture, "JPEG")
    file = {"name": "meter.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
    phone.locator("#photo").set_input_files(file)
    expect(phone.locator(".bubble.in img")).to_be_visible()
    stage.works()
    expect(phone.locator(".bubble.out").last).to_contain_text("4480")
    assert not Adoption.objects.exists()
    phone.locator(".bubble.out").last.get_by_role("button").first.click()
    expect(phone.locator(".bubble.in")).to_have_count(2)
    stage.works()
    expect(phone.locator(".bubble.out").last).to_contain_text("اعتُمدت قراءتك")
    assert Adoption.objects.get().reading.value == 4480


def a_complaint(stage: Stage, phone: Page) -> Any:
    """G8, G9: it is a case with a number, a time and a page; who then asks for a person is told his place and a time."""
    for text in (COMPLAINT, "اريد اكلم موظف"):
        phone.get_by_placeholder("اكتب رسالة").fill(text)
        phone.keyboard.press("Enter")
        expect(phone.locator(".bubble.in").last).to_contain_text(text)
        stage.works()
    case = Case.objects.get()
    told = phone.locator(".bubble.out")
    expect(told.nth(-2)).to_contain_text(case.reference)
    expect(told.nth(-2)).to_contain_text(f"{stage.url}/t/{case.token}")
    expect(told.last).to_contain_text("ورقمك في الانتظار")
    looked_at(phone, "phone-complaint")
    conversation = case.conversation
    assert (conversation.matter, conversation.standing_hand_over.wish) == ("complaint", "complaint")
    return conversation


def both_reach_for_it(stage: Stage, nora: Page, salma: Page, conversation: Any) -> None:
    """G7: one has it; the other takes it with a word; what the first one typed is held, and shown to both."""
    for page in (nora, salma):
        page.goto(f"/conversations/{conversation.pk}?state=all")
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")
    nora.locator("#text").press_sequentially("سيدي")
    expect(salma.locator("#conversation")).to_contain_text("نورة المثال is answering")
    expect(nora.locator("#conversation")).to_have_attribute("data-claim", "mine")
    looked_at(salma, "reached-for")
    salma.locator("#chat").focus()
    salma.keyboard.press("a")
    expect(salma.locator("#why")).to_be_focused()
    salma.keyboard.type("I know the inspector")
    salma.keyboard.press("Enter")
    expect(salma.locator("#conversation")).to_have_attribute("data-claim", "mine")
    expect(nora.locator("#conversation")).to_have_attribute("data-claim", "theirs")
    expect(nora.locator("#text")).to_have_value("سيدي")
    nora.locator("#text").press("Enter")
    for page in (nora, salma):
        expect(page.locator(".strip.held blockquote")).to_have_text("سيدي")
    looked_at(nora, "held")
    salma.get_by_role("button", name="Do not send it").click()
    for page in (nora, salma):
        expect(page.locator(".strip.held")).to_have_count(0)
    salma.goto("/")  # leaves: the claim is let go of
    expect(nora.locator("#conversation")).to_have_attribute("data-claim", "")
    nora.locator("#chat").focus()
    nora.keyboard.press("a")
    expect(nora.locator("#conversation")).to_have_attribute("data-claim", "mine")
    assert conversation.owed.owner.username == "nora"


def one_goes_and_it_is_late(stage: Stage, nora: Page, salma: Page, lead: Page, staff: dict[str, Any]) -> None:
    """G7: what Nora owes when she goes at 14:30 is Salma's at once; at 14:40 it is late, and their lead hears of it."""
    lead.goto("/notices/")
    nora.goto("/")
    stage.later(21)  # 14:31 and a little
    owed = Obligation.objects.get(kind="answer", discharged_at=None)
    assert owed.owner == staff["salma"]
    expect(salma.locator("#bell, .bell").first).to_contain_text("1")
    stage.later(10)  # past 14:40
    owed.refresh_from_db()
    assert owed.is_late(timezone.now())
    escalated = Entry.objects.filter(action="obligation.escalated", subject=str(owed))
    assert ["lead"] in [each.facts["told"] for each in escalated]
    lead.goto("/team/work?state=late")
    expect(lead.locator("main")).to_contain_text("سالم المثال")
    looked_at(lead, "late-work")


def it_is_answered_late(stage: Stage, phone: Page, salma: Page, conversation: Any) -> None:
    salma.goto(f"/conversations/{conversation.pk}?state=late")
    expect(salma.locator("html")).to_have_attribute("data-connected", "yes")
    salma.locator("#text").press_sequentially(LATE_ANSWER)
    salma.locator("#text").press("Enter")
    expect(salma.locator(".bubble.ours").last).to_contain_text(LATE_ANSWER)
    stage.works()
    expect(phone.locator(".bubble.out").last).to_contain_text(LATE_ANSWER)
    assert conversation.owed is None
    late = Obligation.objects.get(kind="answer", discharged_by__author__username="salma")
    assert late.discharged_at > late.due_at


def it_is_closed_rated_and_reopened(stage: Stage, phone: Page, salma: Page, case: Case) -> None:
    """G11: what was said in the conversation stands in the case; it closes with an answer that the phone has; a reply reopens."""
    salma.goto(f"/cases/{case.pk}")
    expect(salma.locator("html")).to_have_attribute("data-connected", "yes")
    for words in (COMPLAINT, "اريد اكلم موظف", LATE_ANSWER):
        expect(salma.locator("#history")).to_contain_text(words)
    salma.keyboard.press("e")
    salma.locator("#close-text").fill(CLOSING)
    salma.locator("details[data-form=close] button.primary").click()
    salma.get_by_role("button", name="Send and close").click()
    stage.works()
    expect(salma.locator("#case-head")).to_contain_text("closed")
    expect(phone.locator(".bubble.out").last).to_contain_text(CLOSING)
    with translation.override("ar"):
        unsolved = str(Rating.Score.UNSOLVED.label)
    phone.locator(".bubble.out").last.get_by_role("button", name=unsolved).click()
    expect(phone.locator(".bubble.in").last).to_contain_text(unsolved)
    stage.works()
    expect(phone.locator(".bubble.out").last).to_contain_text("شكرًا")
    expect(salma.locator("#case-head")).to_contain_text("Not solved")
    phone.get_by_placeholder("اكتب رسالة").fill("لم يأت أحد إلى الآن")
    phone.keyboard.press("Enter")
    expect(phone.locator(".bubble.in").last).to_contain_text("لم يأت أحد")
    stage.works()
    expect(phone.locator(".bubble.out").last).to_contain_text(case.reference)
    expect(salma.locator("#history")).to_contain_text("لم يأت أحد إلى الآن")
    looked_at(salma, "case-reopened")
    case.refresh_from_db()
    assert (case.stage, case.rating.score) == (Case.Stage.OPEN, Rating.Score.UNSOLVED)
    assert case.work.owner.username == "salma", "whose it was"


def the_customers_page(stage: Stage, case: Case) -> None:
    page = stage.open(None, size=PHONE, dark=True)
    page.goto(case.url)
    for words in (COMPLAINT, LATE_ANSWER, CLOSING, "لم يأت أحد إلى الآن"):
        expect(page.locator("main")).to_contain_text(words)
    looked_at(page, "tracking")


def the_account_says_so(lead: Page) -> None:
    """G12: drawn from the ledger alone."""
    desk_jobs.draw_account(0)
    lead.goto("/accountability/person/salma")
    expect(lead.locator("main")).to_contain_text("رُدّ عليه متأخرًا")
    looked_at(lead, "account")


def the_ledger_is_tampered_with(lead: Page) -> None:
    assert verify() is None
    assert Verification.run(timezone.now()).broken_at is None
    lead.goto("/troubles/")
    expect(lead.locator("main .hash")).to_have_count(0)
    answered = Entry.objects.filter(action="obligation.answered").first()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE ledger_entry SET at = at - interval '20 minutes' WHERE number = %s", [answered.number]
        )
    assert verify().number == answered.number
    found = Verification.run(timezone.now() + timedelta(days=8))
    assert found.broken_at == answered.number
    lead.reload()
    expect(lead.locator("main .hash")).to_have_text(found.head)
    looked_at(lead, "tampered")


def every_look(stage: Stage, staff: dict[str, Any], conversation: Any, case: Case) -> None:
    """Both languages, phone and desktop, light and dark: for people to look at."""
    agents = {"conversation": f"/conversations/{conversation.pk}?state=all", "case": f"/cases/{case.pk}"}
    leads = {"work": "/team/work", "account": "/accountability/person/salma", "troubles": "/troubles/"}
    pages = (("salma", agents), ("lead", leads), (None, {"tracking": case.url}))
    for language, size, dark in itertools.product(("ar", "en"), (PHONE, DESKTOP), (False, True)):
        for user, addresses in pages:
            page = stage.open(staff[user] if user else None, language=language, size=size, dark=dark)
            for name, address in addresses.items():
                page.goto(f"{address}?in={language}" if user is None else address)
                looked = (
                    f"{name}-{language}-{'phone' if size == PHONE else 'desktop'}{'-dark' if dark else ''}"
                )
                looked_at(page, looked)
