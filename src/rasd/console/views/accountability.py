"""The account of who owed what: everybody's for who leads, one's own for everyone, down to the entries of the ledger."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import accounts, roles
from rasd.console.access import StaffRequest, page
from rasd.console.accounts import COLUMNS, FIGURES, PERIODS, SCOPES, Period, behind
from rasd.console.chat import chat_of
from rasd.desk.account import Figure, Scope
from rasd.desk.models import AccountMark, AccountStretch, Case, Conversation, Message, Obligation
from rasd.desk.models.account import COMMENT_LONGEST, comment, comments_on
from rasd.desk.sight import seen
from rasd.ledger.models import Entry

READERS = (roles.CONVERSATIONS, roles.ACCOUNTS)
"""Whoever sees everybody's account reads what was said behind it; to answer takes more."""

SHOWN = 50  # a page
CSV_LONGEST = 20_000  # rows


@page()
@never_cache
def accounts_of_all(request: StaffRequest) -> HttpResponse:
    """All that belong to a scope, in a table; who may not see them is led to his own."""
    if not request.user.has_perm(roles.ACCOUNTS):
        return redirect("console:my_account")
    now = timezone.now()
    period = Period.asked(request.GET, timezone.localdate(now))
    by = request.GET.get("by", "")
    scope = Scope(by) if by in set(Scope) else Scope.PERSON
    sort = request.GET.get("sort", "")
    sort = sort if sort in COLUMNS else "owed"
    made = accounts.rows(scope, period, now, sort=sort)
    if request.GET.get("format") == "csv":
        return _download(accounts.rows_as_csv(made), f"{scope}-{period.first}-{period.last}")
    context = {
        "here": "accounts",
        "scope": scope,
        "scopes": SCOPES,
        "period": period,
        "periods": PERIODS,
        "columns": COLUMNS,
        "sort": sort,
        "leaf": Paginator(made, SHOWN).get_page(request.GET.get("page")),
        "figures": FIGURES,
        "mark": AccountMark.here(),
    }
    return render(request, "console/accountability.html", context)


@page()
@never_cache
def my_account(request: StaffRequest) -> HttpResponse:
    return redirect("console:one_account", Scope.PERSON, request.user.get_username())


@page()
@never_cache
def one_account(request: StaffRequest, scope: str, name: str) -> HttpResponse:
    """One account: its figures, its pictures, and what they are made of. ``?show=`` a figure; ``?before=`` an entry's number."""
    if scope not in set(Scope):
        raise Http404
    if not accounts.may_see(request.user, scope, name, roles.ACCOUNTS):
        raise PermissionDenied
    now = timezone.now()
    period = Period.asked(request.GET, timezone.localdate(now))
    show = request.GET.get("show", "")
    show = show if show in SHOWS else "all"
    found = _stretches(scope, name, period, show, now)
    if request.GET.get("format") == "csv":
        return _download(
            accounts.stretches_as_csv(found[:CSV_LONGEST]), f"{name}-{period.first}-{period.last}"
        )
    leaf = _number(request.GET.get("page"))
    listed = list(found[SHOWN * leaf : SHOWN * (leaf + 1) + 1])
    (row,) = accounts.rows(Scope(scope), period, now, name=name)
    context = {
        "here": "accounts",
        "row": row,
        "is_mine": scope == Scope.PERSON and name == request.user.get_username(),
        "sees_all": request.user.has_perm(roles.ACCOUNTS),
        "period": period,
        "periods": PERIODS,
        "bars": accounts.bars(row.figures),
        "show": show,
        "shows": _shows(row),
        "listed": _with_people(request, listed[:SHOWN]),
        "next": leaf + 1 if len(listed) > SHOWN else None,
        "previous": leaf - 1 if leaf else None,
        "mark": AccountMark.here(),
        "figures": FIGURES,
    }
    return render(request, "console/accountability_one.html", context)


@page()
@never_cache
def obligation_account(request: StaffRequest, pk: int) -> HttpResponse:
    """What one figure rests on: the message, whose it was when, and each entry of the ledger with its number and hash."""
    _may(request, pk)
    stretches = list(AccountStretch.objects.filter(obligation=pk).order_by("began", "scope"))
    entries = list(Entry.objects.filter(subject=f"obligation:{pk}").order_by("number"))
    if not entries:
        raise Http404
    said = comments_on(entries)
    reads = any(map(request.user.has_perm, READERS))
    named = {entry.facts.get(name) for entry in entries for name in ("message", "answer")}
    messages_of = Message.objects.filter(pk__in=[each for each in named if isinstance(each, int)])
    told = messages_of.order_by("at") if reads else []
    context = {
        "here": "accounts",
        "pk": pk,
        "owed": Obligation.objects.filter(pk=pk).first(),
        "case": Case.objects.filter(obligations=pk).first() if request.user.has_perm(roles.CASES) else None,
        "stretches": stretches,
        "entries": [(entry, bytes(entry.hash).hex(), said.get(entry.number, [])) for entry in entries],
        "told": told,
        "conversation": behind(pk) if reads else None,
        "answers": request.user.has_perm(roles.CONVERSATIONS),
        "people": accounts.names({one.name for one in stretches if one.scope == Scope.PERSON}),
        "figures": FIGURES,
        "longest": COMMENT_LONGEST,
        "sees_all": request.user.has_perm(roles.ACCOUNTS),
    }
    return render(request, "console/accountability_obligation.html", context)


