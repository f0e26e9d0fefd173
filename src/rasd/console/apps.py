from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConsoleConfig(AppConfig):
    name = "rasd.console"
    label = "console"

    def ready(self) -> None:
        from django.contrib import admin
        from django.contrib.auth.views import redirect_to_login

        from rasd.console import logins, roles  # the signals' receivers; they need the models

        # The admin's own login knows no second factor and no patience with guessing: it is entered through ours.
        admin.site.login = lambda request, extra_context=None: redirect_to_login(  # type: ignore[method-assign]
            request.GET.get("next") or "/admin/"
        )

        logins.connect()
        post_migrate.connect(roles.make_missing_roles, sender=self)
