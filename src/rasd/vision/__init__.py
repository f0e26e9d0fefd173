"""The eye: a photograph of a meter in, a reading with its probability out.

Pure: bytes and arrays in, dataclasses out; no Django, no database, no network. The models ship with the
packages, nothing is downloaded when it runs.
"""

from rasd.vision.eye import Eye, UnusableEye, read_photograph
from rasd.vision.photograph import check_photograph, open_photograph
from rasd.vision.types import (
    DEFAULT,
    FINDINGS,
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
    "REASONS",
    "Candidate",
    "Decision",
    "DigitReading",
    "Eye",
    "Finding",
    "History",
    "NotAPhotograph",
    "PastReading",
    "PhotoReading",
    "RegisterHint",
    "Severity",
    "Thresholds",
    "UnusableEye",
    "check_photograph",
    "open_photograph",
    "read_photograph",
]
