"""What the values of a journey file are: durations, patterns, time zones, names; and the channels."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

UNITS = {"s": 1, "m": 60, "h": 3600}
DURATION = r"^\d+(\.\d+)?(s|m|h)$"


def _duration(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(DURATION, value):
        return timedelta(seconds=float(value[:-1]) * UNITS[value[-1]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("a duration is a number and s, m or h, such as 90s, 3m or 1.5h")


def _written(duration: timedelta) -> str:
    return f"{duration.total_seconds():g}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_written),
    WithJsonSchema({"type": "string", "pattern": DURATION, "examples": ["90s", "3m", "1h"]}),
]


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error
    return value


Pattern = Annotated[
    str, Field(min_length=1), BeforeValidator(lambda v: _pattern(v) if isinstance(v, str) else v)
]


def is_pattern(words: str) -> bool:
    """Whether words that are read stand for a regular expression: ``/…/``."""
    return len(words) > 2 and words.startswith("/") and words.endswith("/")


def _read(value: object) -> object:
    if isinstance(value, str) and is_pattern(value):
        _pattern(value[1:-1])
    return value


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA list, such as Asia/Muscat") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
"""Of a journey, a target, a kept value: small Latin letters, digits, ``-`` and ``_``."""
Text = Annotated[str, Field(min_length=1)]
Words = Annotated[Text, BeforeValidator(_read)]
"""To be read on a page; ``/…/`` is a regular expression."""


class Channel(StrEnum):
    WEB = "web"
    CHAT = "chat"
    MAIL = "mail"
    HTTP = "http"
    VOICE = "voice"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
