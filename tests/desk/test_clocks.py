"""The clock of an obligation: it stands still in the customer's turn, and never stood where the answer was not delivered."""

from datetime import timedelta

import pytest

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
