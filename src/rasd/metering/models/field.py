"""Who reads the meters, on which routes, what they found there, and what customers say of their visits."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.ledger.models import record
from rasd.metering import signals
from rasd.metering.distances import metres_between
from rasd.metering.models.cycles import Cycle
from rasd.metering.models.readings import Reading
from rasd.metering.models.reference import Register, ServicePoint

if TYPE_CHECKING:
    from rasd.metering.importing.bringing import Visit
    from rasd.metering.models.photographs import Photograph

WHY_LONGEST = 300  # characters


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
    serial = models.CharField(
        max_length=40, blank=True, help_text="the meter's number as the reader saw it, where he says it"
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

    @classmethod
    def bring(cls, visit: Visit, *, at: datetime, actor: str) -> FieldRead:
        """G2, G4: what a reader says of one service point, and the reading that follows from it. Brought again, it is what is
        on record. Many at once: :func:`rasd.metering.importing.bringing.bring`, of which this is the case of one.

        Raises:
            ValueError: it is refused; the message names the field and the mend.
        """
        from rasd.metering.importing.bringing import bring

        with transaction.atomic():
            brought = bring([(0, visit)], at=at)
            for refused in brought.refused:
                raise ValueError(f"{refused.field}: {refused.problem}; {refused.mend}")
            field_read = cls.objects.get(pk=(brought.created | brought.known)[0])
            if brought.created:
                facts = {"key": visit.key, "value": visit.value, "no_access": visit.no_access}
                record(actor, "field_read.brought", str(field_read), at=at, facts=facts)
            if visit.sha256:
                field_read.keep_photograph(visit.sha256)
        return field_read

    def keep_photograph(self, sha256: str) -> Photograph:
        """G4: the picture that the reader took, which lies in storage as evidence; the eye looks at it as at a customer's. A
        second call with the same picture changes nothing.

        Raises:
            ValueError: it has another one.
        """
        from rasd.metering.models.photographs import Photograph

        with transaction.atomic():
            locked = FieldRead.objects.select_for_update().select_related(None).get(pk=self.pk)
            if there := locked.photograph:
                if there.sha256 != sha256:
                    raise ValueError(
                        f"photograph: {self} has another one, which is evidence; bring a visit of its own with this one"
                    )
                return there
            photograph = Photograph.objects.create(origin=str(self), sha256=sha256, sent_at=self.visited_at)
            locked.photograph = self.photograph = photograph
            locked.save(update_fields=["photograph"])
            signals.field_photograph_kept.send(FieldRead, photograph=photograph)
        return photograph

    @property
    def metres_off(self) -> float | None:
        """From where the handheld was to where the meter is on record; None where either is not known."""
        return metres_between(
            self.latitude, self.longitude, self.service_point.latitude, self.service_point.longitude
        )


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
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=300, blank=True)
    compared_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["cycle", "agrees"], name="comparison_in_cycle")]

    def __str__(self) -> str:
        return f"comparison:{self.pk}"

    def decide(self, who: str, *, why: str, at: datetime, actor: str) -> None:
        """G5: a person has looked into it, and says who was right; deciding again replaces what stands, and the ledger keeps
        both.

        Args:
            who: ``reader``, ``customer`` or ``neither``.

        Raises:
            ValueError: ``who`` is none of these, or there is no reason.
        """
        if who not in {"reader", "customer", "neither"}:
            raise ValueError(f"decided: {who!r} is none of reader, customer, neither")
        why = " ".join(why.replace("\0", "").split())
        if not 0 < len(why) <= WHY_LONGEST:
            raise ValueError(f"why: 1 to {WHY_LONGEST} characters, not {len(why)}: say what it rests on")
        with transaction.atomic():
            self.decided, self.decided_by, self.decided_at, self.why = who, actor, at, why
            self.save(update_fields=["decided", "decided_by", "decided_at", "why"])
            facts = {"decided": who, "field_read": self.field_read_id, "difference": self.difference}
            record(actor, "comparison.decided", str(self), at=at, why=why, facts=facts)


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
