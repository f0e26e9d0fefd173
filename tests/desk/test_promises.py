"""G7: what an employee promised is owed by the moment that was promised."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from rasd.desk.errors import AnswerHeld
from rasd.desk.models import Case, Conversation, Employee, Obligation
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


def test_g7_an_answer_whose_writer_says_that_it_keeps_it_does_once_the_customer_could_receive_it(
    desk, chat, salma, promised
):
    message = desk.answer(chat, salma.user, MONDAY + HOUR, arrives=None, keeps=[promised.pk])
    assert is_open(promised), "it lies in the outbox"
    assert not chat.promises.exists(), "and is not asked for a second time"
    desk.outcome(message, MONDAY + HOUR, arrives=True)
    assert not is_open(promised)
    assert told(promised)[-1] == "answered"
    assert promised.discharged_by == message


def test_g7_no_other_answer_keeps_it_whoever_writes_it_and_whenever(desk, chat, salma, promised):
    asked = desk.owed(promised.queue, MONDAY + HOUR, conversation=chat)
    for author in (salma.user, desk.employee("omar", promised.queue).user):
        desk.answer(chat, author, MONDAY + DAY)
    message = chat.say("نقرأ صورتك", key="m", at=MONDAY + HOUR)
    desk.outcome(message, MONDAY + HOUR, arrives=True)
    assert not is_open(asked)
    assert is_open(promised)


def test_g7_an_answer_that_fails_does_not_keep_it(desk, chat, salma, promised):
    desk.answer(chat, salma.user, MONDAY + HOUR, arrives=False, keeps=[promised.pk])
    assert is_open(promised)
    assert list(chat.promises) == [promised]


def test_g7_one_answer_discharges_what_is_owed_and_keeps_a_promise(desk, chat, salma, promised):
    asked = desk.owed(promised.queue, MONDAY + HOUR, conversation=chat)
    desk.answer(chat, salma.user, MONDAY + 2 * HOUR, keeps=[promised.pk])
    assert not is_open(asked)
    assert not is_open(promised)


def test_g7_a_held_answer_keeps_what_its_author_said_when_it_is_sent(desk, chat, salma, promised):
    omar = desk.employee("omar", promised.queue).user
    chat.claim(omar, at=MONDAY)
    with pytest.raises(AnswerHeld) as refused:
        desk.answer(chat, salma.user, MONDAY, keeps=[promised.pk])
    desk.outcome(refused.value.held.send(by=omar, at=MONDAY), MONDAY, arrives=True)
    assert not is_open(promised)


@pytest.mark.parametrize("on_page", [False, True])
def test_g7_the_answer_that_closes_a_case_keeps_it_only_where_its_writer_says_so(
    desk, chat, salma, promised, on_page
):
    case = Case.open("visit", "زيارة", at=MONDAY, actor="user:salma", origin="employee", conversation=chat)
    case.give_link(at=MONDAY, actor="user:salma")
    what = {"author": salma.user, "at": MONDAY + HOUR, "on_page": on_page}
    closing = case.close("تم", key="k", keeps=[promised.pk], **what)
    if not on_page:
        desk.outcome(closing.message, MONDAY + HOUR, arrives=True)
    assert not is_open(promised)


def test_who_made_it_or_owes_it_is_expected_to_keep_it_from_ten_minutes_before(desk, salma, promised):
    omar = desk.employee("omar", promised.queue).user
    due = promised.due_at
    assert [promised.is_to_be_kept_by(salma.user, due - n * MINUTE) for n in (11, 10)] == [False, True]
    assert not promised.is_to_be_kept_by(omar, due)
    promised.give(omar, at=MONDAY, actor="user:boss")
    assert promised.is_to_be_kept_by(omar, due)
    assert promised.is_to_be_kept_by(salma.user, due), "she made it"


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
