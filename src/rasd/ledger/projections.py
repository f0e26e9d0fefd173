"""What other rooms draw from the ledger and keep, for speed: each can be made anew from it, and checked against it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Projection:
    """``rebuild`` makes it anew and says how many rows it has; ``differs`` says where it is not what the ledger says."""

    name: str
    rebuild: Callable[[datetime], int]
    differs: Callable[[], str]


KNOWN: list[Projection] = []
"""Of this installation; a room adds its own when Django is ready."""
