"""Rules of the doors as pure functions: rate limits, the 24-hour window, and how long to wait before another try."""

from datetime import datetime, timedelta

# One message per 6 s to the same customer, of which 45 may be spent ahead [Meta, "Pair rate limits"].
PAIR_INTERVAL = timedelta(seconds=6)
PAIR_BURST = 45

# Free text may be sent for 24 h after the customer's last message to the same line [Meta, "Customer service windows"].
WINDOW = timedelta(hours=24)

TEMPLATE_TEXT_MAX = 1024
"""Characters of a template's parameter, in which free text goes once the window is closed [Meta, "Message templates"]."""


def next_slot(
    arrival: datetime, now: datetime, *, interval: timedelta, burst: int = 1
) -> tuple[datetime, datetime]:
    """The generic cell rate algorithm: when the next message may go.

    Of the slots that are taken, no ``n + 1`` in a row lie closer together than ``(n + 1 - burst) * interval``.

    Args:
        arrival: the theoretical arrival time stored when the last slot was taken.
        now: aware, as ``arrival``.
        interval: of messages in the long run.
        burst: how many may go at once after a silence.

    Returns:
        The slot (``now``, or later where the limit is used up), and the arrival time to store if that slot is taken.
    """
    slot = max(now, arrival - (burst - 1) * interval)
    return slot, max(arrival, slot) + interval


def window_is_open(last_wrote_at: datetime | None, now: datetime) -> bool:
    """Whether free text may be sent to someone who last wrote at ``last_wrote_at`` (None: never)."""
    return last_wrote_at is not None and now < last_wrote_at + WINDOW


def wait_before(attempt: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Doubling back-off: ``first`` after the first attempt, never more than ``longest``."""
    return min(longest, first * 2 ** min(max(attempt - 1, 0), 30))
