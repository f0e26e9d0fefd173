"""Who pays the visits: a playing process of its own, kept for several visits, watched over, replaced, never left behind."""

import json
import os
import select
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from rasd.watch.journeys import Journey, parse
from rasd.watch.nest import CARRIED_AS, clear_away, clear_what_was_left, new_nest
from rasd.watch.players.finding import Finding, Trouble
from rasd.watch.players.orders import Order
from rasd.watch.players.playing import broken_off
from rasd.watch.players.report import Report, SelfCheck, report_of
from rasd.watch.players.visiting import errand_of
from rasd.watch.selfcheck import OwnNetwork, look
from rasd.watch.verdicts import Reason

CAST = "rasd.watch.players.cast:RealCast"
VISITS = 50
"""Paid by one playing process before a new one takes its place: what a browser keeps of them does not grow for weeks."""
MEGABYTES = 1200
"""Of the playing process and all below it (proportional set size). A Chromium between two visits has 150 to 300."""
MARGIN, MARGIN_PER_STEP = 60.0, 5.0
"""Seconds that a visit may take beyond his patience: for the browser's start, the looks at oneself, the evidence of each step."""
GOODBYE = 15.0
"""Seconds that a playing process is given to go when it is asked to."""

Tell = Callable[[Finding], None]


class Crew:
    """One visit at a time. Whoever pays several at once has several crews. A crew is not shared between threads."""

    def __init__(
        self,
        cast: str = CAST,
        *,
        visits: int = VISITS,
        megabytes: float = MEGABYTES,
        margin: float = MARGIN,
        root: Path | None = None,
    ) -> None:
        """``cast``: ``module:Cast`` of who plays. ``root``: where the nests are; without it, the machine's temporary folder."""
        self.cast, self.visits, self.megabytes, self.margin, self.root = cast, visits, megabytes, margin, root
        self._process: _Process | None = None
        self._paid = 0
        clear_what_was_left(root)

    def pay(
        self, order: Order, tell: Tell = lambda finding: None, begins: Tell = lambda finding: None
    ) -> Report:
        """Plays it and gives its report, whatever happens to the playing process: then it is ``ours`` and says so. ``begins``
        and ``tell`` hear of each step at once, before it and after it. Raises NotAJourney."""
        journey = parse(order.journey)
        known = _Known(datetime.now(UTC))
        try:
            report = self._paid_by(self._ready(), order, journey, known, tell, begins)
        except _Gone as gone:
            self._let_go(at_once=True)
            return _what_is_known(order, journey, known, gone)
        except BaseException:  # the one who waits for it was interrupted
            self._let_go(at_once=True)
            raise
        self._paid += 1
        if self._paid >= self.visits or _shaken(report) or self._has_grown():
            self._let_go()
        return report

    def close(self) -> None:
        """No process and no temporary file of it is left."""
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def process(self) -> "_Process | None":
        """The playing process that stands ready, if any."""
        return self._process

    def _has_grown(self) -> bool:
        return self._process is not None and self._process.megabytes() > self.megabytes

    def _ready(self) -> "_Process":
        if self._process and not self._process.lives:
            self._let_go(at_once=True)
        if self._process is None:
            try:
                self._process, self._paid = _Process(self.cast, self.root), 0
            except OSError as error:
                raise _Gone(Reason.DIED, f"the playing process could not be started: {error}") from error
        return self._process

    def _let_go(self, at_once: bool = False) -> None:
        process, self._process = self._process, None
        if process:
            process.end(at_once)

    def _paid_by(
        self, process: "_Process", order: Order, journey: Journey, known: "_Known", tell: Tell, begins: Tell
    ) -> Report:
        process.send(order.model_dump_json())
        until = (
            time.monotonic() + longest(journey) + self.margin + MARGIN_PER_STEP * len(journey.every_step())
        )
        for key, value in process.answers(until):
            match key:
                case "player":
                    known.player = value
                case "before":
                    known.before = SelfCheck.model_validate(value)
                case "begins":
                    known.during = Finding.model_validate(value)
                    begins(known.during)
                case "finding":
                    known.findings.append(Finding.model_validate(value))
                    known.during = None
                    tell(known.findings[-1])
                case "report":
                    return Report.model_validate(value)
        raise _Gone(Reason.DIED, f"the playing process ended {process.how_it_ended()}")


def _shaken(report: Report) -> bool:
    """The browser broke down: what it left is in the nest, and goes with it."""
    return report.after.browser is False or any(each.trouble is Trouble.BROWSER for each in report.findings)


def longest(journey: Journey) -> float:
    """Seconds that his patience lets the whole of it take: the errand, each other channel, the tidying up."""
    others = sum(other.patience.total_seconds() for other in journey.otherwise)
    own = journey.who.patience.total_seconds()
    return own + others + (own if journey.clean_up else 0.0)


