"""Where everything stands that is owed, and moving it: to a person, or to a queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models.lookups import IsNull
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles, staffing
from rasd.console.access import StaffRequest, page
from rasd.desk.errors import NotOnShift, NotTheirLine
from rasd.desk.models import Employee, Obligation, Queue
from rasd.desk.sight import not_seeing
from rasd.ledger.models import actor_of

ON_A_PAGE = 100
UNDO_WITHIN = timedelta(seconds=30)
MOVED = "moved_work"  # of the session: what was moved last, for as long as that can be taken back
STATES = ("all", "late", "running", "paused", "queue")


@page(roles.TEAM)
@never_cache
def work(request: StaffRequest) -> HttpResponse:
    """What is owed now, soonest due first. ``?queue=`` and ``?owner=`` (ids), ``?state=`` one of ``STATES``."""
    now = timezone.now()
    chosen = Chosen.of(request)
    rows = chosen.rows(now)
    leaf = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    moved = _last_moved(request, now)
    context: dict[str, Any] = {
        "here": "team_work",
        "tab": "work",
        "now": now,
        "leaf": leaf,
        "chosen": chosen,
        "states": chosen.states(now),
        "queues": chosen.facets("queue", "queue__name", now),
        "owners": chosen.owners(now),
        "people": _receivers(leaf.object_list, now),
        "all_queues": Queue.objects.order_by("name"),
        "moved": len(moved["rows"]) if moved else 0,
        "undo_for": _seconds_left(moved, now) if moved else 0,
        "can_converse": request.user.has_perm(roles.CONVERSATIONS),
    }
    return render(request, "console/team_work.html", context)


def _receivers(rows: Iterable[Obligation], now: datetime) -> list[staffing.Person]:
    """Everybody who works here and sees any of what is shown."""
    shown = Obligation.objects.filter(pk__in=[one.pk for one in rows])
    found = shown.values_list("conversation__line", "case__conversation__line")
    lines = {own or of_case for own, of_case in found}
    away = set() if None in lines else not_seeing(lines)
    return [each for each in staffing.people(now) if not each.has_left and each.employee.user_id not in away]


@page(roles.TEAM)
@require_POST
def move(request: StaffRequest) -> HttpResponse:
    """``what``: ids of obligations; ``to``: ``person:ID`` or ``queue:ID``; ``why``."""
    now = timezone.now()
    ids = [int(each) for each in request.POST.getlist("what") if each.isdecimal() and len(each) < 19]
    kind, _colon, number = request.POST.get("to", "").partition(":")
    back_to = reverse("console:team_work") + ("?" + request.GET.urlencode() if request.GET else "")
    number = number if number.isdecimal() and len(number) < 10 else "0"
    where: Employee | Queue | None = None
    if kind == "person":
        where = Employee.objects.filter(user_id=number).first()
    elif kind == "queue":
        where = Queue.objects.filter(pk=number).first()
    if not ids or where is None:
        messages.error(request, _("Tick what is to be moved, and choose where to."))
        return redirect(back_to)
    try:
        moved = _move(ids, where, by=request.user, at=now, why=request.POST.get("why", "")[:300])
    except (NotOnShift, NotTheirLine) as error:
        messages.error(request, str(error))
        return redirect(back_to)
    if moved:
        request.session[MOVED] = {"at": now.isoformat(), "rows": moved}
    else:
        messages.warning(request, _("Nothing was moved: it is there already, or not owed any more."))
    return redirect(back_to)


@page(roles.TEAM)
@require_POST
def undo(request: StaffRequest) -> HttpResponse:
    """What was moved last goes back to where it was, with the time that it had."""
    now = timezone.now()
    moved = _last_moved(request, now)
    request.session.pop(MOVED, None)
    if moved is None:
        messages.warning(request, _("That cannot be taken back any more. Move it anew instead."))
        return redirect("console:team_work")
    back = 0
    for row in moved["rows"]:
        if one := Obligation.objects.open().filter(pk=row["pk"]).first():
            one.put_back(row["place"], at=now, actor=actor_of(request.user))
            back += 1
    messages.success(request, ngettext("%(n)d taken back.", "%(n)d taken back.", back) % {"n": back})
    return redirect("console:team_work")


def _move(
    ids: list[int], where: Employee | Queue, *, by: User, at: datetime, why: str
) -> list[dict[str, Any]]:
    """Those that were moved, each as it was before. Each in a transaction of its own: see :meth:`Obligation.hold`.

    Raises:
        NotOnShift, NotTheirLine: before anything is moved, where an employee is not there now, or does not see all of it.
    """
    if isinstance(where, Employee):
        where.shift_end(at)
        for each in Obligation.objects.open().filter(pk__in=ids):
            each.must_be_seen_by(where.user)
    actor, moved = actor_of(by), []
    for pk in ids:
        with transaction.atomic():
            one = Obligation.hold(pk)
            if one is None or one.discharged_at:
                continue
            if isinstance(where, Employee):
                queue, owner = None, where.user
            else:
                queue, owner = (None if one.queue == where else where), None
            if owner == one.owner and queue is None:
                continue
            before = [{"pk": each.pk, "place": each.place} for each in _together(one)]
            one.hand_on(queue, owner=owner, at=at, actor=actor, why=why)
            moved += before
    return moved


def _together(one: Obligation) -> list[Obligation]:
    """With a case's work goes the answer that is owed on its page."""
    beside = one.case.answer_owed if one.case and one.kind == Obligation.Kind.WORK else None
    return [one, beside] if beside else [one]


