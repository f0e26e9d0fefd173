"""One answers at a time, nothing goes out twice, and nothing typed is lost (G7)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection

from rasd.channels.models import Outgoing
from rasd.desk.errors import AnswerHeld, Claimed, GoesOnElsewhere, IsClosed, NotTheirs, Settled, StillOwed
from rasd.desk.models import (
    Calendar,
    CannedAnswer,
    Case,
    Claim,
    Conversation,
    Draft,
    HeldAnswer,
    Notice,
    Obligation,
    OpenSpan,
    Queue,
)
from rasd.desk.models.claims import CLAIM_LASTS
from rasd.ledger.models import Entry
from tests.desk.people import NOON, a_line, a_queue, an_address, an_employee, hears

A_SECOND = timedelta(seconds=1)


@pytest.fixture
def salma(db: None) -> User:
    return an_employee("salma")


@pytest.fixture
def hamad(db: None) -> User:
    return an_employee("hamad")


@pytest.fixture
def queue(salma: User, hamad: User) -> Queue:
    return a_queue(salma, hamad)


@pytest.fixture
def chat(queue: Queue) -> Conversation:
    """A customer has asked something, and is owed an answer."""
    message = hears(a_line(), an_address("سالم"), "متى يصلح العداد؟")
    message.conversation.owe(message, queue=queue)
    return message.conversation


def at_once(deeds: list[Callable[[], Any]]) -> list[Any]:
    """Each on a connection of its own, let go together; what each returned or raised."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], Any]) -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")  # connected before the start
            start.wait(timeout=30)
            return deed()
        except Exception as error:  # told to the test
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


# Claims


@pytest.mark.django_db(transaction=True)
def test_a_claim_contested_by_twenty_at_once_is_won_by_exactly_one(chat):
    people = [an_employee(f"agent{n}") for n in range(20)]
    results = at_once(
        [
            lambda user=user: Conversation.objects.get(pk=chat.pk).claim(user, at=NOON + A_SECOND)
            for user in people
        ]
    )
    winners = [result for result in results if isinstance(result, Claim)]
    losers = [result for result in results if isinstance(result, Claimed)]
    assert (len(winners), len(losers)) == (1, 19), results
    assert {loser.holder for loser in losers} == {winners[0].holder}
    assert chat.owed.owner == winners[0].holder
    assert Entry.objects.filter(action="obligation.given").count() == 1


def test_a_claim_is_over_a_minute_after_the_last_sign_of_life(chat, salma, hamad):
    claim = chat.claim(salma, at=NOON)
    later = NOON + timedelta(seconds=40)
    assert claim.keep_alive(at=later)
    with pytest.raises(Claimed) as refused:
        chat.claim(hamad, at=later + CLAIM_LASTS - A_SECOND)
    assert (refused.value.holder, refused.value.since) == (salma, NOON)
    assert chat.claim(hamad, at=later + CLAIM_LASTS).holder == hamad
    assert Claim.objects.get().holder != salma


def test_a_page_that_comes_back_after_its_claim_was_taken_gets_no_life_from_it(chat, salma, hamad):
    hers = chat.claim(salma, at=NOON)
    chat.claim(hamad, at=NOON + CLAIM_LASTS)
    assert not hers.keep_alive(at=NOON + CLAIM_LASTS + A_SECOND)
    assert chat.claim_at(NOON + CLAIM_LASTS + A_SECOND).holder == hamad


def test_claiming_what_is_ones_own_is_a_sign_of_life(chat, salma):
    chat.claim(salma, at=NOON)
    chat.claim(salma, at=NOON + timedelta(seconds=50))
    claim = chat.claim_at(NOON + timedelta(seconds=100))
    assert (claim.holder, claim.at) == (salma, NOON)


