"""What the customer hears, message by message, through the real webhook, inbox, rules and outbox."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bench._files import pdf_bill
from django.contrib.auth.models import User
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.models import Address, Outgoing
from rasd.desk.models import HandOver, Obligation
from rasd.flows.arrival import Arrival
from rasd.flows.identity import TRIES_OF_ONE
from rasd.flows.jobs import FAILURES_ALLOWED
from rasd.ledger import evidence
from rasd.ledger.models import Entry, verify
from rasd.metering.models import Account, AccountContact, Adoption, Review, ServicePoint, Submission
from rasd.metering.tracing import trace
from tests.flows.conftest import NOON, PHONE, Customer, World, make_point, shows, unreadable
from tests.jobs import do_jobs

pytestmark = pytest.mark.django_db


def words(answers: list[Outgoing]) -> str:
    return "\n".join(answer.text for answer in answers).replace("\u2068", "").replace("\u2069", "")


def ids(answer: Outgoing) -> list[str]:
    return [choice["id"].partition(":")[0] for choice in answer.buttons]


def in_english(customer: Customer) -> None:
    customer.says("hello, can you hear me?")


# A photograph


def test_a_sure_photograph_is_adopted_and_answered_with_what_it_means(
    customer: Customer, point: ServicePoint
):
    in_english(customer)
    answers = customer.sends_photograph(shows("04480"))
    assert len(answers) == 1
    adoption = Adoption.objects.get()
    assert adoption.reading.value == 4480
    assert "4480 kWh is adopted" in words(answers)
    assert "30 days ago: 310 kWh" in words(answers) or "31 days ago: 310 kWh" in words(answers)
    assert "this month last year" in words(answers)
    assert adoption.receipt in words(answers)


def test_g4_an_adopted_value_is_traced_to_its_photograph_its_model_and_its_ledger_entry(
    customer: Customer, point: ServicePoint
):
    customer.sends_photograph(shows("04480"))
    traced = trace(Adoption.objects.get())
    assert "played" in str(traced)
    assert Submission.objects.get().photographs.get().sha256 in str(traced)
    assert Entry.objects.filter(action="reading.adopted").exists()
    assert verify() is None


def test_g3_unsure_it_asks_with_buttons_and_adopts_on_yes(customer: Customer, point: ServicePoint):
    in_english(customer)
    [question] = customer.sends_photograph(shows("04480", 0.9))
    assert "04480" in question.text
    assert ids(question) == ["yes", "no", "person"]
    assert not Adoption.objects.exists()
    [answer] = customer.presses("yes")
    assert "is adopted" in answer.text
    assert Adoption.objects.get().actor == f"customer:tel:+{PHONE}"


@pytest.mark.parametrize("yes", ["yes", "نعم", "اي نعم", "correct"])
def test_a_typed_yes_is_as_good_as_the_button(customer: Customer, point: ServicePoint, yes: str):
    customer.sends_photograph(shows("04480", 0.9))
    customer.says(yes)
    assert Adoption.objects.get().reading.value == 4480


def test_no_asks_for_the_number_and_the_typed_one_is_adopted(customer: Customer, point: ServicePoint):
    in_english(customer)
    customer.sends_photograph(shows("04480", 0.9))
    [question] = customer.presses("no")
    assert "type the number" in question.text
    customer.says("٠٤٤٩٠")
    assert Adoption.objects.get().reading.value == 4490


def test_another_number_typed_instead_of_yes_counts(customer: Customer, point: ServicePoint):
    customer.sends_photograph(shows("04480", 0.9))
    customer.says("القراءة ٤٤٩٠")
    assert Adoption.objects.get().reading.value == 4490


def test_an_implausible_number_goes_to_a_person_not_into_the_bill(customer: Customer, point: ServicePoint):
    customer.sends_photograph(shows("04480", 0.9))
    customer.presses("no")
    customer.says("94480")
    assert not Adoption.objects.exists()
    assert Review.objects.filter(closed_at=None).count() == 1


@pytest.mark.parametrize(
    ("code", "heard"),
    [
        ("too_dark", "too dark"),
        ("blurred", "blurred"),
        ("glare", "reflection"),
        ("cut_off", "cut off"),
        ("no_meter", "no meter"),
    ],
)
def test_a_bad_picture_is_asked_for_again_with_what_was_wrong(
    customer: Customer, point: ServicePoint, code: str, heard: str
):
    in_english(customer)
    [answer] = customer.sends_photograph(unreadable(code))
    assert heard in answer.text
    assert not Adoption.objects.exists()
    like_this = customer.world.sent[-1]["interactive"]["header"]["image"]["sha256"]
    assert evidence.fetch(like_this).startswith(b"\xff\xd8"), "a picture shows how"


def test_a_third_bad_picture_goes_to_a_person(customer: Customer, point: ServicePoint):
    for _ in range(3):
        customer.sends_photograph(unreadable("blurred"))
        customer.clock.shift(timedelta(minutes=5))
    assert Review.objects.filter(closed_at=None).count() == 1


def test_several_photographs_in_one_go_are_one_submission_and_one_answer(
    customer: Customer, point: ServicePoint
):
    pictures = [customer.photograph(shows("04480")) for _ in range(4)]
    answers = customer.sends(*pictures)
    assert Submission.objects.count() == 1
    assert Submission.objects.get().photographs.count() == 4
    assert len(answers) == 1


def test_a_photograph_sent_after_the_answer_gets_an_answer_of_its_own(
    customer: Customer, point: ServicePoint
):
    in_english(customer)
    customer.sends_photograph(shows("04480"))
    [answer] = customer.sends_photograph(shows("04490"))
    assert "Shall 4490 kWh replace it?" in words([answer])
    assert Submission.objects.count() == 2


def test_one_that_only_arrives_after_the_answer_is_evidence(customer: Customer, point: ServicePoint):
    sent = timezone.now()
    customer.sends_photograph(shows("04480"), at=sent)
    assert customer.sends_photograph(shows("04480"), at=sent) == []
    assert Submission.objects.get().photographs.count() == 2


def test_g6_a_delivery_repeated_changes_nothing(customer: Customer, point: ServicePoint):
    picture = customer.photograph(shows("04480"))
    customer.sends(picture)
    customer.sent -= 1  # Meta repeats: the same message id again
    assert customer.sends(picture) == []
    assert Adoption.objects.count() == 1


# The window (G1)


def test_g1_a_photograph_sent_in_the_window_counts_whenever_we_got_round_to_it(
    customer: Customer, point: ServicePoint
):
    sent = datetime(2026, 11, 25, 19, 59, tzinfo=UTC)  # a minute to midnight in Muscat on the last day
    customer.clock.move_to(sent + timedelta(hours=30))
    customer.sends_photograph(shows("04480"), at=sent)
    assert Adoption.objects.get().reading.taken_at == sent


def test_g1_outside_the_window_it_is_kept_and_answered_with_the_dates(
    customer: Customer, point: ServicePoint
):
    in_english(customer)
    sent = datetime(2026, 11, 25, 20, 0, tzinfo=UTC)  # midnight in Muscat: the 26th
    customer.clock.move_to(sent)
    [answer] = customer.sends_photograph(shows("04480"), at=sent)
    assert "15 November" in answer.text
    assert "25 November" in answer.text
    assert not Adoption.objects.exists()
    assert Submission.objects.get().photographs.count() == 1


# Already adopted


def test_a_second_reading_of_the_month_asks_whether_it_replaces(customer: Customer, point: ServicePoint):
    in_english(customer)
    customer.sends_photograph(shows("04480"))
    customer.clock.shift(timedelta(hours=3))
    [question] = customer.sends_photograph(shows("04490"))
    assert "Shall 4490 kWh replace it?" in words([question])
    customer.presses("replace")
    standing = Adoption.objects.get(superseded_at=None)
    assert standing.reading.value == 4490
    assert Adoption.objects.count() == 2, "the one that it replaced is history, not gone"


def test_the_same_reading_again_is_only_confirmed(customer: Customer, point: ServicePoint):
    in_english(customer)
    customer.sends_photograph(shows("04480"))
    customer.clock.shift(timedelta(hours=3))
    [answer] = customer.sends_photograph(shows("04480"))
    assert "already adopted" in answer.text
    assert Adoption.objects.count() == 1


# Typed numbers


@pytest.mark.parametrize("text", ["4480", "٤٤٨٠", "القراءة ٤٤٨٠", "0 4 4 8 0", "reading is 4,480 kWh"])
def test_a_typed_number_counts_too(customer: Customer, point: ServicePoint, text: str):
    customer.says(text)
    assert Adoption.objects.get().reading.value == 4480


def test_the_point_of_a_typed_number_is_kept(customer: Customer, point: ServicePoint):
    customer.says("٤٤٨٠٫٥")
    assert Submission.objects.get().typed == "4480.5"


def test_a_typed_number_is_not_called_a_photograph(customer: Customer, point: ServicePoint):
    in_english(customer)
    assert "You typed 09999" in words(customer.says("9999"))
    customer.presses("yes")
    told = words(list(Outgoing.objects.order_by("pk")))
    assert "photograph" not in told.rpartition("You typed")[2]


def test_all_the_digits_of_a_counter_answer_a_question_about_tenths(customer: Customer, account: Account):
    AccountContact.objects.create(account=account, identifier=f"tel:+{PHONE}")
    point = make_point(1, account)
    point.current_register.__class__.objects.update(decimals=1)
    customer.sends_photograph(replace(shows("044806", 0.9), decimals=1, value=Decimal("4480.6")))
    customer.presses("no")
    customer.says("044807")
    assert Adoption.objects.get().reading.value == Decimal("4480.7")


def test_a_lower_number_may_replace_this_months_own(customer: Customer, point: ServicePoint):
    customer.sends_photograph(shows("04490"))
    customer.clock.shift(timedelta(hours=3))
    customer.says("4480")
    customer.presses("replace")
    assert Adoption.objects.get(superseded_at=None).reading.value == 4480


def test_a_neighbours_meter_is_told_from_ones_own(customer: Customer, account: Account, point: ServicePoint):
    in_english(customer)
    other = Account.objects.create(number="100300", holder_name="زائر التجريبي")
    make_point(37, other)
    [answer] = customer.sends_photograph(replace(shows("04480"), serials=("E00000037",)))
    assert "not that of your meter, E00000001" in words([answer])


def test_an_unusual_typed_number_is_asked_about(customer: Customer, point: ServicePoint):
    [question] = customer.says("9999")
    assert ids(question)[0] == "yes"
    assert not Adoption.objects.exists()


# Who is writing?


def test_several_service_points_make_a_list_to_choose_from(
    customer: Customer, account: Account, point: ServicePoint
):
    second = make_point(2, account)
    in_english(customer)
    [question] = customer.sends_photograph(shows("04480"))
    assert question.kind == Outgoing.Kind.CHOICES
    assert len(question.buttons) == 2
    customer.presses(second.place)
    assert Adoption.objects.get().service_point == second


def test_an_old_lists_row_changes_nothing_and_is_answered(
    customer: Customer, account: Account, point: ServicePoint
):
    second = make_point(2, account)
    in_english(customer)
    customer.sends_photograph(shows("04480"))
    customer.presses(second.place)
    [answer] = customer.presses(point.place)
    assert "already adopted" in answer.text
    assert Adoption.objects.get().service_point == second


def test_a_stranger_proves_his_account_by_number_and_name(customer: Customer, account: Account):
    point = make_point(1, account)
    in_english(customer)
    [question] = customer.sends_photograph(shows("04480"))
    assert "account number" in question.text
    [question] = customer.says("100200")
    assert "name" in question.text
    customer.says("سالم أحمد التجريبي")
    assert AccountContact.objects.get().known == AccountContact.Known.NAME
    assert Adoption.objects.get().service_point == point


def test_an_account_that_is_not_there_and_a_wrong_name_are_told_apart_by_nothing(
    customer: Customer, account: Account
):
    make_point(1, account)
    in_english(customer)
    customer.sends_photograph(shows("04480"))
    heard = []
    for number in ("999999", "100200"):
        heard.append(words(customer.says(number)))
        heard.append(words(customer.says("Khalid bin Said")))
    assert "full name" in heard[0]
    assert heard[0] == heard[2]
    assert "does not match what we have" in heard[1]
    assert heard[1].replace("4 more", "3 more") == heard[3]
    assert not AccountContact.objects.exists()


def test_tries_are_few_and_end_with_a_person(customer: Customer, account: Account):
    make_point(1, account)
    customer.sends_photograph(shows("04480"))
    for _ in range(TRIES_OF_ONE):
        customer.says("100200")
        customer.says("خالد بن سعيد")
    assert customer.conversation.is_with_people
    assert not AccountContact.objects.exists()


def test_a_number_that_came_to_a_new_person_brings_nothing_of_the_one_who_had_it(
    customer: Customer, account: Account, point: ServicePoint
):
    in_english(customer)
    AccountContact.objects.update(since=NOON - timedelta(days=400))
    Address.objects.update(phone_moved_at=NOON)
    [question] = customer.sends_photograph(shows("04480"))
    assert "account number" in question.text
    customer.says("100200")
    customer.says("Salem Ahmed Al Tajribi")
    assert Adoption.objects.get().service_point == point, "proven again, it is theirs"


def test_a_sender_with_a_user_id_and_no_number_is_served_alike(
    customer: Customer, account: Account, line, world: World
):
    point = make_point(1, account)
    stranger = Customer(world, customer.client, customer.clock, phone="", user_id="OM.13491208655302741918")
    stranger.sends_photograph(shows("04480"))
    stranger.says("100200")
    stranger.says("سالم أحمد التجريبي")
    assert Adoption.objects.get().service_point == point
    assert AccountContact.objects.get().identifier == "whatsapp:OM.13491208655302741918"


# People


@pytest.mark.parametrize(
    "text", ["موظف", "ابغى اكلم موظف", "agent", "human please", "عايز أكلم حد من خدمة العملاء"]
)
def test_g8_whoever_asks_for_a_human_is_in_a_humans_queue_at_once(
    customer: Customer, point: ServicePoint, text: str
):
    [told] = customer.says(text)
    assert customer.conversation.is_with_people
    owed = Obligation.objects.get()
    assert owed.message.incoming.text == text
    assert owed.due_at > owed.since
    assert "1" in told.text, "the place"
    assert "30" in told.text, "the time, in minutes"


def test_g8_no_robot_speaks_again_unless_the_customer_wants_it(customer: Customer, point: ServicePoint):
    in_english(customer)
    customer.says("agent please")
    assert customer.sends_photograph(shows("04480")) == []
    assert customer.says("4480") == []
    assert customer.says("hello?") == []
    assert Adoption.objects.get().reading.value == 4480, "what was sent is read all the same"
    assert customer.conversation.messages.exclude(note="").exists(), "and staff see what came of it"
    [again] = customer.presses("robot")
    assert "automatic service" in again.text
    assert not customer.conversation.is_with_people
    assert customer.says("hello")


def test_g7_only_an_answer_that_the_customer_could_receive_discharges(
    customer: Customer, point: ServicePoint
):
    clerk = User.objects.create_user("salma")
    customer.says("agent")
    customer.conversation.reply("How can I help?", author=clerk, key="k1", at=timezone.now())
    assert Obligation.objects.get().discharged_at is None, "it lies in the outbox"
    do_jobs()
    assert Obligation.objects.get().discharged_at is not None
    Outgoing.objects.filter(key__endswith=":k1").update(failed_at=timezone.now())
    Obligation.objects.get().settle()
    assert Obligation.objects.get().discharged_at is None, "the channel could not deliver it: owed again"


def test_an_answer_typed_twice_under_one_key_goes_out_once(customer: Customer, point: ServicePoint):
    clerk = User.objects.create_user("salma")
    customer.says("agent")
    for _ in range(2):
        customer.conversation.reply("How can I help?", author=clerk, key="k1", at=timezone.now())
    do_jobs()
    assert [body["text"]["body"] for body in customer.world.sent if "text" in body].count(
        "How can I help?"
    ) == 1


def test_two_misunderstandings_in_a_row_bring_a_person(customer: Customer, point: ServicePoint):
    customer.says("why is the sky so blue these days?")
    assert not customer.conversation.is_with_people
    customer.says("and why is the sea so salty?")
    assert customer.conversation.standing_hand_over.wish == HandOver.Wish.MACHINE


def test_a_thank_you_is_owed_nothing(customer: Customer, point: ServicePoint):
    customer.sends_photograph(shows("04480"))
    assert customer.says("شكرا جزيلا") == []
    assert not Obligation.objects.exists()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "location", "location": {"latitude": 23.6, "longitude": 58.5}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "X"}, "phones": []}]},
        {"type": "audio", "audio": {"id": "media-a", "mime_type": "audio/ogg"}},
    ],
)
def test_what_only_people_understand_is_theirs_at_once(
    customer: Customer, point: ServicePoint, message: dict
):
    customer.world.files["media-a"] = b"OggS\0" + bytes(100)
    customer.sends(message)
    assert customer.conversation.is_with_people
    assert Obligation.objects.filter(discharged_at=None).count() == 1


def test_g7_what_comes_while_the_answer_is_under_way_is_owed_when_it_is_out(
    customer: Customer, point: ServicePoint
):
    clerk = User.objects.create_user("salma")
    customer.says("agent")
    customer.conversation.reply("How can I help?", author=clerk, key="k1", at=timezone.now())
    customer.deliver({"type": "text", "text": {"body": "And where is my bill, please?"}})
    do_jobs(queues={"inbox", "flows"})
    do_jobs()
    first, second = Obligation.objects.order_by("since")
    assert first.discharged_at is not None
    assert second.discharged_at is None
    assert second.message.incoming.text == "And where is my bill, please?"


def test_g8_who_wants_a_person_while_a_photograph_is_in_review_moves_to_their_queue(
    customer: Customer, point: ServicePoint
):
    customer.sends_photograph(shows("04480", 0.1))
    assert Obligation.objects.get().queue.purpose == "photographs"
    customer.says("agent please")
    owed = Obligation.objects.get()
    assert owed.queue.purpose == "first_line"
    assert owed.due_at <= timezone.now() + timedelta(minutes=30)


def test_g8_with_people_no_robot_says_again_that_one_is_with_people(customer: Customer, point: ServicePoint):
    customer.says("agent please")
    customer.world.files["media-p"] = pdf_bill()
    document = {"id": "media-p", "mime_type": "application/pdf", "filename": "my latest bill.pdf"}
    assert customer.sends({"type": "document", "document": document}) == []
    assert customer.says("agent") == []


def test_neither_ok_nor_a_files_name_changes_the_language(customer: Customer, point: ServicePoint):
    customer.says("السلام عليكم ورحمة الله")
    customer.says("ok")
    assert customer.conversation.language == "ar"
    customer.world.files["media-p"] = pdf_bill()
    document = {"id": "media-p", "mime_type": "application/pdf", "filename": "my latest bill.pdf"}
    customer.sends({"type": "document", "document": document})
    assert customer.conversation.language == "ar"


def test_until_the_customer_writes_the_accounts_language_is_spoken(customer: Customer, point: ServicePoint):
    Account.objects.update(language="en")
    [answer] = customer.sends_photograph(shows("04480"))
    assert "is adopted" in answer.text


def test_what_the_machine_fails_at_becomes_a_persons_and_holds_nobody_up(
    customer: Customer, point: ServicePoint, monkeypatch: pytest.MonkeyPatch
):
    def fails(self: Arrival) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Arrival, "_read_text", fails)
    customer.deliver({"type": "text", "text": {"body": "hello"}})
    with pytest.raises(RuntimeError):
        do_jobs()
    assert customer.conversation.messages.count() == 1, "people see it, whatever becomes of the answer"
    ProcrastinateJob.objects.filter(status="todo").update(attempts=FAILURES_ALLOWED)
    do_jobs()
    assert customer.conversation.is_with_people
    assert Obligation.objects.get().message.incoming.text == "hello"


# A person judges


def reviewed(customer: Customer) -> tuple[Review, User]:
    clerk = User.objects.create_user("salma")
    customer.sends_photograph(shows("04480", 0.1))
    review = Review.claim_next(clerk, timezone.now())
    assert review
    return review, clerk


def test_a_corrected_reading_is_adopted_and_the_customer_told(customer: Customer, point: ServicePoint):
    in_english(customer)
    review, clerk = reviewed(customer)
    assert Obligation.objects.get().queue.purpose == "photographs"
    review.correct(Decimal(4481), clerk, timezone.now())
    customer.clock.shift(timedelta(minutes=2))
    do_jobs()
    told = Outgoing.objects.order_by("-pk").first()
    assert "4481 kWh is adopted" in words([told])
    assert Obligation.objects.get().discharged_at is not None


def test_a_better_photograph_settles_what_a_person_was_still_to_look_at(
    customer: Customer, point: ServicePoint
):
    customer.sends_photograph(shows("04480", 0.1))
    customer.sends_photograph(shows("04490"))
    review = Review.objects.get()
    assert review.outcome == Review.Outcome.WITHDRAWN, "deciding it later would replace the better reading"
    assert Obligation.objects.get().discharged_at is not None
    assert Adoption.objects.get().reading.value == 4490


def test_back_with_the_machine_one_is_told_what_was_settled_meanwhile(
    customer: Customer, point: ServicePoint
):
    in_english(customer)
    customer.says("agent please")
    customer.sends_photograph(shows("04480"))
    told = words(customer.presses("robot"))
    assert "4480 kWh is already adopted" in told
    assert Obligation.objects.get().discharged_at is not None, "nobody owes what the customer no longer wants"


def test_back_with_the_machine_a_reviewer_still_owes_the_review(customer: Customer, point: ServicePoint):
    customer.sends_photograph(shows("04480", 0.1))
    customer.says("agent please")
    customer.presses("robot")
    owed = Obligation.objects.get()
    assert owed.queue.purpose == "photographs"
    assert owed.discharged_at is None


def test_a_typed_number_that_a_person_cannot_settle_asks_for_a_photograph(
    customer: Customer, point: ServicePoint
):
    in_english(customer)
    customer.says("9999")
    customer.presses("yes")
    clerk = User.objects.create_user("salma")
    review = Review.claim_next(clerk, timezone.now())
    assert review
    review.ask_again(clerk, timezone.now(), "asked_again")
    customer.clock.shift(timedelta(minutes=2))
    do_jobs()
    assert "number that you typed could not be settled" in Outgoing.objects.order_by("-pk").first().text


def test_asked_again_by_a_person_the_customer_is_told_why(customer: Customer, point: ServicePoint):
    in_english(customer)
    review, clerk = reviewed(customer)
    review.ask_again(clerk, timezone.now(), "glare")
    customer.clock.shift(timedelta(minutes=2))
    do_jobs()
    assert "reflection" in Outgoing.objects.order_by("-pk").first().text


def test_taken_back_in_time_the_customer_hears_nothing(customer: Customer, point: ServicePoint):
    review, clerk = reviewed(customer)
    before = Outgoing.objects.count()
    review.accept(Decimal(4480), clerk, timezone.now())
    review.undo(clerk, timezone.now())
    customer.clock.shift(timedelta(minutes=2))
    do_jobs()
    assert Outgoing.objects.count() == before
    assert not Adoption.objects.filter(superseded_at=None).exists()


def test_reading_takes_long_the_customer_is_told_to_wait(customer: Customer, point: ServicePoint):
    in_english(customer)
    customer.deliver(customer.photograph(shows("04480")))
    do_jobs(queues={"inbox", "media", "flows", "outbox"}, until=timezone.now() + timedelta(seconds=3))
    assert "I am reading your photograph" in Outgoing.objects.order_by("-pk").first().text


def test_a_photograph_that_never_arrives_is_asked_for_again(customer: Customer, point: ServicePoint):
    in_english(customer)
    message = customer.photograph(shows("04480"))
    customer.world.files[message["image"]["id"]] = b"MZ" + bytes(500)  # a program, whatever it says it is
    [answer] = customer.sends(message)
    assert "I cannot open files of that kind" in answer.text
    assert customer.conversation.messages.filter(incoming__kind="image").exists(), (
        "the message itself is not lost"
    )
