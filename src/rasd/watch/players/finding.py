"""What came of a step. Plain data, in and out of JSON: it crosses from the playing process to the watcher."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rasd.watch.journeys.written import Channel


class Outcome(StrEnum):
    DONE = "done"
    FAILED = "failed"
    GAVE_UP = "gave up"
    """His patience, or the step's ``within``, ran out."""
    NOT_REACHED = "not reached"
    """A step before it did not go well."""


class Trouble(StrEnum):
    """Why a step did not go well, as far as the player saw. Whose fault it is, only the verdict says (``verdicts.py``)."""

    NOT_THERE = "not there"  # what he looked for is not on the page
    OUT_OF_REACH = "out of reach"  # it is there, and cannot be pressed: hidden, covered, switched off
    TWO_OF_THEM = "two of them"  # the journey does not tell which of several
    OTHER_WORDS = "other words"  # the page says something else than it should
    ERROR_PAGE = "error page"  # the service answered with an error
    NO_ANSWER = "no answer"  # in a chat, or no e-mail came
    LOOP = "loop"  # the same answer again
    LOST = "lost"  # what was typed is gone
    UNREACHABLE = "unreachable"  # no connection: refused, reset, no name, timed out
    WALL = "wall"  # robots are kept out: robots.txt, a challenge, 401/403/429 at the door
    NOT_PERMITTED = "not permitted"  # the permission file does not cover it: nothing was asked of the service
    BROWSER = "browser"  # the browser crashed or did not start
    JOURNEY = "journey"  # the journey itself is wrong: an unknown value, an exception in its Python
    NOT_BUILT = "not built"  # a player that is declared only


class ExhibitKind(StrEnum):
    PICTURE = "picture"
    WORDS = "words"
    NETWORK = "network"
    CONSOLE = "console"
    TRACE = "trace"
    TRANSCRIPT = "transcript"
    LETTER = "letter"


class Exhibit(BaseModel):
    """A piece of evidence, kept by its hash (``evidence/``)."""

    model_config = ConfigDict(frozen=True)
    kind: ExhibitKind
    sha256: str
    media_type: str
    size: int = Field(description="bytes")


class Moment(BaseModel):
    """The host beside the step."""

    model_config = ConfigDict(frozen=True)
    load: float = Field(description="share of all cores that was busy with anything but this visit, 0 to 1")
    idle: float | None = Field(None, description="share of all cores that nothing used, 0 to 1")
    late: float = Field(
        0.0, description="seconds: the most that a timer of the watch's own was late meanwhile"
    )
    network: bool | None = Field(
        None,
        description="the watch's own way out worked all the while; None: no place was named to try it on",
    )


class Finding(BaseModel):
    """One step, played."""

    model_config = ConfigDict(frozen=True)
    number: int = Field(description="from 1, in the order in which they were played")
    part: str = Field("steps", description="steps, done, otherwise:N, otherwise:N:done or clean_up")
    verb: str
    says: str = Field(description="the step in words, secrets masked")
    channel: Channel
    outcome: Outcome
    trouble: Trouble | None = None
    words: str = Field("", description="what was seen instead, in a sentence; secrets masked")
    began: datetime
    seconds: float = 0.0
    host: Moment | None = None
    exhibits: tuple[Exhibit, ...] = ()
    facts: dict[str, Any] = Field(
        default_factory=dict,
        description="clicks, typed (fields), asked_again, status, first_answer and person (seconds; null: waited in vain), "
        "errors (of the page's own scripts), broken (scripts and styles that did not come), "
        "refused (those of them that were answered with an error)",
    )

    @property
    def went_well(self) -> bool:
        return self.outcome is Outcome.DONE
