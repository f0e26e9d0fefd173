"""A webhook that keeps what it is sent, and an emulator that sends to it."""

import dataclasses
import io
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rasd.channels.whatsapp.emulator.client import Emulator, Phone
from rasd.channels.whatsapp.emulator.server import run_emulator
from rasd.channels.whatsapp.emulator.settings import (
    DEFAULT_APP_SECRET,
    DEFAULT_PHONE_NUMBER_ID,
    DEFAULT_TOKEN,
    DEFAULT_VERIFY_TOKEN,
)

NUMBER = "96890000001"
MESSAGES = f"/v23.0/{DEFAULT_PHONE_NUMBER_ID}/messages"


class Webhook:
    """The business's side: remembers every call, answers what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []  # statuses for the next calls; 200 when used up
        self.url = ""

    async def post(self, request: Request) -> Response:
        self.calls.append((dict(request.headers), await request.body()))
        return PlainTextResponse("", self.answers.pop(0) if self.answers else 200)

    async def get(self, request: Request) -> Response:
        if request.query_params.get("hub.verify_token") != DEFAULT_VERIFY_TOKEN:
            return PlainTextResponse("wrong token", 403)
        return PlainTextResponse(request.query_params["hub.challenge"])

    @property
    def values(self) -> list[dict]:
        """All ``value`` objects in the order in which they came."""
        bodies = [json.loads(body) for _, body in list(self.calls)]
        return [c["value"] for b in bodies for e in b["entry"] for c in e["changes"]]

    @property
    def messages(self) -> list[dict]:
        return [m for v in self.values for m in v.get("messages", [])]

    @property
    def statuses(self) -> list[dict]:
        return [s for v in self.values for s in v.get("statuses", [])]

    def wait(self, condition: Callable[["Webhook"], object], seconds: float = 5.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition(self):
            assert time.monotonic() < deadline, (
                f"not within {seconds} s; {len(self.calls)} calls came, the last: {self.calls[-1:]}"
            )
            time.sleep(0.01)

    def message(self, count: int = 1) -> dict:
        """The ``count``-th message, waited for."""
        self.wait(lambda w: len(w.messages) >= count)
        return self.messages[count - 1]

    def status(self, message_id: str, status: str) -> dict:
        """That status of that message, waited for."""
        fits = [lambda s: s["id"] == message_id and s["status"] == status][0]
        self.wait(lambda w: any(fits(s) for s in w.statuses))
        return next(s for s in self.statuses if fits(s))


class WebhookServer:
    """One server for the run; each test has an address of its own, so that stragglers of the last test do not count."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.hooks: dict[str, Webhook] = {}

    async def post(self, request: Request) -> Response:
        hook = self.hooks.get(request.path_params["name"])
        return await hook.post(request) if hook else PlainTextResponse("", 200)

    async def get(self, request: Request) -> Response:
        return await self.hooks[request.path_params["name"]].get(request)


@pytest.fixture(scope="session")
def webhook_server() -> Iterator[WebhookServer]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        hooks = WebhookServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        app = Starlette(routes=[Route("/{name}", hooks.post, methods=["POST"]), Route("/{name}", hooks.get)])
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield hooks
        server.should_exit = True
        thread.join(5)


@pytest.fixture
def webhook(webhook_server: WebhookServer) -> Iterator[Webhook]:
    hook = Webhook()
    name = secrets.token_hex(8)
    webhook_server.hooks[name] = hook
    hook.url = f"{webhook_server.url}/{name}"
    yield hook
    del webhook_server.hooks[name]


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    with run_emulator(app_secret=DEFAULT_APP_SECRET, retry_scale=0.002, seed=1) as running:
        yield running


@pytest.fixture
def emulator(running_emulator: Emulator, webhook: Webhook) -> Iterator[Emulator]:
    """An emulator as new, which sends to ``webhook``."""
    settings = running_emulator.settings
    assert settings
    before = dataclasses.replace(settings)
    running_emulator.reset()
    settings.webhook_url = webhook.url
    yield running_emulator
    vars(settings).update(vars(before))


@pytest.fixture
def photo() -> bytes:
    """A small JPEG of our own: a grey box."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(out, "JPEG")
    return out.getvalue()


class Business:
    """Calls the API as a business would, without a library."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {DEFAULT_TOKEN}"}, trust_env=False
        )

    def send(self, to: str = NUMBER, **message: object) -> httpx.Response:
        if "type" not in message:
            message |= {"type": "text", "text": {"body": "مرحبا"}}
        return self.http.post(MESSAGES, json={"messaging_product": "whatsapp", "to": to, **message})

    def sent(self, to: str = NUMBER, **message: object) -> str:
        answer = self.send(to, **message)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["messages"][0]["id"])


@pytest.fixture
def business(emulator: Emulator) -> Business:
    return Business(emulator.url)


@pytest.fixture
def phone(emulator: Emulator) -> Phone:
    """A customer who wrote just now."""
    phone = emulator.phone(NUMBER, name="عميل تجريبي")
    phone.send_text("السلام عليكم")
    return phone
