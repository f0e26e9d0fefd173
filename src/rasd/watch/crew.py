"""Who pays the visits: a playing process of its own, kept for several visits, watched over, replaced, never left behind."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ConfigDict

from rasd.watch.leave import Leave
from rasd.watch.leave import Leave
from rasd.watch.players.finding import Finding
from rasd.watch.players.report import Report
from rasd.watch.watchfile import Address, Mailbox


class Order(BaseModel):
    """One visit to be paid: all that the playing process must know of it. No secret: those it takes from its environment."""

    model_config = ConfigDict(frozen=True)
    journey: str
    """The YAML, as it was read."""
    folder: Path
    """Where the journey's file lies: what it attaches and its Python are beside it."""
    target: str
    url: str
    box: Path
    """Where the evidence goes."""
    seed: str
    """What the made-up person and every choice of the visit are drawn from."""
    leave: Leave = Leave()
    """Where the visit may go (``conduct.py`` makes it); as it stands: loopback."""
    mailbox: Mailbox | None = None
    own_network: tuple[Address, ...] = ()
    browser: str = ""
    """Path of Chromium or Chrome; empty: the system's."""
    trace: bool = False
    """The trace is kept even where it goes well; that of a failure always is."""


class Crew:
    """One visit at a time. Whoever pays several at once has several crews. A crew is not shared between threads."""

    def pay(self, order: Order, tell: Callable[[Finding], None] = lambda finding: None) -> Report:
        """Plays it and gives its report, whatever happens to the playing process: then it is ``ours`` and says so. ``tell``
        hears each finding at once. Raises NotAJourney."""
        raise NotImplementedError

    def close(self) -> None:
        """No process and no temp file of it is left."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
