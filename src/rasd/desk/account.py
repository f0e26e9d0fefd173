"""The account of who owed what (G12): from entries of the ledger to stretches, and from stretches to figures. Pure.

The rule, whole. What is owed lies with somebody from the entry that gave it to him until the entry that took it away or ended
it: that is a *stretch*, and only his stretches are his. There are stretches of three kinds: a person's, a queue's, and a
line's (from first to last, whoever had it). What came while he was off shift lay in the queue, so it is not his.

- **Late** is whoever had it when its time passed: the moment ``due_at`` while its clock ran. Whoever gets it after that has
  *inherited* it; his answer counts as that, neither for him nor against him.
- Handed on, or taken from him, before its time passed: neither in time nor late. After it passed while it was his: *handed on
  late*, told apart.
- "Needs no answer" said in time is *waived*; said after its time had passed while it was his, it is late.
- Owed again, because the channel could not deliver the answer or the case was opened again: the stretch of the answer counts
  as *came back* besides, and a new one begins. Time that passed between them was nobody's.
- Answered by a person who did not have it: *helped*, besides; the stretch stays whose it was.
- Hours that were changed, and another matter, make nobody late at once: what is over by the new time is inherited. What is not
  over any more by changed hours was not; another matter puts nothing off that was late.
- An answer that the channel took before the time, though we heard of it after, is in time, and nobody was late.

How late is counted in the queue's working time, as the entries tell it (``spent`` beyond ``allowance``); where a move to a queue
with other hours kept an earlier time, by the clock.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

BINS = 48
BIN_FIRST = 60.0  # seconds; the first bin ends here
BIN_GROWS = 2 ** (
    1 / 3
)  # each ends so many times as late as the one before: quartiles are right to within an eighth


PRECISION = timedelta(milliseconds=1)  # of the moments in an entry's facts; those are cut off, not rounded


class Link(Protocol):
    """What is used of a ledger's entry."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    facts: dict[str, Any]


class Scope(StrEnum):
    """Whose account."""

    PERSON = "person"
    QUEUE = "queue"
    LINE = "line"


class Figure(StrEnum):
    """What became of a stretch. Each counts in exactly one figure; all but ``HELPED`` together are what was owed."""

    WAITING = "waiting"
    IN_TIME = "in_time"
    LATE = "late"
    INHERITED = "inherited"
    HANDED = "handed"
    TAKEN = "taken"
    HANDED_LATE = "handed_late"
    WAIVED = "waived"
    HELPED = "helped"


ANSWERED = {"obligation.answered", "obligation.done"}
ENDS = ANSWERED | {"obligation.waived"}
HIS_OWN = (Figure.IN_TIME, Figure.LATE, Figure.HANDED_LATE)
"""Of these the share in time is taken: what is known of, and was his to keep."""


@dataclass
class Stretch:
    """An obligation in one's hands, from one entry of the ledger to another. Names are as the ledger wrote them then."""

    scope: Scope
    name: str
    obligation: int
    kind: str
    matter: str
    queue: str
    line: str
    conversation: int | None
    case: int | None
    message: int | None
    began: int  # the number of the entry
    begin: datetime
    due_at: datetime  # as it stood last
    running: bool = True
    inherited: bool = False
    passed: bool = False  # its time, in this stretch
    came_back: bool = False
    ended: int | None = None
    until: datetime | None = None
    answer: int | None = None
    how: str = ""  # the action that ended it, or "handed", or "taken"
    figure: Figure = Figure.WAITING
    worked: int = 0  # seconds of the queue's working time that it lay here
    late: int = 0  # seconds late when it left these hands, where it was late in them

    def settle(self) -> None:
        """The figure that goes with how it ended."""
        if self.how in {"handed", "taken"}:
            self.figure = Figure.HANDED_LATE if self.passed else Figure(self.how)
        elif self.inherited:
            self.figure = Figure.INHERITED
        elif self.passed:
            self.figure = Figure.LATE
        else:
            self.figure = Figure.IN_TIME if self.how in ANSWERED else Figure.WAIVED


