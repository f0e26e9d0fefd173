"""Who reads the meters, on which routes, what they found there, and what customers say of their visits."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.metering.models.cycles import Cycle
from rasd.metering.models.readings import Reading
from rasd.metering.models.reference import Register, ServicePoint


class Reader(models.Model):
    """A meter reader: an employee or a contractor's man who walks routes."""

    code = models.CharField(max_length=40, unique=True, help_text="as the utility's handhelds name him")
    name = models.CharField(max_length=200)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="meter_reader",
        help_text="with it he sees his own record, and answers what is asked of him",
    )
    left_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Route(models.Model):
    """Service points that one reader walks in one go, in the order of ``ServicePoint.stop``."""

    number = models.CharField(max_length=40, unique=True)
    district = models.CharField(max_length=100, blank=True, db_index=True)
    reader = models.ForeignKey(
        Reader, models.SET_NULL, null=True, blank=True, related_name="routes", help_text="who walks it now"
    )

    def __str__(self) -> str:
        return self.number


class FieldRead(models.Model):
    """What a meter reader brought back from one service point: a value, or why he could not read (G2, G4).

    It stays as it came in. What it says of the register is a :class:`Reading` of source ``field`` (``reading``); whether that is
    billed is an :class:`Adoption`.
    """

    class NoAccess(models.TextChoices):
        LOCKED = "locked", _("locked, nobody there")
        REFUSED = "refused", _("not let in")
        DOG = "dog", _("a dog, or another danger")
        NOT_FOUND = "not_found", _("the meter was not found")
        BLOCKED = "blocked", _("the meter was covered or out of reach")
        BROKEN = "broken", _("the display shows nothing, or is broken")
        OTHER = "other", _("another reason")

    reader = models.ForeignKey(Reader, models.PROTECT, related_name="field_reads")
    route = models.ForeignKey(Route, models.PROTECT, null=True, blank=True, related_name="field_reads")
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="field_reads")
    register = models.ForeignKey(Register, models.PROTECT, null=True, related_name="field_reads")
    cycle = models.ForeignKey(Cycle, models.PROTECT, null=True, related_name="field_reads")
    key = models.CharField(
        max_length=100,
        help_text="the handheld's own name of it, or that of the file's row: sent again it is the same",
    )
    visited_at = models.DateTimeField(help_text="by the handheld's clock")
    value = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    no_access = models.CharField(max_length=12, choices=NoAccess, blank=True)
    note = models.CharField(max_length=300, blank=True)
    latitude = models.FloatField(null=True, blank=True, help_text="WGS 84")
    longitude = models.FloatField(null=True, blank=True, help_text="WGS 84")
    accuracy = models.FloatField(null=True, blank=True, help_text="metres, as the handheld says")
    photograph = models.OneToOneField(
        "metering.Photograph", models.SET_NULL, null=True, blank=True, related_name="field_read"
    )
    reading = models.OneToOneField(Reading, models.PROTECT, null=True, blank=True, related_name="field_read")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "key"], name="field_read_once"),
            models.CheckConstraint(
                condition=Q(value__isnull=False, no_access="") | (Q(value__isnull=True) & ~Q(no_access="")),
                name="field_read_value_or_why_not",
                violation_error_message=_("a value, or the reason for no access: one of the two"),
            ),
        ]
        indexes = [
            models.Index(fields=["cycle", "service_point"], name="field_read_in_cycle"),
            models.Index(fields=["reader", "visited_at"], name="field_read_by_reader"),
        ]

    def __str__(self) -> str:
        return f"field_read:{self.pk}"


class Comparison(models.Model):
    """A customer's reading against the field read of the same register and cycle (G5)."""

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="comparisons")
    register = models.ForeignKey(Register, models.PROTECT, related_name="comparisons")
    field_read = models.OneToOneField(FieldRead, models.PROTECT, related_name="comparison")
    customer_reading = models.ForeignKey(Reading, models.PROTECT, related_name="+")
    days = models.DecimalField(
        max_digits=6,
        decimal_places=2,
        help_text="from the customer's reading to the reader's; below zero: his came first",
    )
    expected = models.DecimalField(
        max_digits=12,
        decimal_places=3,
        help_text="what was to be used between the two, in the register's unit",
    )
    difference = models.DecimalField(
        max_digits=12,
        decimal_places=3,
        help_text="reader's less customer's less expected, in the register's unit",
    )
    tolerance = models.DecimalField(max_digits=12, decimal_places=3, help_text="up to which the two agree")
    agrees = models.BooleanField()
    case = models.CharField(max_length=60, blank=True, help_text="reference of the case opened for a person")
    decided = models.CharField(
        max_length=20,
        blank=True,
        choices=[
            ("reader", _("the reader was right")),
            ("customer", _("the customer was right")),
            ("neither", _("neither, or nobody can say")),
        ],
        help_text="by a person; no statistic decides this",
    )
    compared_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["cycle", "agrees"], name="comparison_in_cycle")]

    def __str__(self) -> str:
        return f"comparison:{self.pk}"


class VisitQuestion(models.Model):
    """ "Did the reader come?", asked of a customer drawn at random, and what he answered: evidence of a visit, or of none."""

    class Answer(models.TextChoices):
        CAME = "came", _("yes, he came")
        NOT_SEEN = "not_seen", _("no, or not seen")

    field_read = models.OneToOneField(FieldRead, models.PROTECT, related_name="question")
    asked_at = models.DateTimeField()
    message = models.CharField(max_length=100, blank=True, help_text="what asked: outgoing:17")
    answer = models.CharField(max_length=10, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"visit_question:{self.pk}"
