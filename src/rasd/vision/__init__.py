"""The eye: a photograph of a meter in, a reading with its probability out.

Pure: bytes and arrays in, dataclasses out; no Django, no database, no network. The models ship with the
packages, nothing is downloaded when it runs.
"""

from rasd.vision.photograph import open_photograph
from rasd.vision.reader import read_photograph, warm_up
from rasd.vision.types import (
    DEFAULT,
    FINDINGS,
    MODEL_NAME,
    REASONS,
    Candidate,
    Decision,
    DigitReading,
    Finding,
    History,
    NotAPhotograph,
    PastReading,
    PhotoReading,
    RegisterHint,
    Severity,
    Thresholds,
)

__all__ = [
    "DEFAULT",
    "FINDINGS",
    "MODEL_NAME",
    "REASONS",
    "Candidate",
    "Decision",
    "DigitReading",
    "Finding",
    "History",
    "NotAPhotograph",
    "PastReading",
    "PhotoReading",
    "RegisterHint",
    "Severity",
    "Thresholds",
    "open_photograph",
    "read_photograph",
    "warm_up",
]
