"""Files that customers sent: sound and film are played, everything else is saved; never opened as a page of ours.

The address holds the content's hash, so it never changes; whoever may see the conversations may see it, and that they did is
an entry of the ledger.
"""

import re
from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from rasd.channels.models import Media
from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.viewing import REMEMBERED, viewed
from rasd.console.views.evidence import LONGEST, may_read, shown
from rasd.ledger import evidence

PLAYED = {
    "audio/ogg", "audio/mp4", "audio/mpeg", "audio/aac", "audio/amr", "video/mp4", "video/3gpp",
}  # fmt: skip
CHUNK = 64 * 1024  # bytes


@page(roles.CONVERSATIONS, roles.ACCOUNTS)
def document(request: StaffRequest, sha256: str) -> HttpResponse | StreamingHttpResponse:
    """The file as it came, of the type that its content has; parts of it where a player asks for parts."""
    if not may_read(request.user, sha256):
        raise PermissionDenied
    media = (
        Media.objects.filter(sha256=sha256, lost_at=None, incoming__message__isnull=False)
        .order_by("-pk")
        .first()
    )
    if media is None:
        raise Http404(sha256)
    try:
        stored = default_storage.open(evidence.path_of(sha256))
    except FileNotFoundError as missing:
        raise Http404(sha256) from missing
    viewed(request.user, sha256)
    response = _whole_or_part(stored, stored.size, request.headers.get("Range", ""))
    plays = media.content_type in PLAYED
    response["Content-Type"] = media.content_type or "application/octet-stream"
    response["Content-Disposition"] = (
        content_disposition_header(not plays, media.file_name or sha256[:12]) or ""
    )
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = f"private, max-age={REMEMBERED}"
    response["Accept-Ranges"] = "bytes"
    return response


def _whole_or_part(stored: IO[bytes], size: int, wanted: str) -> HttpResponse | StreamingHttpResponse:
    """One range as RFC 9110 §14 has it; several at once, or what makes no sense, get the whole."""
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted.strip())
    if not asked or not any(asked.groups()):
        response = StreamingHttpResponse(_bytes(stored, size))
        response["Content-Length"] = str(size)
        return response
    first, last = asked[1], asked[2]
    begin = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if begin >= size or begin > end:
        stored.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    stored.seek(begin)
    response = StreamingHttpResponse(_bytes(stored, end - begin + 1), status=206)
    response["Content-Range"] = f"bytes {begin}-{end}/{size}"
    response["Content-Length"] = str(end - begin + 1)
    return response


async def _bytes(stored: IO[bytes], left: int) -> AsyncIterator[bytes]:
    """Read as it is sent: a film is larger than what a web process should hold."""
    try:
        while left > 0 and (chunk := await sync_to_async(stored.read)(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
    finally:
        await sync_to_async(stored.close)()


@page(roles.CONVERSATIONS, roles.ACCOUNTS)
def first_page(request: StaffRequest, sha256: str) -> HttpResponse:
    """A PDF's first page as a picture: nobody's browser opens the stranger's file to look at it."""
    if not Media.objects.filter(sha256=sha256, content_type="application/pdf", lost_at=None).exists():
        raise Http404(sha256)
    if not may_read(request.user, sha256):
        raise PermissionDenied
    viewed(request.user, sha256)
    return shown(sha256, longest=LONGEST["whole"], whole_page=True)
