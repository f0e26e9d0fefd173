"""A person's data are given to him, and erased, when he asks; what was done for him stays provable (G4, G7, G12)."""

import hashlib
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from rasd.channels.models import Delivery, Incoming, Outgoing
from rasd.desk.errors import AnswerHeld
from rasd.desk.models import Case, Contact, Conversation, Draft, HeldAnswer
from rasd.ledger.models import Entry, verify
from rasd.ledger.projections import KNOWN
from rasd.metering.models import Adoption, Submission
from rasd.person import cli
from rasd.person.erasing import StillOpen, erase
from rasd.person.models import Erasure, Export
from rasd.person.whole import Person
from tests.flows.conftest import PHONE, Customer, shows
from tests.jobs import do_jobs

WORDS = "كلمة-لا-تقولها-إلا-هي"
NAME = "سالم"


@pytest.fixture(autouse=True)
def address(settings):
    settings.PUBLIC_URL = "https://service.example.om"


@pytest.fixture
def salma(db) -> User:
    return User.objects.create_user("salma", first_name="Salma")


@pytest.fixture
def lived(customer: Customer, point, salma) -> Person:
    """A customer with all that one leaves behind: a bill's reading, a complaint with its answer, and what staff wrote of her."""
    customer.sends_photograph(shows("4480"))
    customer.says(f"شكوى: العداد مكسور {WORDS}")
    case, chat, now = Case.objects.get(), customer.conversation, timezone.now()
    chat.note(f"{WORDS}: called {PHONE}", at=now, author=salma)
    chat.claim(User.objects.create_user("nasser"), at=now)
    with pytest.raises(AnswerHeld):
        chat.reply(f"{WORDS} held", author=salma, key="h", at=now)
    HeldAnswer.objects.get().drop(by=salma, at=now)
    chat.release(User.objects.get(username="nasser"), at=now)
    case.close(f"أصلحناه، {WORDS}", author=salma, key="k", at=now)
    do_jobs()
    customer.presses("rate:")
    customer.says(f"شكرا {WORDS}")
    chat.refresh_from_db()
    if owed := chat.owed:
        owed.answer_with(chat.reply("عفوا", author=salma, key="z", at=timezone.now()))
    do_jobs()
    Draft.keep(chat, salma, f"{WORDS} draft", at=now)
    customer.deliver_again()
    return Person(Contact.objects.get(addresses=chat.address))


def redeliver(self: Customer) -> None:
    """The channel delivers its last call once more, which makes a row that no message points at."""
    Delivery.accept("whatsapp", bytes(Delivery.objects.earliest("pk").body))
    do_jobs()


Customer.deliver_again = redeliver  # type: ignore[attr-defined]


