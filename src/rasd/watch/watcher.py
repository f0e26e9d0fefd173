"""The watcher: one machine that pays what is due, one visit at a time, for ever and whatever happens (G14).

Time, signals and the crew come in as arguments. Nothing is kept in memory that a kill would lose: what it is about is a claim,
and a claim of which nothing came is skipped as died when it begins again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from django.db import InterfaceError, OperationalError, connection

from rasd.watch import alerting, telling
from rasd.watch.conduct import NotPaid, leave_for
from rasd.watch.models import JourneyFile, Plan, Planned, Probe, Shown, Skip, Target, Watcher, the_box
from rasd.watch.players.base import Clock
from rasd.watch.players.orders import Order
from rasd.watch.players.report import Report
from rasd.watch.verdicts import Verdict
from rasd.watch.watchfile import NotAWatch, Watchfile, Whole, read_whole

log = structlog.get_logger("rasd.watch")

ROUND = 60.0
"""Seconds between two rounds of what is no visit: plans, skips, alerts, the heartbeat."""
LOOK = 10.0
"""Seconds after which it looks again whether a visit is due, where the next is later or another watcher's."""
JUMP = 5.0
"""Seconds that the wall's clock may go ahead of the machine's own, or behind: more is a jump, or the machine slept."""
OVERSLEPT = 60.0
"""Seconds that a pause may take longer than it should: more, and the machine stood still."""
DATABASE_AGAIN = 5.0  # seconds
TIDYING = timedelta(hours=1)
SETTLED_BACK = timedelta(hours=6)
"""What was due before has been settled by the round before: it need not be asked for again."""
CONFIRM_FROM, CONFIRM_TO = 120, 600
"""Seconds after a visit that did not go well, between which it is confirmed."""
CONFIRM_UNTIL = timedelta(minutes=15)
NOT_WELL = (Verdict.THEIRS, Verdict.OURS)
"""Of these there is to be a second fact. At a wall nobody knocks again."""


class Payer(Protocol):
    """``crew.Crew``, or another in tests."""

    def pay(self, order: Order) -> Report: ...

    def close(self) -> None: ...


class Stopped(BaseException):
    """In the middle of a visit. Not an Exception, so that nothing on the way takes it for a fault of the visit."""


class AlreadyAtWork(Exception):
    """Another process is this watcher."""


