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


def _through_our_door(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """In place of the admin's own login, which knows no second factor and no patience with guessing."""
    from django.contrib.auth.views import redirect_to_login
    from django.core.exceptions import PermissionDenied

    if request.user.is_authenticated:
        raise PermissionDenied  # logged in and still sent here: not a person for the admin
    return redirect_to_login(request.GET.get("next") or "/admin/")
