"""The clock of an obligation: it stands still in the customer's turn, and never stood where the answer was not delivered."""

from datetime import timedelta

import pytest
import time_machine

from rasd.desk.account import Scope
from rasd.desk.models import AccountMark, AccountStretch, Target
from tests.desk.playing import MONDAY, Desk

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def desk(db) -> Desk:
    return Desk()


def test_the_customers_turn_stays_his_where_the_answer_after_it_could_not_be_delivered(desk):
    questions, chat = desk.queue(), desk.conversation()
    salma = desk.employee("salma", questions)
    owed = desk.owed(questions, MONDAY, conversation=chat)
    owed.pause(at=MONDAY + HOUR, actor="user:salma")
    owed.resume(at=MONDAY + 5 * HOUR, actor="customer:tel:1")
    message = desk.answer(chat, salma.user, MONDAY + 6 * HOUR, arrives=True)
    owed.refresh_from_db()
    assert owed.spent == 2 * HOUR
    message.refresh_from_db()
    message.outgoing.accepted_at = None  # as of a channel that took it, and then could not deliver it
    desk.outcome(message, MONDAY + 8 * HOUR, arrives=False)
    owed.refresh_from_db()
    assert owed.discharged_at is None
    assert owed.spent_at(MONDAY + 8 * HOUR) == 4 * HOUR, (
        "one before his turn, one after it, two while it was on its way"
    )


def test_g7_what_it_is_about_sets_its_time_from_when_it_began_and_makes_nobody_late_at_once(desk):
    questions, chat = desk.queue(within=4 * HOUR), desk.conversation()
    salma = desk.employee("salma", questions)
    for matter, hours in (("complaint", 1), ("document", 9)):
        Target.objects.create(queue=questions, matter=matter, answer_within=hours * HOUR)
    owed = desk.owed(questions, MONDAY, conversation=chat)
    owed.give(salma.user, at=MONDAY, actor="machine:desk")

    def due_after(matter: str, minutes: int) -> timedelta:
        at = MONDAY + timedelta(minutes=minutes)
        with time_machine.travel(at, tick=False):
            chat.is_about(matter, at=at, actor="user:salma")
        owed.refresh_from_db()
        assert owed.matter == matter
        return owed.due_at - MONDAY

    assert due_after("complaint", 30) == HOUR
    assert due_after("document", 40) == 4 * HOUR, "no later than by the time with which it began"
    assert due_after("complaint", 90) == HOUR, "over already, when nobody could know"
    assert due_after("document", 100) == HOUR, "what is late is not put off"
    desk.answer(chat, salma.user, MONDAY + 2 * HOUR, arrives=True)
    AccountMark.catch_up(MONDAY + 2 * HOUR)
    kept = AccountStretch.objects.get(scope=Scope.PERSON, name="salma")
    assert (kept.figure, kept.matter) == ("inherited", "document")
    assert AccountMark.differs() == ""
