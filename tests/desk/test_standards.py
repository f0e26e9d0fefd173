"""Guaranteed standards: the system finds its own breaches, from the ledger alone, once each (G7, G12)."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from rasd.desk.models import Breach, Calendar, Obligation, Queue, Standard
from rasd.desk.models.breaches import month_report, record_all_breaches
from rasd.desk.oman import make_usual_standards
from rasd.ledger.models import Entry, verify
from tests.console.making import Utility

pytestmark = pytest.mark.django_db

SUNDAY = datetime(
    2026, 11, 1, 6, 0, tzinfo=UTC
)  # ten in the morning in Muscat, of a working week's first day
HOUR = timedelta(hours=1)


@pytest.fixture
def office(db) -> Calendar:
    """Sunday to Thursday, 07:30 to 14:30."""
    calendar = Calendar.objects.create(name="Office")
    for weekday in (6, 0, 1, 2, 3):
        calendar.open_spans.create(weekday=weekday, opens=time(7, 30), closes=time(14, 30))
    return calendar


@pytest.fixture
def standard(db) -> Standard:
    """A message is answered within 24 hours, day and night, or it costs five rials."""
    return Standard.objects.create(
        code="message",
        name_ar="الرد",
        name_en="A message is answered",
        begins="obligation.owed",
        ends="obligation.answered",
        kind="answer",
        limit=24,
        unit="hours",
        compensation=Decimal("5"),
        in_force_from=date(2026, 1, 1),
    )


@pytest.fixture
def owed(db) -> Obligation:
    utility = Utility(SUNDAY)
    conversation = utility.conversation()
    return conversation.owe(utility.writes(conversation, "Where is my bill?"), queue=utility.queue)


@pytest.fixture
def salma(db) -> User:
    return User.objects.create_user("salma")


def actions() -> list[str]:
    return list(Entry.objects.filter(subject__startswith="breach:").values_list("action", flat=True))


def test_a_breach_is_found_as_soon_as_its_time_is_over_and_not_before(standard, owed):
    assert record_all_breaches(SUNDAY + 24 * HOUR) == 0
    assert record_all_breaches(SUNDAY + 24 * HOUR + timedelta(seconds=1)) == 1
    breach = Breach.objects.get()
    assert breach.due_at == SUNDAY + 24 * HOUR
    assert (breach.ended_at, breach.compensation, breach.conversation) == (None, 5, owed.conversation)


def test_g12_it_is_written_down_once_however_often_one_looks(standard, owed, salma):
    for hours in (25, 26, 27):
        record_all_breaches(SUNDAY + hours * HOUR)
    owed.done(at=SUNDAY + 30 * HOUR, actor="user:salma")
    for hours in (31, 32):
        record_all_breaches(SUNDAY + hours * HOUR)
    assert Breach.objects.get().ended_at == SUNDAY + 30 * HOUR
    assert Breach.objects.get().lateness == 6 * HOUR
    assert actions() == ["standard.breached", "standard.answered_late"]
    assert verify() is None


def test_what_is_answered_in_time_is_no_breach(standard, owed):
    owed.done(at=SUNDAY + 23 * HOUR, actor="user:salma")
    assert record_all_breaches(SUNDAY + 100 * HOUR) == 0


def test_g7_an_answer_that_could_not_be_delivered_after_all_keeps_nothing(standard, owed):
    owed.done(at=SUNDAY + HOUR, actor="user:salma")
    owed._record("obligation.owed_again", "machine:whatsapp", at=SUNDAY + 2 * HOUR)
    owed._record("obligation.answered", "user:salma", at=SUNDAY + 40 * HOUR)
    assert record_all_breaches(SUNDAY + 41 * HOUR) == 1
    assert Breach.objects.get().ended_at == SUNDAY + 40 * HOUR


def test_g12_who_owed_it_when_is_told_with_the_entries_that_say_so(standard, owed, salma):
    other = Queue.objects.create(name="Billing", answer_within=HOUR)
    owed.give(salma, at=SUNDAY + 2 * HOUR, actor="machine:desk")
    owed.move(other, at=SUNDAY + 30 * HOUR, actor="user:salma", why="not mine")
    owed.done(at=SUNDAY + 50 * HOUR, actor="user:salma")
    record_all_breaches(SUNDAY + 60 * HOUR)
    breach = Breach.objects.get()
    assert [(one["owner"], one["queue"]) for one in breach.held] == [
        (None, "First line"),
        ("salma", "First line"),
        (None, "Billing"),
    ]
    assert breach.held[1]["until"] == (SUNDAY + 30 * HOUR).isoformat()
    assert breach.held[2]["until"] == (SUNDAY + 50 * HOUR).isoformat()
    assert Entry.objects.get(number=breach.held[1]["entry"]).action == "obligation.given"
    assert (breach.owner, breach.queue) == ("salma", "First line"), "it was hers when its time was over"
    assert Entry.objects.get(action="standard.breached").facts["owner"] == "salma"


def test_the_ledger_counts_and_not_a_column_that_somebody_changed(standard, owed):
    Obligation.objects.update(
        discharged_at=SUNDAY + HOUR, since=SUNDAY + 90 * HOUR, due_at=SUNDAY + 90 * HOUR
    )
    assert record_all_breaches(SUNDAY + 25 * HOUR) == 1


def test_the_time_in_which_it_is_the_customers_turn_does_not_count(standard, owed):
    owed.pause(at=SUNDAY + HOUR, actor="user:salma")
    assert record_all_breaches(SUNDAY + 300 * HOUR) == 0
    owed.resume(at=SUNDAY + 301 * HOUR, actor="customer:x")
    assert record_all_breaches(SUNDAY + 324 * HOUR) == 0, "23 of the 24 hours were left"
    assert record_all_breaches(SUNDAY + 325 * HOUR) == 1
    assert Breach.objects.get().due_at == SUNDAY + 324 * HOUR


def test_unless_the_standard_says_that_it_does(standard, owed):
    Standard.objects.update(stops_for_customer=False)
    owed.pause(at=SUNDAY + HOUR, actor="user:salma")
    assert record_all_breaches(SUNDAY + 25 * HOUR) == 1


def test_a_matter_that_it_is_not_about_is_not_measured(standard, owed):
    Standard.objects.update(matter="complaint")
    assert record_all_breaches(SUNDAY + 100 * HOUR) == 0


def test_what_began_before_it_was_in_force_is_not_measured(standard, owed):
    Standard.objects.update(in_force_from=date(2026, 11, 2))
    assert record_all_breaches(SUNDAY + 100 * HOUR) == 0
    Standard.objects.update(in_force_from=date(2026, 11, 1), in_force_until=date(2026, 11, 1))
    assert record_all_breaches(SUNDAY + 100 * HOUR) == 1, "its last day is in force"


@pytest.mark.parametrize(
    ("begin", "limit", "last_day"),
    [
        (SUNDAY, 1, date(2026, 11, 2)),
        (SUNDAY, 5, date(2026, 11, 8)),  # Monday to Thursday, and the Sunday after the weekend
        (
            datetime(2026, 11, 5, 20, 30, tzinfo=UTC),
            1,
            date(2026, 11, 8),
        ),  # Friday, half past midnight in Muscat
    ],
)
def test_working_days_are_those_after_the_day_on_which_it_began(standard, office, begin, limit, last_day):
    standard.unit, standard.limit, standard.calendar = "working_days", limit, office
    midnight = datetime.combine(last_day + timedelta(days=1), time.min, office.time_zone)
    assert standard.due(begin, []) == midnight


def test_a_day_on_which_it_was_the_customers_turn_is_no_working_day(standard, office):
    standard.unit, standard.limit, standard.calendar = "working_days", 1, office
    all_monday = (SUNDAY + 5 * HOUR, SUNDAY + 29 * HOUR)
    assert standard.due(SUNDAY, [all_monday]).astimezone(office.time_zone).date() == date(2026, 11, 4)


def test_working_hours_are_counted_in_the_calendars_hours(standard, office):
    standard.unit, standard.limit, standard.calendar = "working_hours", 8, office
    assert standard.due(SUNDAY, []) == datetime(
        2026, 11, 2, 7, 0, tzinfo=UTC
    )  # 4½ hours on Sunday, 3½ from 07:30


@given(limit=st.integers(1, 30), minutes=st.integers(0, 60 * 24 * 14))
def test_more_working_days_are_never_over_earlier_and_none_before_its_day_is(limit, minutes):
    calendar = Calendar(zone="Asia/Muscat")
    calendar._state.adding = False
    from rasd.desk.hours import Hours

    standard = Standard(limit=limit, unit="working_days", calendar=calendar)
    standard._hours = Hours(
        {day: [(time(7, 30), time(14, 30))] for day in (6, 0, 1, 2, 3)}, calendar.time_zone
    )
    begin = SUNDAY + timedelta(minutes=minutes)
    due = standard.due(begin, [])
    standard.limit += 1
    assert due > begin + timedelta(days=limit)
    assert standard.due(begin, []) >= due + timedelta(days=1)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"ends": "case.closed"}, "ends"),
        ({"unit": "working_days"}, "calendar"),
        ({"begins": "case.opened", "ends": "case.closed"}, "kind"),
        ({"in_force_until": date(2025, 1, 1)}, "in_force_until"),
    ],
)
def test_a_standard_by_which_nothing_could_be_measured_is_refused(standard, wrong, field):
    for name, value in wrong.items():
        setattr(standard, name, value)
    with pytest.raises(ValidationError) as refused:
        standard.full_clean()
    assert field in refused.value.message_dict


def test_hours_that_never_open_are_refused(standard):
    standard.unit, standard.calendar = "working_days", Calendar.objects.create(name="Closed")
    with override("en"), pytest.raises(ValidationError, match="never open"):
        standard.full_clean()


def test_the_usual_standards_of_oman_are_valid_and_made_once(office):
    made = make_usual_standards(office)
    assert len(made) == 3
    for standard in made:
        standard.full_clean()
        assert 5 <= standard.compensation <= 30
        assert "example" in standard.source, "what we do not know of the regulator's figures is said"
    made[0].compensation = Decimal(20)
    made[0].save()
    assert make_usual_standards(office) == []
    assert Standard.objects.get(pk=made[0].pk).compensation == 20, "what the utility put stays"


def test_a_person_can_say_that_a_breach_does_not_count_and_why_and_take_it_back(standard, owed, salma):
    record_all_breaches(SUNDAY + 25 * HOUR)
    breach = Breach.objects.get()
    with pytest.raises(ValueError, match="say why"):
        breach.excuse(by=salma, at=SUNDAY + 26 * HOUR, why=" ")
    breach.excuse(by=salma, at=SUNDAY + 26 * HOUR, why="The customer moved away")
    (row,) = month_report(date(2026, 11, 1))
    assert (row.begun, row.breaches, row.excused, row.compensation) == (1, 1, 1, 0)
    breach.count_again(by=salma, at=SUNDAY + 27 * HOUR)
    (row,) = month_report(date(2026, 11, 1))
    assert (row.breaches, row.excused, row.unanswered, row.compensation) == (1, 0, 1, 5)
    assert actions() == ["standard.breached", "standard.excused", "standard.counts_again"]


def test_a_breach_stands_in_the_month_in_which_its_time_was_over(standard, owed):
    record_all_breaches(SUNDAY + 25 * HOUR)
    assert [row.breaches for row in month_report(date(2026, 10, 1))] == [0]
    assert [row.breaches for row in month_report(date(2026, 11, 1))] == [1]


def test_looking_does_not_ask_the_database_once_for_each(standard, django_assert_max_num_queries):
    utility = Utility(SUNDAY)
    for _n in range(30):
        conversation = utility.conversation()
        conversation.owe(utility.writes(conversation, "?"), queue=utility.queue)
    with django_assert_max_num_queries(3):
        assert len(list(standard.findings(SUNDAY + 25 * HOUR))) == 30
