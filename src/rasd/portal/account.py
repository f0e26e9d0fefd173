"""The pages of an account: its month, the dispute of its number, and the phone's camera for who has no WhatsApp.

Who has the address may look, send and dispute; it says which contact of the account he is (:mod:`rasd.flows.models.links`).
As on the page of a case there is no cookie, no session and no script, and looking changes nothing.
"""

import io
import re
import secrets
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from PIL import Image

from rasd.flows import account_page
from rasd.flows.models import LinkRevocation
from rasd.flows.models.links import address_of, contact_of
from rasd.ledger import evidence
from rasd.metering.models import AccountContact, Cycle, Photograph, ServicePoint, Submission
from rasd.portal.models import WrongAddress, network_of
from rasd.portal.month import Month, photographs_of, rounds_of
from rasd.portal.shown import zone
from rasd.portal.views import KEY, NAMES, TEXT_MAX, nowhere, safely
from rasd.vision import NotAPhotograph, open_photograph

LONGEST, QUALITY = 1200, 80  # pixels and JPEG quality of a photograph shown: enough to read the number by
AGAIN_AFTER = 3  # seconds, until a page that waits for the eye asks again

Page = Callable[..., HttpResponse]


def of_account(view: Page) -> Page:
    """``view(request, contact, at, token, …)`` in the customer's language; every address that leads nowhere is answered alike."""

    @csrf_exempt
    @wraps(view)
    def opened(request: HttpRequest, token: str, **more: Any) -> HttpResponse:
        at = timezone.now()
        contact = contact_of(token, at)
        if contact is None:
            if WrongAddress.is_too_many(network_of(request), at):
                return nowhere(request, "too-many", 429)
            return nowhere(request, "unknown", 404)
        with translation.override(_language(request, contact)):
            return safely(view(request, contact, at, token, **more))

    return opened


@of_account
@require_http_methods(["GET", "HEAD"])
def month(request: HttpRequest, contact: AccountContact, at: datetime, token: str) -> HttpResponse:
    """One month of all the account's meters; the newest where none is named."""
    rounds = rounds_of(contact.account, at)
    named = request.GET.get("month", "")
    cycle = next((one for one in rounds if one.name == named), rounds[0] if rounds else None)
    points = contact.account.service_points.order_by("number")
    shown: dict[str, Any] = {
        "months": [Month(point, cycle) for point in points] if cycle else [],
        "cycle": cycle,
        "rounds": rounds,
        "text_max": TEXT_MAX,
        "told": request.GET.get("told", ""),
    }
    return _render(request, "portal/month.html", contact, token, **shown)


@of_account
@require_POST
def dispute(request: HttpRequest, contact: AccountContact, at: datetime, token: str) -> HttpResponse:
    """One press: a case, and back to the page, which says what happens next."""
    point = _point(contact, request.POST.get("point", ""))
    cycle = next(
        (one for one in rounds_of(contact.account, at) if one.name == request.POST.get("month")), None
    )
    if point is None or cycle is None:
        raise Http404
    text = request.POST.get("text", "").replace("\r\n", "\n").replace("\0", "").strip()[:TEXT_MAX]
    account_page.dispute(contact, point, cycle, text, at=at)
    return _back(token, "month", told="disputed", month=cycle.name)


@of_account
@require_http_methods(["GET", "HEAD", "POST"])
def camera(request: HttpRequest, contact: AccountContact, at: datetime, token: str) -> HttpResponse:
    """The phone's camera, or a file; which meter, where the account has several."""
    points = list(contact.account.service_points.order_by("number"))
    if request.method != "POST":
        return _camera(request, contact, token, points, at)
    point = _point(contact, request.POST.get("point", "")) or (points[0] if len(points) == 1 else None)
    file, key = request.FILES.get("photograph"), request.POST.get("key", "")
    if point is None:
        return _camera(request, contact, token, points, at, _("Please choose which meter it is."), 422)
    if file is None or not KEY.fullmatch(key):
        return _camera(request, contact, token, points, at, _("Please take a photograph first."), 422)
    try:
        submission = account_page.take(contact, point, file.chunks(), key=key, at=at)
    except evidence.TooLarge:
        large = _("That file is too large. Please send an ordinary photograph.")
        return _camera(request, contact, token, points, at, large, 413)
    except account_page.TooMany:
        many = _("You have sent many photographs today. Please wait until tomorrow, or write to us.")
        return _camera(request, contact, token, points, at, many, 429)
    return _back(token, "sent", submission.pk)


