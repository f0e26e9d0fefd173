"""Who may come in: whoever has a link that ``rasd watch login NAME`` printed. There are no passwords to lose."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

VALID = timedelta(minutes=15)
SALT = "rasd.watch.login"
THEMES = {"light", "dark", "auto"}
YEAR = 365 * 24 * 60 * 60  # seconds


class NoLongerGood(Exception):
    """A link that was used, is too old, or is none of ours."""


def login_link(name: str, site: str = "") -> str:
    """The address that logs ``name`` in, once and within 15 minutes; whoever is new is made. ``site``: http://host:port.

    It is bound to the moment of his last login: the login that it is used for makes it, and every other one, useless.
    """
    user, is_new = User.objects.get_or_create(username=name)
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    token = signing.dumps([name, _last(user)], salt=SALT, compress=True)
    return site.rstrip("/") + reverse("watch:come-in", urlconf="rasd.watch.urls", args=[token])


def _last(user: User) -> str:
    return user.last_login.isoformat() if user.last_login else ""


def _name_in(token: str) -> tuple[str, str]:
    try:
        name, last = signing.loads(token, salt=SALT, max_age=VALID)
    except (signing.BadSignature, ValueError) as error:
        raise NoLongerGood from error
    return name, last


@login_not_required
@never_cache
def how(request: HttpRequest) -> HttpResponse:
    """Says how one gets in."""
    return render(request, "watch/login.html")


@login_not_required
@never_cache
def come_in(request: HttpRequest, token: str) -> HttpResponse:
    """Asked for, the link only greets: whatever looks at links before people do (mail gateways, previews) does not use it up."""
    try:
        name, last = _name_in(token)
        with transaction.atomic():
            user = User.objects.select_for_update().filter(username=name, is_active=True).first()
            if user is None or _last(user) != last:
                raise NoLongerGood
            if request.method != "POST":
                return render(request, "watch/come_in.html", {"name": name})
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    except NoLongerGood:
        return render(request, "watch/login.html", {"no_longer_good": True}, status=403)
    return redirect("watch:home")


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("watch:login")


language = login_not_required(set_language)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device has it; a cookie, so that the page arrives in the right colours."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    if (chosen := request.POST.get("theme")) in THEMES:
        response.set_cookie(
            "theme", chosen, max_age=YEAR, samesite="Lax", secure=bool(settings.SESSION_COOKIE_SECURE)
        )
    return response


def nothing_here(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "watch/404.html", status=404)
