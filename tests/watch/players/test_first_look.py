"""The first look without a browser, and the odd step in Python."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rasd.watch.evidence.box import Box
from rasd.watch.journeys import parse
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.finding import Trouble
from rasd.watch.players.http import HttpPlayer
from tests.watch.players.site import Site, served

STEPS = """
journey: j
title: T
target: t
channel: http
who: {patience: 30s, language: en}
steps: [%s]
done: [{see: x}]
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served() as site:
        yield site


class Known(Browser):
    version = "156.0.8078.79"


@pytest.fixture
def play(site: Site, tmp_path: Path):
    player = HttpPlayer(Known("chromium"), tmp_path)

    def play(step: str):
        journey = parse(STEPS % step)
        errand = Errand(
            journey, site.url, Box(tmp_path), {}, {"pin": "4521"}, patient_until=time.monotonic() + 30
        )
        errand.kept["name"] = "سالم"
        try:
            return player.play(journey.steps[0], errand), errand
        finally:
            play.words = [errand.box.get(each.sha256).decode() for each in player.witness(errand, True)]

    yield play
    player.close(None, True)  # type: ignore[arg-type]


def test_g13_the_first_look_comes_as_the_same_person(play, site: Site) -> None:
    facts, _ = play("{get: {url: '/done?n={name}', words: 'رقم البلاغ: \\d+'}}")
    assert facts["status"] == 200
    assert facts["bytes"] > 50
    headers = site.asked[-1][1]
    assert headers["User-Agent"].endswith("Chrome/156.0.0.0 Mobile Safari/537.36")
    assert headers["Accept-Language"] == "en-GB,en-US;q=0.9,en;q=0.8"
    assert "httpx" not in str(headers)
    assert "تم استلام بلاغك" in play.words[0]


@pytest.mark.parametrize(
    ("step", "trouble"),
    [
        ("{get: /error}", Trouble.ERROR_PAGE),
        ("{get: /many}", Trouble.WALL),
        ("{get: {url: /done, words: nothing of the kind}}", Trouble.OTHER_WORDS),
        ("{get: 'http://127.0.0.1:1/'}", Trouble.UNREACHABLE),
        ("{get: /silent, within: 0.1s}", Trouble.UNREACHABLE),
        ("{get: 'http://example.com/'}", Trouble.NOT_PERMITTED),
        ("{press: Send}", Trouble.JOURNEY),
        ("{get: '/{unknown}'}", Trouble.JOURNEY),
    ],
)
def test_the_first_look_says_what_is_wrong(play, step: str, trouble: Trouble) -> None:
    with pytest.raises(CannotPlay) as error:
        play(step)
    assert error.value.trouble is trouble


def test_the_odd_step_is_a_function_beside_the_journey_and_what_it_gives_is_kept(
    play, tmp_path: Path
) -> None:
    (tmp_path / "signing.py").write_text(
        "def sign(errand, who, times=1):\n    return {'signature': f'{who}{times}'}\n\ndef fails(errand):\n    1 / 0\n"
    )
    _, errand = play("{python: 'signing:sign', with: {who: '{name}', times: 3}}")
    assert errand.kept["signature"] == "سالم3"
    for step, words in {
        "signing:fails": "signing:fails: ZeroDivisionError: division by zero \\(line 5\\)",
        "signing:gone": "signing:gone: AttributeError",
        "no_such_module:f": "no_such_module:f: ModuleNotFoundError",
        "os:sep": "os:sep is not a function",
    }.items():
        with pytest.raises(CannotPlay, match=words) as error:
            play(f"{{python: '{step}'}}")
        assert error.value.trouble is Trouble.JOURNEY
