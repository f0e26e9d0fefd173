"""Visits that are to be paid: claimed by one watcher, and never quietly left out (G14)."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q

from rasd.watch.models.targets import JourneyFile, Target
from rasd.watch.schedule.drawing import GAP

LONGEST_HOUR = timedelta(hours=3)
"""No visit may be begun so long after it was due: an hour that comes twice has two, and then there is the grace."""
SETTLED_AFTER = timedelta(minutes=1)
"""Of its last moment a visit is held to be missed: clocks of several watchers differ by seconds."""
NEVER_ENDED = timedelta(hours=12)
"""After which a visit that another watcher claimed is held to have died with it. No patience is so long."""
AT_A_TIME = 500  # rows in one transaction

OPEN = Q(claim=None, skip=None)


class Watcher(models.Model):
    """A machine that pays visits, one at a time."""

    name = models.SlugField(unique=True)
    place = models.CharField(max_length=200, help_text="where it stands, as reports say it")
    seen_at = models.DateTimeField(null=True)
    awake_since = models.DateTimeField(
        null=True,
        help_text="since when it has looked without a break: stops, sleep and clock jumps are breaks",
    )
    facts = models.JSONField(default=dict, help_text="its browser, its clock, its host")

    def __str__(self) -> str:
        return self.name

    def wake(self, now: datetime) -> None:
        """It begins to look, or notices that it did not for a while. What it was about then has died."""
        self.awake_since = self.seen_at = now
        self.save(update_fields=["awake_since", "seen_at"])

    def beat(self, now: datetime) -> None:
        self.seen_at = now
        self.save(update_fields=["seen_at"])


class Visits(models.QuerySet["Planned"]):
    def due(self, now: datetime) -> Self:
        """Those that may be begun: in their own hour, and five minutes of grace."""
        return self.filter(OPEN, due_at__lte=now, due_at__gt=now - LONGEST_HOUR, until__gt=now)

    def next_due(self, now: datetime, before: datetime) -> datetime | None:
        """When the next one is, for who waits for it: nobody else may be told."""
        return self.filter(OPEN, due_at__gt=now, due_at__lt=before).aggregate(first=models.Min("due_at"))[
            "first"
        ]

    def still_to_come(self, now: datetime, until: datetime) -> Self:
        """Those that may yet have to be paid until then."""
        return self.filter(OPEN, due_at__gt=now - LONGEST_HOUR, due_at__lt=until, until__gt=now)

    def claim(self, watcher: Watcher, now: datetime) -> "Planned | None":
        """The one that has been due longest and that nobody else pays; it is this watcher's from now on. One that turns out not
        to be payable (its journey is gone, the day's budget used up) is skipped and says so."""
        while True:
            with transaction.atomic():
                visit = self._held(now)
                if visit is None:
                    return None
                if Claim.objects.filter(visit=visit).exists() or Skip.objects.filter(visit=visit).exists():
                    continue  # another watcher was quicker between the two questions
                target = Target.objects.select_for_update().get(pk=visit.target_id)
                if _just_begun(now).filter(visit__target=target).exists():
                    continue  # another watcher began a visit to the same service meanwhile
                if reason := _why_not(visit, target, now):
                    visit.not_paid(*reason, now, watcher)
                    continue
                Claim.objects.create(visit=visit, watcher=watcher, claimed_at=now)
                return visit

    def _held(self, now: datetime) -> "Planned | None":
        return (
            self.due(now)
            .exclude(Exists(_just_begun(now).filter(visit__target=OuterRef("target"))))
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("due_at", "pk")
            .first()
        )

    def settle(self, now: datetime, watcher: Watcher, since: datetime | None = None) -> int:
        """Notes of each that was missed why it was; how many. ``since``: those due before are settled already."""
        missed = self.filter(OPEN, until__lte=now - SETTLED_AFTER)
        if since:
            missed = missed.filter(due_at__gt=since)
        count = 0
        while True:
            with transaction.atomic():
                held = list(
                    missed.select_for_update(skip_locked=True, of=("self",))
                    .select_related("target")
                    .order_by("due_at")[:AT_A_TIME]
                )
                looking = list(Watcher.objects.exclude(awake_since=None))
                written = Skip.objects.bulk_create(
                    [
                        Skip(
                            visit=each, reason=_missed_because(each, looking), noticed_at=now, watcher=watcher
                        )
                        for each in held
                    ],
                    ignore_conflicts=True,
                )
            count += len(written)
            if len(held) < AT_A_TIME:
                return count

    def unfinished(self) -> Self:
        """Claimed, and nothing came of it yet."""
        return self.filter(claim__isnull=False, skip=None, probe=None)

    def bury(self, now: datetime, watcher: Watcher) -> int:
        """Those of which nothing will come any more: this watcher begins, so what it was about died with it; or another claimed
        them half a day ago. How many."""
        dead = self.unfinished().filter(
            Q(claim__watcher=watcher) | Q(claim__claimed_at__lt=now - NEVER_ENDED)
        )
        buried = Skip.objects.bulk_create(
            [
                Skip(visit=each, reason=Skip.Reason.DIED, noticed_at=now, watcher=each.claim.watcher)
                for each in dead.select_related("claim__watcher")
            ],
            ignore_conflicts=True,
        )
        return len(buried)


def _just_begun(now: datetime) -> "models.QuerySet[Claim]":
    return Claim.objects.filter(claimed_at__gt=now - timedelta(seconds=GAP))


def _why_not(visit: "Planned", target: Target, now: datetime) -> "tuple[Skip.Reason, str] | None":
    if target.gone_at:
        return Skip.Reason.GONE, f"{target.name} left watch.yaml"
    if visit.wording() is None:
        return Skip.Reason.GONE, f"{visit.journey} left watch.yaml"
    if target.visits_left(now) <= 0:
        return Skip.Reason.BUDGET, f"visits_a_day: {target.visits_a_day}"
    return None


def _missed_because(visit: "Planned", watchers: "list[Watcher]") -> "Skip.Reason":
    if visit.target.gone_at and visit.target.gone_at <= visit.until:
        return Skip.Reason.GONE
    for each in watchers:
        if (
            each.awake_since
            and each.seen_at
            and each.awake_since <= visit.due_at
            and each.seen_at >= visit.until
        ):
            return Skip.Reason.BUSY
    return Skip.Reason.STOPPED


class Planned(models.Model):
    """One visit that is to be paid. ``due_at`` of one that is still to come is nobody's to see."""

    plan = models.ForeignKey("watch.Plan", models.CASCADE, related_name="visits")
    target = models.ForeignKey(Target, models.PROTECT, related_name="visits")
    journey = models.SlugField(help_text="by name: the wording in force when it is paid")
    due_at = models.DateTimeField()
    until = models.DateTimeField(
        help_text="the end of its hour: it is not begun later (five minutes of grace)"
    )
    hour = models.PositiveSmallIntegerField(
        help_text="of the week, 0 (Monday 00:00–01:00) to 167, in the target's zone"
    )

    objects = Visits.as_manager()

    class Meta:
        ordering = ["due_at"]
        indexes = [models.Index(fields=["due_at"]), models.Index(fields=["target", "due_at"])]

    def wording(self) -> JourneyFile | None:
        """Of its journey, in force now; None: it was taken away."""
        return JourneyFile.objects.filter(target_id=self.target_id, name=self.journey, gone_at=None).first()

    @property
    def seed(self) -> str:
        """What the visit's own choices are drawn from: anyone can draw them again once the plan is revealed."""
        return self.plan.chance(f"visit/{int(self.due_at.timestamp())}").hex()

    def not_paid(self, reason: "Skip.Reason", words: str, now: datetime, watcher: Watcher | None) -> "Skip":
        return Skip.objects.create(
            visit=self, reason=reason, words=words[:500], noticed_at=now, watcher=watcher
        )


class Claim(models.Model):
    """This watcher pays this visit. One row a visit: no two pay it."""

    visit = models.OneToOneField(Planned, models.CASCADE, related_name="claim")
    watcher = models.ForeignKey(Watcher, models.PROTECT, related_name="claims")
    claimed_at = models.DateTimeField()


class Skip(models.Model):
    """A visit that was planned and not paid, and why. Shown wherever visits are (G14)."""

    class Reason(models.TextChoices):
        STOPPED = "stopped", "no watcher was running"
        BUSY = "busy", "every watcher was busy with another visit"
        BUDGET = "budget", "the day's budget was used up"
        MAINTENANCE = "maintenance", "announced maintenance"
        PERMISSION = "permission", "no valid permission"
        ROBOTS = "robots", "robots.txt forbids it"
        UNREAD = "unread", "robots.txt could never be read"
        RATE = "rate", "the service asked to be left alone for a while"
        GONE = "gone", "the journey or the target was taken away"
        DIED = "died", "the watcher died during the visit"
        REPLANNED = "replanned", "planned anew after a change of watch.yaml"

    visit = models.OneToOneField(Planned, models.CASCADE, related_name="skip")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    words = models.CharField(max_length=500, blank=True)
    noticed_at = models.DateTimeField()
    watcher = models.ForeignKey(Watcher, models.PROTECT, null=True)
