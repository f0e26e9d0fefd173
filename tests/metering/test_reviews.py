"""G3: what the machine is not sure of a person decides; two people never hold the same; every decision is on record."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction

from rasd.ledger.models import Entry, verify
from rasd.metering import signals
from rasd.metering.models import Adoption, Review, ReviewClosed, ReviewTaken
from rasd.metering.models.reviews import LEASE, UNDO_WITHIN
from tests.metering.house import NOON, make_house, seen
from tests.metering.test_adopting import together


@pytest.fixture
def salma(django_user_model):
    return django_user_model.objects.create_user("salma")


@pytest.fixture
def nasser(django_user_model):
    return django_user_model.objects.create_user("nasser")


@pytest.fixture
def queue(november, send):
    """``queue(3)``: so many reviews, oldest first, each of a house of its own."""

    def fill(count: int) -> list[Review]:
        reviews = []
        for number in range(count):
            at = NOON + timedelta(minutes=number)
            submission = send(make_house(f"SP-{number}"), seen(4300, 0.5), at=at, conversation=f"c{number}")
            submission.judge(at)
            reviews.append(submission.send_to_review("unsure", at, "machine:reader"))
        return reviews

    return fill


@pytest.mark.django_db
def test_the_oldest_comes_first_and_a_person_keeps_theirs_until_it_is_decided(queue, salma, nasser):
    one, two = queue(2)
    assert Review.claim_next(salma, NOON) == one
    assert Review.claim_next(salma, NOON) == one
    assert Review.claim_next(nasser, NOON) == two
    assert Review.claim_next(nasser, NOON + timedelta(minutes=1)) == two


@pytest.mark.django_db
def test_a_claim_that_lapses_or_is_released_frees_it(queue, salma, nasser):
    [one] = queue(1)
    Review.claim_next(salma, NOON)
    assert Review.claim_next(nasser, NOON + LEASE - timedelta(seconds=1)) is None
    assert Review.claim_next(nasser, NOON + LEASE) == one
    Review.objects.get().release()
    assert Review.claim_next(salma, NOON + LEASE) == one


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_at_the_same_moment_never_get_the_same_one(queue, django_user_model):
    queue(6)
    people = [django_user_model.objects.create_user(f"person{number}") for number in range(8)]
    outcomes = together(*[lambda person=person: Review.claim_next(person, NOON) for person in people])
    claimed = [one.pk for one in outcomes if isinstance(one, Review)]
    assert len(claimed) == len(set(claimed)) == 6
    assert [one for one in outcomes if one is None] == [None, None]


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_review_that_another_is_just_being_given(queue, salma):
    one, two = queue(2)
    taken, done = threading.Event(), threading.Event()

    def be_given_the_oldest() -> None:
        try:
            with transaction.atomic():
                Review.objects.select_for_update().get(pk=one.pk)
                taken.set()
                done.wait(timeout=20)
        finally:
            connection.close()

    other = threading.Thread(target=be_given_the_oldest)
    other.start()
    try:
        assert taken.wait(timeout=20)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")  # whoever waits fails
        assert Review.claim_next(salma, NOON) == two
    finally:
        done.set()
        other.join(timeout=20)
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_a_review_decided_twice_at_the_same_moment_is_decided_once(queue, salma):
    [review] = queue(1)
    outcomes = together(*[lambda: Review.objects.get(pk=review.pk).accept(Decimal(4300), salma, NOON)] * 4)
    assert sorted(type(one).__name__ for one in outcomes) == ["Adoption"] + ["ReviewClosed"] * 3
    assert Adoption.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("decide", "outcome", "verdict", "value"),
    [
        (lambda review, user: review.accept(Decimal(4300), user, NOON), "accepted", "accept", 4300),
        (lambda review, user: review.correct(Decimal(4301), user, NOON), "corrected", "accept", 4301),
        (lambda review, user: review.ask_again(user, NOON, "glare"), "asked_again", "retake", None),
        (lambda review, user: review.not_a_meter(user, NOON), "not_a_meter", "withdrawn", None),
    ],
    ids=["accept", "correct", "ask again", "not a meter"],
)
def test_g3_each_decision_is_judged_told_and_on_record_under_the_persons_name(
    queue, salma, decide, outcome, verdict, value
):
    [review] = queue(1)
    told = []

    def hear(sender, review, adoption, **_):
        told.append((review.outcome, adoption.reading.value if adoption else None))

    signals.review_closed.connect(hear)
    try:
        decide(Review.claim_next(salma, NOON), salma)
    finally:
        signals.review_closed.disconnect(hear)
    review.refresh_from_db()
    assert (review.outcome, review.closed_by, review.closed_at, review.value) == (outcome, salma, NOON, value)
    judgement = review.submission.judgement
    assert (judgement.verdict, judgement.value, judgement.actor) == (verdict, value, "user:salma")
    assert told == [(outcome, value)]
    assert Entry.objects.get(action=f"review.{outcome}").actor == "user:salma"
    assert Adoption.objects.filter(superseded_at=None).exists() is (value is not None)
    assert verify() is None


@pytest.mark.django_db
def test_what_is_decided_or_held_by_another_cannot_be_decided(queue, salma, nasser):
    [review] = queue(1)
    Review.claim_next(salma, NOON)
    with pytest.raises(ReviewTaken):
        review.not_a_meter(nasser, NOON)
    review.not_a_meter(nasser, NOON + LEASE)
    with pytest.raises(ReviewClosed):
        review.accept(Decimal(4300), salma, NOON + LEASE)


@pytest.mark.django_db
def test_a_person_corrects_what_another_submission_had_adopted(queue, salma, send):
    [review] = queue(1)
    point = review.submission.service_point
    machine = send(point, seen(4200), at=NOON + timedelta(hours=2)).adopt(
        Decimal(4200), NOON, "machine:reader", "sure"
    )
    review.refresh_from_db()
    assert review.outcome == Review.Outcome.WITHDRAWN, "the newer reading settled it"
    review = review.submission.send_to_review("again", NOON, "user:salma")
    adoption = review.correct(Decimal(4301), salma, NOON)
    machine.refresh_from_db()
    assert (machine.superseded_at, adoption.supersedes) == (NOON, machine)


@pytest.mark.django_db
def test_sending_to_review_twice_opens_one(queue):
    [review] = queue(1)
    assert review.submission.send_to_review("again", NOON, "machine:reader") == review


@pytest.mark.django_db
def test_at_once_a_decision_can_be_taken_back_and_all_is_as_before(queue, salma, send):
    [review] = queue(1)
    point, cycle = review.submission.service_point, review.submission.cycle
    before = send(point, seen(4200), at=NOON + timedelta(hours=2)).adopt(
        Decimal(4200), NOON, "machine:reader", "sure"
    )
    review = review.submission.send_to_review("again", NOON, "user:salma")
    review.correct(Decimal(4301), salma, NOON)
    later = NOON + UNDO_WITHIN
    review.undo(salma, later)
    assert point.adoption_in(cycle) == before
    assert (review.closed_at, review.outcome, review.value) == (None, "", None)
    assert Review.claim_next(salma, later) == review
    assert review.submission.judgement.verdict == "review"
    assert Entry.objects.get(action="review.undone").facts["outcome"] == "corrected"
    review.accept(Decimal(4300), salma, later)
    assert point.adoption_in(cycle).reading.value == 4300


@pytest.mark.django_db
def test_a_decision_is_not_taken_back_late_or_by_another(queue, salma, nasser):
    one, two, three = queue(3)
    one.accept(Decimal(4300), salma, NOON)
    with pytest.raises(ReviewTaken, match="more than 20 seconds"):
        one.undo(salma, NOON + UNDO_WITHIN + timedelta(seconds=1))
    with pytest.raises(ReviewTaken, match="not decided by nasser"):
        one.undo(nasser, NOON)
    two.submission.withdraw(NOON, "customer:tel:+96890000001", "withdrawn")
    with pytest.raises(ReviewTaken, match="not decided by"):
        two.undo(salma, NOON)
    with pytest.raises(ReviewTaken, match="not decided by"):
        three.undo(salma, NOON)
