"""The bar: few groups, each page for who may open it, at every size, by mouse, keyboard, ear and without script."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from rasd.console import inbox, navigation, roles, views
from rasd.console.navigation import GROUPS
from rasd.desk.models import Case, CaseKind
from rasd.flows.live import announce
from tests.console.browsing import DESKTOP, opened, served, shoot
from tests.console.filling import fill
from tests.console.looking import serious_faults

PAGES = [page for group in GROUPS for page in group.pages]


class Bar(HTMLParser):
    """The names in the bar, as they follow one another: ``Answers`` of a group, ``> Cases`` of a page in it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.present: list[str] = []
        self._depth = 0
        self._inside = ""
        self._present = False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self._depth += tag == "details"
        if tag in {"a", "summary"} and "nav" in (given.get("id") or ""):
            self._inside, self._present = tag, "aria-current" in given

    def handle_endtag(self, tag):
        self._depth -= tag == "details"
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data):
        if self._inside and data.strip():
            name = f"> {data.strip()}" if self._depth and self._inside == "a" else data.strip()
            self.names.append(name)
            if self._present:
                self.present.append(name)
            self._inside = ""


def bar_of(client) -> str:
    """As it stands on the first page, which everybody may open."""
    page = client.get(reverse("console:home")).content.decode()
    return page[page.index('<nav id="nav"') : page.index("</nav>")]


def bar(client) -> Bar:
    found = Bar()
    found.feed(bar_of(client))
    return found


pages_only = pytest.mark.django_db


@pages_only
@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("agent", ["Conversations", "Cases", "Canned answers"]),
        ("reviewer", ["Review"]),
        (
            "supervisor",
            [
                "Cases",
                *("Readings", "> Cycle", "> The eye"),
                *("The team", "> People", "> Work", "> Wall", "> Who owed what", "> Guaranteed standards"),
                *("Set up", "> Queues", "> Working hours", "> Canned answers", "> Kinds of cases"),
                "Troubles",
            ],
        ),
        (
            "administrator",
            [
                *("Answers", "> Conversations", "> Cases"),
                *("Readings", "> Review", "> Cycle", "> The eye"),
                *("The team", "> People", "> Work", "> Wall", "> Who owed what", "> Guaranteed standards"),
                *(
                    "Set up",
                    "> Queues",
                    "> Working hours",
                    "> Canned answers",
                    "> Kinds of cases",
                ),
                *("Admin", "> Who may do what", "> Programs", "> People's data"),
                "Troubles",
            ],
        ),
    ],
)
def test_each_role_sees_its_own_pages_side_by_side_where_they_are_few_else_in_groups(as_, role, names):
    assert bar(as_(role)).names == names


@pages_only
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_stands_where_its_page_opens_and_nowhere_else(person, client, page):
    somebody = person(username="somebody")
    client.force_login(somebody)
    refused = client.get(reverse(page.url))
    assert refused.status_code == 403 or refused["Location"] == reverse("console:my_account")
    assert not bar(client).names
    for needed in page.permissions:
        app, _, codename = needed.partition(".")
        somebody.user_permissions.set(
            [Permission.objects.get(content_type__app_label=app, codename=codename)]
        )
        assert client.get(reverse(page.url)).status_code == 200
        assert f'href="{reverse(page.url)}"' in bar_of(client)


@pages_only
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "wall"], ids=lambda page: page.name)
def test_the_page_that_is_open_is_marked_and_its_group_too(as_, page):
    """The wall is a screen of its own, without a bar."""
    client = as_("administrator")
    found = Bar()
    found.feed(client.get(reverse(page.url)).content.decode())
    group = next(group for group in GROUPS if page in group.pages)
    alone = len(group.pages) == 1
    assert found.present == ([str(page.words)] if alone else [str(group.words), f"> {page.words}"])


