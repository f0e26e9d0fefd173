"""A cycle closed: what each register is billed on, and the files that billing took."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from rasd.metering.models.cycles import Cycle
from rasd.metering.models.readings import Adoption, Reading
from rasd.metering.models.reference import Register, ServicePoint
from rasd.metering.truing import short_way


class Closing(models.Model):
    """How far the closing of a cycle is: steps that can each be done again, and ``Cycle.closed_at`` when all are done."""

    cycle = models.OneToOneField(Cycle, models.PROTECT, related_name="closing")
    begun_at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    steps = models.JSONField(default=list, help_text="[{step, begun, ended, counts}] in their order")
    error = models.TextField(blank=True, help_text="why the last try stopped")

    def __str__(self) -> str:
        return f"closing:{self.cycle}"


class Billed(models.Model):
    """What one register is billed on in one cycle: what standing adoptions came to when it was closed.

    A partition a cycle, filled in one go and never changed: a correction after the closing is a new adoption, and goes to billing
    as a delta. Amounts in the register's unit.
    """

    pk = models.CompositePrimaryKey("cycle_id", "register_id")
    cycle = models.ForeignKey(Cycle, models.DO_NOTHING, related_name="billed", db_index=False)
    register = models.ForeignKey(
        Register, models.DO_NOTHING, related_name="billed", db_constraint=False, db_index=False
    )
    service_point = models.ForeignKey(
        ServicePoint, models.DO_NOTHING, related_name="billed", db_constraint=False, db_index=False
    )
    adoption = models.ForeignKey(
        Adoption, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    district = models.CharField(max_length=100)
    customer_class = models.CharField(max_length=40)
    commodity = models.CharField(max_length=20)
    source = models.CharField(max_length=10, choices=Reading.Source)
    quality = models.CharField(max_length=15, choices=Reading.Quality)
    value = models.DecimalField(max_digits=12, decimal_places=3)
    taken_at = models.DateTimeField()
    previous_value = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    previous_at = models.DateTimeField(null=True)
    use = models.DecimalField(
        max_digits=12, decimal_places=3, help_text="true-up included; may be below zero"
    )
    true_up = models.DecimalField(max_digits=12, decimal_places=3, default=0)

    class Meta:
        managed = False  # partitioned by cycle: made in migration 0005
        db_table = "metering_billed"

    def __str__(self) -> str:
        return f"{self.cycle_id} {self.register_id}"

    def use_by_now(self) -> Decimal:
        """``use``, moved by what was corrected after the closing in this month's value, or in the one before that it counts from:
        what this bill and its deltas come to. The same for all of a month: :data:`rasd.metering.billing_rows.DELTA`."""
        standing = Adoption.objects.filter(register=self.register_id, superseded_at=None).select_related(
            "reading"
        )
        mine = standing.filter(cycle=self.cycle_id).first()
        before = (
            standing.filter(cycle__window_opens__lt=self.cycle.window_opens)
            .order_by("-cycle__window_opens")
            .first()
        )
        digits, use = self.register.digits, self.use
        if mine:
            use += short_way(mine.reading.value - self.value, digits)
        if before and self.previous_value is not None:
            use -= short_way(before.reading.value - self.previous_value, digits)
        return use


class BillingExport(models.Model):
    """A file that billing took: all of a closed cycle, or what was corrected since the one before."""

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="exports")
    number = models.PositiveSmallIntegerField(help_text="1: all of it; 2, 3 …: what was corrected since")
    as_of = models.DateTimeField(help_text="adoptions that stood at this moment")
    actor = models.CharField(max_length=200)
    rows = models.PositiveIntegerField()
    totals = models.JSONField(help_text="by unit, and by source: how many, and how much")
    csv_sha256 = models.CharField(max_length=64)
    xml_sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cycle", "number"], name="one_export_of_a_number")]

    def __str__(self) -> str:
        return f"export:{self.cycle}:{self.number}"

    @property
    def name(self) -> str:
        """Of its files, without their ending."""
        return f"billing-{self.cycle}-{self.number}"
