"""What the tests of the doors share: payloads, signed deliveries, and a stand-in for the Cloud API that answers in memory (it
is not the emulator)."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from django.conf import settings
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.models import Address, Channel, Delivery, Incoming, Line

PHONE_NUMBER_ID = "1122334455667"
CUSTOMER = "96890000001"


def wrote(line: Line, address: Address, at: datetime, text: str = "hello") -> Incoming:
    address.last_wrote_at = at
    address.save()
    return Incoming.objects.create(
        line=line,
        address=address,
        delivery=Delivery.objects.create(channel=Channel.WHATSAPP, body=b"{}", sorted_at=at),
        external_id=f"wamid.in.{Incoming.objects.count()}",
        kind=Incoming.Kind.TEXT,
        text=text,
        payload={},
        sent_at=at,
    )


def signature(body: bytes, secret: str | None = None) -> str:
    key = (secret or settings.WHATSAPP["APP_SECRET"]).encode()
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def envelope(*values: dict[str, Any]) -> dict[str, Any]:
    """A webhook body with a change for each value."""
    changes = [
        {
            "field": "messages",
            "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "96824000000", "phone_number_id": PHONE_NUMBER_ID},
                **value,
            },
        }
        for value in values
    ]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def text_message(
    number: int | str, body: str = "hello", at: datetime | None = None, **other: Any
) -> dict[str, Any]:
    moment = at or datetime.now(UTC)
    return {
        "from": CUSTOMER,
        "id": f"wamid.{number}",
        "timestamp": str(int(moment.timestamp())),
        "type": "text",
        "text": {"body": body},
        **other,
    }


def status(external_id: str, name: str, at: datetime | int | None = None, **other: Any) -> dict[str, Any]:
    moment = at if isinstance(at, int) else int((at or datetime.now(UTC)).timestamp())
    return {
        "id": external_id,
        "status": name,
        "timestamp": str(moment),
        "recipient_id": CUSTOMER,
        **other,
    }


def deliver(payload: dict[str, Any] | bytes) -> Delivery:
    """Store a body as the webhook would, and sort it at once."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    delivery = Delivery.accept(Channel.WHATSAPP, body)
    delivery.sort()
    return delivery


def waiting_jobs(task: str) -> list[dict[str, Any]]:
    """The arguments of the jobs that wait, in the order in which they would run."""
    jobs = ProcrastinateJob.objects.filter(task_name=f"rasd.channels.jobs.{task}", status="todo")
    return list(jobs.order_by("id").values_list("args", flat=True))


class Cloud:
    """In place of Meta: ``answers`` are used up one a call to ``/messages``; without any, it accepts."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.answers: list[Callable[[httpx.Request], httpx.Response]] = []
        self.files: dict[str, bytes] = {}
        self.lookups: list[Callable[[httpx.Request], httpx.Response]] = []
        self.downloads: list[Callable[[httpx.Request], httpx.Response]] = []
        self.uploaded: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["Authorization"] == "Bearer test-token"
        path = request.url.path
        if path.endswith("/messages"):
            self.sent.append(json.loads(request.content))
            if self.answers:
                return self.answers.pop(0)(request)
            return self.accept(request)
        if path.endswith("/media"):
            self.uploaded.append(request.content)
            return httpx.Response(200, json={"id": f"up{len(self.uploaded)}"})
        if path.startswith("/files/"):
            if self.downloads:
                return self.downloads.pop(0)(request)
            return httpx.Response(200, content=self.files[path.removeprefix("/files/")])
        if self.lookups:
            return self.lookups.pop(0)(request)
        media_id = path.rpartition("/")[2]
        if media_id not in self.files:
            return refused(100, 400, "Unsupported get request")(request)
        url = f"http://127.0.0.1:9/files/{media_id}"
        return httpx.Response(200, json={"url": url, "file_size": len(self.files[media_id]), "id": media_id})

    def accept(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"messages": [{"id": f"wamid.out.{len(self.sent)}"}]})


def refused(
    code: int, status_code: int = 400, message: str = "refused", **headers: str
) -> Callable[[httpx.Request], httpx.Response]:
    body = {"error": {"code": code, "message": message, "error_data": {"details": f"details of {code}"}}}
    return lambda request: httpx.Response(status_code, json=body, headers=headers)


def breaks(error: type[httpx.HTTPError]) -> Callable[[httpx.Request], httpx.Response]:
    def raise_it(request: httpx.Request) -> httpx.Response:
        raise error("broke on purpose")

    return raise_it
