"""When the watch comes: drawn in advance from a committed seed, published afterwards (G14)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q

from rasd.watch.models.targets import JourneyFile, Target
from rasd.watch.models.visits import OPEN, Claim, Planned, Skip, Visits, Watcher
from rasd.watch.schedule.audit import Publication, Published
from rasd.watch.schedule.drawing import DRAW, GAP, GRACE, MOST_PASSED_OVER, Drawing, Inputs, draw
from rasd.watch.schedule.hours import as_time, next_hour, offsets_of
from rasd.watch.schedule.sealing import commitment_of, new_seed, sealed
from rasd.watch.schedule.stream import Ints, Stream

__all__ = ["Claim", "Plan", "Planned", "Skip", "Visits", "Watcher"]

AHEAD = timedelta(days=8)
"""Before a plan ends the next one is made and committed to."""
ERRAND = 180
"""Seconds that a visit to another target may last: closer than that no two are drawn, where there is room."""
CROWDED = 0.5
"""The share of a target's visits that come too close to others': from here on it takes more watchers, not another draw."""


class Plans(models.QuerySet["Plan"]):
    def in_force(self, now: datetime) -> "Plans":
        """Those that are under way or still to come."""
        return self.filter(closed_at=None, ends_at__gt=now)

    def keep_ahead(
        self, now: datetime, weeks: int, seed: Callable[[], str] = new_seed, at_most: int = 200
    ) -> "list[Plan]":
        """Makes what is missing for the days ahead, and gives it. Where ``watch.yaml`` (or the zone's clock) is not what a plan
        was drawn for, that plan ends with this hour, and the rest is planned anew under a new commitment.

        ``weeks``: N. ``seed``: draws 256 bits. ``at_most``: targets at a time, so that visits are not
        kept waiting.
        """
        made: list[Plan] = []
        standing: dict[int, list[Plan]] = {}
        for plan in self.in_force(now):
            standing.setdefault(plan.target_id, []).append(plan)
        for target in Target.objects.filter(pk__in=standing).exclude(gone_at=None):
            target.plans.close(target, now, f"{target.name} left watch.yaml", Skip.Reason.GONE)
        others: Others | None = None
        journeys = _journeys()
        for target in Target.objects.in_force():
            terms = _terms(target, weeks, journeys.get(target.pk, ()))
            plans = standing.get(target.pk, [])
            if not terms["journeys"] or (
                plans and plans[-1].ends_at >= now + AHEAD and all(each.holds(terms) for each in plans)
            ):
                continue
            others = others or Others(now)
            made += target.plans.make(target, now, terms, seed, others)
            at_most -= 1
            if not at_most:
                break
        return made

    @transaction.atomic
    def make(
        self, target: Target, now: datetime, terms: dict[str, Any], seed: Callable[[], str], others: "Others"
    ) -> "list[Plan]":
        """Of one target, of whose plans this is the set."""
        Target.objects.select_for_update().get(pk=target.pk)  # another watcher may be about the same
        if why := next((why for plan in self.in_force(now) if (why := plan.differs(terms))), ""):
            self.close(target, now, why, Skip.Reason.REPLANNED)
        made: list[Plan] = []
        last: Plan | None = self.filter(ends_at__gt=F("begins_at")).order_by("ends_at").last()
        begins = max(int(last.ends_at.timestamp()) if last else 0, next_hour(target.zone, now))
        while as_time(begins) < now + AHEAD:
            plan = Plan.drawn(target, now, begins, terms, seed, last, others)
            begins, last = int(plan.ends_at.timestamp()), plan
            made.append(plan)
        return made

    @transaction.atomic
    def close(self, target: Target, now: datetime, because: str, reason: Skip.Reason) -> None:
        """Ends what stands of one target's plans with this hour. Each visit that is not paid for that is skipped, and says so."""
        at = as_time(next_hour(target.zone, now))
        for plan in self.select_for_update().filter(closed_at=None, ends_at__gt=at):
            plan.ends_at = max(plan.begins_at, at)
            plan.closed_at, plan.closed_because = now, because[:500]
            plan.save(update_fields=["ends_at", "closed_at", "closed_because"])
            left = plan.visits.select_for_update(of=("self",)).filter(OPEN, due_at__gte=plan.ends_at)
            Skip.objects.bulk_create(Skip(visit=each, reason=reason, noticed_at=now) for each in left)

    def reveal(self, now: datetime) -> int:
        """Publishes the seeds of those that are over, each visit paid or skipped. How many."""
        unsettled = Planned.objects.filter(plan=OuterRef("pk"), skip=None, probe=None)
        never_began = Q(closed_at__isnull=False, ends_at=F("begins_at"))
        over = self.filter(never_began | Q(ends_at__lte=now), revealed_at=None)
        return over.exclude(Exists(unsettled)).update(revealed_at=now)

    def published(self, target: Target, now: datetime) -> Publication:
        """All of one target, as anyone may have it: of those that are not revealed nothing that is still to come."""
        plans = self.filter(target=target).order_by("begins_at", "committed_at")
        return Publication(
            target=target.name,
            zone=target.zone,
            made_at=now,
            plans=tuple(plan.published() for plan in plans),
        )


class Plan(models.Model):
    """The visits to one target over some weeks, all of them drawn from one seed (G14; docs/watch-schedule.md).

    ``commitment`` (SHA-256 of the seed and the inputs) is public from ``committed_at`` on, which is before the first visit; seed
    and inputs are public from ``revealed_at`` on, after the last. Whoever has them draws the same visits again.
    """

    target = models.ForeignKey(Target, models.PROTECT, related_name="plans")
    begins_at = models.DateTimeField(help_text="the beginning of an hour in the target's zone")
    ends_at = models.DateTimeField(help_text="exclusive; earlier than drawn where a change closed it")
    weeks = models.PositiveSmallIntegerField(
        help_text="N: each of the week's 168 hours is visited at least once in them"
    )
    inputs = models.JSONField(
        help_text="all that the drawing was made from, besides the seed; secret like it"
    )
    seed = models.CharField(max_length=64, help_text="hexadecimal, 256 bits; secret until revealed")
    commitment = models.CharField(max_length=64)
    committed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, help_text="when a change of watch.yaml ended it early")
    closed_because = models.CharField(max_length=500, blank=True)
    revealed_at = models.DateTimeField(null=True)

    objects = Plans.as_manager()

    class Meta:
        ordering = ["begins_at", "target_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "begins_at"],
                condition=Q(closed_at=None),
                name="one_plan_of_a_target_at_a_time",
            )
        ]

    @classmethod
    def drawn(
        cls,
        target: Target,
        now: datetime,
        begins: int,
        terms: dict[str, Any],
        new: Callable[[], str],
        before: "Plan | None",
        others: "Others",
    ) -> "Plan":
        """A new plan with its visits, committed to ``now``. ``begins``: Unix seconds. ``new``: draws 256 bits.
        ``before``: the plan that it follows."""
        inputs = Inputs(
            draw=DRAW,
            target=target.name,
            offsets=offsets_of(terms["zone"], begins, terms["weeks"]),
            **terms,
            **_rotation(before, terms, new),
        )
        seed = new()
        inputs, drawing = others.apart(target, seed, inputs)
        plain = inputs.model_dump(mode="json")
        plan = cls.objects.create(
            target=target,
            begins_at=as_time(inputs.begins),
            ends_at=as_time(inputs.ends),
            weeks=inputs.weeks,
            inputs=plain,
            seed=seed,
            commitment=commitment_of(seed, sealed(plain)),
            committed_at=now,
        )
        until = np.maximum(drawing.until, drawing.due + GRACE)
        Planned.objects.bulk_create(
            Planned(
                plan=plan,
                target=target,
                journey=inputs.journeys[which],
                due_at=as_time(due),
                until=as_time(last),
                hour=hour,
            )
            for due, last, hour, which in zip(
                drawing.due.tolist(), until.tolist(), drawing.hour.tolist(), drawing.journey.tolist(), strict=True
            )
        )  # fmt: skip
        return plan

    def chance(self, label: str) -> bytes:
        """Thirty-two bytes of its own, which nobody can foretell who has not its seed."""
        return Stream(bytes.fromhex(self.seed)).block(label, 0)

    def holds(self, terms: dict[str, Any]) -> bool:
        return not self.differs(terms)

    def differs(self, terms: dict[str, Any]) -> str:
        """What it was drawn for that is otherwise now; "" where nothing is."""
        for name, value in terms.items():
            if self.inputs[name] != value:
                return f"{name}: {_said(self.inputs[name])} became {_said(value)}"
        drawn, now = (
            self.inputs["offsets"],
            offsets_of(terms["zone"], int(self.begins_at.timestamp()), self.weeks),
        )
        if [tuple(each) for each in drawn] != list(now):
            return f"the clock of {terms['zone']} was changed"
        return ""

    def published(self) -> Published:
        settled = self.visits.filter(Q(probe__isnull=False) | Q(skip__isnull=False))
        visits = settled.select_related("probe", "skip").order_by("due_at")
        revealed = self.revealed_at is not None
        return Published.model_validate(
            {
                "begins": self.begins_at,
                "ends": self.ends_at,
                "weeks": self.weeks,
                "commitment": self.commitment,
                "committed_at": self.committed_at,
                "closed_at": self.closed_at,
                "closed_because": self.closed_because,
                "revealed_at": self.revealed_at,
                "seed": self.seed if revealed else None,
                "inputs": sealed(self.inputs) if revealed else None,
                "visits": [_published(visit) for visit in visits],
            }
        )


