"""The pages of those who lead a team: who works when, the queues and their times, and who owes what."""

import contextlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as some
from playwright.sync_api import expect, sync_playwright

from rasd.channels.models import LineLimit
from rasd.console import staffing
from rasd.console.views.team.fields import LengthField
from rasd.console.views.team.work import MOVED
from rasd.desk.models import Absence, Case, Employee, EscalationStep, Obligation, Queue, Skill, Target
from rasd.ledger.models import Entry
from tests.console.browsing import opened, served, shoot
from tests.console.looking import errors_of, look_at
from tests.console.staff import SUNDAY_NOON, employee, owed, shifts
from tests.desk.people import a_line

pytestmark = pytest.mark.django_db
MUSCAT = ZoneInfo("Asia/Muscat")


def entries(action: str) -> list[Entry]:
    return list(Entry.objects.filter(action=action).order_by("number"))


@pytest.fixture
def lead(as_):
    return as_("supervisor")


# Who is on shift.


def test_a_person_is_on_shift_until_the_shift_ends_and_comes_when_the_next_begins(utility):
    mornings = shifts("mornings", (8, 14))
    someone = employee("salma", utility.queue, calendar=mornings)
    at_noon = staffing.person(someone, SUNDAY_NOON)
    assert at_noon.is_on
    assert at_noon.until == datetime(2026, 11, 22, 14, tzinfo=MUSCAT)
    in_the_evening = staffing.person(someone, SUNDAY_NOON + timedelta(hours=8))
    assert not in_the_evening.is_on
    assert in_the_evening.comes_at == datetime(2026, 11, 23, 8, tzinfo=MUSCAT)


def test_the_page_tells_who_is_on_who_comes_and_who_is_absent_with_how_much(lead, utility):
    hour = timezone.localtime(utility.now).hour
    on = employee("salma", utility.queue, name="Salma Example", capacity=2)
    away = employee("nasser", utility.queue, name="Nasser Example")
    later = employee(
        "huda", name="Huda Example", calendar=shifts("later", ((hour + 2) % 24, (hour + 3) % 24 or 24))
    )
    Absence.objects.create(
        employee=away,
        begins_at=utility.now - timedelta(hours=1),
        ends_at=utility.now + timedelta(hours=2),
        why="ill",
    )
    owed(utility, owner=on.user)
    owed(utility, owner=on.user, due_in=-5)
    owed(utility, owner=on.user, paused=True)
    answer = lead.get(reverse("console:team"))
    names = {
        part: [str(each.employee) for each in answer.context[part]] for part in ("on", "coming", "absent")
    }
    assert names == {"on": ["Salma Example"], "coming": ["Huda Example"], "absent": ["Nasser Example"]}
    (salma,) = answer.context["on"]
    assert (salma.held.running, salma.held.late, salma.held.paused) == (2, 1, 1)
    assert salma.is_full
    assert salma.pips == ["late", "held"]
    assert later.user.username == "huda"
    page = answer.content.decode()
    assert "2 of 2" in page
    assert "1 waits for the customer" in page
    assert "ill" in page


def test_the_page_asks_the_database_as_often_for_twenty_people_as_for_two(
    lead, utility, django_assert_max_num_queries
):
    def ask() -> int:
        with django_assert_max_num_queries(60) as asked:
            assert lead.get(reverse("console:team")).status_code == 200
        return len(asked.captured_queries)

    def hire(count: int, start: int) -> None:
        for n in range(start, start + count):
            someone = employee(f"e{n}", utility.queue, calendar=mornings)
            someone.skills.add(skill)
            owed(utility, owner=someone.user)

    mornings, skill = shifts("mornings", (0, 24)), Skill.objects.create(name="billing")
    hire(2, 0)
    few = ask()
    hire(18, 2)
    assert ask() == few


@pytest.mark.parametrize("page", ["team_week", "team_queues", "team_work"])
def test_no_page_asks_once_for_each_row(lead, utility, page, django_assert_max_num_queries):
    def ask() -> int:
        with django_assert_max_num_queries(62) as asked:
            assert lead.get(reverse(f"console:{page}")).status_code == 200
        return len(asked.captured_queries)

    def more(count: int, start: int) -> None:
        for n in range(start, start + count):
            queue = Queue.objects.create(
                name=f"Queue {n}", answer_within=timedelta(hours=1), falls_to=utility.queue, calendar=mornings
            )
            someone = employee(f"e{n}", queue, utility.queue, calendar=mornings)
            Absence.objects.create(
                employee=someone, begins_at=utility.now, ends_at=utility.now + timedelta(hours=1)
            )
            owed(utility, owner=someone.user, queue=queue)
            owed(utility, queue=queue)

    mornings = shifts("mornings", (0, 24))
    more(2, 0)
    few = ask()
    more(10, 2)
    assert ask() == few


