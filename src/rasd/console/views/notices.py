"""What somebody is to know: the bell, and the page behind it."""

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.desk.models import Notice
from rasd.desk.sight import seen

SHOWN = 100


@page()
@never_cache
def notices(request: StaffRequest) -> HttpResponse:
    """The newest, read or not; of the page's script the bell alone."""
    if request.htmx and request.htmx.target == "bell":
        return render(request, "console/inbox_bell.html")
    mine = seen(Notice.objects.filter(to=request.user), request.user).order_by("-at", "-pk")
    shown = mine.select_related("conversation__contact", "conversation__address", "case", "obligation")
    return render(request, "console/inbox_notices.html", {"here": "notices", "notices": shown[:SHOWN]})


@page()
@require_POST
def read_notice(request: StaffRequest, pk: int) -> HttpResponse:
    """It is read, and one goes to what it is about."""
    notice = get_object_or_404(Notice.objects.select_related("obligation"), pk=pk, to=request.user)
    Notice.objects.filter(pk=pk, read_at=None).update(read_at=timezone.now())
    return redirect(_place_of(notice, request.user))


@page()
@require_POST
def read_all(request: StaffRequest) -> HttpResponse:
    Notice.objects.filter(to=request.user, read_at=None).update(read_at=timezone.now())
    return redirect("console:notices")


def _place_of(notice: Notice, user: User) -> str:
    """Where ``user`` may see what it is about: who leads a team and reads no conversations sees what was owed."""
    owed = notice.obligation
    case = notice.case_id or (owed.case_id if owed else None)
    conversation = notice.conversation_id or (owed.conversation_id if owed else None)
    if case:
        try:
            return reverse("console:case", args=[case])
        except NoReverseMatch:
            pass
    if conversation and user.has_perm(roles.CONVERSATIONS):
        return f"{reverse('console:conversation', args=[conversation])}#latest"
    if owed and user.has_perm(roles.ACCOUNTS):
        return reverse("console:obligation_account", args=[owed.pk])
    return reverse("console:notices")
