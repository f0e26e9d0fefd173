"""Opening a case: from a conversation, or from a photograph that makes trouble."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.sight import of_his_lines
from rasd.desk.models import Case, CaseKind, Conversation
from rasd.desk.models.case_records import TITLE_MAX
from rasd.desk.sight import seen
from rasd.flows.identity import points_of
from rasd.ledger.models import actor_of
from rasd.metering.models import Submission

PROPOSED = 80  # characters of a message that are proposed as a title


class CaseForm(forms.ModelForm):  # type: ignore[type-arg]
    """A title that the customer will read, what kind of matter it is, and which meter it is about."""

    text = forms.CharField(
        label=gettext_lazy("What your colleagues should know"),
        required=False,
        widget=forms.Textarea({"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy("The customer does not see it."),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=100)

    class Meta:
        model = Case
        fields = ["title", "kind", "service_point"]
        labels = {"kind": gettext_lazy("Kind"), "service_point": gettext_lazy("Service point")}
        help_texts = {"service_point": gettext_lazy("its number; empty: it is about none")}
        widgets = {
            "title": forms.TextInput({"dir": "auto"}),
            "service_point": forms.TextInput({"dir": "ltr", "list": "points", "autocomplete": "off"}),
        }


@page(roles.CASES)
@never_cache
def new(request: StaffRequest) -> HttpResponse:
    """``?conversation=17``, or ``?submission=4``: what was sent with it is proposed, and may be changed."""
    conversation, submission = _from(request)
    points = [point.number for point in points_of(conversation.address)] if conversation else []
    if submission and submission.service_point:
        points = [
            submission.service_point.number,
            *(one for one in points if one != submission.service_point.number),
        ]
    form = CaseForm(request.POST or None, initial=_proposed(conversation, submission, points))
    form.fields["kind"].queryset = CaseKind.usual()  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        case = Case.open(
            said["kind"],
            said["title"],
            at=timezone.now(),
            actor=actor_of(request.user),
            origin=Case.Origin.SUBMISSION if submission else Case.Origin.EMPLOYEE,
            conversation=conversation,
            service_point=said["service_point"],
            text=said["text"],
            key=f"new:{said['key']}",
        )
        messages.success(request, _("Case %(reference)s is open.") % {"reference": case.reference})
        return redirect("console:case", case.pk)
    context: dict[str, Any] = {
        "here": "cases",
        "form": form,
        "conversation": conversation,
        "submission": submission,
        "points": points,
        "title_max": TITLE_MAX,
        "can_converse": request.user.has_perm(roles.CONVERSATIONS),
    }
    return render(request, "console/case_new.html", context, status=422 if form.errors else 200)


def _from(request: StaffRequest) -> tuple[Conversation | None, Submission | None]:
    """What it grows from; raises Http404 where that is not there."""
    conversation, submission = request.GET.get("conversation", ""), request.GET.get("submission", "")
    sent = of_his_lines(Submission.objects.all(), request.user)
    found = get_object_or_404(sent, pk=_number(submission)) if submission else None
    if found and found.conversation:
        conversation = found.conversation.partition(":")[2]
    rows = seen(Conversation.objects.select_related("address", "contact", "line"), request.user)
    return (get_object_or_404(rows, pk=_number(conversation)) if conversation else None), found


def _proposed(
    conversation: Conversation | None, submission: Submission | None, points: list[str]
) -> dict[str, Any]:
    """The customer's own words where they wrote any, and the meter where there is one only."""
    title = ""
    if conversation:
        said = (
            conversation.messages.filter(incoming__isnull=False)
            .exclude(incoming__text="")
            .order_by("-at")
            .first()
        )
        lines = said.words.split("\n") if said else []
        title = Truncator(lines[0] if lines else "").chars(PROPOSED)
    if submission:
        title = _("Trouble with a reading of %(day)s") % {"day": timezone.localdate(submission.sent_at)}
    return {
        "title": title,
        "service_point": points[0] if len(points) == 1 or submission else "",
        "key": get_random_string(20),
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
