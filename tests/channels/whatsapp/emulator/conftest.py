"""A webhook that keeps what it is sent, and an emulator that sends to it."""

import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rasd.channels.whatsapp.emulator.client import Emulator
from rasd.channels.whatsapp.emulator.server import run_emulator
from rasd.channels.whatsapp.emulator.settings import DEFAULT_APP_SECRET, DEFAULT_VERIFY_TOKEN


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
            assert time.monotonic() < deadline, f"not within {seconds} s; came: {self.values}"
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


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    app = Starlette(routes=[Route("/hook", hook.post, methods=["POST"]), Route("/hook", hook.get)])
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        hook.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield hook
        server.should_exit = True
        thread.join(5)


@pytest.fixture
def emulator(webhook: Webhook) -> Iterator[Emulator]:
    with run_emulator(
        webhook_url=webhook.url, app_secret=DEFAULT_APP_SECRET, retry_scale=0.002, seed=1
    ) as running:
        yield running


@pytest.fixture
def photo() -> bytes:
    """A small JPEG of our own: a grey box."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(out, "JPEG")
    return out.getvalue()
