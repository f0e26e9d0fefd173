"""Made-up visits for tests: a journey, what came of its steps, the watch's look at itself."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from rasd.watch.journeys import Channel, Journey, parse
from rasd.watch.players.finding import Finding, Moment, Outcome, Trouble
from rasd.watch.players.report import SelfCheck

BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

ERRAND = """
journey: ticket
title: A ticket
target: desk
who: {patience: 100s}
steps: [{open: /}, {press: Send}]
done: [{open: /list}, {see: My ticket}]
otherwise:
  - because: the site failed, so I wrote
    channel: mail
    patience: 50s
    steps: [{write: {to: help@example.org, subject: Water, words: None comes}}]
    done: [{mail: {subject: ticket}}]
clean_up: [{press: Delete}]
"""


def errand(text: str = ERRAND) -> Journey:
    return parse(text)


def well(**kinds: Any) -> SelfCheck:
    """A self-check that finds nothing wrong, but for what is said."""
    return SelfCheck(
        **(
            {
                "at": BEGAN, "network": True, "clock_off": 0.2, "load": 0.1, "memory_free": 0.6,
                "disk_free": 10 * 1024**3, "browser": True,
            }
            | kinds
        )
    )  # fmt: skip


def went(
    part: str = "steps",
    outcome: Outcome = Outcome.DONE,
    trouble: Trouble | None = None,
    *,
    seconds: float = 5.0,
    load: float = 0.1,
    idle: float | None = 0.5,
    late: float = 0.0,
    network: bool | None = True,
    channel: Channel = Channel.WEB,
    verb: str = "press",
    **facts: Any,
) -> Finding:
    return Finding(
        number=1, part=part, verb=verb, says="press: Send", channel=channel, outcome=outcome, trouble=trouble,
        words="it says so", began=BEGAN, seconds=seconds,
        host=Moment(load=load, idle=idle, late=late, network=network),
        facts=facts,
    )  # fmt: skip


def failed(trouble: Trouble, part: str = "steps", **more: Any) -> Finding:
    return went(part, Outcome.FAILED, trouble, **more)


def gave_up(trouble: Trouble, part: str = "steps", **more: Any) -> Finding:
    return went(part, Outcome.GAVE_UP, trouble, **more)


def not_reached(part: str = "done") -> Finding:
    return went(part, Outcome.NOT_REACHED, seconds=0.0)


def in_turn(*findings: Finding) -> list[Finding]:
    """Numbered, each after the one before it."""
    ends = itertools.accumulate((each.seconds for each in findings), initial=0.0)
    return [
        each.model_copy(update={"number": n, "began": BEGAN + timedelta(seconds=after)})
        for (n, each), after in zip(enumerate(findings, 1), ends, strict=False)
    ]


def all_done() -> list[Finding]:
    return in_turn(went(), went(), went("done"), went("done"), went("clean_up"))
