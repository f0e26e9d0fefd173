"""Who may see a page. A page names the permission it needs; nothing else decides."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

View = Callable[..., HttpResponse | StreamingHttpResponse]


class StaffRequest(HttpRequest):
    """A request behind :func:`page`: somebody is logged in. For type checking; nobody makes one."""

    user: User
    htmx: HtmxDetails


def page(*permissions: str) -> Callable[[View], View]:
    """For people who are logged in and have any of ``permissions`` (none named: everybody who is logged in).

    A fragment asked for after the session has ended sends the whole page to the login, not the login into the fragment.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:
            if not request.user.is_authenticated:
                return _to_login(request)
            if permissions and not any(map(request.user.has_perm, permissions)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.permissions = permissions  # type: ignore[attr-defined]
        return guarded

    return decorate


def _to_login(request: HttpRequest) -> HttpResponse:
    htmx = getattr(request, "htmx", None)
    if htmx:
        back = redirect_to_login(htmx.current_url_abs_path or "/")
        return HttpResponseClientRedirect(back["Location"])
    return redirect_to_login(request.get_full_path())
