"""How an entry's hash is made: pure, so that anyone with an exported file can check it with no Rasd at hand.

Entries are for ever, and people may ask to be forgotten. So the chain hashes not the words of an entry but, for each part that
could be about a person (:func:`parts`), a *seal*: a hash of the part and of a salt of its own. Blanked, the part can no longer
be found out, not even by trying all telephone numbers, and the chain holds as before. What was written before there were seals
(``is_old``) is hashed as it stands; where such an entry is erased, what remains of it holds by the word of the erasure, which
is an entry itself (:class:`Walk`).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = bytes(32)
"""The hash "before" entry 1."""

SEALED = 2
"""Stands as ``version`` in what is hashed of an entry with seals; older ones have none."""

SALT_BYTES = 16
CUSTOMER = "customer:"
ERASED = "ledger.erased"
"""The action of the entry that says which others were erased, by whom and why."""


def canonical(payload: Any) -> bytes:
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
    """What stands in an entry.

    Args:
        number: 1, 2, 3 … with no gap.
        at: aware; written as UTC with microseconds.
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


# Seals


def parts(payload: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and value of each part that is sealed: a customer as actor, the reason, and of the facts all but numbers and
    yes or no. Names are ``actor``, ``why`` and ``facts.KEY``."""
    if payload["actor"].startswith(CUSTOMER):
        yield "actor", payload["actor"]
    if payload["why"]:
        yield "why", payload["why"]
    for key, value in payload["facts"].items():
        if isinstance(value, str | list | dict):
            yield f"facts.{key}", value


def with_parts(payload: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """``payload`` with other ``values`` of some of its parts."""
    changed = {**payload, "facts": dict(payload["facts"])}
    for name, value in values.items():
        head, _dot, key = name.partition(".")
        if key:
            changed["facts"][key] = value
        else:
            changed[head] = value
    return changed


def salt_of(salt: bytes, part: str) -> bytes:
    """A part's own salt, so that one can be kept while another is forgotten."""
    return hmac.digest(salt, part.encode(), "sha256")


def seal(salt: bytes, value: Any) -> str:
    """SHA-256, in hexadecimal, over a part's own salt and its canonical JSON."""
    return hashlib.sha256(salt + canonical(value)).hexdigest()


def sealed(payload: dict[str, Any], seals: dict[str, str]) -> dict[str, Any]:
    """What is hashed: each part as ``{"sealed": …}``."""
    return with_parts(payload, {name: {"sealed": each} for name, each in seals.items()}) | {"version": SEALED}


# Walking along the chain


@dataclass(frozen=True)
class Link:
    """An entry as a walk needs it.

    hashed     what its hash was made of; of an old one that was erased: what remains.
    erased_by  the number of the entry by which parts of it were erased.
    erased     the names of those parts.
    facts      as they stand, not sealed.
    """

    hashed: dict[str, Any]
    hash: bytes
    facts: dict[str, Any]
    erased_by: int | None = None
    erased: tuple[str, ...] = ()

    @property
    def is_old(self) -> bool:
        return "version" not in self.hashed

    @property
    def trace(self) -> bytes:
        """What an erasure says of each entry that it erased: all that remains of an old one, of others the parts' names."""
        rest = self.hashed if self.is_old else sorted(self.erased)
        return canonical([self.hashed["number"], rest]) + b"\n"


class Walk:
    """From one entry to the next: whether each is as it was written, and whether whatever is erased was erased by an entry that
    says so. Holds one hash for each erasure whose entry is still to come.

    Args:
        whole: it begins with entry 1, so that each erasure's entry can be compared with all that it erased.
    """

    def __init__(self, previous: bytes = GENESIS, *, whole: bool = True) -> None:
        self.previous, self.whole = previous, whole
        self.erased = 0
        self._erasures: dict[int, Erasure] = {}
        self._has_seals = False

    def take(self, link: Link) -> str:
        """What is wrong with it, or nothing."""
        number, said = link.hashed["number"], ""
        if link.erased_by is None or not link.is_old:
            if payload_hash(self.previous, link.hashed) != link.hash:
                said = f"entry {number} or the one before it was changed after it was written"
        elif self._has_seals:
            said = f"entry {number} was written with seals and has none: it was changed after it was written"
        if link.erased_by is not None:
            if link.erased_by <= number:
                said = said or f"entry {number} says that it was erased by an earlier one"
            self._erasures.setdefault(link.erased_by, Erasure(number)).add(link)
            self.erased += 1
        if not link.is_old:
            self._has_seals = True
        self.previous = link.hash
        return said or self._settle(number, link)

    def _settle(self, number: int, link: Link) -> str:
        """Entry ``number`` is an erasure that fits, or nothing is said to have been erased by it."""
        found = self._erasures.pop(number, None)
        if link.hashed["action"] != ERASED:
            if found:
                return (
                    f"entry {found.first} is erased, and entry {number}, by which it says so, is no erasure"
                )
            return ""
        told = found.facts if found else Erasure(0).facts
        if self.whole and any(link.facts.get(key) != value for key, value in told.items()):
            return f"what is erased is not what entry {number} says it erased: {link.facts.get('entries')} entries"
        return ""

    @property
    def to_come(self) -> "list[Erasure]":
        """Erasures whose entry was not met."""
        return [each for _number, each in sorted(self._erasures.items())]


class Erasure:
    """The entries that one erasure erased, summed up as its own entry says it."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.count = 0
        self._digest = hashlib.sha256()

    def add(self, link: Link) -> None:
        self.count += 1
        self._digest.update(link.trace)

    @property
    def facts(self) -> dict[str, Any]:
        return {"entries": self.count, "digest": self._digest.hexdigest()}