@pages_only
def test_what_waits_stands_beside_the_page_and_summed_up_beside_its_group(as_, utility):
    utility.review("04521")
    utility.review("04522")
    html = bar_of(as_("administrator"))
    shown = re.findall(
        r'<b class="count"><span class="hidden">waiting:</span> <span data-number="([\w-]+)">2<', html
    )
    assert shown == ["readings-group", "review"]
    assert html.count('<b class="count') == len(re.findall('<b class="count[^>]* hidden>', html)) + 2


@pages_only
def test_a_late_case_is_counted_with_the_cases_and_not_as_a_customer_without_an_answer(as_, utility):
    late = Case.open(
        CaseKind.called("visit"), "زيارة", at=utility.now - timedelta(days=60), actor="user:x", origin="staff"
    )
    assert late.work.due_at < utility.now
    conversation = utility.conversation()
    conversation.owe(utility.writes(conversation, "متى؟"), queue=utility.queue)
    html = bar_of(as_("agent"))
    assert re.search(
        r'id="nav-conversations".*?data-number="conversations">1<.*?id="nav-cases".*?data-number="cases">1<',
        html,
        re.DOTALL,
    )


@pytest.mark.parametrize(("n", "words"), [(0, ""), (1, "1"), (999, "999"), (1000, "\u2066999+\u2069")])
def test_a_number_in_the_bar_is_short(n, words):
    assert navigation.count_words(n) == words


def test_no_key_means_two_places():
    letters = [page.letter for page in PAGES if page.letter] + ["h", "n"]
    assert len(letters) == len(set(letters))
    # The inbox's own views: I alone is both, the same place.
    assert {key for key, *_more in inbox.USUAL} & set(letters) == {"i"}


def test_every_permission_is_asked_for_by_a_page():
    """A permission that a role has and no page asks for would be one that nobody can explain."""
    sources = Path(views.__file__).parent.rglob("*.py")
    named = {name for source in sources for name in re.findall(r"\broles\.([A-Z_]+)", source.read_text())}
    asked = {getattr(roles, name) for name in named}
    assert asked >= {each for wanted in roles.ROLES.values() for each in wanted if each != "*"}


# In a browser


in_a_browser = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def browser_test(test):
    for mark in in_a_browser:
        test = mark(test)
    return test


@pytest.fixture
def salma(monkeypatch, person, utility):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    user = person("administrator", username="salma")
    user.first_name, user.last_name = "سلمى بنت عبدالرحمن", "المثال"
    user.save()
    fill(utility, user)
    return user


COLLIDES = """() => { const shown = [...document.querySelectorAll(
        '.brand, .pages > ul > li > a, .pages > ul > li > details > summary, .me > summary, .group[open] .menu')]
        .map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width);
    const wrong = [];
    for (const [e, r] of shown) {
        if (r.left < -0.5 || r.right > innerWidth + 0.5 || r.top < -0.5 || r.bottom > innerHeight + 0.5)
            wrong.push('off the screen: ' + e.outerHTML.slice(0, 100));
        for (const [f, q] of shown)
            if (e !== f && !e.contains(f) && !f.contains(e) && !e.matches('.menu') && !f.matches('.menu')
                && r.left < q.right - 0.5 && q.left < r.right - 0.5 && r.top < q.bottom - 0.5 && q.top < r.bottom - 0.5)
                wrong.push('overlaps: ' + e.outerHTML.slice(0, 100) + f.outerHTML.slice(0, 100));
    }
    return wrong; }"""
SIZES = [(320, 640), (360, 740), (768, 1024), (840, 800), (1024, 768), (1280, 800), (1440, 900), (1920, 1080)]


