"""Photograph → reading (filled in by the next commits; the interface is final)."""

from __future__ import annotations

from rasd.vision.types import DEFAULT, History, PhotoReading, RegisterHint, Thresholds


def warm_up() -> None:
    """Load the models, once a process."""


def read_photograph(
    data: bytes,
    *,
    register: RegisterHint | None = None,
    history: History | None = None,
    thresholds: Thresholds = DEFAULT,
) -> PhotoReading:
    raise NotImplementedError
