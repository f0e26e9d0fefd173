"""Whose meter is in the photograph, and was it sent before? Through the real webhook; what the eye reads is played, the face and
the pictures are drawn and looked at in earnest."""

import hashlib
import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from rasd.metering.models import (
    Account,
    AccountContact,
    Adoption,
    Cycle,
    Photograph,
    Review,
    ServicePoint,
    Submission,
)
from rasd.metering.whose import MeterSeen
from rasd.vision import PhotoReading
from rasd.vision.rendered import font, render_meter
from tests.flows.conftest import PHONE, Customer, make_point, shows
from tests.flows.test_dialogue import in_english, words

pytestmark = pytest.mark.django_db
NEIGHBOUR = "96890000099"


def picture_message(customer: Customer, picture: bytes, seen: PhotoReading) -> dict[str, Any]:
    number = next(customer.world.numbers)
    customer.world.files[f"media-{number}"] = picture
    customer.world.seen[hashlib.sha256(picture).hexdigest()] = seen
    return {"type": "image", "image": {"id": f"media-{number}", "mime_type": "image/jpeg", "sha256": "x"}}


def meter_with(barcode: str, *, shade: str = "#e9e9e4") -> bytes:
    """A face with a barcode of this serial number."""
    picture = Image.new("RGB", (900, 700), shade)
    code = zxingcpp.create_barcode(barcode, zxingcpp.BarcodeFormat.Code128).to_image(scale=4)
    picture.paste(Image.fromarray(np.array(code)).convert("RGB"), (100, 400))
    ImageDraw.Draw(picture).text((200, 120), "kWh", fill="#222", font=font(90))
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=90)
    return held.getvalue()


def recompressed(picture: bytes, quality: int = 70) -> bytes:
    held = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").save(held, "JPEG", quality=quality)
    return held.getvalue()


@pytest.fixture
def neighbour(customer: Customer) -> Customer:
    """Another customer, with another meter."""
    account = Account.objects.create(number="100300", holder_name="زائر التجريبي")
    AccountContact.objects.create(account=account, identifier=f"tel:+{NEIGHBOUR}")
    make_point(37, account)
    return Customer(customer.world, customer.client, customer.clock, phone=NEIGHBOUR)


# Whose meter is it?


def test_a_barcode_of_the_expected_meter_is_kept_with_the_photograph(customer: Customer, point: ServicePoint):
    customer.sends(picture_message(customer, meter_with("E00000001"), shows("04480")))
    photograph = Photograph.objects.get()
    [code] = photograph.seen["barcodes"]
    assert (code["text"], code["format"]) == ("E00000001", "Code 128")
    assert photograph.seen["serials"] == ["E00000001"]
    assert photograph.submission.facts().whose.meter_seen == MeterSeen.EXPECTED
    assert Adoption.objects.exists()


def test_a_barcode_of_a_neighbours_meter_is_told_although_it_differs_in_one_letter(
    customer: Customer, account: Account, point: ServicePoint
):
    in_english(customer)
    make_point(2, Account.objects.create(number="100300", holder_name="زائر التجريبي"))
    [answer] = customer.sends(picture_message(customer, meter_with("E00000002"), shows("04480")))
    assert "not that of your meter, E00000001" in words([answer])
    assert not Adoption.objects.exists()


def test_the_serial_number_chooses_among_the_customers_own_meters_and_the_answer_names_it(
    customer: Customer, account: Account, point: ServicePoint
):
    second = make_point(2, account)
    in_english(customer)
    [answer] = customer.sends(picture_message(customer, meter_with("E00000002"), shows("04480")))
    assert Adoption.objects.get().service_point == second
    assert words([answer]).startswith(f"Meter E00000002, {second.place}:\n")


def test_who_has_one_meter_is_not_told_its_name(customer: Customer, point: ServicePoint):
    in_english(customer)
    assert "Meter E0" not in words(customer.sends_photograph(shows("04480")))


def test_a_photograph_of_another_of_ones_own_meters_is_that_ones_reading(
    customer: Customer, account: Account, point: ServicePoint
):
    """As where the wrong one was chosen from the list, before the number could be seen."""
    second = make_point(2, account)
    in_english(customer)
    customer.sends_photograph(shows("04480"))
    submission = Submission.objects.get()
    picture = meter_with("E00000002")
    again = picture_message(customer, picture, shows("04480"))
    customer.sends(again)
    late = Submission.objects.exclude(pk=submission.pk).get()
    assert late.service_point == second
    assert Adoption.objects.get().service_point == second