@browser_test
@pytest.mark.parametrize("role", ["administrator", "agent"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_nothing_in_the_bar_overlaps_or_leaves_the_screen_at_any_size(
    salma, settings, person, language, role
):
    settings.UTILITY_NAME = (
        "شركة الكهرباء والمياه المثال" if language == "ar" else "Example Electricity and Water"
    )
    user = salma if role == "administrator" else person("agent", username="abdulrahman.almithali")
    groups = (
        ["answers", "readings", "lead", "settings", "administration"] if role == "administrator" else [""]
    )
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, user, language=language, dark=language == "en") as page,
    ):
        page.goto("/")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for group in groups:
                if group:
                    page.locator(f"#nav-{group} > summary").click()
                assert page.evaluate(COLLIDES) == [], (width, group)
                shoot(page, f"bar-{role}-{group}-{language}-{width}")
        assert page.locator('details[name="menu"][open]').count() <= 1
        for width, height in (SIZES[0], SIZES[-1]):
            page.set_viewport_size({"width": width, "height": height})
            assert not serious_faults(page), width


@browser_test
def test_a_menu_opens_and_closes_by_the_keyboard_and_the_focus_comes_back(salma):
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, salma, language="en") as page,
    ):
        page.goto("/")
        summary, menu = page.locator("#nav-lead > summary"), page.locator("#nav-lead .menu")
        summary.focus()
        page.keyboard.press("Enter")
        expect(menu).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#nav-team")).to_be_focused()
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        expect(summary).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+Tab")  # out of it
        expect(menu).to_be_hidden()
        summary.click()
        page.locator("#nav-settings > summary").click()
        expect(menu).to_be_hidden()
        page.locator("#nav-calendars").click()
        page.wait_for_url("**/calendars/")
        expect(page.locator("#nav-settings > summary")).to_have_attribute("aria-current", "true")


@browser_test
def test_a_menu_stays_open_with_its_focus_while_the_numbers_change(salma, utility):
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, salma, language="en") as page,
    ):
        page.goto("/account")
        page.locator("#nav-readings > summary").click()
        page.locator("#nav-review").focus()
        waited = page.locator("#nav-review .count").inner_text()
        expect(page.locator("html")).to_have_attribute("data-connected", "yes")
        with transaction.atomic():
            utility.review("04529")
            announce("review")
        expect(page.locator("#nav-review .count")).not_to_have_text(waited)
        expect(page.locator("#nav-readings .menu")).to_be_visible()
        expect(page.locator("#nav-review")).to_be_focused()


@browser_test
def test_g_and_a_letter_go_to_a_page_from_every_page_on_an_arabic_keyboard_too(salma):
    press = (
        "([key, code]) => document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', {key, code, bubbles: true, cancelable: true}))"
    )
    with served() as url, sync_playwright() as playwright, opened(playwright, url, salma) as page:
        page.goto("/review/")  # where R asks for another photograph, and the field has the focus
        expect(page.locator("#value")).to_be_focused()
        typed = page.locator("#value").input_value()
        page.keyboard.press("g")
        assert page.locator("#value").input_value() == typed
        page.keyboard.press("t")
        page.wait_for_url("**/team/")
        page.evaluate(press, ["ل", "KeyG"])
        page.evaluate(press, ["غ", "KeyY"])
        page.wait_for_url("**/cycle/")
        page.keyboard.press("g")
        page.keyboard.press("h")
        page.wait_for_url(f"{url}/")
        page.keyboard.press("g")
        page.wait_for_timeout(1_600)  # too long ago
        page.keyboard.press("t")
        page.wait_for_timeout(300)
        assert page.url == f"{url}/"


@browser_test
def test_the_bar_works_without_script(salma, settings):
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, salma, language="en") as page,
    ):
        without = page.context.browser.new_context(
            java_script_enabled=False,
            base_url=url,
            storage_state=page.context.storage_state(),
            viewport={"width": DESKTOP[0], "height": DESKTOP[1]},
        )
        plain = without.new_page()
        plain.goto("/")
        plain.locator("#nav-lead > summary").click()
        plain.locator("#nav-settings > summary").click()
        expect(plain.locator("#nav-lead .menu")).to_be_hidden()
        expect(plain.locator(".by-keys").first).to_be_hidden()  # keys do nothing here
        plain.locator("#nav-team_queues").click()
        expect(plain.locator("h1")).to_be_visible()
        assert plain.url.endswith("/team/queues/")
