"""The page of an account's month: its own readings and photographs only, the arithmetic, the dispute, and the phone's camera."""

import hashlib
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from rasd.channels.models import Outgoing
from rasd.desk.models import Case
from rasd.flows import account_page
from rasd.flows.models.links import token_of
from rasd.ledger import evidence
from rasd.metering.models import (
    Account,
    AccountContact,
    Adoption,
    Estimate,
    Meter,
    Photograph,
    Reading,
    Register,
    Review,
    Submission,
    TrueUp,
)
from rasd.portal.models import WrongAddress
from tests.flows.conftest import (  # noqa: F401 (fixtures)
    NOON,
    account,
    clock,
    customer,
    cycle,
    line,
    make_point,
    point,
    shows,
    unreadable,
    world,
)
from tests.jobs import do_jobs
from tests.metering.test_billing import bill


@pytest.fixture
def url(account, point, cycle, clock):  # noqa: F811
    AccountContact.objects.update(since=NOON - timedelta(days=90))
    return f"/m/{token_of(account.contacts.get(), NOON)}/"


@pytest.fixture
def send(client, world, url):  # noqa: F811
    """``send(shows("04500"))``: through the camera page, looked at; the page that it led to."""

    def send(seen, key="a", **more):
        picture = io.BytesIO()
        Image.new("RGB", (64, 64), (len(world.seen), 7, 7)).save(picture, "JPEG")
        world.seen[hashlib.sha256(picture.getvalue()).hexdigest()] = seen
        file = SimpleUploadedFile("IMG.jpg", picture.getvalue(), "image/jpeg")
        told = client.post(f"{url}camera?in=en", {"photograph": file, "key": key * 32, **more})
        do_jobs()
        return told["Location"] if told.status_code == 303 else told

    return send


def page(client, address):
    answer = client.get(address)
    return answer, answer.content.decode()


def test_a_photograph_from_the_camera_is_judged_by_the_same_eye_and_rules_and_answered_on_the_page(
    client, send, url
):
    answer, words = page(client, send(shows("04500")))
    assert (answer.status_code, "4500" in words) == (200, True)
    adoption = Adoption.objects.get()
    assert adoption.reading.source == "customer"
    assert adoption.reading.submission.cycle.name == "2026-11"
    assert not Outgoing.objects.exists()
    _answer, words = page(client, f"{url}?in=en")
    assert "<b>04500</b> kWh" in words
    sha256 = Photograph.objects.get().sha256
    assert client.get(f"{url}photograph/{sha256}")["Content-Type"] == "image/jpeg"


def test_until_the_eye_has_looked_the_page_asks_again_by_itself_without_script(
    client, send, url, monkeypatch
):
    monkeypatch.setattr("tests.portal.test_account.do_jobs", lambda: None)
    answer, words = page(client, send(shows("04500")))
    assert answer["Refresh"] == "3"
    assert "<script" not in words


def test_the_machine_asks_on_the_page_and_yes_or_another_number_settles_it(client, send):
    address = send(shows("04500", 0.7))
    _answer, words = page(client, address)
    assert 'name="value" value="4500"' in words
    assert client.post(address, {"value": "4500"}).status_code == 303
    assert Adoption.objects.get().reading.value == 4500


def test_a_number_typed_in_its_place_is_weighed_as_in_a_chat(client, send):
    address = send(shows("04500", 0.7))
    client.post(address, {"typed": "abc"})
    assert not Adoption.objects.exists()
    client.post(address, {"typed": "04498"})
    assert Review.objects.exists() or Adoption.objects.get().reading.value == 4498


def test_what_cannot_be_read_is_said_with_the_mend_and_what_is_unsure_goes_to_a_person(client, send):
    _answer, words = page(client, send(unreadable("blurred")))
    assert "The photograph is blurred." in words
    address = send(shows("04500", 0.1), key="b")
    _answer, words = page(client, address)
    assert "a colleague will look at your photograph. The answer will stand here." in words
    review = Review.objects.get()
    review.ask_again(User.objects.create_user("salma"), at=NOON, why="blurred")
    do_jobs(until=NOON + timedelta(minutes=5))
    _answer, words = page(client, address)
    assert "send it again" in words
    assert not Outgoing.objects.exists()


