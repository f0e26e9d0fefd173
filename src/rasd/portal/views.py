"""The page on which a customer follows his case. Who has its address may see it and write there, and nobody else.

Looking changes nothing, so what a chat fetches for its preview of the link consumes nothing. There is no cookie, no session and
no script: a form is as good as its address, so there is nothing that another site could abuse (and no CSRF token).
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from rasd.desk.errors import NotInThisStage
from rasd.desk.models import Case, CaseEntry, FormerToken
from rasd.language import understand
from rasd.portal.models import WITHIN, WrongAddress, network_of
from rasd.portal.shown import Shown, zone

TEXT_MAX, WORDS_MAX = 2_000, 1_000  # characters
MOST, IN_ONE = 20, timedelta(hours=1)
"""Messages on one page: more than anyone writes who wants something, few enough that nobody floods the desk."""

TOKEN = re.compile(r"[0-9A-Za-z]{1,40}")  # what is none is not looked for
KEY = re.compile(r"[0-9a-f]{32}")

SAFELY = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, token: str) -> HttpResponse:
    """The page of one case; the same answer for every address that leads nowhere."""
    at = timezone.now()
    known = Case.objects.select_related("kind", "conversation__address")
    found = known.filter(token=token).first() if TOKEN.fullmatch(token) else None
    if found is None:
        if TOKEN.fullmatch(token) and FormerToken.objects.filter(token=token).exists():
            return nowhere(request, "replaced", 410)
        if WrongAddress.is_too_many(network_of(request), at):
            return nowhere(request, "too-many", 429)
        return nowhere(request, "unknown", 404)
    with translation.override(_language(request, found)):
        if request.method == "POST":
            return _rated(request, found, at) if "score" in request.POST else _written(request, found, at)
        return _page(request, found, at)


def _page(request: HttpRequest, case: Case, at: datetime, *, status: int = 200, **more: Any) -> HttpResponse:
    shown = {
        "case": case,
        "shown": Shown(case, at),
        "told": TOLD.get(request.GET.get("told", "")),
        "key": secrets.token_hex(16),
        "text_max": TEXT_MAX,
        "words_max": WORDS_MAX,
        "utility": settings.UTILITY_NAME,
        "zone": zone(),
        "languages": [(code, name) for code, name in NAMES.items() if code != translation.get_language()],
        **more,
    }
    return safely(render(request, "portal/case.html", shown, status=status))


def _written(request: HttpRequest, case: Case, at: datetime) -> HttpResponse:
    text, key = _typed(request, "text"), request.POST.get("key", "")
    if wrong := _wrong_with(text, key):
        return _page(request, case, at, status=422, text=text, error=wrong)
    lately = CaseEntry.objects.filter(key__startswith=f"page:{case.pk}:", at__gt=at - IN_ONE)
    if lately.count() >= MOST:
        wait = _("You have written very often in this hour. Your text stands below: please send it later.")
        return _page(request, case, at, status=429, text=text, error=wait)
    # The words too: whoever goes back, types on and sends again has said something new, and it is not lost.
    once = hashlib.sha256(f"{key} {text}".encode()).hexdigest()
    understood = understand(text)
    expects = understood.expects_answer or not understood.thanks  # who writes here means it, unless he thanks
    landed = case.hear(text, at=at, expects_answer=expects, key=f"page:{case.pk}:{once}")
    return _back(request, landed, "said" if landed.pk == case.pk else "opened")


def _rated(request: HttpRequest, case: Case, at: datetime) -> HttpResponse:
    words, score = _typed(request, "words"), request.POST["score"]
    if len(words) > WORDS_MAX:
        too_long = _("That is too long: please leave at most %(most)s characters.") % {"most": WORDS_MAX}
        return _page(request, case, at, status=422, words=words, rating_error=too_long)
    try:
        case.rate(int(score) if score.isdigit() else 0, words, at=at)
    except (ValueError, NotInThisStage):
        choose = _("Please choose one of the three answers.")
        return _page(request, case, at, status=422, words=words, rating_error=choose)
    return _back(request, case, "rated")


def _wrong_with(text: str, key: str) -> str:
    if not text:
        return _("Please write something first.")
    if len(text) > TEXT_MAX:
        return _("That is too long: please leave at most %(most)s characters.") % {"most": TEXT_MAX}
    if not KEY.fullmatch(key):
        return _("The page was not whole. Your text stands below: please send it once more.")
    return ""


def _typed(request: HttpRequest, name: str) -> str:
    """Browsers send line ends as two characters; the database takes no NUL."""
    return request.POST.get(name, "").replace("\r\n", "\n").replace("\0", "").strip()


TOLD = {
    "said": translation.gettext_lazy("Your message has arrived. We answer here."),
    "opened": translation.gettext_lazy(
        "Your message has arrived. We have opened a new request for it: this is its page."
    ),
    "rated": translation.gettext_lazy("Thank you. We have kept your answer."),
}
NAMES = {"ar": "العربية", "en": "English"}


def _back(request: HttpRequest, case: Case, told: str) -> HttpResponse:
    """To the page, so that loading it again sends nothing again."""
    return safely(
        HttpResponseRedirect(f"{case.url}?in={translation.get_language()}&told={told}#told", status=303)
    )


def nowhere(request: HttpRequest, why: str, status: int) -> HttpResponse:
    """In both languages: nobody knows who asks. It is the same whatever was asked for."""
    response = render(
        request, "portal/nowhere.html", {"why": why, "utility": settings.UTILITY_NAME}, status=status
    )
    if status == 429:
        response["Retry-After"] = int(WITHIN.total_seconds())
    return safely(response)


def _language(request: HttpRequest, case: Case) -> str:
    asked = request.GET.get("in", "")
    return asked if asked in NAMES else case.language if case.language in NAMES else settings.LANGUAGE_CODE


def safely(response: HttpResponse) -> HttpResponse:
    for name, value in SAFELY.items():
        response[name] = value
    return response
