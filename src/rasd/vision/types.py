"""What goes into the eye and what comes out of it. Plain frozen values: no arrays, no Django, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

Box = tuple[float, float, float, float]
"""x, y of the top left corner, width, height: each 0 to 1 of the upright picture."""


class NotAPhotograph(ValueError):
    """The bytes cannot be opened as a picture; `code` is one of `REASONS`, the text says what to do.

    Raised by `open_photograph` and `read_photograph`, and by nothing else in this package.
    """

    REASONS = {
        "empty": "The file is empty. Please send the photograph again.",
        "not_a_picture": "This file is not a photograph. Please send a JPEG, PNG, HEIC or WebP picture, or a PDF.",
        "document": "This document holds no photograph. Please send the photograph itself.",
        "locked": "This document is protected by a password. Please send the photograph itself.",
        "damaged": "The picture is damaged or did not arrive whole. Please send it again.",
        "too_many_pixels": "The picture has too many pixels to be opened safely. Please send a smaller one.",
        "too_large": "The file is too large. Please send the photograph in a smaller size.",
        "animated": "This is a moving picture. Please send a still photograph.",
        "too_few_pixels": "The picture is too small to be read. Please send it in full size.",
    }

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(self.REASONS[code])


class Decision(StrEnum):
    """What should happen with a reading (G3). There is no "reject": only a person may say that."""

    ACCEPT = "accept"
    CONFIRM = "confirm"
    RETAKE = "retake"
    REVIEW = "review"


class Severity(StrEnum):
    NOTE = "note"  # worth showing to a person
    SERIOUS = "serious"  # explains why the counter could not be read: ask for another photograph


@dataclass(frozen=True)
class Finding:
    """Something about the picture itself. `code` is for translation, `text` is the plain English."""

    code: str
    severity: Severity
    text: str


FINDINGS: dict[str, str] = {
    "too_dark": "The photograph is too dark.",
    "too_bright": "The photograph is too bright.",
    "blurred": "The photograph is blurred.",
    "glare": "Light is reflected on the counter.",
    "no_meter": "No meter counter can be seen in the photograph.",
    "cut_off": "The counter is cut off at the edge of the photograph.",
    "too_small": "The counter is too small in the photograph.",
    "unreadable": "The digits of the counter cannot be made out.",
    "screen": "This looks like a photograph of a screen or of a print.",
    "incomplete": "The photograph did not arrive whole.",
}
"""Every code a `Finding` may have, with its English sentence (a msgid for the pages' catalogue)."""

REASONS: dict[str, str] = {
    "sure": "The counter was read with certainty.",
    "likely": "The counter was read, but not with certainty.",
    "unlikely_for_history": "The counter was read clearly, but the value is unusual for this meter.",
    "below_last": "The counter reads less than the last reading of this meter.",
    "part_unread": "The whole units were read, but not the places after the point.",
    "wrong_length": "The number of digits is not what this register shows.",
    "picture": "The photograph does not let the counter be read.",
    "unsure": "A person should look at this photograph.",
    "no_meter": "No meter counter was found.",
}
"""Every `PhotoReading.reason`, with its English sentence (a msgid for the pages' catalogue)."""


@dataclass(frozen=True)
class RegisterHint:
    """What the register shows: `digits` integer places and `decimals` places after the point."""

    digits: int
    decimals: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.digits <= 12 or not 0 <= self.decimals <= 6:
            raise ValueError(
                f"a register has 1 to 12 digits and 0 to 6 decimals, not {self.digits} and {self.decimals}"
            )


@dataclass(frozen=True)
class PastReading:
    """An actual reading (never an estimate): `taken_at` is aware, `value` in the register's unit."""

    taken_at: datetime
    value: Decimal

    def __post_init__(self) -> None:
        if self.taken_at.tzinfo is None:
            raise ValueError(f"taken_at must carry a time zone: {self.taken_at.isoformat()}")
        if self.value < 0:
            raise ValueError(f"a register does not show a negative value: {self.value}")


@dataclass(frozen=True)
class History:
    """Actual readings of this register, oldest first, and `at`, when the photograph was taken (aware).

    `meter_changed` says that the meter was exchanged since the last of them: then they say what the place
    uses but not where the new counter starts.
    """

    readings: tuple[PastReading, ...]
    at: datetime
    digits: int
    decimals: int = 0
    meter_changed: bool = False

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"at must carry a time zone: {self.at.isoformat()}")
        times = [past.taken_at for past in self.readings]
        if times != sorted(times):
            raise ValueError("readings must stand oldest first")
        RegisterHint(self.digits, self.decimals)

    @classmethod
    def from_usual(
        cls,
        last: Decimal | int | str,
        days: float,
        usual: Decimal | int | str,
        *,
        at: datetime,
        digits: int = 5,
        decimals: int = 0,
    ) -> History:
        """The history that "it last read `last`, `days` ago, and uses `usual` in such a time" stands for.

        One earlier reading is put `days` before the last, so that both stretches are alike.
        Raises ValueError where `days` is not positive or `usual` is negative.
        """
        last, usual = Decimal(last), Decimal(usual)
        if days <= 0:
            raise ValueError(f"days must be more than 0, not {days}")
        if usual < 0:
            raise ValueError(f"usual must not be negative, not {usual}")
        span = timedelta(days=days)
        size = Decimal(10) ** digits
        earlier = (last - usual % size + size) % size  # Decimal's % keeps the sign
        return cls(
            readings=(PastReading(at - 2 * span, earlier), PastReading(at - span, last)),
            at=at,
            digits=digits,
            decimals=decimals,
        )


@dataclass(frozen=True)
class DigitReading:
    """One place of the counter: ten probabilities (of 0 to 9, summing to 1) from the pixels alone."""

    probabilities: tuple[float, ...]
    box: Box | None
    decimal: bool


@dataclass(frozen=True)
class Candidate:
    """A value the counter may show, with pixels and history taken together."""

    digits: str
    value: Decimal
    probability: float


@dataclass(frozen=True)
class Thresholds:
    """Least calibrated probabilities: `accept` to adopt without asking, `confirm` to ask "is it …?"."""

    accept: float = 0.99
    confirm: float = 0.30

    def __post_init__(self) -> None:
        if not 0 <= self.confirm <= self.accept <= 1:
            raise ValueError(f"0 <= confirm <= accept <= 1 must hold, not {self.confirm} and {self.accept}")


DEFAULT = Thresholds()


@dataclass(frozen=True)
class PhotoReading:
    """What the eye made of one photograph.

    `digits` is every digit shown, as read, leading zeros kept, empty where nothing was read; the last
    `decimals` of them stand after the point. `confidence` is the calibrated probability that `value` is
    right. `kind` is one of roller, lcd, none. `candidates` come most probable first.
    `serials`, other numbers seen on the face, for "is this your meter?", are filled by identity
    (`rasd.vision.identity`), empty from the eye.
    """

    digits: str
    decimals: int
    value: Decimal | None
    confidence: float
    decision: Decision
    reason: str
    kind: str
    digit_readings: tuple[DigitReading, ...]
    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...]
    counter_box: Box | None
    serials: tuple[str, ...]
    model: str
    milliseconds: float
