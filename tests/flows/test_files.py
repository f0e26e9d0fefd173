"""Files in place of a photograph: taken where a photograph is in them, else the customer is told why not, or a person has it."""

import hashlib
from typing import Any

import pytest
from django.test import Client

from bench import _files
from rasd import vision
from rasd.console.chat import chat_of
from rasd.metering.models import Photograph, ServicePoint, photographs
from rasd.vision import PhotoReading
from tests.flows.conftest import Customer, World, shows


@pytest.fixture(autouse=True)
def eye_that_opens_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a picture shows is played; whether it is one is not."""

    def read_photograph(data: bytes, **_: Any) -> PhotoReading:
        vision.open_photograph(data)
        return world.seen[hashlib.sha256(data).hexdigest()]

    monkeypatch.setattr(photographs, "read_photograph", read_photograph)


def sends(customer: Customer, data: bytes, name: str, *, shown: str = "") -> list[str]:
    """As a document, which is how phones send what is no JPEG; the texts of the answers."""
    customer.world.files[name] = data
    if shown:
        customer.world.seen[hashlib.sha256(data).hexdigest()] = shows(shown)
    document = {"id": name, "mime_type": "application/octet-stream", "filename": name}
    return [answer.text for answer in customer.sends({"type": "document", "document": document})]


@pytest.fixture
def english(customer: Customer, point: ServicePoint) -> Customer:
    customer.says("Hello, good morning to you")
    return customer


PHOTOGRAPHS = {
    "IMG_0001.HEIC": _files.encoded(_files.meter(400), "HEIF"),
    "scan.pdf": _files.pdf(_files.meter(400)),
    "scan.tif": _files.encoded(_files.meter(400), "TIFF", compression="jpeg"),
}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_photograph_in_another_format_is_read_and_adopted(english: Customer, name: str):
    [answer] = sends(english, PHOTOGRAPHS[name], name, shown="04480")
    assert "4480 kWh is adopted" in answer.replace("\u2068", "").replace("\u2069", "")


def test_a_pdf_that_is_a_bill_goes_to_a_person_as_documents_do(english: Customer):
    [answer] = sends(english, _files.pdf_bill(), "bill.pdf")
    assert "You are with our staff now" in answer
    assert not Photograph.objects.exists()


REFUSED = {
    "a password": (_files.pdf_locked(), "protected by a password"),
    "a damaged PDF": (b"%PDF-1.4 " + bytes(300), "damaged or did not arrive whole. Please send it again."),
    "a moving picture": (_files.seeds()["moving.gif"], "a moving picture. Please send a photograph"),
    "an icon": (_files.encoded(_files.meter(30), "PNG"), "too small: no digits can be seen"),
    "a picture that broke off at once": (_files.encoded(_files.meter(400), "JPEG")[:3000], "Please send it again."),
    "an error page": (b"<!doctype html><html>502</html>", "cannot open files of that kind"),
    "a program": (b"MZ" + bytes(500), "cannot open files of that kind"),
    "nothing": (b"", "is empty. Please send it again."),
}  # fmt: skip


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_opened_is_answered_with_the_reason_and_what_to_do(
    english: Customer, data: bytes, words: str
):
    [answer] = sends(english, data, "IMG_0001.jpg")
    assert words in answer
    assert "hold the phone still" not in answer, "that would be advice for another trouble"


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_the_reason_is_said_in_arabic_to_whom_arabic_is_spoken(
    customer: Customer, point: ServicePoint, data: bytes, words: str
):
    [answer] = sends(customer, data, "IMG_0001.jpg")
    assert words not in answer
    assert any("\u0621" <= letter <= "\u064a" for letter in answer)


def test_staff_see_the_photograph_that_is_in_a_pdf_as_a_jpeg_without_what_its_file_tells(
    english: Customer, client: Client, admin_user: Any
):
    sends(english, PHOTOGRAPHS["scan.pdf"], "scan.pdf", shown="04480")
    sends(english, _files.pdf_bill(), "bill.pdf")
    shown = {b.media.file_name: b for b in chat_of(english.conversation).bubbles if b.media}
    assert shown["scan.pdf"].is_picture
    assert not shown["bill.pdf"].is_picture
    client.force_login(admin_user)
    answer = client.get(f"/photograph/{shown['scan.pdf'].media.sha256}/thumb")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    assert b"Exif" not in answer.content