@given(
    late=some.integers(0, 40),
    rest=some.integers(0, 40),
    paused=some.integers(0, 9),
    capacity=some.integers(1, 20),
)
def test_the_load_is_drawn_as_one_place_for_each_thing_held(late, rest, paused, capacity):
    held = staffing.Held(open=late + rest + paused, late=late, paused=paused)
    someone = staffing.Person(Employee(capacity=capacity), SUNDAY_NOON, True, None, None, None, [], held)
    pips = someone.pips
    assert len(pips) == min(staffing.PIPS, max(capacity, late + rest))
    assert sum(pip.startswith("late") for pip in pips) <= late
    if max(capacity, late + rest) <= staffing.PIPS:
        assert sum(pip.startswith("late") for pip in pips) == late
        assert pips.count("free") == max(0, capacity - late - rest)
        assert sum("over" in pip for pip in pips) == max(0, late + rest - capacity)


def test_a_user_is_added_as_somebody_who_answers_and_that_is_on_record(lead, utility):
    user = User.objects.create_user("new")
    answer = lead.post(reverse("console:team_add"), {"user": user.pk}, follow=True)
    assert "Say now what they serve" in answer.content.decode()
    assert Employee.of(user)
    assert [entry.subject for entry in entries("staff.joined")] == ["user:new"]


# Absence.


