"""What a reviewer sees of whose meter it is, and of the same photograph sent before."""

import pytest
from django.urls import reverse

from rasd.metering.models import Photograph

pytestmark = pytest.mark.django_db


def look(as_, utility, *, serials=(), barcodes=(), findings=(), point=None, language="en") -> str:
    review = utility.review("04521", point=point)
    photograph = review.submission.photographs.get()
    photograph.seen |= {
        "serials": list(serials),
        "barcodes": [{"text": text, "format": "Code 128", "box": [0, 0, 1, 1]} for text in barcodes],
        "findings": [{"code": code, "severity": "note", "text": code} for code in findings],
    }
    photograph.save()
    return as_("reviewer", language=language).get(reverse("console:review")).content.decode()


def test_that_the_expected_serial_number_was_seen_is_said(as_, utility):
    point = utility.point()
    page = look(as_, utility, point=point, serials=[point.current_meter.serial])
    assert "its own serial number was seen" in page
    assert "belongs to another meter" not in page


def test_a_serial_number_with_a_letter_misread_counts_as_seen(as_, utility):
    point = utility.point()
    page = look(as_, utility, point=point, serials=[point.current_meter.serial.replace("0", "O", 1)])
    assert "its own serial number was seen" in page


def test_that_nothing_was_seen_or_nothing_of_it_is_said(as_, utility):
    assert "no number was seen" in look(as_, utility)


def test_numbers_that_are_nobodys_are_shown_as_such(as_, utility):
    page = look(as_, utility, serials=["2019-55512"], barcodes=["2019-55512"])
    assert "numbers were seen, but not its serial number" in page
    assert "Code 128" in page


def test_another_meters_number_is_said_in_plain_words_with_its_place(as_, utility):
    utility.point()
    other = utility.point()
    serial = "K777777"
    other.meters.update(serial=serial)
    page = look(as_, utility, serials=[serial])
    assert f"belongs to another meter, at <bdi>{other.place}</bdi>" in page.replace(
        '<bdi dir="ltr">K777777</bdi>', serial
    )


def test_a_photograph_sent_before_stands_beside_the_one_that_came_again_with_who_and_when(as_, utility):
    before = utility.submission("04521", point=utility.point(), hours_ago=48)
    review = utility.review("04522")
    again = review.submission.photographs.get()
    again.same_as = before.photographs.get()
    again.save()
    page = as_("reviewer").get(reverse("console:review")).content.decode()
    assert "The same photograph was sent for another meter before." in page
    assert before.identifier.removeprefix("tel:") in page
    assert before.service_point.place in page
    for one in Photograph.objects.all():
        assert reverse("console:photograph", args=[one.sha256, "thumb"]) in page


def test_a_photograph_sent_twice_for_one_meter_and_month_is_no_reproach(as_, utility):
    point = utility.point()
    before = utility.submission("04521", point=point, hours_ago=2)
    again = utility.review("04522", point=point).submission.photographs.get()
    again.same_as = before.photographs.get()
    again.save()
    page = as_("reviewer").get(reverse("console:review")).content.decode()
    assert "probably just sent twice" in page
    assert "for another meter before" not in page


def test_what_looks_like_a_screen_is_said_in_arabic_too(as_, utility):
    page = look(as_, utility, findings=["screen"], language="ar")
    assert "تبدو هذه صورة لشاشة أو لورقة مطبوعة." in page
