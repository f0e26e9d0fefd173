"""What an errand costs him who runs it: steps, clicks, fields, and being asked the same again."""

from dataclasses import dataclass

from rasd.watch.measures.spread import Spread


@dataclass(frozen=True)
class Effort:
    """Of the visits in which it was done. None: there was none."""

    steps: Spread | None = None
    clicks: Spread | None = None
    typed: Spread | None = None
    asked_again: Spread | None = None