def left_of(*needles: str) -> list[str]:
    """Where in any table, whatever its type, any of them stands; the utility's own record of its account holder aside."""
    columns = """
        SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(columns)
        for table, column, kind in cursor.fetchall():
            if (table, column) == ("metering_account", "holder_name"):
                continue
            text = (
                f"convert_from(\"{column}\", 'UTF8')"
                if kind == "bytea" and column == "body"
                else f'"{column}"::text'
            )
            for needle in needles:
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE {text} LIKE %s', [f"%{needle}%"])
                escaped = json.dumps(needle)[1:-1].replace("\\", "\\\\")
                count = cursor.fetchone()[0]
                cursor.execute(f'SELECT count(*) FROM "{table}" WHERE {text} LIKE %s', [f"%{escaped}%"])
                if count + cursor.fetchone()[0]:
                    found.append(f"{table}.{column}: {needle}")
    return found


def files() -> set[str]:
    return {each.name for each in Path(settings.MEDIA_ROOT).rglob("*") if each.is_file()}


def test_nothing_of_an_erased_person_is_left_in_any_table_or_file_and_the_ledger_holds(lived: Person, salma):
    needles, sent = (PHONE, WORDS, NAME), files()
    tokens = (Case.objects.get().token, *Incoming.objects.values_list("external_id", flat=True))
    shas = lived.files()
    assert {each.partition(".")[0] for each in left_of(*needles)} >= {
        "channels_address", "channels_delivery", "channels_incoming", "channels_outgoing", "desk_contact", "desk_message",
        "desk_draft", "desk_heldanswer", "desk_caseentry", "desk_rating", "ledger_entry", "metering_submission",
        "metering_accountcontact",
    }  # fmt: skip
    assert shas
    assert shas <= sent
    adopted = Adoption.objects.get().reading.value
    heads = list(Entry.objects.order_by("number").values_list("number", "hash"))

    done = Erasure.of(lived, by=salma, at=timezone.now(), why="asked at the counter")
    do_jobs()

    done.refresh_from_db()
    assert left_of(*needles, *tokens, *shas) == []
    assert files() & shas == set()
    assert (done.still_to_go, done.finished_at is not None) == ({}, True)
    assert verify() is None
    assert [(number, bytes(each)) for number, each in heads] == [
        (number, bytes(each))
        for number, each in Entry.objects.order_by("number").values_list("number", "hash")[: len(heads)]
    ]
    assert all(each.differs() == "" for each in KNOWN)
    entry = Entry.objects.get(number=done.entry)
    assert (entry.action, entry.actor, entry.why) == ("ledger.erased", "user:salma", "asked at the counter")
    # What bills and the account of employees rest on is there.
    assert Adoption.objects.get().reading.value == adopted
    assert Case.objects.get().was_solved is not None
    assert str(Conversation.objects.get().address) == f"erased-{done.pk}"
    # A second time nothing is left to do.
    again = Erasure.of(Person(lived.contact), by=salma, at=timezone.now(), why="once more")
    assert again == done


def test_who_writes_after_he_was_erased_is_somebody_new_and_what_came_before_does_not_come_back(
    lived: Person, customer: Customer, salma
):
    first = bytes(Delivery.objects.earliest("pk").body)
    Erasure.of(lived, by=salma, at=timezone.now(), why="by letter")
    do_jobs()
    Delivery.accept("whatsapp", first)
    do_jobs()
    assert not Conversation.objects.filter(address__phone=f"+{PHONE}").exists()
    customer.says("السلام عليكم")
    assert customer.conversation.contact != lived.contact
    assert Submission.objects.exclude(identifier__startswith="erased-").count() == 0
    sent = Outgoing.objects.filter(address__in=Person(Contact.objects.get(pk=lived.contact.pk)).addresses)
    erased = Conversation.objects.filter(contact=lived.contact).first()
    erased.reopen(at=timezone.now(), actor="user:salma")
    again = erased.reply("?", author=salma, key="a", at=timezone.now())
    do_jobs()
    assert sent.get(pk=again.outgoing_id).failed_at is not None  # nobody can write to somebody who is gone


def test_what_is_owed_or_not_done_is_ended_first_and_the_reason_does_not_name_him(
    customer: Customer, point, salma
):
    customer.says("شكوى: العداد مكسور")
    person = Person(Contact.objects.get())
    with pytest.raises(StillOpen) as refused:
        erase(person, by=salma, at=timezone.now(), why="asked")
    assert {"owed", "open cases"} <= refused.value.what.keys()
    for why in ("", f"{NAME} asked", f"+{PHONE} asked"):
        with pytest.raises(ValueError, match="why"):
            erase(person, by=salma, at=timezone.now(), why=why)
    assert customer.conversation.messages.count() > 0
    assert Erasure.objects.count() == 0


def test_a_crash_between_rows_and_files_is_made_good_by_the_sweep_and_another_mans_same_file_stays(
    lived: Person, customer: Customer, salma
):
    other = Customer(customer.world, customer.client, customer.clock, phone="96890000002")
    media_id = next(iter(customer.world.files))
    other.sends({"type": "image", "image": {"id": media_id, "mime_type": "image/jpeg", "sha256": "x"}})
    shas = lived.files()
    done = Erasure.of(lived, by=salma, at=timezone.now(), why="by letter")
    assert shas <= files()  # and here the worker dies
    assert Erasure.finish_all(timezone.now()) == 1
    assert files() & shas == Person.found("+96890000002").files() & shas != set()
    assert Erasure.finish_all(timezone.now()) == 0
    done.refresh_from_db()
    assert done.still_to_go == {}


def test_another_mans_part_of_a_delivery_stays_as_it_came(customer: Customer, point, salma):
    other = Customer(customer.world, customer.client, customer.clock, phone="96890000002")
    text = {"type": "text", "text": {"body": "mine"}}
    mine = {**text, "from": PHONE, "id": "wamid.a", "timestamp": "1795000000"}
    other.deliver(text | {"text": {"body": "his"}}, mine)
    do_jobs()
    person = Person.found(f"+{PHONE}")
    for owed in person.obligations:
        owed.waive(by=salma, at=timezone.now())
    Erasure.of(person, by=salma, at=timezone.now(), why="by letter")
    body = bytes(Delivery.objects.get().body).decode()
    assert "his" in body
    assert "mine" not in body
    assert PHONE not in body


def test_a_persons_data_are_one_file_with_everything_and_a_fingerprint_of_each_part(lived: Person, salma):
    kept = Contact.objects.create(name="the same person")
    kept.merge(lived.contact, by=salma, at=timezone.now())
    export = Export.ask(kept, by=salma, at=timezone.now())
    assert Export.ask(kept, by=salma, at=timezone.now()) == export
    do_jobs()
    export.refresh_from_db()
    assert (export.done, export.percent, export.ready_at is not None) == (export.total, 100, True)
    [path] = Path(settings.MEDIA_ROOT).rglob(f"{export.pk}.zip")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == export.sha256
    whole = zipfile.ZipFile(path)
    manifest = json.loads(whole.read("manifest.json"))
    assert set(whole.namelist()) == {*manifest["files"], "manifest.json"}
    for name, told in manifest["files"].items():
        assert hashlib.sha256(whole.read(name)).hexdigest() == told["sha256"]
    assert manifest["contact"] == f"contact:{kept.pk}"

    def told(name: str) -> Any:
        return json.loads(whole.read(f"{name}.json"))

    assert len(told("messages")) == Person(kept).messages.count()
    assert next(each for each in told("messages") if each["file"])["file"] in whole.namelist()
    assert WORDS in json.dumps(told("cases"), ensure_ascii=False)
    assert told("submissions")[0]["readings"][0]["value"] == "4480.000"
    assert told("consents")["may_send_readings_for"][0]["account_number"] == "100200"
    assert {each["action"] for each in told("ledger")} >= {"reading.adopted", "case.opened", "contact.merged"}
    assert f"+{PHONE}" in told("person")["addresses"][0]["phone"]
    page = whole.read("messages.html").decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert WORDS in page
    assert Entry.objects.get(action="person.exported").actor == "user:salma"
    assert Export.throw_old_away(timezone.now() + timedelta(days=2)) == 1
    assert not path.exists()


def test_the_command_exports_by_any_way_of_writing_the_number_and_is_an_entry(
    customer: Customer, point, tmp_path
):
    customer.says("مرحبا")
    for number, asked in enumerate(
        (f"+{PHONE}", f"tel:+{PHONE}", "contact:" + str(Contact.objects.get().pk))
    ):
        done = CliRunner().invoke(cli.person, ["export", asked, "--to", str(tmp_path / f"{number}.zip")])
        assert done.exit_code == 0, done.output
        assert "messages.html" in zipfile.ZipFile(tmp_path / f"{number}.zip").namelist()
    assert Entry.objects.filter(action="person.exported", actor="machine:cli").count() == 3
    nobody = CliRunner().invoke(cli.person, ["export", "+96899999999", "--to", str(tmp_path / "x.zip")])
    assert nobody.exit_code == 2
    assert "nobody is known by it" in nobody.output
