"""G7: what is owed is given to who is on shift, fit for it and has room; nothing ends in nobody's hands."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import override

from rasd.channels.models import Line, LineLimit
from rasd.desk import assigning
from rasd.desk.errors import NotTheirLine
from rasd.desk.models import Absence, Case, Employee, Notice, Obligation, Queue, Skill
from rasd.desk.models.staff import LastOne, NotOnShift
from tests.desk.people import a_line
from tests.desk.playing import MONDAY, Desk, entries, owner_of, queue_of, told
from tests.jobs import do_jobs

pytestmark = pytest.mark.django_db

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
FIVE_PM = datetime(2026, 11, 23, 13, tzinfo=UTC)  # in Muscat


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def boss(db) -> User:
    return User.objects.create_user("boss")


def limbo(at: datetime) -> list[str]:
    return [str(each) for each in Obligation.objects.in_nobodys_hands(at)]


# Given


def test_what_is_due_soonest_is_given_first(desk):
    queue = desk.queue()
    later, sooner = desk.owed(queue, MONDAY), desk.owed(queue, MONDAY - HOUR)
    desk.employee("salma", queue, capacity=1)
    assert assigning.give_out(queue, MONDAY) == 1
    assert (owner_of(sooner), owner_of(later)) == ("salma", None)
    assert entries(sooner)[-1].why == "waited in Questions"


def test_the_least_loaded_for_his_capacity_gets_the_next(desk):
    queue = desk.queue()
    small, large = desk.employee("small", queue, capacity=2), desk.employee("large", queue, capacity=10)
    desk.owed(queue).give(small.user, at=MONDAY, actor="user:small")
    for _ in range(3):
        desk.owed(queue).give(large.user, at=MONDAY, actor="user:large")
    owed = desk.owed(queue)
    assigning.give_out(queue, MONDAY)
    assert owner_of(owed) == "large", "three of ten is less than one of two"


def test_of_equals_who_waited_longest_gets_the_next(desk):
    queue = desk.queue()
    for name in ("salma", "noor", "aziz"):
        desk.employee(name, queue)
    owners = []
    for minute in range(6):
        owed = desk.owed(queue, MONDAY + minute * MINUTE)
        assigning.give_out(queue, MONDAY + minute * MINUTE)
        owners.append(owner_of(owed))
        owed.waive(by=owed.owner, at=MONDAY + minute * MINUTE)
    assert owners == ["salma", "noor", "aziz"] * 2


def test_only_who_speaks_the_language_and_has_the_skills_gets_it(desk):
    billing = Skill.objects.create(name="billing")
    queue = desk.queue()
    queue.skills.add(billing)
    desk.employee("arabic", queue, languages=["ar"], skills=[billing])
    desk.employee("unskilled", queue)
    desk.employee("elsewhere", desk.queue("Other"), skills=[billing])
    english = desk.owed(queue, language="en")
    assigning.give_out(queue, MONDAY)
    assert owner_of(english) is None
    desk.employee("english", queue, languages=["en"], skills=[billing])
    assigning.give_out(queue, MONDAY)
    assert owner_of(english) == "english"


def only_on(employee: Employee, line: Line, by: User) -> None:
    LineLimit.put(employee.user, [line], by=by, at=MONDAY)


def test_g7_who_may_not_see_a_line_is_given_nothing_of_it(desk, boss):
    queue, other = desk.queue(), a_line("Documents")
    salma = desk.employee("salma", queue)
    only_on(salma, other, boss)
    owed = desk.owed(queue)
    assert limbo(MONDAY) == [str(owed)]
    desk.employee("omar", queue)
    desk.tick(MONDAY)
    assert owner_of(owed) == "omar"
    assert not limbo(MONDAY)


def test_g7_nobody_hands_on_what_the_other_would_not_find(desk, boss):
    queue, other = desk.queue(), a_line("Documents")
    salma, owed = desk.employee("salma", queue), desk.owed(queue)
    case = Case.open(
        "visit", "زيارة", at=MONDAY, actor="user:boss", origin="employee", conversation=owed.conversation
    )
    only_on(salma, other, boss)
    what = {"owner": User.objects.get(pk=salma.user_id), "at": MONDAY, "actor": "user:boss", "why": "x"}
    for hands_on in (owed.hand_on, case.hand_on, case.work.hand_on):
        with pytest.raises(NotTheirLine, match="salma"):
            hands_on(**what)
    assert owner_of(owed) is None
    only_on(salma, owed.conversation.line, boss)
    owed.hand_on(**what | {"owner": User.objects.get(pk=salma.user_id)})
    assert owner_of(owed) == "salma"


def test_g7_what_its_owner_may_not_see_any_more_is_somebody_elses(desk, boss):
    queue = desk.queue()
    salma, owed = desk.employee("salma", queue), desk.owed(queue)
    desk.tick(MONDAY)
    assert owner_of(owed) == "salma"
    desk.employee("omar", queue)
    only_on(salma, a_line("Documents"), boss)
    assert limbo(MONDAY) == [str(owed)]
    desk.tick(MONDAY)
    assert owner_of(owed) == "omar"
    assert entries(owed)[-2].why == "may not see the line"


def test_g7_nobody_is_told_of_a_line_that_he_may_not_see(desk, boss):
    queue = desk.queue()
    hamad = desk.employee("hamad", roles=["supervisor"])
    only_on(hamad, a_line("Documents"), boss)
    desk.employee("fatma", roles=["supervisor"])
    owed = desk.owed(queue)
    desk.employee("salma", queue)
    desk.tick(owed.due_at)
    people = set(Notice.objects.filter(kind="late", obligation=owed).values_list("to__username", flat=True))
    assert people == {"fatma", "salma"}


def test_of_one_matter_all_is_one_persons(desk):
    """A complaint is an answer that is owed and work on a case: not for two people who know nothing of each other."""
    queue = desk.queue()
    desk.employee("omar", queue), desk.employee("salma", queue)
    first, second = desk.conversation(), desk.conversation()
    for one in (first, second):
        desk.owed(queue, conversation=one)
    desk.tick(MONDAY)
    for one in (first, second):
        case = Case.open(
            "visit", "Nobody came", at=MONDAY, actor="user:x", origin="employee", conversation=one
        )
        Obligation.objects.filter(case=case).update(queue=queue)
    desk.tick(MONDAY)
    for one in (first, second):
        owners = Obligation.objects.filter(Q(conversation=one) | Q(case__conversation=one)).values_list(
            "owner"
        )
        assert len(set(owners)) == 1


def test_only_who_is_on_shift_gets_it(desk):
    queue, office = desk.queue(), desk.hours()
    salma = desk.employee("salma", queue, calendar=office)
    Absence.objects.create(employee=salma, begins_at=MONDAY - HOUR, ends_at=MONDAY + HOUR)
    owed = desk.owed(queue)
    assigning.give_out(queue, MONDAY)
    assert owner_of(owed) is None
    assigning.give_out(queue, MONDAY + HOUR)
    assert owner_of(owed) == "salma"
    assert owed.owner_until == datetime(2026, 11, 23, 12, tzinfo=UTC), "four in the afternoon in Muscat"


def test_g7_a_login_that_is_no_employee_does_not_serve_a_queue_but_may_take_what_is_in_it(desk):
    """Nobody knows when it is there, nor what it speaks: what lay with it alone was with nobody, day and night."""
    queue, clerk = desk.queue(), User.objects.create_user("clerk")
    queue.people.add(clerk)
    User.objects.create_superuser("chief")
    owed = desk.owed(queue)
    assert not queue.is_served(MONDAY)
    assert limbo(MONDAY)
    desk.tick(MONDAY)
    owed.refresh_from_db()
    assert owed.queue.is_last_resort
    assert not limbo(MONDAY), "there a login is better than nobody"
    owed.give(clerk, at=MONDAY, actor="user:clerk")
    desk.tick(MONDAY)
    assert owner_of(owed) == "clerk"


def test_what_waits_for_the_customer_takes_no_place_and_is_not_given(desk):
    queue = desk.queue()
    desk.employee("salma", queue, capacity=1)
    first, second = desk.owed(queue), desk.owed(queue, MONDAY + MINUTE)
    first.pause(at=MONDAY, actor="user:salma")
    assigning.give_out(queue, MONDAY + MINUTE)
    assert (owner_of(first), owner_of(second)) == (None, "salma")


def test_what_is_answered_and_on_its_way_is_not_given_but_is_when_it_fails(desk, boss):
    queue = desk.queue()
    owed = desk.owed(queue)
    message = desk.answer(owed.conversation, boss, MONDAY, arrives=None)
    desk.employee("salma", queue)
    assigning.give_out(queue, MONDAY)
    assert owner_of(owed) is None
    desk.outcome(message, MONDAY, arrives=False)
    assigning.give_out(queue, MONDAY)
    assert owner_of(owed) == "salma"


# The waiting queue


@pytest.fixture
def full(desk, clock):
    """A queue whose one person has all that she can, and one thing that waits."""
    queue = desk.queue()
    salma = desk.employee("salma", queue, capacity=1)
    held, waits = desk.owed(queue, MONDAY - HOUR), desk.owed(queue, MONDAY)
    do_jobs()
    assert (owner_of(held), owner_of(waits)) == ("salma", None)
    return queue, salma, held, waits


def test_the_waiting_queue_is_drained_when_something_is_discharged(desk, full):
    _queue, salma, held, waits = full
    desk.answer(held.conversation, salma.user, MONDAY)
    do_jobs(queues={"flows"})
    assert owner_of(waits) == "salma"


def test_the_waiting_queue_is_drained_when_something_waits_for_the_customer(desk, full):
    _queue, _salma, held, waits = full
    held.pause(at=MONDAY, actor="user:salma")
    do_jobs(queues={"flows"})
    assert owner_of(waits) == "salma"


def test_the_waiting_queue_is_drained_when_capacity_changes(desk, full, boss):
    queue, salma, _held, waits = full
    salma.change(
        by=boss,
        at=MONDAY,
        calendar=None,
        capacity=2,
        languages=["ar"],
        skills=[],
        queues=[queue],
    )
    do_jobs(queues={"flows"})
    assert owner_of(waits) == "salma"


def test_the_waiting_queue_is_drained_when_somebody_joins_it_or_learns_what_it_takes(desk, full):
    queue, _salma, _held, waits = full
    billing = Skill.objects.create(name="billing")
    queue.skills.add(billing)
    noor = desk.employee("noor", queue)
    do_jobs(queues={"flows"})
    assert owner_of(waits) is None
    noor.skills.add(billing)
    do_jobs(queues={"flows"})
    assert owner_of(waits) == "noor"


def test_the_waiting_queue_is_drained_when_somebody_comes_on_shift(desk):
    queue = desk.queue()
    desk.employee("early", queue, capacity=0)
    desk.employee("late", queue, calendar=desk.hours(spans=((time(12), time(20)),)))
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    assert owner_of(owed) is None
    desk.tick(datetime(2026, 11, 23, 8, tzinfo=UTC))
    assert owner_of(owed) == "late"


# Nobody's hands


def test_g7_at_the_end_of_a_shift_it_goes_back_and_on_to_who_is_there(desk):
    queue = desk.queue()
    desk.employee("day", queue, calendar=desk.hours())
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    assert owner_of(owed) == "day"
    desk.employee("evening", queue, calendar=desk.hours("evening", ((time(12), time(20)),)))
    four = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert limbo(four) == [str(owed)], "its owner went home this very moment"
    desk.tick(four)
    assert owner_of(owed) == "evening"
    assert not limbo(four)
    given = [entry.why for entry in entries(owed) if entry.action == "obligation.given"]
    assert given[1:] == ["the shift is over", "waited in Questions"]


def test_the_end_of_a_shift_has_a_job_at_its_very_moment(desk, clock):
    queue = desk.queue()
    desk.employee("day", queue, calendar=desk.hours())
    owed = desk.owed(queue)
    do_jobs()
    assert owner_of(owed) == "day"
    desk.employee("evening", queue, calendar=desk.hours("evening", ((time(12), time(20)),)))
    clock.move_to(datetime(2026, 11, 23, 12, tzinfo=UTC))
    do_jobs()
    assert owner_of(owed) == "evening"


def test_g7_in_the_break_of_a_split_shift_it_is_the_queues(desk):
    office = desk.hours(spans=((time(8), time(12)), (time(16), time(20))))
    queue = desk.queue(calendar=office)
    desk.employee("salma", queue, calendar=office)
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    break_ = datetime(2026, 11, 23, 9, tzinfo=UTC)
    desk.tick(break_)
    assert (owner_of(owed), queue_of(owed)) == (None, "Questions")
    assert not limbo(break_), "she is back before the queue's next half hour is over"
    desk.tick(break_ + 3 * HOUR)
    assert owner_of(owed) == "salma"


def test_g7_absence_is_at_once(desk, boss):
    queue = desk.queue()
    salma = desk.employee("salma", queue)
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    desk.employee("noor", queue)
    salma.be_absent(MONDAY, MONDAY + DAY, "ill", by=boss, at=MONDAY)
    assert owner_of(owed) is None, "taken back with the absence itself"
    assert entries(owed)[-1].why == "is absent"
    desk.tick(MONDAY)
    assert owner_of(owed) == "noor"


def test_g7_an_absence_to_come_ends_the_owners_time_when_it_begins(desk, boss):
    queue = desk.queue()
    salma = desk.employee("salma", queue)
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    assert owed.owner_until is None
    salma.be_absent(MONDAY + HOUR, MONDAY + DAY, "leave", by=boss, at=MONDAY)
    assert owner_of(owed) == "salma"
    assert owed.owner_until == MONDAY + HOUR


def test_g7_a_leavers_work_goes_somewhere_at_once(desk, boss):
    queue = desk.queue()
    salma = desk.employee("salma", queue)
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    desk.employee("noor", queue)
    salma.leave(by=boss, at=MONDAY)
    assert owner_of(owed) is None
    assert entries(owed)[-1].why == "works here no more"
    desk.tick(MONDAY)
    assert owner_of(owed) == "noor"


def test_g7_who_is_made_inactive_in_the_admin_owes_nothing_any_more(desk, client, clock):
    queue = desk.queue()
    salma = desk.employee("salma", queue)
    owed = desk.owed(queue)
    do_jobs()
    desk.employee("noor", queue)
    User.objects.create_superuser("admin", password="x")
    client.force_login(User.objects.get(username="admin"))
    page = f"/admin/auth/user/{salma.user.pk}/change/"
    form = client.get(page).context["adminform"].form
    typed = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    typed |= {
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "last_login_0": "",
        "last_login_1": "",
    }
    del typed["is_active"]
    assert client.post(page, typed).status_code == 302
    salma.user.refresh_from_db()
    assert not salma.user.is_active
    assert limbo(MONDAY) == [str(owed)]
    do_jobs(queues={"flows"})
    assert owner_of(owed) == "noor"


def test_g7_what_nobody_serves_falls_on_and_goes_home_when_somebody_does(desk, boss):
    night = desk.queue("Night")
    desk.employee("guard", night)
    between = desk.queue("Nobody here", falls_to=night)
    day = desk.queue("Day", falls_to=between)
    desk.employee("salma", day, calendar=desk.hours(), capacity=0)
    owed = desk.owed(day, FIVE_PM)
    due = owed.due_at
    assert limbo(FIVE_PM) == [str(owed)]
    desk.tick(FIVE_PM)
    assert queue_of(owed) == "Night"
    assert entries(owed)[-2].why == "nobody serves Day"
    assert owed.due_at <= due, "falling gives it no more time"
    assert owner_of(owed) == "guard"
    owed.give(None, at=FIVE_PM, actor="user:guard")
    morning = datetime(2026, 11, 24, 4, tzinfo=UTC)
    desk.tick(morning)
    assert (queue_of(owed), owed.fell_from) == ("Day", None)


def test_g7_what_nobody_in_its_queue_understands_falls_on(desk):
    english = desk.queue("English")
    desk.employee("jo", english, languages=["en"])
    arabic = desk.queue("Arabic", falls_to=english)
    desk.employee("salma", arabic, languages=["ar"])
    owed = desk.owed(arabic, language="en")
    assert limbo(MONDAY) == [str(owed)]
    desk.tick(MONDAY)
    assert owner_of(owed) == "jo"


def test_g7_at_the_end_there_is_a_queue_of_last_resort_with_the_administrators_in_it(desk):
    User.objects.create_superuser("root")
    owed = desk.owed(desk.queue())
    desk.tick(MONDAY)
    last_resort = Queue.last_resort()
    assert queue_of(owed) == last_resort.name
    assert not limbo(MONDAY)
    assert [user.username for user in last_resort.people.all()] == ["root"]


def test_where_there_is_nobody_at_all_it_is_shown_to_be_in_nobodys_hands(desk):
    owed = desk.owed(desk.queue())
    desk.tick(MONDAY)
    assert queue_of(owed) == "Questions"
    assert limbo(MONDAY) == [str(owed)]


def test_the_last_one_of_the_last_resort_does_not_leave(desk, boss):
    root = desk.employee("root", Queue.last_resort())
    with pytest.raises(LastOne):
        root.leave(by=boss, at=MONDAY)
    desk.employee("other", Queue.last_resort())
    root.leave(by=boss, at=MONDAY)
    assert Employee.objects.get(pk=root.pk).left_at == MONDAY


def test_queues_do_not_fall_in_circles(desk):
    first = desk.queue("First")
    second = desk.queue("Second", falls_to=first)
    first.falls_to = desk.queue("Third", falls_to=second)
    with override("en"), pytest.raises(ValidationError, match="come back here"):
        first.save()


def test_nobody_is_given_what_they_cannot_look_at(desk):
    queue = desk.queue()
    salma = desk.employee("salma", queue, calendar=desk.hours())
    owed = desk.owed(queue, FIVE_PM)
    with pytest.raises(NotOnShift) as refused:
        owed.give(salma.user, at=FIVE_PM, actor="user:boss")
    assert refused.value.back_at == datetime(2026, 11, 24, 4, tzinfo=UTC)
    assert owner_of(owed) is None


def test_a_pass_that_has_nothing_to_do_does_nothing(desk):
    queue = desk.queue()
    desk.employee("salma", queue, calendar=desk.hours())
    owed = desk.owed(queue)
    desk.tick(MONDAY)
    before = told(owed)
    assert set(desk.tick(MONDAY).values()) == {0}
    assert told(owed) == before


def test_a_pass_asks_no_more_of_the_database_for_more_people(desk, django_assert_max_num_queries):
    queue, office = desk.queue(), desk.hours()
    for number in range(20):
        desk.employee(f"user{number}", queue, calendar=office)
    for _ in range(20):
        desk.owed(queue)
    desk.tick(MONDAY)
    with django_assert_max_num_queries(30):
        desk.tick(MONDAY)
