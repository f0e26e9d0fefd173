"""What came of the played year: the product's answers held against a truth that it never saw."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from rasd.desk.models import Case
from rasd.metering import records, tracing
from rasd.metering.made_up_year import House, World
from rasd.metering.models import Adoption, Cycle, Estimate
from rasd.metering.models.estimates import MOST_IN_A_ROW

BELIEVABLE = 6
"""What is more than five times usual is held back; usual is last year's, and a tenth off."""
LITTLE_A_DAY = 1  # unit, below which no bill is a surprise


@dataclass
class Played:
    """What came of it, counted; each list is empty where all is well."""

    cycles: int = 0
    billed: int = 0
    on_estimates: list[float] = field(default_factory=list)
    """Share of the registers, month by month."""
    sent: int = 0
    visits: int = 0
    rollovers: int = 0
    decided: int = 0
    """Photographs and findings that a person decided."""
    third_estimates: list[str] = field(default_factory=list)
    """Where a third estimate in a row has no case."""
    cases: int = 0
    """Third estimates, or later ones, that have one."""
    not_traced: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    """Service points that were billed something else than what passed through the meter."""
    balanced: int = 0
    unbelievable: list[str] = field(default_factory=list)
    """Bills for more than ``BELIEVABLE`` times what passed through the meter in the days that they are for."""
    stand_out: list[str] = field(default_factory=list)
    """Codes of the readers whose record stands out by some sign."""
    invents: str = ""
    """Code of the one who does invent."""

    @property
    def told(self) -> list[str]:
        """What came of it, a line each."""
        first, last = self.on_estimates[0], self.on_estimates[-1]
        return [
            f"{self.cycles} cycles, {self.billed:,} bills; on estimates {first:.0%} in the first month, {last:.0%} in the last",
            f"{self.sent:,} readings sent by customers, {self.visits:,} visits of readers, {self.decided:,} decided by a person",
            f"{self.cases:,} third estimates in a row (nobody could read again), each with a case to see the meter",
            f"{self.rollovers:,} counters went past their highest value",
            f"{self.balanced:,} service points last billed on what the meter showed: the bills come to what passed through it",
            f"{self.invents} invents a third of his round; whose record stands out: {', '.join(self.stand_out) or 'nobody'}",
        ]

    @property
    def faults(self) -> list[str]:
        """What a year must not show, in words; empty where all is well."""
        found = []
        if self.stand_out != [self.invents]:
            found.append(
                f"{self.invents} invents readings, and {', '.join(self.stand_out) or 'nobody'} stands out"
            )
        for what, those in (
            ("a third estimate without a case", self.third_estimates),
            ("not traced to its evidence", self.not_traced),
            ("not billed what passed through the meter", self.unbalanced),
            (f"billed more than {BELIEVABLE} times what passed through the meter", self.unbelievable),
        ):
            if those:
                found.append(f"{len(those)} times {what}, such as {those[0]}")
        return found


def look_back(played: Played, world: World, folder: Path) -> None:
    """Ask the product what it made of the year, and hold it against what was so. ``folder``: where billing's files lie."""
    third = Estimate.objects.filter(in_a_row__gt=MOST_IN_A_ROW).select_related("reading__service_point")
    cases = set(Case.objects.values_list("reference", flat=True))
    played.third_estimates = [str(one.reading.service_point) for one in third if one.case not in cases]
    played.cases = third.count()
    cycles = list(Cycle.objects.order_by("window_opens"))
    standings = records.standings(records.counts_of(cycles))
    played.stand_out = sorted({reader for (reader, _sign), one in standings.items() if one.stands_out})
    played.invents = world.dishonest.code
    for cycle in cycles:
        for traced in tracing.traces(cycle):
            if traced["lacks"]:
                played.not_traced.append(traced["receipt"])
    _balance(played, world, folder)


def _balance(played: Played, world: World, folder: Path) -> None:
    """Where a house was last billed on what its meter showed, the year's bills come to what passed through the meter."""
    billed: dict[str, Decimal] = {}
    houses = {house.point.number: house for house in world.houses}
    for row in _rows(folder):
        change = Decimal(row["use"]) - Decimal(row.get("replaces_use") or 0)
        billed[row["service_point"]] = billed.get(row["service_point"], Decimal(0)) + change
        _believe(played, houses[row["service_point"]], row)
    for house in world.houses:
        last = (
            Adoption.objects.filter(service_point=house.point, superseded_at=None)
            .select_related("reading", "register", "cycle")
            .order_by("-cycle__window_opens")
            .first()
        )
        if last is None or last.reading.value != house.shows(last.reading.taken_at):
            continue
        passed = house.counted(last.reading.taken_at)
        if not house.changes:
            played.rollovers += int(house.began + passed) // 10**house.register.digits
        played.balanced += 1
        if billed.get(house.point.number) != passed:
            played.unbalanced.append(f"{house.point.number}: {billed.get(house.point.number)} for {passed}")


def _believe(played: Played, house: House, row: dict[str, str]) -> None:
    """A bill may be off by what nobody could see; not by a misread first digit."""
    if not row["previous_at"]:
        return
    since, till = (datetime.fromisoformat(row[one]) for one in ("previous_at", "taken_at"))
    passed = max(house.passed(till) - house.passed(since), LITTLE_A_DAY * (till - since).days)
    if float(row["use"]) > BELIEVABLE * passed:
        played.unbelievable.append(f"{row['receipt']}: {row['use']} for {passed:.0f}")


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.glob("billing-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)