class _Gone(Exception):
    def __init__(self, reason: Reason, words: str) -> None:
        super().__init__(words)
        self.reason, self.words = reason, words


@dataclass
class _Known:
    """What was heard of a visit."""

    began: datetime
    before: SelfCheck | None = None
    findings: list[Finding] = field(default_factory=list)
    during: Finding | None = None
    player: int = 0


def _what_is_known(order: Order, journey: Journey, known: _Known, gone: _Gone) -> Report:
    line = OwnNetwork(order.own_network)
    after = look(line, order.box)
    line.close()
    after = after.model_copy(update={"words": (*after.words, gone.words)})
    for unfinished in order.box.glob(f"??/.*.{known.player}"):  # evidence that it was writing
        unfinished.unlink(missing_ok=True)
    return report_of(
        order,
        journey,
        began=known.began,
        ended=after.at,
        findings=broken_off(errand_of(order, journey), known.findings, known.during, gone.words),
        before=known.before or after,
        after=after,
        broke_off=gone.reason,
    )


class _Process:
    """A playing process and its nest."""

    def __init__(self, cast: str, root: Path | None) -> None:
        with new_nest(root) as (nest, lock):
            self.nest = nest
            try:
                self._popen = subprocess.Popen(
                    [sys.executable, "-P", "-m", "rasd.watch.playing_process", cast],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ | {"TMPDIR": str(nest), CARRIED_AS: str(nest)},
                    pass_fds=[lock],
                    start_new_session=True,
                )
            except OSError:
                clear_away(nest)
                raise
        self._heard = b""

    @property
    def pid(self) -> int:
        """Of the keeper."""
        return self._popen.pid

    @property
    def lives(self) -> bool:
        """Keeper and player both: only the player holds the other end of what is heard."""
        assert self._popen.stdout  # noqa: S101 - it is a pipe
        if self._popen.poll() is not None:
            return False
        heard = select.poll()
        heard.register(self._popen.stdout, 0)  # nothing but the hang-up, which is always told
        return not heard.poll(0)

    def send(self, line: str) -> None:
        """Raises _Gone."""
        assert self._popen.stdin  # noqa: S101 - it is a pipe
        try:
            self._popen.stdin.write(line.encode() + b"\n")
            self._popen.stdin.flush()
        except OSError as error:
            raise _Gone(Reason.DIED, f"the playing process was gone: {error}") from error

    def answers(self, until: float) -> Iterator[tuple[str, Any]]:
        """What it says, until it is silent for ever. Raises _Gone (HUNG) where that takes longer than ``until`` (monotonic), or
        (DIED) where it says what is none of its words."""
        assert self._popen.stdout  # noqa: S101 - it is a pipe
        descriptor = self._popen.stdout.fileno()
        with selectors.DefaultSelector() as waiting:
            waiting.register(descriptor, selectors.EVENT_READ)
            while True:
                *lines, self._heard = self._heard.split(b"\n")
                for line in lines:
                    yield self._understood(line)
                left = until - time.monotonic()
                if left <= 0 or not waiting.select(left):
                    raise _Gone(Reason.HUNG, "the playing process took longer than anybody's patience: ended")
                data = os.read(descriptor, 1 << 16)
                if not data:
                    return
                self._heard += data

    def _understood(self, line: bytes) -> tuple[str, Any]:
        try:
            [(key, value)] = json.loads(line).items()
        except (ValueError, AttributeError) as error:
            raise _Gone(Reason.DIED, f"the playing process said {line[:200]!r}") from error
        return key, value

    def how_it_ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            status = self._popen.wait(GOODBYE)
            if status < 0:
                return f"with its keeper, by signal {-status}"
            return f"by signal {status - 128}" if status > 128 else f"with status {status}"
        return "without its keeper"

    def megabytes(self) -> float:
        """Of it and all below it: proportional set size where the kernel tells it."""
        total = 0
        with suppress(psutil.Error):
            me = psutil.Process(self.pid)
            for process in [me, *me.children(recursive=True)]:
                with suppress(psutil.Error):
                    full = process.memory_full_info()
                    total += getattr(full, "pss", full.rss)
        return total / 1024**2

    def end(self, at_once: bool = False) -> None:
        """Nothing of it is left afterwards. Asked to go, it closes its browser; ``at_once``, everything is killed."""
        assert self._popen.stdin  # noqa: S101 - both are pipes
        assert self._popen.stdout  # noqa: S101
        with suppress(OSError):
            self._popen.stdin.close()
        if at_once:
            self._popen.terminate()  # the keeper kills what is below it
        try:
            clean = self._popen.wait(GOODBYE) >= 0  # the keeper went by itself
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            clean = False
        self._popen.stdout.close()
        if not clean or self.nest.exists():
            clear_away(self.nest)
