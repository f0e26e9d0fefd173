"""Breaches of guaranteed standards: each written down once, with what it cost, and told to the regulator month by month."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from rasd.desk.models.cases import Case
from rasd.desk.models.conversations import Conversation
from rasd.desk.models.standards import Finding, Standard
from rasd.ledger.models import actor_of, record


class Breach(models.Model):
    """A standard was not kept: written down once, with what it cost then, and never deleted."""

    standard = models.ForeignKey(Standard, models.PROTECT, related_name="breaches")
    subject = models.CharField(max_length=200, help_text="as in the ledger: obligation:17, case:4")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="breaches")
    conversation = models.ForeignKey(Conversation, models.PROTECT, null=True, related_name="breaches")
    began_entry = models.BigIntegerField(help_text="the number of the entry from which it is measured")
    began_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="the last moment that would have kept it")
    ended_entry = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="when it was answered; null: not yet")
    owner = models.CharField(
        max_length=150, blank=True, help_text="who owed it when it was due; empty: nobody by name"
    )
    queue = models.CharField(max_length=100, blank=True, help_text="whose queue it was in then")
    held = models.JSONField(
        default=list,
        help_text='who owed it when: [{"entry": 7, "from": …, "until": …, "owner": …, "queue": …}]',
    )
    compensation = models.DecimalField(
        max_digits=7, decimal_places=3, help_text="in Omani rials, as it was then"
    )
    found_at = models.DateTimeField()
    excused_at = models.DateTimeField(null=True, help_text="when a person said that it does not count")
    excused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    excused_why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["standard", "began_entry"], name="one_breach_of_a_beginning")
        ]
        indexes = [models.Index(fields=["due_at"], name="breach_by_time")]

    def __str__(self) -> str:
        return f"breach:{self.pk}"

    @classmethod
    def write_down(cls, standard: Standard, finding: Finding, at: datetime) -> bool:
        """Whether it is new. One that is known learns when it was answered, or that it was not after all."""
        with transaction.atomic():
            Standard.objects.select_for_update().get(pk=standard.pk)  # two passes at once write nothing twice
            breach = Breach.objects.filter(standard=standard, began_entry=finding.begun.number).first()
            if breach is None:
                cls._made(standard, finding, at)._record("standard.breached", at=at)
                return True
            if breach.ended_entry != (finding.ended.number if finding.ended else None):
                breach.ended_entry = finding.ended.number if finding.ended else None
                breach.ended_at, breach.held = finding.ended.at if finding.ended else None, finding.held
                breach.save(update_fields=["ended_entry", "ended_at", "held"])
                breach._record(
                    "standard.answered_late" if finding.ended else "standard.unanswered_again", at=at
                )
            return False

    @classmethod
    def _made(cls, standard: Standard, finding: Finding, at: datetime) -> "Breach":
        facts, owed = finding.begun.facts, finding.owed_when_due
        subject = int(finding.begun.subject.partition(":")[2])
        case_id: int = subject if standard.is_of_cases else facts.get("case") or 0
        case = Case.objects.filter(pk=case_id).first()
        conversation_id: int = (case.conversation_id if case else facts.get("conversation")) or 0
        return Breach.objects.create(
            standard=standard,
            subject=finding.begun.subject,
            case=case,
            conversation=Conversation.objects.filter(pk=conversation_id).first(),
            began_entry=finding.begun.number,
            began_at=finding.begun.at,
            due_at=finding.due_at,
            ended_entry=finding.ended.number if finding.ended else None,
            ended_at=finding.ended.at if finding.ended else None,
            owner=owed.get("owner") or "",
            queue=owed.get("queue") or "",
            held=finding.held,
            compensation=standard.compensation,
            found_at=at,
        )

    def excuse(self, *, by: User, at: datetime, why: str) -> None:
        """It does not count: the customer was to blame, or nothing could be done. It stays on the list, with the reason.

        Raises:
            ValueError: no reason was given.
        """
        if not why.strip():
            raise ValueError("why: say why this breach does not count")
        self._set_excuse(at, by, why.strip(), "standard.excused", at)

    def count_again(self, *, by: User, at: datetime) -> None:
        """An excuse is taken back."""
        self._set_excuse(None, by, "", "standard.counts_again", at)

    def _set_excuse(self, excused_at: datetime | None, by: User, why: str, action: str, at: datetime) -> None:
        with transaction.atomic():
            self.excused_at, self.excused_by, self.excused_why = excused_at, by if excused_at else None, why
            self.save(update_fields=["excused_at", "excused_by", "excused_why"])
            record(actor_of(by), action, str(self), at=at, why=why)

    @property
    def lateness(self) -> timedelta | None:
        """Of the clock, day and night, from the time due to the answer; None while there is none."""
        return self.ended_at - self.due_at if self.ended_at else None

    def _record(self, action: str, *, at: datetime) -> None:
        record(
            "machine:desk",
            action,
            str(self),
            at=at,
            facts={
                "standard": self.standard.code,
                "of": self.subject,
                "began": self.began_entry,
                "began_at": self.began_at,
                "due_at": self.due_at,
                "ended": self.ended_entry,
                "ended_at": self.ended_at,
                "owner": self.owner or None,
                "queue": self.queue,
                "compensation": self.compensation,
            },
        )


@dataclass(frozen=True)
class MonthOfStandard:
    """One row of the regulator's report. Money in Omani rials."""

    standard: Standard
    begun: int
    breaches: int
    unanswered: int
    excused: int
    compensation: Decimal


def month_report(first: date) -> list[MonthOfStandard]:
    """Of every standard in force in the month that begins with ``first``: what began in it, and what fell due in it in vain."""
    begin, end = month_of(first)
    counts = (
        Count("pk"),
        Count("pk", filter=Q(ended_at=None)),
        Count("pk", filter=Q(excused_at__isnull=False)),
    )
    found = {
        row["standard"]: row
        for row in Breach.objects.filter(due_at__gte=begin, due_at__lt=end)
        .values("standard")
        .annotate(
            breaches=counts[0],
            unanswered=counts[1],
            excused=counts[2],
            owed=Sum("compensation", filter=Q(excused_at=None)),
        )
        .order_by()
    }
    in_force = Q(in_force_from__lt=timezone.localdate(end)) & (
        Q(in_force_until=None) | Q(in_force_until__gte=first)
    )
    rows = []
    for standard in Standard.objects.filter(in_force | Q(pk__in=found)).select_related(
        "case_kind", "calendar"
    ):
        row: Any = found.get(standard.pk, {})
        rows.append(
            MonthOfStandard(
                standard,
                standard.begun_between(begin, end),
                row.get("breaches", 0),
                row.get("unanswered", 0),
                row.get("excused", 0),
                row.get("owed") or Decimal(0),
            )
        )
    return rows


def month_of(first: date) -> tuple[datetime, datetime]:
    """The first moment of a month in the utility's time zone, and that of the next."""
    zone = timezone.get_default_timezone()
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    return datetime.combine(first.replace(day=1), time.min, zone), datetime.combine(following, time.min, zone)


def record_all_breaches(at: datetime) -> int:
    """Write down what is not yet, and when what was late came after all; harmless to repeat (G12).

    Returns:
        How many breaches are new.
    """
    standards = Standard.objects.select_related("case_kind", "calendar")
    return sum(
        Breach.write_down(standard, finding, at)
        for standard in standards
        for finding in standard.findings(at)
    )
