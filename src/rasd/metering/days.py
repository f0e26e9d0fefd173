"""The utility's calendar. Pure but for ``settings.TIME_ZONE``."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone

USUAL_WINDOW = (15, 25)  # days of the month, both included


def local_day(moment: datetime) -> date:
    """The day of ``moment`` (aware) in the utility's zone (``settings.TIME_ZONE``), whatever zone is active."""
    return timezone.localdate(moment, timezone.get_default_timezone())


def usual_window(name: str) -> tuple[date, date]:
    """First and last day of the month ``name`` (``2026-11``) in which customers read, unless the utility says otherwise."""
    year, month = (int(part) for part in name.split("-"))
    return date(year, month, USUAL_WINDOW[0]), date(year, month, USUAL_WINDOW[1])
