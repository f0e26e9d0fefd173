"""The emulated time: one clock, which a test can move."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus an offset in seconds, so that a 24-hour window can be passed without waiting a day.

    Everything that Meta dates or lets expire goes by it: message time stamps, the customer service window, media
    addresses and ids, rate limits, the delays between repeated webhooks. Network latency does not.
    """

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """Emulated Unix time in seconds."""
        return time.time() + self.offset

    def utc(self) -> datetime:
        """Emulated time as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def set(self, at: datetime) -> None:
        """Makes it ``at`` (aware) now; it runs on from there.

        Raises:
            ValueError: ``at`` has no time zone.
        """
        if at.tzinfo is None:
            raise ValueError(f"at: {at.isoformat()} has no time zone. Write it like 2026-07-18T09:00+04:00.")
        self.offset = at.timestamp() - time.time()

    def advance(self, seconds: float) -> None:
        """Moves the clock by ``seconds`` (forwards; negative moves back)."""
        self.offset += seconds


def iso(unix: float) -> str:
    """Unix seconds as an ISO 8601 string in UTC with milliseconds, as the control API gives all times."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds")
