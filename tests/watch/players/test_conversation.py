"""Whether what came in a chat is an answer, and how long it took."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.journeys.steps import Heard
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.conversation import GRACE, Conversation, News, same
from rasd.watch.players.finding import Trouble

ANY, PERSON = Heard(), Heard(person=True)
DEPARTMENT = "لقد أرسلنا بريدا إلى القسم المختص وسيتم الرد عليكم في أقرب وقت، المرجع {}"


class Chat(Conversation):
    """Messages by themselves, a second after one another."""

    def __init__(self) -> None:
        super().__init__(datetime(2026, 9, 1, 8, tzinfo=UTC), began_at=100.0)
        self.now, self.news = 100.0, []

    def he(self, words: str) -> "Chat":
        self.now += 1
        self.he_says(words, self.now)
        return self

    def it(self, words: str, *, person: bool = False, settled: bool = True) -> "Chat":
        self.now += 1
        self.news.append(News(str(len(self.news)), self.now, words, settled))
        self.learn(self.news, self.now if person else None)
        return self

    def vain(self, wanted: Heard, *, after: float = 0.0, over: bool = False) -> CannotPlay | None:
        return self.in_vain(wanted, self.now + after, over)


def test_an_answer_is_what_came_after_he_spoke_and_is_heard_once() -> None:
    chat = Chat().it("Welcome").he("Hello").it("Hi").it("How can I help?")
    assert [line.words for line in (chat.answer(ANY), chat.answer(ANY)) if line] == ["Hi", "How can I help?"]
    assert chat.answer(ANY) is None


def test_what_came_just_before_he_spoke_and_was_seen_after_is_no_answer() -> None:
    chat = Chat().he("Hello")
    chat.learn([News("late", chat.now - 0.2, "Welcome")])
    assert chat.answer(ANY) is None
    assert [line.words for line in chat.lines] == ["Welcome", "Hello"]


def test_a_greeting_can_be_waited_for_before_anything_was_said() -> None:
    chat = Chat().it("Welcome")
    assert chat.answer(ANY)
    assert chat.facts(ANY) == {"first_answer": 1.0}


def test_words_that_he_waits_for_may_come_after_others() -> None:
    chat = Chat().he("Bill?").it("One moment").it("It is 12.500")
    line = chat.answer(Heard(words="12", keep={"amount": r"[\d.]+"}))
    assert line
    assert chat.kept(line, Heard(keep={"amount": r"[\d.]+"})) == {"amount": "12.500"}


def test_an_answer_that_is_still_being_written_is_not_read_yet_but_its_time_counts() -> None:
    chat = Chat().he("Bill?").it("It", settled=False)
    assert chat.answer(ANY) is None
    assert chat.vain(Heard(words="12"), over=True).trouble is Trouble.OTHER_WORDS  # type: ignore[union-attr]
    chat.now += 5
    chat.learn([News("0", chat.now - 5, "It is 12.500")])
    assert chat.answer(ANY)
    assert chat.facts(ANY) == {"first_answer": 1.0}


def test_an_answer_of_his_last_second_counts_though_it_may_not_be_whole() -> None:
    chat = Chat().he("Bill?").it("It is 12", settled=False)
    assert chat.answer(Heard(words="12"), time_is_over=True)


def test_the_time_to_the_first_answer_is_told_once_for_each_thing_he_said() -> None:
    chat = Chat().he("Hello").it("Hi").it("How can I help?")
    told = []
    for _ in range(2):
        chat.answer(ANY)
        told.append(chat.facts(ANY))
    chat.he("A bill")
    assert [*told, chat.facts(ANY)] == [{"first_answer": 1.0}, {}, {"first_answer": None}]


def test_a_person_is_known_by_the_words_that_only_then_stand_there() -> None:
    chat = Chat().he("A person").it("One moment")
    assert chat.answer(PERSON) is None
    chat.it("Salim has joined", person=True).it("How can I help?")
    first = chat.answer(PERSON)
    assert first
    assert first.words == "Salim has joined"
    assert chat.facts(PERSON) == {"first_answer": 1.0, "person": 2.0}
    assert [line.who for line in chat.lines] == ["he", "machine", "person", "person"]


def test_waiting_in_vain_is_told_as_that() -> None:
    chat = Chat().he("Hello")
    assert chat.vain(ANY) is None
    silent = chat.vain(ANY, over=True)
    assert silent
    assert (silent.trouble, silent.facts) == (Trouble.NO_ANSWER, {"gave_up": True})
    chat.it("One moment")
    assert chat.facts(PERSON) == {"first_answer": 1.0, "person": None}
    no_person = chat.vain(PERSON, over=True)
    assert no_person
    assert no_person.trouble is Trouble.NO_ANSWER
    assert str(no_person) == "no person came; the last answer was “One moment”"


def test_an_answer_to_something_else_is_other_words() -> None:
    chat = Chat().he("Bill?").it("Buy our new tariff")
    other = chat.vain(Heard(words="bill"), over=True)
    assert other
    assert (other.trouble, "gave_up" in other.facts) == (Trouble.OTHER_WORDS, False)


def test_we_have_sent_an_e_mail_to_the_department_for_ever_is_a_loop() -> None:
    chat = Chat().he("أين طلبي؟").it(DEPARTMENT.format(4711))
    assert chat.answer(ANY)
    chat.he("ما الجديد؟").it(DEPARTMENT.format(4712))
    assert chat.answer(ANY) is None
    assert chat.vain(ANY, after=GRACE - 1) is None
    loop = chat.vain(ANY, after=GRACE + 1)
    assert loop
    assert loop.trouble is Trouble.LOOP
    assert str(loop).startswith("the same answer, 2 times now: “لقد أرسلنا")


def test_whoever_waits_for_certain_words_is_in_a_loop_at_the_third_time_at_once() -> None:
    chat = Chat()
    wanted = Heard(words="التذكرة")
    for n in (1, 2):
        chat.he("؟").it(DEPARTMENT.format(n))
        assert chat.vain(wanted) is None
    chat.he("؟").it(DEPARTMENT.format(3))
    loop = chat.vain(wanted)
    assert loop
    assert loop.trouble is Trouble.LOOP


def test_words_that_he_waits_for_are_an_answer_however_often_they_come() -> None:
    chat = Chat()
    for _ in range(4):
        chat.he("0").it("Main menu: 1 bills, 2 complaints")
        assert chat.answer(Heard(words="Main menu"))


def test_please_wait_again_and_again_is_waited_through_for_a_person_to_the_end() -> None:
    chat = (
        Chat()
        .he("A person")
        .it("All our agents are busy")
        .it("All our agents are busy")
        .it("All our agents are busy")
    )
    assert chat.vain(PERSON, after=60) is None
    loop = chat.vain(PERSON, over=True)
    assert loop
    assert (loop.trouble, loop.facts) == (Trouble.LOOP, {"gave_up": True})


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("تم إرسال طلبك.", "تَمّ إرسَال طلبِك", True),
        ("We sent it at 10:31 AM", "We sent it at 11:02 AM!", True),
        ("القراءة ٠٤٥٢١؟", "القراءة 04521؟", True),
        ("Is it 04521?", "Is it 04522?", False),
        ("Yes", "No", False),
        ("👍", "👍", True),
        ("👍", "👎", False),
        (DEPARTMENT.format(4711), DEPARTMENT.format(4712), True),
    ],
)
def test_two_answers_are_the_same_where_they_say_the_same(one: str, other: str, alike: bool) -> None:
    assert same(one, other) is alike


@given(st.text(max_size=80))
def test_an_answer_is_the_same_as_itself(words: str) -> None:
    assert same(words, f" {words} ".strip())


def test_what_was_no_message_leaves_no_trace_and_what_was_heard_stays() -> None:
    chat = Chat().he("Hello").it("Hi")
    assert chat.answer(ANY)
    chat.it("Salim is typing")
    chat.learn([])
    assert [line.words for line in chat.lines] == ["Hello", "Hi"]


def test_the_transcript_tells_who_said_what_when_and_no_secret() -> None:
    chat = Chat().he("My PIN is 4711").it("Salim has joined", person=True)
    told: dict[str, Any] = json.loads(chat.transcript(lambda words: words.replace("4711", "•••")))
    assert told == {
        "began": "2026-09-01T08:00:00.000+00:00",
        "lines": [
            {"at": "2026-09-01T08:00:01.000+00:00", "seconds": 1.0, "who": "he", "words": "My PIN is •••"},
            {
                "at": "2026-09-01T08:00:02.000+00:00",
                "seconds": 2.0,
                "who": "person",
                "words": "Salim has joined",
            },
        ],
    }


@given(
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 60), st.sampled_from(["a b", "c d", "e f", ""])), max_size=20
    )
)
def test_in_whatever_order_the_page_tells_it_the_lines_stand_in_the_order_of_time(
    events: list[tuple[bool, float, str]],
) -> None:
    chat = Chat()
    latest = 100.0
    for he, ago, words in events:
        latest += 1
        if he:
            chat.he_says(words, latest)
        else:
            chat.news.append(News(str(len(chat.news)), max(100.0, latest - ago), words))
            chat.learn(chat.news)
        spoke = chat.spoke_at
        answer = chat.answer(ANY)
        assert answer is None or answer.at >= spoke
    assert [line.at for line in chat.lines] == sorted(line.at for line in chat.lines)
