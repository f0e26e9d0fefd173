"""A case as its customer sees it: in words, and nothing of what is for staff."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rasd.channels.models import Incoming
from rasd.desk.models import Case, CaseEntry, Rating
from rasd.flows.words import moment

Stage = Case.Stage
Kind = CaseEntry.Kind

STEPS: tuple[tuple[str | Promise, frozenset[str]], ...] = (
    (gettext_lazy("Received"), frozenset({Stage.OPEN})),
    (gettext_lazy("Being worked on"), frozenset({Stage.WORKING, Stage.CUSTOMER, Stage.ANSWERED})),
    (pgettext_lazy("case", "Settled"), frozenset({Stage.CLOSED})),
)
"""The way of every case, with the stages that each step stands for."""

HEADINGS: dict[str, str | Promise] = {
    Kind.SAID: gettext_lazy("We wrote"),
    Kind.HEARD: gettext_lazy("You wrote"),
    Kind.CLOSING: gettext_lazy("Our answer"),
    Kind.CLOSED: gettext_lazy("The request was closed"),
    Kind.REOPENED: gettext_lazy("The request was opened again"),
    Kind.RATED: gettext_lazy("You told us how it was settled"),
}
SENT: dict[str, str | Promise] = {
    Incoming.Kind.IMAGE: gettext_lazy("You sent a photograph"),
    Incoming.Kind.DOCUMENT: gettext_lazy("You sent a document"),
    Incoming.Kind.AUDIO: gettext_lazy("You sent a voice note"),
    Incoming.Kind.VIDEO: gettext_lazy("You sent a video"),
    Incoming.Kind.LOCATION: gettext_lazy("You sent a location"),
    Incoming.Kind.CONTACTS: gettext_lazy("You sent a contact card"),
    Incoming.Kind.UNSUPPORTED: gettext_lazy("You sent something that WhatsApp did not pass on to us"),
}
"""What he sent in the conversation that is no text. In words: who has the page's address may not be who took the photograph."""

STAGES: dict[str, str | Promise] = {
    Stage.OPEN: gettext_lazy("The request was received"),
    Stage.WORKING: gettext_lazy("We are working on it"),
    Stage.CUSTOMER: gettext_lazy("We wait for your answer"),
}


@dataclass(frozen=True)
class Step:
    """One of the picture's steps. state: done, now or next."""

    words: str | Promise
    state: str


@dataclass(frozen=True)
class Line:
    """One thing that happened. whose: ours, yours, or empty for what nobody said."""

    heading: str | Promise
    text: str
    whose: str
    at: datetime


class Shown:
    """What the page says of ``case`` at a moment."""

    def __init__(self, case: Case, at: datetime) -> None:
        self.case, self.at = case, at
        self.work = case.work
        self.rating = case.rating
        self.is_closed = case.stage == Stage.CLOSED
        self.may_reopen = case.may_reopen(at)
        self.may_rate = self.is_closed
        self.reopens_until = localdate(case.reopens_until) if case.reopens_until else None

    @property
    def steps(self) -> list[Step]:
        now = next(place for place, (_words, stages) in enumerate(STEPS) if self.case.stage in stages)
        last = len(STEPS) - 1
        return [
            Step(words, "done" if place < now or now == last else "now" if place == now else "next")
            for place, (words, _stages) in enumerate(STEPS)
        ]

    @property
    def turn(self) -> str:
        """Whose it is to do something now."""
        if self.is_closed:
            return _("This request is closed. Nothing more is to be done.")
        if self.case.whose_turn == Case.Turn.CUSTOMER:
            return _("It is your turn: we need an answer from you before we can go on.")
        if self.case.stage == Stage.ANSWERED:
            return _("We have answered: the answer is on its way to you.")
        return _("It is our turn: you need not do anything.")

    @property
    def is_theirs(self) -> bool:
        return self.case.whose_turn == Case.Turn.CUSTOMER

    @property
    def due(self) -> str:
        """Until when it is to be settled, in words and with the date; empty where that is over or stands still."""
        if self.work is None or self.is_closed or self.case.stage == Stage.ANSWERED:
            return ""
        if self.work.running_since is None:
            return _("Our time stands still until you have answered.")
        when = {"when": moment(self.work.due_at, year=True)}
        if self.work.is_late(self.at):
            return _("It should have been settled by %(when)s. We are late, and we are sorry for it.") % when
        days = (localdate(self.work.due_at) - localdate(self.at)).days
        if days == 0:
            return _("We aim to settle it today: by %(when)s.") % when
        if days == 1:
            return _("We aim to settle it by tomorrow: %(when)s.") % when
        return (
            _("We aim to settle it by %(when)s.") % when
        )  # what is counted in days differs from one page to another

    @property
    def promised(self) -> list[str]:
        """What he was promised in it and is not kept, each with its moment: that holds, whatever the whole is due by."""
        if self.is_closed or self.case.conversation is None:
            return []
        told = []
        for promise in self.case.conversation.promises.filter(message__case_entries__case=self.case):
            what = {"when": moment(promise.due_at, year=True), "words": f"\u2068{promise.words}\u2069"}
            if promise.is_late(self.at):
                told.append(_("Promised by %(when)s, and we are late: “%(words)s”") % what)
            else:
                told.append(_("Promised by %(when)s: “%(words)s”") % what)
        return told

    @property
    def lines(self) -> list[Line]:
        told = self.case.public_entries().select_related("message__incoming")
        return [line for entry in told if (line := _line(entry))]

    @property
    def scores(self) -> list[tuple[int, str, bool]]:
        """The best first; each with whether it was chosen."""
        chosen = self.rating.score if self.rating else None
        return [(score.value, str(score.label), score == chosen) for score in reversed(Rating.Score)]


ZONES: dict[str, str | Promise] = {"Asia/Muscat": gettext_lazy("Muscat")}
"""Whose city has a name in the customers' languages; others are shown as the zone is called."""


def zone() -> str:
    """The zone's city, for the foot of the page."""
    if known := ZONES.get(settings.TIME_ZONE):
        return str(known)
    return settings.TIME_ZONE.rpartition("/")[2].replace("_", " ")


def _line(entry: CaseEntry) -> Line | None:
    whose = {Kind.SAID: "ours", Kind.CLOSING: "ours", Kind.HEARD: "yours", Kind.RATED: "yours"}.get(
        Kind(entry.kind), ""
    )
    sent = SENT.get(entry.message.incoming.kind) if entry.message and entry.message.incoming else None
    heading = HEADINGS.get(entry.kind) or STAGES.get(entry.stage)
    if entry.kind == Kind.HEARD:
        heading = sent or heading
    elif entry.kind == Kind.OPENED:
        whose = "yours" if entry.text else ""
        heading = sent or HEADINGS[Kind.HEARD] if entry.text else STAGES[Stage.OPEN]
    return Line(heading, entry.text, whose, entry.at) if heading else None
