"""A whole visit, step by step: the first attempt counts, everything planned is accounted for, and no player can break it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.evidence.box import Box
from rasd.watch.journeys import Channel, Step, parse
from rasd.watch.players.base import CannotPlay, Clock, Errand
from rasd.watch.players.finding import Exhibit, Finding, Moment, Outcome, Trouble
from rasd.watch.players.playing import Visit, broken_off
from tests.watch.visits import BEGAN

JOURNEY = """
journey: ticket
title: A ticket
target: desk
who: {patience: 100s}
steps:
  - open: /
  - press: Send
done:
  - see: My ticket
otherwise:
  - because: the site failed, so I wrote
    channel: mail
    at: help@example.org
    patience: 50s
    steps: [{write: {to: help@example.org, subject: Water, words: None comes}}]
    done: [{mail: {subject: ticket}}]
clean_up: [{press: Delete}, {press: Log out}]
"""
DONE, FAILED, GAVE_UP, NOT_REACHED = Outcome.DONE, Outcome.FAILED, Outcome.GAVE_UP, Outcome.NOT_REACHED


@dataclass
class Hour:
    """Time that passes only where somebody sleeps, or a step takes it."""

    seconds: float = 0.0

    def clock(self) -> Clock:
        return Clock(
            now=lambda: BEGAN + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


Deed = Exception | float | dict[str, Any]
"""What a step does: raises, takes so many seconds, or gives facts."""


@dataclass
class Fake:
    channel: Channel
    hour: Hour
    deeds: dict[str, Deed]
    evidence: Exception | None = None
    closing: Exception | None = None
    played: list[tuple[Channel, str]] = field(default_factory=list)
    closed_well: bool | None = None

    def play(self, step: Step, errand: Errand) -> dict[str, Any]:
        name = f"{step.verb} {_about(step)}"
        self.played.append((self.channel, name))
        deed = self.deeds.get(name, {})
        if isinstance(deed, Exception):
            raise deed
        if isinstance(deed, float):
            self.hour.sleep(deed)
            return {}
        return deed

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        if self.evidence:
            raise self.evidence
        return ()

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        self.closed_well = went_well
        if self.closing:
            raise self.closing
        return ()


def _about(step: Step) -> str:
    about = getattr(step, step.verb)
    return str(getattr(about, "name", getattr(about, "subject", about)))


class Play:
    """One visit with fakes, and what came of it."""

    def __init__(
        self, deeds: dict[str, Deed], journey: str = JOURNEY, without: Channel | None = None, **kinds: Any
    ):
        self.hour = Hour()
        self.errand = Errand(
            journey=parse(journey), url="http://127.0.0.1:9", box=Box(Path()), someone={},
            secrets={"pin": "s3cret"}, clock=self.hour.clock(),
        )  # fmt: skip
        played: list[tuple[Channel, str]] = []
        self.fakes = {
            each: Fake(each, self.hour, deeds, played=played, **kinds) for each in Channel if each != without
        }
        players = {each: _opener(fake) for each, fake in self.fakes.items()}
        self.told: list[Finding] = []
        self.moments: list[bool] = []
        self.visit = Visit(self.errand, players, self._beside, tell=self.told.append)
        self.findings = self.visit.play()
        self.played = [name for _, name in played]
        self.where = {name: channel for channel, name in played}

    def _beside(self) -> Callable[[bool], Moment]:
        def after(went_well: bool) -> Moment:
            self.moments.append(went_well)
            return Moment(load=0.0)

        return after

    def outcomes(self, part: str) -> list[Outcome]:
        return [each.outcome for each in self.findings if each.part == part]


def _opener(fake: Fake) -> Callable[[], Fake]:
    return lambda: fake


def cannot(trouble: Trouble = Trouble.NOT_THERE, words: str = "not there", **facts: Any) -> CannotPlay:
    return CannotPlay(trouble, words, **facts)


def test_what_goes_well_is_played_once_in_the_order_of_the_file_and_tidied_up():
    play = Play({})

    assert play.played == ["open /", "press Send", "see My ticket", "press Delete", "press Log out"]
    assert [each.number for each in play.findings] == [1, 2, 3, 4, 5]
    assert play.told == play.findings
    assert play.fakes[Channel.WEB].closed_well is True


def test_after_a_failure_the_other_channel_is_tried_and_everything_left_out_is_listed():
    play = Play({"press Send": cannot()})

    assert play.outcomes("steps") == [DONE, FAILED]
    assert play.outcomes("done") == [NOT_REACHED]
    assert play.outcomes("otherwise:1") == [DONE, DONE]  # it goes there, and writes
    assert play.outcomes("otherwise:1:done") == [DONE]
    assert play.where["write Water"] is Channel.MAIL
    assert play.fakes[Channel.WEB].closed_well is False


def test_the_first_attempt_counts_no_step_is_played_twice():
    play = Play({"press Send": cannot(), "write Water": cannot()})

    assert len(play.played) == len(set(play.played))


def test_a_second_look_that_fails_sends_him_to_the_other_channel_too():
    assert Play({"see My ticket": cannot()}).outcomes("otherwise:1:done") == [DONE]


@pytest.mark.parametrize("deeds", [{"open /": cannot()}, {"press Send": cannot(), "write Water": cannot()}])
def test_tidying_up_is_played_however_it_went_each_by_itself(deeds):
    play = Play({**deeds, "press Delete": cannot()})

    assert play.outcomes("clean_up") == [FAILED, DONE]
    assert play.where["press Log out"] is Channel.WEB


def test_a_step_that_comes_after_his_patience_is_not_played_he_gave_up():
    play = Play({"open /": 100.0})

    assert play.outcomes("steps") == [DONE, GAVE_UP]
    assert "press Send" not in play.played
    assert play.outcomes("otherwise:1:done") == [DONE]  # with a patience of its own


def test_for_the_tidying_up_he_has_patience_again():
    play = Play({"open /": 100.0, "write Water": 50.0})

    assert play.outcomes("otherwise:1:done") == [GAVE_UP]
    assert play.outcomes("clean_up") == [DONE, DONE]


def test_he_waits_no_longer_than_his_patience():
    play = Play({}, JOURNEY.replace("- open: /", "- wait: 200s"))

    assert (play.findings[0].outcome, play.findings[0].seconds) == (GAVE_UP, 100.0)


def test_a_pause_needs_no_player():
    play = Play({}, JOURNEY.replace("- open: /", "- wait: 20s"))

    assert play.findings[0].facts == {"waited": 20.0}


def test_giving_up_is_told_apart_from_failing():
    play = Play({"press Send": cannot(Trouble.NO_ANSWER, gave_up=True)})

    assert play.outcomes("steps") == [DONE, GAVE_UP]
    assert play.findings[1].facts == {}


def test_no_secret_is_in_what_is_told():
    deeds: dict[str, Deed] = {
        "open /": {"typed": {"field": "s3cret"}, "all": ["s3cret"]},
        "press Send": cannot(words="no s3cret on the page", saw="s3cret!"),
    }
    play = Play(deeds, JOURNEY.replace("see: My ticket", "see: s3cret"))

    assert "s3cret" not in repr(play.findings)
    assert play.findings[1].words == "no ••• on the page"


def test_g15_a_players_own_mistake_costs_the_step_and_is_ours():
    play = Play({"press Send": KeyError("label")})

    assert (play.findings[1].outcome, play.findings[1].trouble) == (FAILED, Trouble.BROWSER)
    assert "KeyError" in play.findings[1].words
    assert play.outcomes("clean_up") == [DONE, DONE]


def test_a_channel_that_nobody_plays_is_not_built():
    assert Play({}, without=Channel.WEB).findings[0].trouble is Trouble.NOT_BUILT


def test_evidence_that_cannot_be_kept_does_not_undo_the_deed_and_is_told():
    play = Play({}, evidence=OSError(28, "No space left on device"))

    assert play.outcomes("steps") == [DONE, DONE]
    assert "No space left" in play.findings[0].facts["no_evidence"]


def test_one_player_that_fails_to_close_does_not_keep_the_others_open():
    play = Play({"press Send": cannot()}, closing=RuntimeError("stuck"))

    assert all(play.fakes[each].closed_well is False for each in (Channel.WEB, Channel.MAIL))
    assert len(play.visit.not_closed) == 2


def test_the_host_is_looked_at_beside_each_step_that_is_played_and_told_how_it_went():
    assert Play({"press Send": cannot()}).moments == [True, False, True, True, True, True, True]


def test_he_changes_the_channel_midway_and_tidies_up_where_he_began():
    play = Play({}, JOURNEY.replace("  - press: Send", "  - go: chat\n  - press: Send"))

    assert play.where["press Send"] is Channel.CHAT
    assert play.where["see My ticket"] is Channel.CHAT
    assert play.where["press Delete"] is Channel.WEB


def test_what_was_not_reached_is_told_in_the_channel_where_it_would_have_been():
    play = Play({"open /": cannot()}, JOURNEY.replace("  - press: Send", "  - go: chat\n  - press: Send"))

    assert [each.channel for each in play.findings[:4]] == [
        Channel.WEB,
        Channel.CHAT,
        Channel.CHAT,
        Channel.CHAT,
    ]


NAMES = [
    "open /",
    "press Send",
    "see My ticket",
    "write Water",
    "mail ticket",
    "press Delete",
    "press Log out",
]
deeds = st.one_of(
    st.sampled_from([cannot(), cannot(Trouble.NO_ANSWER, gave_up=True), KeyError("x")]),
    st.floats(0, 120),
    st.just({"clicks": 1}),
)


@given(st.dictionaries(st.sampled_from(NAMES), deeds))
def test_whatever_the_players_do_every_step_of_the_errand_is_accounted_for(deeds):
    play = Play(deeds)

    assert len(play.outcomes("steps")) == 2
    assert len(play.outcomes("done")) == 1
    assert len(play.outcomes("clean_up")) == 2
    assert NOT_REACHED not in play.outcomes("clean_up")
    reached = [each.outcome for each in play.findings if each.part in {"steps", "done"}]
    assert NOT_REACHED not in reached or reached[reached.index(NOT_REACHED) - 1] in {FAILED, GAVE_UP}
    assert len(play.outcomes("otherwise:1:done")) == (0 if set(reached) == {DONE} else 1)


def test_g15_of_a_visit_that_broke_off_is_told_what_was_done_where_it_was_and_what_was_left():
    play = Play({})
    during = play.findings[1].model_copy(update={"outcome": NOT_REACHED})
    known = broken_off(play.errand, play.findings[:1], during, "killed at s3cret")

    assert [each.outcome for each in known] == [DONE, FAILED, NOT_REACHED, NOT_REACHED, NOT_REACHED]
    assert [each.part for each in known] == ["steps", "steps", "done", "clean_up", "clean_up"]
    assert (known[1].trouble, known[1].words) == (Trouble.BROWSER, "killed at •••")
    assert [each.number for each in known] == [1, 2, 3, 4, 5]
