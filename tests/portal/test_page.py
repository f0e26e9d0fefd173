"""The customer's page of a case: what it shows, what can be done on it, and what it guards against (G9, G11)."""

import re
import secrets
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from rasd.channels.models import Delivery, Incoming, Outgoing
from rasd.config import health
from rasd.desk.models import Case, CaseEntry, Conversation, Obligation, Rating
from rasd.ledger.models import Entry
from rasd.portal.models import ALLOWED, WrongAddress
from tests.desk.people import a_chat

NOON = datetime(2026, 11, 22, 8, tzinfo=UTC)  # a Sunday, noon in Muscat
STAGE = Case.Stage


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def salma(db) -> User:
    return User.objects.create_user("salma", first_name="سلمى", last_name="المثال")


@pytest.fixture
def chat(db) -> Conversation:
    return a_chat("en")


@pytest.fixture
def case(chat: Conversation, salma: User) -> Case:
    return Case.open(
        "visit",
        "The inspector did not knock",
        at=NOON,
        actor="user:salma",
        origin="employee",
        conversation=chat,
    )


@pytest.fixture
def page_only(salma: User) -> Case:
    return Case.open("visit", "No bell", at=NOON, actor="user:salma", origin="employee")


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def shown(case: Case, client: Client, **query: str) -> str:
    answer = client.get(case.url, query)
    assert answer.status_code == 200
    return answer.content.decode()


def key_in(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page)
    assert found
    return found[1]


def write(case: Case, client: Client, text: str, key: str = ""):
    return client.post(case.url, {"text": text, "key": key or secrets.token_hex(16)})


def close(case: Case, salma: User, text: str = "We came and knocked.") -> None:
    case.close(text, author=salma, key=secrets.token_hex(4), at=NOON)
    if case.closing_answer.message:
        Outgoing.objects.filter(message=case.closing_answer.message).update(accepted_at=NOON)
        case.settle()
    assert case.stage == STAGE.CLOSED


# What it shows


def test_g9_what_was_promised_stands_under_due_when_until_it_is_kept(case, chat, salma, client, clock):
    chat.promise("We come on Tuesday", author=salma, key="p", at=at(0), by=at(48))
    assert (
        "Promised by \u2068Tuesday 24 November 2026, 12:00\u2069: “\u2068We come on Tuesday\u2069”"
        in shown(case, client)
    )
    clock.move_to(at(49))
    assert "and we are late: “\u2068We come on Tuesday" in shown(case, client)
    chat.promises.get().keep(by=salma, at=at(49), why="a visit")
    assert "Promised by" not in shown(case, client)


def test_g9_it_shows_the_stage_whose_turn_it_is_and_until_when(case: Case, client: Client):
    page = shown(case, client)
    assert case.reference in page
    assert "The inspector did not knock" in page
    assert "It is our turn" in page
    assert "by tomorrow" in page
    assert "Monday 23 November 2026" in page


def test_g9_while_it_is_the_customers_turn_it_says_so_and_our_time_stands_still(case: Case, client: Client):
    case.wait_for_customer(at=at(1), actor="user:salma")
    page = shown(case, client)
    assert "It is your turn" in page
    assert "Our time stands still" in page


def test_it_says_that_we_are_late_where_we_are(case: Case, client: Client, clock):
    clock.shift(timedelta(days=30))
    assert "We are late" in shown(case, client)


def test_it_shows_what_was_said_but_no_note_no_reason_and_no_employees_name(
    case: Case, client: Client, salma
):
    case.say("We are coming on Tuesday.", author=salma, key="1", at=at(1))
    case.note("He is always angry", author=salma, at=at(2))
    case.hand_on(case.work.queue, at=at(3), actor="user:salma", why="the colleague knows the house")
    delivery = Delivery.objects.create(channel="whatsapp", body=b"{}")
    line, address = case.conversation.line, case.conversation.address
    sent = Incoming.objects.create(
        line=line,
        address=address,
        delivery=delivery,
        external_id="w",
        kind="image",
        payload={},
        sent_at=at(3),
    )
    case.hear("", at=at(3), expects_answer=True, message=Conversation.take_in(sent))
    page = shown(case, client)
    assert "We are coming on Tuesday." in page
    assert "You sent a photograph" in page
    for hidden in ("angry", "knows the house", "salma", "سلمى", "المثال"):
        assert hidden not in page


def test_what_was_said_is_shown_as_words_and_never_as_a_part_of_the_page(case: Case, client: Client):
    write(case, client, "<script>alert(1)</script>")
    page = shown(case, client)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("asked", "language", "direction"), [("", "en", "ltr"), ("ar", "ar", "rtl"), ("xx", "en", "ltr")]
)
def test_it_is_in_his_language_with_a_switch(
    case: Case, client: Client, asked: str, language: str, direction: str
):
    answer = client.get(case.url, {"in": asked} if asked else {}, headers={"Accept-Language": "fr"})
    assert f'<html lang="{language}" dir="{direction}">' in answer.content.decode()
    assert ('hreflang="ar"' in answer.content.decode()) is (language == "en")


