"""The words that are used again and again, kept by those who lead."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.desk.models import CannedAnswer
from rasd.ledger.models import actor_of, record

VARIABLES = ("name", "reference", "line", "agent", "utility")


class CannedForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = CannedAnswer
        fields = ["shortcut", "title", "text_ar", "text_en", "queue"]
        widgets = {
            "text_ar": forms.Textarea({"rows": 4, "dir": "rtl", "lang": "ar"}),
            "text_en": forms.Textarea({"rows": 4, "dir": "ltr", "lang": "en"}),
            "shortcut": forms.TextInput({"dir": "ltr"}),
        }


@page(roles.CANNED, roles.CONVERSATIONS)
@never_cache
def canned_answers(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """All of them, to read for who answers, to change for who may; ``pk``: that one in the form."""
    changed = get_object_or_404(CannedAnswer, pk=pk) if pk else None
    may_change = request.user.has_perm(roles.CANNED)
    form = CannedForm(request.POST or None, instance=changed) if may_change else None
    if request.method == "POST" and form and form.is_valid():
        with transaction.atomic():
            kept = form.save()
            _record(request, "canned_answer.changed" if changed else "canned_answer.made", kept)
        messages.success(request, _("Kept: /%(shortcut)s") % {"shortcut": kept.shortcut})
        return redirect("console:canned_answers")
    context = {
        "here": "canned_answers",
        "answers": CannedAnswer.objects.select_related("queue"),
        "form": form,
        "changed": changed,
        "variables": [f"{{{each}}}" for each in VARIABLES],
    }
    return render(request, "console/inbox_canned.html", context, status=422 if form and form.errors else 200)


@page(roles.CANNED)
@require_POST
def forget_canned(request: StaffRequest, pk: int) -> HttpResponse:
    gone = get_object_or_404(CannedAnswer, pk=pk)
    with transaction.atomic():
        shortcut = gone.shortcut
        _record(request, "canned_answer.deleted", gone)
        gone.delete()
    messages.success(request, _("Deleted: /%(shortcut)s") % {"shortcut": shortcut})
    return redirect("console:canned_answers")


def _record(request: StaffRequest, action: str, answer: CannedAnswer) -> None:
    facts = {"shortcut": answer.shortcut, "ar": answer.text_ar, "en": answer.text_en}
    record(actor_of(request.user), action, f"canned_answer:{answer.pk}", at=timezone.now(), facts=facts)
