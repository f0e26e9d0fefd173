"""Door to door with the emulator: real HTTP, signatures, repeats and faults; the jobs by a real worker."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels import outbox
from rasd.channels.models import Delivery, Incoming, Line, Media, Outgoing, Refusal
from rasd.channels.whatsapp.emulator.client import Emulator
from rasd.channels.whatsapp.emulator.server import run_emulator
from rasd.channels.whatsapp.emulator.settings import DEFAULT_PHONE_NUMBER_ID
from rasd.ledger import evidence

pytestmark = pytest.mark.django_db(transaction=True)
QUEUES = ["inbox", "media", "outbox"]
# A photograph by its first bytes, unlike any other by its last.
PHOTOS = [b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes([n]) * 400 for n in range(5)]
State = Outgoing.State


@pytest.fixture
def web(settings) -> Iterator[str]:
    """Rasd's own ASGI application in a thread, with the doors' own way in."""
    doors = "rasd.channels.middleware.doors"
    if doors not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [settings.MIDDLEWARE[0], doors, *settings.MIDDLEWARE[1:]]
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = uvicorn.Server(uvicorn.Config(get_asgi_application(), lifespan="off", log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/channels/whatsapp/webhook"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def emulator(web: str, settings) -> Iterator[Emulator]:
    with run_emulator(retry_scale=0.001, lanes=4) as emulator:
        settings.WHATSAPP = {
            "API_URL": f"{emulator.url}/v23.0",
            "TOKEN": emulator.settings.token,
            "APP_SECRET": emulator.settings.app_secret,
            "VERIFY_TOKEN": emulator.settings.verify_token,
        }
        assert emulator.set_webhook(web)
        yield emulator


@pytest.fixture
def line(db: None) -> Line:
    return Line.objects.create(
        channel="whatsapp",
        purpose="readings",
        external_id=DEFAULT_PHONE_NUMBER_ID,
        name="Readings",
        display_address="+968 2400 0000",
    )


def work() -> None:
    """A real worker, until no job is ready."""
    with app.replace_connector(app.connector.get_worker_connector()) as working:
        working.run_worker(
            queues=QUEUES, concurrency=4, wait=False, listen_notify=False, install_signal_handlers=False
        )


def work_until_done(seconds: float = 30) -> None:
    """Those that are due later included."""
    until = time.monotonic() + seconds
    while ProcrastinateJob.objects.filter(queue_name__in=QUEUES, status__in=["todo", "doing"]).exists():
        assert time.monotonic() < until, list(ProcrastinateJob.objects.filter(status="todo").values())
        work()
        time.sleep(0.05)


def answer_all(line: Line) -> list[Outgoing]:
    return [
        Outgoing.queue(
            line=line, address=i.address, key=f"answer-{i.external_id}", text=f"re: {i.text}", replies_to=i
        )
        for i in Incoming.objects.order_by("pk")
    ]


def copies(emulator: Emulator) -> list[str]:
    """The texts that customers got, of all chats."""
    return sorted(
        m["text"]
        for key in [p["key"] for p in emulator.phones()]
        for m in emulator.phone(key).chat()
        if m["direction"] == "out"
    )


def test_what_is_sent_twice_late_and_shuffled_is_stored_once_fetched_and_answered_once(emulator, line):
    emulator.faults(duplicate_rate=0.5, reorder=0.3, wrong_signatures=3, media_failures=2)
    sent = {}
    for n, photo in enumerate(PHOTOS):
        phone = emulator.phone(f"+968 9000 000{n}")
        for m in range(3):
            phone.send_text(f"text {n}.{m}")
        sent[f"photo {n}"] = photo
        phone.send_photo(photo, f"photo {n}")
    emulator.settle()
    work_until_done()
    assert Incoming.objects.count() == 20
    assert Delivery.objects.count() > 20
    assert not Delivery.objects.exclude(trouble="").exists()
    assert {m.incoming.text: evidence.fetch(m.sha256) for m in Media.objects.all()} == sent
    assert Refusal.objects.get().reason == "wrong signature"

    answer_all(line)
    work_until_done()
    emulator.settle()
    work_until_done()
    assert {o.state for o in Outgoing.objects.all()} <= {State.DELIVERED, State.READ}
    assert copies(emulator) == sorted(f"re: {i.text}" for i in Incoming.objects.all())


def test_an_answer_whose_acceptance_was_never_heard_of_reaches_the_customer_once(emulator, line, monkeypatch):
    monkeypatch.setattr(outbox, "GRACE", timedelta(seconds=4))
    emulator.phone("+968 9000 0001").send_text("hello")
    emulator.settle()
    work_until_done()
    emulator.faults(die_after_accepting=1)
    (outgoing,) = answer_all(line)
    work()
    assert Outgoing.objects.get().attempts == 1
    emulator.settle()
    work_until_done()
    outgoing.refresh_from_db()
    assert (outgoing.state in {State.DELIVERED, State.READ, State.SENT}, outgoing.attempts) == (True, 1)
    emulator.settle()
    assert copies(emulator) == ["re: hello"]


def test_passing_errors_are_outlived_and_others_recorded_with_meta_s_words(emulator, line, monkeypatch):
    monkeypatch.setattr(outbox, "FIRST_WAIT", timedelta(milliseconds=50))
    for n in range(3):
        emulator.phone(f"+968 9000 000{n}").send_text("hello")
    emulator.settle()
    work_until_done()
    emulator.fail_next(131000, to="96890000000")
    emulator.fail_next(130429, to="96890000001", via="webhook")
    emulator.fail_next(131026, to="96890000002")
    answer_all(line)
    for _ in range(3):
        work_until_done()
        emulator.settle()
    by_phone = {o.address.phone: o for o in Outgoing.objects.select_related("address")}
    assert by_phone["+96890000000"].attempts == 2
    assert by_phone["+96890000001"].attempts == 2
    assert by_phone["+96890000000"].could_be_received
    assert by_phone["+96890000001"].could_be_received
    assert (by_phone["+96890000002"].state, by_phone["+96890000002"].error_code) == (State.FAILED, 131026)


def test_the_answers_to_one_customer_come_in_the_order_in_which_they_were_written(emulator, line):
    phone = emulator.phone("+968 9000 0001")
    phone.send_text("hello")
    emulator.settle()
    work_until_done()
    incoming = Incoming.objects.get()
    emulator.fail_next(131016)  # the first one's first attempt
    for n in range(6):
        Outgoing.queue(line=line, address=incoming.address, key=str(n), text=f"{n}")
    work_until_done()
    emulator.settle()
    assert [m["text"] for m in phone.chat() if m["direction"] == "out"] == list("012345")


def test_buttons_a_list_an_image_and_a_hidden_number_pass_the_emulator_s_checks(emulator, line):
    phone = emulator.phone("", user_id="OM.hidden")
    phone.send_text("hello")
    emulator.settle()
    work_until_done()
    address = Incoming.objects.get().address
    assert address.phone is None
    sha256, _ = evidence.keep([PHOTOS[0]], limit=10_000)
    queue = {"line": line, "address": address}
    Outgoing.queue(
        **queue, key="b", text="sure?", kind="buttons", content={"buttons": [{"id": "y", "title": "نعم"}]}
    )
    Outgoing.queue(
        **queue,
        key="c",
        text="which?",
        kind="choices",
        content={"button": "اختر", "rows": [{"id": "1", "title": "Villa", "description": "Al Khuwair"}]},
    )
    Outgoing.queue(**queue, key="i", text="like this", kind="image", content={"sha256": sha256})
    with_picture = {"buttons": [{"id": "p", "title": "موظف"}], "picture": sha256}
    Outgoing.queue(**queue, key="p", text="again, like this", kind="buttons", content=with_picture)
    work_until_done()
    assert not Outgoing.objects.filter(failed_at__isnull=False).exists()
    phone.press("نعم")
    phone.choose("Villa")
    emulator.settle()
    work_until_done()
    pressed = {
        i.button_id: i for i in Incoming.objects.filter(kind="button")
    }  # sorted side by side, in any order
    assert {key: i.text for key, i in pressed.items()} == {"y": "نعم", "1": "Villa"}
    assert pressed["y"].replies_to == Outgoing.objects.get(key="b").external_id


def test_a_template_goes_where_the_window_is_closed(emulator, line):
    emulator.add_template("answer", "نجيب: {{1}}", "ar")
    Line.objects.update(reopening_template={"name": "answer", "language": "ar"})
    phone = emulator.phone("+968 9000 0001")
    phone.send_text("hello")
    emulator.settle()
    work_until_done()
    Incoming.objects.update(sent_at=timezone.now() - timedelta(days=2))
    answer_all(line)
    address = Incoming.objects.get().address
    long = Outgoing.queue(line=line, address=address, key="long", text="كلمة " * 300)
    work_until_done()
    emulator.settle()  # until the phone has it
    assert [m["text"] for m in phone.chat() if m["direction"] == "out"] == ["نجيب: re: hello"]
    long.refresh_from_db()
    assert "takes 1024 characters, not 1499: send it in parts" in long.error_words, (
        "nothing is cut off silently"
    )


def test_a_customer_s_changes_of_number_edits_and_revocations_arrive(emulator, line):
    phone = emulator.phone("+968 9000 0001")
    first = phone.send_text("04521")
    phone.edit(first["id"], "04522")
    phone.revoke(first["id"])
    phone.change_number("+968 9000 0009")
    phone.send_text("still me")
    emulator.settle()
    work_until_done()
    kinds = list(Incoming.objects.order_by("sent_at", "pk").values_list("kind", flat=True))
    assert sorted(kinds) == ["edit", "revocation", "system", "text", "text"]
    assert Incoming.objects.values("address").distinct().count() == 1
    assert Incoming.objects.get(text="still me").address.phone == "+96890000009"