def test_an_absence_is_on_record_and_what_he_held_is_with_nobody_absent_g7(
    lead, utility, django_capture_on_commit_callbacks
):
    gone = employee("salma", utility.queue)
    employee("nasser", utility.queue)
    one = owed(utility, owner=gone.user)
    lead.post(
        reverse("console:team_absent", args=[gone.user_id]),
        {
            "begins_at": timezone.localtime(utility.now - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M"),
            "ends_at": timezone.localtime(utility.now + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M"),
            "why": "dentist",
        },
    )
    one.refresh_from_db()
    assert one.owner != gone.user
    assert not Obligation.objects.in_nobodys_hands(timezone.now()).exists()
    (entry,) = entries("staff.absent")
    assert entry.actor == "user:supervisor"
    assert entry.subject == "user:salma"
    assert entry.why == "dentist"


def test_somebody_absent_is_back_earlier_and_that_is_on_record(lead, utility):
    someone = employee("salma", utility.queue)
    absence = someone.be_absent(
        utility.now - timedelta(hours=1),
        utility.now + timedelta(hours=3),
        "dentist",
        by=someone.user,
        at=utility.now,
    )
    lead.post(reverse("console:team_back", args=[absence.pk]))
    assert Employee.of(someone.user).is_on_shift(timezone.now())
    assert [entry.subject for entry in entries("staff.back")] == ["user:salma"]


def test_an_absence_that_has_not_begun_can_be_taken_off(lead, utility):
    someone = employee("salma", utility.queue)
    absence = Absence.objects.create(
        employee=someone, begins_at=utility.now + timedelta(days=1), ends_at=utility.now + timedelta(days=2)
    )
    page = lead.post(reverse("console:team_back", args=[absence.pk]), follow=True).content.decode()
    assert "does not go" in page
    assert not Absence.objects.exists()


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (60, 30, "choose a later time"),
        (-120, -60, "This is over already"),
    ],
    ids=["the wrong way round", "past"],
)
def test_an_absence_that_cannot_be_says_what_to_do_and_keeps_what_was_typed(
    lead, utility, begins, ends, words
):
    someone = employee("salma", utility.queue)
    moments = {
        name: timezone.localtime(utility.now + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M")
        for name, n in (("begins_at", begins), ("ends_at", ends))
    }
    answer = lead.post(
        reverse("console:team_absent", args=[someone.user_id]), moments | {"why": "dentist at noon"}
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "dentist at noon" in answer.content.decode()
    assert not Absence.objects.exists()


def test_an_employee_takes_a_break_and_is_back_by_himself(as_, utility):
    client = as_("agent")
    someone = Employee.objects.create(user=User.objects.get(username="agent"))
    assert "15 minutes" in client.get(reverse("console:account")).content.decode()
    client.post(reverse("console:my_shift"), {"minutes": "15"})
    assert not Employee.of(someone.user).is_on_shift(timezone.now())
    assert Employee.of(someone.user).is_on_shift(timezone.now() + timedelta(minutes=16))
    assert "I am back" in client.get(reverse("console:account")).content.decode()
    client.post(reverse("console:my_shift"))
    assert Employee.of(someone.user).is_on_shift(timezone.now())
    assert [entry.actor for entry in entries("staff.absent")] == ["user:agent"]


def test_who_answers_nothing_is_offered_no_break_and_takes_none(as_, utility):
    client = as_("reviewer")
    assert "15 minutes" not in client.get(reverse("console:account")).content.decode()
    assert client.post(reverse("console:my_shift"), {"minutes": "15"}).status_code == 404


# What somebody serves.


def told(someone: Employee, **other) -> dict:
    """The form as it is filled for this person."""
    return {
        "calendar": someone.calendar_id or "",
        "capacity": someone.capacity,
        "languages": someone.languages,
        "skills": [skill.pk for skill in someone.skills.all()],
        "queues": [queue.pk for queue in someone.user.queues.all()],
        "new_skill": "",
    } | other


def test_what_is_changed_about_a_person_is_on_record_with_before_and_after(lead, utility):
    employee("nasser", utility.queue)
    someone, mornings = employee("salma", utility.queue), shifts("mornings", (8, 14))
    address = reverse("console:team_person", args=[someone.user_id])
    lead.post(
        address, told(someone, calendar=mornings.pk, capacity=3, languages=["ar"], new_skill="sign language")
    )
    someone = Employee.of(someone.user)
    assert (someone.calendar, someone.capacity, someone.languages) == (mornings, 3, ["ar"])
    assert [skill.name for skill in someone.skills.all()] == ["sign language"]
    (entry,) = entries("staff.changed")
    assert entry.facts["calendar"] == [None, "mornings"]
    assert entry.facts["capacity"] == [8, 3]
    assert "queues" not in entry.facts
    page = lead.post(address, told(someone), follow=True).content.decode()
    assert "nothing was saved" in page
    assert len(entries("staff.changed")) == 1


def test_the_last_one_of_a_queue_stays_in_it(lead, utility):
    someone = employee("salma", utility.queue)
    answer = lead.post(
        reverse("console:team_person", args=[someone.user_id]), told(someone, queues=[], capacity=5)
    )
    assert answer.status_code == 422
    assert "Nobody else serves “First line”: give it somebody else first" in answer.content.decode()
    assert Employee.of(someone.user).capacity == 8


def test_nobody_answers_in_no_language(lead, utility):
    someone = employee("salma", utility.queue)
    answer = lead.post(reverse("console:team_person", args=[someone.user_id]), told(someone, languages=[]))
    assert "Tick at least one" in answer.content.decode()


# Leaving.


def test_before_somebody_leaves_it_is_said_where_the_work_goes(lead, utility):
    gone = employee("salma", utility.queue)
    other = Queue.objects.create(name="Complaints", answer_within=timedelta(hours=4))
    gone.user.queues.add(other)
    employee("nasser", utility.queue)
    owed(utility, owner=gone.user)
    owed(utility, owner=gone.user)
    page = lead.get(reverse("console:team_leave", args=[gone.user_id])).content.decode()
    assert "2 things that are owed go to 1 colleague who is on shift now" in page
    assert "to the queue of last resort: give this queue somebody" in page
    assert reverse("console:team_queue", args=[other.pk]) in page
    assert Employee.of(gone.user).left_at is None


def test_who_leaves_holds_nothing_and_comes_back_on_record_g7(lead, utility):
    gone = employee("salma", utility.queue)
    employee("nasser", utility.queue)
    one = owed(utility, owner=gone.user)
    address = reverse("console:team_leave", args=[gone.user_id])
    lead.post(address)
    one.refresh_from_db()
    assert one.owner is None
    assert not Employee.of(gone.user).is_on_shift(timezone.now())
    assert (
        "works here no more" in lead.get(reverse("console:team_person", args=[gone.user_id])).content.decode()
    )
    lead.post(address, {"undo": "1"})
    assert Employee.of(gone.user).is_on_shift(timezone.now())
    assert [entry.action for entry in Entry.objects.filter(subject="user:salma").order_by("number")] == [
        "staff.left",
        "staff.returned",
    ]


def test_the_last_one_of_the_last_resort_does_not_leave(lead, utility):
    someone = employee("salma", Queue.last_resort())
    page = lead.post(reverse("console:team_leave", args=[someone.user_id]), follow=True).content.decode()
    assert "is the last one in the queue of last resort" in page
    assert Employee.of(someone.user).left_at is None


# The week.


def test_the_week_begins_on_sunday_and_draws_shifts_absences_and_where_nobody_is(utility):
    queue = utility.queue
    queue.calendar = shifts("open", (8, 16), days=range(0, 7))
    queue.save()
    someone = employee("salma", queue, calendar=shifts("mornings", (8, 14)))
    Absence.objects.create(
        employee=someone,
        begins_at=datetime(2026, 11, 24, 10, tzinfo=MUSCAT),
        ends_at=datetime(2026, 11, 24, 12, tzinfo=MUSCAT),
        why="dentist",
    )
    week = staffing.week(staffing.first_day(date(2026, 11, 25)), SUNDAY_NOON)
    assert week.first == date(2026, 11, 22)
    (salma,), (row,) = week.people, [each for each in week.queues if each.who == queue]
    sunday, tuesday = salma.days[0], salma.days[2]
    assert [(bar.kind, round(bar.start, 2), round(bar.width, 2)) for bar in sunday] == [
        ("shift", 33.33, 25.0)
    ]
    assert [bar.kind for bar in tuesday] == ["shift", "absent"]

    def hours(day: int) -> list[tuple[int, int]]:
        return [
            (bar.begins_at.astimezone(MUSCAT).hour, bar.ends_at.astimezone(MUSCAT).hour)
            for bar in row.days[day]
        ]

    assert hours(0) == [(14, 16)]
    assert hours(2) == [(10, 12), (14, 16)]


@given(
    begins=some.integers(0, 23),
    long=some.integers(1, 72),
    day=some.dates(min_value=date(2026, 1, 1), max_value=date(2027, 1, 1)),
)
def test_bars_cut_at_midnight_are_as_long_as_what_they_draw(begins, long, day):
    first = staffing.first_day(day)
    zone = timezone.get_default_timezone()
    opened = datetime(first.year, first.month, first.day, begins, tzinfo=zone)
    days = staffing._by_day([(opened, opened + timedelta(hours=long), "shift", "")], first)
    drawn = sum((bar.ends_at - bar.begins_at for day in days for bar in day), timedelta())
    assert drawn == timedelta(hours=long)
    assert all(bar.start >= 0 and bar.start + bar.width <= 100.001 for day in days for bar in day)


def test_somebody_in_a_queue_who_has_no_shifts_covers_it(utility):
    utility.queue.people.add(User.objects.create_user("somebody"))
    week = staffing.week(staffing.first_day(date(2026, 11, 25)), SUNDAY_NOON)
    assert not any(row.days[n] for row in week.queues if row.who == utility.queue for n in range(7))


@pytest.mark.parametrize("typed", ["yesterday", "9999-12-31", "2026-13-01"])
def test_a_week_that_is_none_is_not_there(lead, utility, typed):
    assert lead.get(reverse("console:team_week") + f"?from={typed}").status_code == 404


# Queues.


def filled(queue: Queue | None = None, people=(), targets=(), steps=(), **other) -> dict:
    """The form of a queue as a browser sends it."""
    form = {
        "name": queue.name if queue else "Complaints",
        "answer_within_0": "2",
        "answer_within_1": "hours",
        "calendar": queue.calendar_id or "" if queue else "",
        "falls_to": queue.falls_to_id or "" if queue else "",
        "people": [user.pk for user in people],
        "new_skill": "",
    }
    for prefix, rows in (("targets", targets), ("steps", steps)):
        known = (
            sum("id" in row for row in rows) if prefix == "steps" else (queue.targets.count() if queue else 0)
        )
        form |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": known}
        for n, row in enumerate(rows):
            form |= {f"{prefix}-{n}-{name}": value for name, value in row.items()}
    return form | other


def within(number: int, unit: str = "minutes", **other) -> dict:
    return {"line": "", "matter": "", "answer_within_0": number, "answer_within_1": unit} | other


def test_a_queue_is_made_with_its_times_and_steps_and_that_is_on_record(lead, utility):
    someone, supervisors = employee("salma"), Group.objects.get(name="supervisor")
    lead.post(
        reverse("console:team_new_queue"),
        filled(
            people=[someone.user],
            targets=[within(30, matter="complaint"), within(1, "hours", line=utility.line.pk)],
            steps=[
                {"after_0": "10", "after_1": "minutes", "after_2": "before", "role": "", "by_email": ""},
                {
                    "after_0": "1",
                    "after_1": "hours",
                    "after_2": "after",
                    "role": supervisors.pk,
                    "by_email": "on",
                },
            ],
        ),
    )
    queue = Queue.objects.get(name="Complaints")
    assert list(queue.people.all()) == [someone.user]
    assert queue.answer_within == timedelta(hours=2)
    assert queue.target(None, "complaint") == timedelta(minutes=30)
    assert queue.target(utility.line, "complaint") == timedelta(hours=1)
    steps = {(step.after, step.role, step.by_email) for step in queue.escalation_steps.all()}
    assert {(-timedelta(minutes=10), None, False), (timedelta(hours=1), supervisors, True)} <= steps
    (entry,) = entries("queue.made")
    assert entry.facts["people"] == [None, ["salma"]]


def test_what_is_changed_about_a_queue_is_on_record_and_a_target_is_taken_away(lead, utility):
    someone = employee("salma", utility.queue)
    Target.objects.create(queue=utility.queue, matter="complaint", answer_within=timedelta(minutes=5))
    gone = within(5, matter="complaint", DELETE="on")
    lead.post(
        reverse("console:team_queue", args=[utility.queue.pk]),
        filled(utility.queue, people=[someone.user], targets=[gone, within("")]),
    )
    assert not Target.objects.exists()
    (entry,) = entries("queue.changed")
    assert entry.facts["answer_within"] == [1800.0, 7200.0]
    assert entry.facts["targets"] == [[["", "complaint", 300.0]], []]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"people": []}, "Nobody serves it: tick somebody, or choose a queue that it falls to."),
        ({"name": ""}, "This field is required."),
        ({"answer_within_0": "soon"}, "Type a whole number."),
        ({"answer_within_0": "0"}, "greater than or equal to 1"),
    ],
    ids=["nobody", "no name", "no number", "no time"],
)
def test_a_queue_that_cannot_be_says_what_to_do_and_saves_nothing(lead, utility, spoil, words):
    someone = employee("salma", utility.queue)
    answer = lead.post(
        reverse("console:team_queue", args=[utility.queue.pk]),
        filled(utility.queue, people=[someone.user]) | spoil,
    )
    assert answer.status_code == 422
    assert words in answer.content.decode()
    utility.queue.refresh_from_db()
    assert utility.queue.name == "First line"
    assert utility.queue.answer_within == timedelta(minutes=30)
    assert not entries("queue.changed")


