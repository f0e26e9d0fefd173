"""The team lead's wall, on a team lead's screen or on a television that nobody is logged in at."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.models import WallLink
from rasd.console.wall import wall as wall_at

SHARED = "shared_wall"  # of the session: the address that was just made, shown once


@page(roles.TEAM)
@never_cache
def wall(request: StaffRequest) -> HttpResponse:
    return _show(request, reverse("console:wall"))


@page(roles.TEAM)
@never_cache
def screens(request: StaffRequest) -> HttpResponse:
    """The addresses for screens without a login. Posted: a new one, which is shown once."""
    if request.method == "POST":
        name = request.POST.get("name", "").replace("\0", "").strip()[:100]
        if not name:
            messages.error(request, _("Say where the screen hangs: by that name it can be taken away again."))
            return redirect("console:wall_screens")
        _link, token = WallLink.make(
            name, translation.get_language() or "ar", by=request.user, at=timezone.now()
        )
        request.session[SHARED] = request.build_absolute_uri(reverse("console:wall_tv", args=[token]))
        return redirect("console:wall_screens")
    context: dict[str, Any] = {
        "here": "wall",
        "tab": "wall",
        "links": WallLink.objects.filter(revoked_at=None).select_related("made_by").order_by("name"),
        "shared": request.session.pop(SHARED, ""),
    }
    return render(request, "console/wall_screens.html", context)


@page(roles.TEAM)
@require_POST
def revoke(request: StaffRequest, pk: int) -> HttpResponse:
    """A screen shows nothing from now on."""
    get_object_or_404(WallLink, pk=pk).revoke(by=request.user, at=timezone.now())
    messages.success(request, _("That address shows nothing any more."))
    return redirect("console:wall_screens")


@require_safe
@never_cache
def tv(request: HttpRequest, token: str) -> HttpResponse:
    """For whoever has the address; the same numbers, no more."""
    link = WallLink.of(token)
    if link is None:
        raise Http404
    link.seen(timezone.now())
    with translation.override(link.language):
        response = _show(request, request.path)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _show(request: HttpRequest, address: str) -> HttpResponse:
    now = timezone.now()
    return render(
        request, "console/wall.html", {"wall": wall_at(now), "address": address, "now": now.timestamp()}
    )
