"""What the pages of the account show: periods, rows in an order, pictures, and words. The figures are ``rasd.desk.account``'s."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rasd.channels.models import Media
from rasd.desk.account import BINS, Figure, Figures, Scope, bin_edges
from rasd.desk.models import AccountDay, AccountStretch, Conversation, Obligation, Weekday
from rasd.metering.trial import Share

FEW = 10  # fewer prove nothing: hatched, and said
LONGEST = 366  # days of a period
WEEK_BEGINS = Weekday.SUNDAY  # as Oman's working week does
BINS_A_BAR = 3  # of the picture: each bar is twice as late as the one before

SCOPES = {
    Scope.PERSON: gettext_lazy("Employees"),
    Scope.QUEUE: gettext_lazy("Queues"),
    Scope.LINE: gettext_lazy("Lines"),
}
PERIODS = {
    "today": gettext_lazy("Today"),
    "week": gettext_lazy("This week"),
    "month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
}
FIGURES: dict[str, str | Promise] = {
    Figure.IN_TIME: gettext_lazy("Answered in time"),
    Figure.LATE: gettext_lazy("Answered late"),
    Figure.HANDED_LATE: gettext_lazy("Handed on late"),
    Figure.INHERITED: gettext_lazy("Was late when it came"),
    Figure.HANDED: gettext_lazy("Handed on"),
    Figure.TAKEN: gettext_lazy("Went back at the end of a shift, or was moved"),
    Figure.WAIVED: gettext_lazy("Needed no answer"),
    Figure.WAITING: gettext_lazy("Waits still"),
    Figure.HELPED: gettext_lazy("Answered for others, or from the queue"),
}
COLUMNS: dict[str, str | Promise] = {
    "name": gettext_lazy("Name"),
    "owed": gettext_lazy("Owed"),
    "in_time": gettext_lazy("In time"),
    "late": gettext_lazy("Late"),
    "how_late": gettext_lazy("How late"),
    "handed": gettext_lazy("Handed on"),
    "came_back": gettext_lazy("Came back"),
    "waiting_now": gettext_lazy("Waits now"),
}


@dataclass(frozen=True)
class Period:
    """Days, both included; ``name`` is one of ``PERIODS``, or empty for days that were chosen."""

    name: str
    first: date
    last: date

    @classmethod
    def asked(cls, form: QueryDict, today: date) -> "Period":
        """The month where nothing that can be read is asked for."""
        try:
            first, last = date.fromisoformat(form.get("from", "")), date.fromisoformat(form.get("to", ""))
        except ValueError:
            return cls.named(form.get("period", ""), today)
        first, last = min(first, last), max(first, last)
        return cls("", max(first, last - timedelta(days=LONGEST)), last)

    @classmethod
    def named(cls, name: str, today: date) -> "Period":
        month = today.replace(day=1)
        before = (month - timedelta(days=1)).replace(day=1)
        days = {
            "today": (today, today),
            "week": (today - timedelta(days=(today.weekday() - WEEK_BEGINS) % 7), today),
            "month": (month, today),
            "last_month": (before, month - timedelta(days=1)),
        }
        name = name if name in days else "month"
        return cls(name, *days[name])

    @property
    def query(self) -> str:
        if self.name:
            return f"period={self.name}"
        return f"from={self.first:%Y-%m-%d}&to={self.last:%Y-%m-%d}"


@dataclass(frozen=True)
class Part:
    """A stretch of the bar: per cent of what was owed."""

    figure: str
    count: int
    start: float
    width: float

    @property
    def words(self) -> Any:
        return FIGURES[self.figure]


@dataclass(frozen=True)
class Row:
    """One account, as it stands in a list."""

    scope: str
    name: str
    shown: str
    figures: Figures

    @property
    def share(self) -> Share:
        """In time, of what was his own and is known."""
        return Share(self.figures.in_time, self.figures.his_own)

    @property
    def late(self) -> int:
        return self.figures.late + self.figures.handed_late

    @property
    def handed(self) -> int:
        return self.figures.handed + self.figures.handed_late

    @property
    def is_few(self) -> bool:
        return self.figures.his_own < FEW

    @property
    def parts(self) -> list[Part]:
        owed, start, parts = self.figures.owed or 1, 0.0, []
        for figure in (each for each in FIGURES if each != Figure.HELPED):
            count = getattr(self.figures, figure)
            parts.append(Part(figure, count, start, 100 * count / owed))
            start += 100 * count / owed
        return parts

    @property
    def spread(self) -> "Spread | None":
        quartiles = self.figures.quartiles
        return Spread(*quartiles, self.figures.worst) if quartiles else None


@dataclass(frozen=True)
class Spread:
    """How late: seconds that a quarter, a half, three quarters did not exceed, and the worst; ``x_…`` on a drawing 100 wide whose
    every tenth or so is twice as late as the one before."""

    low: float
    middle: float
    high: float
    worst: float

    @property
    def places(self) -> dict[str, float]:
        low, middle, high, worst = map(place_of, (self.low, self.middle, self.high, self.worst))
        return {"low": low, "middle": middle, "width": max(high - low, 1.0), "high": high, "worst": worst}


@dataclass(frozen=True)
class Bar:
    """``until``: seconds; of a drawing 100 high."""

    count: int
    until: float
    start: float
    width: float
    height: float
    is_labelled: bool

    @property
    def top(self) -> float:
        return 100 - self.height


def place_of(seconds: float) -> float:
    """On the drawing that is 100 wide: the times grow from one side to the other by doubling."""
    from rasd.desk.account import bin_of

    return 100 * (bin_of(seconds) + 0.5) / BINS


def bars(figures: Figures) -> list[Bar]:
    """How late, as bars; up to the last that is not empty, but eight at least."""
    sums = [sum(figures.bins[at : at + BINS_A_BAR]) for at in range(0, BINS, BINS_A_BAR)]
    used = max((at for at, count in enumerate(sums) if count), default=0) + 1
    shown, most = sums[: max(8, used)], max(sums) or 1
    step = 100 / len(shown)
    return [
        Bar(
            count,
            bin_edges(at * BINS_A_BAR + BINS_A_BAR - 1)[1],
            at * step,
            step - 1,
            100 * count / most,
            at % 2 == 1,
        )
        for at, count in enumerate(shown)
    ]


ORDERS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.shown.casefold(),
    "owed": lambda row: -row.figures.owed,
    "in_time": lambda row: (row.share.low, -row.figures.owed),  # by what is proven, not by two of two
    "late": lambda row: -row.late,
    "how_late": lambda row: -row.figures.worst,
    "handed": lambda row: -row.handed,
    "came_back": lambda row: -row.figures.came_back,
    "waiting_now": lambda row: (-row.figures.waiting_late, -row.figures.waiting_now),
}


def rows(scope: Scope, period: Period, at: datetime, *, sort: str = "owed", name: str = "") -> list[Row]:
    found = AccountDay.figures(scope, period.first, period.last, at, name)
    if name:
        found.setdefault(name, Figures())
    people = names(found) if scope == Scope.PERSON else {}
    made = [Row(scope, one, people.get(one, one), figures) for one, figures in found.items()]
    return sorted(made, key=ORDERS.get(sort, ORDERS["owed"]))


def names(usernames: Iterable[str]) -> dict[str, str]:
    """As people are called, of those who are known by more than their username."""
    users = User.objects.filter(username__in=list(usernames))
    return {user.username: user.get_full_name() or user.username for user in users}


def may_see(user: User, scope: str, name: str, permission: str) -> bool:
    return bool(user.has_perm(permission) or (scope == Scope.PERSON and name == user.get_username()))


def behind(obligation: int) -> Conversation | None:
    """The conversation in which it is owed, or that of its case."""
    # Asked for first: with an "or" over both ways every conversation is read.
    owed = Obligation.objects.filter(pk=obligation)
    rows = Conversation.objects.select_related("address", "contact", "line")
    return rows.filter(pk__in=owed.values(where=Coalesce("conversation", "case__conversation"))).first()


def is_behind_one(sha256: str) -> bool:
    """Whether a file came in a conversation in which something was owed, or a case of which: behind some figure."""
    sent = Media.objects.filter(sha256=sha256)
    owing = Q(incoming__message__conversation__obligations__isnull=False)
    owing |= Q(incoming__message__conversation__cases__obligations__isnull=False)
    return sent.filter(owing).exists()


def had_it(user: User, obligation: int) -> bool:
    """Whether it ever was in this person's hands, or answered by them."""
    return AccountStretch.objects.filter(
        scope=Scope.PERSON, name=user.get_username(), obligation=obligation
    ).exists()


