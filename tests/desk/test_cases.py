"""Cases: owned and timed by their work (G9), closed only with an answer that the customer could receive (G11)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from rasd.channels.models import Address, Line
from rasd.desk.models import Case, CaseKind, Contact, Conversation

NOON = datetime(2026, 11, 22, 8, tzinfo=UTC)
STAGE = Case.Stage


@pytest.fixture
def salma(db) -> User:
    return User.objects.create_user("salma", first_name="سلمى", last_name="المثال")


@pytest.fixture
def chat(db) -> Conversation:
    line = Line.objects.create(
        channel="whatsapp",
        purpose="service",
        external_id="100",
        name="Service",
        display_address="+968 2400 0000",
    )
    address = Address.objects.create(channel="whatsapp", phone="+96890000001", last_wrote_at=NOON)
    contact = Contact.objects.create(name="سالم المثال")
    return Conversation.objects.create(
        line=line, address=address, contact=contact, opened_at=NOON, last_message_at=NOON
    )


def opened(chat: Conversation | None = None, *, at: datetime = NOON, **more) -> Case:
    given = {"actor": "user:salma", "origin": Case.Origin.EMPLOYEE, "conversation": chat, **more}
    return Case.open("visit", "المفتش لم يطرق الباب", at=at, **given)


def test_g9_a_case_is_owed_work_from_the_moment_it_is_opened(chat, salma):
    case = opened(chat)
    assert case.work.due_at == NOON + CaseKind.called("visit").settle_within
    assert case.whose_turn == Case.Turn.OURS


def test_a_case_goes_through_its_life(chat, salma):
    case = opened(chat)
    case.take_up(at=NOON, actor="user:salma")
    assert case.work.owner == salma
    case.wait_for_customer(at=NOON + timedelta(hours=1), actor="user:salma")
    assert case.whose_turn == Case.Turn.CUSTOMER
    case.hear("الباب أزرق", at=NOON + timedelta(hours=9), expects_answer=True, key="page:1")
    assert case.stage == STAGE.WORKING
    case.close("زرناكم اليوم", author=salma, key="k1", at=NOON + timedelta(hours=10))
    assert case.stage == STAGE.ANSWERED
