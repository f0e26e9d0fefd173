"""Whose fault it was (G15), by one table. Pure: the same findings and self-checks always give the same verdict."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    COMPLETED = "completed"
    COMPLETED_BUT = "completed, but"
    """What he came for was done, and something on the way was not as it should be: ``Judgement.because`` says what."""
    THEIRS = "theirs"
    OURS = "ours"
    """The watch's own fault, or not to be told apart from one. Counted apart, never against the target."""
    WALL = "wall"
    """Robots are kept out. Reported, never evaded (G13); neither for nor against the service."""

    @property
    def counts(self) -> bool:
        """Whether it is a visit in the share of completed ones."""
        return self in {Verdict.COMPLETED, Verdict.COMPLETED_BUT, Verdict.THEIRS}


@dataclass(frozen=True)
class Judgement:
    """``because``: reasons by code, the weightiest first; words for them in both languages are in ``reasons.py``."""

    verdict: Verdict
    because: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