def _last_moved(request: StaffRequest, now: datetime) -> dict[str, Any] | None:
    """What this person moved last, while it can be taken back."""
    moved: dict[str, Any] | None = request.session.get(MOVED)
    return moved if moved and _seconds_left(moved, now) > 0 else None


def _seconds_left(moved: dict[str, Any], now: datetime) -> int:
    at = parse_datetime(moved["at"])
    return int((at + UNDO_WITHIN - now).total_seconds()) if at else 0


@dataclass(frozen=True)
class Facet:
    """Something to choose, with how much of what is owed it holds."""

    words: str
    query: str
    open: int
    late: int
    is_chosen: bool


@dataclass(frozen=True)
class Chosen:
    """Which part of what is owed is looked at."""

    queue: int | None
    owner: int | None
    state: str

    @classmethod
    def of(cls, request: StaffRequest) -> "Chosen":
        state = request.GET.get("state", "all")
        return cls(
            _id(request.GET.get("queue")), _id(request.GET.get("owner")), state if state in STATES else "all"
        )

    def rows(self, now: datetime) -> QuerySet[Obligation]:
        return (
            self._in(self.state, now, Obligation.objects.filter(self._of(), discharged_at=None))
            .select_related(
                "queue", "owner", "message", "case", "conversation__contact", "conversation__address"
            )
            .order_by(IsNull(F("running_since"), True), "due_at", "pk")
        )

    def states(self, now: datetime) -> list[Facet]:
        words = {
            "all": _("All"),
            "late": _("Late"),
            "running": _("Clock running"),
            "paused": _("Clock standing still"),
            "queue": _("Nobody's yet"),
        }
        owed = Obligation.objects.filter(self._of(), discharged_at=None)
        totals = owed.aggregate(**staffing.counts(now), queue=Count("pk", filter=Q(owner=None)))
        n = {
            "all": totals["open"],
            "late": totals["late"],
            "running": totals["open"] - totals["paused"],
            "paused": totals["paused"],
            "queue": totals["queue"],
        }
        return [Facet(words[each], self.query(state=each), n[each], 0, self.state == each) for each in STATES]

    def facets(self, field: str, name: str, now: datetime) -> list[Facet]:
        """The queues in which something is owed."""
        rows = Obligation.objects.filter(discharged_at=None).order_by(name).values(field, name)
        return [
            Facet(
                row[name],
                self.query(**{field: None if getattr(self, field) == row[field] else row[field]}),
                row["open"],
                row["late"],
                getattr(self, field) == row[field],
            )
            for row in rows.annotate(**staffing.counts(now))
        ]

    def owners(self, now: datetime) -> list[Facet]:
        """The people who owe something, by name."""
        held = staffing.held_by_owner(now)
        users = User.objects.filter(pk__in=held).order_by("first_name", "username")
        return [
            Facet(
                str(user.get_full_name() or user.get_username()),
                self.query(owner=None if self.owner == user.pk else user.pk),
                held[user.pk].open,
                held[user.pk].late,
                self.owner == user.pk,
            )
            for user in users
        ]

    def query(self, **other: Any) -> str:
        """The address of this, with something else chosen."""
        asked = {"queue": self.queue, "owner": self.owner, "state": self.state} | other
        return "?" + urlencode(
            {name: value for name, value in asked.items() if value is not None and value != "all"}
        )

    @property
    def here(self) -> str:
        return self.query()

    def _of(self) -> Q:
        return Q(**{name: getattr(self, name) for name in ("queue", "owner") if getattr(self, name)})

    @staticmethod
    def _in(state: str, now: datetime, rows: QuerySet[Obligation]) -> QuerySet[Obligation]:
        match state:
            case "late":
                return rows.filter(running_since__isnull=False, due_at__lt=now)
            case "running":
                return rows.filter(running_since__isnull=False)
            case "paused":
                return rows.filter(running_since=None)
            case "queue":
                return rows.filter(owner=None)
        return rows


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None
