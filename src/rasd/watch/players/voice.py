"""The telephone: declared, so that journeys may name it and reports can say that nobody rang. Nothing here rings."""

from typing import NoReturn

from rasd.watch.journeys.steps import Step
from rasd.watch.journeys.written import Channel
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.finding import Exhibit, Trouble


class VoicePlayer:
    channel = Channel.VOICE

    def play(self, step: Step, errand: Errand) -> NoReturn:
        """Raises CannotPlay (NOT_BUILT), always: a visit that needs it is the watch's own fault, never the service's."""
        raise CannotPlay(
            Trouble.NOT_BUILT, "the watch cannot telephone yet: take the step out, or try another channel"
        )

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        return ()

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        return ()
