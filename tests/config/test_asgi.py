"""The web process: how a request comes to its view, past the middleware as it stands in the settings."""

import asyncio
import logging
import threading
from contextlib import suppress

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from rasd.config.asgi import Handler

HANDSHAKE = b"hub.mode=subscribe&hub.verify_token=test-verify-token&hub.challenge=42"
threads: list[threading.Thread] = []
begun: list[str] = []
came, may_end = threading.Semaphore(0), threading.Event()


def slow(request: HttpRequest) -> HttpResponse:
    begun.append(request.path)
    threads.append(threading.current_thread())
    came.release()
    may_end.wait(10)
    return HttpResponse("done")


urlpatterns = [path("slow", slow), path("channels/", include("rasd.channels.whatsapp.urls"))]


async def answer_to(site: Handler, where: str, query: bytes = b"") -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": where,
        "query_string": query,
        "headers": [(b"host", b"testserver")],
        "http_version": "1.1",
    }
    asking = ApplicationCommunicator(site, scope)
    await asking.send_input({"type": "http.request", "body": b"", "more_body": False})
    try:
        began = await asking.receive_output(20)
        return began["status"], (await asking.receive_output(20))["body"]
    finally:
        with suppress(asyncio.CancelledError):
            await asking.wait(20)


@pytest.fixture
def site(settings):
    settings.PAGES_AT_ONCE = 2
    settings.ROOT_URLCONF = __name__
    may_end.clear()
    begun.clear()
    threads.clear()
    yield Handler()
    may_end.set()


async def test_g6_a_webhook_passes_pages_that_wait_their_turn_in_the_web_process_too(site):
    pages = [asyncio.create_task(answer_to(site, "/slow")) for _ in range(4)]
    assert [await asyncio.to_thread(came.acquire, timeout=10) for _ in range(2)] == [True, True]
    assert await answer_to(site, "/channels/webhook", HANDSHAKE) == (200, b"42")
    assert len(begun) == 2
    may_end.set()
    assert await asyncio.gather(*pages) == [(200, b"done")] * 4


async def test_a_page_is_logged_once_and_made_in_a_thread_of_its_own(site, caplog):
    may_end.set()
    with caplog.at_level(logging.INFO, "rasd.http"):
        await answer_to(site, "/slow")
    assert [each.msg["event"] for each in caplog.records if each.name == "rasd.http"] == ["request"]
    assert threads[0] is not threading.main_thread()
