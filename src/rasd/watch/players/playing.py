"""A whole visit: each step in turn, the second look, the other channel where the first failed, and the tidying up."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rasd.watch.journeys.language import Channel, Go, Step, Wait
from rasd.watch.journeys.saying import said
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
Beside = Callable[[], Callable[[], Moment]]
"""Called before a step; what it gives is called after it, and tells what the host did meanwhile (``selfcheck.py``)."""


class Visit:
    """Plays ``errand`` with ``players``: one of each channel, opened when first needed, closed at the end."""

    def __init__(self, errand: Errand, players: Players, beside: Beside) -> None:
        self.errand, self.players, self.beside = errand, players, beside
        self.here = errand.journey.channel
        self.findings: list[Finding] = []
        self.exhibits: tuple[Exhibit, ...] = ()
        """What is of the whole visit and not of one step: traces, the transcript."""
        self._open: dict[Channel, Player] = {}

    def play(self) -> list[Finding]:
        """Each step's finding, in the order played; those that were not reached are there too, but for the other channels
        that were not needed. Raises nothing that a service can cause."""
        journey = self.errand.journey
        try:
            well = self._errand(
                "steps", journey.steps, "done", journey.done, journey.who.patience.total_seconds()
            )
            for n, other in enumerate(journey.otherwise, 1):
                if not well:
                    self.here = other.channel
                    part = f"otherwise:{n}"
                    well = self._errand(
                        part, other.steps, f"{part}:done", other.done, other.patience.total_seconds()
                    )
            self._be_patient(journey.who.patience.total_seconds())
            for step in journey.clean_up:  # each by itself: what can be taken away is taken away
                self._step("clean_up", step)
        finally:
            self._close(well_so_far=all(each.went_well for each in self.findings))
        return self.findings

    def _errand(
        self, part: str, steps: Sequence[Step], done_part: str, done: Sequence[Step], patience: float
    ) -> bool:
        self._be_patient(patience)
        return self._all(part, steps, True) & self._all(done_part, done, self._went_well(part))

    def _be_patient(self, seconds: float) -> None:
        self.errand.patient_until = self.errand.clock.monotonic() + seconds

    def _went_well(self, part: str) -> bool:
        return all(each.went_well for each in self.findings if each.part == part)

    def _all(self, part: str, steps: Sequence[Step], well: bool) -> bool:
        for step in steps:
            if well:
                well = self._step(part, step)
            else:
                self._note(part, step, Outcome.NOT_REACHED)
        return well

    def _step(self, part: str, step: Step) -> bool:
        clock, began = self.errand.clock, self.errand.clock.now()
        start, beside = clock.monotonic(), self.beside()
        outcome, trouble, words = Outcome.DONE, None, ""
        player = None
        try:
            if self.errand.left(step) <= 0:
                raise CannotPlay(Trouble.NO_ANSWER, "his patience was over before this step", gave_up=True)
            player = self._player(step)
            facts = self._do(step, player)
        except CannotPlay as error:
            facts = dict(error.facts)
            outcome = Outcome.GAVE_UP if facts.pop("gave_up", False) else Outcome.FAILED
            trouble, words = error.trouble, self.errand.masked(error.words)
        seconds = clock.monotonic() - start
        exhibits = player.witness(self.errand, outcome is Outcome.DONE) if player else ()
        self._note(
            part, step, outcome, trouble=trouble, words=words, began=began, seconds=round(seconds, 3),
            host=beside(), exhibits=exhibits, facts=facts,
        )  # fmt: skip
        return outcome is Outcome.DONE

    def _do(self, step: Step, player: Player) -> dict[str, Any]:
        if isinstance(step, Wait):
            self.errand.clock.sleep(step.wait.total_seconds())
            return {"waited": step.wait.total_seconds()}
        return player.play(step, self.errand)

    def _player(self, step: Step) -> Player:
        if isinstance(step, Go):
            self.here = step.go
        channel = CHANNEL_OF.get(step.verb, self.here)
        if channel not in self._open:
            self._open[channel] = self.players[channel]()
        return self._open[channel]

    def _note(self, part: str, step: Step, outcome: Outcome, **more: Any) -> None:
        self.findings.append(
            Finding(
                number=len(self.findings) + 1,
                part=part,
                verb=step.verb,
                says=self.errand.masked(said(step)),
                channel=CHANNEL_OF.get(step.verb, self.here),
                outcome=outcome,
                **({"began": self.errand.clock.now()} | more),
            )
        )

    def _close(self, well_so_far: bool) -> None:
        for player in self._open.values():
            self.exhibits += player.close(self.errand, well_so_far)