@dataclass
class _Folding:
    """One obligation's history, as far as it was read."""

    stretches: list[Stretch] = field(default_factory=list)
    open: dict[Scope, tuple[Stretch, float]] = field(
        default_factory=dict
    )  # with the time spent when it began
    round: list[Stretch] = field(default_factory=list)  # those since it was last owed
    last: list[Stretch] = field(default_factory=list)  # those that the last answer ended
    passed_at: datetime | None = None
    due_at: datetime | None = None
    allowance: float = 0.0
    running: bool = True

    def read(self, entry: Link) -> None:
        facts, known = entry.facts, self.due_at is not None
        if not known or entry.action == "obligation.owed_again":
            self._begin(entry)
        if known and self.running and self.open and self.due_at and _is_over(self.due_at, entry.at):
            self._pass(self.due_at)
        match entry.action:
            case action if action in ENDS:
                if self.passed_at and not _is_over(self.passed_at, entry.at):
                    self._withdraw()
                self._close(entry, [*self.open], entry.action)
                if action in ANSWERED:
                    self._thank(entry)
            case "obligation.given" if self.open:
                self._give(entry)
            case "obligation.moved" if known and self.open:
                self._hand(entry, Scope.PERSON)
                self._hand(entry, Scope.QUEUE)
                self._open(entry, Scope.QUEUE, facts.get("queue"))
                self._open(entry, Scope.PERSON, facts.get("owner"))
            case "obligation.recounted":
                self._recount(entry)
            case "obligation.retargeted":
                self._recount(entry)
                for stretch, _spent in self.open.values():
                    stretch.matter = facts.get("matter") or ""
            case "obligation.paused":
                self.running = False
            case "obligation.resumed":
                self.running = True
        self.allowance = float(facts.get("allowance") or 0.0)
        self.due_at = _moment(facts["due_at"])
        for stretch, _spent in self.open.values():
            stretch.due_at, stretch.running = self.due_at, self.running

    def _begin(self, entry: Link) -> None:
        """Owed, or owed again; or the first that the ledger knows of one that is older than such entries."""
        for stretch in self.last:
            stretch.came_back = True
        first = not self.stretches
        due_at = _moment(entry.facts["due_at"])
        begun = first and entry.action != "obligation.owed"
        at = _moment(entry.facts["since"]) if begun else entry.at
        self.round, self.last, self.running, self.due_at = [], [], True, due_at
        self.allowance = float(entry.facts.get("allowance") or 0.0)
        self.passed_at = due_at if not first and _is_over(due_at, entry.at) else None
        owner = (
            entry.facts.get("owner") if entry.action in {"obligation.owed", "obligation.owed_again"} else None
        )
        names = {
            Scope.PERSON: owner,
            Scope.QUEUE: entry.facts.get("queue"),
            Scope.LINE: entry.facts.get("line"),
        }
        for scope, name in names.items():
            self._open(entry, scope, name, at=at)
        if first and _is_over(due_at, entry.at):
            self._pass(due_at)

    def _pass(self, at: datetime) -> None:
        """Its time passed: late is whoever has it."""
        if self.passed_at is None:
            self.passed_at = at
            for stretch, _spent in self.open.values():
                stretch.passed = True

    def _recount(self, entry: Link) -> None:
        """The queue's hours, or what it is about, were changed, and its time with them."""
        due_at = _moment(entry.facts["due_at"])
        if not _is_over(due_at, entry.at):
            self._withdraw()
        elif self.passed_at is None:
            self.passed_at = due_at
            for stretch, _spent in self.open.values():
                stretch.inherited = True

    def _withdraw(self) -> None:
        """Its time had not passed after all."""
        self.passed_at = None
        for stretch in self.round:
            stretch.passed = stretch.inherited = False
            stretch.late = 0
            if stretch.how:
                stretch.settle()

    def _give(self, entry: Link) -> None:
        owner = entry.facts.get("owner") or ""
        held = self.open.get(Scope.PERSON)
        if held and held[0].name == owner:
            return
        self._hand(entry, Scope.PERSON)
        self._open(entry, Scope.PERSON, owner)

    def _hand(self, entry: Link, scope: Scope) -> None:
        """A person hands on what he gives away himself, a queue what anybody moves; the machine takes."""
        if scope not in self.open:
            return
        name = self.open[scope][0].name
        by_himself = (
            entry.actor == f"user:{name}" if scope == Scope.PERSON else entry.actor.startswith("user:")
        )
        self._close(entry, [scope], "handed" if by_himself else "taken")

    def _open(self, entry: Link, scope: Scope, name: Any, *, at: datetime | None = None) -> None:
        if not name:
            return
        stretch = self._stretch(entry, scope, str(name), at or entry.at)
        stretch.inherited = self.passed_at is not None
        self.open[scope] = (stretch, float(entry.facts.get("spent") or 0.0))
        self.stretches.append(stretch)
        self.round.append(stretch)

    def _stretch(self, entry: Link, scope: Scope, name: str, begin: datetime) -> Stretch:
        facts = entry.facts
        return Stretch(
            scope=scope,
            name=name,
            obligation=int(entry.subject.partition(":")[2]),
            kind=facts.get("kind") or "",
            matter=facts.get("matter") or "",
            queue=facts.get("queue") or "",
            line=facts.get("line") or "",
            conversation=facts.get("conversation"),
            case=facts.get("case"),
            message=facts.get("message"),
            began=entry.number,
            begin=begin,
            due_at=_moment(facts["due_at"]),
        )

    def _close(self, entry: Link, scopes: Iterable[Scope], how: str) -> None:
        spent = float(entry.facts.get("spent") or 0.0)
        self.last = []
        for scope in scopes:
            stretch, before = self.open.pop(scope, (None, 0.0))
            if stretch is None:
                continue
            stretch.ended, stretch.until = entry.number, max(entry.at, stretch.begin)
            stretch.answer = entry.facts.get("answer")
            stretch.worked = max(0, round(spent - before))
            if stretch.passed and self.passed_at:
                over = spent - self.allowance
                if over <= 0:
                    over = (entry.at - self.passed_at).total_seconds()
                stretch.late = max(1, round(over))
            stretch.how = how
            stretch.settle()
            if how in ANSWERED:
                self.last.append(stretch)

    def _thank(self, entry: Link) -> None:
        """Who answered without having it."""
        kind, _colon, name = entry.actor.partition(":")
        if kind != "user" or any(one.scope == Scope.PERSON and one.name == name for one in self.last):
            return
        helped = self._stretch(entry, Scope.PERSON, name, entry.at)
        helped.ended, helped.until, helped.figure = entry.number, entry.at, Figure.HELPED
        helped.answer = entry.facts.get("answer")
        helped.running = False
        self.stretches.append(helped)


