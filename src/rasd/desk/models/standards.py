"""Guaranteed standards: what a regulator promises customers, by when, and what each breach costs the utility.

A breach is found by the system itself, and from the ledger alone: from when to when, who owed it meanwhile, and how long it
was the customer's turn all stand in entries that nobody can edit (G12).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from rasd.desk import hours
from rasd.desk.models.calendars import Calendar
from rasd.desk.models.case_kinds import CaseKind
from rasd.desk.models.obligations import Obligation
from rasd.desk.models.queues import Matter
from rasd.ledger.models import Entry

LOOKS_BACK = timedelta(days=400)
"""Before now, in which beginnings are looked at: what is older was found long ago."""

AT_A_TIME = 500  # beginnings whose entries are fetched together

FAR = 10 * LOOKS_BACK  # of a wait for the customer that has not ended
CLOCKS_GO_FORWARD = timedelta(hours=1)  # by which a day may be shorter than 24 hours

ENDS: dict[str, tuple[str, ...]] = {
    "obligation.answered": ("obligation.answered", "obligation.waived", "obligation.done"),
    "case.said": ("case.said", "case.closed"),
    "case.closed": ("case.closed",),
}
"""What ends a measurement → the actions that do."""

UNDONE: dict[str, tuple[str, ...]] = {
    "obligation.answered": ("obligation.owed_again",),
    "case.said": (),
    "case.closed": ("case.failed",),
}
"""What takes such an end back: the answer could not be delivered after all."""

RUNS_AGAIN = ("obligation.resumed", "obligation.owed", "obligation.owed_again", *ENDS["obligation.answered"])
HOLDERS = ("obligation.owed", "obligation.given", "obligation.moved", "obligation.owed_again")


class Standard(models.Model):
    """One promise of the regulator's: from which entry of the ledger to which, within what, and what a breach costs."""

    class Begins(models.TextChoices):
        OWED = "obligation.owed", _("a message is owed an answer, or something was promised")
        OPENED = "case.opened", _("a case is opened")
        REOPENED = "case.reopened", _("a case is opened again")

    class Ends(models.TextChoices):
        ANSWERED = "obligation.answered", _("an answer that the customer could receive")
        SAID = "case.said", _("our first word to the customer about the case")
        CLOSED = "case.closed", _("the case's written answer")

    class Unit(models.TextChoices):
        WORKING_DAYS = "working_days", _("working days")
        WORKING_HOURS = "working_hours", _("working hours")
        DAYS = "days", _("days, day and night")
        HOURS = "hours", _("hours, day and night")

    code = models.SlugField(_("code"), unique=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    begins = models.CharField(_("measured from"), max_length=30, choices=Begins)
    ends = models.CharField(_("measured to"), max_length=30, choices=Ends)
    kind = models.CharField(
        _("of what is owed"),
        max_length=10,
        choices=Obligation.Kind,
        blank=True,
        help_text=_("for what is owed; empty: any"),
    )
    matter = models.CharField(
        _("matter"), max_length=20, choices=Matter, blank=True, help_text=_("empty: any")
    )
    case_kind = models.ForeignKey(
        CaseKind,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="standards",
        verbose_name=_("kind of case"),
        help_text=_("for cases; empty: any"),
    )
    limit = models.PositiveSmallIntegerField(_("within"), validators=[MinValueValidator(1)])
    unit = models.CharField(_("counted in"), max_length=15, choices=Unit)
    calendar = models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="standards",
        verbose_name=_("working hours"),
        help_text=_("by which working days and hours are counted; empty for day and night"),
    )
    stops_for_customer = models.BooleanField(_("stands still while it is the customer's turn"), default=True)
    compensation = models.DecimalField(
        _("compensation"),
        max_digits=7,
        decimal_places=3,
        validators=[MinValueValidator(0)],
        help_text=_("in Omani rials, of each breach"),
    )
    source = models.TextField(
        _("source"), blank=True, help_text=_("where it is laid down; or that it is an example")
    )
    in_force_from = models.DateField(_("in force from"), help_text=_("what began earlier is not measured"))
    in_force_until = models.DateField(_("in force until"), null=True, blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name, verbose_name_plural = _("guaranteed standard"), _("guaranteed standards")

    def __str__(self) -> str:
        return self.name_ar if (get_language() or "").startswith("ar") else self.name_en

    def clean(self) -> None:
        """Raises ValidationError where nothing could ever be measured by it."""
        if self.begins.partition(".")[0] != self.ends.partition(".")[0]:
            raise ValidationError(
                {
                    "ends": _(
                        "What begins with a case ends with the case, what begins with a debt with the debt."
                    )
                }
            )
        if self.is_of_cases and self.kind:
            raise ValidationError({"kind": _("Leave this empty: a case is measured, not a single debt.")})
        if not self.is_of_cases and self.case_kind_id:
            raise ValidationError({"case_kind": _("Leave this empty: this measures no cases.")})
        if self.counts_working_time and self.calendar is None:
            raise ValidationError({"calendar": _("Say by which working hours the time is counted.")})
        if not self.counts_working_time and self.calendar is not None:
            raise ValidationError({"calendar": _("Leave this empty: day and night are counted.")})
        if self.in_force_until and self.in_force_from and self.in_force_until < self.in_force_from:
            raise ValidationError({"in_force_until": _("This is before the first day.")})
        if self.counts_working_time and self.limit and self.due(timezone.now(), []) is None:
            raise ValidationError({"calendar": _("These working hours never open: nothing could be late.")})

    @property
    def is_of_cases(self) -> bool:
        return self.begins.startswith("case.")

    @property
    def counts_working_time(self) -> bool:
        return self.unit in {self.Unit.WORKING_DAYS, self.Unit.WORKING_HOURS}

    def due(self, begin: datetime, pauses: Sequence[tuple[datetime, datetime]]) -> datetime | None:
        """The last moment, in UTC, that keeps it.

        Working days end at midnight of the calendar's zone and begin with the first after the day of ``begin``; a day on
        which it was the customer's turn all the time is none. None where there is no such moment within 400
        days: it is still the customer's turn.
        """
        working: hours.Working = self._working
        if self.stops_for_customer:
            working = hours.Without(working, list(pauses))
        try:
            if self.unit == self.Unit.WORKING_DAYS:
                return self._end_of_working_day(working, begin)
            length = (
                timedelta(days=self.limit) if self.unit == self.Unit.DAYS else timedelta(hours=self.limit)
            )
            return hours.after(working, begin, length)
        except hours.NeverOpen:
            return None

    def findings(self, at: datetime) -> Iterator["Finding"]:
        """What the ledger says of everything that it measures and that was not in time at ``at``."""
        begun = list(self._suspects(at))
        for start in range(0, len(begun), AT_A_TIME):
            batch = begun[start : start + AT_A_TIME]
            told = _entries_about(batch)
            for entry in batch:
                if (finding := self._judge(entry, told[entry.subject], at)) is not None:
                    yield finding

    def begun_between(self, begin: datetime, end: datetime) -> int:
        """How many measurements began; by the ledger."""
        return self._beginnings().filter(at__gte=begin, at__lt=end).count()

    @property
    def _zone(self) -> ZoneInfo:
        return self.calendar.time_zone if self.calendar else ZoneInfo(settings.TIME_ZONE)

    @property
    def _working(self) -> hours.Working:
        """Read once: a night's pass asks it for every suspect."""
        if not hasattr(self, "_hours"):
            self._hours = self.calendar.hours if self.calendar else hours.RoundTheClock()
        return self._hours

    def _end_of_working_day(self, working: hours.Working, begin: datetime) -> datetime:
        day, left = begin.astimezone(self._zone).date(), self.limit
        for _day in range(LOOKS_BACK.days):
            day += timedelta(days=1)
            midnight, next_midnight = (
                _midnight(each, self._zone).astimezone(UTC) for each in (day, day + timedelta(days=1))
            )
            left -= next(working.spans(midnight, next_midnight), None) is not None
            if left == 0:
                return next_midnight
        raise hours.NeverOpen(
            f"no {self.limit} working days in the {LOOKS_BACK.days} after {begin.isoformat()}"
        )

    def _beginnings(self) -> QuerySet[Entry]:
        """The entries from which it measures. The day of the standard's end is still in force."""
        found = Entry.objects.filter(action=self.begins, at__gte=_midnight(self.in_force_from, self._zone))
        if self.in_force_until:
            found = found.filter(at__lt=_midnight(self.in_force_until + timedelta(days=1), self._zone))
        if self.kind:
            found = found.filter(facts__kind=self.kind)
        if self.is_of_cases and (self.matter or self.case_kind):
            return found.filter(Exists(self._openings()))
        if self.matter:
            found = found.filter(facts__matter=self.matter)
        return found

    def _openings(self) -> QuerySet[Entry]:
        """Where a case was opened as one of the kinds that are meant: its ledger tells the kind there and nowhere else."""
        kinds = CaseKind.objects.filter(matter=self.matter) if self.matter else CaseKind.objects.all()
        if self.case_kind:
            kinds = kinds.filter(pk=self.case_kind.pk)
        codes = list(kinds.values_list("code", flat=True))
        return Entry.objects.filter(subject=OuterRef("subject"), action="case.opened", facts__kind__in=codes)

    def _suspects(self, at: datetime) -> QuerySet[Entry]:
        """Beginnings that did not end within the limit of day and night, which no working time is shorter than."""
        of_days = self.unit in {self.Unit.DAYS, self.Unit.WORKING_DAYS}
        shortest = self.limit * (timedelta(days=1) if of_days else timedelta(hours=1)) - CLOCKS_GO_FORWARD
        later = Entry.objects.filter(subject=OuterRef("subject"), number__gt=OuterRef("number"))
        in_time = later.filter(action__in=ENDS[self.ends], at__lte=OuterRef("at") + shortest)
        return (
            self._beginnings()
            .filter(at__gte=at - LOOKS_BACK, at__lte=at - shortest)
            .filter(~Exists(in_time) | Exists(later.filter(action__in=UNDONE[self.ends])))
            .order_by("number")
        )

    def _judge(self, begun: Entry, told: Sequence[Entry], at: datetime) -> "Finding | None":
        """None: kept so far."""
        after = [entry for entry in told if entry.number >= begun.number and entry.at <= at]
        ended: Entry | None = None
        for entry in after:
            if entry.subject != begun.subject:
                continue
            if entry.action in UNDONE[self.ends]:
                ended = None
            elif ended is None and entry.action in ENDS[self.ends]:
                ended = entry
        due = self.due(begun.at, _pauses(after))
        if due is None or (ended.at if ended else at) <= due:
            return None
        return Finding(begun, ended, due, _holders(after, until=ended.at if ended else None))


@dataclass(frozen=True)
class Finding:
    """A breach as the ledger tells it. ``held``: who owed it, one after the other."""

    begun: Entry
    ended: Entry | None
    due_at: datetime
    held: list[dict[str, Any]]

    @property
    def owed_when_due(self) -> dict[str, Any]:
        """Who owed it when its time was over."""
        due = self.due_at.isoformat()
        return next(
            (one for one in reversed(self.held) if one["from"] <= due), self.held[0] if self.held else {}
        )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone)


