"""When the watch comes: random within strata, from a seed that is committed to beforehand (G14). Pure: no clock, no database.

docs/watch-schedule.md says how it is drawn, for whoever wants to draw it again in another language.
"""

from rasd.watch.schedule.drawing import Drawing, Inputs, Refused, draw
from rasd.watch.schedule.hours import next_hour, offsets_of
from rasd.watch.schedule.sealing import commitment_of, new_seed, sealed

__all__ = [
    "Drawing",
    "Inputs",
    "Refused",
    "commitment_of",
    "draw",
    "new_seed",
    "next_hour",
    "offsets_of",
    "sealed",
]
