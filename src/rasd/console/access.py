"""Who may see a page. A page names the permission it needs; nothing else decides."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from django_otp import user_has_device

from rasd.console import rights
from rasd.console.models import SecondFactorDemand
from rasd.console.sight import may_open

View = Callable[..., HttpResponse | StreamingHttpResponse]


class StaffRequest(HttpRequest):
    """A request behind :func:`page`: somebody is logged in. For type checking; nobody makes one."""

    user: User
    htmx: HtmxDetails


def page(*permissions: str, without_second_factor: bool = False) -> Callable[[View], View]:
    """For people who are logged in and have any of ``permissions`` (none named: everybody who is logged in), and, where it is the
    page of one thing, may see that thing: what lies on a line to which they are not let is not found.

    A fragment asked for after the session has ended sends the whole page to the login, not the login into the fragment.

    Args:
        without_second_factor: for who is still to set one up, too.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
            if not request.user.is_authenticated:
                return _to_login(request)
            is_demanded = rights.ask(request.user)
            if not without_second_factor and lacks_second_factor(request.user, is_demanded=is_demanded):
                return to_second_factor(request)
            if permissions and not any(map(request.user.has_perm, permissions)):
                raise PermissionDenied
            resolved = request.resolver_match
            if resolved and kwargs and not may_open(request.user, resolved.route, kwargs):
                raise Http404
            return view(request, *args, **kwargs)

        guarded.permissions = permissions  # type: ignore[attr-defined]
        return guarded

    return decorate


def lacks_second_factor(user: Any, *, is_demanded: bool | None = None) -> bool:
    """``is_demanded``: where that was asked already."""
    if is_demanded is False or user.is_verified():
        return False
    return is_demanded or SecondFactorDemand.is_of(user)


def to_second_factor(request: HttpRequest) -> HttpResponse:
    """Where he sets one up; who has one and came in without it, before it was demanded of him, comes in anew."""
    if user_has_device(request.user):
        logout(request)
        return _to_login(request)
    address = reverse("console:account")
    return HttpResponseClientRedirect(address) if getattr(request, "htmx", None) else redirect(address)


def _to_login(request: HttpRequest) -> HttpResponse:
    htmx = getattr(request, "htmx", None)
    if htmx:
        back = redirect_to_login(htmx.current_url_abs_path or "/")
        return HttpResponseClientRedirect(back["Location"])
    return redirect_to_login(request.get_full_path())