def _entries_about(begun: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Subject → its entries, those of a case's work among them, in order."""
    work: dict[str, str] = {
        str(obligation): f"case:{obligation.case_id}"
        for obligation in Obligation.objects.filter(
            kind=Obligation.Kind.WORK,
            case__in=[
                int(entry.subject.partition(":")[2]) for entry in begun if entry.subject.startswith("case:")
            ],
        ).only("case_id")
    }
    told: dict[str, list[Entry]] = defaultdict(list)
    subjects = {entry.subject for entry in begun}
    for entry in Entry.objects.filter(subject__in=subjects | work.keys()).order_by("number"):
        told[work.get(entry.subject, entry.subject)].append(entry)
    return told


def _pauses(told: Sequence[Entry]) -> list[tuple[datetime, datetime]]:
    """When it was the customer's turn."""
    pauses: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for entry in told:
        if entry.action == "obligation.paused":
            since = since or entry.at
        elif since and entry.action in RUNS_AGAIN:
            pauses.append((since, entry.at))
            since = None
    return [*pauses, (since, since + FAR)] if since else pauses


def _holders(told: Sequence[Entry], *, until: datetime | None) -> list[dict[str, Any]]:
    """Who owed it from when to when; where it went on without changing hands, one stretch."""
    held: list[dict[str, Any]] = []
    for entry in told:
        who = {"owner": entry.facts.get("owner"), "queue": entry.facts.get("queue")}
        if entry.action not in HOLDERS or (until and entry.at > until):
            continue
        if held and {"owner": held[-1]["owner"], "queue": held[-1]["queue"]} == who:
            continue
        if held:
            held[-1]["until"] = entry.at.isoformat()
        held.append({"entry": entry.number, "from": entry.at.isoformat(), "until": None, **who})
    if held:
        held[-1]["until"] = until.isoformat() if until else None
    return held