@page(*READERS)
@never_cache
def obligation_conversation(request: StaffRequest, pk: int) -> HttpResponse:
    """What was said behind a figure, to be read and not to be written in, for who leads and does not answer himself."""
    _may(request, pk)
    if (shown := behind(pk)) is None:
        raise Http404
    chat = chat_of(shown, everything="all" in request.GET)
    context = {"here": "accounts", "pk": pk, "conversation": shown, "chat": chat}
    return render(request, "console/accountability_conversation.html", context)


@page()
@require_POST
def comment_on(request: StaffRequest, number: int) -> HttpResponse:
    """Beside an entry, in the ledger itself: whoever had the obligation may say something to each of its entries."""
    entry = get_object_or_404(Entry, pk=number, subject__startswith="obligation:")
    pk = int(entry.subject.partition(":")[2])
    _may(request, pk)
    text = request.POST.get("text", "").replace("\0", "").strip()
    if not text or len(text) > COMMENT_LONGEST:
        messages.error(
            request,
            _("Write up to %(most)d characters; you wrote %(n)d.")
            % {"most": COMMENT_LONGEST, "n": len(text)},
        )
    else:
        comment(entry, text, by=request.user, at=timezone.now())
        messages.success(request, _("Your comment is in the ledger, beside the entry."))
    return redirect(reverse("console:obligation_account", args=[pk]) + f"#entry-{number}")


SHOWS: dict[str, tuple[str, ...]] = {
    "all": tuple(str(figure) for figure in Figure),
    **{str(figure): (str(figure),) for figure in Figure},
    "came_back": (),
    "waiting_late": (str(Figure.WAITING),),
}


def _shows(row: accounts.Row) -> list[tuple[str, Any, int]]:
    counts = [(figure, words, getattr(row.figures, figure)) for figure, words in FIGURES.items()]
    counts.append(("came_back", _("Came back"), row.figures.came_back))
    return [("all", _("All"), row.figures.owed + row.figures.helped), *(each for each in counts if each[2])]


def _stretches(scope: str, name: str, period: Period, show: str, at: datetime) -> QuerySet[AccountStretch]:
    """Late ones the worst first, others the newest first. What waits late is shown whenever it came."""
    found = AccountStretch.objects.filter(scope=scope, name=name)
    if show == "waiting_late":
        return found.filter(AccountStretch.late_now(at), figure=Figure.WAITING).order_by("due_at", "began")
    found = found.filter(day__range=(period.first, period.last), **_begins(period))
    if show == "came_back":
        return found.filter(came_back=True).order_by("-begin", "-began")
    if show != "all":
        found = found.filter(figure__in=SHOWS[show])
    worst_first = show in {Figure.LATE, Figure.HANDED_LATE}
    return found.order_by("-late", "-began") if worst_first else found.order_by("-begin", "-began")


def _begins(period: Period) -> dict[str, datetime]:
    """The days again, as moments: what the index by time can be asked."""
    midnight = timezone.make_aware(datetime.combine(period.first, datetime.min.time()))
    after = timezone.make_aware(datetime.combine(period.last, datetime.max.time()))
    return {"begin__gte": midnight, "begin__lte": after}


def _with_people(
    request: StaffRequest, listed: list[AccountStretch]
) -> list[tuple[AccountStretch, Conversation | None, Case | None]]:
    """Each with its conversation and its case, for who may read those."""
    conversations: dict[int, Conversation] = {}
    cases: dict[int, Case] = {}
    if any(map(request.user.has_perm, READERS)):
        rows = seen(Conversation.objects.select_related("contact", "address"), request.user)
        conversations = rows.in_bulk([one.conversation for one in listed if one.conversation])
    if request.user.has_perm(roles.CASES):
        theirs = Obligation.objects.filter(pk__in=[one.obligation for one in listed], case__isnull=False)
        of = seen(theirs, request.user)
        cases = {owed.pk: owed.case for owed in of.select_related("case") if owed.case}
    return [(one, conversations.get(one.conversation or 0), cases.get(one.obligation)) for one in listed]


def _may(request: StaffRequest, pk: int) -> None:
    """Raises PermissionDenied for who may not see all and never had it."""
    if not request.user.has_perm(roles.ACCOUNTS) and not accounts.had_it(request.user, pk):
        raise PermissionDenied


def _number(text: str | None) -> int:
    return min(int(text), 10_000) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


def _download(text: str, name: str) -> HttpResponse:
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{safe}.csv")
    return response
