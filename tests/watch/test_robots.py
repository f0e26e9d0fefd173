"""robots.txt binds the watch as whom it comes: the browser that it is, and whoever is not named."""

from datetime import UTC, datetime

import pytest

from rasd.watch import asking
from rasd.watch.robots import LONGEST, UNREAD, delay, lets, retry_after

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PHONE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"


@pytest.mark.parametrize(
    ("text", "path", "goes"),
    [
        ("", "/anything", True),
        (UNREAD, "/", False),
        ("User-agent: *\nDisallow: /admin", "/admin/x", False),
        ("User-agent: *\nDisallow: /admin", "/help", True),
        ("User-agent: *\nDisallow: /\nAllow: /help", "/help/me", True),
        ("User-agent: *\nDisallow: /*?session=", "/x?session=1", False),
        ("User-agent: *\nDisallow: /دعم", "/%D8%AF%D8%B9%D9%85/1", False),
        ("User-agent: Googlebot\nDisallow: /", "/", True),
        ("User-agent: Chrome\nDisallow: /", "/", False),
        ("User-agent: Mozilla\nDisallow: /slow", "/slow", False),
        (
            "User-agent: Chrome\nAllow: /\n\nUser-agent: *\nDisallow: /",
            "/",
            False,
        ),  # no name opens a door to us
    ],
)
def test_g13_goes_where_both_the_browser_and_whoever_is_not_named_may_go(
    text: str, path: str, goes: bool
) -> None:
    assert lets(text, f"https://example.org{path}", PHONE) is goes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("User-agent: *\nCrawl-delay: 10", 10),
        ("User-agent: *\nCrawl-delay: 2\n\nUser-agent: Chrome\nCrawl-delay: 30", 30),
        ("User-agent: *\nRequest-rate: 1/5m", 300),
        ("User-agent: Googlebot\nCrawl-delay: 10", 0),
        ("User-agent: *\nCrawl-delay: soon", 0),
    ],
)
def test_g13_is_no_faster_than_both_say(text: str, seconds: float) -> None:
    assert delay(text, PHONE) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 22 Nov 2026 08:01:00 GMT", 60),
        ("Sun, 22 Nov 2026 07:00:00 GMT", 0),
        ("Sunday, 22-Nov-26 08:01:00 GMT", 60),
        ("9" * 400, LONGEST.total_seconds()),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("Sun, 99 Nov 2026 08:01:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


def test_g13_robots_txt_is_asked_for_by_the_very_browser_that_comes_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "version_of", lambda path: "142.0.7444.59")
    assert asking.as_whom()["User-Agent"] == PHONE
    assert asking.as_whom()["Accept-Language"] == "ar-OM,ar;q=0.9,en-US;q=0.8,en;q=0.7"
