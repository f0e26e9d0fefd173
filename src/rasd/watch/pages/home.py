"""The first page: how each service is, at a glance."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from rasd.watch.measures.completion import Completion, completion
from rasd.watch.models import About, Alert, Maintenance, Plan, Probe, Target

WEEKS = 4
STRIP = 20  # visits
AHEAD_OF_UTC = timedelta(hours=14)  # the first place on earth where a day begins


@dataclass(frozen=True)
class Card:
    target: Target
    completion: Completion
    """Of the last four weeks."""
    strip: list[Probe]
    """The latest visits, the oldest first."""
    alerts: list[Alert]
    maintenance: Maintenance | None
    is_planned: bool
    journey: str
    """The name of one of its journeys; empty where it has none."""


def home(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    cards = [*cards_at(now)]
    return render(request, "watch/home.html", {"here": "home", "cards": cards, "weeks": WEEKS, "now": now})


def cards_at(now: datetime) -> list[Card]:
    """Those with an open alert first; else by name."""
    today = (now + AHEAD_OF_UTC).date()
    shares = About(today - timedelta(weeks=WEEKS), today).of_each("target")
    open_ones = list(Alert.objects.filter(closed_at=None).prefetch_related("acknowledgements"))
    planned = set(Plan.objects.filter(ends_at__gt=now).values_list("target_id", flat=True))
    targets = list(Target.objects.filter(gone_at=None).prefetch_related("journeys"))
    strips = Probe.objects.last_of_each(targets, STRIP)
    maintained = set(
        Maintenance.objects.filter(begins_at__lte=now, ends_at__gt=now).values_list("target_id", flat=True)
    )
    cards = []
    for target in targets:
        in_force = [each.name for each in target.journeys.all() if each.gone_at is None]
        cards.append(
            Card(
                target=target,
                completion=shares.get(target.name) or completion([]),
                strip=strips.get(target.pk, []),
                alerts=[each for each in open_ones if each.target_id == target.pk],
                maintenance=Maintenance.objects.covering(target, now).first()
                if target.pk in maintained
                else None,
                is_planned=target.pk in planned,
                journey=in_force[0] if in_force else "",
            )
        )
    return sorted(cards, key=lambda card: not card.alerts)


def latest(target: Target, many: int) -> list[Probe]:
    """The oldest first."""
    return Probe.objects.last_of_each([target], many).get(target.pk, [])
