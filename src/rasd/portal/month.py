"""An account's month as its customer sees it: what was read, with the photographs, and how the bill's number came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rasd.desk.models import Case
from rasd.flows.account_page import dispute_of
from rasd.flows.words import amount, day, moment
from rasd.metering.models import (
    Account,
    Adoption,
    Billed,
    Cycle,
    FieldRead,
    Photograph,
    Reading,
    ServicePoint,
    Submission,
)
from rasd.metering.truing import short_way

ROUNDS = 13  # months that can be looked at: a year, and the one before it to compare with
Source = Reading.Source


WHOSE: dict[str, str | Promise] = {
    "manual": gettext_lazy(
        "One of us adopted this number by hand, having looked at everything that was read."
    ),
    "final": gettext_lazy("It is the last reading of a meter that was taken down."),
    "field": gettext_lazy("It is our meter reader's reading. Where you read too, the two are compared."),
    "smart": gettext_lazy("Your meter sent it by itself."),
    "customer": gettext_lazy("It is your own reading."),
    "estimate": gettext_lazy("It is an estimate, as nobody read the meter."),
}
"""By the rows of :data:`rasd.metering.adopting.PRECEDENCE`, of which the last four are also a reading's sources."""

READ: dict[str, str | Promise] = {
    Source.CUSTOMER: gettext_lazy("Your reading"),
    Source.FIELD: gettext_lazy("Our meter reader's reading"),
    Source.SMART: gettext_lazy("The meter's own reading"),
    Source.ESTIMATE: gettext_lazy("Estimate"),
}


@dataclass(frozen=True)
class Line:
    """One thing that was read or brought in. ``photographs``: SHA-256 of those that may be shown here."""

    what: str
    value: str
    at: datetime
    photographs: Sequence[str]
    is_billed: bool


def photographs_of(account: Account) -> Q:
    """Which photographs the page of ``account`` shows: those that its own contacts sent of its points, and readers took there.

    Not those of who lived there before, and had another account.
    """
    theirs = list(account.contacts.values_list("identifier", flat=True))
    sent = Q(submission__service_point__account=account, submission__identifier__in=theirs)
    return sent | Q(field_read__service_point__account=account)


def rounds_of(account: Account, at: datetime) -> list[Cycle]:
    """The months that there is something to show of, the newest first; the one that is on where there is none."""
    points = account.service_points.all()
    # By what came of these points, and never by the cycles joined with all that came of everybody's.
    of_theirs = Q(service_point__in=points, cycle__isnull=False)
    has = (
        Q(pk__in=Adoption.objects.filter(of_theirs).values("cycle"))
        | Q(pk__in=Submission.objects.filter(of_theirs).values("cycle"))
        | Q(pk__in=FieldRead.objects.filter(of_theirs).values("cycle"))
    )
    found = list(Cycle.objects.filter(has).order_by("-name")[:ROUNDS])
    now = Cycle.latest(at, points.first())
    return found or ([now] if now else [])


class Number:
    """What one register is billed on in one cycle, and how the bill's number came about."""

    def __init__(self, adoption: Adoption, window: dict[str, str]) -> None:
        self.adoption, self.window = adoption, window
        self.register = adoption.register
        self.unit = self.register.unit

    @property
    def value(self) -> str:
        return self.register.as_shown(self.adoption.reading.value)

    @property
    def is_estimate(self) -> bool:
        return self.adoption.reading.source == Source.ESTIMATE

    @property
    def whose(self) -> str:
        """Whose reading is billed: the row of the table of precedence (G2), as one says it to the customer."""
        return str(WHOSE.get(self.adoption.rule) or WHOSE[self.adoption.reading.source])

    @property
    def steps(self) -> list[str]:
        """How it came about, in sentences that can be worked through with a pencil."""
        billed = self._billed
        if billed is None or billed.previous_value is None or billed.previous_at is None:
            return [*self._estimate(), *self._used(), *self._true_up()]
        about = {
            "last": self.register.as_shown(billed.previous_value),
            "last_at": moment(billed.previous_at),
            "now": self.register.as_shown(billed.value),
            "now_at": moment(billed.taken_at),
            "apart": amount(short_way(billed.value - billed.previous_value, self.register.digits), self.unit),
            "use": amount(billed.use, self.unit),
        }
        return [
            *self._estimate(),
            _("From %(last)s (%(last_at)s) to %(now)s (%(now_at)s) the counter went on by %(apart)s.")
            % about,
            *self._true_up(),
            _("Billed this month: %(use)s.") % about,
            *self._corrected(billed),
        ]

    @cached_property
    def _billed(self) -> Billed | None:
        known = Billed.objects.select_related("cycle", "register")
        return known.filter(cycle=self.adoption.cycle_id, register=self.register).first()

    def _corrected(self, billed: Billed) -> list[str]:
        by_now = billed.use_by_now()
        if by_now == billed.use and billed.value == self.adoption.reading.value:
            return []
        about = {
            "use": amount(by_now, self.unit),
            "difference": amount(abs(by_now - billed.use), self.unit),
        }
        return [
            _("A reading was put right after this bill: rightly it is %(use)s.") % about,
            _("The rest, %(difference)s, is billed besides.") % about
            if by_now > billed.use
            else _("That was %(difference)s too much: it is given back.") % about,
        ]

    def _used(self) -> list[str]:
        used = self.adoption.consumption()
        if used is None:
            return []
        about = {"used": amount(used.value, used.unit), "since": moment(used.since), "days": used.days}
        return [
            _("Since the last real reading (%(since)s, %(days)s days before): %(used)s.") % about,
            _("The month is not closed yet: the number may still change."),
        ]

    def _estimate(self) -> list[str]:
        made = getattr(self.adoption.reading, "estimate", None)
        if made is None:
            return []
        about = {
            "days": f"{made.days.normalize():f}",
            "use": amount(made.use, self.unit),
            "least": amount(round(made.least, 0), self.unit),
            "most": amount(round(made.most, 0), self.unit),
            "since": moment(made.since),
            **self.window,
        }
        return [
            _("Nobody read the meter in this month, so it is estimated from your use and the season.")
            % about,
            _("For the %(days)s days since %(since)s that makes %(use)s.") % about,
            _("Eight times of ten the true use lies between %(least)s and %(most)s.") % about,
            _(
                "A photograph replaces it: what was estimated too much or too little is put right on that bill."
            ),
        ]

    def _true_up(self) -> list[str]:
        made = getattr(self.adoption, "true_up", None)
        if made is None:
            return []
        about = {
            "since": moment(made.since),
            "used": amount(made.used, self.unit),
            "billed": amount(made.billed, self.unit),
            "own": amount(Decimal(made.facts.get("own", 0)), self.unit),
            "difference": amount(abs(made.difference), self.unit),
            "forgone": amount(made.forgone, self.unit),
        }
        lines = [
            _("Between the real reading before (%(since)s) and this one you used %(used)s.") % about,
            _("Of that, estimates have billed %(billed)s already.") % about,
            _("Spread evenly over the days, %(own)s of it fall on those after the last bill.") % about,
        ]
        if made.forgone:
            lines.append(
                _("%(forgone)s were used more than twelve months ago: you do not pay for them.") % about
            )
        lines.append(
            _("The rest, %(difference)s, is added to this bill.") % about
            if made.difference >= 0
            else _("That was %(difference)s too much: it is taken off this bill.") % about
        )
        return lines


