"""The door: who is let in, who is refused and counted, and that what is acknowledged is stored with its job."""

import json
from unittest.mock import patch

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from rasd.channels.models import Channel, Delivery, Line, Refusal
from tests.channels.doors import envelope, signature, text_message, waiting_jobs

URL = "/channels/whatsapp/webhook"
pytestmark = pytest.mark.django_db(transaction=True)


def post(body: bytes, **headers: str):
    return Client(enforce_csrf_checks=True).post(
        URL,
        body,
        content_type="application/json",
        headers=headers or {"X-Hub-Signature-256": signature(body)},
    )


def refusals() -> dict[str, int]:
    return dict(Refusal.objects.values_list("reason", "count"))


def test_it_answers_the_handshake_with_the_challenge():
    answer = Client().get(
        URL,
        {"hub.mode": "subscribe", "hub.verify_token": "test-verify-token", "hub.challenge": "1158201444"},
    )
    assert (answer.status_code, answer.content) == (200, b"1158201444")
    assert answer["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "unsubscribe", "hub.verify_token": "test-verify-token", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.verify_token": "كلمة", "hub.challenge": "1"},
    ],
)
def test_it_refuses_and_counts_a_wrong_handshake(query):
    assert Client().get(URL, query).status_code == 403
    assert refusals() == {"handshake": 1}


def test_a_handshake_with_no_verify_token_set_is_refused(settings):
    settings.WHATSAPP = {**settings.WHATSAPP, "VERIFY_TOKEN": ""}
    answer = Client().get(URL, {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"})
    assert answer.status_code == 403


def test_it_stores_a_signed_body_byte_for_byte_with_one_job():
    body = json.dumps(
        envelope({"messages": [text_message(1, "مرحبا")]}), ensure_ascii=False, indent=3
    ).encode()
    assert post(body).status_code == 200
    delivery = Delivery.objects.get()
    assert bytes(delivery.body) == body
    assert delivery.sorted_at is None
    assert waiting_jobs("sort") == [{"delivery_id": delivery.pk}]


def test_a_body_that_is_signed_and_not_json_is_stored_all_the_same():
    assert post(b"\xff\x00 not json").status_code == 200
    assert Delivery.objects.count() == 1


def test_nothing_is_acknowledged_where_the_job_cannot_be_deferred():
    body = b"{}"
    client = Client(raise_request_exception=False)
    with patch("rasd.channels.models.Delivery.sort_later", side_effect=RuntimeError):
        answer = client.post(
            URL, body, content_type="application/json", headers={"X-Hub-Signature-256": signature(body)}
        )
    assert answer.status_code == 500
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"X-Nothing": "1"}, 401, "unsigned"),
        ({"X-Hub-Signature-256": "sha256=" + "0" * 64}, 403, "wrong signature"),
        ({"X-Hub-Signature-256": "sha256="}, 403, "wrong signature"),
        ({"X-Hub-Signature-256": "sha1=abc"}, 403, "wrong signature"),
        ({"X-Hub-Signature-256": "sha256=é"}, 403, "wrong signature"),
    ],
)
def test_it_refuses_and_counts_what_is_not_signed_by_us(headers, status, reason):
    assert post(b"{}", **headers).status_code == status
    assert post(b"{}", **headers).status_code == status
    assert refusals() == {reason: 2}
    assert not Delivery.objects.exists()


def test_a_signature_over_another_body_is_refused():
    assert post(b'{"a":1}', **{"X-Hub-Signature-256": signature(b'{"a": 1}')}).status_code == 403


def test_without_an_app_secret_everything_is_refused(settings):
    settings.WHATSAPP = {**settings.WHATSAPP, "APP_SECRET": ""}
    with_empty_key = signature(b"{}", "\0")  # HMAC pads a key with zeros: this is the signature under ""
    assert post(b"{}", **{"X-Hub-Signature-256": with_empty_key}).status_code == 403
    assert refusals() == {"no app secret": 1}


def test_a_body_of_three_megabytes_passes_and_a_larger_one_than_allowed_is_refused_and_counted():
    assert post(b"[" + b" " * (3 * 1024 * 1024) + b"]").status_code == 200
    assert post(b" " * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)).status_code == 413
    assert refusals() == {"too large": 1}


def test_other_methods_are_not_allowed():
    assert Client().put(URL, b"{}").status_code == 405


def test_the_acknowledgement_costs_one_transaction_and_few_queries(django_assert_max_num_queries):
    with django_assert_max_num_queries(4):  # BEGIN, the row, its job, COMMIT
        Delivery.accept(Channel.WHATSAPP, b"{}")
    assert not connection.in_atomic_block


def test_what_came_for_a_line_before_it_was_entered_is_sorted_when_it_is():
    body = json.dumps(envelope({"messages": [text_message(1)]})).encode()
    delivery = Delivery.accept(Channel.WHATSAPP, body)
    delivery.sort()
    delivery.refresh_from_db()
    assert "line 1122334455667 is not known" in delivery.trouble
    line = Line.objects.create(
        channel="whatsapp", purpose="readings", external_id="1122334455667", name="R", display_address="+968"
    )
    delivery.refresh_from_db()
    assert delivery.sorted_at is None
    assert waiting_jobs("sort") == [{"delivery_id": delivery.pk}] * 2
    delivery.sort()
    assert line.incoming_set.count() == 1
    assert delivery.trouble == ""
    assert delivery.sorted_at <= timezone.now()