def test_queues_that_fall_in_a_circle_are_refused(lead, utility):
    someone = employee("salma", utility.queue)
    other = Queue.objects.create(name="Complaints", answer_within=timedelta(hours=1), falls_to=utility.queue)
    answer = lead.post(
        reverse("console:team_queue", args=[utility.queue.pk]),
        filled(utility.queue, people=[someone.user], falls_to=other.pk),
    )
    assert answer.status_code == 422
    assert "would come back here. Choose another, or none." in answer.content.decode()


def test_a_queue_that_falls_to_one_that_nobody_serves_is_refused(lead, utility):
    answer = lead.post(reverse("console:team_new_queue"), filled(falls_to=utility.queue.pk))
    assert "Nobody serves this one either" in answer.content.decode()
    assert not Queue.objects.filter(name="Complaints").exists()


def test_a_skill_that_none_of_its_people_has_is_refused(lead, utility):
    someone, skill = employee("salma"), Skill.objects.create(name="billing")
    answer = lead.post(reverse("console:team_new_queue"), filled(people=[someone.user], skills=[skill.pk]))
    assert "None of its people has all of this: billing." in answer.content.decode()


def test_two_times_for_the_same_are_refused(lead, utility):
    someone = employee("salma")
    twice = [within(30, matter="complaint"), within(40, matter="complaint")]
    answer = lead.post(reverse("console:team_new_queue"), filled(people=[someone.user], targets=twice))
    assert answer.status_code == 422
    assert "take one of the two away" in answer.content.decode()


