"""Which eye reads (``RASD_EYE``, else the one that is shipped), and which one reads the same photographs beside it without
anybody being told (``RASD_SHADOW_EYE``)."""

from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from rasd.vision import Eye, PhotoReading, UnusableEye


class SameName(UnusableEye):
    """The eye in shadow is called like the one in service: nobody could tell their readings apart."""


def in_service() -> Eye:
    """The one whose readings count. Raises UnusableEye."""
    return opened(settings.EYE)


def in_shadow() -> Eye | None:
    """The one that is on trial; None where there is none. Raises UnusableEye."""
    return shadow_beside(in_service(), settings.SHADOW_EYE) if settings.SHADOW_EYE else None


def read_photograph(data: bytes, **known: Any) -> PhotoReading:
    """As ``Eye.read``, with the one in service."""
    return in_service().read(data, **known)


def shadow_beside(service: Eye, folder: str) -> Eye:
    """The eye in ``folder``. Raises UnusableEye, also where it has the name of the one in service."""
    shadow = opened(folder)
    if shadow.name == service.name:
        raise SameName(
            f"{folder}: its name is {shadow.name}, and so is that of the eye in service: give the new one a name of"
            " its own in manifest.json"
        )
    return shadow


@cache
def opened(folder: str) -> Eye:
    """The eye in ``folder``, the shipped one where that is empty; each is opened once a process. Raises UnusableEye."""
    return Eye.at(Path(folder)) if folder else Eye.shipped()
