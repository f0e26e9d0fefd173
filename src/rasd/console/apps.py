from collections.abc import Callable
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.http import HttpRequest, HttpResponse


class ConsoleConfig(AppConfig):
    name = "rasd.console"
    label = "console"

    def ready(self) -> None:
        from django.contrib import admin

        from rasd.console import logins, roles  # the signals' receivers; they need the models

        logins.connect()
        post_migrate.connect(roles.hand_out, sender=self)
        admin.site.login = _through_our_door  # type: ignore[method-assign]
        admin.site.has_permission = _with_second_factor(admin.site.has_permission)  # type: ignore[method-assign,assignment]


def _with_second_factor(has_permission: Callable[[HttpRequest], bool]) -> Callable[[HttpRequest], bool]:
    """In place of the admin's own: it opens for nobody who is still to set up what is demanded of him."""

    def asked(request: HttpRequest) -> bool:
        from rasd.console.access import lacks_second_factor

        return has_permission(request) and not lacks_second_factor(request.user)

    return asked


def _through_our_door(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """In place of the admin's own login, which knows no second factor and no patience with guessing."""
    from django.contrib.auth.views import redirect_to_login
    from django.core.exceptions import PermissionDenied

    from rasd.console.access import lacks_second_factor, to_second_factor

    if request.user.is_authenticated and lacks_second_factor(request.user):
        return to_second_factor(request)
    if request.user.is_authenticated:
        raise PermissionDenied  # logged in and still sent here: not a person for the admin
    return redirect_to_login(request.GET.get("next") or "/admin/")
