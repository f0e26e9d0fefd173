"""What everybody may see: how the services that are public do, in words and days. No login, no addresses of evidence.

A service is never "up" because a page came: what is told is the share of errands that were done, and of how many.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control

from rasd.watch.measures.completion import DONE, Share, share
from rasd.watch.measures.rows import PLANNED, sample
from rasd.watch.models import About, Alert, Maintenance, Probe, Target
from rasd.watch.pages import words
from rasd.watch.verdicts import Verdict

DAYS = 90
LAST = timedelta(hours=24)
REMEMBERED = 60  # seconds
OF_THE_SERVICE = (Alert.Window.FAST, Alert.Window.SLOW)
"""Alerts that are incidents. The others are of the watch, or of a wall before it."""


@dataclass(frozen=True)
class Service:
    title: str
    name: str
    zone: str
    state: str
    """Of ``pages.words.STATES``."""
    now: Share
    """Of the last 24 hours."""
    days: list[tuple[date, Share]]
    """In the target's zone, the oldest first."""
    incidents: Sequence[Mapping[str, Any]] = field(default_factory=list)
    maintenances: Sequence[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Status:
    made_at: datetime
    services: list[Service]
    seal: str
    """The digest of the last visit that ended before :attr:`sealed_until`: who keeps it sees whether the record was cut off or
    made anew since. Once a day: so it tells nobody that the watch was just there. Empty: there was no visit yet."""

    @property
    def sealed_until(self) -> datetime:
        """The last midnight in UTC."""
        return self.made_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def status_at(now: datetime) -> Status:
    services = [_service(target, now) for target in Target.objects.filter(public=True, gone_at=None)]
    status = Status(now, services, seal="")
    sealed = Probe.objects.filter(ended_at__lt=status.sealed_until).order_by("-pk")
    return replace(status, seal=sealed.values_list("digest", flat=True).first() or "")


def _service(target: Target, now: datetime) -> Service:
    today = now.astimezone(ZoneInfo(target.zone)).date()
    since = now - timedelta(days=DAYS)
    lately = _share_since(target, now - LAST)
    alerts = Alert.objects.filter(target=target, window__in=OF_THE_SERVICE).filter(
        Q(closed_at=None) | Q(closed_at__gt=since)
    )
    announced = Maintenance.objects.filter(
        Q(withdrawn_at=None) | Q(withdrawn_at__gt=now), target=target, ends_at__gt=since
    )
    return Service(
        title=target.title,
        name=target.name,
        zone=target.zone,
        state=_state(target, lately, now),
        now=lately,
        days=_days(target, today),
        incidents=list(alerts.order_by("-opened_at").values("pk", "window", "opened_at", "closed_at")),
        maintenances=list(
            announced.order_by("-begins_at").values("pk", "begins_at", "ends_at", "words", "announced_at")
        ),
    )


def _share_since(target: Target, since: datetime) -> Share:
    verdicts = list(
        Probe.objects.filter(target=target, began_at__gte=since, why=PLANNED)
        .order_by()
        .values_list("verdict", flat=True)
    )
    counted = [Verdict(each) for each in verdicts if Verdict(each).counts]
    return share(sum(each in DONE for each in counted), len(counted))


def _state(target: Target, lately: Share, now: datetime) -> str:
    if Maintenance.objects.covering(target, now).exists():
        return "maintenance"
    if target.alerts.filter(closed_at=None, window__in=OF_THE_SERVICE).exists():
        return "trouble"
    if not lately.of:
        return "unknown"
    return "well" if lately.done == lately.of else "some"


def _days(target: Target, today: date) -> list[tuple[date, Share]]:
    first = today - timedelta(days=DAYS - 1)
    done: defaultdict[date, int] = defaultdict(int)
    of: defaultdict[date, int] = defaultdict(int)
    for row in sample(About(first, today, target).counted("day")):
        of[row.day] += row.visits
        done[row.day] += row.visits if row.verdict in DONE else 0
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return [(day, share(done[day], of[day])) for day in days]


def remembered() -> Status:
    """At most a minute old: whoever asks often costs nothing."""
    found = cache.get("watch:status")
    if found is None:
        cache.set("watch:status", found := status_at(timezone.now()), REMEMBERED)
    return found


@login_not_required
def status(request: HttpRequest) -> HttpResponse:
    return render(request, "watch/status.html", {"here": "status", "status": remembered(), "days": DAYS})


@login_not_required
@cache_control(public=True, max_age=REMEMBERED)
def as_json(request: HttpRequest) -> HttpResponse:
    it = remembered()
    return JsonResponse(
        {
            "made_at": it.made_at,
            "record": {"until": it.sealed_until, "head": it.seal},
            "services": [
                {
                    "name": each.name,
                    "title": each.title,
                    "zone": each.zone,
                    "state": each.state,
                    "last_24_hours": _plain(each.now),
                    "days": [{"day": day} | _plain(its) for day, its in each.days],
                    "incidents": [
                        {key: one[key] for key in ("window", "opened_at", "closed_at")}
                        for one in each.incidents
                    ],
                    "maintenance": [
                        {key: one[key] for key in ("begins_at", "ends_at", "words")}
                        for one in each.maintenances
                    ],
                }
                for each in it.services
            ],
        },
        json_dumps_params={"ensure_ascii": False},
    )


def _plain(its: Share) -> dict[str, Any]:
    """``low`` to ``high``: Wilson's 95 % interval."""
    return {"done": its.done, "of": its.of, "low": round(its.low, 4), "high": round(its.high, 4)}


@login_not_required
@cache_control(max_age=REMEMBERED)
def feed(request: HttpRequest) -> HttpResponse:
    """Incidents and announced maintenance, as Atom."""
    it = remembered()
    page = request.build_absolute_uri(reverse("watch:status"))
    atom = Atom1Feed(
        title=_("Services under watch"),
        link=page,
        description="",
        language=request.LANGUAGE_CODE,
        feed_url=request.build_absolute_uri(),
    )
    for when, entry in sorted(_entries(it, page), key=lambda each: each[0], reverse=True):
        atom.add_item(pubdate=when, updateddate=when, **entry)
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


def _entries(it: Status, page: str) -> list[tuple[datetime, dict[str, Any]]]:
    entries = []
    if it.seal:
        sealed = _("The record's seal: %(seal)s") % {"seal": it.seal}
        identity = f"{page}#seal-{it.sealed_until:%Y-%m-%d}"
        entries.append((it.sealed_until, _entry(identity, f"{page}#seal", sealed, "")))
    for service in it.services:
        link = f"{page}#{service.name}"
        for each in service.incidents:
            title = _("%(service)s: %(what)s") % {
                "service": service.title,
                "what": words.WINDOWS[each["window"]],
            }
            if each["closed_at"]:
                over = _("%(service)s: errands are done again") % {"service": service.title}
                entries.append((each["closed_at"], _entry(f"{link}-{each['pk']}-over", link, over, "")))
            entries.append((each["opened_at"], _entry(f"{link}-{each['pk']}", link, title, "")))
        for each in service.maintenances:
            title = _("%(service)s: announced maintenance") % {"service": service.title}
            until = (
                f"{each['begins_at']:%Y-%m-%d %H:%M}–{each['ends_at']:%Y-%m-%d %H:%M} UTC. {each['words']}"
            )
            entries.append((each["announced_at"], _entry(f"{link}-m{each['pk']}", link, title, until)))
    return entries


def _entry(identity: str, link: str, title: str, description: str) -> dict[str, Any]:
    return {"title": title, "link": link, "description": description, "unique_id": identity}
