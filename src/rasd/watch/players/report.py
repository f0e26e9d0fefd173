"""A whole visit as data: what the playing process gives back, what is stored, chained and shown."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rasd.watch.journeys.language import Journey
from rasd.watch.places import NotPlain, is_loopback, place
from rasd.watch.players.finding import Exhibit, Finding
from rasd.watch.players.orders import Order
from rasd.watch.verdicts import Reason, Verdict, done_after, judge


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
        default_factory=dict,
        description="of the verdict: what ``reasons.py`` puts into its sentences, by reason",
    )
    done_after: float | None = Field(
        None, description="seconds to the end of the last step of done; None: not done"
    )
    clicks: int = 0
    typed: int = Field(0, description="fields")
    asked_again: int = Field(0, description="times that he was asked for what he had already given")


def report_of(
    order: Order,
    journey: Journey,
    *,
    began: datetime,
    ended: datetime,
    findings: Sequence[Finding],
    before: SelfCheck,
    after: SelfCheck,
    exhibits: Sequence[Exhibit] = (),
    presented: dict[str, Any] | None = None,
    broke_off: Reason | None = None,
) -> Report:
    """The visit, judged. ``broke_off``: the playing process was gone before its end."""
    judgement = judge(findings, before, after, journey, broke_off=broke_off, loopback=_at_home(order.url))
    return Report(
        journey=journey.journey,
        journey_sha256=hashlib.sha256(order.journey.encode()).hexdigest(),
        target=order.target,
        url=order.url,
        began=began,
        ended=ended,
        persona=journey.who.model_dump(mode="json"),
        presented=presented or {},
        findings=tuple(findings),
        exhibits=tuple(exhibits),
        before=before,
        after=after,
        verdict=judgement.verdict,
        because=judgement.because,
        facts=judgement.facts,
        done_after=done_after(findings),
        clicks=_sum(findings, "clicks"),
        typed=_sum(findings, "typed"),
        asked_again=_sum(findings, "asked_again"),
    )


def _at_home(url: str) -> bool:
    try:
        return is_loopback(place(url))
    except NotPlain:
        return False


def _sum(findings: Sequence[Finding], fact: str) -> int:
    return sum(value for each in findings if isinstance(value := each.facts.get(fact, 0), int))
