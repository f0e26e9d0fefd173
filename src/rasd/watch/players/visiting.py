"""The player's side of the playing process: order after order, each a whole visit.

Orders come in on standard input, an ``Order`` a line; out go, each on a line with one key: ``player`` (its process id),
``before`` (a self-check), ``begins`` and ``finding`` (of a step), ``report``.
"""

import importlib
import os
import sys
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any, Protocol

from rasd.watch.evidence.box import Box
from rasd.watch.identities import secrets, somebody
from rasd.watch.journeys import Journey, parse
from rasd.watch.players.base import Errand
from rasd.watch.players.orders import Order
from rasd.watch.players.playing import Players, Visit
from rasd.watch.players.report import Report, report_of
from rasd.watch.selfcheck import Beside, OwnNetwork, look

Tell = Callable[[str, Any], None]


class Cast(Protocol):
    """Who plays. One for the life of a playing process; ``players/cast.py`` is the real one."""

    def draws(self, journey: Journey) -> Callable[[], bool] | None:
        """Whether a page of the watch's own is drawn; None where the journey needs no browser."""
        ...

    def players(self, order: Order, errand: Errand) -> Players:
        """Those of one visit, none of them opened yet."""
        ...

    def presented(self, errand: Errand) -> dict[str, Any]:
        """As what he came, in the visit that was just played."""
        ...

    def close(self) -> None: ...


def play_all(name: str) -> None:
    """Plays what it is told to until no more can come. ``name``: ``module:Cast``. What a step prints goes to standard error:
    standard output is ours."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    orders = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)

    def tell(key: str, value: Any) -> None:
        words = value.model_dump_json() if hasattr(value, "model_dump_json") else str(value)
        out.write(f'{{"{key}":{words}}}\n')
        out.flush()

    tell("player", os.getpid())
    module, _, attribute = name.partition(":")
    cast: Cast = getattr(importlib.import_module(module), attribute)()
    try:
        for line in orders:
            tell("report", play(Order.model_validate_json(line), cast, tell))
    finally:
        cast.close()


def play(order: Order, cast: Cast, tell: Tell) -> Report:
    """One visit, from the look at oneself before it to the one after it."""
    journey, line = parse(order.journey), _line(order.own_network)
    draws = cast.draws(journey)
    beside = Beside(line)
    before = look(line, order.box, draws)
    if (
        before.browser is False
    ):  # it broke down since the visit before: the next one is started, and looked at
        before = look(line, order.box, draws)
    tell("before", before)
    errand = errand_of(order, journey)
    began = errand.clock.now()
    with beside:
        visit = Visit(
            errand,
            cast.players(order, errand),
            beside,
            tell=lambda finding: tell("finding", finding),
            begins=lambda finding: tell("begins", finding),
        )
        visit.play()
    ended = errand.clock.now()
    for words in visit.not_closed:
        print(f"watch: a player did not close: {words}", file=sys.stderr)  # noqa: T201 - the operator's log
    return report_of(
        order,
        journey,
        began=began,
        ended=ended,
        findings=visit.findings,
        exhibits=visit.exhibits,
        before=before,
        after=look(line, order.box, draws),
        presented=_as_whom(errand) | cast.presented(errand),
    )


def errand_of(order: Order, journey: Journey) -> Errand:
    mailbox = order.mailbox.address if order.mailbox else ""
    return Errand(
        journey=journey,
        url=order.url,
        box=Box(order.box),
        someone=somebody(order.seed, journey.who.language, journey.who.place, mailbox),
        secrets=secrets(),
        leave=order.leave,
        random=Random(f"visit {order.seed}"),  # noqa: S311 - nobody gains by foretelling how fast he types
    )


def _as_whom(errand: Errand) -> dict[str, Any]:
    return {each: errand.someone[each] for each in ("name", "email", "phone")}


@cache
def _line(places: tuple[str, ...]) -> OwnNetwork:
    """Kept: to read the list of authorities that certificates are checked by costs more than a whole look at oneself."""
    return OwnNetwork(places)
