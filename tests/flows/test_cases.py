"""What a customer's messages mean for his cases (G9, G11), and the cases that the machine opens by itself."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone, translation

from rasd.channels.models import Outgoing
from rasd.desk.models import Case, Rating
from rasd.flows import words
from rasd.ledger.models import Entry
from rasd.metering.models import Account, Review
from tests.flows.conftest import Customer, make_point, shows
from tests.jobs import do_jobs

STAGE = Case.Stage


@pytest.fixture(autouse=True)
def address(settings):
    settings.PUBLIC_URL = "https://service.example.om"


@pytest.fixture
def salma(db) -> User:
    return User.objects.create_user("salma")


def the_case() -> Case:
    return Case.objects.latest("pk")


def closed(case: Case, salma: User, key: str = "k") -> Case:
    """With an answer that the channel has taken."""
    case.close("أصلحنا العداد.", author=salma, key=key, at=timezone.now())
    do_jobs()
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED
    return case


def opened_for(customer: Customer) -> Case:
    customer.says("شكوى: العداد خارج البيت مكسور")
    return the_case()


# Opening


@pytest.mark.parametrize(
    "words", ["عندي شكوى على قارئ العداد", "ابغى اشتكي", "I want to complain about the reader"]
)
def test_a_complaint_in_so_many_words_is_a_case_and_its_page_is_told_in_the_customers_language(
    customer: Customer, point, words: str
):
    told = customer.says(words)
    case = the_case()
    assert case.kind.code == "complaint"
    assert case.origin == Case.Origin.CUSTOMER
    assert len(told) == 1
    assert case.reference in told[0].text
    assert f"https://service.example.om/t/{case.token}" in told[0].text.splitlines()
    assert customer.conversation.owed is not None
    assert customer.conversation.owed.queue == case.work.queue


def test_a_title_that_ends_in_a_mark_of_its_own_gets_no_second_one(customer: Customer, point):
    customer.says("I want to complain about the reader")
    case = the_case()
    case.title = "I wrote a…"
    with translation.override("en"):
        first = words.case_opened(case).text.splitlines()[0]
    assert first.replace("\u2068", "").replace("\u2069", "").endswith(f"{case.reference}: “I wrote a…”.")


def test_g8_who_complains_and_wants_a_person_is_told_the_place_in_the_line_as_well(customer: Customer, point):
    told = customer.says("عندي شكوى واريد اكلم موظف")
    assert len(told) == 2
    assert Case.objects.count() == 1
    assert customer.conversation.is_with_people


def test_g8_who_asks_for_a_person_after_his_complaint_is_told_the_place_once(customer: Customer, point):
    customer.says("عندي شكوى على قارئ العداد")
    standing = customer.conversation.standing_hand_over
    assert (standing.wish, customer.conversation.matter) == ("complaint", "complaint")
    assert customer.conversation.owed.matter == "complaint"
    [told] = customer.says("اريد اكلم موظف")
    assert "ورقمك في الانتظار" in told.text
    assert customer.says("اريد موظف") == []


def test_what_a_colleague_said_that_it_is_about_stands_when_the_customer_complains(customer: Customer, point):
    customer.says("السلام عليكم")
    customer.conversation.is_about("document", at=timezone.now(), actor="user:salma")
    customer.says("عندي شكوى")
    assert customer.conversation.matter == "document"


def test_asking_for_the_number_of_a_complaint_is_none(customer: Customer, point):
    customer.says("كم رقم الشكوى؟")
    assert not Case.objects.exists()


def test_without_an_address_of_the_site_no_link_is_told(customer: Customer, point, settings):
    settings.PUBLIC_URL = ""
    told = customer.says("عندي شكوى")
    assert the_case().reference in told[0].text
    assert "/t/" not in told[0].text


def test_the_machine_goes_on_reading_meters_while_a_case_is_open(customer: Customer, point):
    case = Case.open(
        "meter", "عداد", at=timezone.now(), actor="user:x", origin="employee", conversation=_chat(customer)
    )
    told = customer.sends_photograph(shows("04470"))
    assert "4470" in told[-1].text
    assert case.entries.filter(kind="heard").exists(), "it is shown in the case as well"


def _chat(customer: Customer):
    customer.says("شكرا")
    return customer.conversation


# Hearing


def test_g9_what_he_writes_runs_the_clock_again_and_is_shown_in_the_case(customer: Customer, point, salma):
    case = opened_for(customer)
    case.wait_for_customer(at=timezone.now(), actor="user:salma")
    customer.says("هذا رقم العداد مع الصورة")
    case.refresh_from_db()
    assert case.stage == STAGE.WORKING
    assert case.work.running_since is not None
    assert case.entries.filter(kind="heard").last().text == "هذا رقم العداد مع الصورة"


def test_what_he_writes_is_owed_an_answer_by_the_one_who_has_the_case(customer: Customer, point, salma):
    case = opened_for(customer)
    first = customer.conversation.owed
    customer.conversation.reply("نعم", author=salma, key="1", at=timezone.now())
    do_jobs()
    first.refresh_from_db()
    assert first.discharged_at
    case.refresh_from_db()
    case.take_up(at=timezone.now(), actor="user:salma")
    customer.says("متى يأتون؟")
    assert customer.conversation.owed.owner == salma
    given = Entry.objects.get(action="obligation.given", why="has the case")
    assert given.actor == "machine:flows", "he wrote; whose it is was not his to say"


# Closing


def test_g11_it_is_closed_when_the_channel_has_taken_the_answer_and_not_before(
    customer: Customer, point, salma
):
    case = opened_for(customer)
    case.close("أصلحنا العداد.", author=salma, key="k", at=timezone.now())
    assert case.stage == STAGE.ANSWERED
    do_jobs()
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED
    assert case.work is None
    assert customer.conversation.owed is None, "it answers what was owed in the conversation too"
    assert case.closing_answer.text == "أصلحنا العداد."


def test_g11_it_is_rated_by_one_tap(customer: Customer, point, salma):
    case = closed(opened_for(customer), salma)
    answer = Outgoing.objects.latest("pk")
    assert [each["id"] for each in answer.buttons] == [f"rate:{case.pk}:{score}" for score in (3, 2, 1)]
    assert all(len(each["title"]) <= 20 for each in answer.buttons)
    assert customer.conversation.is_with_people
    [told] = customer.presses(f"rate:{case.pk}:3")
    assert "شكرًا لك" in told.text, "a button that was pressed says that it was"
    assert case.rating.score == Rating.Score.SOLVED
    assert customer.conversation.owed is None


def test_a_rating_of_somebody_elses_case_counts_nothing(customer: Customer, point, salma):
    case = closed(opened_for(customer), salma)
    stranger = Customer(customer.world, customer.client, customer.clock, phone="96890000009")
    stranger.sends(
        {
            "type": "interactive",
            "interactive": {
                "type": "button_reply",
                "button_reply": {"id": f"rate:{case.pk}:1", "title": "x"},
            },
        }
    )
    assert case.rating is None


def test_the_free_word_after_a_tap_is_kept_and_does_not_reopen(customer: Customer, point, salma):
    case = closed(opened_for(customer), salma)
    customer.presses(f"rate:{case.pk}:3")
    customer.says("الموظف كان متعاونا جدا")
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED
    assert case.rating.words == "الموظف كان متعاونا جدا"
    assert customer.conversation.owed is not None, (
        "an employee may say that it needs no answer; no machine does"
    )


# Afterwards


def test_g11_a_reply_within_14_days_reopens_it_with_a_fresh_time(customer: Customer, point, salma):
    case = closed(opened_for(customer), salma)
    customer.clock.shift(timedelta(days=13))
    told = customer.says("رجعت المشكلة مرة ثانية")
    case.refresh_from_db()
    assert case.stage == STAGE.OPEN
    assert case.work.since >= timezone.now() - timedelta(minutes=1)
    assert any(case.reference in each.text for each in told)
    assert not case.was_solved
    assert Case.objects.count() == 1


def test_g11_who_says_thank_you_reopens_nothing(customer: Customer, point, salma):
    case = closed(opened_for(customer), salma)
    customer.says("شكرا جزيلا")
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED


@pytest.mark.parametrize("with_people", [False, True])
def test_g11_a_months_reading_reopens_nothing(customer: Customer, point, salma, with_people: bool):
    case = closed(opened_for(customer), salma)
    if not with_people:
        customer.conversation.give_back(at=timezone.now(), actor="user:salma")
    customer.sends_photograph(shows("04470"))
    customer.says("4470")
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED


def test_after_14_days_it_stays_closed(customer: Customer, point, salma):
    case = closed(opened_for(customer), salma)
    customer.clock.shift(timedelta(days=15))
    customer.says("عندي شكوى جديدة")
    case.refresh_from_db()
    assert case.stage == STAGE.CLOSED
    assert Case.objects.count() == 2


def test_the_machine_silent_with_people_still_says_that_the_case_is_open_again(
    customer: Customer, point, salma
):
    case = closed(opened_for(customer), salma)
    assert customer.conversation.is_with_people
    told = customer.says("لم يأت أحد")
    assert [case.reference in each.text for each in told] == [True]


# By a submission's trouble


def test_another_meters_serial_number_for_the_second_time_is_a_case(customer: Customer, point):
    make_point(37, Account.objects.create(number="100300", holder_name="زائر التجريبي"))
    for _time in range(2):
        assert not Case.objects.exists()
        customer.sends_photograph(shows("04470", serials=("E00000037",)))
    case = the_case()
    assert (case.kind.code, case.service_point, case.origin) == ("meter", point.number, "submission")
    customer.sends_photograph(shows("04470", serials=("E00000037",)))
    assert Case.objects.count() == 1


@pytest.mark.parametrize("outcome", ["asked_again", "not_a_meter"])
def test_photographs_in_which_a_person_could_read_nothing_for_the_second_time_are_a_case(
    customer: Customer, point, salma, outcome: str
):
    for time in range(2):
        assert not Case.objects.exists()
        customer.sends_photograph(shows(f"0{time + 1}470", 0.1))
        review = Review.objects.get(closed_at=None)
        if outcome == "asked_again":
            review.ask_again(salma, timezone.now(), "blurred")
        else:
            review.not_a_meter(salma, timezone.now())
        customer.clock.shift(timedelta(minutes=1))
        do_jobs()
    assert (the_case().kind.code, the_case().service_point) == ("meter", point.number)


def test_who_disputes_that_his_reading_came_outside_the_window_has_a_case(customer: Customer, point, cycle):
    customer.clock.shift(timedelta(days=8))
    customer.sends_photograph(shows("04470"))
    told = customer.says("غير صحيح، ارسلتها في الموعد والجهاز كان معطلا")
    case = the_case()
    assert (case.kind.code, case.origin) == ("reading", "submission")
    assert case.reference in told[0].text
    assert customer.conversation.is_with_people
