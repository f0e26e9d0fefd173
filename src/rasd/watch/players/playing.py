"""A whole visit: each step in turn, the second look, the other channel where the first failed, and the tidying up."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rasd.watch.journeys.saying import said
from rasd.watch.journeys.steps import Go, Step, Wait
from rasd.watch.journeys.written import Channel
from rasd.watch.players.base import CannotPlay, Errand, Player
from rasd.watch.players.finding import Exhibit, Finding, Moment, Outcome, Trouble

CHANNEL_OF = {
    "say": Channel.CHAT,
    "hear": Channel.CHAT,
    "write": Channel.MAIL,
    "mail": Channel.MAIL,
    "code": Channel.MAIL,
    "get": Channel.HTTP,
    "ring": Channel.VOICE,
}
"""Verbs that belong to one channel wherever he is; every other is played where he is."""

Players = Mapping[Channel, Callable[[], Player]]
Beside = Callable[[], Callable[[bool], Moment]]
"""Called before a step; what it gives is called after it, with whether it went well, and tells what the host did meanwhile
(``selfcheck.py``)."""
Tell = Callable[[Finding], None]


def nobody(finding: Finding) -> None:
    """Hears nothing."""


def no_host() -> Callable[[bool], Moment]:
    """Where nobody looks at the host."""
    return lambda went_well: Moment(load=0.0)


class Visit:
    """Plays ``errand`` with ``players``: one of each channel, opened when first needed, closed at the end. ``begins`` hears of
    a step before it is played, ``tell`` of its finding after it."""

    def __init__(
        self, errand: Errand, players: Players, beside: Beside, tell: Tell = nobody, begins: Tell = nobody
    ) -> None:
        self.errand, self.players, self.beside = errand, players, beside
        self.tell, self.begins = tell, begins
        self.here = errand.journey.channel
        self.findings: list[Finding] = []
        self.exhibits: tuple[Exhibit, ...] = ()
        """What is of the whole visit and not of one step: traces, the transcript."""
        self.not_closed: list[str] = []
        """Players that failed to close, in words: whoever holds their processes ends them."""
        self._open: dict[Channel, Player] = {}

    def play(self) -> list[Finding]:
        """Each step's finding, in the order played; those that were not reached are there too, but for the other channels
        that were not needed. The tidying up begins in the journey's channel. Raises nothing that a service or a player can
        cause."""
        journey = self.errand.journey
        patience = journey.who.patience.total_seconds()
        try:
            well = self._errand("steps", journey.steps, "done", journey.done, patience)
            for n, other in enumerate(journey.otherwise, 1):
                if not well:
                    self.here = other.channel
                    part = f"otherwise:{n}"
                    there = [Go(go=other.channel, at=other.at)] if other.at else []
                    well = self._errand(
                        part,
                        [*there, *other.steps],
                        f"{part}:done",
                        other.done,
                        other.patience.total_seconds(),
                    )
            self._be_patient(patience)
            self.here = journey.channel
            for step in journey.clean_up:  # each by itself: what can be taken away is taken away
                self._step("clean_up", step)
        finally:
            self._close(well_so_far=all(each.went_well for each in self.findings))
        return self.findings

    def _errand(
        self, part: str, steps: Sequence[Step], done_part: str, done: Sequence[Step], patience: float
    ) -> bool:
        self._be_patient(patience)
        well = self._all(part, steps, True)
        return self._all(done_part, done, well)

    def _be_patient(self, seconds: float) -> None:
        self.errand.patient_until = self.errand.clock.monotonic() + seconds

    def _all(self, part: str, steps: Sequence[Step], well: bool) -> bool:
        for n, step in enumerate(steps):
            if not well:
                self.not_reached(part, steps[n:])
                break
            well = self._step(part, step)
        return well

    def not_reached(self, part: str, steps: Sequence[Step]) -> None:
        for step in steps:
            self._follow(step)
            self._note(self._finding(part, step, Outcome.NOT_REACHED))

    def _follow(self, step: Step) -> None:
        if isinstance(step, Go):
            self.here = step.go

    def _step(self, part: str, step: Step) -> bool:
        self._follow(step)
        self.begins(self._finding(part, step, Outcome.NOT_REACHED))
        clock, began = self.errand.clock, self.errand.clock.now()
        start, beside = clock.monotonic(), self.beside()
        outcome, trouble, words = Outcome.DONE, None, ""
        try:
            facts = self._do(step)
        except CannotPlay as error:
            facts = dict(error.facts)
            outcome = Outcome.GAVE_UP if facts.pop("gave_up", False) else Outcome.FAILED
            trouble, words = error.trouble, error.words
        except (
            Exception
        ) as error:  # a player's own mistake must not cost the visit, nor be held against the service
            facts, outcome, trouble = {}, Outcome.FAILED, Trouble.BROWSER
            words = f"the watch's own player failed: {type(error).__name__}: {error}"
        seconds = clock.monotonic() - start
        host = beside(outcome is Outcome.DONE)
        exhibits = self._witnessed(step, outcome is Outcome.DONE, facts)
        self._note(
            self._finding(
                part, step, outcome, trouble=trouble, words=self.errand.masked(words), began=began,
                seconds=round(seconds, 3), host=host, exhibits=exhibits, facts=self._masked(facts),
            )
        )  # fmt: skip
        return outcome is Outcome.DONE

    def _do(self, step: Step) -> dict[str, Any]:
        left = self.errand.left(step)
        if left <= 0:
            raise CannotPlay(Trouble.NO_ANSWER, "his patience was over before this step", gave_up=True)
        if not isinstance(step, Wait):
            return self._player(step).play(step, self.errand)
        wanted = step.wait.total_seconds()
        self.errand.clock.sleep(min(wanted, left))
        if wanted > left:
            raise CannotPlay(Trouble.NO_ANSWER, "his patience was over while he waited", gave_up=True)
        return {"waited": wanted}

    def _player(self, step: Step) -> Player:
        channel = self._channel(step)
        if channel not in self.players:
            raise CannotPlay(Trouble.NOT_BUILT, f"nobody plays {channel.value} yet")
        if channel not in self._open:
            self._open[channel] = self.players[channel]()
        return self._open[channel]

    def _channel(self, step: Step) -> Channel:
        return CHANNEL_OF.get(step.verb, self.here)

    def _witnessed(self, step: Step, went_well: bool, facts: dict[str, Any]) -> tuple[Exhibit, ...]:
        """The step's evidence. Where it cannot be had, or kept, the step's facts say so: a deed is not undone by that."""
        player = self._open.get(self._channel(step))
        try:
            return player.witness(self.errand, went_well) if player else ()
        except Exception as error:
            facts["no_evidence"] = f"{type(error).__name__}: {error}"
            return ()

    def _masked(self, fact: Any) -> Any:
        if isinstance(fact, str):
            return self.errand.masked(fact)
        if isinstance(fact, dict):
            return {key: self._masked(value) for key, value in fact.items()}
        return [self._masked(each) for each in fact] if isinstance(fact, list | tuple) else fact

    def _finding(self, part: str, step: Step, outcome: Outcome, **more: Any) -> Finding:
        return Finding(
            number=len(self.findings) + 1,
            part=part,
            verb=step.verb,
            says=self.errand.masked(said(step)),
            channel=self._channel(step),
            outcome=outcome,
            **({"began": self.errand.clock.now()} | more),
        )

    def _note(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.tell(finding)

    def _close(self, well_so_far: bool) -> None:
        for player in self._open.values():
            try:
                self.exhibits += player.close(self.errand, well_so_far)
            except Exception as error:  # the next one is closed all the same
                self.not_closed.append(f"{type(error).__name__}: {error}")


def broken_off(
    errand: Errand, findings: Sequence[Finding], during: Finding | None, words: str
) -> list[Finding]:
    """What is known of a visit whose playing process is gone: its findings, the step it was at, and the journey's own steps
    that were not reached, what should have been tidied up among them."""
    visit = Visit(errand, {}, no_host)
    visit.findings = list(findings)
    if during:
        gone = {"outcome": Outcome.FAILED, "trouble": Trouble.BROWSER, "words": errand.masked(words)}
        visit.findings.append(during.model_copy(update=gone))
    journey = errand.journey
    for part, steps in [("steps", journey.steps), ("done", journey.done), ("clean_up", journey.clean_up)]:
        played = sum(each.part == part for each in visit.findings)
        visit.not_reached(part, steps[played:])
    return visit.findings
