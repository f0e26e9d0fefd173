"""G3: the machine accepts only what is sure; unsure, it asks the customer or a person; it never rejects."""

from datetime import timedelta
from decimal import Decimal

import pytest

from rasd.metering.models import Adoption, Cycle, Judgement, Review
from rasd.vision import Decision, NotAPhotograph
from tests.metering.house import NOON, SALMA, give_history, make_house, seen

pytestmark = pytest.mark.django_db

ONE_PHOTOGRAPH = {
    "sure": (seen(4300), "accept", "sure"),
    "likely": (seen(4300, 0.8), "confirm", "likely"),
    "too dark": (seen(None, finding="too_dark"), "retake", "too_dark"),
    "hardly anything": (seen(4300, 0.1, finding="blurred"), "retake", "blurred"),
    "no findings either": (seen(None), "retake", "picture"),
    "clear but unusual": (
        seen(9300, 0.999, decision=Decision.CONFIRM, reason="unlikely_for_history"), "confirm", "unlikely_for_history",
    ),
    "the eye wants a person": (seen(4300, 0.4, decision=Decision.REVIEW, reason="unsure"), "review", "unsure"),
    "no picture at all": (NotAPhotograph("damaged"), "retake", "damaged"),
}  # fmt: skip


@pytest.mark.parametrize(("sight", "verdict", "why"), ONE_PHOTOGRAPH.values(), ids=ONE_PHOTOGRAPH)
def test_g3_one_photograph(house, november, send, sight, verdict, why):
    judgement = send(house, sight).judge(NOON)
    assert (judgement.verdict, judgement.why, judgement.actor) == (verdict, why, "machine:reader")


