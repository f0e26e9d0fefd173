"""The ASGI application: the Cloud API, the control API and the pages. State lives in one ``Network``."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from . import control, graph, pages
from .clock import Clock
from .network import Network
from .settings import LOOPBACK, Settings

VERIFY_ATTEMPTS = 60
VERIFY_EVERY_SECONDS = 1.0


def make_app(settings: Settings, clock: Clock | None = None) -> Starlette:
    """An emulator as an ASGI application. Its background work runs between lifespan start-up and shutdown."""
    network = Network(settings, clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        work = [asyncio.create_task(network.courier.run()), asyncio.create_task(_verify(network))]
        try:
            yield
        finally:
            for task in work:
                task.cancel()
            for task in work:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            network.world.close()

    app = Starlette(
        routes=[*pages.routes(), *control.routes(), *graph.routes()],
        middleware=[Middleware(Guard)],
        lifespan=lifespan,
    )
    app.state.network = network
    return app


async def _verify(network: Network) -> None:
    """Tries Meta's handshake until the webhook is up. Deliveries do not wait for it: they are repeated anyway."""
    for _ in range(VERIFY_ATTEMPTS):
        if network.settings.webhook_url and await network.courier.verify():
            return
        await asyncio.sleep(VERIFY_EVERY_SECONDS)


class Guard:
    """Keeps web pages of elsewhere out of the control API (host and origin), and hands on the connection for faults."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # uvicorn's ``receive`` is a method of its request cycle; only there can a connection be dropped unanswered.
            scope["rasd.transport"] = getattr(getattr(receive, "__self__", None), "transport", None)
            headers = Headers(scope=scope)
            is_api = scope["path"].startswith(
                ("/v", "/whatsapp_business/")
            )  # opened by its token, whatever the host
            host, origin = headers.get("host", ""), headers.get("origin")
            if not is_api and not (_is_loopback(f"//{host}") and (origin is None or _is_loopback(origin))):
                answer = JSONResponse(
                    {"error": f"host {host!r}: the emulator answers on this machine only."}, 403
                )
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK
