"""The watch looks at itself (G15): before a visit and after it, and at the host beside each step."""

import ctypes
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from rasd.watch.players.finding import Moment
from rasd.watch.players.report import SelfCheck
from rasd.watch.verdicts import CLOCK_OFF, faults

ANSWER_WITHIN = 5.0
"""Seconds that a place has to answer a HEAD: what is slower than that is no line to try a service on."""
ASK_EVERY = 15.0
"""Seconds between two tries of the own network while a visit is played: no shorter failure of the line passes unseen beside a
step that waits, and a place is asked four times a minute at most."""
TICK = 0.05
"""Seconds between two beats of the timer whose lateness is measured: 20 wake-ups a second, too few to be seen in the load."""
SHORT = 0.25
"""Seconds: the kernel counts the time of processors in hundredths, so that the load beside a shorter step is measured from a
step before it on."""


@dataclass(frozen=True)
class Asked:
    """What the places said. ``reached``: None where none is named. ``ahead``: seconds that our clock is before theirs, of each
    that told; ``words``: of each that could not be reached, why."""

    reached: bool | None
    ahead: tuple[float, ...] = ()
    words: tuple[str, ...] = ()


class OwnNetwork:
    """The places by which the watch knows whether its own way out works: never a target. A new connection each time, so that
    names, line and certificates are all tried; safe in several threads."""

    def __init__(
        self, places: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.places, self.now = tuple(places), now
        self._client = (
            httpx.Client(timeout=ANSWER_WITHIN, limits=httpx.Limits(max_keepalive_connections=0))
            if self.places
            else None
        )

    def ask(self) -> Asked:
        """One answer, whatever its status, is enough; where our clock seems to be off by it, the others are asked too."""
        if self._client is None:
            return Asked(None)
        ahead: list[float] = []
        words: list[str] = []
        reached = False
        for place in self.places:
            try:
                off = self._ahead_of(self._client, place)
            except httpx.HTTPError as error:
                words.append(f"{place}: {type(error).__name__}: {error}")
                continue
            reached = True
            if off is not None:
                ahead.append(off)
            if off is None or abs(off) <= CLOCK_OFF:
                break
        return Asked(reached, tuple(ahead), tuple(words))

    def _ahead_of(self, client: httpx.Client, place: str) -> float | None:
        """By its Date header (RFC 9110, 6.6.1), which tells whole seconds, and Age where a cache answered for it."""
        sent = self.now()
        answer = client.head(place)
        middle = sent + (self.now() - sent) / 2
        try:
            date = parsedate_to_datetime(answer.headers["Date"])
            age = float(answer.headers.get("Age", 0))
        except (KeyError, ValueError):
            return None
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        return (middle - date).total_seconds() - 0.5 - age

    def close(self) -> None:
        if self._client:
            self._client.close()


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux (adjtimex(2))."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("constant", "precision", "tolerance")),
        ("time", ctypes.c_long * 2),
        *((name, ctypes.c_long) for name in ("tick", "ppsfreq", "jitter")),
        ("shift", ctypes.c_int),
        *((name, ctypes.c_long) for name in ("stabil", "jitcnt", "calcnt", "errcnt", "stbcnt")),
        ("tai", ctypes.c_int),
        ("more", ctypes.c_int * 11),
    ]


NOT_SYNCHRONISED = 5  # TIME_ERROR, what adjtimex answers where nothing keeps the clock


def kept_within() -> float | None:
    """Seconds within which NTP keeps the kernel's clock, as the kernel says (adjtimex(2), which any user may ask); None where
    nothing keeps it, or it is not Linux."""
    try:
        timex = _Timex()
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if state in {-1, NOT_SYNCHRONISED} else timex.maxerror / 1e6


def clock_off(asked: Asked, kept: float | None) -> float | None:
    """Seconds that the clock is ahead. NTP, which asks several servers all the time, outranks a Date header."""
    if kept is not None and kept <= CLOCK_OFF:
        return 0.0 if not asked.ahead or abs(statistics.median(asked.ahead)) > CLOCK_OFF else asked.ahead[0]
    return statistics.median(asked.ahead) if asked.ahead else None


@dataclass(frozen=True)
class _Processors:
    """Seconds of all cores since the host started."""

    total: float
    busy: float
    stolen: float

    @classmethod
    def now(cls) -> Self:
        times = psutil.cpu_times()
        total = sum(times) - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0)  # both are in user
        idle = times.idle + getattr(times, "iowait", 0)
        return cls(total, total - idle, getattr(times, "steal", 0))


