"""What is billed where nobody read, how sure that is, and what is made good at the next real reading."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rasd.metering.models.cycles import Cycle
from rasd.metering.models.readings import Adoption, Reading
from rasd.metering.models.reference import ServicePoint


class Season(models.Model):
    """How a month's use compares with the year's mean, for a kind of customer; learnt from readings."""

    commodity = models.CharField(max_length=20)
    customer_class = models.CharField(max_length=40, blank=True, help_text="empty: all of the commodity")
    month = models.PositiveSmallIntegerField(help_text="1 to 12")
    factor = models.FloatField(help_text="use a day in it, over use a day in the mean of twelve months")
    registers = models.PositiveIntegerField(help_text="how many it was learnt from")
    learnt_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["commodity", "customer_class", "month"], name="one_season_factor")
        ]

    def __str__(self) -> str:
        return f"{self.commodity} {self.customer_class} {self.month}: {self.factor:.2f}"


class UsualUse(models.Model):
    """What is usual for a kind of customer, beside the season; learnt from readings: :class:`rasd.metering.estimating.Usual`."""

    commodity = models.CharField(max_length=20)
    customer_class = models.CharField(max_length=40, blank=True, help_text="empty: all of the commodity")
    per_day = models.FloatField(
        help_text="in a mean month, of the home in the middle, in the register's unit"
    )
    within = models.FloatField(help_text="deviation of the log of a month's use about its home's level")
    between = models.FloatField(help_text="deviation of the log of the homes' levels")
    low = models.FloatField(help_text="of ten true uses one lies so many deviations below its estimate …")
    high = models.FloatField(help_text="… and one so many above it")
    registers = models.PositiveIntegerField(help_text="how many it was learnt from")
    learnt_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["commodity", "customer_class"], name="one_usual_use_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.commodity} {self.customer_class}: {self.per_day:.2f}"


MOST_IN_A_ROW = 2
"""Estimates in a row without a case to get a real reading (G2; APSR decision 8/2023)."""


class Estimate(models.Model):
    """How an estimated reading came about. All amounts in the register's unit."""

    reading = models.OneToOneField(Reading, models.PROTECT, related_name="estimate")
    method = models.CharField(max_length=40, help_text="rasd.metering.estimating: its name and version")
    since = models.DateTimeField(help_text="of the reading from which it counts on")
    days = models.DecimalField(max_digits=7, decimal_places=2)
    use = models.DecimalField(max_digits=12, decimal_places=3)
    least = models.DecimalField(max_digits=12, decimal_places=3, help_text="of ten, eight lie above this …")
    most = models.DecimalField(
        max_digits=12, decimal_places=3, help_text="… and below this: an 80 % interval"
    )
    in_a_row = models.PositiveSmallIntegerField(help_text="1: the cycle before was billed on a real reading")
    facts = models.JSONField(default=dict, help_text="what it was made from: months used, season's factors")
    case = models.CharField(
        max_length=60, blank=True, help_text="reference of the case opened to get a real reading"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(in_a_row__lte=MOST_IN_A_ROW) | ~Q(case=""),
                name="no_third_estimate_without_a_case",
                violation_error_message=_("a third estimate in a row needs a case to get a real reading"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.use} ({self.least}–{self.most})"

    @classmethod
    def used_up_before(cls, cycle: Cycle) -> models.QuerySet[Estimate, int]:
        """G2: keys of the service points that were billed on estimates as often in a row as may be, when the month before
        ``cycle`` was closed: nobody reading them now means a case."""
        before = Cycle.objects.filter(window_opens__lt=cycle.window_opens).order_by("-window_opens")[:1]
        standing = Adoption.objects.filter(cycle__in=before.values("pk"), superseded_at=None)
        found = cls.objects.filter(in_a_row__gte=MOST_IN_A_ROW, reading__in=standing.values("reading"))
        return found.values_list("reading__service_point", flat=True)


class TrueUp(models.Model):
    """What estimates billed too much or too little, made good at the next real reading: at most 12 months back (G2)."""

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="true_ups")
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="true_ups")
    adoption = models.OneToOneField(Adoption, models.PROTECT, related_name="true_up")
    since = models.DateTimeField(help_text="the last real reading billed before")
    used = models.DecimalField(max_digits=12, decimal_places=3, help_text="between the two real readings")
    billed = models.DecimalField(max_digits=12, decimal_places=3, help_text="by estimates since then")
    difference = models.DecimalField(
        max_digits=12, decimal_places=3, help_text="added to this bill, or taken off it"
    )
    forgone = models.DecimalField(
        max_digits=12,
        decimal_places=3,
        default=0,
        help_text="used more than 12 months ago, and no longer billed",
    )
    facts = models.JSONField(default=dict, help_text="the arithmetic, step by step")

    def __str__(self) -> str:
        return f"true_up:{self.pk}"