def test_g7_other_working_hours_of_a_queue_count_what_is_owed_anew_and_so_does_taking_them_back(
    lead, utility
):
    employee("salma", utility.queue)
    one = owed(utility, minutes_ago=5)
    short, address = shifts("a minute", (8, 9)), reverse("console:team_queue", args=[utility.queue.pk])
    due = {}
    for calendar in (short.pk, ""):
        utility.queue.refresh_from_db()
        lead.post(address, filled(utility.queue, people=utility.queue.people.all(), calendar=calendar))
        one.refresh_from_db()
        due[calendar] = one.due_at
    assert due[short.pk] == Queue(calendar=short).due(one.running_since, one.allowance)
    assert due[""] == one.running_since + one.allowance
    assert len(entries("obligation.recounted")) == 2


def test_when_a_message_now_would_be_due_is_shown_by_the_hours_chosen_and_nothing_is_saved(lead, utility):
    employee("salma", utility.queue)
    never = shifts("a minute a day", (8, 9))
    before = Queue.objects.get(pk=utility.queue.pk)
    answer = lead.post(
        reverse("console:team_queue", args=[utility.queue.pk]),
        filled(
            utility.queue,
            people=utility.queue.people.all(),
            calendar=never.pk,
            targets=[within(30, matter="complaint")],
            preview="1",
        ),
    )
    assert answer.status_code == 200
    shown = {one.matter: one.at for one in answer.context["preview"]}
    now = answer.context["now"]
    chosen = Queue(calendar=never, answer_within=timedelta(hours=2))
    assert shown == {
        "": chosen.due(now, timedelta(hours=2)),
        "complaint": chosen.due(now, timedelta(minutes=30)),
    }
    assert shown[""] - now > timedelta(hours=14)
    after = Queue.objects.get(pk=utility.queue.pk)
    assert (after.calendar, after.answer_within) == (before.calendar, before.answer_within)


