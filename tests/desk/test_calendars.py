"""Calendars: what they say of a day, how they are changed and taken back, and that what is owed by them follows (G7, G12)."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.desk import almanac
from rasd.desk.hours import after, between
from rasd.desk.jobs import recount
from rasd.desk.models import Calendar, Employee, Obligation, Queue
from rasd.desk.models.calendars import ChangedMeanwhile, InUse
from rasd.desk.timetable import OMANI_WEEK, fault_of, hours_of, week_of
from rasd.ledger.models import Entry, verify

MUSCAT = ZoneInfo("Asia/Muscat")
BY = "user:salma"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=MUSCAT)


NOW = at("2026-11-17 08:00")  # a Tuesday


@pytest.fixture
def omani(db) -> Calendar:
    with translation.override("en"):
        return Calendar.omani("Muscat", at=NOW, actor=BY)


def shown(moment: datetime) -> str:
    return f"{moment.astimezone(MUSCAT):%Y-%m-%d %H:%M}"


# What libraries know.


def test_holidays_of_Oman_have_names_in_both_languages_and_estimates_say_so():
    known, guessed = almanac.holidays_of("OM", 2026), almanac.holidays_of("OM", 2027)
    national = known[date(2026, 11, 25)]
    assert (national.name("ar"), national.name("en"), national.estimated) == (
        "يوم وطني",
        "National Day",
        False,
    )
    feast = guessed[date(2027, 3, 9)]
    assert (feast.name("ar-om"), feast.name("en-gb")) == ("عيد الفطر", "Eid al-Fitr")
    assert feast.estimated
    assert not any(day.estimated for day in known.values())


def test_where_a_country_has_no_Arabic_names_its_own_stand():
    christmas = almanac.holidays_of("DE", 2026)[date(2026, 12, 25)]
    assert (christmas.ar, christmas.en) == ("Erster Weihnachtstag", "Christmas Day")
    assert not almanac.keeps_ramadan("DE")


def test_a_country_that_nobody_knows_is_an_error_and_none_has_no_holidays():
    assert not almanac.holidays_of("", 2026)
    with pytest.raises(ValueError, match="country: 'XX' is none of"):
        almanac.holidays_of("XX", 2026)


@pytest.mark.parametrize(
    ("year", "first_days"),
    [(2026, ["2026-02-18"]), (2027, ["2027-02-08"]), (2030, ["2030-01-05", "2030-12-26"])],
)
def test_Ramadan_by_the_Umm_al_Qura_calendar(year, first_days):
    found = almanac.ramadans_beginning_in(year)
    assert [f"{each.first}" for each in found] == first_days
    assert all((each.last - each.first).days + 1 in (29, 30) for each in found)


@pytest.mark.parametrize("year", [1900, 2078])
def test_a_Ramadan_that_nobody_has_reckoned_is_an_error(year):
    with pytest.raises(ValueError, match=f"the Ramadan of {year}; choose one of 1925 to 2076"):
        almanac.ramadans_beginning_in(year)


# What a calendar says of a day.


@pytest.mark.parametrize(
    ("day", "kind", "spans"),
    [
        ("2026-11-17", "open", ["07:30-14:30"]),
        ("2026-11-20", "closed", []),
        ("2026-11-25", "holiday", []),
        ("2027-02-08", "season", ["09:00-14:00"]),
        ("2027-02-12", "closed", []),
        ("2027-03-08", "holiday", []),
        ("2027-03-14", "open", ["07:30-14:30"]),
    ],
)
def test_the_nearest_of_what_is_said_about_a_day_counts(omani, day, kind, spans):
    (found,) = omani.days(date.fromisoformat(day), date.fromisoformat(day))
    assert found.kind == kind
    assert [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in found.spans] == spans


@pytest.mark.parametrize(
    ("begin", "minutes", "due"),
    [
        ("2026-11-19 14:10", 45, "2026-11-22 07:55"),  # a weekend
        (
            "2026-11-24 14:00",
            60,
            "2026-11-29 08:00",
        ),  # National Day on Wednesday and Thursday, and the weekend
        ("2027-02-08 13:30", 60, "2027-02-09 09:30"),  # a Ramadan day
        (
            "2027-03-07 13:00",
            90,
            "2027-03-14 08:00",
        ),  # the end of Ramadan, the feast and the weekend after it
    ],
)
def test_G7_the_clock_is_right_to_the_minute_by_a_calendar_in_the_database(omani, begin, minutes, due):
    queue = Queue.objects.create(name="First line", answer_within=MINUTE * minutes, calendar=omani)
    assert shown(queue.due(at(begin), MINUTE * minutes)) == due


def test_an_estimated_feast_is_moved_by_two_special_days(omani):
    """The moon was seen a day later: what was to be its first day is worked, and the day after its last is free."""
    days = [
        {"day": "2027-03-08", "kind": "usual", "why": "the moon was not seen"},
        {"day": "2027-03-14", "kind": "closed", "why": "the feast ends a day later"},
    ]
    omani.change(at=NOW, actor=BY, days=days)
    worked, free = omani.days(date(2027, 3, 8), date(2027, 3, 14))[::6]
    assert (worked.kind, bool(worked.spans), worked.holiday.name("en")) == ("special", True, "Eid al-Fitr")
    assert (free.kind, list(free.spans)) == ("special", [])
    assert shown(after(omani.hours, at("2027-03-07 13:30"), HOUR)) == "2027-03-08 09:30"
    assert shown(after(omani.hours, at("2027-03-08 13:30"), HOUR)) == "2027-03-15 08:00"


def test_a_year_of_closures_is_looked_through_fast_and_costs_three_queries(omani, django_assert_num_queries):
    closed = [
        {"day": f"{date(2026, 11, 18) + timedelta(days=n)}", "kind": "closed", "why": "flood"}
        for n in range(380)
    ]
    omani.change(at=NOW, actor=BY, days=closed)
    with django_assert_num_queries(3):
        assert shown(after(omani.hours, at("2026-11-17 14:00"), HOUR)) == "2027-12-05 08:00"
    whole = Calendar.objects.prefetch_related("open_spans", "seasons", "special_days").get()
    with django_assert_num_queries(0):
        whole.hours  # noqa: B018


# Changing it.


def test_G12_a_change_is_an_entry_with_what_was_before_and_after(omani):
    split = {**OMANI_WEEK, "6": [["07:30", "12:00"], ["16:00", "19:00"]]}
    assert omani.change(at=NOW, actor=BY, why="summer", week=split)
    entry = Entry.objects.last()
    assert (entry.actor, entry.action, entry.subject, entry.why) == (
        BY,
        "calendar.changed",
        f"calendar:{omani.pk}",
        "summer",
    )
    assert entry.facts["before"]["week"] == OMANI_WEEK
    assert entry.facts["after"]["week"] == split
    assert entry.facts["before"]["seasons"] == entry.facts["after"]["seasons"] != []
    assert hours_of(entry.facts["before"]).on(date(2026, 11, 22)) == [(time(7, 30), time(14, 30))]
    assert verify() is None


def test_saying_the_same_again_is_no_change(omani):
    entries = Entry.objects.count()
    assert not omani.change(at=NOW, actor=BY, **omani.document())
    assert Entry.objects.count() == entries


def test_the_last_change_is_taken_back_and_taken_back_again(omani):
    before = omani.document()
    days = [{"day": "2026-12-01", "kind": "other", "why": "stocktaking", "opens": "10:00", "closes": "12:00"}]
    omani.change(at=NOW, actor=BY, name="Muscat and Seeb", holidays_of="", days=days, seasons=[])
    after_it = omani.document()
    assert omani.undo(at=NOW, actor=BY)
    assert omani.document() == before == Calendar.objects.get().document()
    assert omani.undo(at=NOW, actor=BY)
    assert omani.document() == after_it
    assert Entry.objects.filter(action="calendar.changed").count() == 4


def test_a_new_calendar_has_nothing_to_take_back(omani):
    assert not omani.undo(at=NOW, actor=BY)


def test_who_saves_a_page_made_before_anothers_change_is_told(omani):
    seen = omani.last_change.number
    omani.change(at=NOW, actor="user:other", name="Theirs")
    with pytest.raises(ChangedMeanwhile):
        omani.change(at=NOW, actor=BY, seen=seen, name="Mine")
    with pytest.raises(ChangedMeanwhile):
        omani.undo(at=NOW, actor=BY, seen=seen)
    assert Calendar.objects.get().name == "Theirs"


@pytest.mark.parametrize(
    ("parts", "field", "words"),
    [
        ({"week": {"6": [["14:00", "08:00"]]}}, "week", "Sunday: ⁦14:00–08:00⁩ ends before it begins"),
        ({"week": {"6": [["08:00", "12:00"], ["11:00", "14:00"]]}}, "week", "overlap"),
        ({"week": {"6": [["08:00", "00:00"], ["11:00", "14:00"]]}}, "week", "08:00–24:00⁩ and"),
        ({"zone": "Muscat"}, "zone", "Write it as Asia/Muscat"),
        ({"holidays_of": "XX"}, "holidays_of", "Choose another, or none"),
        ({"name": ""}, "name", "cannot be blank"),
        (
            {"seasons": [{"name": "Summer", "first": "2027-07-02", "last": "2027-07-01", "week": {}}]},
            "last",
            "before the first day",
        ),
        ({"days": [{"day": "2026-12-01", "kind": "other", "why": "?"}]}, "opens", "from when until when"),
        ({"days": [{"day": "2026-12-01", "kind": "closed", "why": ""}]}, "why", "cannot be blank"),
    ],
)
def test_what_is_wrong_is_refused_whole_with_the_field_and_the_mend(omani, parts, field, words):
    before = omani.document()
    with translation.override("en"):
        with pytest.raises(ValidationError) as refused:
            omani.change(at=NOW, actor=BY, **parts)
        assert words in " ".join(refused.value.message_dict[field])
    assert Calendar.objects.get().document() == before


spans_of_a_day = st.lists(
    st.tuples(st.times(), st.times()).map(
        lambda pair: tuple(each.replace(second=0, microsecond=0) for each in pair)
    ),
    max_size=4,
)


@given(spans_of_a_day)
def test_spans_without_fault_add_up_to_what_they_say(spans):
    """What the check lets through overlaps nowhere: the day is as long as its spans together."""
    if fault_of(spans):
        return
    document = {
        "zone": "Asia/Muscat",
        "holidays_of": "",
        "week": week_of({6: spans}),
        "seasons": [],
        "days": [],
    }
    told = sum(
        ((60 * closes.hour + closes.minute) or 1440) - 60 * opens.hour - opens.minute
        for opens, closes in spans
    )
    assert between(hours_of(document), at("2026-11-22 00:00"), at("2026-11-23 00:00")) == MINUTE * told


def test_one_in_use_is_not_removed_and_one_that_is_not_leaves_an_entry(omani):
    queue = Queue.objects.create(name="First line", answer_within=HOUR, calendar=omani)
    with pytest.raises(InUse):
        omani.remove(at=NOW, actor=BY)
    queue.delete()
    before = omani.document()
    omani.remove(at=NOW, actor=BY)
    entry = Entry.objects.last()
    assert (entry.action, entry.facts["before"]) == ("calendar.removed", before)
    assert not Calendar.objects.exists()


# Ramadan.


def test_the_next_Ramadan_is_asked_for_while_nothing_is_said_of_it(omani):
    today = date(2026, 11, 17)
    assert omani.ramadan_without_hours(today) is None
    omani.change(at=NOW, actor=BY, seasons=[])
    with translation.override("ar"):
        draft = omani.ramadan_without_hours(today)
    assert (draft.name, draft.first, draft.last) == ("رمضان 1448", date(2027, 2, 8), date(2027, 3, 8))
    assert draft.pk is None
    assert omani.ramadan_without_hours(date(2026, 9, 1)) is None  # too early to ask


def test_a_Ramadan_moved_to_when_the_moon_was_seen_is_not_asked_for_again(omani):
    seen = {
        "name": "Ramadan",
        "first": "2027-02-09",
        "last": "2027-03-09",
        "week": {"6": [["09:00", "14:00"]]},
    }
    omani.change(at=NOW, actor=BY, seasons=[seen])
    assert omani.ramadan_without_hours(date(2027, 1, 1)) is None


def test_where_no_holiday_follows_the_moon_nobody_is_asked_about_Ramadan(db):
    assert (
        Calendar.make("Berlin", at=NOW, actor=BY, holidays_of="DE").ramadan_without_hours(NOW.date()) is None
    )


# What is owed follows.


@pytest.fixture
def owed(omani) -> Obligation:
    queue = Queue.objects.create(name="First line", answer_within=2 * HOUR, calendar=omani)
    owed = Obligation.begin(queue=queue, since=at("2026-11-17 13:30"), actor="machine:desk")
    assert shown(owed.due_at) == "2026-11-18 08:30"
    return owed


def after_the_change(omani, **parts) -> None:
    """The change, and the job that it deferred."""
    omani.change(at=at("2026-11-17 14:00"), actor=BY, **parts)
    job = ProcrastinateJob.objects.filter(task_name="rasd.desk.jobs.recount").last()
    Calendar.recount(job.args["entry"], at=at("2026-11-17 14:01"))


CLOSED_ON_WEDNESDAY = [{"day": "2026-11-18", "kind": "closed", "why": "flood"}]


def test_G7_what_is_owed_is_due_by_the_hours_as_they_are_now(omani, owed):
    after_the_change(omani, days=CLOSED_ON_WEDNESDAY)
    owed.refresh_from_db()
    assert shown(owed.due_at) == "2026-11-19 08:30"
    entry = Entry.objects.last()
    assert (entry.actor, entry.action, entry.subject) == (BY, "obligation.recounted", str(owed))
    assert datetime.fromisoformat(entry.facts["due_at"]) == owed.due_at
    omani.undo(at=at("2026-11-17 14:02"), actor=BY)
    Calendar.recount(omani.last_change.number, at=at("2026-11-17 14:02"))
    owed.refresh_from_db()
    assert shown(owed.due_at) == "2026-11-18 08:30"


def test_counting_anew_twice_changes_nothing_more(omani, owed):
    after_the_change(omani, days=CLOSED_ON_WEDNESDAY)
    entries = Entry.objects.count()
    assert owed.queue.recount(at=NOW, actor=BY) == 0
    assert Entry.objects.count() == entries


def test_what_was_promised_for_a_moment_stays_promised_for_it(omani, owed):
    promise = Obligation.begin(
        queue=owed.queue,
        since=at("2026-11-17 13:30"),
        actor=BY,
        kind=Obligation.Kind.PROMISE,
        due_at=at("2026-11-18 12:00"),
    )
    after_the_change(omani, days=CLOSED_ON_WEDNESDAY)
    promise.refresh_from_db()
    assert shown(promise.due_at) == "2026-11-18 12:00"


def test_while_it_is_the_customers_turn_nothing_is_counted_and_the_rest_runs_by_the_new_hours(omani, owed):
    owed.pause(at=at("2026-11-17 14:00"), actor=BY)
    after_the_change(omani, days=CLOSED_ON_WEDNESDAY)
    owed.refresh_from_db()
    assert shown(owed.due_at) == "2026-11-18 08:30"
    owed.resume(at=at("2026-11-17 14:15"), actor=BY)
    assert shown(owed.due_at) == "2026-11-19 08:45"


def test_an_earlier_time_that_came_along_from_another_queue_is_not_put_off(omani, owed):
    quick = Queue.objects.create(name="Quick", answer_within=10 * MINUTE)
    moved = Obligation.begin(queue=quick, since=at("2026-11-17 14:25"), actor="machine:desk")
    assert shown(moved.due_at) == "2026-11-17 14:35"
    moved.move(owed.queue, at=at("2026-11-17 14:26"), actor=BY)
    assert shown(moved.due_at) == "2026-11-17 14:35"
    after_the_change(omani, days=CLOSED_ON_WEDNESDAY)
    moved.refresh_from_db()
    assert shown(moved.due_at) == "2026-11-17 14:35"


@pytest.mark.django_db(transaction=True)
def test_G7_whose_shift_ends_earlier_now_owes_only_until_then(django_user_model):
    omani = Calendar.omani("Muscat", at=NOW, actor=BY)
    queue = Queue.objects.create(name="First line", answer_within=2 * HOUR)
    user = django_user_model.objects.create_user("noura")
    Employee.objects.create(user=user, calendar=omani)
    queue.people.add(user)
    now = datetime.now(MUSCAT)
    today = {"day": f"{now.date()}", "kind": "other", "why": "as ever", "opens": "00:00", "closes": "00:00"}
    omani.change(at=now, actor=BY, days=[today])
    owed = Obligation.begin(queue=queue, since=now, actor="machine:desk")
    owed.give(user, at=now, actor="machine:desk")
    omani.change(at=now, actor=BY, days=[{**today, "kind": "closed", "opens": None, "closes": None}])
    recount(entry=omani.last_change.number)
    owed.refresh_from_db()
    assert owed.owner is None
