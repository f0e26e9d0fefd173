"""The whole API under schemathesis: whatever is sent, nothing of ours fails, and every answer is one that the document tells of.

Real calls through Django's WSGI application, against rows that are there, with what fits the document and what does not.
"""

import json
import os
import random
from collections import Counter

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from rasd.api.models import WebhookDelivery, WebhookSubscription
from rasd.desk.models import Case, Conversation, HeldAnswer, Message, Obligation
from tests.desk.people import hears

EXAMPLES = int(os.environ.get("RASD_FUZZ_EXAMPLES", "15"))  # an operation and mode
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    missing_required_header,
    negative_data_rejection,
    unsupported_method,
]


@pytest.fixture
def world(program, asked, omar, settings):
    """One of everything, so that what is asked for by its number is there."""
    caller = program(per_minute=1_000_000)
    settings.WEBHOOKS_TO_PRIVATE = True
    now = timezone.now()
    Case.open("complaint", "A made-up complaint", at=now, actor="user:sara", origin="employee", text="note")
    HeldAnswer.hold(
        asked.conversation, "held", author=omar, other=caller.token.user, key="k", at=now, promises=None
    )
    WebhookSubscription.make(caller.token, "http://127.0.0.1:9/", ["message.received"], at=now)
    hears(asked.conversation.line, asked.conversation.address, "شكرا", at=now)
    rows = {"conversations": Conversation, "messages": Message, "cases": Case, "obligations": Obligation}
    rows |= {"held-answers": HeldAnswer, "webhooks": WebhookSubscription, "deliveries": WebhookDelivery}
    there = {name: list(model.objects.values_list("pk", flat=True)) for name, model in rows.items()}
    assert all(there.values()), there
    caller.known = lambda path: there.get(path.partition("/{pk}")[0].rpartition("/")[2], [1])
    caller.document = json.loads(caller.get("/openapi.json").content)
    # As Django's own test client does, which connects it again after each call of its own: the transaction is the test's.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield caller
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def play(operation, mode, world, answered):
    """Calls one operation as often as ``EXAMPLES`` says, and checks every answer."""
    numbers, there = random.Random(4), [*world.known(operation.path), 999_999_999]

    @bounded(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def call(case):
        if mode is GenerationMode.POSITIVE and "pk" in (case.path_parameters or {}):
            case.path_parameters["pk"] = numbers.choice(there)  # one at random is nobody's
        case.headers["Authorization"] = f"Bearer {world.secret}"
        response = case.call()
        answered[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    call()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_is_answered_as_the_document_says(world, mode):
    schema = schemathesis.openapi.from_dict(world.document)
    schema.app = get_wsgi_application()
    answered: Counter[int] = Counter()
    for operation in schema.get_all_operations():
        play(operation.ok(), mode, world, answered)
    assert sum(answered.values()) >= EXAMPLES * 20, answered
    if mode is GenerationMode.POSITIVE:
        assert all(answered[status] for status in (200, 201, 404, 409)), answered
    else:
        assert answered[422] > sum(answered.values()) / 4, answered