class Month:
    """What the page says of one service point in one cycle."""

    def __init__(self, point: ServicePoint, cycle: Cycle) -> None:
        self.point, self.cycle = point, cycle
        self.meter = point.current_meter
        self.window = dict(zip(("first", "last"), map(day, cycle.days_of(point)), strict=True))
        standing = point.adoptions.filter(cycle=cycle, superseded_at=None).select_related(
            "reading__estimate", "register__meter", "true_up", "cycle"
        )
        # One a register: of two tariffs, or of the meter that was taken down in this month and the one that hangs now.
        in_order = standing.order_by("register__meter__installed_on", "register__name", "pk")
        self.numbers = [Number(one, self.window) for one in in_order]
        self.case: Case | None = dispute_of(point, cycle)

    @property
    def is_of_several_meters(self) -> bool:
        return len({one.register.meter_id for one in self.numbers}) > 1

    @property
    def lines(self) -> list[Line]:
        """Everything that was read in this month, the oldest first."""
        found = [*self._readings(), *self._visits(), *self._unused()]
        return sorted(found, key=lambda line: line.at)

    def _readings(self) -> list[Line]:
        billed = {one.adoption.reading_id for one in self.numbers}
        theirs = self.point.account.contacts.values(
            "identifier"
        )  # not what was sent by who lived there before
        sent = Q(submission=None) | Q(submission__identifier__in=theirs)
        readings = Reading.objects.filter(sent, service_point=self.point, cycle=self.cycle)
        return [
            Line(
                what=str(READ[one.source]),
                value=f"{one.register.as_shown(one.value)} {one.register.unit}",
                at=one.taken_at,
                photographs=self._shown(
                    Q(submission=one.submission_id) if one.submission_id else Q(field_read__reading=one)
                ),
                is_billed=one.pk in billed,
            )
            for one in readings.select_related("register")
        ]

    def _visits(self) -> list[Line]:
        visits = FieldRead.objects.filter(service_point=self.point, cycle=self.cycle, reading=None)
        return [
            Line(
                what=_("The meter reader came"),
                value=str(one.get_no_access_display()) if one.no_access else "",
                at=one.visited_at,
                photographs=self._shown(Q(field_read=one)),
                is_billed=False,
            )
            for one in visits
        ]

    def _unused(self) -> list[Line]:
        """What came from the account's own people and has not become a reading."""
        theirs = self.point.account.contacts.values("identifier")
        sent = Submission.objects.filter(
            service_point=self.point, cycle=self.cycle, readings=None, identifier__in=theirs
        )
        return [
            Line(
                what=_("You sent a photograph") if shown else _("You typed a number"),
                value=one.typed or _("no reading came of it yet"),
                at=one.sent_at,
                photographs=shown,
                is_billed=False,
            )
            for one in sent
            for shown in [self._shown(Q(submission=one))]
        ]

    def _shown(self, which: Q) -> list[str]:
        found = Photograph.objects.filter(which).filter(photographs_of(self.point.account))
        return list(found.order_by("sent_at", "pk").values_list("sha256", flat=True).distinct())
