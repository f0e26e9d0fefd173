"""``robots.txt`` (RFC 9309), for the addresses that a journey asks for itself. Pure: the text comes from ``signposts.py``.

The watch has no name of its own (G13): it comes as the browser that it is, so a group of rules for it cannot exist, and the
``*`` group, which is for whoever is not named, is what binds it. Where a service names browsers ("Mozilla", "Chrome"), that
binds it too: it may go where both let it, and no faster than both say.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache

from protego import Protego

BROWSER = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
"""Chromium's own since it tells neither device nor system; only its words are compared, not its numbers."""
NOBODY = "*"
UNREAD = "# It could not be read.\nUser-agent: *\nDisallow: /\n"
"""What counts while a robots.txt cannot be read and never could (RFC 9309, 2.3.1.4). Nobody has said that robots are kept out: it
is no wall, and is told in other words."""
MOST = 500 * 1024
"""Bytes of it that are read (RFC 9309, 2.5)."""


@lru_cache(maxsize=256)
def _rules(text: str) -> Protego:
    return Protego.parse(text)


def lets(text: str, url: str, user_agent: str = BROWSER) -> bool:
    rules = _rules(text)
    return all(rules.can_fetch(url, agent) for agent in (NOBODY, user_agent))


def delay(text: str, user_agent: str = BROWSER) -> float:
    """Seconds that are to lie between two pages: Crawl-delay, or Request-rate as seconds a page; 0 where nothing is said."""
    rules = _rules(text)
    found = [0.0]
    for agent in (NOBODY, user_agent):
        found.append(rules.crawl_delay(agent) or 0.0)
        if (rate := rules.request_rate(agent)) and rate.requests:
            found.append(rate.seconds / rate.requests)
    return max(found)


LONGEST = timedelta(days=30)


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds that a service asks to be left alone: ``Retry-After`` of an answer 429 or 503, in seconds or as a date (RFC 9110,
    10.2.3). None where it says neither. Players put it into their finding's facts as ``retry_after``."""
    header = header.strip()
    if header.isdecimal() and header.isascii():
        seconds = float(header[:12])
    else:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (TypeError, ValueError):  # no date, or one without a zone
            return None
    return min(max(seconds, 0.0), LONGEST.total_seconds())
