"""The inbox's filters kept under a name: one's own, or everybody's."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.inbox import query_of
from rasd.console.views.shared import typed
from rasd.desk.inbox import Filters
from rasd.desk.models import SavedView

LONGEST_NAME = 60


@page(roles.CONVERSATIONS)
@require_POST
def save_view(request: StaffRequest) -> HttpResponse:
    """What the address asks for, under ``name``; for everybody where one may say so. The same name again replaces it."""
    filters, name = Filters.of(request.GET), typed(request.POST, "name")[:LONGEST_NAME]
    owner: User | None = request.user
    if request.POST.get("everybody"):
        if not request.user.has_perm(roles.TEAM):
            raise PermissionDenied
        owner = None
    if name:
        try:
            with transaction.atomic():
                SavedView.objects.update_or_create(
                    owner=owner, name=name, defaults={"filters": filters.as_json()}
                )
        except IntegrityError:  # the same name, twice at once: one of the two has it
            pass
    else:
        messages.error(request, _("Give it a name first."))
    return redirect(reverse("console:conversations") + query_of(filters))


@page(roles.CONVERSATIONS)
@require_POST
def forget_view(request: StaffRequest, pk: int) -> HttpResponse:
    gone = get_object_or_404(SavedView, pk=pk)
    if gone.owner_id != request.user.pk and not (gone.owner_id is None and request.user.has_perm(roles.TEAM)):
        raise PermissionDenied
    gone.delete()
    return redirect("console:conversations")