@dataclass
class Watching:
    """``path``: of ``watch.yaml``. ``name``, ``place``: instead of what stands in it, where several share one file."""

    path: Path
    crew: Payer
    clock: Clock
    name: str = ""
    place: str = ""
    stopping: threading.Event = field(default_factory=threading.Event)
    leave: Callable[..., Any] = leave_for
    after_round: tuple[Callable[[datetime, Watchfile], None], ...] = (
        alerting.look,
        telling.send,
        telling.heartbeat,
    )
    _playing: bool = False
    _read: str = ""
    _reread: bool = False
    _unconfirmed: list[tuple[datetime, Probe]] = field(default_factory=list)
    _next_round: float = float("-inf")
    _tidied_at: datetime | None = None
    _settled_at: datetime | None = None

    def run(self) -> None:
        """Until :meth:`stop`. Raises AlreadyAtWork; NotAWatch and OSError where the file cannot be used at the start."""
        self.begin()
        try:
            while not self.stopping.is_set():
                try:
                    self.turn()
                except (OperationalError, InterfaceError) as error:
                    self._without_database(error)
        except Stopped:
            pass
        finally:
            self.crew.close()
            _let_go_of(self.whole.file.watcher.name)

    def stop(self) -> None:
        """For signals, in the main thread: no further visit, and one under way is broken off and noted as died."""
        self.stopping.set()
        if self._playing:
            self._playing = False  # a second signal does not disturb the tidying up
            raise Stopped

    def read_again(self) -> None:
        """For SIGHUP."""
        self._reread = True

    # Beginning

    def begin(self) -> None:
        self._take(self._read_file())
        if not _take_hold_of(self.whole.file.watcher.name):
            raise AlreadyAtWork(
                f"a watcher named {self.whole.file.watcher.name!r} is at work: give this one another name (--name)"
            )
        now = self.clock.now()
        watcher = self.whole.file.watcher
        self.me, _ = Watcher.objects.update_or_create(name=watcher.name, defaults={"place": watcher.place})
        self.me.wake(now)
        self._looked = (now, self.clock.monotonic())
        recent = Probe.objects.filter(watcher=self.me, began_at__gt=now - timedelta(hours=1))
        for probe in recent:
            self._may_want_confirmation(probe)
        log.info("watching", watcher=watcher.name, targets=len(self.whole.file.targets))

    def _read_file(self) -> Whole:
        whole = read_whole(self.path)
        more = {key: value for key, value in (("name", self.name), ("place", self.place)) if value}
        file = whole.file.model_copy(update={"watcher": whole.file.watcher.model_copy(update=more)})
        return Whole(file, whole.path, whole.errands)

    def _take(self, whole: Whole) -> None:
        Target.objects.take(whole, self.clock.now())
        self.whole, self._read = whole, whole.stamp()

    # One turn

    def turn(self) -> None:
        """Whatever is to be done now, and then a pause until something is."""
        now = self.clock.now()
        self._notice_time(now)
        if self.clock.monotonic() >= self._next_round or self._reread:
            self.round(now)
            self._next_round = self.clock.monotonic() + ROUND
        if visit := Planned.objects.claim(self.me, now):
            self.pay(visit)
        elif probe := self._to_be_confirmed(now):
            self.confirm(probe, now)
        else:
            self._pause(now)

    def _notice_time(self, now: datetime) -> None:
        """What was missed while the machine stood still, or its clock was wrong, was missed by nobody's being there."""
        then, tick = self._looked
        by_the_wall, by_the_machine = (now - then).total_seconds(), self.clock.monotonic() - tick
        if abs(by_the_wall - by_the_machine) > JUMP:
            log.warning("clock_jumped", seconds=round(by_the_wall - by_the_machine, 1))
            self.me.wake(now)
        self._looked = (now, self.clock.monotonic())

    def _pause(self, now: datetime) -> None:
        soon = now + timedelta(seconds=LOOK)
        due = Planned.objects.next_due(now, soon) or soon
        due = min([due, *(at for at, _ in self._unconfirmed if at > now)])
        seconds = max(0.05, (due - now).total_seconds())
        before = self.clock.monotonic()
        self.clock.sleep(seconds)
        if self.clock.monotonic() - before > seconds + OVERSLEPT:
            log.warning("stood_still", seconds=round(self.clock.monotonic() - before, 1))
            self.me.wake(self.clock.now())

    def _without_database(self, error: Exception) -> None:
        """It comes back, or the watcher waits for it. What it was about is noted as died then."""
        log.warning("database_trouble", error=str(error).splitlines()[0])
        connection.close_if_unusable_or_obsolete()
        self.clock.sleep(DATABASE_AGAIN)
        try:
            if not _take_hold_of(self.whole.file.watcher.name):
                self.stopping.set()
                log.error("already_at_work", watcher=self.whole.file.watcher.name)
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()

    # Visits

    def pay(self, visit: Planned) -> None:
        """One planned visit, whatever comes of it: a probe, or a skip with its reason."""
        if (wording := visit.wording()) is None:
            visit.not_paid(Skip.Reason.GONE, "", self.clock.now(), self.me)
            return
        try:
            answer = self._order(wording, visit.seed)
            if isinstance(answer, NotPaid):
                visit.not_paid(answer.reason, answer.words, self.clock.now(), self.me)
                return
            report = self._play(answer)
            probe = self._record(report, wording, Probe.Why.PLANNED, visit=visit)
        except Stopped:
            words = "the watcher was stopped during the visit"
            visit.not_paid(Skip.Reason.DIED, words, self.clock.now(), self.me)
            raise
        except (OperationalError, InterfaceError):
            raise  # the round after the database's return notes it as died
        except Exception as error:
            log.exception("visit_died", visit=visit.pk)
            visit.not_paid(Skip.Reason.DIED, f"{type(error).__name__}: {error}", self.clock.now(), self.me)
        else:
            self._may_want_confirmation(probe)

    def confirm(self, probe: Probe, now: datetime) -> None:
        """A second fact after a visit that did not go well, within minutes. It never stands for the first, and takes no visit
        from the plan: the day's budget must have room for both."""
        target, name = probe.target, f"confirm {probe.target_id}"
        wording = target.journeys.filter(name=probe.journey.name, gone_at=None).first()
        if wording is None or target.gone_at or not _take_hold_of(name):
            return
        try:
            if target.visits_left(now) <= target.visits.still_to_come(now, target.next_midnight(now)).count():
                log.info("no_confirmation", target=target.name, why="budget")
                return
            answer = self._order(wording, _chance(probe, "confirm").hex())
            if isinstance(answer, NotPaid):
                log.info("no_confirmation", target=target.name, why=answer.reason.value)
                return
            self._record(self._play(answer), wording, Probe.Why.CONFIRMATION, confirms=probe)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("confirmation_died", probe=probe.token)
        finally:
            _let_go_of(name)

    def _order(self, wording: JourneyFile, seed: str) -> Order | NotPaid:
        target, watcher = wording.target, self.whole.file.watcher
        leave = self.leave(target, wording.journey, self.whole.folder, self.clock.now())
        if isinstance(leave, NotPaid):
            return leave
        errand = self.whole.errands.get(target.name, {}).get(wording.name)
        return Order(
            journey=wording.text,
            folder=errand.folder if errand else self.whole.folder,
            target=target.name,
            url=target.url,
            box=the_box().folder,
            seed=seed,
            leave=leave,
            mailbox=target.entry.mailbox,
            own_network=tuple(watcher.own_network),
            trace=int(seed[:8], 16) < self.whole.file.traces * 2**32,
        )

    def _play(self, order: Order) -> Report:
        report = None
        try:
            self._playing = True
            if self.stopping.is_set():
                raise Stopped
            report = self.crew.pay(order)
            self._playing = False
        except Stopped:
            if report is None:
                raise
        finally:
            self._playing = False
        return report

    def _record(self, report: Report, wording: JourneyFile, why: str, **of: Any) -> Probe:
        return Probe.objects.record(
            report, journey=wording, watcher=self.me, why=why, keep=self.whole.file.keep, **of
        )

    def _may_want_confirmation(self, probe: Probe) -> None:
        if (
            probe.why == Probe.Why.PLANNED
            and probe.verdict in NOT_WELL
            and not hasattr(probe, "confirmation")
        ):
            chance = int.from_bytes(_chance(probe, "confirm at")[:4], "big")
            after = timedelta(seconds=CONFIRM_FROM + chance % (CONFIRM_TO - CONFIRM_FROM))
            self._unconfirmed.append((probe.ended_at + after, probe))

    def _to_be_confirmed(self, now: datetime) -> Probe | None:
        """Taken from the list: it is tried once."""
        self._unconfirmed = [
            (at, each) for at, each in self._unconfirmed if now < each.ended_at + CONFIRM_UNTIL
        ]
        for waiting in self._unconfirmed:
            if waiting[0] <= now:
                self._unconfirmed.remove(waiting)
                return waiting[1]
        return None

    # What is no visit

    def round(self, now: datetime) -> None:
        """Each part by itself: what fails in one keeps no other from being done, and no visit from being paid."""
        self.me.beat(now)
        for own in (self._read_if_changed, self._plan, self._settle, self._tidy):
            self._try(own, now)
        for part in self.after_round:
            self._try(part, now, self.whole.file)

    def _try(self, part: Callable[..., Any], *arguments: Any) -> None:
        try:
            part(*arguments)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("round_failed", part=getattr(part, "__name__", str(part)))

    def _read_if_changed(self, now: datetime) -> None:
        """A file that is wrong is not taken over: the last good one counts, and the log and the pages say so."""
        stamp = self.whole.stamp()
        if stamp == self._read and not self._reread:
            return
        self._reread, self._read, wrong = False, stamp, ""
        try:
            self._take(self._read_file())
            log.info("watchfile_read", file=str(self.path))
        except (NotAWatch, OSError) as error:
            wrong = str(error)
            log.error("watchfile_wrong", file=str(self.path), error=wrong, goes_on_with="the last good one")
        self.me.refresh_from_db(fields=["facts"])
        self.me.facts["watchfile"] = {"read_at": now.isoformat(), "wrong": wrong}
        self.me.save(update_fields=["facts"])

    def _plan(self, now: datetime) -> None:
        for plan in Plan.objects.keep_ahead(now, self.whole.file.weeks):
            log.info("plan_committed", target=plan.target.name, commitment=plan.commitment)

    def _settle(self, now: datetime) -> None:
        died = Planned.objects.bury(now, self.me)
        missed = Planned.objects.settle(now, self.me, self._settled_at and self._settled_at - SETTLED_BACK)
        self._settled_at = now
        if died or missed:
            log.warning("not_paid", died=died, missed=missed)
        Plan.objects.reveal(now)

    def _tidy(self, now: datetime) -> None:
        if self._tidied_at and now - self._tidied_at < TIDYING:
            return
        self._tidied_at = now
        Shown.objects.throw_away(now, the_box(), self.me)
        Shown.objects.sweep(now, the_box())


def _chance(probe: Probe, label: str) -> bytes:
    """Of the visit's plan: nobody can foretell it, and nothing need be remembered."""
    if probe.visit is None:
        raise ValueError(f"{probe} was not planned")
    return probe.visit.plan.chance(f"{label}/{probe.token}")


def _take_hold_of(name: str) -> bool:
    """A lock of this connection's, which ends with it however the process ends. Whether nobody else has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"rasd watch: {name}"])
        return bool(cursor.fetchone()[0])


def _let_go_of(name: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"rasd watch: {name}"])
    except (OperationalError, InterfaceError):
        connection.close()
