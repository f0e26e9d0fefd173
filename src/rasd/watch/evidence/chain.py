"""How a probe's digest is made: pure, so that anyone who is given the rows can check them with no Rasd at hand.

A probe's *document* is a JSON object of these keys::

    previous   the digest of the probe recorded before it, in hexadecimal; "" of the first
    token      its address
    target     the target's name
    journey    {"name", "sha256"} of the wording that was played
    zone       the target's time zone then, in which its day and hour are counted
    watcher    the name of the machine that paid the visit
    why        planned, confirmation or by hand
    visit      {"commitment", "due_at"} of the planned visit that it pays; null: none was planned
    confirms   the token of the probe that it looks at again; null: none
    report     what was seen, whole, exhibits by their SHA-256

Its digest is the SHA-256, in hexadecimal, of the document as canonical JSON: UTF-8, keys sorted, no spaces, letters not escaped.
Whoever changes a report, or why it was made, must make every digest since anew; and any digest that somebody else holds tells.
"""

import hashlib
import json
import math
from typing import Any

WHOLE_FROM = 1e16
"""From here on Python writes a float with an exponent, and PostgreSQL gives the same number back without."""


def plain(value: Any) -> Any:
    """``value`` as the database gives it back, so that what is hashed is what is read: -0.0 is 0.0, infinity is null, and what
    PostgreSQL cannot keep in a text (NUL, half a surrogate pair) is U+FFFD. Keys are texts."""
    match value:
        case dict():
            return {_kept(str(key)): plain(each) for key, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case str():
            return _kept(value)
        case float():
            return _number(value)
    return value


def _kept(text: str) -> str:
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    if abs(value) >= WHOLE_FROM:
        return int(value)
    return value or 0.0


def canonical(document: Any) -> bytes:
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest_of(document: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()
