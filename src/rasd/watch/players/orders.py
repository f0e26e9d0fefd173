"""What a visit's playing process is told: the one message that goes in. A ``Report`` comes out."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from rasd.watch.leave import Leave
from rasd.watch.watchfile import Address, Mailbox


class Order(BaseModel):
    """One visit to be paid: all that the playing process must know of it. No secret: those it takes from its environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")
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
    """Where he may go; as it stands, loopback."""
    mailbox: Mailbox | None = None
    own_network: tuple[Address, ...] = ()
    trace: bool = False
    """The trace is kept even where it goes well; that of a failure always is."""
