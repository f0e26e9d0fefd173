"""Who may do what, on which lines, and with which proof of who he is: in one place, for administrators."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from rasd.channels.models import Line, LineLimit, lines_of
from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.models import LoginSession, SecondFactorDemand
from rasd.console.views.shared import typed
from rasd.ledger.models import actor_of, record

SUPERUSERS = "0"
"""In the form, in the place of a role's key."""


@page(roles.ACCESS)
@never_cache
def access(request: StaffRequest) -> HttpResponse:
    """Everybody and every role, each with what it comes down to."""
    demanded: set[int | None] = set(SecondFactorDemand.objects.values_list("group", flat=True))
    limits = LineLimit.objects.filter(group__isnull=False).select_related("line")
    with_device = set(TOTPDevice.objects.filter(confirmed=True).values_list("user", flat=True))
    people = User.objects.prefetch_related("groups", "line_limits__line").order_by("-is_active", "username")
    context = {
        "here": "access",
        "roles": [
            {
                "group": group,
                "is_demanded": group.pk in demanded,
                "lines": {each.line_id for each in limits if each.group_id == group.pk},
            }
            for group in Group.objects.order_by("pk")
        ],
        "superusers_demanded": None in demanded,
        "lines": Line.objects.order_by("name"),
        "people": [
            {"user": each, "has_device": each.pk in with_device, **_lacking(each, demanded, with_device)}
            for each in people
        ],
    }
    return render(request, "console/access.html", context)


def _lacking(user: User, demanded: set[int | None], with_device: set[int]) -> dict[str, Any]:
    keys: set[int | None] = {each.pk for each in user.groups.all()}
    keys |= {None} if user.is_superuser else set()
    return {"lacks_device": bool(keys & demanded) and user.pk not in with_device}


@page(roles.ACCESS)
@require_POST
def demand_second_factor(request: StaffRequest) -> HttpResponse:
    """Of those roles that are ticked. Whoever makes himself need one without having one is led to it at the next page."""
    chosen = set(request.POST.getlist("role"))
    groups: list[Group | None] = [each for each in Group.objects.all() if str(each.pk) in chosen]
    if SUPERUSERS in chosen:
        groups.append(None)
    SecondFactorDemand.put(groups, by=request.user, at=timezone.now())
    messages.success(request, _("Kept. Who needs a second factor and has none sets it up at the next page."))
    return redirect("console:access")


@page(roles.ACCESS)
@require_POST
def role_lines(request: StaffRequest, pk: int) -> HttpResponse:
    return _put_lines(request, get_object_or_404(Group, pk=pk), "console:access")


@page(roles.ACCESS)
@never_cache
def account_of(request: StaffRequest, pk: int) -> HttpResponse:
    """One person: what he may, where he is logged in, and what can be done about it."""
    user = get_object_or_404(User, pk=pk)
    his = lines_of(user)
    context = {
        "here": "access",
        "person": user,
        "roles": user.groups.order_by("pk"),
        "lines": Line.objects.order_by("name"),
        "own_lines": set(LineLimit.objects.filter(user=user).values_list("line", flat=True)),
        "sees": None if his is None else Line.objects.filter(pk__in=his).order_by("name"),
        "has_device": TOTPDevice.objects.filter(user=user, confirmed=True).exists(),
        "is_demanded": SecondFactorDemand.is_of(user),
        "sessions": LoginSession.of(user, timezone.now()),
    }
    return render(request, "console/access_person.html", context)


@page(roles.ACCESS)
@require_POST
def person_lines(request: StaffRequest, pk: int) -> HttpResponse:
    return _put_lines(request, get_object_or_404(User, pk=pk), "console:account_of", pk)


@page(roles.ACCESS)
@require_POST
def end_his_sessions(request: StaffRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    ended = LoginSession.end(user, by=request.user, at=timezone.now())
    words = ngettext("%(count)d session is over.", "%(count)d sessions are over.", ended)
    messages.success(request, words % {"count": ended})
    return redirect("console:account_of", pk)


@page(roles.ACCESS)
@require_POST
def reset_second_factor(request: StaffRequest, pk: int) -> HttpResponse:
    """His telephone is lost: he comes in by the password alone, and sets up another one where that is demanded of him."""
    user, why = get_object_or_404(User, pk=pk), typed(request.POST, "why")
    if not why:
        messages.error(request, _("Say how you know that it is he who asks."))
        return redirect("console:account_of", pk)
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        subject = actor_of(user)
        LoginSession.end(user, by=request.user, at=timezone.now())
        record(actor_of(request.user), "second_factor.reset", subject, at=timezone.now(), why=why[:300])
    messages.success(
        request, _("The second factor of %(name)s is off, and every session is over.") % {"name": user}
    )
    return redirect("console:account_of", pk)


def _put_lines(request: StaffRequest, whose: User | Group, back: str, *args: int) -> HttpResponse:
    chosen = set(request.POST.getlist("line"))
    lines = [each for each in Line.objects.all() if str(each.pk) in chosen]
    LineLimit.put(whose, lines, by=request.user, at=timezone.now())
    messages.success(request, _("Kept."))
    return redirect(back, *args)