def test_it_is_kept_by_nobody_and_tells_nobody_where_it_was_read(case: Case, client: Client):
    answer = client.get(case.url)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert not answer.cookies
    page = answer.content.decode()
    assert not re.search(r'(src|href|action)="(https?:)?//', page), "nothing of other sites"
    assert "<script" not in page


# Looking


@pytest.mark.parametrize("how", ["get", "head"])
def test_looking_at_it_changes_nothing_so_a_preview_of_the_link_consumes_nothing(
    case: Case, client: Client, how: str
):
    close_entries = CaseEntry.objects.count()
    before = (Case.objects.values().get(), Entry.objects.count(), close_entries)
    for _time in range(3):
        getattr(client, how)(case.url, {"told": "said", "score": "3", "text": "x", "key": "a" * 32})
    assert (Case.objects.values().get(), Entry.objects.count(), CaseEntry.objects.count()) == before


# Writing


def test_g7_what_he_writes_is_in_the_case_runs_the_clock_and_is_owed_an_answer(
    case: Case, client: Client, salma
):
    case.take_up(at=NOON, actor="user:salma")
    case.wait_for_customer(at=NOON, actor="user:salma")
    answer = write(case, client, "The blue door.")
    assert answer.status_code == 303
    case.refresh_from_db()
    assert case.stage == STAGE.WORKING
    assert case.work.running_since == NOON
    assert case.answer_owed.owner == salma
    assert case.answer_owed.queue == case.work.queue
    page = client.get(answer["Location"]).content.decode()
    assert "Your message has arrived" in page
    assert "The blue door." in page


def test_g7_what_we_say_then_stands_on_the_page_and_discharges_it(case: Case, client: Client, salma):
    write(case, client, "When?")
    owed = case.answer_owed
    case.say("On Tuesday.", author=salma, key="1", at=at(1))
    owed.refresh_from_db()
    assert owed.discharged_at == at(1)
    assert "On Tuesday." in shown(case, client)


def test_who_says_thank_you_is_owed_nothing(case: Case, client: Client):
    write(case, client, "Thank you")
    assert case.answer_owed is None


def test_sent_twice_it_is_there_once(case: Case, client: Client):
    key = key_in(shown(case, client))
    for _time in range(2):
        assert write(case, client, "The blue door.", key).status_code == 303
    assert case.entries.filter(kind="heard").count() == 1


def test_other_words_with_the_same_key_are_not_lost(case: Case, client: Client):
    key = key_in(shown(case, client))
    write(case, client, "The blue door.", key)
    write(case, client, "The blue door, upstairs.", key)
    assert [each.text for each in case.entries.filter(kind="heard")] == [
        "The blue door.",
        "The blue door, upstairs.",
    ]


@pytest.mark.parametrize(
    ("text", "words"), [("", "write something"), (" \n ", "write something"), ("x" * 2001, "too long")]
)
def test_what_cannot_be_taken_stays_in_the_form_with_what_to_mend(
    case: Case, client: Client, text: str, words: str
):
    answer = write(case, client, text)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert words in page
    assert text.strip() in page
    assert not case.entries.filter(kind="heard").exists()


def test_a_form_without_its_key_is_sent_once_more_and_nothing_typed_is_lost(case: Case, client: Client):
    answer = client.post(case.url, {"text": "The blue door."})
    assert answer.status_code == 422
    assert "The blue door.</textarea>" in answer.content.decode()


def test_nul_and_line_ends_of_browsers_are_taken_as_meant(case: Case, client: Client):
    write(case, client, "one\r\ntwo\0")
    assert case.entries.get(kind="heard").text == "one\ntwo"


def test_nobody_floods_the_desk(case: Case, client: Client, clock):
    for number in range(20):
        assert write(case, client, f"line {number}").status_code == 303
    answer = write(case, client, "one more")
    assert answer.status_code == 429
    assert "one more</textarea>" in answer.content.decode()
    clock.shift(timedelta(hours=2))
    assert write(case, client, "one more").status_code == 303


# Closed


def test_g11_a_case_without_a_conversation_is_answered_on_its_page(page_only: Case, client: Client, salma):
    write(page_only, client, "Please answer here.")
    page_only.refresh_from_db()
    close(page_only, salma, "There is a bell now.")
    page = shown(page_only, client, **{"in": "en"})
    assert "There is a bell now." in page
    assert "This request is closed" in page


def test_g11_writing_within_14_days_opens_it_again(case: Case, client: Client, salma, clock):
    close(case, salma)
    clock.shift(timedelta(days=14))
    assert "your message opens this request again" in shown(case, client)
    write(case, client, "Nobody came.")
    case.refresh_from_db()
    assert case.stage == STAGE.OPEN
    assert case.work is not None
    assert case.answer_owed is not None