def _published(visit: Planned) -> dict[str, Any]:
    told: dict[str, Any] = {
        "due": visit.due_at.astimezone(UTC),
        "hour": visit.hour,
        "journey": visit.journey,
    }
    if probe := getattr(visit, "probe", None):
        return told | {
            "paid": {
                "began": probe.began_at.astimezone(UTC),
                "probe": probe.token,
                "digest": probe.digest,
                "verdict": probe.verdict,
            }
        }
    skip, noticed = visit.skip, visit.skip.noticed_at.astimezone(UTC)
    return told | {"skipped": {"reason": skip.reason, "words": skip.words, "noticed": noticed}}


def _said(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _journeys() -> dict[int, list[str]]:
    """Target → the names of its journeys in force, in order of the alphabet."""
    found: dict[int, list[str]] = {}
    for target, name in JourneyFile.objects.filter(gone_at=None).values_list("target_id", "name"):
        found.setdefault(target, []).append(name)
    return {target: sorted(names) for target, names in found.items()}


def _terms(target: Target, weeks: int, journeys: Iterable[str]) -> dict[str, Any]:
    """What a plan is drawn for: when one of these changes, it is drawn anew."""
    return {
        "zone": target.zone,
        "weeks": weeks,
        "visits_a_day": target.visits_a_day,
        "gap": GAP,
        "journeys": list(journeys),
    }


def _rotation(before: Plan | None, terms: dict[str, Any], new: Callable[[], str]) -> dict[str, Any]:
    """Journeys go on to other hours with each plan, until each has had every hour; after that, or a change, by a new order."""
    if before and not before.closed_at and before.inputs["journeys"] == terms["journeys"]:
        turn = before.inputs["turn"] + 1
        if turn < len(terms["journeys"]):
            return {"rotation": before.inputs["rotation"], "turn": turn}
    return {"rotation": new(), "turn": 0}


class Others:
    """Visits that are planned already: no two services' are to be due at the same moment, as a watcher pays one at a time."""

    def __init__(self, now: datetime) -> None:
        rows = Planned.objects.filter(due_at__gt=now, skip=None, claim=None).values_list(
            "target_id", "due_at"
        )
        self._due = np.array(
            sorted((int(due.timestamp()), target) for target, due in rows), dtype=np.int64
        ).reshape(-1, 2)

    def apart(self, target: Target, seed: str, inputs: Inputs) -> tuple[Inputs, Drawing]:
        """The drawing with seconds passed over where others are due; it counts among the others from now on."""
        drawing = draw(seed, inputs)
        clash = self._clash(drawing.due)
        if clash.mean() < CROWDED:
            passed: dict[int, int] = {}
            for tries in range(1, MOST_PASSED_OVER + 1):
                if not clash.any():
                    break
                passed |= {int(number): tries for number in np.flatnonzero(clash)}
                inputs = inputs.model_copy(update={"passed_over": dict(passed)})
                drawing = draw(seed, inputs)
                clash = self._clash(drawing.due)
        mine = np.stack([drawing.due, np.full(len(drawing.due), target.pk)], axis=1)
        due = np.concatenate([self._due, mine])
        self._due = due[np.argsort(due[:, 0])]
        return inputs, drawing

    def _clash(self, due: Ints) -> np.ndarray:
        taken = self._due[:, 0]
        return np.searchsorted(taken, due + ERRAND) > np.searchsorted(taken, due - ERRAND, side="right")
