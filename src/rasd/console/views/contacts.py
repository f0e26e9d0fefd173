"""Two contacts that are one person, and two people who were taken for one; and the pages that somebody was given addresses of."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from rasd.console import roles
from rasd.console.about import addresses_seen, may_see_merge
from rasd.console.access import StaffRequest, page
from rasd.console.views.shared import tell_pages, the_conversation
from rasd.desk.errors import NotMerged
from rasd.desk.models import Contact, Merge
from rasd.desk.sight import seen
from rasd.flows.models import LinkRevocation
from rasd.ledger.models import actor_of
from rasd.metering.models import AccountContact


@page(roles.CONVERSATIONS)
@never_cache
@require_http_methods(["GET", "POST"])
def merge(request: StaffRequest, pk: int, other: int) -> HttpResponse:
    """What will happen, and then that it happens. ``pk``: the conversation beside which it was asked."""
    asked, gone = the_conversation(pk), get_object_or_404(Contact, pk=other)
    if request.method == "POST":
        try:
            with transaction.atomic():
                asked.contact.merge(gone, by=request.user, at=timezone.now())
                tell_pages(asked)
            messages.success(
                request, _("They are one contact now. Beside the conversation it can be undone.")
            )
        except NotMerged:
            messages.warning(request, _("They are one contact already."))
        return redirect("console:conversation", pk=asked.pk)
    context = {"here": "conversations", "conversation": asked, "kept": asked.contact, "gone": gone}
    return render(request, "console/inbox_merge.html", context | _what_is_theirs(gone, request.user))


def _what_is_theirs(gone: Contact, user: User) -> dict[str, object]:
    return {
        "addresses": addresses_seen(gone, user).order_by("pk"),
        "conversations": seen(gone.conversations.all(), user).count(),
        "cases": seen(gone.cases.all(), user).count(),
    }


@page(roles.CONVERSATIONS)
@require_POST
def unmerge(request: StaffRequest, pk: int, merge: int) -> HttpResponse:
    """Of this conversation's contact only, who may be the one that was gone: undone twice, it says so."""
    asked = the_conversation(pk)
    theirs = Q(kept=asked.contact) | Q(gone=asked.contact)
    undone = get_object_or_404(Merge, theirs, pk=merge)
    if not may_see_merge(undone, request.user):
        raise Http404
    try:
        with transaction.atomic():
            undone.undo(by=request.user, at=timezone.now())
            tell_pages(asked)
        messages.success(request, _("They are two contacts again, each with what was theirs."))
    except NotMerged:
        messages.warning(request, _("That was undone before."))
    return redirect("console:conversation", pk=asked.pk)


@page(roles.CONVERSATIONS)
@require_POST
def end_links(request: StaffRequest, pk: int) -> HttpResponse:
    """Every address of the month's page that was made for whoever writes here opens nothing any more: he sent one to somebody by
    mistake, or lost his telephone. The next message brings a new one."""
    asked = the_conversation(pk)
    theirs = AccountContact.objects.filter(identifier=asked.address.identifier).select_related("account")
    with transaction.atomic():
        for contact in theirs:
            LinkRevocation.make(
                contact, at=timezone.now(), actor=actor_of(request.user), why=f"asked for in {asked}"
            )
    if theirs:
        messages.success(request, _("The addresses that he was given open nothing any more."))
    return redirect("console:conversation", pk=asked.pk)
