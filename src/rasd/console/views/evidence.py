"""Photographs that customers sent, shown: upright, re-encoded, never the stranger's own bytes."""

import io
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from PIL import Image

from rasd.channels.models import Media
from rasd.console import roles, words
from rasd.console.access import StaffRequest, page
from rasd.console.accounts import is_behind_one
from rasd.console.reading import Box, crop_around, turned, turns_of
from rasd.console.viewing import REMEMBERED, viewed
from rasd.ledger import evidence
from rasd.metering.models import Photograph, ShadowReading
from rasd.vision import NotAPhotograph, open_photograph
from rasd.vision.apart import first_page

LONGEST = {"thumb": 480, "whole": 1600}  # pixels
ENLARGED = 800  # pixels: the least width of a counter cut out
QUALITY = 85
TURNS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
IMMUTABLE = f"private, max-age={REMEMBERED}, immutable"
"""An address holds the content's own hash: it never changes. After an hour it is asked for again, which is a new view."""


@page(roles.REVIEW, roles.CONVERSATIONS, roles.CYCLE, roles.ACCOUNTS)
def photograph(request: StaffRequest, sha256: str, size: str) -> HttpResponse:
    """The whole picture. A reviewer sees those that are submissions, an agent those in conversations, a supervisor those
    that readings rest on, that an eye on trial read, and those in conversations behind the account."""
    if not _may_see(request, sha256):
        raise PermissionDenied
    viewed(request.user, sha256)
    return shown(sha256, longest=LONGEST[size])


@page(roles.REVIEW, roles.CYCLE)
def counter(request: StaffRequest, pk: int, sha256: str) -> HttpResponse:
    """The counter cut out of it, where the machine found one, turned as its digits run; else the whole."""
    read = get_object_or_404(Photograph, pk=pk, sha256=sha256)
    if not _may_see(request, sha256):
        raise PermissionDenied
    return _counter(sha256, read.seen or {})


@page(roles.CYCLE)
def shadow_counter(request: StaffRequest, pk: int, sha256: str) -> HttpResponse:
    """The same, where the eye on trial found it."""
    return _counter(sha256, get_object_or_404(ShadowReading, pk=pk, photograph__sha256=sha256).seen or {})


def _counter(sha256: str, seen: dict[str, Any]) -> HttpResponse:
    return shown(sha256, box=seen.get("counter_box"), turns=turns_of(seen), longest=LONGEST["whole"])


def _may_see(request: StaffRequest, sha256: str) -> bool:
    user = request.user
    if user.has_perm(roles.REVIEW) and Photograph.objects.filter(sha256=sha256).exists():
        return True
    if user.has_perm(roles.EXCEPTIONS) and _is_of_a_reading(sha256):
        return True
    if user.has_perm(roles.CYCLE) and ShadowReading.objects.filter(photograph__sha256=sha256).exists():
        return True
    return may_read(user, sha256) and Media.objects.filter(sha256=sha256).exists()


def _is_of_a_reading(sha256: str) -> bool:
    """What the rules doubt is settled by looking at it."""
    on_record = Photograph.objects.filter(sha256=sha256)
    return on_record.filter(
        Q(submission__readings__isnull=False) | Q(field_read__reading__isnull=False)
    ).exists()


def may_read(user: User, sha256: str) -> bool:
    """Files in conversations: all, for who answers there; those behind the account, for who sees everybody's."""
    return user.has_perm(roles.CONVERSATIONS) or (user.has_perm(roles.ACCOUNTS) and is_behind_one(sha256))


def shown(
    sha256: str, *, longest: int, box: Box | None = None, turns: int = 0, whole_page: bool = False
) -> HttpResponse:
    """A JPEG of ours, or words that say why there is none; ``whole_page``: of a PDF's first page, whatever is on it."""
    try:
        data = evidence.fetch(sha256)
        picture = Image.fromarray(first_page(data, longest=longest) if whole_page else open_photograph(data))
    except FileNotFoundError as missing:
        raise Http404(sha256) from missing
    except NotAPhotograph as error:
        return _in_words(words.why(error.code))
    if turns:
        picture = picture.transpose(TURNS[turns])
    if box:
        left, top, width, height = crop_around(turned(box, turns))
        picture = picture.crop(
            (
                round(left * picture.width),
                round(top * picture.height),
                round((left + width) * picture.width),
                round((top + height) * picture.height),
            )
        )
        if picture.width < ENLARGED:  # a small counter fills its place: the style sheet only ever shrinks it
            picture = picture.resize((ENLARGED, max(1, round(picture.height * ENLARGED / picture.width))))
    picture.thumbnail((longest, longest))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return HttpResponse(out.getvalue(), content_type="image/jpeg", headers={"Cache-Control": IMMUTABLE})


def _in_words(sentence: object) -> HttpResponse:
    """A picture that says why there is no picture."""
    drawn = format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 240" font-family="sans-serif" font-size="19">'
        '<rect width="480" height="240" fill="#e8e6df"/>'
        '<text x="240" y="125" text-anchor="middle" fill="#444">{}</text></svg>',
        sentence,
    )
    return HttpResponse(drawn, content_type="image/svg+xml", headers={"Cache-Control": "private, no-cache"})
