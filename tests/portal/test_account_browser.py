"""The pages of an account in a real browser: small phone and desk, both languages, without script; read by axe-core."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from rasd.desk.models import Case
from rasd.flows.account_page import take
from rasd.flows.models.links import token_of
from rasd.metering.models import (
    Account,
    AccountContact,
    Adoption,
    Cycle,
    Estimate,
    Photograph,
    Reading,
    TrueUp,
)
from rasd.vision.rendered import render_meter
from tests.console.browsing import DESKTOP, launched, served, shoot
from tests.console.looking import SMALL, look_at
from tests.flows.conftest import make_point

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def url(monkeypatch):
    """An account with two meters: one read by a photograph after an estimate, one estimated."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    now = timezone.now()
    today = timezone.localdate(now)
    first = {"window_opens": today - timedelta(days=5), "window_closes": today + timedelta(days=5)}
    cycle = Cycle.open(f"{today:%Y-%m}", **first, at=now, actor="machine:test")
    account = Account.objects.create(number="100200", holder_name="x")
    contact = AccountContact.objects.create(
        account=account, identifier="tel:+96890000001", since=now - timedelta(days=90)
    )
    for number, value in ((1, 4500), (2, 4470)):
        point = make_point(number, account, readings=False)
        register = point.current_register
        estimate = Reading.objects.create(
            service_point=point, register=register, cycle=cycle, value=4470, source="estimate", taken_at=now
        )
        Estimate.objects.create(
            reading=estimate,
            method="x",
            since=now - timedelta(days=30),
            days=30,
            use=300,
            least=Decimal("251.4"),
            most=Decimal("362.9"),
            in_a_row=1,
        )
        billed = estimate
        if number == 1:
            picture = render_meter(4500, 5, 0, serial="E00000001", seed=1)
            submission = take(contact, point, [picture], key="a" * 32, at=now)
            billed = Reading.objects.create(
                service_point=point,
                register=register,
                cycle=cycle,
                value=value,
                source="customer",
                taken_at=now,
                submission=submission,
            )
        adoption = Adoption.objects.create(
            service_point=point,
            register=register,
            cycle=cycle,
            reading=billed,
            actor="x",
            why="x",
            rule=billed.source,
            receipt=f"R{number}",
        )
        if number == 1:
            TrueUp.objects.create(
                service_point=point,
                cycle=cycle,
                adoption=adoption,
                since=now - timedelta(days=61),
                used=630,
                billed=600,
                difference=30,
            )
    return f"/m/{token_of(contact, now)}/"


def test_an_accounts_pages_are_whole_in_every_look(url):
    sent = f"{url}sent/{Photograph.objects.get().submission_id}"
    pages = {
        name: path + "?in={language}"
        for name, path in (("month", url), ("camera", f"{url}camera"), ("sent", sent))
    }
    look_at(None, pages, SMALL, DESKTOP, sparing=True)


def test_a_photograph_is_sent_and_a_number_disputed_without_script(url, tmp_path):
    picture = tmp_path / "meter.jpg"
    picture.write_bytes(render_meter(4501, 5, 0, serial="E00000002", seed=2))
    with served() as site, sync_playwright() as playwright, launched(playwright) as browser:
        context = browser.new_context(java_script_enabled=False, base_url=site, reduced_motion="reduce")
        try:
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.goto(f"{url}camera?in=en")
            page.get_by_role("radio").nth(1).check()
            page.get_by_label("Take the photograph").set_input_files(picture)
            page.get_by_role("button", name="Send").click()
            expect(page.get_by_role("status")).to_contain_text("I am reading your photograph")
            page.goto(f"{url}?in=en")
            page.get_by_role("button", name="I dispute this number").first.click()
            expect(page.get_by_role("status")).to_contain_text("What happens next")
            shoot(page, "disputed")
            assert not context.cookies()
        finally:
            context.close()
    assert Case.objects.get().service_point == "SP-1"
    assert Photograph.objects.count() == 2
