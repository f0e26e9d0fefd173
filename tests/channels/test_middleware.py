"""The doors' own way in: a webhook meets no session, no language and no login on its way to one INSERT."""

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory

from rasd.channels.middleware import doors
from rasd.channels.models import Delivery
from tests.channels.doors import signature

URL = "/channels/whatsapp/webhook"


async def the_rest(request: HttpRequest) -> HttpResponse:
    return HttpResponse("through everything", status=418)


@pytest.mark.django_db(transaction=True)
def test_a_door_is_opened_past_the_rest_with_the_length_of_its_answer():
    body = b"{}"
    headers = {"X-Hub-Signature-256": signature(body)}
    request = AsyncRequestFactory().post(URL, body, content_type="application/json", headers=headers)
    answer = async_to_sync(doors(the_rest))(request)
    assert (answer.status_code, answer["Content-Length"]) == (200, "0")
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("path", ["/", "/channels/nothing", "/console/channels/"])
async def test_anything_else_goes_through_the_rest(path):
    answer = await doors(the_rest)(AsyncRequestFactory().get(path))
    assert answer.status_code == 418


async def test_g6_a_webhook_passes_pages_that_wait_their_turn(settings):
    settings.PAGES_AT_ONCE = 2
    begun, may_end = [], asyncio.Event()

    async def slow(request: HttpRequest) -> HttpResponse:
        begun.append(request.path)
        await may_end.wait()
        return HttpResponse()

    site = doors(slow)
    pages = [asyncio.create_task(site(AsyncRequestFactory().get(f"/{n}"))) for n in range(5)]
    await asyncio.sleep(0)  # all of them have come
    asked = {"hub.mode": "subscribe", "hub.verify_token": "test-verify-token", "hub.challenge": "42"}
    answer = await site(AsyncRequestFactory().get(URL, asked))
    assert answer.content == b"42"
    assert begun == ["/0", "/1"]
    may_end.set()
    await asyncio.gather(*pages)
    assert begun == [f"/{n}" for n in range(5)]
