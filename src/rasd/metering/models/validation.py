"""What the rules of the field find in readings, and who looks into it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rasd.metering.models.cycles import Cycle
from rasd.metering.models.readings import Reading
from rasd.metering.models.reference import Register, ServicePoint


class Rule(models.TextChoices):
    """Validation rules for register readings; their formulas: docs/validation.md."""

    NEGATIVE = "negative", _("less than the last reading")
    ZERO = "zero", _("nothing used")
    HIGH = "high", _("unusually much used")
    IMPLAUSIBLE = "implausible", _("more used than can be believed")
    LOW = "low", _("unusually little used")
    DIGITS = "digits", _("more digits than the counter has")
    DUPLICATE = "duplicate", _("two readings of one source that differ")
    UNIT = "unit", _("another unit than the register's")
    INACTIVE = "inactive", _("no meter, or a removed one")
    REPLACED = "replaced", _("the meter was replaced in this cycle")
    ROLLOVER = "rollover", _("the counter went past its highest value")
    PROLONGED = "prolonged", _("estimated too often in a row")
    MISSING = "missing", _("nothing to bill on")


class ValidationSetting(models.Model):
    """How a rule is applied to a class of customers; a row without a class is for all that have none of their own."""

    rule = models.CharField(max_length=12, choices=Rule)
    customer_class = models.CharField(max_length=40, blank=True)
    is_on = models.BooleanField(default=True)
    limit = models.DecimalField(
        max_digits=9, decimal_places=3, null=True, blank=True, help_text="what it means: docs/validation.md"
    )
    holds_back = models.BooleanField(
        default=False, help_text="what it finds is not billed before a person has looked"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, help_text="who gets what it finds"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "customer_class"], name="one_setting_of_a_rule_and_class")
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.customer_class}".strip()


class ReadingException(models.Model):
    """A rule's finding: in a reading, or in that there is none. It has an owner until he has settled it."""

    class Outcome(models.TextChoices):
        KEPT = "kept", _("the reading is right")
        REPLACED = "replaced", _("another value is adopted")
        ESTIMATED = "estimated", _("an estimate is adopted")
        CORRECTED = "corrected", _("the records were corrected")
        OVER = "over", _("it is no longer so")

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="exceptions")
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="exceptions")
    register = models.ForeignKey(Register, models.PROTECT, null=True, related_name="exceptions")
    reading = models.ForeignKey(Reading, models.PROTECT, null=True, related_name="exceptions")
    rule = models.CharField(max_length=12, choices=Rule)
    facts = models.JSONField(default=dict, help_text="the numbers that the explanation needs")
    holds_back = models.BooleanField(default=False)
    raised_at = models.DateTimeField()
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="reading_exceptions"
    )
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cycle", "service_point", "register", "reading", "rule"],
                nulls_distinct=False,
                name="exception_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["cycle", "rule"], name="open_exceptions", condition=Q(closed_at__isnull=True)
            ),
            models.Index(fields=["owner"], name="exceptions_owned", condition=Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"exception:{self.pk}"
