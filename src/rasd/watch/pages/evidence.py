"""A visit's exhibits: what lies in the box, what of it is shown on the report page, and each file by itself."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from rasd.watch.evidence.box import Box
from rasd.watch.models import Probe, Shown, the_box
from rasd.watch.pages.policy import EVIDENCE

PICTURES = {"image/png", "image/jpeg", "image/webp"}
READ_AS_TEXT = {"text/plain", "application/json", "application/x-ndjson", "text/html", "message/rfc822"}
"""Served as plain text whatever they are: a stranger's HTML is read here, never run."""
ENDINGS = {"application/zip": "zip", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
SHOWN_AT_MOST = 200_000  # bytes of one exhibit on the report page; the whole of it is a link away


@dataclass(frozen=True)
class Piece:
    """An exhibit, and what is left of it."""

    row: Shown
    box: Box

    @property
    def is_picture(self) -> bool:
        return self.row.media_type in PICTURES

    @property
    def is_here(self) -> bool:
        """Not thrown away by rule. On a machine other than its watcher's it may yet lie elsewhere."""
        return self.row.thrown_away_at is None

    @cached_property
    def text(self) -> str:
        """Its first part; "" where it is not here, not as it was, or no text."""
        if self.row.media_type.partition(";")[0] not in READ_AS_TEXT or not self.is_here:
            return ""
        try:
            data = self.box.get(self.row.sha256)
        except (FileNotFoundError, ValueError):
            return ""
        return data[:SHOWN_AT_MOST].decode("utf-8", "replace")

    @cached_property
    def data(self) -> Any:
        """Of a JSON exhibit; None where it cannot be read."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None


def pieces_of(probe: Probe) -> list[Piece]:
    box = the_box()
    return [Piece(row, box) for row in probe.exhibits.order_by("pk")]


@require_safe
def exhibit(request: HttpRequest, token: str, sha256: str) -> HttpResponse:
    """The bytes, if they are still here and still those of their hash. 410 with the rule where they were thrown away."""
    row = (
        Shown.objects.filter(probe__token=token, sha256=sha256)
        .select_related("probe__watcher", "probe__target")
        .first()
    )
    if row is None:
        raise Http404
    context = {"row": row, "probe": row.probe}
    if row.thrown_away_at:
        return render(request, "watch/exhibit_gone.html", context, status=410)
    try:
        data = the_box().get(sha256)
    except FileNotFoundError:
        return render(request, "watch/exhibit_gone.html", context | {"elsewhere": True}, status=404)
    except ValueError:
        return render(request, "watch/exhibit_gone.html", context | {"changed": True}, status=409)
    return _as_it_may_be_shown(data, row)


def _as_it_may_be_shown(data: bytes, row: Shown) -> HttpResponse:
    kind = row.media_type.partition(";")[0].strip().lower()
    inline = kind in PICTURES or kind in READ_AS_TEXT
    served = kind if kind in PICTURES or kind == "application/zip" else "application/octet-stream"
    response = HttpResponse(
        data, content_type="text/plain; charset=utf-8" if kind in READ_AS_TEXT else served
    )
    name = f"{row.kind}-{row.sha256[:12]}.{ENDINGS.get(kind, 'txt' if inline else 'bin')}"
    response["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{name}"'
    response["Content-Security-Policy"] = EVIDENCE
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=31536000, immutable"  # by its hash: it never changes
    return response


def probe_of(token: str) -> Probe:
    """Raises Http404."""
    rows = Probe.objects.select_related(
        "target", "journey", "watcher", "confirms", "confirmation", "visit__plan"
    )
    return get_object_or_404(rows, token=token)
