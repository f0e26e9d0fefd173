"""Programs that may come in: tokens of the API, and whom they asked us to tell of what happens."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.api.models import ApiToken, Scope, WebhookDelivery, WebhookSubscription
from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.flows.live import announce


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        label=gettext_lazy("acts as"),
        help_text=gettext_lazy("It may do what this user may, and no more."),
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("scopes")
    )

    class Meta:
        model = ApiToken
        fields = ["name", "user", "scopes", "lines", "queues", "per_minute", "expires_at"]
        widgets = {
            "lines": forms.CheckboxSelectMultiple,
            "queues": forms.CheckboxSelectMultiple,
            "expires_at": forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        }

    def clean_per_minute(self) -> int:
        per_minute: int = self.cleaned_data["per_minute"]
        if per_minute < 1:
            raise forms.ValidationError(_("Let it call at least once a minute."))
        return per_minute

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise forms.ValidationError(_("Choose a moment to come, or leave it empty."))
        return expires_at


@page(roles.API_TOKENS)
@never_cache
def api_tokens(request: StaffRequest) -> HttpResponse:
    """All tokens, and a new one, whose secret is shown in this answer and never again."""
    form, now, secret = TokenForm(request.POST or None), timezone.now(), ""
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        _token, secret = ApiToken.make(**told, at=now, by=request.user)
        form = TokenForm()
    tokens = ApiToken.objects.select_related("user").prefetch_related("lines", "queues")
    context = {
        "here": "api_tokens",
        "form": form,
        "secret": secret,
        "tokens": [(each, each.is_good(now)) for each in tokens.order_by("-made_at")],
        "webhooks": WebhookSubscription.objects.filter(ended_at=None).select_related("token__user"),
        "scope_words": dict(Scope.choices),
    }
    return render(request, "console/api_tokens.html", context, status=422 if form.errors else 200)


@page(roles.API_TOKENS)
@require_POST
def revoke_api_token(request: StaffRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk)
    token.revoke(by=request.user, at=timezone.now())
    messages.success(request, _("Revoked: %(name)s. It opens nothing any more.") % {"name": token.name})
    return redirect("console:api_tokens")


@page(roles.TROUBLES)
@require_POST
def send_webhook_again(request: StaffRequest, pk: int) -> HttpResponse:
    """What a program did not take in seven days."""
    delivery = get_object_or_404(WebhookDelivery.objects.select_related("subscription"), pk=pk)
    delivery.send_again(by=request.user, at=timezone.now())
    announce("troubles")
    messages.success(request, _("It is sent again now, and for seven days where it is not taken."))
    return redirect("console:troubles")
