"""When the watch comes: drawn in advance from a committed seed, claimed by one watcher, never quietly left out."""

from django.db import models
from django.db.models import Q

from rasd.watch.models.targets import Target


class Watcher(models.Model):
    """A machine that pays visits."""

    name = models.SlugField(unique=True)
    place = models.CharField(max_length=200, help_text="where it stands, as reports say it")
    seen_at = models.DateTimeField(null=True)
    awake_since = models.DateTimeField(
        null=True, help_text="since when it has looked without a break: stops, sleep and clock jumps are breaks"
    )
    facts = models.JSONField(default=dict, help_text="its browser, its clock, its host")

    def __str__(self) -> str:
        return self.name


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
    inputs = models.JSONField(help_text="all that the drawing was made from, besides the seed; secret like it")
    seed = models.CharField(max_length=64, help_text="hexadecimal, 256 bits; secret until revealed")
    commitment = models.CharField(max_length=64)
    committed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, help_text="when a change of watch.yaml ended it early")
    closed_because = models.CharField(max_length=500, blank=True)
    revealed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["begins_at", "target_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["target", "begins_at"],
                condition=Q(closed_at=None),
                name="one_plan_of_a_target_at_a_time",
            )
        ]


class Planned(models.Model):
    """One visit that is to be paid."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="visits")
    target = models.ForeignKey(Target, models.PROTECT, related_name="visits")
    journey = models.SlugField(help_text="by name: the wording in force when it is paid")
    due_at = models.DateTimeField()
    until = models.DateTimeField(help_text="the end of its hour: it is not begun later (five minutes of grace)")
    hour = models.PositiveSmallIntegerField(
        help_text="of the week, 0 (Monday 00:00–01:00) to 167, in the target's zone"
    )

    class Meta:
        ordering = ["due_at"]
        indexes = [models.Index(fields=["due_at"]), models.Index(fields=["target", "due_at"])]


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
        RATE = "rate", "the service asked to be left alone for a while"
        GONE = "gone", "the journey or the target was taken away"
        DIED = "died", "the watcher died during the visit"
        REPLANNED = "replanned", "planned anew after a change of watch.yaml"

    visit = models.OneToOneField(Planned, models.CASCADE, related_name="skip")
    reason = models.CharField(max_length=16, choices=Reason.choices)
    words = models.CharField(max_length=500, blank=True)
    noticed_at = models.DateTimeField()
    watcher = models.ForeignKey(Watcher, models.PROTECT, null=True)


OPEN = Q(claim=None, skip=None)
