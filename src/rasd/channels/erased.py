"""What stands in the place of a person who asked to be forgotten (``rasd.person``)."""

import hashlib

GONE = "erased-"
"""How the name of somebody erased begins: ``erased-3`` was the third. He has no number, so nothing is ever sent to him."""


def pseudonym_of(name: str) -> str:
    """In the place of a message's id, which has the sender's number in it. The same for the same one, so that a message that a
    channel delivers once more is known; it cannot be turned back."""
    return f"erased:{hashlib.sha256(name.encode()).hexdigest()[:40]}"
