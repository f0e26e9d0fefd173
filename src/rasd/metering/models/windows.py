"""The days in which the customers of one district read, where they are not the whole cycle's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import connection, models, transaction
from django.db.models.functions import Coalesce

from rasd.ledger.models import record

if TYPE_CHECKING:
    from rasd.metering.models.cycles import Cycle
    from rasd.metering.models.reference import ServicePoint

Days = tuple[date, date]
"""First and last day of a window, both included, by the utility's calendar."""


class DistrictWindow(models.Model):
    """The days in which the customers of one district read, where they are not the cycle's."""

    cycle = models.ForeignKey("metering.Cycle", models.CASCADE, related_name="district_windows")
    district = models.CharField(max_length=100)
    opens = models.DateField(help_text="first day, in the utility's time zone")
    closes = models.DateField(help_text="last day, included")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cycle", "district"], name="one_window_a_district"),
            models.CheckConstraint(
                condition=models.Q(closes__gte=models.F("opens")),
                name="district_window_closes_after_it_opens",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle} {self.district}"


@dataclass(frozen=True)
class Fault:
    """Why a district's window cannot be. code: ``upside_down``, ``shared`` (with ``other``, a cycle's name), ``unknown``."""

    district: str
    code: str
    other: str = ""

    def __str__(self) -> str:
        told = {
            "upside_down": f"the window of {self.district} closes before it opens; exchange the two days",
            "shared": f"the window of {self.district} shares a day with that of cycle {self.other}; choose other days",
            "unknown": f"no service point is in a district {self.district!r}; write it as the service points have it",
        }
        return told[self.code]


class FaultyWindows(ValueError):
    """``faults``: what is wrong, a :class:`Fault` each."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("windows: " + "; ".join(map(str, faults)))


def with_days(point: ServicePoint | None) -> models.QuerySet[Any]:
    """Every cycle with ``opens`` and ``closes``: the window of ``point``'s district, or the cycle's own."""
    from rasd.metering.models.cycles import Cycle

    own = DistrictWindow.objects.filter(
        cycle=models.OuterRef("pk"), district=point.district if point else None
    )
    return Cycle.objects.annotate(
        opens=Coalesce(models.Subquery(own.values("opens")), "window_opens"),
        closes=Coalesce(models.Subquery(own.values("closes")), "window_closes"),
    )


def days_of(cycle: Cycle, point: ServicePoint | None) -> Days:
    """See :meth:`Cycle.days_of`."""
    found: Days = with_days(point).values_list("opens", "closes").get(pk=cycle.pk)
    return found


def districts() -> list[str]:
    """Where service points are, by name."""
    from rasd.metering.models.reference import ServicePoint

    found = ServicePoint.objects.exclude(district="").order_by("district")
    return list(found.values_list("district", flat=True).distinct())


def put(cycle: Cycle, windows: Mapping[str, Days], *, at: datetime, actor: str) -> None:
    """See :meth:`Cycle.put_windows`."""
    from rasd.metering.models.cycles import Cycle

    windows = {
        district: days
        for district, days in windows.items()
        if days != (cycle.window_opens, cycle.window_closes)
    }
    with transaction.atomic():
        with connection.cursor() as cursor:  # as Cycle.open: nobody opens a round or moves a window meanwhile
            cursor.execute("LOCK TABLE metering_cycle IN SHARE ROW EXCLUSIVE MODE")
        if Cycle.objects.get(pk=cycle.pk).closed_at is not None:
            raise ValueError(f"cycle: {cycle} is closed; its windows stay as they were")
        kept = cycle.district_windows.order_by("district")
        before = {one.district: (one.opens, one.closes) for one in kept}
        if before == windows:
            return
        if faults := _faults(cycle, windows):
            raise FaultyWindows(faults)
        kept.delete()
        DistrictWindow.objects.bulk_create(
            DistrictWindow(cycle=cycle, district=district, opens=opens, closes=closes)
            for district, (opens, closes) in sorted(windows.items())
        )
        facts = {
            "from": {each: list(before[each]) for each in sorted(before)},
            "to": {each: list(windows[each]) for each in sorted(windows)},
        }
        record(actor, "cycle.windows", f"cycle:{cycle.name}", at=at, facts=facts)


def _faults(cycle: Cycle, windows: Mapping[str, Days]) -> list[Fault]:
    there = set(districts())
    faults = [Fault(each, "unknown") for each in sorted(set(windows) - there)]
    faults += [
        Fault(each, "upside_down") for each, (opens, closes) in sorted(windows.items()) if closes < opens
    ]
    return faults + shared(cycle, windows)


def shared(cycle: Cycle, windows: Mapping[str, Days]) -> list[Fault]:
    """A moment counts for one cycle (G1), so within a district no two cycles' windows share a day."""
    from rasd.metering.models.cycles import Cycle

    others = list(Cycle.objects.exclude(pk=cycle.pk))
    own = {
        (one.cycle_id, one.district): (one.opens, one.closes)
        for one in DistrictWindow.objects.exclude(cycle=cycle.pk)
    }
    concerned = set(windows) | {district for _cycle, district in own}
    faults = []
    for district in sorted(concerned):
        opens, closes = windows.get(district, (cycle.window_opens, cycle.window_closes))
        for other in others:
            first, last = own.get((other.pk, district), (other.window_opens, other.window_closes))
            if first <= closes and last >= opens:
                faults.append(Fault(district, "shared", other.name))
                break
    return faults
