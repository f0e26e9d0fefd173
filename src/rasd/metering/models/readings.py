"""What is billed, and why."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.ledger.models import record
from rasd.metering import numbers, rules, signals
from rasd.metering.consumption import Consumption
from rasd.metering.models.cycles import Cycle
from rasd.metering.models.judgements import NotAdoptable, limits
from rasd.metering.models.reference import Register, ServicePoint
from rasd.metering.models.submissions import Submission


class Reading(models.Model):
    """A value of a register at a moment, with its source, quality and evidence."""

    class Source(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        FIELD = "field", _("meter reader")
        ESTIMATE = "estimate", _("estimate")
        SMART = "smart", _("smart meter")

    class Quality(models.TextChoices):
        """After IEC 61968-9 ReadingQuality; the mapping to its codes belongs to the billing export."""

        VALID = "valid", _("valid")
        QUESTIONABLE = "questionable", _("questionable")
        ESTIMATED = "estimated", _("estimated")

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="readings")
    register = models.ForeignKey(Register, models.PROTECT, related_name="readings")
    cycle = models.ForeignKey(Cycle, models.PROTECT, null=True, blank=True, related_name="readings")
    value = models.DecimalField(max_digits=12, decimal_places=3)
    source = models.CharField(max_length=10, choices=Source)
    quality = models.CharField(max_length=15, choices=Quality, default=Quality.VALID)
    taken_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    submission = models.ForeignKey(
        Submission, models.PROTECT, null=True, blank=True, related_name="readings", help_text="its evidence"
    )

    class Meta:
        indexes = [models.Index(fields=["register", "-taken_at"], name="reading_by_register")]
        constraints = [
            models.UniqueConstraint(
                fields=["register", "source", "taken_at"],
                condition=Q(submission__isnull=True),
                name="imported_reading_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.value} ({self.source})"

    @property
    def photographs(self) -> list[str]:
        """G4: SHA-256 of each that it rests on, oldest first; none of a number typed, an import or an estimate."""
        field_read = getattr(self, "field_read", None)
        if field_read is not None and field_read.photograph is not None:
            return [field_read.photograph.sha256]
        if self.submission is None:
            return []
        return [
            one.sha256
            for one in sorted(self.submission.photographs.all(), key=lambda one: (one.sent_at, one.pk))
        ]


class Adoption(models.Model):
    """Which reading the cycle bills on, since when, by whom and why. One stands at a time; those it replaced stay."""

    # Whose they are, its reading's own foreign keys vouch for: a closing makes hundreds of thousands, and each constraint is
    # looked up for each of them.
    service_point = models.ForeignKey(
        ServicePoint, models.PROTECT, related_name="adoptions", db_constraint=False
    )
    register = models.ForeignKey(Register, models.PROTECT, related_name="adoptions", db_constraint=False)
    cycle = models.ForeignKey(
        Cycle, models.PROTECT, related_name="adoptions", db_constraint=False, db_index=False
    )
    reading = models.ForeignKey(Reading, models.PROTECT, related_name="adoptions")
    adopted_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)
    why = models.CharField(max_length=300)
    rule = models.CharField(
        max_length=20, blank=True, help_text="the row of the table of precedence (rasd.metering.adopting)"
    )
    confidence = models.FloatField(
        null=True, help_text="calibrated probability, where the machine adopted it"
    )
    receipt = models.CharField(max_length=20, unique=True, help_text="the number told to the customer")
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["register", "cycle"],
                condition=Q(superseded_at__isnull=True),
                name="one_adoption_stands",
            ),
        ]
        indexes = [
            models.Index(
                fields=["cycle", "service_point"],
                name="adoption_that_stands",
                condition=Q(superseded_at__isnull=True),
                include=["rule"],  # how far a month is, is counted from the index alone
            ),
        ]

    def __str__(self) -> str:
        return self.receipt

    @classmethod
    def of(
        cls,
        submission: Submission,
        value: Decimal,
        *,
        at: datetime,
        actor: str,
        why: str,
        confidence: float | None = None,
        replace: bool = False,
    ) -> Adoption:
        """G2, G4: adopt ``value`` on the evidence of ``submission`` for its service point and cycle, and record it.

        Where a reading is adopted already, it stands and is returned, unless it is an estimate, or ``replace`` is said and
        it is a customer's: a meter reader's or a smart meter's is never replaced by a customer's. Calling it twice, or
        twice at once, adopts once.

        Raises:
            NotAdoptable: no service point, cycle or meter, or the register cannot show ``value``.
        """
        with transaction.atomic():
            point, register, cycle = submission.adoptable_for()
            point.hold()
            if not numbers.shows(register.hint, value):
                raise NotAdoptable(
                    f"value: a register of {register.digits} digits and {register.decimals} decimals cannot show"
                    f" {value}"
                )
            standing = point.adoption_in(cycle)
            if standing is not None and not standing._gives_way(submission, value, replace):
                return standing
            facts = submission.facts()
            reading = Reading.objects.create(
                service_point=point,
                register=register,
                cycle=cycle,
                value=value,
                source=Reading.Source.CUSTOMER,
                quality=_quality(value, facts),
                taken_at=submission.sent_at,
                recorded_at=at,
                submission=submission,
            )
            if standing is not None:
                standing.superseded_at = at
                standing.save(update_fields=["superseded_at"])
            number = next_number()
            adoption = cls.objects.create(
                id=number,
                service_point=point,
                register=register,
                cycle=cycle,
                reading=reading,
                adopted_at=at,
                actor=actor,
                why=why,
                rule=reading.source,
                confidence=confidence,
                receipt=numbers.receipt(cycle.name, number),
                supersedes=standing,
            )
            adoption.close_reviews(at)
            signals.adopted.send(cls, adoption=adoption)
            record(
                actor, "reading.adopted", f"adoption:{adoption.pk}", at=at, why=why, facts=adoption.facts()
            )
        return adoption

    def close_reviews(self, at: datetime) -> None:
        """What a person was still to look at for the same point and cycle is settled: deciding it later must not undo this."""
        from rasd.metering.models.reviews import Review

        waiting = Review.objects.filter(
            closed_at=None, submission__service_point=self.service_point, submission__cycle=self.cycle
        )
        for review in waiting:
            review.closed_at, review.outcome = at, Review.Outcome.WITHDRAWN
            review.save(update_fields=["closed_at", "outcome"])
            facts = {"review": review.pk, "adoption": self.pk}
            record(self.actor, "review.withdrawn", str(review.submission), at=at, why="adopted", facts=facts)

    def _gives_way(self, submission: Submission, value: Decimal, replace: bool) -> bool:
        """G2: whether a reading of ``submission`` takes the place of this one."""
        if self.rule == "manual":  # a person has looked at the evidence; only a person changes it
            return False
        if self.reading.source == Reading.Source.ESTIMATE:
            return True
        if self.reading.source != Reading.Source.CUSTOMER or not replace:
            return False
        return not (self.reading.submission_id == submission.pk and self.reading.value == value)

    def facts(self) -> dict[str, Any]:
        """G4: what its ledger entry keeps."""
        submission = self.reading.submission
        return {
            "receipt": self.receipt,
            "service_point": self.service_point.number,
            "meter": self.register.meter.serial,
            "register": self.register.name,
            "cycle": self.cycle.name,
            "reading": self.reading_id,
            "value": self.reading.value,
            "unit": self.register.unit,
            "source": self.reading.source,
            "quality": self.reading.quality,
            "confidence": self.confidence,
            "decided_by": self.actor,
            "supersedes": self.supersedes.receipt if self.supersedes else None,
            **(submission.evidence() if submission else {}),
        }

    def consumption(self) -> Consumption | None:
        """What was used since the actual reading before this one; None where there is none."""
        return self.service_point.consumption(self.reading.value, self.reading.taken_at)

    def take_back(self, at: datetime) -> None:
        """It stands no more, and what it replaced stands again. Inside the transaction of whoever records why."""
        self.superseded_at = at
        self.save(update_fields=["superseded_at"])
        if self.supersedes is not None:
            self.supersedes.superseded_at = None
            self.supersedes.save(update_fields=["superseded_at"])


def next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('metering_adoption', 'id'))")
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _quality(value: Decimal, facts: rules.Facts) -> Reading.Quality:
    """Questionable is what this place's history does not make likely, whoever vouches for it."""
    if facts.history is None or rules.is_below_last(value, facts.history):
        return Reading.Quality.QUESTIONABLE
    share = rules.surprise(value, facts.history)
    usual = share is None or share >= limits().believable
    return Reading.Quality.VALID if usual else Reading.Quality.QUESTIONABLE
