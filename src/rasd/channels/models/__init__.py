"""Lines and people, what comes in, what goes out."""

from rasd.channels.models.incoming import MEDIA_ID_LIFE, Delivery, Incoming, Media, Refusal
from rasd.channels.models.limits import LineLimit, know_lines_of, limits_of_all, lines_of
from rasd.channels.models.lines import Address, Channel, Line
from rasd.channels.models.optouts import OptOut
from rasd.channels.models.outgoing import Outgoing, StatusEvent

__all__ = [
    "MEDIA_ID_LIFE",
    "Address",
    "Channel",
    "Delivery",
    "Incoming",
    "Line",
    "LineLimit",
    "Media",
    "OptOut",
    "Outgoing",
    "Refusal",
    "StatusEvent",
    "know_lines_of",
    "limits_of_all",
    "lines_of",
]
