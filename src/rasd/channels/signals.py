"""What the doors tell, inside the transaction in which it became true: a receiver that defers a job loses nothing."""

from django.dispatch import Signal

message_arrived = Signal()
"""``incoming: Incoming`` became a row, once."""

media_stored = Signal()
"""``media: Media`` lies in storage."""

media_lost = Signal()
"""``media: Media`` cannot be had any more: its id died, or it is not what may be stored."""

outgoing_changed = Signal()
"""``outgoing: Outgoing`` got further, or failed."""
