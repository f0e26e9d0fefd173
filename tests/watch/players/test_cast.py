"""G15: a browser that has not drawn anything yet is not taken for one that is broken."""

from types import SimpleNamespace

import pytest
from playwright.sync_api import Error

from rasd.watch.players.cast import NOTHING_YET, RealCast


def cast_that(*says: str) -> RealCast:
    """A cast whose browser says so, one after another, and then draws."""
    answers = list(says)

    def send(*_, **__):
        if answers:
            raise Error(answers.pop(0))
        return {"data": "/9j/"}

    cast, browser = RealCast(), SimpleNamespace()
    cast.browser = SimpleNamespace(open=lambda _: browser, close=lambda: None)
    cast._mirror = SimpleNamespace(
        is_closed=lambda: False, context=SimpleNamespace(browser=browser), wait_for_timeout=lambda _: None
    )
    cast._glass = SimpleNamespace(send=send)
    return cast


@pytest.mark.parametrize(
    ("says", "works"),
    [
        ((f"Protocol error (Page.captureScreenshot): {NOTHING_YET}",) * 2, True),
        (("Target page, context or browser has been closed",), False),
    ],
)
def test_g15_a_browser_that_is_still_starting_draws_a_moment_later_and_a_broken_one_does_not(says, works):
    assert cast_that(*says)._drawn("ar") is works
