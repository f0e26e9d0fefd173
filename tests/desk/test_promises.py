"""G7: what an employee promised is owed by the moment that was promised."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from rasd.desk.models import Conversation, Employee, Obligation
from tests.desk.playing import MONDAY, Desk, owner_of, told

pytestmark = pytest.mark.django_db

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


@pytest.fixture
def salma(desk) -> Employee:
    return desk.employee("salma", desk.queue(calendar=desk.hours(days=(6,))))


@pytest.fixture
def chat(desk) -> Conversation:
    return desk.conversation()


@pytest.fixture
def promised(chat, salma) -> Obligation:
    _message, owed = chat.promise("غدًا ظهرًا", author=salma.user, key="p", at=MONDAY, by=MONDAY + DAY)
    return owed


def is_open(owed: Obligation) -> bool:
    owed.refresh_from_db()
    return owed.discharged_at is None


def test_g7_it_is_due_at_the_moment_promised_whatever_the_hours_of_the_queue_are(promised):
    assert promised.due_at == MONDAY + DAY
    assert promised.kind == Obligation.Kind.PROMISE


def test_g7_the_next_answer_that_the_customer_could_receive_keeps_it(desk, chat, salma, promised):
    message = desk.answer(chat, salma.user, MONDAY + HOUR, arrives=None)
    assert is_open(promised), "it lies in the outbox"
    desk.outcome(message, MONDAY + HOUR, arrives=True)
    assert not is_open(promised)
    assert told(promised)[-1] == "answered"
    assert promised.discharged_by == message


def test_g7_an_answer_that_fails_does_not_keep_it(desk, chat, salma, promised):
    desk.answer(chat, salma.user, MONDAY + HOUR, arrives=False)
    assert is_open(promised)


def test_g7_what_is_written_in_the_same_breath_does_not_keep_it(desk, chat, salma, promised):
    desk.answer(chat, salma.user, MONDAY + 4 * MINUTE)
    assert is_open(promised)
    desk.answer(chat, salma.user, MONDAY + 5 * MINUTE)
    assert not is_open(promised)


def test_g7_what_the_machine_says_does_not_keep_it(desk, chat, promised):
    message = chat.say("نقرأ صورتك", key="m", at=MONDAY + HOUR)
    desk.outcome(message, MONDAY + HOUR, arrives=True)
    assert is_open(promised)


def test_g7_one_answer_discharges_what_is_owed_and_keeps_a_promise(desk, chat, salma, promised):
    asked = desk.owed(promised.queue, MONDAY + HOUR, conversation=chat)
    desk.answer(chat, salma.user, MONDAY + 2 * HOUR)
    assert not is_open(asked)
    assert not is_open(promised)


def test_a_promise_that_was_kept_otherwise_is_done(promised):
    promised.done(at=MONDAY + HOUR, actor="user:salma", why="telephoned")
    promised.done(at=MONDAY + 2 * HOUR, actor="user:salma", why="pressed twice")
    assert not is_open(promised)
    assert told(promised).count("done") == 1


def test_a_promise_does_not_wait_for_the_customer_nor_change_its_time_with_its_queue(desk, promised):
    promised.pause(at=MONDAY, actor="user:salma")
    assert promised.running_since is not None
    promised.move(desk.queue("Other", within=MINUTE), at=MONDAY, actor="user:salma")
    assert promised.due_at == MONDAY + DAY


def test_who_promised_keeps_it_where_he_can(desk, chat, salma, promised):
    desk.employee("noor", promised.queue)
    promised.give(None, at=MONDAY, actor="user:boss")
    for _ in range(3):
        desk.owed(promised.queue).give(salma.user, at=MONDAY, actor="user:salma")
    desk.tick(MONDAY)
    assert owner_of(promised) == "salma", "though Noor has less to do"
    assert User.objects.get(username="noor").employee.load(MONDAY) == 0
