"""pretix, a shop for tickets, as its documentation sets it up: in Arabic, with one free ticket that anybody may order.

``python shop_site.py`` makes its tables and the shop; ``shop_site:application`` serves it with its own styles and scripts.
"""

import os
import secrets
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["TARGET_FOLDER"])
CONFIGURATION = FOLDER / "pretix.cfg"


def _configure() -> None:
    """At each start: the address and the mail server are of this run, the secret of the first."""
    secret = FOLDER / "secret"
    if not secret.exists():
        secret.write_text(secrets.token_hex(32))
    data = FOLDER / "data"
    data.mkdir(exist_ok=True)
    CONFIGURATION.write_text(
        f"""[pretix]
instance_name=Souq
url={os.environ["TARGET_PUBLIC"]}
currency=OMR
datadir={data}
[database]
backend=sqlite3
name={FOLDER / "shop.sqlite3"}
[mail]
from=shop@example.org
host=127.0.0.1
port={os.environ.get("TARGET_SMTP", "25")}
[django]
debug=off
secret={secret.read_text()}
[locale]
default=ar
timezone=Asia/Muscat
"""
    )
    os.environ["PRETIX_CONFIG_FILE"] = str(CONFIGURATION)
    os.environ["DJANGO_SETTINGS_MODULE"] = "pretix.settings"


def _fill() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from datetime import timedelta
    from decimal import Decimal

    from django.utils.timezone import now
    from django_scopes import scopes_disabled
    from pretix.base.models import Event, Organizer

    with scopes_disabled():
        organiser = Organizer.objects.create(slug="souq", name="Souq")
        organiser.settings.locales = ["ar", "en"]
        shop = Event.objects.create(
            organizer=organiser,
            slug="museum",
            name="Museum day",
            currency="OMR",
            date_from=now() + timedelta(days=3650),
            plugins="pretix.plugins.sendmail",
        )
        shop.settings.locales = ["ar", "en"]
        shop.settings.locale = "ar"
        shop.settings.timezone = "Asia/Muscat"
        shop.settings.attendee_names_asked = False
        shop.settings.payment_free__enabled = True
        shop.settings.contact_mail = "shop@example.org"
        ticket = shop.items.create(name="Day ticket", default_price=Decimal("0.00"), admission=True)
        shop.quotas.create(name="all", size=None).items.add(ticket)
        shop.live = True
        shop.save()


def __getattr__(name: str) -> object:
    """The server's entry, made when it is asked for."""
    if name != "application":
        raise AttributeError(name)
    _configure()
    import pretix
    from pretix.wsgi import application
    from whitenoise import WhiteNoise

    styled = WhiteNoise(application, root=str(Path(pretix.__file__).parent / "static.dist"), prefix="static/")

    def open_to_robots(environ: Any, start_response: Any) -> Any:
        """pretix keeps robots out of its checkout. An owner who permits a watch lets it in there, as this one does."""
        if environ["PATH_INFO"] != "/robots.txt":
            return styled(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"User-agent: *\nDisallow: /control/\n"]

    return open_to_robots


if __name__ == "__main__":
    _configure()
    _fill()
