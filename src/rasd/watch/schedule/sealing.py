"""Seeds, and what is promised of them in advance."""

import hashlib
import json
import secrets
from typing import Any

SEED_BYTES = 32


def new_seed() -> str:
    """256 bits from the operating system, hexadecimal."""
    return secrets.token_hex(SEED_BYTES)


def sealed(inputs: dict[str, Any]) -> str:
    """The inputs as the one text that is committed to and published: JSON in ASCII, keys sorted, no blanks."""
    return json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def commitment_of(seed: str, text: str) -> str:
    """SHA-256 of the seed, a line feed and the inputs' text. Published first, it leaves no other plan to be shown afterwards."""
    return hashlib.sha256(f"{seed}\n{text}".encode("ascii")).hexdigest()
