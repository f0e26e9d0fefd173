"""Meta's rate limits, by the emulated clock.

Source: developers.facebook.com, "Throughput" and "Pair rate limits": 80 messages a second and business number, in and
out together; to one customer one message in 6 seconds, of which up to 45 may be spent ahead.
"""

from collections import deque

THROUGHPUT_PER_SECOND = 80
PAIR_BURST = 45
PAIR_SECONDS = 6.0


class Throughput:
    """Messages of one business number in the last second, in and out together."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def count(self, now: float) -> None:
        """One message more at ``now`` (Unix seconds)."""
        self._times.append(now)
        self._forget(now)

    def is_exhausted(self, now: float) -> bool:
        self._forget(now)
        return len(self._times) >= THROUGHPUT_PER_SECOND

    def _forget(self, now: float) -> None:
        while self._times and not (now - 1.0 < self._times[0] <= now):
            self._times.popleft()


class Pair:
    """A token bucket between one business number and one customer."""

    def __init__(self) -> None:
        self._tokens = float(PAIR_BURST)
        self._at: float | None = None

    def take(self, now: float) -> bool:
        """Spends one message at ``now`` (Unix seconds); False where the pair has none left."""
        if self._at is not None:
            self._tokens = min(PAIR_BURST, self._tokens + max(0.0, now - self._at) / PAIR_SECONDS)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True