def rows_as_csv(made: Iterable[Row]) -> str:
    heads = [_("Name"), _("Owed"), *(str(FIGURES[figure]) for figure in FIGURES), _("Came back")]
    heads += [_("Waits now"), _("Of these late"), _("Late, a quarter within (seconds)")]
    heads += [_("Half within (seconds)"), _("Three quarters within (seconds)"), _("Worst (seconds)")]
    lines = [
        [
            row.shown,
            row.figures.owed,
            *(getattr(row.figures, figure) for figure in FIGURES),
            row.figures.came_back,
            row.figures.waiting_now,
            row.figures.waiting_late,
            *(map(round, row.figures.quartiles or ()) if row.figures.quartiles else ("", "", "")),
            row.figures.worst,
        ]
        for row in made
    ]
    return as_csv(heads, lines)


def stretches_as_csv(stretches: Iterable[AccountStretch]) -> str:
    heads = [
        _("Obligation"),
        _("Conversation"),
        _("Queue"),
        _("Line"),
        _("From"),
        _("Due"),
        _("Until"),
        _("What became of it"),
    ]
    heads += [_("Seconds late"), _("Came back"), _("Ledger entry, from"), _("Ledger entry, until")]
    lines = [
        [
            one.obligation,
            one.conversation or "",
            one.queue,
            one.line,
            *(
                timezone.localtime(each).isoformat(timespec="seconds") if each else ""
                for each in (one.begin, one.due_at, one.until)
            ),
            str(FIGURES[one.figure]),
            one.late,
            int(one.came_back),
            one.began,
            one.ended or "",
        ]
        for one in stretches
    ]
    return as_csv(heads, lines)


def as_csv(heads: list[str], lines: Iterable[list[Any]]) -> str:
    """As spreadsheets take it: with a mark that it is UTF-8, and no cell that they would calculate."""
    out = StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(heads)
    for line in lines:
        writer.writerow(
            [
                f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell
                for cell in line
            ]
        )
    return out.getvalue()