def share(part: float, whole: float) -> float:
    return round(min(1.0, max(0.0, part / whole)), 3) if whole > 0 else 0.0


def look(
    line: OwnNetwork,
    box: Path,
    draws: Callable[[], bool] | None = None,
    *,
    kept: Callable[[], float | None] = kept_within,
) -> SelfCheck:
    """Looks at everything once; half a second at most where all is well. ``box``: where the evidence goes. ``draws``: whether
    the browser draws a page of ours; None where no browser is in this visit."""
    at, began, start = line.now(), time.monotonic(), _Processors.now()
    asked = line.ask()
    browser = draws() if draws else None
    time.sleep(max(0.0, SHORT - (time.monotonic() - began)))
    end = _Processors.now()
    memory = psutil.virtual_memory()
    check = SelfCheck(
        at=at,
        network=asked.reached,
        clock_off=clock_off(asked, kept()),
        load=share(end.busy - start.busy, end.total - start.total),
        steal=share(end.stolen - start.stolen, end.total - start.total),
        memory_free=share(memory.available, memory.total),
        disk_free=psutil.disk_usage(str(_there(box))).free,
        browser=browser,
    )
    wrong = [f"{reason}: {facts}" if facts else reason.value for reason, facts in faults(check).items()]
    return check.model_copy(update={"words": (*asked.words, *wrong)})


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there already."""
    return next(each for each in [folder.absolute(), *folder.absolute().parents] if each.exists())


class Beside:
    """The host beside each step of one visit (``playing.Beside``). What is of this process and below it is the visit itself
    and no load; its timer and its tries of the own network go on until it is left. Made before the look at oneself, so that
    even the first step has something to be measured from."""

    def __init__(self, line: OwnNetwork, every: float = ASK_EVERY) -> None:
        self.line, self.every = line, every
        self._over = threading.Event()
        self._me = psutil.Process()
        self._beat = _awake()
        self._late: deque[tuple[float, float]] = deque(maxlen=1000)
        self._answers: deque[tuple[float, bool]] = deque(maxlen=1000)
        self._marks: deque[_Measure] = deque([self._measure()], maxlen=100)
        self._threads = [threading.Thread(target=self._beat_on, daemon=True)]
        if line.places:
            self._threads.append(threading.Thread(target=self._ask_on, daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def __call__(self) -> Callable[[bool], Moment]:
        start = self._measure()
        self._marks.append(start)

        def after(went_well: bool) -> Moment:
            end = self._measure()
            since = self._long_before(end)
            total = end.processors.total - since.processors.total
            others = end.processors.busy - since.processors.busy - (end.ours - since.ours)
            late = max((late for at, late in list(self._late) if at >= start.at), default=0.0)
            return Moment(
                load=share(others, total),
                idle=share(total - end.processors.busy + since.processors.busy, total),
                late=round(max(late, end.at - self._beat - TICK, 0.0), 3),
                network=self._network(start.at, went_well),
            )

        return after

    def _long_before(self, end: "_Measure") -> "_Measure":
        """The beginning of the step or, where that is too short ago, of one before it."""
        marks = list(self._marks)
        return next((each for each in reversed(marks) if end.at - each.at >= SHORT), marks[0])

    def _network(self, since: float, went_well: bool) -> bool | None:
        """Of a step that did not go well, it is tried at that very moment too."""
        if not self.line.places:
            return None
        if not went_well:
            self._ask()
        answers = list(self._answers)
        meanwhile = [answer for at, answer in answers if at >= since]
        return all(meanwhile) if meanwhile or not answers else answers[-1][1]

    def _measure(self) -> "_Measure":
        ours = 0.0
        for process in [self._me, *self._me.children(recursive=True)]:
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue  # it ended just now; its time is with the one that waited for it
            ours += times.user + times.system + times.children_user + times.children_system
        return _Measure(_awake(), _Processors.now(), ours)

    def _beat_on(self) -> None:
        while not self._over.wait(TICK):
            now = _awake()
            self._late.append((now, now - self._beat - TICK))
            self._beat = now

    def _ask_on(self) -> None:
        while not self._over.wait(self.every):
            self._ask()

    def _ask(self) -> None:
        reached = bool(self.line.ask().reached)
        self._answers.append((_awake(), reached))


@dataclass(frozen=True)
class _Measure:
    at: float
    processors: _Processors
    ours: float
    """Seconds of processors that this process, all below it and all of them that have ended used."""


def _awake() -> float:
    """Seconds, of a clock that goes on while the host sleeps: a lid that was shut is seen as lateness."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