def fold(entries: Iterable[Link]) -> list[Stretch]:
    """The stretches of one obligation, from all of its entries in their order.

    Raises:
        KeyError, ValueError: an entry without ``since`` and ``due_at``: no entry of an obligation.
    """
    folding = _Folding()
    for entry in entries:
        folding.read(entry)
    return folding.stretches


def _is_over(due_at: datetime, at: datetime) -> bool:
    return at - due_at >= PRECISION


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def bin_of(seconds: float) -> int:
    """Which of ``BINS`` so late is in; the last holds all that is later."""
    if seconds < BIN_FIRST:
        return 0
    return min(BINS - 1, 1 + math.floor(math.log(seconds / BIN_FIRST, BIN_GROWS) + 1e-9))


def bin_edges(number: int) -> tuple[float, float]:
    """From, until, in seconds."""
    return (BIN_FIRST * BIN_GROWS ** (number - 1) if number else 0.0, BIN_FIRST * BIN_GROWS**number)


def quantile(bins: Sequence[int], share: float) -> float | None:
    """Seconds below which ``share`` of them lie, to within its bin; None of nothing."""
    count = sum(bins)
    if not count:
        return None
    wanted, before = share * count, 0
    for number, n in enumerate(bins):
        if n and before + n >= wanted:
            low, high = bin_edges(number)
            return low + (high - low) * (wanted - before) / n
        before += n
    return bin_edges(len(bins) - 1)[1]


@dataclass(frozen=True)
class Figures:
    """Of what came to one in a period; ``waiting`` of that, and ``waiting_now`` whenever it came."""

    in_time: int = 0
    late: int = 0
    inherited: int = 0
    handed: int = 0
    taken: int = 0
    handed_late: int = 0
    waived: int = 0
    waiting: int = 0
    helped: int = 0
    came_back: int = 0
    worst: int = 0  # seconds
    bins: tuple[int, ...] = (0,) * BINS
    waiting_now: int = 0
    waiting_late: int = 0

    @property
    def owed(self) -> int:
        return sum(getattr(self, figure) for figure in Figure if figure != Figure.HELPED)

    @property
    def his_own(self) -> int:
        """Of which is known whether it was in time."""
        return sum(getattr(self, figure) for figure in HIS_OWN)

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """How late the late ones were: seconds of working time that a quarter, a half, three quarters did not exceed."""
        low, middle, high = (quantile(self.bins, share) for share in (0.25, 0.5, 0.75))
        return None if low is None or middle is None or high is None else (low, middle, high)

    def now(self, waiting: int, late: int) -> "Figures":
        return replace(self, waiting_now=waiting, waiting_late=late)