def test_a_live_claim_is_taken_only_by_force_and_that_is_on_record(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    chat.claim(hamad, at=NOON + A_SECOND, by_force=True, why="she is on the telephone")
    entry = Entry.objects.get(action="conversation.claim_taken")
    assert (entry.actor, entry.why, entry.facts) == (
        "user:hamad",
        "she is on the telephone",
        {"from": "salma"},
    )
    assert chat.owed.owner == hamad


def test_g7_a_claim_makes_the_answer_that_is_owed_the_claimers_until_his_shift_ends(chat):
    calendar = Calendar.objects.create(name="morning", zone="Asia/Muscat")
    OpenSpan.objects.create(calendar=calendar, weekday=6, opens=time(8), closes=time(14))
    chat.claim(an_employee("maha", calendar=calendar), at=NOON)
    owed = chat.owed
    assert (owed.owner.username, owed.owner_until) == ("maha", NOON + timedelta(hours=2))
    assert Entry.objects.get(action="obligation.given").why == "claimed"


def test_g7_what_is_owed_does_not_become_that_of_someone_who_is_not_on_shift(chat):
    calendar = Calendar.objects.create(name="never", zone="Asia/Muscat")
    chat.claim(an_employee("maha", calendar=calendar), at=NOON)
    assert chat.owed.owner is None
    chat.claim(User.objects.create_user("visitor"), at=NOON + timedelta(minutes=2))
    assert chat.owed.owner is None


def test_g7_releasing_a_claim_leaves_what_is_owed_with_him(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    chat.release(hamad, at=NOON)
    assert chat.claim_at(NOON)
    chat.release(salma, at=NOON)
    assert chat.claim_at(NOON) is None
    assert chat.owed.owner == salma


# Answers, exactly once


def test_nobody_takes_what_is_closed(chat, salma):
    chat.owed.waive(by=salma, at=NOON)
    chat.close(at=NOON, actor="user:salma")
    with pytest.raises(IsClosed):
        chat.claim(salma, at=NOON)


@pytest.mark.django_db(transaction=True)
def test_an_answer_sent_twice_at_once_on_a_shaking_connection_goes_out_once(chat, salma):
    say = lambda: Conversation.objects.get(pk=chat.pk).reply(  # noqa: E731
        "غدا صباحا", author=salma, key="k1", at=NOON + A_SECOND, seen=0
    )
    results = at_once([say] * 6)
    assert len({message.pk for message in results}) == 1, results
    assert Outgoing.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_answer_at_once_do_not_both_answer(chat, salma, hamad):
    seen = chat.messages.last().pk
    results = at_once(
        [
            lambda user=user: Conversation.objects.get(pk=chat.pk).reply(
                "نعم", author=user, key=user.username, at=NOON + A_SECOND, seen=seen
            )
            for user in (salma, hamad)
        ]
    )
    assert sorted(type(result).__name__ for result in results) == ["AnswerHeld", "Message"]
    assert Outgoing.objects.count() == 1
    assert HeldAnswer.objects.count() == 1


def test_an_answer_under_somebody_elses_claim_is_held_and_both_are_told(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("سنأتي غدا", author=hamad, key="k1", at=NOON + A_SECOND)
    held = error.value.held
    assert (held.text, held.author, held.other, held.outcome) == ("سنأتي غدا", hamad, salma, "")
    assert not Outgoing.objects.exists()
    assert set(Notice.objects.filter(kind="held").values_list("to__username", flat=True)) == {
        "salma",
        "hamad",
    }


def test_the_same_key_again_is_the_same_held_answer(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    held = []
    for _again in range(3):
        with pytest.raises(AnswerHeld) as error:
            chat.reply("سنأتي غدا", author=hamad, key="k1", at=NOON + A_SECOND)
        held.append(error.value.held)
    assert len(set(held)) == 1
    assert Notice.objects.count() == 2


def test_an_answer_is_held_where_somebody_else_answered_after_what_the_page_showed(chat, salma, hamad):
    seen = chat.messages.last().pk
    hers = chat.reply("غدا", author=salma, key="k1", at=NOON + A_SECOND, seen=seen)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("الأحد", author=hamad, key="k2", at=NOON + 2 * A_SECOND, seen=seen)
    assert error.value.held.other == salma
    assert (
        chat.reply("نعم، غدا", author=hamad, key="k3", at=NOON + 3 * A_SECOND, seen=hers.pk).author == hamad
    )
    assert (
        chat.reply("وداعا", author=salma, key="k4", at=NOON + 4 * A_SECOND, seen=hers.pk + 100).author
        == salma
    )


def test_neither_the_machine_nor_ones_own_answer_holds_one_back(chat, salma):
    seen = chat.messages.last().pk
    chat.say("وصلتنا رسالتكم", key="m1", at=NOON)
    chat.reply("نعم", author=salma, key="k1", at=NOON + A_SECOND, seen=seen)
    chat.note("للزملاء", at=NOON, author=salma)
    assert chat.reply("وأيضا", author=salma, key="k2", at=NOON + 2 * A_SECOND, seen=seen)
    assert not HeldAnswer.objects.exists()


@pytest.mark.parametrize("who", ["author", "other"])
def test_either_sends_a_held_answer_and_it_goes_out_exactly_once(chat, salma, hamad, who):
    chat.claim(salma, at=NOON)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("غدا", author=hamad, key="k1", at=NOON + A_SECOND)
    held = error.value.held
    message = held.send(by=getattr(held, who), at=NOON + 2 * A_SECOND)
    assert (message.author, message.words, held.outcome) == (hamad, "غدا", "sent")
    assert held.send(by=salma, at=NOON + 3 * A_SECOND) == message
    assert chat.reply("غدا", author=hamad, key="k1", at=NOON + 4 * A_SECOND) == message
    with pytest.raises(Settled):
        held.drop(by=salma, at=NOON + 5 * A_SECOND)
    assert Outgoing.objects.count() == 1
    assert Entry.objects.filter(action="answer.held_sent").count() == 1


def test_only_the_two_and_who_leads_them_decide_on_a_held_answer_and_not_after_the_closing(
    chat, salma, hamad
):
    chat.claim(salma, at=NOON)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("غدا", author=hamad, key="k1", at=NOON + A_SECOND)
    held, other = error.value.held, an_employee("omar")
    for deed in (held.send, held.drop):
        with pytest.raises(NotTheirs):
            deed(by=other, at=NOON + 2 * A_SECOND)
    lead = an_employee("lead")
    lead.user_permissions.add(Permission.objects.get(codename="change_employee"))
    Conversation.objects.update(closed_at=NOON)
    with pytest.raises(IsClosed):
        held.send(by=lead, at=NOON + 3 * A_SECOND)
    Conversation.objects.update(closed_at=None)
    assert held.send(by=User.objects.get(pk=lead.pk), at=NOON + 4 * A_SECOND).author == hamad
    assert held.settled_by == lead


@pytest.mark.django_db(transaction=True)
def test_a_held_answer_that_both_decide_on_at_once_is_sent_or_dropped_and_never_both(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("غدا", author=hamad, key="k1", at=NOON + A_SECOND)
    pk = error.value.held.pk
    deeds = [
        lambda by=by, deed=deed: getattr(HeldAnswer.objects.get(pk=pk), deed)(by=by, at=NOON + 2 * A_SECOND)
        for by, deed in ((salma, "drop"), (hamad, "send"), (salma, "send"), (hamad, "drop"))
    ]
    results = at_once(deeds)
    held = HeldAnswer.objects.get(pk=pk)
    assert sum(isinstance(result, Settled) for result in results) == 2, results
    assert Outgoing.objects.count() == (1 if held.outcome == "sent" else 0)
    assert Entry.objects.filter(action__startswith="answer.held_").count() == 1


def test_a_dropped_answer_keeps_its_words_and_does_not_go_out(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("غدا", author=hamad, key="k1", at=NOON + A_SECOND)
    held = error.value.held
    held.drop(by=hamad, at=NOON + 2 * A_SECOND)
    held.drop(by=salma, at=NOON + 3 * A_SECOND)
    with pytest.raises(Settled):
        held.send(by=salma, at=NOON + 3 * A_SECOND)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("غدا", author=hamad, key="k1", at=NOON + 4 * A_SECOND)
    assert HeldAnswer.objects.get().text == "غدا"
    assert error.value.held.settled_by == hamad
    assert not Outgoing.objects.exists()


# Drafts


def test_a_draft_is_there_on_every_device_until_its_answer_is_sent(chat, salma, hamad):
    Draft.keep(chat, salma, "نعتذ", at=NOON)
    Draft.keep(chat, salma, "نعتذر عن", at=NOON + A_SECOND)
    Draft.keep(chat, hamad, "غدا", at=NOON)
    assert Draft.of(chat, salma) == "نعتذر عن"
    chat.reply("نعتذر عن التأخير", author=salma, key="k1", at=NOON + 2 * A_SECOND)
    assert Draft.of(chat, salma) == ""
    assert Draft.of(chat, hamad) == "غدا"
    Draft.keep(chat, hamad, "  ", at=NOON)
    assert not Draft.objects.exists()


def test_a_draft_outlives_an_answer_that_failed(chat, salma):
    Draft.keep(chat, salma, "x", at=NOON)
    with pytest.raises(ValueError, match=r"4096|4,096"):
        chat.reply("x" * 5000, author=salma, key="k1", at=NOON)
    assert Draft.of(chat, salma) == "x"


# Notes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("@hamad هل تعرفه؟", {"hamad"}),
        ("اسألوا @hamad، و@سلمى_ب.", {"hamad", "سلمى_ب"}),
        ("@nobody @ @@ x", set()),
        ("me@hamad is an address", set()),
        ("@salma note to self, @hamad. @hamad!", {"hamad"}),
        ("@j.doe-x@y.", {"j.doe-x@y"}),
        ("@gone left us", set()),
    ],
)
def test_who_is_mentioned_in_a_note_is_told_once(chat, salma, hamad, text, told):
    for name in ("سلمى_ب", "j.doe-x@y"):
        User.objects.create_user(name)
    User.objects.create_user("gone", is_active=False)
    note = chat.note(text, at=NOON, author=salma)
    notices = Notice.objects.filter(kind="mention", message=note, conversation=chat)
    assert sorted(notices.values_list("to__username", flat=True)) == sorted(told)
    assert note.note == text


# Promises


def test_g7_a_promise_is_an_answer_and_is_owed_itself_until_its_moment(chat, salma):
    by = NOON + timedelta(days=2)
    message, promised = chat.promise("نصلحه الثلاثاء", author=salma, key="k1", at=NOON, by=by)
    assert (promised.kind, promised.due_at, promised.owner, promised.words) == (
        "promise",
        by,
        salma,
        "نصلحه الثلاثاء",
    )
    assert promised.conversation == chat
    assert Obligation.objects.get(kind="answer").discharged_by == message
    again = chat.promise("نصلحه الثلاثاء", author=salma, key="k1", at=NOON + A_SECOND, by=by)
    assert again == (message, promised)
    assert promised.is_late(by + A_SECOND)
    assert not promised.is_late(by)


def test_g7_a_promise_that_was_held_is_owed_when_it_is_sent(chat, salma, hamad):
    chat.claim(salma, at=NOON)
    by = NOON + timedelta(days=2)
    with pytest.raises(AnswerHeld) as error:
        chat.promise("الثلاثاء", author=hamad, key="k1", at=NOON, by=by)
    assert not Obligation.objects.filter(kind="promise").exists()
    error.value.held.send(by=salma, at=NOON + A_SECOND)
    promised = Obligation.objects.get(kind="promise")
    assert (promised.owner, promised.due_at) == (hamad, by)


def test_nothing_is_promised_for_the_past(chat, salma):
    with pytest.raises(ValueError, match="moment to come"):
        chat.promise("أمس", author=salma, key="k1", at=NOON, by=NOON)


# Closing, matter


def test_g7_in_a_closed_conversation_nothing_is_answered_or_promised(chat, salma):
    """What was promised there would be kept by nothing, and what goes out there answers nothing that is owed elsewhere."""
    sent = chat.reply("غدا", author=salma, key="k1", at=NOON)
    chat.owed.waive(by=salma, at=NOON)
    chat.close(at=NOON, actor="user:salma")
    Draft.keep(chat, salma, "وأيضا", at=NOON)
    answers = lambda: chat.reply("وأيضا", author=salma, key="k2", at=NOON + A_SECOND)  # noqa: E731
    with pytest.raises(IsClosed):
        answers()
    with pytest.raises(IsClosed):
        chat.promise("x", author=salma, key="k2", at=NOON, by=NOON + timedelta(days=1))
    assert Draft.of(chat, salma) == "وأيضا"
    assert chat.reply("غدا", author=salma, key="k1", at=NOON + A_SECOND) == sent  # sent again after a doubt
    newer = hears(chat.line, chat.address, "ومتى؟").conversation
    with pytest.raises(GoesOnElsewhere) as refused:
        answers()
    assert refused.value.other == newer
    newer.close(at=NOON, actor="user:salma")
    chat.reopen(at=NOON, actor="user:salma")
    assert answers().words == "وأيضا"
    assert Outgoing.objects.count() == 2


def test_g7_a_conversation_is_not_closed_while_something_is_owed_in_it(chat, salma):
    with pytest.raises(StillOwed) as refused:
        chat.close(at=NOON, actor="user:salma")
    assert refused.value.what == "answer"
    chat.owed.waive(by=salma, at=NOON)
    _message, promised = chat.promise("غدا", author=salma, key="k1", at=NOON, by=NOON + timedelta(days=1))
    with pytest.raises(StillOwed) as refused:
        chat.close(at=NOON, actor="user:salma")
    assert refused.value.what == "promise"
    promised.done(at=NOON, actor="user:salma")
    chat.claim(salma, at=NOON)
    with pytest.raises(AnswerHeld) as error:
        chat.reply("وأيضا", author=an_employee("omar"), key="k2", at=NOON)
    with pytest.raises(StillOwed, match="one held answer is open"):
        chat.close(at=NOON, actor="user:salma")
    error.value.held.drop(by=salma, at=NOON)
    chat.close(at=NOON + A_SECOND, actor="user:salma")
    chat.close(at=NOON + 2 * A_SECOND, actor="user:salma")
    chat.refresh_from_db()
    assert chat.closed_at == NOON + A_SECOND
    assert Entry.objects.filter(action="conversation.closed").count() == 1
    assert not Claim.objects.exists()


def test_a_conversation_is_not_closed_while_a_case_is_open_in_it(chat, salma):
    chat.owed.waive(by=salma, at=NOON)
    Case.open("visit", "لم يأت", at=NOON, actor="user:salma", origin=Case.Origin.EMPLOYEE, conversation=chat)
    with pytest.raises(StillOwed) as refused:
        chat.close(at=NOON, actor="user:salma")
    assert refused.value.what in {"case", "work"}


def test_what_is_written_after_the_closing_opens_another_conversation(chat, salma):
    chat.owed.waive(by=salma, at=NOON)
    chat.close(at=NOON, actor="user:salma")
    message = hears(chat.line, chat.address, "عاد العطل", at=NOON + timedelta(days=1))
    assert message.conversation != chat
    assert message.conversation.contact == chat.contact


def test_what_a_conversation_is_about_is_on_record(chat):
    chat.is_about("complaint", at=NOON, actor="user:salma")
    chat.is_about("complaint", at=NOON, actor="user:salma")
    entry = Entry.objects.get(action="conversation.matter_set")
    assert entry.facts == {"from": "", "to": "complaint"}
    with pytest.raises(ValueError, match="weather"):
        chat.is_about("weather", at=NOON, actor="user:salma")


# Canned answers


def test_a_canned_answer_is_in_the_customers_language_with_its_variables_filled_in(chat, salma, settings):
    settings.UTILITY_NAME = "شركة المثال"
    salma.first_name = "سلمى"
    canned = CannedAnswer.objects.create(
        shortcut="hello",
        title="Greeting",
        text_ar="أهلا {name}، معك {agent} من {utility}. {unknown} {name.__class__}",
        text_en="Hello {name}, this is {agent} of {utility} on {line}.",
    )
    assert canned.filled(chat, salma) == "أهلا سالم، معك سلمى من شركة المثال. {unknown} {name.__class__}"
    chat.language = "en"
    assert canned.filled(chat, salma) == "Hello سالم, this is سلمى of شركة المثال on Service."


def test_canned_answers_of_other_queues_are_not_offered(chat, queue):
    other = a_queue(name="Billing")
    for shortcut, whose in (("hello", None), ("help", queue), ("heat", other)):
        CannedAnswer.objects.create(shortcut=shortcut, title="t", text_ar="س", text_en="e", queue=whose)
    assert [one.shortcut for one in CannedAnswer.matching("he", [queue])] == ["hello", "help"]
