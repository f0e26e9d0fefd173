"""In and out. Two steps where the person has a second factor; the first alone opens nothing then."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.forms import AuthenticationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import devices_for_user, user_has_device
from django_otp import login as otp_login
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from rasd.console.logins import WITHIN, address_of, may_try, record_failure

HALFWAY = "console.halfway"
HALFWAY_SECONDS = 5 * 60
TOO_MANY = _(
    "Too many tries. Wait %(minutes)d minutes, then try again; an administrator can give you a new password."
)


TOO_SOON = _(
    "A wrong code was typed just before, so this one was not looked at. Wait a few seconds, then type it again."
)


class LoginForm(AuthenticationForm):
    """Django's, which refuses before it looks at the password where there were too many failures."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username") or ""
        if not may_try(username, address_of(self.request), timezone.now()):
            raise forms.ValidationError(TOO_MANY, code="throttled", params={"minutes": WITHIN.seconds // 60})
        return super().clean()


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=16,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autofocus": True,
                "dir": "ltr",
                "class": "code",
                "spellcheck": "false",
            }
        ),
    )


@sensitive_post_parameters("password")
@never_cache
def enter(request: HttpRequest) -> HttpResponse:
    """The name and the password."""
    if request.user.is_authenticated:
        return redirect(_wanted(request))
    form = LoginForm(request, data=request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = form.get_user()
        if user_has_device(user):
            request.session[HALFWAY] = {
                "user": user.pk,
                "backend": user.backend,
                "at": timezone.now().timestamp(),
                "next": _wanted(request),
            }
            return redirect("console:code")
        login(request, user)
        return redirect(_wanted(request))
    status = 422 if form.errors else 200
    return render(request, "console/login.html", {"form": form, "next": _wanted(request)}, status=status)


@sensitive_post_parameters("code")
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The second factor: a code of the authenticator, or one of the recovery codes, which then is used up."""
    halfway = request.session.get(HALFWAY)
    now = timezone.now()
    if not halfway or now.timestamp() - halfway["at"] > HALFWAY_SECONDS:
        request.session.pop(HALFWAY, None)
        return redirect("console:login")
    user = get_user_model().objects.filter(pk=halfway["user"], is_active=True).first()
    if user is None:
        return redirect("console:login")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        device = _device(request, user, form, now)
        if device is not None:
            login(request, user, backend=halfway["backend"])
            otp_login(request, device)
            request.session.pop(HALFWAY, None)
            return redirect(halfway["next"])
    return render(request, "console/code.html", {"form": form}, status=422 if form.errors else 200)


def _device(request: HttpRequest, user: Any, form: CodeForm, now: datetime) -> Any:
    if not may_try(user.get_username(), address_of(request), now):
        form.add_error("code", forms.ValidationError(TOO_MANY, params={"minutes": WITHIN.seconds // 60}))
        return None
    device, too_soon = _matched(user, form.cleaned_data["code"].replace(" ", "").lower())
    if too_soon:
        form.add_error("code", TOO_SOON)
    elif device is None:
        record_failure(user.get_username(), request, now, why="second factor")
        form.add_error(
            "code",
            _(
                "That code is not right, or was used before. Wait for the next one and type it, or use a recovery code."
            ),
        )
    return device


def _matched(user: Any, typed: str) -> tuple[Device | None, bool]:
    """The device that accepts ``typed``, and whether none was asked because a wrong code was typed just before.

    Digits are the authenticator's, letters a recovery code: each is slowed down by its own failures only.
    """
    kind = TOTPDevice if typed.isdigit() else StaticDevice
    too_soon = False
    with transaction.atomic():
        for device in devices_for_user(user, for_verify=True):
            if not isinstance(device, kind):
                continue
            allowed, _why = device.verify_is_allowed()
            if not allowed:
                too_soon = True
            elif device.verify_token(typed):
                return device, False
    return None, too_soon


def _wanted(request: HttpRequest) -> str:
    """Where to go afterwards: ``next`` where it is on this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
