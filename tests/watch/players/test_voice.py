"""The telephone is not there yet, and says so."""

from pathlib import Path

import pytest

from rasd.watch.evidence.box import Box
from rasd.watch.journeys import parse
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.finding import Trouble
from rasd.watch.players.voice import VoicePlayer

RINGS = """
journey: rings
title: He rings
target: desk
channel: voice
who: {patience: 5m}
steps: [{ring: "+968 2400 0000"}]
done: [{mail: {}}]
"""


def test_whoever_is_to_ring_says_that_he_cannot_yet(tmp_path: Path) -> None:
    journey = parse(RINGS)
    errand = Errand(journey, "http://127.0.0.1", Box(tmp_path), {})
    with pytest.raises(CannotPlay, match="cannot telephone yet") as error:
        VoicePlayer().play(journey.steps[0], errand)
    assert error.value.trouble is Trouble.NOT_BUILT
    assert VoicePlayer().witness(errand, False) == VoicePlayer().close(errand, False) == ()
