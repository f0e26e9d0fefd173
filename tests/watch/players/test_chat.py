"""He chats: in widgets on a page and in a frame, and on the phone of the WhatsApp emulator."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from rasd.channels.whatsapp.emulator.server import run_emulator
from rasd.channels.whatsapp.emulator.settings import DEFAULT_PHONE_NUMBER_ID, DEFAULT_TOKEN
from rasd.watch.evidence.box import Box
from rasd.watch.journeys import Journey
from rasd.watch.journeys.written import Channel
from rasd.watch.players import chat as chat_module
from rasd.watch.players import listening
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.chat import ChatPlayer
from rasd.watch.players.finding import ExhibitKind, Trouble
from rasd.watch.players.web import WebPlayer

pytestmark = pytest.mark.browser

CHATS = Path(__file__).parent / "chats"
NUMBER = "96890000001"
MESSAGES = f"/v23.0/{DEFAULT_PHONE_NUMBER_ID}/messages"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(CHATS))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A widget that writes a word each 60 ms is done with them sooner than people's are."""
    monkeypatch.setattr(listening, "SETTLED", 0.2)
    monkeypatch.setattr(chat_module, "LONGEST_TYPING", 0.2)
    monkeypatch.setattr(chat_module, "LEAVES", 0.5)


class Visitor:
    """Somebody before a chat. ``play(say="…")`` gives the step's facts."""

    def __init__(self, browser: Browser, url: str, folder: Path, **chat: Any) -> None:
        steps = [{"say": "x"}]
        told = {"journey": "chats", "title": "He chats", "target": "desk", "channel": "chat", "chat": chat}
        self.told = {**told, "who": {"patience": "20s", "network": "wifi"}, "steps": steps, "done": steps}
        journey = Journey.model_validate(self.told)
        self.errand = Errand(journey, url, Box(folder), {}, secrets={"pin": "4711"})
        self.errand.patient_until = self.errand.clock.monotonic() + 20
        self.player = ChatPlayer(WebPlayer(browser))

    def play(self, **step: Any) -> dict[str, Any]:
        played = Journey.model_validate(self.told | {"steps": [step]}).steps[0]
        return self.player.play(played, self.errand)

    def fails(self, **step: Any) -> CannotPlay:
        with pytest.raises(CannotPlay) as error:
            self.play(**step)
        return error.value

    @property
    def page_times(self) -> list[float]:
        """Seconds from each thing that he said to each answer, as the widget itself took them."""
        said, took = 0.0, []
        for kind, at in self.player.page.frames[-1].evaluate("times"):
            said = at if kind == "said" else said
            took += [(at - said) / 1000] if kind == "answered" else []
        return took

    def transcript(self) -> list[tuple[str, str]]:
        exhibits = {each.kind: each for each in self.player.close(self.errand, True)}
        told = json.loads(self.errand.box.get(exhibits[ExhibitKind.TRANSCRIPT].sha256))
        return [(line["who"], line["words"]) for line in told["lines"]]


@contextmanager
def visiting(browser: Browser, url: str, folder: Path, **chat: Any) -> Iterator[Visitor]:
    visitor = Visitor(browser, url, folder, **chat)
    try:
        yield visitor
    finally:
        visitor.player.close(visitor.errand, True)


def widget(script: list[Any], page: str = "widget.html", **more: str) -> str:
    return f"/{page}?{urlencode({'script': json.dumps(script), **more})}"


SENT = "We have sent an e-mail to the department"


