"""The doors' own way in: a webhook meets no session, no language and no login on its way to one INSERT."""

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