def test_g11_writing_later_opens_a_new_one_and_leads_to_its_page(case: Case, client: Client, salma, clock):
    close(case, salma)
    clock.shift(timedelta(days=14, seconds=1))
    assert "your message opens a new one" in shown(case, client)
    key = key_in(shown(case, client))
    answers = [write(case, client, "The bell is broken again.", key) for _time in range(2)]
    new = Case.objects.latest("pk")
    assert Case.objects.count() == 2
    assert [each["Location"].partition("?")[0] for each in answers] == [new.url] * 2
    assert "We have opened a new request" in client.get(answers[0]["Location"]).content.decode()
    assert (new.origin, new.contact, new.conversation) == ("customer", case.contact, case.conversation)
    write(case, client, "And nobody comes.")
    assert Case.objects.count() == 2, (
        "what is written on the old page goes into the new one while that is open"
    )


def test_g11_it_is_rated_by_one_press_and_a_free_word_and_the_last_one_counts(
    case: Case, client: Client, salma
):
    close(case, salma)
    answer = client.post(case.url, {"score": "1", "words": "too late"})
    assert answer.status_code == 303
    client.post(case.url, {"score": "3"})
    assert (case.rating.score, case.rating.words) == (Rating.Score.SOLVED, "too late")
    assert Rating.objects.count() == 1
    assert case.was_solved


@pytest.mark.parametrize("score", ["0", "4", "x", "-1", "²", "9" * 400])
def test_no_other_score_counts(case: Case, client: Client, salma, score: str):
    close(case, salma)
    assert client.post(case.url, {"score": score}).status_code == 422
    assert case.rating is None


def test_what_is_not_closed_yet_cannot_be_rated(case: Case, client: Client):
    assert client.post(case.url, {"score": "3"}).status_code == 422
    assert not Rating.objects.exists()


# Its address


@pytest.mark.parametrize("token", ["nope", "a" * 23, "a" * 500, "ض", "x/y", "..", "%00"])
def test_an_address_that_leads_nowhere_is_always_answered_the_same(case: Case, client: Client, token: str):
    first, this = client.get("/t/zzz"), client.get(f"/t/{token}")
    assert this.status_code == 404
    assert this.content == first.content
    assert "write to us" in this.content.decode()
    assert this["Cache-Control"] == "no-store"


def test_guesses_are_limited_for_each_network_and_counted(case: Case, client: Client, clock):
    for number in range(ALLOWED):
        assert client.get(f"/t/guess{number}").status_code == 404
    refused = client.get("/t/guess")
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    assert client.get(case.url).status_code == 200, (
        "who has a right one shares the network with whoever guesses"
    )
    assert write(case, client, "The blue door.").status_code == 303
    assert client.get("/t/guess", REMOTE_ADDR="192.0.2.7").status_code == 404
    assert f"rasd_portal_wrong_addresses {float(ALLOWED + 1)}" in health.metrics(None).content.decode()
    clock.shift(timedelta(minutes=15))
    assert client.get("/t/guess").status_code == 404


def test_one_network_of_ipv6_is_one_guesser(case: Case, client: Client):
    for number in range(ALLOWED):
        client.get("/t/guess", REMOTE_ADDR=f"2001:db8::{number:x}")
    assert client.get("/t/guess", REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert client.get("/t/guess", REMOTE_ADDR="2001:db8:0:1::1").status_code == 404
    assert WrongAddress.objects.count() == 2


def test_a_renewed_address_says_of_the_old_one_that_it_was_replaced(case: Case, client: Client):
    old = case.url
    case.renew_link(at=NOON, actor="user:salma", why="shown to a neighbour")
    answer = client.get(old)
    assert answer.status_code == 410
    assert "This page has a new address" in answer.content.decode()
    assert case.reference not in answer.content.decode()
    assert case.token not in answer.content.decode()
    assert client.post(old, {"text": "x", "key": "a" * 32}).status_code == 410
    assert client.get(case.url).status_code == 200
    assert Entry.objects.filter(action="case.link", why="shown to a neighbour").exists()


def test_the_address_stands_in_no_log(case: Case, client: Client, caplog):
    client.get(case.url)
    client.post(case.url, {"text": ""})
    assert "/t/…" in caplog.text
    assert case.token not in caplog.text


def test_the_ledger_keeps_none_of_the_customers_words(case: Case, client: Client):
    write(case, client, "The blue door.")
    entry = Entry.objects.get(action="case.heard")
    assert entry.actor == "customer:tel:+96890000001"
    assert "blue" not in str(entry.facts)
    assert Obligation.objects.get(kind="answer").words == "The blue door."


def test_the_foot_names_the_zones_city_in_his_language(case: Case, client: Client):
    with translation.override("ar"):
        city = translation.gettext("Muscat")
    assert f"بتوقيت {city}." in shown(case, client, **{"in": "ar"})
    assert "Times are those of Muscat." in shown(case, client)
