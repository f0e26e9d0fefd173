"""A whole visit as data: what the playing process gives back, what is stored, chained and shown."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rasd.watch.players.finding import Exhibit, Finding
from rasd.watch.verdicts import Verdict


class SelfCheck(BaseModel):
    """The watch looked at itself (G15): before the visit and after it."""

    model_config = ConfigDict(frozen=True)
    at: datetime
    network: bool | None = Field(
        description="the watch's own way out works; None: no place was named to try it on"
    )
    clock_off: float | None = Field(
        description="seconds that the host's clock is ahead; None: nobody could be asked"
    )
    load: float = Field(description="share of all cores in use, 0 to 1")
    steal: float = Field(0.0, description="share that other guests of the same machine took, 0 to 1")
    memory_free: float = Field(description="share of the memory that is available, 0 to 1")
    disk_free: int = Field(description="bytes where the evidence goes")
    browser: bool | None = Field(
        None, description="a page of the watch's own was drawn; None: no browser in this visit"
    )
    words: tuple[str, ...] = Field((), description="what is wrong, in sentences")


class Report(BaseModel):
    """One visit, whole."""

    model_config = ConfigDict(frozen=True)
    version: int = 1
    journey: str
    journey_sha256: str
    target: str
    url: str
    began: datetime
    ended: datetime
    persona: dict[str, Any]
    presented: dict[str, Any] = Field(
        default_factory=dict,
        description="as what he came: user agent, viewport, locale, zone, network, browser's version",
    )
    findings: tuple[Finding, ...]
    exhibits: tuple[Exhibit, ...] = Field((), description="of the whole visit")
    before: SelfCheck
    after: SelfCheck
    verdict: Verdict
    because: tuple[str, ...] = ()
    facts: dict[str, Any] = Field(
        default_factory=dict, description="of the verdict: what ``reasons.py`` puts into its sentences, by reason"
    )
    done_after: float | None = Field(
        None, description="seconds to the end of the last step of done; None: not done"
    )
    clicks: int = 0
    typed: int = Field(0, description="fields")
    asked_again: int = Field(0, description="times that he was asked for what he had already given")