ALBUMS = {
    "the best one wins": ([seen(None, finding="blurred"), seen(4300)], "accept", 4300, "sure"),
    "whatever their order": ([seen(4300), seen(None, finding="blurred")], "accept", 4300, "sure"),
    "a weak contradiction is a blur": ([seen(4300), seen(4800, 0.2)], "accept", 4300, "sure"),
    "a strong one calls a person": ([seen(4300), seen(4800, 0.9)], "review", 4300, "photographs_disagree"),
    "two likely ones are sure together": ([seen(4300, 0.97), seen(4300, 0.97)], "accept", 4300, "photographs_agree"),
    "two doubtful ones are not": ([seen(4300, 0.7), seen(4300, 0.7)], "confirm", 4300, "likely"),
    "nor are two that are unusual": (
        [seen(9300, 0.98, decision=Decision.CONFIRM, reason="unlikely_for_history")] * 2,
        "confirm", 9300, "unlikely_for_history",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sights", "verdict", "value", "why"), ALBUMS.values(), ids=ALBUMS)
def test_g3_an_album(house, november, send, sights, verdict, value, why):
    judgement = send(house, *sights).judge(NOON)
    assert (judgement.verdict, judgement.value, judgement.why) == (verdict, value, why)


def test_g3_the_same_picture_sent_twice_proves_nothing_more(house, november, send):
    submission = send(house, seen(4300, 0.97), seen(4300, 0.97))
    submission.photographs.update(sha256="0" * 64)
    judgement = submission.judge(NOON)
    assert (judgement.verdict, judgement.confidence) == ("confirm", 0.97)


def test_g3_photographs_asked_for_too_often_go_to_a_person(house, november, send):
    verdicts = [
        send(house, seen(None, finding="too_dark"), at=NOON + timedelta(hours=hour)).judge(NOON)
        for hour in range(3)
    ]
    assert [one.verdict for one in verdicts] == ["retake", "retake", "review"]
    assert verdicts[-1].why == "retaken_often"


def test_a_stranger_is_asked_whose_it_is_first_of_all(house, november, send):
    judgement = send(None, seen(4300), at=NOON - timedelta(days=60)).judge(NOON)
    assert (judgement.verdict, judgement.value) == ("unknown_sender", 4300)


def test_a_point_without_a_meter_goes_to_a_person(house, november, send):
    submission = send(house, seen(4300))
    house.meters.update(removed_on=NOON.date())
    assert submission.judge(NOON).why == "no_meter_there"


def test_judging_again_when_nothing_is_new_returns_the_judgement_that_stands(house, november, send):
    submission = send(house, seen(4300, 0.8))
    first = submission.judge(NOON)
    assert submission.judge(NOON + timedelta(minutes=1)) == first
    submission.photographs.get().read(NOON + timedelta(minutes=2))
    assert submission.judge(NOON + timedelta(minutes=3)) == first
    assert Judgement.objects.count() == 1


def test_another_photograph_of_the_album_is_something_new(house, november, send):
    submission = send(house, seen(None, finding="blurred"))
    first = submission.judge(NOON + timedelta(seconds=40))
    again = send(house, seen(4300), at=NOON + timedelta(seconds=30))  # sent before, arrived after
    assert again == submission
    second = again.judge(NOON)
    assert (first.verdict, second.verdict) == ("retake", "accept")


# Whose meter


def test_a_serial_that_is_another_meters_is_told(house, november, send):
    make_house("SP-2", phone="tel:+96890000011", serial="OTHER55555")
    judgement = send(house, seen(4300, serials=("2019", "OTHER-55555"))).judge(NOON)
    assert (judgement.verdict, judgement.why) == ("other_meter", "other_meter")


@pytest.mark.parametrize(
    "serials", [(), ("2019",), ("UNKNOWN99999",), ("OTHER55555", "MCT000001"), ("OTHER55555", "NCT000001")]
)
def test_no_serial_is_held_against_a_customer_on_weak_evidence(house, november, send, serials):
    make_house("SP-2", phone="tel:+96890000011", serial="OTHER55555")
    assert send(house, seen(4300, serials=serials)).judge(NOON).verdict == "accept"


# Already adopted


def adopt(submission, value, **more):
    return submission.adopt(Decimal(value), NOON, "machine:reader", "sure", 0.999, **more)


@pytest.mark.parametrize(
    ("sight", "why", "value"),
    [(seen(4300), "same_value", 4300), (seen(4305), "replaces", 4305), (seen(None), "unread", None)],
)
def test_a_second_reading_of_the_month_asks_before_it_replaces(house, november, send, sight, why, value):
    adopt(send(house, seen(4300)), 4300)
    judgement = send(house, sight, at=NOON + timedelta(hours=1)).judge(NOON)
    assert (judgement.verdict, judgement.why, judgement.value) == ("already_adopted", why, value)


def test_the_submission_that_is_adopted_is_accepted_still(house, november, send):
    submission = send(house, seen(4300))
    adopt(submission, 4300)
    judgement = submission.judge(NOON)
    assert (judgement.verdict, judgement.why, judgement.value) == ("accept", "adopted", 4300)


# Typed


@pytest.mark.parametrize(
    ("text", "verdict", "value", "why"),
    [
        ("4310", "accept", 4310, "typed_plausible"),
        ("٤٣١٠", "accept", 4310, "typed_plausible"),
        ("0 4 3 1 0", "accept", 4310, "typed_plausible"),
        ("04310.7", "accept", 4310, "typed_plausible"),
        ("14310", "confirm", 14310, "typed_unusual"),
        ("3999", "confirm", 3999, "typed_below_last"),
        ("123456", "retake", None, "typed_wrong_length"),
        ("43A0", "retake", None, "typed_not_a_number"),
    ],
)
def test_g3_a_number_typed_is_weighed_by_history_alone(house, november, typed, text, verdict, value, why):
    judgement = typed(house, text).judge(NOON)
    assert (judgement.verdict, judgement.value, judgement.why) == (verdict, value, why)
    assert judgement.confidence is None


def test_g3_a_number_typed_for_a_meter_with_no_history_needs_a_photograph(november, typed):
    judgement = typed(make_house("SP-3"), "4310").judge(NOON)
    assert (judgement.verdict, judgement.why) == ("retake", "typed_no_history")


@pytest.mark.parametrize("text", ["4310", "43105", "4310.5", "٤٣١٠٫٥"])
def test_the_red_digits_may_be_typed_or_left_out(november, typed, text):
    house = make_house("SP-4", decimals=1)
    give_history(house)
    judgement = typed(house, text).judge(NOON)
    assert judgement.verdict == "accept"
    assert int(judgement.value) == 4310


# The customer's word


def test_g3_yes_to_what_was_read_adopts_it(house, november, send):
    submission = send(house, seen(4300, 0.8))
    submission.judge(NOON)
    judgement = submission.confirm(Decimal(4300), NOON, f"customer:{SALMA}")
    assert (judgement.verdict, judgement.why) == ("accept", "confirmed")
    adoption = Adoption.objects.get()
    assert (adoption.reading.value, adoption.actor) == (4300, f"customer:{SALMA}")


def test_g3_another_number_typed_is_adopted_where_it_is_plausible(house, november, send):
    submission = send(house, seen(4800, 0.8))
    submission.judge(NOON)
    assert submission.confirm(Decimal(4310), NOON, "customer:x").why == "corrected_by_customer"
    assert Adoption.objects.get().reading.value == 4310


@pytest.mark.parametrize("value", [3000, 99_000])
def test_g3_a_customers_word_that_is_implausible_goes_to_a_person_not_into_the_bin(
    house, november, send, value
):
    submission = send(house, seen(4300, 0.8))
    submission.judge(NOON)
    judgement = submission.confirm(Decimal(value), NOON, "customer:x")
    assert (judgement.verdict, judgement.value) == ("review", value)
    assert Review.objects.get().submission == submission
    assert not Adoption.objects.exists()


def test_yes_to_the_question_whether_it_replaces_does_so(house, november, send):
    first = adopt(send(house, seen(4300)), 4300)
    second = send(house, seen(4305), at=NOON + timedelta(hours=1))
    second.judge(NOON)
    second.confirm(Decimal(4305), NOON, "customer:x")
    first.refresh_from_db()
    assert first.superseded_at == NOON
    assert house.adoption_in(Cycle.objects.get()).reading.value == 4305


def test_a_value_not_asked_about_never_replaces_one_adopted(house, november, send):
    second = send(house, seen(4305, 0.8), at=NOON + timedelta(hours=1))
    second.judge(NOON)
    adopt(send(house, seen(4300), at=NOON + timedelta(hours=2)), 4300)  # adopted while the question was open
    judgement = second.confirm(Decimal(4305), NOON, "customer:x")
    assert (judgement.verdict, judgement.why) == ("already_adopted", "replaces")
    assert Adoption.objects.get().reading.value == 4300
