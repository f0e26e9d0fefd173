"""One's own account: the second factor on and off, and the looks."""

from base64 import b32encode
from typing import Any

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp import login as otp_login
from django_otp import user_has_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from rasd.console.access import StaffRequest, page
from rasd.console.models import LoginSession, SecondFactorDemand
from rasd.console.views.login import TOO_SOON, CodeForm
from rasd.ledger.models import actor_of, record

RECOVERY_CODES = 10
THEMES = ("auto", "light", "dark")
YEAR = 365 * 24 * 60 * 60  # seconds


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=gettext_lazy("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


@page(without_second_factor=True)
@never_cache
def account(request: StaffRequest) -> HttpResponse:
    return _show(request)


@page(without_second_factor=True)
@require_POST
@never_cache
def begin_second_factor(request: StaffRequest) -> HttpResponse:
    """A new key, not in force until a code made with it has been typed."""
    if not user_has_device(request.user):
        TOTPDevice.objects.filter(user=request.user, confirmed=False).delete()
        TOTPDevice.objects.create(user=request.user, name="console", confirmed=False)
    return redirect("console:account")


@page(without_second_factor=True)
@require_POST
@never_cache
@sensitive_post_parameters("code")
def confirm_second_factor(request: StaffRequest) -> HttpResponse:
    device = TOTPDevice.objects.filter(user=request.user, confirmed=False).first()
    if device is None:
        return redirect("console:account")
    form = CodeForm(request.POST)
    allowed, _why = device.verify_is_allowed()
    if not allowed:
        form.add_error("code", TOO_SOON)
        return _show(request, code_form=form, status=422)
    if not (form.is_valid() and device.verify_token(form.cleaned_data["code"].replace(" ", ""))):
        form.add_error("code", _("That code is not right. Type the one that your phone shows now."))
        return _show(request, code_form=form, status=422)
    with transaction.atomic():
        device.confirmed = True
        device.save()
        codes = _new_recovery_codes(request.user)
        _record(request, "second_factor.on")
    otp_login(request, device)
    return _show(request, codes=codes)


@page()
@require_POST
@never_cache
@sensitive_post_parameters("password")
def end_second_factor(request: StaffRequest) -> HttpResponse:
    """Off again, for whoever knows the password: an unlocked screen is not enough."""
    form = PasswordForm(request.POST)
    if SecondFactorDemand.is_of(request.user):
        messages.warning(request, _("Your role demands the second factor: it stays on."))
        return redirect("console:account")
    if not (form.is_valid() and request.user.check_password(form.cleaned_data["password"])):
        form.add_error("password", _("That is not your password."))
        return _show(request, password_form=form, status=422)
    with transaction.atomic():
        TOTPDevice.objects.filter(user=request.user).delete()
        StaticDevice.objects.filter(user=request.user).delete()
        _record(request, "second_factor.off")
    messages.success(request, _("The second factor is off."))
    return redirect("console:account")


@page()
@require_POST
def end_sessions(request: StaffRequest) -> HttpResponse:
    """All but this one, or the one that was chosen."""
    only = request.POST.get("session", "")
    ended = LoginSession.end(
        request.user,
        by=request.user,
        at=timezone.now(),
        but=request.session.session_key or "",
        only=int(only) if only.isascii() and only.isdecimal() else None,
    )
    words = ngettext("%(count)d session is over.", "%(count)d sessions are over.", ended)
    messages.success(request, words % {"count": ended})
    return redirect("console:account")


@page()
@require_POST
@never_cache
@sensitive_post_parameters()
def change_password(request: StaffRequest) -> HttpResponse:
    """One's own; every other session of one's own is over with it."""
    form = PasswordChangeForm(request.user, request.POST)
    if not form.is_valid():
        return _show(request, change_form=form, status=422)
    with transaction.atomic():
        form.save()
        update_session_auth_hash(request, form.user)
        _record(request, "password.changed")
        LoginSession.end(
            request.user, by=request.user, at=timezone.now(), but=request.session.session_key or ""
        )
    messages.success(
        request, _("Your password is changed, and wherever else you were logged in you are no more.")
    )
    return redirect("console:account")


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device has it; a cookie, so that the page arrives in the right colours."""
    back = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = redirect(back)
    chosen = request.POST.get("theme")
    if chosen in THEMES:
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return response


def _show(request: StaffRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    pending = TOTPDevice.objects.filter(user=request.user, confirmed=False).first()
    context = {
        "has_device": user_has_device(request.user),
        "pending": pending,
        "qr": _qr(pending.config_url) if pending else "",
        "key": _in_fours(b32encode(pending.bin_key).decode()) if pending else "",
        "codes_left": StaticToken.objects.filter(device__user=request.user).count(),
        "code_form": CodeForm(),
        "password_form": PasswordForm(),
        "change_form": PasswordChangeForm(request.user),
        "demanded": SecondFactorDemand.is_of(request.user),
        "sessions": [
            (each, each.session_key == request.session.session_key)
            for each in LoginSession.of(request.user, timezone.now())
        ],
        "roles": request.user.groups.values_list("name", flat=True),
    }
    return render(request, "console/account.html", context | more, status=status)


def _new_recovery_codes(user: Any) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery")
    codes = [StaticToken.random_token() for _each in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=each) for each in codes)
    return codes


def _record(request: StaffRequest, action: str) -> None:
    actor = actor_of(request.user)
    record(actor, action, actor, at=timezone.now())


def _qr(uri: str) -> str:
    drawn = segno.make(uri, micro=False).svg_inline(scale=5, border=3, light="#fff", svgclass="qr")
    return mark_safe(drawn)  # noqa: S308 (segno's drawing of our own address: no text in it)


def _in_fours(key: str) -> str:
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))
