"""How far it is from one place to another."""

from __future__ import annotations

import math

EARTH = 6_371_009.0
"""Metres: the Earth's mean radius (IUGG). A ball of it is right to half a per cent, which is more than is asked here."""


def metres_between(
    latitude: float | None,
    longitude: float | None,
    other_latitude: float | None,
    other_longitude: float | None,
) -> float | None:
    """Along the ground (haversine), from WGS 84 degrees. None where any of them is not known."""
    if latitude is None or longitude is None or other_latitude is None or other_longitude is None:
        return None
    north, south = math.radians(latitude), math.radians(other_latitude)
    half = (
        math.sin((south - north) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))
