"""How an entry's hash is made: pure, so that anyone with an exported file can check it with no Rasd at hand."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

GENESIS = bytes(32)
"""The hash "before" entry 1."""


def canonical(payload: dict[str, Any]) -> bytes:
    """The one way to write ``payload`` as bytes: UTF-8 JSON, keys sorted, no spaces, no escapes of letters."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def payload_hash(previous: bytes, payload: dict[str, Any]) -> bytes:
    """SHA-256 over the previous entry's hash followed by this entry's canonical JSON."""
    return hashlib.sha256(previous + canonical(payload)).digest()


def payload_of(
    *,
    number: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    why: str,
    facts: dict[str, Any],
) -> dict[str, Any]:
    """What of an entry is hashed.

    Args:
        number: 1, 2, 3 … with no gap.
        at: aware; hashed as UTC with microseconds.
    """
    return {
        "number": number,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "subject": subject,
        "why": why,
        "facts": facts,
    }
