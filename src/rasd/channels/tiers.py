"""How many customers may still be written to who did not write themselves: Meta's messaging limit.

"The maximum number of unique WhatsApp user phone numbers your business can deliver messages to, outside of a customer service
window, within a moving 24-hour period", shared by all numbers of a business portfolio: 250 at first, then 2,000, 10,000,
100,000, and none [Meta, "Messaging limits", as of 2026]. Raised by Meta alone; entered at the line.

Everything that goes out on the portfolio's lines counts, not only what asks for room here: an answer given after 24 hours takes
of the same limit, and can itself not wait. Who writes to many leaves the answers :data:`KEPT_FREE`.
"""

from datetime import datetime, timedelta

from django.db import connection

from rasd.channels.models import Line
from rasd.channels.rules import WINDOW

PERIOD = timedelta(hours=24)
LONGEST_IN_OUTBOX = timedelta(
    hours=1
)  # between a message's row and its sending; with all its attempts about 17 minutes
KEPT_FREE = 0.1
"""A share of the limit that stays for answers which come after the customer's 24 hours."""

_WRITTEN_TO = """
SELECT count(DISTINCT o.address_id) FROM channels_outgoing o
WHERE o.line_id = ANY(%(lines)s) AND o.created_at > %(earliest)s
AND coalesce(o.called_at, o.created_at) > %(begins)s AND o.failed_at IS NULL
AND NOT EXISTS (
    SELECT FROM channels_incoming i WHERE i.address_id = o.address_id AND i.line_id = o.line_id
    AND i.sent_at > o.created_at - make_interval(secs => %(window)s) AND i.sent_at <= o.created_at
)
"""


def room(line: Line, at: datetime) -> int | None:
    """How many more may be written to on ``line`` now; None: no limit. Two that ask at once are told the same: take turns with
    :func:`take_turns`."""
    if line.daily_customers is None:
        return None
    others = (
        Line.objects.filter(portfolio=line.portfolio) if line.portfolio else Line.objects.filter(pk=line.pk)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITTEN_TO,
            {
                "lines": list(others.values_list("pk", flat=True)),
                "begins": at - PERIOD,
                "earliest": at - PERIOD - LONGEST_IN_OUTBOX,
                "window": WINDOW.total_seconds(),
            },
        )
        (written_to,) = cursor.fetchone() or (0,)
    return max(int(line.daily_customers * (1 - KEPT_FREE)) - written_to, 0)


def take_turns() -> None:
    """Until the transaction ends nobody else who calls this reads how much room there is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('channels.tiers', 0))")