def test_g1_what_is_sent_outside_the_window_is_told_the_dates(client, send, clock):  # noqa: F811
    clock.shift(timedelta(days=10))
    _answer, words = page(client, send(shows("04500")))
    assert "the days in which readings count for the bill are over" in words
    assert "send it again" not in words
    clock.shift(timedelta(days=-24))
    _answer, words = page(client, send(shows("04501"), key="b"))
    assert "outside the days" in words
    assert not Adoption.objects.exists()


def test_the_same_form_sent_twice_is_one_photograph_and_there_is_a_limit_to_number_and_size(
    client, send, monkeypatch
):
    monkeypatch.setattr(account_page, "MOST", 2)
    assert send(shows("04500")) == send(shows("04500"))
    send(shows("04501"), key="b")
    assert send(shows("04502"), key="c").status_code == 429
    assert Submission.objects.count() == 2
    monkeypatch.setattr(account_page, "MOST", 9)
    monkeypatch.setattr(account_page, "LARGEST", 100)
    assert send(shows("04503"), key="d").status_code == 413
    assert Submission.objects.count() == 2


def test_no_file_no_meter_and_another_accounts_meter_are_refused_with_words(client, url, account):  # noqa: F811
    assert (
        "Please take a photograph first."
        in client.post(f"{url}camera?in=en", {"key": "a" * 32}).content.decode()
    )
    make_point(2, account)
    other = make_point(3, Account.objects.create(number="9", holder_name="x"))
    told = client.post(f"{url}camera?in=en", {"key": "a" * 32, "point": other.number})
    assert told.status_code == 422
    assert "Please choose which meter it is." in told.content.decode()


def test_the_link_shows_nothing_of_another_account(client, send, url, account):  # noqa: F811
    stranger = Account.objects.create(number="9", holder_name="زينب التجريبية")
    theirs = make_point(9, stranger)
    contact = AccountContact.objects.create(account=stranger, identifier="tel:+96890000009", since=NOON)
    own = send(shows("04500"))
    sha256 = Photograph.objects.get().sha256
    other = f"/m/{token_of(contact, NOON)}/"
    assert client.get(f"{other}photograph/{sha256}").status_code == 404
    assert client.get(own.replace(url, other)).status_code == 404
    words = client.get(other).content.decode()
    assert "100200" not in words
    assert "4500" not in words
    told = client.post(f"{other}dispute", {"point": "SP-1", "month": "2026-11"})
    assert (told.status_code, Case.objects.count()) == (404, 0)
    assert theirs.place in words


def test_who_moved_in_does_not_see_the_photographs_or_the_case_of_who_moved_out(client, send, url, point):  # noqa: F811
    send(shows("04500"))
    client.post(f"{url}dispute", {"point": "SP-1", "month": "2026-11", "text": "my reason"})
    theirs = Case.objects.get()
    newcomer = Account.objects.create(number="9", holder_name="x")
    contact = AccountContact.objects.create(account=newcomer, identifier="tel:+96890000009", since=NOON)
    point.account = newcomer
    point.save()
    url = f"/m/{token_of(contact, NOON)}/"
    sha256 = Photograph.objects.get().sha256
    words = client.get(f"{url}?in=en").content.decode()
    assert sha256 not in words
    assert theirs.url not in words
    assert "Your reading</strong>" not in words
    assert client.get(f"{url}photograph/{sha256}").status_code == 404
    client.post(f"{url}dispute", {"point": "SP-1", "month": "2026-11"})
    assert Case.objects.exclude(pk=theirs.pk).count() == 1
    assert theirs.url not in client.get(url).content.decode()


def test_an_address_that_leads_nowhere_tells_nothing_and_guessing_is_counted(client, url):
    answers = {client.get(f"/m/{token}/").content for token in ("x", url[3:-2] + "0", "0" * 34)}
    assert len(answers) == 1
    assert WrongAddress.lately(NOON + timedelta(minutes=1)) == 3
    safe = client.get(url)
    assert (safe["Referrer-Policy"], safe["Cache-Control"]) == ("no-referrer", "no-store")
    assert "script-src" not in safe["Content-Security-Policy"]


def test_whoever_has_it_can_end_it(client, url):
    assert client.get(url).status_code == 200
    assert client.post(f"{url}end").status_code == 200
    assert client.get(url).status_code == 404