def test_whoever_serves_a_queue_without_being_an_employee_stays_in_it(lead, utility):
    user = User.objects.create_user("somebody")
    utility.queue.people.add(user)
    answer = lead.get(reverse("console:team_queue", args=[utility.queue.pk]))
    assert str(user.pk) in [str(value) for value, _words in answer.context["form"].fields["people"].choices]
    lead.post(reverse("console:team_queue", args=[utility.queue.pk]), filled(utility.queue, people=[user]))
    assert list(utility.queue.people.all()) == [user]


@given(
    some.integers(1, 5000), some.sampled_from(["minutes", "hours"]), some.sampled_from(["before", "after"])
)
def test_a_length_comes_back_from_its_field_as_it_was_typed(number, unit, side):
    field = LengthField(sides=True, least=0)
    length = field.clean([str(number), unit, side])
    assert abs(length) == timedelta(**{unit: number})
    assert (length < timedelta()) == (side == "before")
    assert field.clean(list(map(str, field.widget.decompress(length)))) == length


# Work.


def test_what_is_owed_stands_soonest_due_first_and_says_late_paused_and_how_long(lead, utility):
    someone = employee("salma", utility.queue, name="Salma Example")
    soon = owed(utility, due_in=5, minutes_ago=50)
    late = owed(utility, owner=someone.user, due_in=-30, minutes_ago=130)
    paused = owed(utility, owner=someone.user, due_in=-90, paused=True)
    answer = lead.get(reverse("console:team_work"))
    assert [one.pk for one in answer.context["leaf"]] == [late.pk, soon.pk, paused.pk]
    page = answer.content.decode()
    assert "late by 30 minutes" in page
    assert "waits for the customer" in page
    assert "waiting 2 hours" in page
    assert {one.words: (one.open, one.late) for one in answer.context["owners"]} == {"Salma Example": (2, 1)}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=late", {"late"}),
        ("state=paused", {"paused"}),
        ("state=queue", {"soon"}),
        ("state=running", {"soon", "late"}),
        ("state=nonsense", {"soon", "late", "paused"}),
        ("queue=x&owner=99999999999999999999", {"soon", "late", "paused"}),
    ],
)
def test_a_part_of_what_is_owed_is_looked_at(lead, utility, query, found):
    someone = employee("salma", utility.queue)
    rows = {
        "soon": owed(utility),
        "late": owed(utility, owner=someone.user, due_in=-30),
        "paused": owed(utility, owner=someone.user, paused=True),
    }
    answer = lead.get(reverse("console:team_work") + f"?{query}")
    assert {one.pk for one in answer.context["leaf"]} == {rows[name].pk for name in found}


def test_by_queue_and_by_owner(lead, utility):
    someone = employee("salma", utility.queue)
    other = Queue.objects.create(name="Complaints", answer_within=timedelta(hours=1))
    his = owed(utility, owner=someone.user)
    there = owed(utility, queue=other)
    address = reverse("console:team_work")
    assert [one.pk for one in lead.get(f"{address}?owner={someone.user_id}").context["leaf"]] == [his.pk]
    assert [one.pk for one in lead.get(f"{address}?queue={other.pk}").context["leaf"]] == [there.pk]


def test_no_message_is_opened_by_who_may_not_read_conversations(lead, as_, utility):
    one = owed(utility)
    link = reverse("console:conversation", args=[one.conversation_id])
    assert link not in lead.get(reverse("console:team_work")).content.decode()
    assert link in as_("administrator").get(reverse("console:team_work")).content.decode()


def test_many_are_moved_to_a_person_at_once_with_why_on_record_g7(lead, utility):
    someone = employee("salma", utility.queue)
    rows = [owed(utility), owed(utility)]
    page = lead.post(
        reverse("console:team_move"),
        {"what": [one.pk for one in rows], "to": f"person:{someone.user_id}", "why": "she knows them"},
        follow=True,
    ).content.decode()
    assert "2 moved." in page
    assert {Obligation.objects.get(pk=one.pk).owner for one in rows} == {someone.user}
    given = entries("obligation.given")
    assert [(entry.actor, entry.why) for entry in given] == [("user:supervisor", "she knows them")] * 2


def test_g7_nothing_is_moved_to_who_does_not_see_its_line_nor_is_he_offered(lead, utility):
    someone, one = employee("salma", utility.queue), owed(utility)
    LineLimit.put(someone.user, [a_line("Documents")], by=someone.user, at=utility.now)
    offered = lead.get(reverse("console:team_work")).context["people"]
    assert someone not in [person.employee for person in offered]
    page = lead.post(
        reverse("console:team_move"), {"what": [one.pk], "to": f"person:{someone.user_id}"}, follow=True
    )
    assert "does not see this line" in page.content.decode()
    assert Obligation.objects.get(pk=one.pk).owner is None


