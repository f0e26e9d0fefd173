"""Which visits are spoken of, and what they say together: the tables are asked here, the sums are done in ``measures/``."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    Aggregate,
    Case,
    Count,
    DateField,
    F,
    FloatField,
    Func,
    IntegerField,
    Min,
    Q,
    QuerySet,
    Sum,
    When,
)

from rasd.watch.measures.completion import DONE, Completion, completion
from rasd.watch.measures.effort import Effort
from rasd.watch.measures.funnel import CLEAN_UP, Stage, StepCounted, funnel, key_of
from rasd.watch.measures.funnel import DONE as PASSED
from rasd.watch.measures.league import Place, league
from rasd.watch.measures.rows import PLANNED, Counted, Unpaid
from rasd.watch.measures.spread import QUANTILES, Spread
from rasd.watch.measures.trend import Week, trend, week_of
from rasd.watch.measures.waiting import Waiting, waited
from rasd.watch.measures.week import Cell, week
from rasd.watch.models.plans import Planned, Skip
from rasd.watch.models.probes import Probe, StepPlayed
from rasd.watch.models.tallies import Tally
from rasd.watch.models.targets import JourneyFile, Target
from rasd.watch.verdicts import Verdict

A_DAY = timedelta(days=1)
COUNTING = [each for each in Verdict if each.counts]


class Quantiles(Aggregate):
    """As :class:`Spread`, worked out where the rows are."""

    function = "PERCENTILE_CONT"
    template = f"%(function)s(ARRAY{list(QUANTILES)}) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(FloatField())


class DayThere(Func):
    """The day of a moment in a zone that stands in a column."""

    template = "(%(expressions)s)::date"
    arg_joiner = " AT TIME ZONE "
    output_field = DateField()


@dataclass(frozen=True)
class About:
    """The visits of these days, both included, each in its target's zone; of one target and one journey where they are named."""

    first: date
    last: date
    target: Target | None = None
    journey: str = ""
    """By name: all its wordings."""

    @classmethod
    def weeks(
        cls, many: int, today: date, target: Target | None = None, journey: str = "", first_day: int = 0
    ) -> "About":
        """So many whole weeks; that of ``today`` is the last. ``first_day``: on which they begin (``measures.trend``)."""
        return cls(week_of(today, first_day) - timedelta(weeks=many - 1), today, target, journey)

    # What is concluded

    def completion(self) -> Completion:
        return completion(*self._rows)

    def week(self) -> list[Cell]:
        return week(*(self._rows if self.target else (self.counted("hour"), self.unpaid("hour"))))

    def trend(self, first_day: int = 0) -> list[Week]:
        paid, left = self.counted("day"), self.unpaid("day")
        return trend(paid, left, first=self.first, last=self.last, first_day=first_day)

    def of_each(self, what: str) -> dict[str, Completion]:
        """By name of ``target`` or ``journey``; those of which there is nothing are left out. Journeys of several
        targets are named ``target/journey``."""
        apart = (what,) if what == "target" or self.target else ("target", "journey")
        rows, skips = self._rows
        paid: defaultdict[str, list[Counted]] = defaultdict(list)
        left: defaultdict[str, list[Unpaid]] = defaultdict(list)
        for row in rows:
            paid["/".join(getattr(row, each) for each in apart)].append(row)
        for skip in skips:
            left["/".join(getattr(skip, each) for each in apart)].append(skip)
        return {name: completion(paid[name], left[name]) for name in sorted({*paid, *left})}

    def league(self, what: str) -> list[Place]:
        """Of targets or journeys, as :meth:`of_each`."""
        return league(self.of_each(what))

    def time_to_done(self) -> Waiting:
        """Seconds from the first step. Who gave up is censored; where something else than his patience ended the errand, it would
        never have been done: those visits are not in it, but in :meth:`completion`."""
        return self._waiting("done_after", "gave_up_after")

    def first_answer(self) -> Waiting:
        """Seconds, of each visit's first message in a chat that an answer was waited for."""
        return self._waiting("first_answer", "waited")

    def person(self) -> Waiting:
        """Seconds until a human answered, of each visit that waited for one."""
        return self._waiting("person", "waited_for_person")

    def effort(self) -> Effort:
        """Of the visits in which it was done."""
        columns = {"steps": "taken", "clicks": "clicks", "typed": "typed", "asked_again": "asked_again"}
        done = self._sample().filter(verdict__in=DONE)
        seen = done.aggregate(
            of=Count("*"), **{f"of_{name}": Quantiles(column) for name, column in columns.items()}
        )
        if not seen["of"]:
            return Effort()
        return Effort(**{name: Spread(seen["of"], *seen[f"of_{name}"]) for name in columns})

    def funnel(self, wording: JourneyFile) -> list[Stage]:
        """The steps of this wording of a journey: another wording has other steps."""
        # Tidying up is told apart by its words alone: it begins at a number of its own where another way was tried first.
        place = Case(When(part=CLEAN_UP, then=0), default=F("number"), output_field=IntegerField())
        steps = (
            StepPlayed.objects.filter(probe__in=self._sample().filter(journey=wording))
            .order_by()
            .annotate(place=place)
            .values_list("part", "place", "says", "verb", "outcome", "trouble")
            .annotate(number=Min("number"), visits=Count("*"), at=Quantiles("seconds"))
        )
        rows, seconds = [], {}
        for part, _place, says, verb, outcome, trouble, number, visits, at in steps:
            rows.append(StepCounted(part, number, says, verb, outcome, trouble, visits))
            if outcome == PASSED:
                seconds[key_of(part, number, says)] = Spread(visits, *at)
        return funnel(rows, seconds)

    # What it is concluded from

    @cached_property
    def _rows(self) -> tuple[list[Counted], list[Unpaid]]:
        """Asked for once, as a page draws several conclusions from the same visits. A number is of the moment of the first."""
        apart = ("target", "journey", "hour") if self.target else ("target", "journey")
        return self.counted(*apart), self.unpaid(*apart)

    def counted(self, *apart: str) -> list[Counted]:
        """Visits by verdict and why, and told apart by ``target``, ``journey``, ``hour`` or ``day``."""
        names = {"target": "target_id", "journey": "journey_id"}
        fields = ["verdict", "why", *(names.get(each, each) for each in apart)]
        if "hour" in apart:
            rows = self.probes().order_by().values_list(*fields).annotate(visits=Count("*"))
        else:
            rows = self._chosen(Tally.objects.all()).values_list(*fields).annotate(visits=Sum("visits"))
        return [
            Counted(verdict=Verdict(verdict), why=why, visits=visits, **more)
            for (verdict, why, *_), visits, more in self._named(rows, 2, apart)
        ]

    def unpaid(self, *apart: str) -> list[Unpaid]:
        """Skips by reason, and told apart likewise."""
        names = {"target": "visit__target_id", "journey": "visit__journey", "hour": "visit__hour"}
        fields = ["reason", *(names.get(each, each) for each in apart)]
        rows = self.skips().order_by().values_list(*fields).annotate(visits=Count("*"))
        return [
            Unpaid(reason=reason, visits=visits, **more)
            for (reason, *_), visits, more in self._named(rows, 1, apart, journeys={})
        ]

    def probes(self) -> QuerySet[Probe]:
        """All of them, whyever they were made."""
        return self._chosen(Probe.objects.all())

    def _chosen(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        # Every target by its key, where none is named: the index begins with it, and is not read from end to end.
        targets = [self.target] if self.target else list(Target.objects.order_by().only("pk"))
        chosen = rows.filter(target__in=targets, day__gte=self.first, day__lte=self.last)
        if self.journey:
            chosen = chosen.filter(journey__in=list(self._wordings().values_list("pk", flat=True)))
        return chosen

    def skips(self) -> QuerySet[Skip]:
        """Each with its ``day``."""
        skips = self._on_these_days(Skip.objects.all(), "visit__")
        return skips.filter(visit__journey=self.journey) if self.journey else skips

    def settled(self) -> QuerySet[Planned]:
        """Planned visits that were paid or skipped. Of all others nobody may know (G13)."""
        visits = self._on_these_days(Planned.objects.exclude(probe=None, skip=None))
        return visits.filter(journey=self.journey) if self.journey else visits

    def _on_these_days(self, rows: QuerySet[Any], visit: str = "") -> QuerySet[Any]:
        """Each with its ``day`` in its target's zone. ``visit``: the way from a row to its visit."""
        targets = [self.target] if self.target else Target.objects.order_by()
        of_zone: defaultdict[str, list[Target]] = defaultdict(list)
        for target in targets:
            of_zone[target.zone].append(target)
        theirs = [
            Q(
                **{
                    f"{visit}target__in": some,
                    f"{visit}due_at__gte": datetime.combine(self.first, time(), ZoneInfo(zone)),
                    f"{visit}due_at__lt": datetime.combine(self.last + A_DAY, time(), ZoneInfo(zone)),
                }
            )
            for zone, some in of_zone.items()
        ]
        if not theirs:
            return rows.none()
        day = DayThere(F(f"{visit}due_at"), F(f"{visit}target__zone"))
        return rows.filter(reduce(or_, theirs)).annotate(day=day)

    def _sample(self) -> QuerySet[Probe]:
        """What makes a share (``measures.rows.sample``)."""
        return self.probes().filter(why=PLANNED, verdict__in=COUNTING).order_by()

    def _wordings(self) -> QuerySet[JourneyFile]:
        wordings = JourneyFile.objects.order_by()
        if self.target:
            wordings = wordings.filter(target=self.target)
        return wordings.filter(name=self.journey) if self.journey else wordings

    def _named(
        self, rows: Iterable[Any], before: int, apart: tuple[str, ...], journeys: dict[int, str] | None = None
    ) -> Iterable[tuple[Any, int, dict[str, Any]]]:
        """Each row, its count, and what it is told apart by, with names for keys."""
        names: dict[str, dict[int, str]] = {}
        if "target" in apart:
            names["target"] = dict(Target.objects.values_list("pk", "name"))
        if "journey" in apart:
            names["journey"] = (
                dict(self._wordings().values_list("pk", "name")) if journeys is None else journeys
            )
        for *row, visits in rows:
            told = zip(apart, row[before:], strict=True)
            yield row, visits, {key: names.get(key, {}).get(value, value) for key, value in told}

    def _waiting(self, happened: str, in_vain: str) -> Waiting:
        def of(column: str) -> ArrayAgg:
            return ArrayAgg(column, filter=Q(**{f"{column}__isnull": False}), default=[])

        # Two arrays and not a row each: of a year there are tens of thousands.
        seen = self._sample().aggregate(happened=of(happened), in_vain=of(in_vain))
        return waited(seen["happened"], seen["in_vain"])
