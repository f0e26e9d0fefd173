"""The door that Meta knocks at. What is signed is stored as it came, in one short transaction with its job, and acknowledged
(G6); what is in it is looked at later."""

import hashlib
import hmac
import ipaddress

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rasd.channels.models import Channel, Delivery, Refusal

log = structlog.get_logger("rasd.channels.whatsapp")


@csrf_exempt
@require_http_methods(["GET", "POST"])
async def webhook(request: HttpRequest) -> HttpResponse:
    return await (handshake(request) if request.method == "GET" else deliver(request))


async def handshake(request: HttpRequest) -> HttpResponse:
    """Meta asks, when the address is entered, whether we know the verify token; the challenge goes back as it came."""
    expected = settings.WHATSAPP["VERIFY_TOKEN"]
    token = request.GET.get("hub.verify_token", "")
    right = bool(expected) and hmac.compare_digest(token.encode(), expected.encode())
    if not right or request.GET.get("hub.mode") != "subscribe":
        return await refuse(request, 403, "handshake", "the verify token is not ours")
    return HttpResponse(request.GET.get("hub.challenge", ""), content_type="text/plain")


async def deliver(request: HttpRequest) -> HttpResponse:
    try:
        body = request.body
    except RequestDataTooBig:
        return await refuse(request, 413, "too large", "more than Meta ever sends")
    if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:  # it came in chunks, without saying how long it is
        return await refuse(request, 413, "too large", "more than Meta ever sends")
    signature = request.headers.get("X-Hub-Signature-256", "")
    if not signature:
        return await refuse(request, 401, "unsigned", "X-Hub-Signature-256 is missing")
    if not settings.WHATSAPP["APP_SECRET"]:
        return await refuse(request, 403, "no app secret", "set RASD_WHATSAPP_APP_SECRET to accept messages")
    if not is_signed(body, signature, settings.WHATSAPP["APP_SECRET"]):
        return await refuse(request, 403, "wrong signature", "X-Hub-Signature-256 does not fit the body")
    await sync_to_async(Delivery.accept)(Channel.WHATSAPP, body)
    return HttpResponse(status=200)


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether ``signature`` (``sha256=…`` in hexadecimal) is the HMAC-SHA256 of the raw ``body`` under the app's secret."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode("latin-1", "replace"), expected.encode())


async def refuse(request: HttpRequest, status: int, reason: str, words: str) -> HttpResponse:
    sender = address_of(request)
    log.warning("webhook refused", reason=reason, sender=sender)
    await sync_to_async(Refusal.count_one)(Channel.WHATSAPP, reason, sender, timezone.now())
    return HttpResponse(words + "\n", status=status, content_type="text/plain")


def address_of(request: HttpRequest) -> str | None:
    """Where the call came from; None where it came through a Unix socket."""
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