def test_what_is_moved_to_a_queue_comes_back_with_the_time_that_it_had(lead, utility):
    someone = employee("salma", utility.queue)
    quick = Queue.objects.create(name="Complaints", answer_within=timedelta(minutes=1))
    one = owed(utility, owner=someone.user, due_in=200)
    due = one.due_at
    lead.post(reverse("console:team_move"), {"what": [one.pk], "to": f"queue:{quick.pk}"})
    one.refresh_from_db()
    assert (one.queue, one.owner) == (quick, None)
    assert one.due_at < due
    page = lead.post(reverse("console:team_undo"), follow=True).content.decode()
    assert "1 taken back." in page
    one.refresh_from_db()
    assert (one.queue, one.owner, one.due_at) == (utility.queue, someone.user, due)
    assert entries("obligation.moved")[-1].why == "taken back"


def test_g9_a_cases_work_goes_with_what_is_asked_on_its_page_and_its_history_tells(lead, utility):
    quick = Queue.objects.create(name="Complaints", answer_within=timedelta(minutes=1))
    case = Case.open("visit", "x", at=utility.now, actor="user:salma", origin="employee")
    case.hear("when?", at=utility.now, expects_answer=True, key="k")
    both = [case.work, case.answer_owed]
    lead.post(
        reverse("console:team_move"), {"what": [both[0].pk], "to": f"queue:{quick.pk}", "why": "quicker"}
    )
    assert {Obligation.objects.get(pk=one.pk).queue for one in both} == {quick}
    assert case.entries.get(kind="handed").text == "quicker"
    lead.post(reverse("console:team_undo"))
    assert {Obligation.objects.get(pk=one.pk).queue for one in both} == {utility.queue}


def test_what_was_answered_meanwhile_is_neither_moved_nor_put_back(lead, utility):
    someone = employee("salma", utility.queue)
    one = owed(utility)
    lead.post(reverse("console:team_move"), {"what": [one.pk], "to": f"person:{someone.user_id}"})
    Obligation.objects.get(pk=one.pk).waive(by=someone.user, at=timezone.now())
    assert "0 taken back." in lead.post(reverse("console:team_undo"), follow=True).content.decode()
    page = lead.post(
        reverse("console:team_move"), {"what": [one.pk], "to": f"queue:{utility.queue.pk}"}, follow=True
    )
    assert "Nothing was moved" in page.content.decode()
    assert Obligation.objects.get(pk=one.pk).owner == someone.user


def test_after_half_a_minute_it_cannot_be_taken_back(lead, utility):
    someone = employee("salma", utility.queue)
    one = owed(utility)
    lead.post(reverse("console:team_move"), {"what": [one.pk], "to": f"person:{someone.user_id}"})
    session = lead.session
    session[MOVED] |= {"at": (timezone.now() - timedelta(seconds=31)).isoformat()}
    session.save()
    assert "cannot be taken back" in lead.post(reverse("console:team_undo"), follow=True).content.decode()
    assert Obligation.objects.get(pk=one.pk).owner == someone.user


def test_nothing_is_given_to_who_is_not_on_shift_g7(lead, utility):
    someone = employee("salma", utility.queue, name="Salma Example")
    Absence.objects.create(
        employee=someone, begins_at=utility.now - timedelta(hours=1), ends_at=utility.now + timedelta(hours=1)
    )
    one = owed(utility)
    page = lead.post(
        reverse("console:team_move"), {"what": [one.pk], "to": f"person:{someone.user_id}"}, follow=True
    ).content.decode()
    assert "Salma Example is not on shift before" in page
    assert Obligation.objects.get(pk=one.pk).owner is None


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"what": ["1"]},
        {"to": "queue:1"},
        {"what": ["x"], "to": "queue:99"},
        {"what": ["1"], "to": "moon:1"},
    ],
)
def test_moving_nothing_or_nowhere_says_what_to_do(lead, utility, typed):
    page = lead.post(reverse("console:team_move"), typed, follow=True).content.decode()
    assert "Tick what is to be moved, and choose where to." in page


# In a browser.


