"""The pages of working hours: looked at, changed, tried out, taken back (G7, G12)."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect, sync_playwright

from rasd.desk.models import Calendar, Queue
from rasd.desk.timetable import OMANI_WEEK
from rasd.ledger.models import Entry
from tests.console.browsing import opened, served
from tests.console.looking import errors_of, look_at

pytestmark = pytest.mark.django_db

MUSCAT = ZoneInfo("Asia/Muscat")
NOW = datetime(2026, 11, 17, 8, tzinfo=MUSCAT)
BY = "user:salma"


@pytest.fixture
def omani(db) -> Calendar:
    return Calendar.omani("Muscat", at=NOW, actor=BY)


@pytest.fixture
def supervisor(as_):
    return as_("supervisor")


def page(name: str, *args: object) -> str:
    return reverse(f"console:{name}", args=args)


def week_form(calendar: Calendar, week: dict, **more: object) -> dict:
    """What the browser would post."""
    posted: dict[str, object] = {"seen": calendar.last_change.number}
    for day in range(7):
        posted[f"opens-{day}"] = [span[0] for span in week.get(str(day), [])]
        posted[f"closes-{day}"] = [span[1] for span in week.get(str(day), [])]
    return posted | more


def text(answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_where_there_are_none_Omans_usual_hours_are_made_at_a_press(supervisor):
    empty = supervisor.get(page("calendars"))
    assert "No working hours yet" in empty.content.decode()
    made = supervisor.post(page("omani_calendar"), follow=True)
    assert made.status_code == 200
    calendar = Calendar.objects.get()
    assert calendar.document()["week"] == OMANI_WEEK
    assert (calendar.name, calendar.holidays_of) == ("Oman's usual hours", "OM")
    supervisor.post(page("omani_calendar"))
    assert Calendar.objects.filter(name="Oman's usual hours 2").exists()
    assert "Oman&#x27;s usual hours 2" in supervisor.get(page("calendars")).content.decode()


def test_the_week_is_saved_with_split_shifts_and_is_an_entry_with_its_author(supervisor, omani):
    split = {**OMANI_WEEK, "6": [["07:30", "12:00"], ["16:00", "19:00"]], "5": [["22:00", "00:00"]]}
    saved = supervisor.post(page("calendar_week", omani.pk), week_form(omani, split), follow=True)
    assert "Saved. What is owed by these hours is counted anew." in text(saved)
    assert omani.document()["week"] == split
    entry = Entry.objects.last()
    assert (entry.actor, entry.action) == ("user:supervisor", "calendar.changed")
    assert "Last changed by supervisor" in text(saved)
    assert "the usual week" in text(saved)
    assert "22:00–24:00" in text(saved)


def test_the_last_change_is_taken_back_at_a_press(supervisor, omani):
    supervisor.post(page("calendar_week", omani.pk), week_form(omani, {}))
    assert omani.document()["week"] == {}
    undone = supervisor.post(page("undo_calendar", omani.pk), {"seen": omani.last_change.number}, follow=True)
    assert "Taken back" in text(undone)
    assert omani.document()["week"] == OMANI_WEEK


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([["07:30", ""]], "Sunday: Say until when, such as 14:30; 00:00 is the end of the day."),
        ([["", "14:30"]], "Sunday: Say from when, such as 07:30."),
        ([["half past", "14:30"]], "Sunday: “half past” is no time. Write it as 07:30."),
        ([["22:00", "06:00"]], "ends before it begins. Work past midnight goes in two"),
        ([["07:30", "12:00"], ["11:00", "14:30"]], "overlap. Let the first end before the second begins."),
    ],
)
def test_what_is_wrong_names_the_day_and_the_mend_and_what_was_typed_stays(supervisor, omani, spans, words):
    refused = supervisor.post(page("calendar_week", omani.pk), week_form(omani, {**OMANI_WEEK, "6": spans}))
    assert refused.status_code == 422
    assert words in text(refused)
    for opens, closes in spans:
        assert f'value="{opens}"' in refused.content.decode()
        assert f'value="{closes}"' in refused.content.decode()
    assert 'aria-invalid="true"' in refused.content.decode()
    assert omani.document()["week"] == OMANI_WEEK


def test_adding_removing_and_copying_change_what_is_typed_and_save_nothing(supervisor, omani):
    address, before = page("calendar_week", omani.pk), Entry.objects.count()
    typed = {"6": [["08:00", "12:00"], ["16:00", "20:00"]]}
    copied = supervisor.post(
        address, week_form(omani, typed, **{"copy-day": "1", "copy-from": "6", "copy-to": ["0", "4"]})
    )
    for day in (6, 0, 4):
        assert f'name="opens-{day}" value="16:00"' in copied.content.decode()
    assert "not saved yet" in text(copied)
    added = supervisor.post(address, week_form(omani, typed, **{"add-span": "5"}))
    assert added.content.decode().count('name="opens-5"') == 1
    removed = supervisor.post(address, week_form(omani, typed, **{"remove-span": "6-0"}))
    assert 'value="08:00"' not in removed.content.decode()
    assert 'name="opens-6" value="16:00"' in removed.content.decode()
    assert Entry.objects.count() == before


def test_who_saves_after_somebody_else_changed_it_keeps_what_was_typed_and_is_told(supervisor, omani):
    form = week_form(omani, {"6": [["10:00", "11:00"]]})
    omani.change(at=NOW, actor="user:other", holidays_of="")
    refused = supervisor.post(page("calendar_week", omani.pk), form)
    assert refused.status_code == 422
    assert "Somebody else changed these hours meanwhile" in text(refused)
    assert 'value="10:00"' in refused.content.decode()
    form["seen"] = re.search(r'name="seen" value="(\d+)"', refused.content.decode()).group(1)
    assert supervisor.post(page("calendar_week", omani.pk), form).status_code == 302
    assert omani.document()["week"] == {"6": [["10:00", "11:00"]]}
    assert Calendar.objects.get().holidays_of == ""


def test_a_season_is_added_changed_and_removed(supervisor, omani):
    address = page("new_season", omani.pk)
    days = {"name": "Summer", "first": "2027-07-01", "last": "2027-08-31"}
    supervisor.post(address, week_form(omani, {"6": [["07:00", "13:00"]]}, **days))
    summer = omani.document()["seasons"][-1]
    assert summer == {**days, "week": {"6": [["07:00", "13:00"]]}}
    n = len(omani.document()["seasons"]) - 1
    wrong = supervisor.post(
        page("season", omani.pk, n), week_form(omani, summer["week"], **{**days, "last": "2027-06-01"})
    )
    assert wrong.status_code == 422
    assert "This is before the first day. Exchange the two, or choose a later day." in text(wrong)
    supervisor.post(page("remove_season", omani.pk, n), {"seen": omani.last_change.number})
    assert [each["name"] for each in omani.document()["seasons"]] == ["Ramadan 1447", "Ramadan 1448"]


def test_the_next_Ramadan_is_proposed_with_its_days_and_hours_and_stays_a_draft(supervisor, omani):
    omani.change(at=NOW, actor=BY, seasons=[])
    year = timezone.localdate().year + 1
    draft = supervisor.get(page("new_season", omani.pk) + f"?ramadan={year}").content.decode()
    proposed = omani.propose_ramadan(year)
    assert f'value="{proposed.first}"' in draft
    assert draft.count('value="09:00"') == 5
    assert omani.document()["seasons"] == []


def test_a_closure_of_several_days_and_a_day_with_other_hours(supervisor, omani):
    address = page("put_days", omani.pk)
    closure = {"day": "2026-12-01", "until": "2026-12-03", "kind": "closed", "why": "we move house"}
    supervisor.post(address, {**closure, "seen": omani.last_change.number})
    supervisor.post(
        address,
        {"day": "2026-12-02", "kind": "other", "opens": "10:00", "closes": "12:00", "why": "counter only"},
    )
    assert [(each["day"], each["kind"]) for each in omani.document()["days"]] == [
        ("2026-12-01", "closed"),
        ("2026-12-02", "other"),
        ("2026-12-03", "closed"),
    ]
    shown = supervisor.get(page("calendar", omani.pk) + "?day=2026-12-02")
    assert "counter only" in text(shown)
    assert "10:00–12:00" in text(shown)
    supervisor.post(page("remove_day", omani.pk), {"day": "2026-12-02", "seen": omani.last_change.number})
    assert [each["day"] for each in omani.document()["days"]] == ["2026-12-01", "2026-12-03"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"kind": "other", "opens": "10:00"}, "Say from when until when it is open, or choose “closed”."),
        ({"kind": "other", "opens": "12:00", "closes": "10:00"}, "ends before it begins"),
        ({"kind": "closed", "until": "2026-11-30"}, "This is before the first day. Exchange the two"),
        ({"kind": "closed", "until": "2027-11-30"}, "That is more than 60 days. Make a season of it"),
        ({"kind": "closed", "why": ""}, "This field is required"),
    ],
)
def test_a_special_day_that_is_wrong_says_so_and_keeps_what_was_typed(supervisor, omani, typed, words):
    refused = supervisor.post(page("put_days", omani.pk), {"day": "2026-12-01", "why": "because", **typed})
    assert refused.status_code == 422
    assert words in text(refused)
    assert 'value="2026-12-01"' in refused.content.decode()
    assert omani.document()["days"] == []


def test_a_feast_whose_day_was_estimated_is_moved_when_it_is_announced(supervisor, omani):
    shown = supervisor.get(page("calendar", omani.pk) + "?day=2027-03-08")
    assert "This day is an estimate: the holiday follows the moon" in text(shown)
    supervisor.post(page("move_holiday", omani.pk), {"day": "2027-03-08", "to": "2027-03-14"})
    worked, free = omani.days(date(2027, 3, 8), date(2027, 3, 14))[::6]
    assert (bool(worked.spans), worked.special["why"]) == (True, "Eid al-Fitr is kept on 14 March")
    assert (list(free.spans), free.special["why"]) == ([], "Eid al-Fitr")
    refused = supervisor.post(page("move_holiday", omani.pk), {"day": "2027-03-09", "to": ""})
    assert refused.status_code == 422
    assert "This field is required" in text(refused)


def test_the_year_shows_of_each_day_its_hours_its_colour_and_its_holiday(supervisor, omani):
    html = supervisor.get(page("calendar", omani.pk) + "?year=2027").content.decode()

    def cell(day: str) -> str:
        return re.search(rf'<td class="[^>]*>(?:(?!</td>).)*data-day="{day}".*?</td>', html, re.S).group()

    assert len(re.findall("data-day=", html)) == 365
    assert 'class="season"' in cell("2027-02-08")
    assert "09:00–14:00" in cell("2027-02-08")
    assert 'aria-label="Monday 8 February 2027, Ramadan 1448, ⁦09:00–14:00⁩"' in cell("2027-02-08")
    assert 'class="holiday free"' in cell("2027-03-09")
    assert "≈ Eid al-Fitr" in cell("2027-03-09")
    assert "Eid al-Fitr, estimated, closed" in cell("2027-03-09")
    assert 'class="closed free"' in cell("2027-01-01")
    assert "?year=2026#year" in html
    assert "?year=2028#year" in html


def test_today_is_marked_in_the_calendars_own_zone(supervisor, omani):
    html = supervisor.get(page("calendar", omani.pk)).content.decode()
    today = timezone.now().astimezone(MUSCAT).date()
    assert re.search(rf'data-day="{today}"[^>]*aria-current="date"', html)
    assert html.count('aria-current="date"') == 1


@pytest.mark.parametrize(
    ("begin", "hours", "minutes", "due", "words"),
    [
        ("2026-11-19T14:10", 0, 45, "Sunday 22 November 2026 07:55", "Fri 20 Nov closed"),
        ("2026-11-24T14:00", 1, 0, "Sunday 29 November 2026 08:00", "Wed 25 Nov National Day"),
        ("2027-02-08T13:30", 1, 0, "Tuesday 9 February 2027 09:30", "⁦13:30–14:00⁩ ⁦0:30⁩"),
    ],
)
def test_G7_it_can_be_tried_when_something_is_due_and_which_stretches_count(
    supervisor, omani, begin, hours, minutes, due, words
):
    tried = supervisor.get(page("calendar", omani.pk), {"begin": begin, "hours": hours, "minutes": minutes})
    assert due in text(tried)
    assert words in text(tried)


def test_trying_out_nothing_or_too_much_says_what_to_type(supervisor, omani):
    address = page("calendar", omani.pk)
    assert "Say how long it takes" in text(supervisor.get(address, {"begin": "2026-11-19T14:10", "hours": 0}))
    assert "less than or equal to 400" in text(
        supervisor.get(address, {"begin": "2026-11-19T14:10", "hours": 401})
    )
    omani.change(at=NOW, actor=BY, week={}, seasons=[])
    assert "Never: these hours have not so much open time" in text(
        supervisor.get(address, {"begin": "2026-11-19T14:10", "hours": 1})
    )


def test_new_hours_get_a_name_first_and_a_wrong_zone_is_told(supervisor, omani):
    wrong = supervisor.post(page("new_calendar"), {"name": "Salalah", "zone": "Salalah", "holidays_of": "OM"})
    assert wrong.status_code == 422
    assert "No time zone is called so. Write it as Asia/Muscat" in text(wrong)
    assert 'value="Salalah"' in wrong.content.decode()
    taken = supervisor.post(page("new_calendar"), {"name": "Muscat", "zone": "", "holidays_of": ""})
    assert "already exists" in text(taken)
    made = supervisor.post(page("new_calendar"), {"name": "Salalah", "zone": "", "holidays_of": "OM"})
    assert made["Location"] == page("calendar_week", Calendar.objects.get(name="Salalah").pk)


def test_hours_that_a_queue_goes_by_are_not_removed(supervisor, omani):
    queue = Queue.objects.create(name="First line", answer_within=timedelta(hours=1), calendar=omani)
    kept = supervisor.post(page("remove_calendar", omani.pk), follow=True)
    assert "Queues or employees go by these hours" in text(kept)
    queue.delete()
    supervisor.post(page("remove_calendar", omani.pk))
    assert not Calendar.objects.exists()


@pytest.mark.parametrize(
    "odd", ["year=99999", "year=x", "day=2026-13-45", "day=x", "day=0001-01-01", "begin=x"]
)
def test_an_odd_address_is_no_error(supervisor, omani, odd):
    assert supervisor.get(page("calendar", omani.pk) + f"?{odd}").status_code == 200


def test_an_agent_may_not_change_working_hours(as_, omani):
    agent = as_("agent")
    for name in ("calendar", "calendar_week", "calendar_about", "new_season"):
        assert agent.get(page(name, omani.pk)).status_code == 403
    assert agent.post(page("undo_calendar", omani.pk)).status_code == 403


def test_a_year_and_a_try_read_each_table_of_the_calendar_once(
    supervisor, omani, django_assert_max_num_queries
):
    with django_assert_max_num_queries(60) as asked:  # most are the navigation's
        supervisor.get(page("calendar", omani.pk) + "?day=2027-03-08&begin=2026-11-19T14:10&hours=30")
    for table in ("openspan", "specialday"):
        assert len([each for each in asked.captured_queries if f'FROM "desk_{table}"' in each["sql"]]) == 1


# In a real browser.


@pytest.fixture
def everybody(monkeypatch, person, transactional_db):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    user = person("administrator", username="salma")
    user.first_name, user.last_name = "سلمى", "المثال"
    user.save()
    omani = Calendar.omani("مسقط", at=NOW, actor=BY)
    omani.change(
        at=NOW,
        actor="user:salma",
        days=[
            {"day": "2026-12-01", "kind": "other", "why": "جرد المخازن", "opens": "10:00", "closes": "12:00"},
            {"day": "2027-03-08", "kind": "usual", "why": "لم يُرَ الهلال"},
        ],
    )
    Queue.objects.create(name="الخط الأول", answer_within=timedelta(hours=1), calendar=omani)
    return user, omani


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_manager_splits_a_shift_copies_it_closes_a_day_and_tries_it(everybody):
    user, omani = everybody
    with (
        served() as url,
        sync_playwright() as playwright,
        opened(playwright, url, user, language="en") as browser,
    ):
        wrong = errors_of(browser)
        browser.goto(page("calendar_week", omani.pk))
        browser.get_by_label("Sunday, until").fill("12:00")
        browser.get_by_role("button", name="Sunday: add a stretch").click()
        fresh = browser.locator("#opens-6-1")
        expect(fresh).to_be_focused()
        fresh.fill("16:00")
        browser.locator("#closes-6-1").fill("11:00")
        browser.get_by_role("button", name="Save", exact=True).click()
        expect(browser.get_by_role("alert")).to_contain_text("Sunday")
        expect(browser.locator("#opens-6-1")).to_have_value("16:00")  # what was typed stays
        browser.locator("#closes-6-1").fill("19:00")
        browser.locator("[name=copy-from]").select_option("6")
        browser.get_by_label("Monday", exact=True).check()
        browser.get_by_role("button", name="Copy", exact=True).click()
        expect(browser.locator("#opens-0-1")).to_have_value("16:00")
        expect(browser.locator(".chip.warn")).to_have_text("not saved yet")
        browser.get_by_role("button", name="Save", exact=True).click()
        expect(browser.locator(".messages")).to_contain_text("Saved")
        split = [["07:30", "12:00"], ["16:00", "19:00"]]
        assert omani.document()["week"] == {**OMANI_WEEK, "6": split, "0": split}

        browser.goto(page("calendar", omani.pk) + "?year=2026&day=2026-11-17")
        day = browser.locator("[data-day='2026-11-17']")
        day.focus()
        browser.keyboard.press("ArrowDown")
        browser.keyboard.press("ArrowRight")
        expect(browser.locator("[data-day='2026-11-25']")).to_be_focused()
        browser.keyboard.press("ArrowLeft")
        browser.keyboard.press("Enter")
        expect(browser.locator("#day-name")).to_have_text("Tuesday 24 November 2026")
        browser.locator("#day").get_by_label("Why").fill("flood")
        browser.locator("#day").get_by_role("button", name="Save").click()
        expect(browser.locator("[data-day='2026-11-24']")).to_have_accessible_name(
            "Tuesday 24 November 2026, flood, closed"
        )
        browser.get_by_label("A message comes").fill("2026-11-23T18:30")
        browser.locator("#try [name=hours]").fill("1")
        browser.get_by_role("button", name="When is it due?").click()
        # Tuesday is closed now, Wednesday and Thursday are National Day, then comes the weekend.
        expect(browser.locator(".due-at")).to_contain_text("Sunday 29 November 2026 08:00")
        browser.get_by_role("button", name="Undo").click()
        expect(browser.locator(".messages")).to_contain_text("Taken back")
        assert not [each for each in omani.document()["days"] if each["day"] == "2026-11-24"]
        assert not wrong


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_of_working_hours_fits_the_screen(everybody):
    user, omani = everybody
    pages = {
        "calendars": page("calendars"),
        "calendar": page("calendar", omani.pk)
        + "?year=2027&day=2027-03-09&begin=2026-11-19T14:10&hours=9&minutes=5",
        "calendar-week": page("calendar_week", omani.pk),
        "calendar-season": page("new_season", omani.pk) + "?ramadan=2028",
        "calendar-about": page("calendar_about", omani.pk),
    }
    look_at(user, pages)
