"""G2 and G4: one reading is adopted, once; it can be traced to its evidence; what it replaced stays on record."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from rasd.ledger import evidence
from rasd.ledger.models import Entry, verify
from rasd.metering import signals
from rasd.metering.models import Adoption, Judgement, NotAdoptable, Photograph, Reading, Submission
from rasd.metering.tracing import trace
from tests.metering.house import NOON, SALMA, Eye, make_house, seen
from tests.metering.test_billing import bill


def together(*deeds: Callable[[], object]) -> list[object]:
    """Do all of them at the same moment, each in a thread with a connection of its own; what they returned, or raised."""
    outcomes: list[object] = [None] * len(deeds)
    gate = threading.Barrier(len(deeds))

    def do(index: int, deed: Callable[[], object]) -> None:
        gate.wait(timeout=20)
        try:
            outcomes[index] = deed()
        except Exception as error:
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(index, deed)) for index, deed in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return outcomes


@pytest.mark.django_db
def test_g4_an_adopted_value_is_traced_to_its_photographs_and_to_who_confirmed(house, november, send):
    submission = send(house, seen(None, finding="blurred"), seen(4300, 0.8))
    submission.judge(NOON)
    submission.confirm(Decimal(4300), NOON, f"customer:{SALMA}")
    adoption = submission.adoption
    found = trace(adoption)
    assert found["value"] == 4300
    assert found["decided_by"] == f"customer:{SALMA}"
    assert [(one["model"], one["digits"]) for one in found["photographs"]] == [
        ("test-eye-1", ""),
        ("test-eye-1", "04300"),
    ]
    assert all(len(one["sha256"]) == 64 for one in found["photographs"])
    assert [one["verdict"] for one in found["judgements"]] == ["confirm", "accept"]
    assert [one["action"] for one in found["ledger"]] == ["reading.adopted"]
    entry = Entry.objects.get(subject=f"adoption:{adoption.pk}")
    assert entry.actor == f"customer:{SALMA}"
    assert entry.facts["receipt"] == adoption.receipt
    assert entry.facts["photographs"] == [
        {**one, "origin": photograph.origin}
        for one, photograph in zip(
            found["photographs"], submission.photographs.order_by("sent_at"), strict=True
        )
    ]
    assert verify() is None
    changed = found["photographs"][1]["sha256"]
    with default_storage.open(evidence.path_of(changed), "ab") as stored:
        stored.write(b"!")
    assert trace(adoption)["lacks"] == [f"photograph {changed} in storage, as it came"]


@pytest.mark.django_db
def test_g4_what_was_billed_on_it_is_traced_and_another_value_on_the_bill_is_found_out(
    house, november, typed
):
    submission = typed(house, "4310")
    submission.adopt(Decimal(4310), NOON, "machine:test", "sure")
    adoption = submission.adoption
    bill(adoption, "4000", "310")
    found = trace(adoption)
    assert found["lacks"] == []
    assert (found["billed"]["use"], found["billed"]["previous_value"]) == (310, 4000)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE metering_billed SET value = 4311")
    assert trace(adoption)["lacks"] == ["the same value on its bill, which has 4311.000"]


@pytest.mark.django_db
def test_g4_a_typed_value_is_traced_to_what_was_typed(house, november, typed):
    submission = typed(house, "٤٣١٠")
    submission.adopt(Decimal(4310), NOON, "machine:reader", "typed_plausible")
    assert trace(submission.adoption)["typed"] == "4310"


@pytest.mark.django_db
def test_adopting_twice_adopts_once(house, november, send):
    submission = send(house, seen(4300))
    first = submission.adopt(Decimal(4300), NOON, "machine:reader", "sure", 0.999)
    again = submission.adopt(Decimal(4300), NOON, "machine:reader", "sure", 0.999, replace=True)
    assert (again, Reading.objects.filter(submission=submission).count()) == (first, 1)
    assert Entry.objects.filter(action="reading.adopted").count() == 1


@pytest.mark.django_db
def test_what_was_replaced_stays_on_record_and_out_of_the_history(house, november, send):
    first = send(house, seen(4300)).adopt(Decimal(4300), NOON, "machine:reader", "sure")
    later = NOON + timedelta(hours=1)
    second = send(house, seen(4310), at=later).adopt(
        Decimal(4310), later, "machine:reader", "sure", replace=True
    )
    first.refresh_from_db()
    assert (first.superseded_at, second.supersedes) == (later, first)
    assert second.receipt != first.receipt
    assert house.history(later + timedelta(days=1)).readings[-1].value == 4310
    assert 4300 not in [one.value for one in house.history(later + timedelta(days=1)).readings]
    assert second.consumption().value == 310  # since October, not since the one it replaced


@pytest.mark.django_db
@pytest.mark.parametrize(("source", "stands"), [("estimate", False), ("field", True), ("smart", True)])
def test_g2_a_customers_reading_takes_the_place_of_an_estimate_but_never_of_a_meter_readers(
    house, november, send, source, stands
):
    register = house.current_register
    reading = Reading.objects.create(
        service_point=house, register=register, cycle=november, value=4290, source=source, taken_at=NOON
    )
    there = Adoption.objects.create(
        service_point=house,
        register=register,
        cycle=november,
        reading=reading,
        actor="x",
        why="x",
        receipt="R1",
    )
    submission = send(house, seen(4300))
    assert submission.judge(NOON).verdict == ("already_adopted" if stands else "accept")
    adoption = submission.adopt(Decimal(4300), NOON, "machine:reader", "sure", replace=True)
    assert (adoption == there) is stands


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["100000", "4300.5", "-1"])
def test_a_value_that_the_register_cannot_show_is_not_adopted(house, november, send, value):
    with pytest.raises(NotAdoptable, match="cannot show"):
        send(house, seen(4300)).adopt(Decimal(value), NOON, "user:x", "sure")


@pytest.mark.django_db
def test_an_unusual_value_that_a_person_vouches_for_is_marked_questionable(house, november, send):
    submission = send(house, seen(4300))
    assert submission.adopt(Decimal(4300), NOON, "user:x", "y").reading.quality == "valid"
    adoption = submission.adopt(Decimal(88_000), NOON, "user:x", "review_corrected", replace=True)
    assert adoption.reading.quality == "questionable"


@pytest.mark.django_db
def test_what_is_adopted_for_one_service_point_is_not_moved_to_another(house, november, send):
    submission = send(house, seen(4300))
    submission.adopt(Decimal(4300), NOON, "machine:reader", "sure")
    with pytest.raises(NotAdoptable, match="already"):
        submission.identify(make_house("SP-2"), NOON)


@pytest.mark.django_db
def test_a_withdrawn_submission_is_on_record_and_an_adopted_one_cannot_be_withdrawn(house, november, send):
    submission = send(house, seen(4300))
    submission.send_to_review("unsure", NOON, "machine:reader")
    judgement = submission.withdraw(NOON, f"customer:{SALMA}", "not mine")
    assert (judgement.verdict, submission.reviews.get().outcome) == ("withdrawn", "withdrawn")
    assert Entry.objects.filter(action="submission.withdrawn", actor=f"customer:{SALMA}").exists()
    other = send(house, seen(4300), at=NOON + timedelta(hours=1))
    other.adopt(Decimal(4300), NOON, "machine:reader", "sure")
    with pytest.raises(NotAdoptable):
        other.withdraw(NOON, "x", "x")


@pytest.mark.django_db
def test_those_above_hear_of_an_adoption_and_of_a_judgement(house, november, send):
    heard = []

    def hear(sender, **told):
        heard.append(told.get("adoption") or told.get("judgement"))

    signals.adopted.connect(hear)
    signals.submission_judged.connect(hear)
    try:
        submission = send(house, seen(4300))
        judgement = submission.judge(NOON)
        adoption = submission.adopt(Decimal(4300), NOON, "machine:reader", "sure")
        submission.adopt(Decimal(4300), NOON, "machine:reader", "sure")
    finally:
        signals.adopted.disconnect(hear)
        signals.submission_judged.disconnect(hear)
    assert heard == [judgement, adoption]


@pytest.mark.django_db
def test_the_eye_is_told_the_register_and_the_history_once_the_service_point_is_known(
    house, send, november, eye
):
    submission = send(None, seen(4300))
    assert eye.calls[-1]["register"] is None
    submission.identify(house, NOON)
    Photograph.objects.get().read(NOON)
    told = eye.calls[-1]
    assert (told["register"].digits, told["history"].readings[-1].value) == (5, 4000)


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_two_submissions_adopted_at_the_same_moment_leave_one_adoption(house, november, send):
    submissions = [send(house, seen(4300 + n), at=NOON + timedelta(hours=n)) for n in range(4)]
    outcomes = together(
        *[
            lambda one=one, n=n: one.adopt(Decimal(4300 + n), NOON, "machine:reader", "sure")
            for n, one in enumerate(submissions)
        ]
    )
    assert len({one.pk for one in outcomes}) == 1
    assert Adoption.objects.filter(superseded_at=None).count() == Adoption.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_replacements_at_the_same_moment_take_turns_and_one_stands(house, november, send):
    submissions = [send(house, seen(4300 + n), at=NOON + timedelta(hours=n)) for n in range(4)]
    outcomes = together(
        *[
            lambda one=one, n=n: one.adopt(Decimal(4300 + n), NOON, "customer:x", "confirmed", replace=True)
            for n, one in enumerate(submissions)
        ]
    )
    assert all(isinstance(one, Adoption) for one in outcomes), outcomes
    assert Adoption.objects.count() == 4
    assert Adoption.objects.filter(superseded_at=None).count() == 1
    assert verify() is None


@pytest.mark.django_db(transaction=True)
def test_photographs_of_one_album_arriving_at_the_same_moment_are_one_submission(house, november, eye: Eye):
    def arrive(number: int) -> Submission:
        submission, _ = Submission.from_photograph(
            identifier=SALMA,
            origin=f"whatsapp:{number % 4}",  # each delivered twice
            sha256=f"{number % 4:064}",
            sent_at=NOON + timedelta(seconds=15 * (number % 4)),
            received_at=NOON,
            conversation="conversation:1",
        )
        return submission

    outcomes = together(*[lambda number=number: arrive(number) for number in range(8)])
    assert len({one.pk for one in outcomes}) == 1
    assert (Submission.objects.count(), Photograph.objects.count()) == (1, 4)
    assert Submission.objects.get().sent_at == NOON


@pytest.mark.django_db(transaction=True)
def test_a_number_delivered_twice_at_the_same_moment_is_one_submission(house):
    def arrive() -> Submission:
        return Submission.from_number(
            identifier=SALMA,
            origin="whatsapp:1",
            typed="4300",
            sent_at=NOON,
            received_at=NOON,
            conversation="c",
        )

    assert len({one.pk for one in together(*[arrive] * 4)}) == 1


@pytest.mark.django_db(transaction=True)
def test_judging_at_the_same_moment_judges_once(house, november, send):
    submission = send(house, seen(4300))
    outcomes = together(*[lambda: Submission.objects.get(pk=submission.pk).judge(NOON)] * 4)
    assert len({one.pk for one in outcomes}) == 1
    assert Judgement.objects.count() == 1


# Albums


def photograph(
    origin: str, seconds: float, *, conversation: str = "c", identifier: str = SALMA
) -> Submission:
    sent_at = NOON + timedelta(seconds=seconds)
    submission, _ = Submission.from_photograph(
        identifier=identifier,
        origin=origin,
        sha256="0" * 64,
        sent_at=sent_at,
        received_at=sent_at,
        conversation=conversation,
    )
    return submission


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "same"), [(0, True), (60, True), (61, False), (-60, True), (-61, False)])
def test_photographs_within_a_minute_of_each_other_are_one_submission(seconds, same):
    assert (photograph("a", 0) == photograph("b", seconds)) is same


@pytest.mark.django_db
def test_an_album_goes_on_as_long_as_its_photographs_follow_each_other():
    assert len({photograph(f"{n}", 50 * n).pk for n in range(5)}) == 1


@pytest.mark.django_db
def test_another_conversation_or_another_sender_is_another_submission():
    assert (
        len(
            {
                photograph("a", 0).pk,
                photograph("b", 1, conversation="d").pk,
                photograph("e", 2, identifier="x").pk,
            }
        )
        == 3
    )


@pytest.mark.django_db
def test_what_comes_after_a_person_decided_is_a_new_submission(house, november, send, django_user_model):
    submission = send(house, seen(None), conversation="c")
    review = submission.send_to_review("unsure", NOON, "machine:reader")
    review.ask_again(django_user_model.objects.create_user("salma"), NOON, "blurred")
    assert photograph("later", 30) != submission