def test_two_meters_in_one_album_are_no_one_reading_but_a_persons(
    customer: Customer, account: Account, point: ServicePoint
):
    make_point(2, account)
    in_english(customer)
    customer.sends(
        picture_message(customer, meter_with("E00000001"), shows("04480")),
        picture_message(customer, meter_with("E00000002"), shows("04480")),
    )
    customer.presses(point.place)
    assert Review.objects.get().why == "two_meters"
    assert not Adoption.objects.exists()


# Was it sent before?


def test_the_same_photograph_from_another_customer_is_a_persons_with_both_shown(
    customer: Customer, point: ServicePoint, neighbour: Customer
):
    picture = render_meter(44800, serial="no number", seed=1)
    customer.sends(picture_message(customer, picture, shows("04480")))
    assert Adoption.objects.count() == 1
    answers = neighbour.sends(picture_message(neighbour, recompressed(picture), shows("04480")))
    review = Review.objects.get()
    assert review.why == "sent_for_another"
    [again] = review.submission.sent_before
    assert again.same_as.submission.identifier == f"tel:+{PHONE}"
    assert Adoption.objects.count() == 1
    assert answers  # told that a colleague looks; not what is suspected
    assert "another" not in words(answers)


def test_the_same_photograph_for_another_month_is_a_persons(customer: Customer, point: ServicePoint):
    picture = render_meter(44800, serial="no number", seed=1)
    customer.sends(picture_message(customer, picture, shows("04480")))
    customer.clock.shift(timedelta(days=30))
    Cycle.open("2026-12", at=Photograph.objects.get().sent_at, actor="machine:test")
    customer.sends(picture_message(customer, recompressed(picture), shows("04480")))
    assert Review.objects.get().why == "sent_earlier"


def test_the_same_photograph_sent_twice_in_a_month_is_noticed_and_nothing_more(
    customer: Customer, point: ServicePoint
):
    picture = render_meter(44800, serial="no number", seed=1)
    customer.sends(picture_message(customer, picture, shows("04480")))
    customer.clock.shift(timedelta(hours=3))
    customer.sends(picture_message(customer, recompressed(picture), shows("04480")))
    first, second = Photograph.objects.order_by("pk")
    assert second.same_as == first
    assert second.resent == ""
    assert not Review.objects.exists()


def test_next_months_photograph_from_the_same_place_is_another_one(customer: Customer, point: ServicePoint):
    customer.sends(picture_message(customer, render_meter(44800, serial="no number", seed=1), shows("04480")))
    customer.clock.shift(timedelta(days=30))
    Cycle.open("2026-12", at=Photograph.objects.get().sent_at, actor="machine:test")
    customer.sends(picture_message(customer, render_meter(47910, serial="no number", seed=1), shows("04791")))
    assert Photograph.objects.filter(same_as=None).count() == 2
    assert Adoption.objects.count() == 2


def test_a_photograph_read_late_marks_the_copy_that_came_after_it(
    customer: Customer, point: ServicePoint, neighbour: Customer
):
    """Of two that are read at the same moment, one is found from the other's side."""
    picture = render_meter(44800, serial="no number", seed=1)
    customer.sends(picture_message(customer, picture, shows("04480")))
    first = Photograph.objects.get()
    Photograph.objects.update(fingerprint=None, sha256="0" * 64)  # as if it were not stored yet
    neighbour.sends(picture_message(neighbour, picture, shows("04480")))
    copy = Photograph.objects.exclude(pk=first.pk).get()
    assert copy.same_as is None
    Photograph.objects.filter(pk=first.pk).update(sha256=copy.sha256)
    first.refresh_from_db()
    first.read(first.sent_at)
    copy.refresh_from_db()
    assert copy.same_as == first
    assert first.same_as is None


# Is it a photograph of a photograph?


def test_a_photograph_of_a_screen_is_a_persons_with_that_reason(
    customer: Customer, point: ServicePoint, monkeypatch: pytest.MonkeyPatch
):
    from rasd.metering.models import photographs
    from rasd.vision.types import FINDINGS, Finding, Severity

    found = [Finding("screen", Severity.NOTE, FINDINGS["screen"])]
    monkeypatch.setattr(photographs, "recaptured", lambda picture: found)
    customer.sends(picture_message(customer, render_meter(44800, serial="no number", seed=1), shows("04480")))
    assert Review.objects.get().why == "screen"
    assert not Adoption.objects.exists()
