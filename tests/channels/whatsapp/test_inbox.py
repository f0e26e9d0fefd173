"""Sorting: a table of payloads, and the rows and words of trouble that each becomes. Numbers and people are made up."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from rasd.channels import signals
from rasd.channels.errors import SortingFailed
from rasd.channels.models import Address, Delivery, Incoming, Line, Media, StatusEvent
from tests.channels.doors import deliver, envelope, text_message, waiting_jobs

PAYLOADS = Path(__file__).parent / "payloads"
K = Incoming.Kind
SENT = datetime.fromtimestamp(1763716800, UTC)
pytestmark = pytest.mark.django_db

# file: messages as (kind, words), how many statuses, what the trouble says
TABLE: dict[str, tuple[list[tuple[str, str]], int, list[str]]] = {
    "one_text": ([(K.TEXT, "القراءة ٠٤٥٢١")], 0, []),
    "everything_in_one_batch": (
        [(K.IMAGE, "عداد البيت"), (K.TEXT, "hello"), (K.BUTTON, "نعم"), (K.AUDIO, "")],
        2,
        ["Meta reports 130429: Rate limit hit: Too many"],
    ),
    "sender_without_a_number": ([(K.TEXT, "hi")], 0, []),
    "sender_told_by_the_only_contact": ([(K.TEXT, "hi")], 0, []),
    "another_s_contact": ([(K.TEXT, "hi")], 0, []),
    "several_photographs": ([(K.IMAGE, "")] * 4, 0, []),
    "an_edit_of_a_text": ([(K.EDIT, "04522")], 0, []),
    "a_revocation": ([(K.REVOCATION, "")], 0, []),
    "a_list_row": ([(K.BUTTON, "Villa 12")], 0, []),
    "a_form": ([(K.FORM, "account: 1001"), (K.FORM, "not json")], 0, []),
    "a_card_and_an_order": (
        [(K.CONTACTS, "Made Up +968 9000 0003"), (K.ORDER, "please\n1 × METER")],
        0,
        [],
    ),
    "a_call": ([(K.UNSUPPORTED, "call")], 0, []),
    "unknown_kinds": (
        [
            (K.UNSUPPORTED, "hologram"),
            (K.UNSUPPORTED, "request_welcome"),
            (K.UNSUPPORTED, "poll\n131051: Message type unknown"),
            (K.UNSUPPORTED, ""),
        ],
        0,
        [],
    ),
    "parts_of_the_wrong_type": (
        [
            (K.TEXT, ""),
            (K.IMAGE, ""),
            (K.IMAGE, "7"),
            (K.UNSUPPORTED, "interactive"),
            (K.LOCATION, "north, "),
            (K.REACTION, ""),
            (K.CONTACTS, ""),
            (K.TEXT, "12"),
            (K.EDIT, ""),
            (K.EDIT, ""),
            (K.SYSTEM, ""),
            (K.UNSUPPORTED, "unsupported"),
            (K.ORDER, ""),
        ],
        0,
        [],
    ),
    "some_that_cannot_be_stored": (
        [(K.TEXT, "good one")],
        1,
        [
            "messages[0]: not an object",
            "messages[2]: not an object",
            "id: missing, or longer than 200 characters",
            "neither a number nor a user id",
            "statuses[0]: not an object",
            "id or status: missing or too long",
        ],
    ),
    "what_postgres_cannot_hold": ([(K.TEXT, "nul � here"), (K.TEXT, "half ? pair")], 0, []),
    "times_that_are_none": ([(K.TEXT, "x")] * 10, 0, ["timestamp 'yesterday' is no time", "'4102444800'"]),
    "a_shape_without_sense": (
        [],
        0,
        [
            "entry[0].changes: missing or not a list",
            "entry[2].changes[0]: not an object",
            "value is missing",
            "messages is not a list",
            "account_update DISABLED_UPDATE: nothing here reads it",
        ],
    ),
    "an_unknown_line": ([(K.TEXT, "z")], 0, ["line 404 is not known"]),
}


def sort(name: str) -> Delivery:
    return deliver((PAYLOADS / f"{name}.json").read_bytes())


@pytest.fixture(autouse=True)
def _lines(line: Line) -> None:
    Line.objects.create(
        channel="whatsapp", purpose="service", external_id="7654321", name="S", display_address="+968 2"
    )


def test_every_payload_file_has_its_row_in_the_table():
    assert {path.stem for path in PAYLOADS.glob("*.json")} == TABLE.keys()


@pytest.mark.parametrize("name", TABLE)
def test_it_becomes_these_rows(name: str):
    messages, statuses, troubles = TABLE[name]
    delivery = sort(name)
    rows = list(Incoming.objects.order_by("pk").values_list("kind", "text"))
    assert rows == messages
    assert StatusEvent.objects.count() == statuses
    for words in troubles:
        assert words in delivery.trouble
    assert bool(delivery.trouble) == bool(troubles)
    assert delivery.sorted_at is not None
    sort(name)
    assert list(Incoming.objects.order_by("pk").values_list("kind", "text")) == messages
    assert StatusEvent.objects.count() == statuses


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"[" * 100_000, b"NaN", b"null", b"7", b'"x"', b"1" * 5000]
)
def test_what_is_no_payload_at_all_is_told_as_trouble(body: bytes):
    delivery = deliver(body)
    assert delivery.trouble
    assert delivery.sorted_at is not None


def test_a_message_has_the_sender_s_own_time_and_its_payload_as_it_came():
    sort("one_text")
    incoming = Incoming.objects.get()
    assert incoming.sent_at == SENT
    assert (
        incoming.payload
        == json.loads((PAYLOADS / "one_text.json").read_text())["entry"][0]["changes"][0]["value"][
            "messages"
        ][0]
    )
    assert timezone.now() - incoming.received_at < timedelta(minutes=1)


def test_a_time_that_is_none_gives_way_to_the_time_of_delivery():
    delivery = sort("times_that_are_none")
    by_id = {i.external_id: i.sent_at for i in Incoming.objects.all()}
    assert [by_id[f"wamid.{n}"] == delivery.received_at for n in range(10)] == [True] * 7 + [False] * 2 + [
        True
    ]


def test_a_line_is_found_by_its_phone_number_id():
    sort("everything_in_one_batch")
    assert Incoming.objects.get(external_id="wamid.4").line.external_id == "7654321"
    assert Incoming.objects.get(external_id="wamid.1").line.external_id == "1122334455667"


def test_a_pressed_button_knows_its_id_and_the_message_it_stood_under():
    sort("everything_in_one_batch")
    pressed = Incoming.objects.get(kind=K.BUTTON)
    assert (pressed.button_id, pressed.replies_to) == ("yes", "wamid.out.1")


def test_a_file_is_wanted_until_its_id_dies_seven_days_after_it_was_sent():
    sort("several_photographs")
    media = list(Media.objects.order_by("pk"))
    assert [m.external_id for m in media] == ["m1", "m2", "m3", "m4"]
    assert {m.gives_up_at for m in media} == {SENT + timedelta(days=7)}
    assert waiting_jobs("fetch") == [{"media_id": m.pk} for m in media]


def test_a_name_is_taken_from_the_sender_s_own_contact_only():
    sort("everything_in_one_batch")
    assert dict(Address.objects.values_list("phone", "profile_name")) == {
        "+96890000001": "Customer One",
        "+96890000002": "Customer Two",
    }


def test_another_s_contact_in_the_same_delivery_names_nobody():
    sort("another_s_contact")
    person = Address.objects.get()
    assert (person.phone, person.user_id, person.profile_name) == ("+96890000001", None, "")


def test_each_message_is_told_once_inside_its_transaction(line):
    told = []

    def listen(incoming, **_):
        told.append((incoming.external_id, transaction.get_connection().in_atomic_block))

    signals.message_arrived.connect(listen)
    try:
        for _ in range(3):
            deliver(envelope({"messages": [text_message(1), text_message(2), text_message(1)]}))
    finally:
        signals.message_arrived.disconnect(listen)
    assert told == [("wamid.1", True), ("wamid.2", True)]


def test_a_listener_that_fails_undoes_its_message_alone_and_the_delivery_is_sorted_again(line):
    def listen(incoming, **_):
        if incoming.external_id == "wamid.2" and fails:
            raise RuntimeError("not today")

    fails = True
    signals.message_arrived.connect(listen)
    try:
        payload = envelope({"messages": [text_message(1), text_message(2), text_message(3)]})
        with pytest.raises(SortingFailed, match="not today"):
            deliver(payload)
        delivery = Delivery.objects.get()
        assert delivery.sorted_at is None
        assert "RuntimeError: not today" in delivery.trouble
        assert set(Incoming.objects.values_list("external_id", flat=True)) == {"wamid.1", "wamid.3"}
        fails = False
        delivery.sort()
    finally:
        signals.message_arrived.disconnect(listen)
    assert Incoming.objects.count() == 3
    assert (delivery.trouble, delivery.sorted_at is not None) == ("", True)


def test_the_same_id_on_two_lines_is_two_messages(line):
    deliver(envelope({"messages": [text_message(1)]}))
    deliver(envelope({"messages": [text_message(1)], "metadata": {"phone_number_id": "7654321"}}))
    assert Incoming.objects.count() == 2


def test_only_what_a_customer_writes_opens_the_window(line):
    at = timezone.now() - timedelta(hours=1)
    reaction = {"type": "reaction", "reaction": {"message_id": "wamid.out.1", "emoji": "👍"}}
    deliver(envelope({"messages": [text_message(1, at=at, **reaction)]}))
    assert Address.objects.get().last_wrote_at is None
    deliver(envelope({"messages": [text_message(2, at=at)]}))
    wrote_at = Address.objects.get().last_wrote_at
    assert abs(wrote_at - at) < timedelta(seconds=1)
    deliver(envelope({"messages": [text_message(3, at=at - timedelta(days=2))]}))
    assert Address.objects.get().last_wrote_at == wrote_at