def test_one_press_disputes_the_number_twice_pressed_is_one_case_and_the_page_says_what_happens_next(
    client, send, url
):
    send(shows("04500"))
    pressed = {"point": "SP-1", "month": "2026-11", "text": "العداد ليس لي"}
    for _ in range(2):
        told = client.post(f"{url}dispute?in=en", pressed)
    case = Case.objects.get()
    _answer, words = page(client, told["Location"])
    assert f"request {case.reference}" in words
    assert "What happens next" in words
    assert case.url in words
    assert case.service_point == "SP-1"
    assert case.kind.code == "reading"
    assert case.work.due_at
    assert case.page_known_at
    assert "العداد ليس لي" in client.get(case.url).content.decode()


def test_an_estimate_is_named_with_its_interval_and_a_true_up_with_its_arithmetic(client, url, point, cycle):  # noqa: F811
    adoption = adopt(point, cycle, "estimate", 4470)
    Estimate.objects.create(
        reading=adoption.reading,
        method="x",
        since=NOON - timedelta(days=30),
        days=30,
        use=300,
        least=250,
        most=360,
        in_a_row=1,
    )
    _answer, words = page(client, f"{url}?in=en")
    assert "an estimate" in words
    assert "between \u2068250 kWh\u2069 and \u2068360 kWh\u2069" in words
    adoption.superseded_at = NOON
    adoption.save()
    TrueUp.objects.create(
        service_point=point,
        cycle=cycle,
        adoption=adopt(point, cycle, "field", 4400),
        since=NOON - timedelta(days=60),
        used=700,
        billed=650,
        difference=Decimal(-100),
        facts={"own": "150"},
    )
    _answer, words = page(client, f"{url}?in=en")
    assert "estimates have billed \u2068650 kWh\u2069 already" in words
    assert "\u2068150 kWh\u2069 of it fall on those after the last bill" in words
    assert "That was \u2068100 kWh\u2069 too much: it is taken off this bill." in words


def test_of_a_meter_changed_in_the_month_both_numbers_stand_there_and_what_was_put_right_after_the_bill(
    client,
    url,
    point,  # noqa: F811
    cycle,  # noqa: F811
):
    old = point.current_meter
    final = adopt(point, cycle, "field", 4470)
    bill(final, "4400", "70")
    old.removed_on = NOON.date()
    old.save()
    new = Meter.objects.create(service_point=point, serial="NEW-7", installed_on=NOON.date())
    Register.objects.create(meter=new, digits=5)
    adopt(point, cycle, "customer", 12)
    final.superseded_at = NOON
    final.save()
    adopt(point, cycle, "smart", 4480, register=old.registers.get())
    with CaptureQueriesContext(connection) as asked:
        _answer, words = page(client, f"{url}?in=en")
    assert "<b>04480</b>" in words
    assert "<b>00012</b>" in words
    assert words.index(old.serial) < words.index("<b>04480</b>") < words.rindex("NEW-7")
    assert "the counter went on by \u206870 kWh\u2069" in words
    assert "rightly it is \u206880 kWh\u2069." in words
    assert "The rest, \u206810 kWh\u2069, is billed besides." in words
    # Who has lived there for a year must not wait for the cycles joined with everything that came of everybody's points.
    (months,) = [one["sql"] for one in asked if "metering_cycle" in one["sql"] and "fieldread" in one["sql"]]
    assert " JOIN metering_adoption" not in months.replace('"', "")


def test_the_answer_in_the_chat_brings_the_address_of_the_page(customer, point, settings, client):  # noqa: F811
    settings.PUBLIC_URL = "https://service.example.om"
    (told,) = customer.sends_photograph(shows("04500"))
    address = told.text[told.text.index("https://service.example.om/m/") :].split()[0]
    words = client.get(address.removeprefix("https://service.example.om")).content.decode()
    assert "<b>04500</b>" in words
    assert evidence.fetch(Photograph.objects.get().sha256)


def adopt(point, cycle, source, value, *, register=None):  # noqa: F811
    register = register or point.current_register
    reading = Reading.objects.create(
        service_point=point, register=register, cycle=cycle, value=value, source=source, taken_at=NOON
    )
    return Adoption.objects.create(
        service_point=point,
        register=register,
        cycle=cycle,
        reading=reading,
        actor="x",
        why="x",
        rule=source,
        receipt=f"{source}-1",
    )