def a_team(utility) -> dict[str, Employee]:
    """Five people, three queues, some work: for looking at."""
    from datetime import time

    hour = timezone.localtime(utility.now).hour
    mornings, evenings = shifts("Mornings", (7, 14)), shifts("Evenings", (14, 22), days=range(4))
    around = shifts("Around now", (max(hour - 3, 0), min(hour + 4, 24)))
    utility.queue.calendar = shifts("Open", (7, 22))
    utility.queue.save()
    complaints = Queue.objects.create(
        name="الشكاوى", answer_within=timedelta(hours=4), falls_to=utility.queue, calendar=mornings
    )
    billing = Skill.objects.create(name="الفواتير")
    complaints.skills.add(billing)
    assert time
    team = {
        "salma": employee(
            "salma", utility.queue, complaints, name="سلمى المثال", calendar=around, capacity=5
        ),
        "nasser": employee("nasser", utility.queue, name="ناصر التجربة", calendar=around, capacity=8),
        "huda": employee("huda", utility.queue, complaints, name="Huda Example", calendar=mornings),
        "ahmed": employee("ahmed", utility.queue, name="Ahmed Made-up", calendar=evenings, languages=("ar",)),
        "maryam": employee("maryam", complaints, name="مريم المثال", calendar=around),
    }
    for name in ("salma", "huda", "maryam"):
        team[name].skills.add(billing)
    Absence.objects.create(
        employee=team["maryam"],
        begins_at=utility.now - timedelta(hours=2),
        ends_at=utility.now + timedelta(days=2),
        why="إجازة",
    )
    Target.objects.create(
        queue=utility.queue, line=utility.line, matter="complaint", answer_within=timedelta(minutes=15)
    )
    EscalationStep.usual(utility.queue)
    salma, nasser = team["salma"].user, team["nasser"].user
    for n, (owner, due_in, paused) in enumerate(
        [
            (salma, -42, False),
            (salma, 4, False),
            (salma, 30, False),
            (salma, 55, False),
            (salma, 70, False),
            (salma, 20, True),
            (nasser, 12, False),
            (nasser, 90, False),
            (None, 25, False),
            (None, -3, False),
        ]
    ):
        owed(
            utility,
            owner=owner,
            due_in=due_in,
            minutes_ago=15 + 9 * n,
            paused=paused,
            queue=complaints if n % 4 == 3 else None,
        )
    return team


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_fits_the_screen_and_has_no_serious_fault(person, utility):
    team = a_team(utility)
    pages = {
        "team": "/team/",
        "team-week": "/team/week",
        "team-work": "/team/work",
        "team-queues": "/team/queues/",
        "team-queue": f"/team/queues/{utility.queue.pk}",
        "team-person": f"/team/people/{team['salma'].user_id}",
        "team-leave": f"/team/people/{team['salma'].user_id}/leave",
        "wall-screens": "/wall/screens",
    }
    look_at(person("supervisor", username="lead"), pages)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_work_is_moved_by_the_keyboard_alone_and_taken_back(monkeypatch, person, utility):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    someone = employee("salma", utility.queue, name="Salma Example")
    rows = [owed(utility, due_in=10 * n) for n in (1, 2, 3)]
    user = person("supervisor")
    with served() as url, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        page = stack.enter_context(opened(playwright, url, user, language="en"))
        wrong = errors_of(page)
        page.goto("/team/work")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("x")
        expect(page.locator(".picked")).to_have_text("1")
        page.keyboard.press("m")
        page.keyboard.type("Salma")
        page.keyboard.press("Tab")
        page.keyboard.type("she knows her")
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 moved.")).to_be_visible()
        shoot(page, "team-work-moved-en-desktop")
        assert Obligation.objects.get(pk=rows[1].pk).owner == someone.user
        page.locator("body").click(position={"x": 2, "y": 300})
        page.keyboard.press("u")
        expect(page.get_by_text("1 taken back.")).to_be_visible()
        assert Obligation.objects.get(pk=rows[1].pk).owner is None
        assert not wrong


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_what_was_chosen_stays_chosen_when_the_list_changes_by_itself(
    monkeypatch, person, utility
):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    from django.db import transaction

    from rasd.flows.live import announce

    one = owed(utility, due_in=10)
    with served() as url, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        page = stack.enter_context(opened(playwright, url, person("supervisor"), language="en"))
        page.goto("/team/work")
        page.wait_for_function("document.documentElement.dataset.connected === 'yes'")
        page.check(f"#what-{one.pk}")
        with transaction.atomic():
            owed(utility, due_in=5)
            announce("team")
        expect(page.locator(".works li")).to_have_count(2)
        expect(page.locator(f"#what-{one.pk}")).to_be_checked()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_the_preview_follows_what_is_typed(monkeypatch, person, utility):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    employee("salma", utility.queue)
    with served() as url, sync_playwright() as playwright, contextlib.ExitStack() as stack:
        page = stack.enter_context(opened(playwright, url, person("supervisor"), language="en"))
        page.goto(f"/team/queues/{utility.queue.pk}")
        page.wait_for_load_state("networkidle")
        before = page.locator(".due-list b").inner_text()
        page.fill("#id_answer_within_0", "900")
        page.keyboard.press("Tab")
        expect(page.locator(".due-list b")).not_to_have_text(before)
        assert Queue.objects.get(pk=utility.queue.pk).answer_within == timedelta(minutes=30)