@of_account
@require_http_methods(["GET", "HEAD", "POST"])
def sent(request: HttpRequest, contact: AccountContact, at: datetime, token: str, pk: int) -> HttpResponse:
    """What became of a photograph that was sent here; a yes, or the number typed, where the machine asks."""
    own = Submission.objects.filter(
        pk=pk, identifier=contact.identifier, service_point__account=contact.account
    )
    submission = own.filter(origin__startswith=account_page.ORIGIN).first()
    if submission is None:
        raise Http404
    if request.method == "POST":
        if (value := _value(submission, request)) is not None:
            account_page.confirm(submission, value, at=at)
        return _back(token, "sent", submission.pk)
    said = account_page.answer(submission, at)
    yes = [one for one in said.content.get("buttons", []) if one["id"].startswith(("yes:", "replace:"))]
    shown: dict[str, Any] = {
        "submission": submission,
        "said": said.text,
        "yes": [{"value": one["id"].rpartition(":")[2], "title": one["title"]} for one in yes],
        "asks": bool(yes) and yes[0]["id"].startswith("yes:"),
        "waits": submission.judgement is None and submission.adoption is None,
        "is_adopted": submission.adoption is not None,
    }
    response = _render(request, "portal/sent.html", contact, token, **shown)
    if shown["waits"]:
        response["Refresh"] = str(AGAIN_AFTER)
    return response


@of_account
@require_POST
def end(request: HttpRequest, contact: AccountContact, at: datetime, token: str) -> HttpResponse:
    """This address, and all made before it for the same contact, open nothing any more."""
    actor = f"customer:{contact.identifier}"
    LinkRevocation.make(contact, at=at, actor=actor, why="ended on the page")
    return _render(request, "portal/ended.html", contact, token)


@of_account
@require_http_methods(["GET", "HEAD"])
def photograph(
    request: HttpRequest, contact: AccountContact, at: datetime, token: str, sha256: str
) -> HttpResponse:
    """A JPEG of ours, never the sender's own bytes; only of this account's (:func:`photographs_of`)."""
    if not Photograph.objects.filter(photographs_of(contact.account), sha256=sha256).exists():
        raise Http404
    try:
        picture = Image.fromarray(open_photograph(evidence.fetch(sha256)))
    except (FileNotFoundError, NotAPhotograph) as error:
        raise Http404 from error
    picture.thumbnail((LONGEST, LONGEST))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return HttpResponse(out.getvalue(), content_type="image/jpeg")


def _camera(
    request: HttpRequest,
    contact: AccountContact,
    token: str,
    points: list[ServicePoint],
    at: datetime,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    theirs = [(point, Cycle.latest(at, point)) for point in points]
    shown: dict[str, Any] = {
        "windows": [(point, cycle.days_of(point)) for point, cycle in theirs if cycle],
        "points": points,
        "chosen": request.POST.get("point") or request.GET.get("point", ""),
        "error": error,
        "key": secrets.token_hex(16),
    }
    return _render(request, "portal/camera.html", contact, token, status=status, **shown)


def _render(
    request: HttpRequest,
    template: str,
    contact: AccountContact,
    token: str,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    shown: dict[str, Any] = {
        "account": contact.account,
        "token": token,
        "utility": settings.UTILITY_NAME,
        "zone": zone(),
        "languages": [(code, name) for code, name in NAMES.items() if code != translation.get_language()],
        **more,
    }
    return render(request, template, shown, status=status)


def _back(token: str, name: str, *more: Any, **query: str) -> HttpResponse:
    """To a page that can be loaded again without sending anything again."""
    asked = "&".join(f"{key}={value}" for key, value in {"in": translation.get_language(), **query}.items())
    return HttpResponseRedirect(f"{reverse(f'account:{name}', args=[token, *more])}?{asked}#told", status=303)


def _point(contact: AccountContact, number: str) -> ServicePoint | None:
    return contact.account.service_points.filter(number=number).first()


def _value(submission: Submission, request: HttpRequest) -> Decimal | None:
    """What he says that it is: the value on the button, or what he typed."""
    typed = request.POST.get("typed", "").strip()[:40]
    if typed:
        return submission.meaning_of(typed) if re.search(r"\d", typed) else None
    try:
        return Decimal(request.POST.get("value", "")[:20])
    except InvalidOperation:
        return None


def _language(request: HttpRequest, contact: AccountContact) -> str:
    """What he asks for, else the one he writes in, else that of his letters."""
    asked = request.GET.get("in", "")
    if asked in NAMES:
        return asked
    address = address_of(contact)
    talk = address.conversations.order_by("-opened_at", "-pk").first() if address else None
    language = talk.language if talk else contact.account.language
    return language if language in NAMES else settings.LANGUAGE_CODE