def test_a_widget_whose_messages_nothing_marks_is_heard_by_what_is_new_in_it(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    """His own words, dots, "Seen", times of day and what moves elsewhere on the page are no answers."""
    script = [
        [[300, "Hello and welcome, how can I help you?", {"grows": True}]],
        [[200, "Which bill, 4711 or 4712?", {"button": "4712"}]],
        [[100, SENT]],
        [[100, SENT]],
    ]
    with visiting(browser, site, tmp_path, box="Write to us") as he:
        he.play(open=widget(script))
        facts = [he.play(say="Hello") and he.play(hear={})]
        facts += [
            he.play(say="My bill {secret.pin}")
            and he.play(hear={"words": "bill", "keep": {"bill": r"or (\d+)"}})
        ]
        assert he.errand.kept == {"bill": "4712"}
        assert he.play(press="4712")["clicks"] == 1
        facts += [he.play(hear="sent")]
        he.play(say="And now?")
        loop = he.fails(hear={}, within="1s")
        assert (loop.trouble, str(loop)) == (Trouble.LOOP, f"the same answer, 2 times now: “{SENT}”")
        measured = [each["first_answer"] for each in [*facts, loop.facts]]
        assert measured == pytest.approx(he.page_times, abs=0.1)
        assert he.transcript() == [
            ("he", "Hello"),
            ("machine", "Hello and welcome, how can I help you?"),
            ("he", "My bill •••"),
            ("machine", "Which bill, ••• or 4712?"),
            ("he", "4712"),
            ("machine", SENT),
            ("he", "And now?"),
            ("machine", SENT),
        ]


def test_a_widget_in_a_frame_is_opened_by_its_button_and_a_person_joins(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    script = [[[100, "One moment"], [350, "Salim (agent): good morning"]], []]
    place = {"box": "Write to us", "opener": "Chat with us", "send": "Send", "messages": ".theirs .words"}
    with visiting(browser, site, tmp_path, **place, person=r"\(agent\)") as he:
        he.play(open=widget(script, "framed.html", opener="", button=""))
        assert he.play(hear="Welcome")["first_answer"] is not None
        assert he.play(say="A person please\nnot a machine")["clicks"] == 1
        facts = he.play(hear={"person": True})
        assert (facts["first_answer"], facts["person"]) == pytest.approx(he.page_times, abs=0.1)
        he.play(say="Hello?")
        silent = he.fails(hear={}, within="0.3s")
        assert (silent.trouble, silent.facts["first_answer"], silent.facts["gave_up"]) == (
            Trouble.NO_ANSWER,
            None,
            True,
        )
        assert he.transcript() == [
            ("machine", "Welcome"),
            ("he", "A person please\nnot a machine"),
            ("machine", "One moment"),
            ("person", "Salim (agent): good morning"),
            ("he", "Hello?"),
        ]


def test_a_chat_that_is_not_there_or_does_not_send_is_said_so(
    browser: Browser, site: str, tmp_path: Path
) -> None:
    with visiting(browser, site, tmp_path, box="Write to us") as he:
        he.play(open=widget([], button=""))  # its Enter does nothing
        stuck = he.fails(say="Hello")
        assert (stuck.trouble, str(stuck)) == (
            Trouble.OUT_OF_REACH, "Enter does not send: his words stay in 'Write to us'",
        )  # fmt: skip
        no_person = he.fails(hear={"person": True})
        assert no_person.trouble is Trouble.JOURNEY
    with visiting(browser, site, tmp_path, box="Write to the bank") as he:
        he.play(open=widget([]))
        nowhere = he.fails(say="Hello", within="0.3s")
        assert nowhere.trouble is Trouble.NOT_THERE
        assert "'Write to the bank'" in str(nowhere)


def test_he_writes_on_the_phone_of_the_whatsapp_emulator_and_presses_its_quick_replies(
    browser: Browser, tmp_path: Path
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "السلام عليكم": {"type": "text", "text": {"body": "وعليكم السلام، أرسل قراءة عدادك."}},
        "04521": {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "هل القراءة 04521؟"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "نعم، صحيحة"}}]},
            },
        },
        "نعم، صحيحة": {"type": "text", "text": {"body": "سُجّلت، ورقمها R-77."}},
    }

    def service() -> None:
        """Answers each message of the customer, as the business's own system would."""
        seen = 0
        for _ in answers:
            news = {"after": seen, "direction": "in", "timeout": 20}
            said = emulator.request("GET", f"/chats/{phone.key}/wait", params=news)["messages"][0]
            seen = said["seq"]
            reply = {"messaging_product": "whatsapp", "to": NUMBER, **answers[said["text"]]}
            httpx.post(emulator.url + MESSAGES, json=reply, headers=token).raise_for_status()

    place = {"box": "اكتب رسالة", "messages": ".bubble.out > p"}
    token = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
    with run_emulator(webhook_url="") as emulator, visiting(browser, emulator.url, tmp_path, **place) as he:
        phone = emulator.phone(NUMBER, name="عميل تجريبي")
        answering = threading.Thread(target=service)
        answering.start()
        he.play(open=f"/phone/{NUMBER}")
        he.play(say="السلام عليكم")
        assert 0 <= he.play(hear="وعليكم")["first_answer"] < 2
        he.play(say="04521")
        he.play(hear="04521")
        he.play(press="نعم، صحيحة")
        he.play(hear={"keep": {"number": r"R-\d+"}})
        answering.join(5)
        assert he.errand.kept == {"number": "R-77"}
        assert [who for who, _ in he.transcript()] == ["he", "machine"] * 3
        assert [each["text"] for each in phone.chat() if each["direction"] == "in"] == list(answers)


def test_it_is_the_chats_player() -> None:
    assert ChatPlayer.channel is Channel.CHAT
