"""Cases: owned and timed by their work (G9), closed only with an answer that the customer could receive (G11)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from rasd.channels import signals
from rasd.channels.models import Outgoing
from rasd.channels.rules import TEMPLATE_TEXT_MAX
from rasd.channels.whatsapp import compose
from rasd.desk.errors import AnswerHeld, CannotReceive, Claimed, NotInThisStage
from rasd.desk.models import (
    Case,
    CaseEntry,
    CaseKind,
    Conversation,
    Employee,
    FormerToken,
    HeldAnswer,
    Message,
    Notice,
    Obligation,
    Queue,
    Rating,
)
from rasd.ledger.models import Entry, verify
from tests.desk.people import a_chat, a_line, an_address, hears

NOON = datetime(2026, 11, 22, 8, tzinfo=UTC)
STAGE = Case.Stage


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


@pytest.fixture
def salma(db) -> User:
    user = User.objects.create_user("salma", first_name="سلمى", last_name="المثال")
    Employee.objects.create(user=user)
    return user


@pytest.fixture
def omar(db) -> User:
    return User.objects.create_user("omar")


@pytest.fixture
def chat(db) -> Conversation:
    return a_chat()


def a_chat_of(phone: str) -> Conversation:
    return hears(a_line(), an_address(phone=phone), "مرحبًا").conversation


def opened(chat: Conversation | None = None, *, when: datetime = NOON, **more) -> Case:
    given = {"actor": "user:salma", "origin": Case.Origin.EMPLOYEE, "conversation": chat, **more}
    return Case.open(given.pop("kind", "visit"), given.pop("title", "المفتش لم يطرق الباب"), at=when, **given)


def answered(case: Case, author: User, *, hours: float = 10) -> Outgoing:
    return case.close("زرناكم اليوم", author=author, key=f"k{hours}", at=at(hours)).message.outgoing


def channel_says(outgoing: Outgoing, **reached: datetime) -> None:
    """As the outbox does when it learns more."""
    with transaction.atomic():
        Outgoing.objects.filter(pk=outgoing.pk).update(**reached)
        signals.outgoing_changed.send(sender=Outgoing, outgoing=Outgoing.objects.get(pk=outgoing.pk))


def closed(case: Case, author: User, *, hours: float = 10) -> Case:
    channel_says(answered(case, author, hours=hours), accepted_at=at(hours))
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED
    return case


# Opening


def test_g9_a_case_is_owed_work_from_the_moment_it_is_opened_by_its_kinds_queue_in_its_kinds_time(
    chat, salma
):
    case = opened(chat)
    kind = CaseKind.called("visit")
    assert (case.work.queue, case.work.allowance) == (kind.queue, kind.settle_within)
    assert case.work.due_at == NOON + kind.settle_within
    assert case.whose_turn == Case.Turn.OURS
    assert case.contact == chat.contact


def test_its_reference_tells_the_year_and_a_number(chat, salma):
    first, second = opened(chat), opened(chat)
    assert first.reference == f"26-{first.pk:06}"
    assert second.reference != first.reference


@pytest.mark.django_db(transaction=True)
def test_twenty_opened_at_once_have_twenty_references():
    CaseKind.usual()

    def one(_number: int) -> str:
        try:
            return opened().reference
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as people:
        references = list(people.map(one, range(20)))
    assert len(set(references)) == 20
    assert verify() is None


@pytest.mark.parametrize("title", ["", "  \n", "x" * 201])
def test_a_title_that_says_nothing_or_too_much_is_refused(salma, title: str):
    with pytest.raises(ValueError, match="title: 1 to 200"):
        opened(title=title)


def test_what_an_employee_adds_is_a_note_and_what_the_customer_adds_he_sees(chat, salma):
    ours = opened(chat, text="يغضب بسرعة")
    assert "يغضب بسرعة" not in [each.text for each in ours.public_entries()]
    assert ours.entries.get(kind="note").text == "يغضب بسرعة"
    theirs = opened(chat, text="الباب أزرق", origin=Case.Origin.CUSTOMER, actor="customer:tel:+96890000001")
    assert "الباب أزرق" in [each.text for each in theirs.public_entries()]


def test_the_usual_kinds_are_made_once_and_a_kind_taken_away_stays_away(db):
    codes = {kind.code for kind in CaseKind.usual()}
    assert codes == {"complaint", "visit", "reading", "meter", "bill", "other"}
    CaseKind.objects.get(code="bill").delete()
    assert CaseKind.usual().count() == 5
    assert CaseKind.called("bill").code == "other"


def test_its_token_is_none_that_is_read_wrongly_or_cut_off_at_its_end(salma):
    token = opened().token
    assert len(token) == 23
    assert token.isalnum()
    assert not set(token) & set("0O1lI")


# Whose it is, and its clock


def test_who_takes_it_up_owes_it(chat, salma):
    case = opened(chat)
    case.take_up(at=at(1), actor="user:salma")
    assert (case.stage, case.work.owner) == (STAGE.WORKING, salma)


def test_g9_while_it_is_the_customers_turn_the_clock_stands_still(chat, salma):
    case = opened(chat)
    due = case.work.due_at
    case.wait_for_customer(at=at(2), actor="user:salma")
    assert case.whose_turn == Case.Turn.CUSTOMER
    assert not case.work.is_late(at(1000))
    case.hear("الباب أزرق", at=at(7), expects_answer=True, key="page:1")
    assert case.stage == STAGE.WORKING
    assert case.work.due_at == due + timedelta(hours=5)


def test_handed_on_it_is_another_queues_with_its_page_answers(chat, salma, omar):
    case = opened(chat)
    case.hear("متى؟", at=at(1), expects_answer=True, key="page:1")
    billing = Queue.objects.create(name="Billing", answer_within=timedelta(days=2))
    case.hand_on(billing, owner=salma, at=at(2), actor="user:omar", why="تعرف البيت")
    assert (case.work.queue, case.work.owner) == (billing, salma)
    assert (case.answer_owed.queue, case.answer_owed.owner) == (billing, salma)
    assert Entry.objects.get(action="case.handed").why == ""
    assert case.entries.get(kind="handed").is_public is False


def test_a_closed_case_is_neither_taken_up_nor_handed_on_nor_closed_again(chat, salma):
    case = closed(opened(chat), salma)
    for refused in (
        lambda: case.take_up(at=at(11), actor="user:salma"),
        lambda: case.wait_for_customer(at=at(11), actor="user:salma"),
        lambda: case.hand_on(Queue.objects.get(), at=at(11), actor="user:salma", why=""),
        lambda: case.close("x", author=salma, key="again", at=at(11)),
    ):
        with pytest.raises(NotInThisStage):
            refused()


# What is said


def test_what_is_said_goes_into_the_conversation_once_for_each_key(chat, salma):
    case = opened(chat)
    for _time in range(2):
        case.say("نأتي الثلاثاء", author=salma, key="k", at=at(1))
    assert Message.objects.filter(author=salma).count() == 1
    assert case.entries.filter(kind="said").count() == 1


def test_an_answer_held_as_another_has_the_conversation_is_kept_and_shown_in_the_case_once_sent(
    chat, salma, omar
):
    case = opened(chat)
    chat.claim(omar, at=at(1))
    with pytest.raises(AnswerHeld):
        case.say("نأتي الثلاثاء", author=salma, key="k", at=at(1))
    held = HeldAnswer.objects.get()
    assert held.text == "نأتي الثلاثاء"
    assert not case.entries.filter(kind="said").exists()
    message = held.send(by=omar, at=at(2))
    channel_says(message.outgoing, accepted_at=at(2))
    assert case.entries.get(kind="said").message == message


def test_a_key_names_no_line_of_another_case(chat, salma):
    first, second = opened(chat), opened(a_chat_of("+96890000002"))
    said = [case.say("نأتي الثلاثاء", author=salma, key="k", at=at(1)) for case in (first, second)]
    assert [entry.case for entry in said] == [first, second]
    assert Message.objects.filter(author=salma).count() == 2


def test_a_note_in_a_case_is_written_once_for_each_key(chat, salma):
    case = opened(chat)
    notes = {case.note("اتصل به", author=salma, at=at(1), key=key) for key in ("k", "k", "k2")}
    assert len(notes) == case.entries.filter(kind="note").count() == 2


def test_g7_two_who_write_in_a_case_at_once_do_not_both_answer(chat, salma, omar):
    case = opened(chat)
    seen = case.entries.latest("pk").pk
    case.say("نأتي الثلاثاء", author=salma, key="k", at=at(1), seen=seen)
    with pytest.raises(AnswerHeld):
        case.say("نأتي الأربعاء", author=omar, key="k2", at=at(1), seen=seen)
    assert HeldAnswer.objects.get().text == "نأتي الأربعاء"
    case.say("وبعد الظهر", author=salma, key="k3", at=at(1), seen=seen)
    assert Message.objects.filter(author=omar).count() == 0


def test_g7_nor_on_the_page_of_a_case_without_a_conversation(salma, omar):
    case = opened()
    seen = case.entries.latest("pk").pk
    case.say("نأتي الثلاثاء", author=salma, key="k", at=at(1), seen=seen)
    with pytest.raises(Claimed):
        case.say("نأتي الأربعاء", author=omar, key="k2", at=at(1), seen=seen)
    assert case.entries.filter(kind="said").count() == 1


def test_nobody_closes_a_case_past_anothers_claim_on_its_conversation(chat, salma, omar):
    case = opened(chat)
    chat.claim(omar, at=at(10))
    with pytest.raises(Claimed):
        answered(case, salma)
    case.refresh_from_db()
    assert case.stage == STAGE.OPEN


# Closing


def test_g11_it_is_closed_when_the_channel_has_accepted_the_answer_and_not_before(chat, salma):
    case = opened(chat)
    case.take_up(at=NOON, actor="user:salma")
    outgoing = answered(case, salma)
    assert (case.stage, case.closed_at) == (STAGE.ANSWERED, None)
    assert case.work is not None
    channel_says(outgoing, accepted_at=at(11))
    case.refresh_from_db()
    assert (case.stage, case.closed_at) == (STAGE.CLOSED, at(11))
    assert case.work is None
    assert Obligation.objects.get(kind="work").discharged_at == at(11)
    assert case.was_solved


@pytest.mark.parametrize("late", [False, True], ids=["never accepted", "accepted and failed later"])
def test_g11_an_answer_that_could_not_be_delivered_puts_it_back_to_work_and_its_owner_is_told(
    chat, salma, late: bool
):
    case = opened(chat)
    case.take_up(at=NOON, actor="user:salma")
    outgoing = answered(case, salma)
    if late:
        channel_says(outgoing, accepted_at=at(11))
    channel_says(outgoing, failed_at=at(12), error_words="131026: not on WhatsApp")
    case.refresh_from_db()
    assert (case.stage, case.closed_at, case.closing_answer) == (STAGE.WORKING, None, None)
    assert case.work.owner == salma
    assert case.work.running_since is not None
    assert Notice.objects.filter(to=salma, kind=Notice.Kind.FAILED, case=case).count() == 1
    failed = Entry.objects.get(action="case.failed")
    assert failed.why == "the channel could not deliver the closing answer"
    assert closed(case, salma, hours=13).closed_at == at(13)


def test_g11_a_case_that_nobody_could_answer_anywhere_cannot_be_closed(salma):
    case = opened()
    with pytest.raises(CannotReceive, match="Give it to him"):
        case.close("زرناكم", author=salma, key="k", at=at(1))
    case.give_link(at=at(2), actor="user:salma")
    case.close("زرناكم", author=salma, key="k", at=at(3))
    assert (case.stage, case.closed_at) == (STAGE.CLOSED, at(3))


def test_g11_who_wrote_on_the_page_can_be_answered_there(chat, salma):
    case = opened(chat)
    with pytest.raises(CannotReceive):
        case.close("زرناكم", author=salma, key="k", at=at(1), on_page=True)
    case.hear("هنا أقرأ", at=at(2), expects_answer=False, key="page:1")
    case.close("زرناكم", author=salma, key="k", at=at(3), on_page=True)
    assert case.stage == STAGE.CLOSED
    assert not Message.objects.filter(author=salma).exists()


def test_g11_without_words_it_is_not_closed(chat, salma):
    case = opened(chat)
    with pytest.raises(ValueError, match="text: empty"):
        case.close(" \n", author=salma, key="k", at=at(1))
    assert not Message.objects.filter(author=salma).exists()


def test_g11_who_writes_before_the_answer_is_out_has_it_open_again(chat, salma):
    case = opened(chat)
    outgoing = answered(case, salma)
    case.hear("بقي شيء", at=at(10.1), expects_answer=True, key="page:1")
    channel_says(outgoing, accepted_at=at(11))
    case.refresh_from_db()
    assert case.stage == STAGE.OPEN
    assert case.work is not None


def test_a_long_answer_is_sent_without_buttons_rather_than_cut(chat, salma):
    case = opened(chat)
    short, long = "قصير", "ط" * 2000
    assert case.close(long, author=salma, key="k", at=at(1)).message.outgoing.kind == Outgoing.Kind.TEXT
    other = opened(chat)
    sent = other.close(short, author=salma, key="k2", at=at(1)).message.outgoing
    assert sent.kind == Outgoing.Kind.BUTTONS
    assert all(len(each["title"]) <= 20 for each in sent.buttons)


# Afterwards


def test_g11_reopened_it_is_the_same_owners_with_a_fresh_time_and_does_not_count_as_solved(chat, salma):
    case = opened(chat)
    case.take_up(at=NOON, actor="user:salma")
    closed(case, salma)
    case.hear("رجعت المشكلة", at=at(100), expects_answer=True, key="page:1")
    assert case.stage == STAGE.OPEN
    assert (case.work.owner, case.work.since) == (salma, at(100))
    assert case.work.due_at == at(100) + case.kind.settle_within
    assert not closed(case, salma, hours=101).was_solved


def test_g7_reopened_it_is_its_queues_where_the_owner_is_not_there_any_more(chat, salma):
    case = opened(chat)
    case.take_up(at=NOON, actor="user:salma")
    closed(case, salma)
    Employee.objects.update(left_at=at(50))
    case.reopen(at=at(100), actor="user:omar", why="by telephone")
    assert case.work.owner is None
    assert case.work.queue == case.kind.queue


def test_g11_what_is_said_in_its_conversation_is_shown_in_every_open_case_and_answers_no_page(chat, salma):
    """By whoever and wherever, a held answer too; what was asked on the page is answered by who writes in the case."""
    one, other, over = opened(chat), opened(chat), closed(opened(chat), salma)
    one.hear("متى؟", at=at(1), expects_answer=True, key="page")
    message = chat.reply("غدا", author=salma, key="r", at=at(2))
    for case in (one, other):
        line = case.entries.get(kind="said")
        assert (line.text, line.message, line.author, line.is_public) == ("غدا", message, salma, True)
    assert not over.entries.filter(kind="said").exists()
    assert one.answer_owed is not None
    entry = one.say("بعد غد", author=salma, key="s", at=at(3))
    assert one.answer_owed is None
    assert one.say("بعد غد", author=salma, key="s", at=at(4)) == entry
    assert [each.text for each in other.entries.filter(kind="said")] == ["غدا", "بعد غد"]
    Conversation.objects.update(closed_at=at(5))
    assert over.say("لا يزال مغلقا", author=salma, key="o", at=at(6)).message.conversation == chat
    assert verify() is None


def test_g11_whatever_key_a_page_chooses_an_answer_is_shown_in_no_case_of_another_conversation(chat, salma):
    theirs = opened(chat)
    theirs.hear("متى؟", at=at(1), expects_answer=True, key="page")
    mine = hears(chat.line, an_address("سعيد"), "؟").conversation
    for key in (f"x:case:{theirs.pk}:k", f":case:{theirs.pk}:k", theirs.reply_key("k")):
        mine.reply("not theirs", author=salma, key=key, at=at(2))
    with pytest.raises(ValueError, match="do not go into"):
        mine.reply("not theirs", author=salma, key="k", at=at(2), case=theirs)
    assert not theirs.entries.filter(kind="said").exists()
    assert theirs.answer_owed is not None


@pytest.mark.parametrize(
    ("days", "kind", "repeats"), [(7, "visit", False), (6.9, "visit", True), (1, "bill", False)]
)
def test_the_same_matter_within_seven_days_counts_against_solved(
    chat, salma, days: float, kind: str, repeats: bool
):
    case = closed(opened(chat), salma)
    again = opened(chat, kind=kind, when=case.closed_at + timedelta(days=days))
    assert (again.repeats == case) is repeats
    assert case.was_solved is not repeats


def test_the_same_matter_of_the_same_service_point_repeats_whoever_says_it(salma):
    case = opened(service_point="SP-1")
    case.give_link(at=NOON, actor="user:salma")
    case.close("تم", author=salma, key="k", at=at(1))
    assert opened(service_point="SP-1", when=at(2)).repeats == case
    assert opened(service_point="SP-2", when=at(2)).repeats is None
    assert opened(when=at(2)).repeats is None


def test_who_says_that_it_is_not_solved_is_believed(chat, salma):
    case = closed(opened(chat), salma)
    case.rate(Rating.Score.UNSOLVED, at=at(12))
    assert not case.was_solved
    case.rate(Rating.Score.PARTLY, "almost", at=at(13))
    assert case.was_solved
    assert (case.rating.score, case.rating.words) == (2, "almost")


def test_each_closing_has_a_rating_of_its_own(chat, salma):
    case = closed(opened(chat), salma)
    case.rate(Rating.Score.UNSOLVED, at=at(12))
    case.reopen(at=at(13), actor="user:salma", why="he says so")
    closed(case, salma, hours=14)
    case.rate(Rating.Score.SOLVED, at=at(15))
    assert [each.score for each in case.ratings.order_by("closing_id")] == [1, 3]
    assert case.rating.score == Rating.Score.SOLVED


# What is too long for a template


def test_g11_what_is_too_long_for_a_template_is_told_in_short_with_the_page_that_has_the_whole(
    chat, salma, settings
):
    settings.PUBLIC_URL = "https://service.example.om"
    chat.line.reopening_template = {"name": "answer", "language": "ar"}
    long = "زرناكم اليوم.\n" * 90
    for case in (opened(chat), opened(chat)):
        sent = case.close(long, author=salma, key=f"k{case.pk}", at=at(1)).message.outgoing
        sent.line = chat.line
        part = compose.body(sent, as_template=True)["template"]["components"][0]["parameters"][0]["text"]
        assert compose.fault_of_template(sent) == ""
        assert len(part) <= TEMPLATE_TEXT_MAX
        assert part.startswith("زرناكم اليوم. · زرناكم")
        assert part.endswith(case.public_url)
        assert case.entries.get(kind="closing").text == long.strip()
    settings.PUBLIC_URL = ""
    assert "send it in parts" in compose.fault_of_template(_queued(chat, long, salma))


def _queued(chat: Conversation, text: str, author: User) -> Outgoing:
    outgoing = chat.reply(text, author=author, key="r", at=at(2)).outgoing
    outgoing.line = chat.line
    return outgoing


# On record


def test_g12_every_line_of_its_history_is_an_entry_of_the_ledger(chat, salma):
    case = opened(chat, text="a note")
    case.take_up(at=at(1), actor="user:salma")
    case.note("another", author=salma, at=at(2))
    case.say("نأتي", author=salma, key="s", at=at(3))
    closed(case, salma)
    case.rate(3, at=at(12))
    case.hear("رجعت", at=at(13), expects_answer=True, key="p")
    case.renew_link(at=at(14), actor="user:salma")
    lines = CaseEntry.objects.filter(case=case).order_by("pk")
    entries = Entry.objects.filter(subject=str(case)).order_by("number")
    assert [f"case.{each.kind}" for each in lines] == [each.action for each in entries]
    assert [each.pk for each in lines] == [each.facts["entry"] for each in entries]
    assert {"case.opened", "case.stage", "case.note", "case.said", "case.closing", "case.closed"} < {
        each.action for each in entries
    }
    assert verify() is None


def test_a_renewed_address_keeps_the_old_one_to_say_so(salma):
    case = opened()
    old = case.token
    case.give_link(at=NOON, actor="user:salma")
    case.renew_link(at=at(1), actor="user:salma", why="lost phone")
    assert case.token != old
    assert case.page_known_at is None
    assert FormerToken.objects.get(token=old).case == case
