"""The team lead's wall: what it counts, whom it names, and that a screen without a login sees it and nothing else."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from rasd.console.models import WallLink
from rasd.console.wall import FEWEST_DAYS, WEEKS, load, wall
from rasd.desk.models import Obligation, Queue
from rasd.ledger.models import Entry
from tests.console.browsing import opened, served, shoot
from tests.console.looking import look_at, serious_faults
from tests.console.making import NAMES
from tests.console.staff import SUNDAY_NOON, employee, owed
from tests.console.test_team import a_team

pytestmark = pytest.mark.django_db
TELEVISION = (1920, 1080)
MUSCAT = ZoneInfo("Asia/Muscat")


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def came(utility, at: datetime, count: int = 1) -> None:
    """So many messages that expected an answer, at one moment, each answered ten minutes later."""
    for _n in range(count):
        conversation = utility.conversation()
        message = utility.writes(conversation, "متى؟", minutes_ago=(utility.now - at).total_seconds() / 60)
        Obligation.objects.create(
            kind="answer",
            message=message,
            conversation=conversation,
            queue=utility.queue,
            since=at,
            due_at=at + timedelta(minutes=30),
            discharged_at=at + timedelta(minutes=10),
        )


# What it counts.


def test_it_counts_who_waits_who_is_late_and_what_is_due_next(utility):
    someone = employee("salma", utility.queue, capacity=3)
    owed(utility, owner=someone.user, due_in=-5, minutes_ago=90)
    first, second = owed(utility, owner=someone.user, due_in=5), owed(utility, due_in=9)
    owed(utility, due_in=400, minutes_ago=500, paused=True)
    shown = wall(utility.now)
    assert (shown.waiting, shown.late, shown.nobodys) == (3, 1, 0)
    assert shown.oldest == utility.now - timedelta(minutes=90)
    assert [one.pk for one in shown.next] == [first.pk, second.pk]
    assert (shown.held, shown.capacity) == (2, 3)


def test_an_answer_counts_from_midnight_on_and_when_it_could_be_received(utility):
    one = owed(utility)
    said = utility.says(one.conversation, "غدًا", accepted_at=utility.now)
    Obligation.objects.filter(pk=one.pk).update(discharged_at=utility.now, discharged_by=said)
    Obligation.objects.create(  # the work of its case, which that answer closed
        kind="work",
        queue=utility.queue,
        since=utility.now,
        due_at=utility.now,
        discharged_at=utility.now,
        discharged_by=said,
    )
    waived = owed(utility)
    Obligation.objects.filter(pk=waived.pk).update(discharged_at=utility.now)
    assert wall(utility.now).answered == 1
    assert wall(utility.now + timedelta(days=1)).answered == 0


def test_what_lies_in_a_queue_that_nobody_serves_is_in_nobodys_hands_g7(utility):
    owed(utility)
    assert wall(utility.now).nobodys == 1
    employee("salma", utility.queue)
    assert wall(utility.now).nobodys == 0


def test_with_nothing_on_record_it_says_so(as_):
    page = as_("supervisor").get(reverse("console:wall")).content.decode()
    assert "No message has come today." in page
    assert "Nothing is due." in page
    assert "Nobody is on shift." in page
    assert "What is usual is not known yet" in page


# The day against the usual.


def test_the_usual_is_the_median_of_this_weekday_in_the_utilitys_own_hours(utility):
    utility.now = SUNDAY_NOON
    for weeks, count in enumerate((1, 2, 9), start=1):
        came(utility, SUNDAY_NOON - timedelta(weeks=weeks), count)
        came(utility, SUNDAY_NOON - timedelta(weeks=weeks, days=1), 5)  # a Saturday: not this weekday
    came(utility, SUNDAY_NOON - timedelta(hours=1), 4)
    shown = load(SUNDAY_NOON)
    at_noon, before = shown.hours[12], shown.hours[11]
    assert (at_noon.usual, at_noon.today, at_noon.is_now) == (2.0, 0, True)
    assert (before.usual, before.today) == (0.0, 4)
    assert shown.hours[13].today is None
    assert shown.so_far == 4
    assert shown.days == 3
    assert (shown.top, before.today_share, at_noon.usual_share) == (10, 40.0, 20.0)


def test_an_hour_before_midnight_belongs_to_its_own_day(utility):
    utility.now = SUNDAY_NOON
    late = datetime(2026, 11, 22, 23, 59, tzinfo=MUSCAT)
    came(utility, late)
    came(utility, late + timedelta(minutes=2))
    assert load(late).hours[23].today == 1
    assert load(late + timedelta(minutes=3)).hours[0].today == 1


def test_fewer_days_than_prove_anything_are_not_called_usual(utility):
    utility.now = SUNDAY_NOON
    came(utility, SUNDAY_NOON - timedelta(weeks=FEWEST_DAYS - 1), 4)
    assert {hour.usual for hour in load(SUNDAY_NOON).hours} == {None}


def test_no_more_than_the_last_weeks_count_and_a_quiet_one_counts_as_quiet(utility):
    utility.now = SUNDAY_NOON
    came(utility, SUNDAY_NOON - timedelta(weeks=WEEKS + 1), 50)
    came(utility, SUNDAY_NOON - timedelta(weeks=1), 6)
    shown = load(SUNDAY_NOON)
    assert shown.days == WEEKS
    assert shown.hours[12].usual == 0.0


# Whom it names.


def test_no_customer_is_named_and_nothing_they_wrote_is_shown(as_, utility):
    employee("salma", utility.queue, name="Salma Lead")
    one = owed(utility, due_in=5)
    page = as_("supervisor").get(reverse("console:wall")).content.decode()
    assert "Salma Lead" in page
    assert not [name for name in NAMES if name in page]
    assert one.message.incoming.text not in page
    assert one.conversation.address.phone not in page


def test_it_asks_the_database_as_often_for_twenty_people_as_for_two(
    as_, utility, django_assert_max_num_queries
):
    client = as_("supervisor")

    def ask() -> int:
        cache.clear()
        with django_assert_max_num_queries(60) as asked:
            client.get(reverse("console:wall"))
        return len(asked.captured_queries)

    for n in range(2):
        owed(utility, owner=employee(f"e{n}", utility.queue).user)
    few = ask()
    for n in range(2, 20):
        owed(utility, owner=employee(f"e{n}", utility.queue).user)
    assert ask() == few


# A screen without a login.


def shared(client) -> str:
    page = client.post(reverse("console:wall_screens"), {"name": "Hall"}, follow=True)
    return page.context["shared"]


def test_a_screen_sees_the_wall_by_its_address_alone_in_the_language_it_was_made_in(as_, client, utility):
    lead = as_("supervisor", language="ar")
    address = shared(lead)
    answer = client.get(address, HTTP_ACCEPT_LANGUAGE="en")
    assert answer.status_code == 200
    assert 'lang="ar"' in answer.content.decode()
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "data-live=" not in answer.content.decode()
    assert reverse("console:team") not in answer.content.decode()
    assert address not in lead.get(reverse("console:wall_screens")).content.decode()


def test_a_screens_address_opens_nothing_else_and_changes_nothing(as_, client, utility):
    address = shared(as_("supervisor"))
    assert client.post(address).status_code == 405
    assert client.get(reverse("console:team")).status_code == 302


def test_an_address_that_was_taken_away_shows_nothing_and_both_are_on_record(as_, client, utility):
    lead = as_("supervisor")
    address, link = shared(lead), WallLink.objects.get()
    lead.post(reverse("console:wall_revoke", args=[link.pk]))
    lead.post(reverse("console:wall_revoke", args=[link.pk]))
    assert client.get(address).status_code == 404
    actions = (
        Entry.objects.filter(subject=f"wall:{link.pk}").order_by("number").values_list("action", flat=True)
    )
    assert list(actions) == ["wall.shared", "wall.revoked"]


def test_the_token_is_not_kept(as_, utility):
    token = shared(as_("supervisor")).rpartition("/")[2]
    link = WallLink.objects.get()
    assert token not in {link.hash, link.name}
    assert WallLink.of(token) == link
    assert WallLink.of(token[:-1]) is None
    assert WallLink.of("") is None


def test_when_a_screen_was_seen_last_is_kept_to_the_minute(as_, client, utility):
    address = shared(as_("supervisor"))
    client.get(address)
    seen = WallLink.objects.get().seen_at
    client.get(address)
    assert WallLink.objects.get().seen_at == seen
    WallLink.objects.update(seen_at=seen - timedelta(minutes=2))
    client.get(address)
    assert WallLink.objects.get().seen_at >= seen


def test_a_screen_without_a_name_is_not_made(as_):
    page = as_("supervisor").post(reverse("console:wall_screens"), {"name": " "}, follow=True)
    assert "Say where the screen hangs" in page.content.decode()
    assert not WallLink.objects.exists()


# In a browser.


@pytest.fixture
def a_day(monkeypatch, utility):
    """A team at work, and messages today and in the weeks before."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    team = a_team(utility)
    midnight = timezone.localtime(utility.now).replace(hour=0, minute=0, second=0, microsecond=0)
    usual = [0, 0, 0, 0, 0, 1, 2, 4, 7, 9, 8, 6, 5, 5, 4, 5, 6, 7, 6, 4, 3, 2, 1, 0]
    rows = []
    for weeks in range(5):
        for hour, count in enumerate(usual):
            at = midnight - timedelta(weeks=weeks) + timedelta(hours=hour, minutes=20)
            if at < utility.now:
                more = (hour * 7 + weeks * 3) % 4
                rows += [
                    Obligation(
                        kind="answer",
                        queue=utility.queue,
                        since=at,
                        due_at=at + timedelta(minutes=30),
                        discharged_at=at + timedelta(minutes=9),
                    )
                    for _n in range(count + more)
                ]
    Obligation.objects.bulk_create(rows)
    return team


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["ar", "en"])
def test_it_fits_a_television_and_is_dark_by_itself(monkeypatch, person, a_day, language):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    user = person("supervisor")
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, user, language=language, size=TELEVISION) as page,
    ):
        for chosen, scheme in (("auto", "dark"), ("light", "light")):
            page.context.add_cookies([{"name": "theme", "value": chosen, "url": url}])
            page.goto("/wall")
            shoot(page, f"wall-{language}-tv-{scheme}")
            assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme
            assert page.evaluate("document.documentElement.scrollHeight <= innerHeight + 1")
            assert not serious_faults(page)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_it_fits_a_telephone_and_a_desk_too(person, a_day):
    look_at(person("supervisor"), {"wall": "/wall"})


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_numbers_change_by_themselves_and_the_clock_runs(monkeypatch, person, utility):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    from django.db import transaction

    from rasd.flows.live import announce

    employee("salma", utility.queue)
    owed(utility, due_in=5)
    with served() as url, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        page = stack.enter_context(opened(playwright, url, person("supervisor"), language="en"))
        page.goto("/wall")
        waiting, clock = page.locator(".number b").first, page.locator(".next time").first
        expect(waiting).to_have_text("1")
        page.wait_for_function("document.documentElement.dataset.connected === 'yes'")
        before = clock.inner_text()
        expect(clock).not_to_have_text(before)
        with transaction.atomic():
            owed(utility, due_in=9)
            announce("team")
        expect(waiting).to_have_text("2")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_is_said_with_the_time_of_the_numbers_and_so_is_its_end_by_their_change(
    monkeypatch, as_, person, utility
):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    employee("salma", utility.queue)
    address = shared(as_("supervisor"))
    with served() as url, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        page = stack.enter_context(opened(playwright, url, None, language="en"))
        page.clock.install()
        page.goto(address.replace("http://testserver", ""))
        expect(page.locator("#lost")).to_be_hidden()
        at = page.locator("#clock").inner_text()
        page.context.set_offline(True)
        page.clock.run_for(40_000)
        expect(page.locator("#lost")).to_be_visible()
        expect(page.locator("#lost b")).to_have_text(at)
        shoot(page, "wall-lost-en-desktop")
        page.context.set_offline(False)
        page.clock.run_for(11_000)
        expect(page.locator("#lost")).to_be_hidden()


def test_what_is_due_next_is_told_in_figures_that_a_room_can_read():
    from rasd.console.templatetags.team import clock_since, clock_until

    at = datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert clock_until(at + timedelta(hours=1, minutes=2, seconds=3), at) == "1:02:03"
    assert clock_until(at - timedelta(hours=1), at) == "0:00:00"
    assert clock_since(at - timedelta(hours=30), at) == "30:00:00"
    assert clock_since(at - timedelta(hours=187, minutes=56), at) == "7 days"


def test_the_queue_of_what_is_due_is_named(as_, utility):
    other = Queue.objects.create(name="الشكاوى", answer_within=timedelta(hours=1))
    owed(utility, queue=other, due_in=9)
    assert "الشكاوى" in as_("supervisor").get(reverse("console:wall")).content.decode()
