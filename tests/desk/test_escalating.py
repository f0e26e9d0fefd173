"""Warned before the time, escalated after it, step by step to named roles; by e-mail where that is wanted."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from smtplib import SMTPServerDisconnected

import pytest
import time_machine
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core import mail
from django.utils import timezone

from rasd.desk.escalating import take_steps
from rasd.desk.models import (
    Case,
    Contact,
    Employee,
    Escalation,
    EscalationStep,
    Notice,
    Obligation,
    Queue,
)
from tests.desk.playing import MONDAY, Desk, entries, told
from tests.jobs import do_jobs

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DUE = MONDAY + 30 * MINUTE


@pytest.fixture
def clock():
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


@pytest.fixture
def owed(desk, clock) -> Obligation:
    """With Salma, who is told so; there is a supervisor."""
    queue = desk.queue()
    desk.employee("salma", queue)
    desk.employee("lead", roles=["supervisor"])
    owed = desk.owed(queue)
    do_jobs()
    return owed


def notices(kind: str = "") -> list[tuple[str, str]]:
    rows = Notice.objects.order_by("pk").values_list("to__username", "kind")
    return [(user, each) for user, each in rows if not kind or each == kind]


def test_a_new_queue_escalates_as_usual(desk):
    steps = [
        (step.after, step.role and step.role.name, step.by_email)
        for step in desk.queue().escalation_steps.all()
    ]
    assert steps == [
        (-10 * MINUTE, None, False),
        (timedelta(), None, False),
        (timedelta(), "supervisor", False),
        (HOUR, "supervisor", True),
    ]
    assert EscalationStep.usual(Queue.objects.get()) == [], "said once"


def test_whoever_owes_it_is_told_when_it_becomes_his_and_before_its_time(owed, clock):
    assert notices() == [("salma", "given")]
    clock.move_to(DUE - 10 * MINUTE)
    do_jobs()
    assert notices("warning") == [("salma", "warning")]
    entry = entries(owed)[-1]
    assert (entry.action, entry.facts["told"]) == ("obligation.warned", ["salma"])


def test_at_its_time_the_owner_and_the_supervisors_are_told_and_an_hour_later_by_email(owed, clock):
    clock.move_to(DUE)
    do_jobs()
    assert notices("late") == [("salma", "late"), ("lead", "late")]
    assert not mail.outbox
    clock.move_to(DUE + HOUR)
    do_jobs()
    assert notices("late")[2:] == [("lead", "late")]
    assert [each.to for each in mail.outbox] == [["lead@utility.example"]]
    assert told(owed)[-3:] == ["escalated"] * 3
    assert entries(owed)[-1].facts["role"] == "supervisor"
    assert entries(owed)[-1].facts["by_email"] is True


def test_no_step_is_taken_twice_for_one_time(owed, clock, desk):
    clock.move_to(DUE)
    do_jobs()
    before = notices()
    desk.tick(DUE)
    desk.tick(DUE + MINUTE)
    assert notices() == before


def test_what_is_answered_or_waits_for_the_customer_escalates_no_further(owed, clock, desk):
    owed.refresh_from_db()
    owed.pause(at=MONDAY, actor="user:salma")
    clock.move_to(DUE + HOUR)
    do_jobs()
    assert not notices("warning") + notices("late")
    owed.resume(at=DUE + HOUR, actor="user:salma")
    clock.move_to(DUE + HOUR + 25 * MINUTE)
    do_jobs()
    assert notices("warning") == [("salma", "warning")], "by the time that it has now"
    desk.answer(owed.conversation, User.objects.get(username="salma"), DUE + HOUR + 26 * MINUTE)
    clock.move_to(DUE + 5 * HOUR)
    do_jobs(queues={"flows"})
    assert not notices("late")


def test_a_warning_that_comes_too_late_is_not_given(owed, desk):
    desk.tick(DUE + MINUTE)  # the workers were down
    assert not notices("warning")
    assert notices("late")


def test_a_warning_counts_working_time_back(desk):
    queue = desk.queue(calendar=desk.hours())
    owed = desk.owed(
        queue, datetime(2026, 11, 23, 11, 45, tzinfo=UTC)
    )  # 15:45 in Muscat, due at 8:15 the day after
    assert owed.due_at == datetime(2026, 11, 24, 4, 15, tzinfo=UTC)
    assert owed.next_step_at == datetime(2026, 11, 24, 4, 5, tzinfo=UTC)
    early = desk.owed(queue, datetime(2026, 11, 23, 11, 35, tzinfo=UTC))  # due at 8:05
    assert early.next_step_at == datetime(2026, 11, 23, 11, 55, tzinfo=UTC), "five minutes of either day"


def test_where_nobody_in_particular_owes_it_those_on_shift_are_told(desk):
    queue = desk.queue()
    desk.employee("salma", queue, capacity=0)
    desk.employee("absent", queue, capacity=0, calendar=desk.hours(days=(5,)))
    desk.owed(queue)
    desk.tick(DUE)
    assert notices("late") == [("salma", "late")]


def test_other_steps_count_at_once(owed, clock):
    owed.queue.escalation_steps.all().delete()
    reviewers = Group.objects.get(name="reviewer")
    User.objects.create_user("chief").groups.add(reviewers)
    EscalationStep.objects.create(queue=owed.queue, after=5 * MINUTE, role=reviewers)
    do_jobs()
    owed.refresh_from_db()
    assert owed.next_step_at == DUE + 5 * MINUTE
    clock.move_to(DUE + 5 * MINUTE)
    do_jobs()
    assert notices("late") == [("chief", "late")]


def test_who_has_left_is_told_nothing(owed, clock):
    lead = User.objects.get(username="lead")
    lead.employee.leave(by=lead, at=MONDAY)
    clock.move_to(DUE)
    do_jobs()
    assert notices("late") == [("salma", "late")]


# By e-mail


@pytest.fixture
def notice(owed) -> Notice:
    lead = User.objects.get(username="lead")
    return Notice.tell(lead, Notice.Kind.LATE, at=DUE, by_email=True, obligation=owed)


def test_mail_goes_out_once_and_tells_nothing_that_the_customer_said(notice):
    assert notice.email(at=DUE)
    assert not notice.email(at=DUE)
    assert len(mail.outbox) == 1
    whole = mail.outbox[0].subject + mail.outbox[0].body
    assert "عداداتنا" not in whole
    assert "Questions" in whole
    notice.refresh_from_db()
    assert notice.emailed_at == DUE


def test_mail_names_whom_it_is_about_as_staff_do_leads_there_and_speaks_the_receivers_language(
    notice, settings
):
    settings.PUBLIC_URL = "https://service.example.om"
    conversation = notice.conversation
    Contact.objects.filter(pk=conversation.contact_id).update(name="سلمى\nالمثال")
    notice.refresh_from_db()
    notice.email(at=DUE)
    Employee.objects.filter(user=notice.to).update(languages=["en"])
    his = Contact.objects.get(pk=conversation.contact_id)
    case = Case.open("visit", "No bell", at=DUE, actor="user:lead", origin="employee", contact=his)
    Notice.tell(notice.to, Notice.Kind.LATE, at=DUE, by_email=True, obligation=case.work).email(at=DUE)
    ours, of_a_case = mail.outbox
    assert "سلمى المثال تأخر" in ours.subject
    assert f"https://service.example.om/accountability/obligations/{notice.obligation_id}" in ours.body
    assert f"Request {case.reference} is late" in of_a_case.subject
    assert "Customer: سلمى المثال" in of_a_case.body
    assert of_a_case.body.endswith(f"https://service.example.om/cases/{case.pk}")


def test_mail_that_the_server_did_not_take_is_tried_again(notice, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise SMTPServerDisconnected("not now")

    with monkeypatch.context() as server:
        server.setattr("django.core.mail.EmailMessage.send", refuse)
        with pytest.raises(SMTPServerDisconnected):
            notice.email(at=DUE)
    assert notice.email(at=DUE)
    assert len(mail.outbox) == 1


def test_mail_of_which_nobody_knows_whether_it_went_out_is_not_sent_twice(notice):
    Notice.objects.update(email_begun_at=DUE)  # the process died while it was calling
    assert not notice.email(at=DUE + HOUR)
    assert not mail.outbox


def test_who_has_no_address_is_told_in_the_console_only(owed):
    nobody = User.objects.create_user("noaddress")
    notice = Notice.tell(nobody, Notice.Kind.LATE, at=DUE, by_email=True, obligation=owed)
    assert not notice.email_wanted
    assert list(Notice.unread(nobody)) == [notice]
    notice.read(at=DUE)
    assert not Notice.unread(nobody).exists()


def test_queues_that_were_there_before_the_steps_get_the_usual_ones_and_what_is_owed_is_looked_at(db):
    """As the migration finds them: no signal made theirs."""
    old, with_its_own = Queue.objects.bulk_create(
        [Queue(name=name, answer_within=timedelta(minutes=30)) for name in ("Old", "Own")]
    )
    EscalationStep.objects.create(queue=with_its_own, after=timedelta(hours=2))
    owed = Obligation.begin(queue=old, since=timezone.now() - 3 * HOUR, actor="machine:test")
    assert owed.next_step_at is None
    import_module("rasd.desk.migrations.0005_purposes").give_usual_steps(apps, None)
    usual = Queue.objects.create(name="New", answer_within=timedelta(minutes=30))
    told = ("after", "role", "by_email")
    assert list(old.escalation_steps.values_list(*told)) == list(usual.escalation_steps.values_list(*told))
    assert with_its_own.escalation_steps.count() == 1
    owed.refresh_from_db()
    take_steps(owed.pk, owed.next_step_at)
    owed.refresh_from_db()
    assert owed.next_step_at is None, "all of its times were over: each was taken"
    assert Escalation.objects.filter(obligation=owed).count() == old.escalation_steps.count()
