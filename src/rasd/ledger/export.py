"""A period of the ledger as a file, and the proof that nobody changed it: for anyone, with nothing of ours but the file, the head
that was published, and the standard library.

The file is UTF-8, one JSON object a line, each written in the one way of :func:`rasd.ledger.chain.canonical`:

1. ``{"before": HASH, "first": NUMBER, "ledger": "rasd", "version": 1}``: the hash of the entry before the first one;
2. each entry with ``number, at, actor, action, subject, why, facts, hash``;
3. ``{"entries": COUNT, "head": HASH, "last": NUMBER}``: the hash of the last one.

``hash`` is SHA-256, in hexadecimal, over the 32 bytes of the hash before it and the line without its ``hash``.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rasd.ledger.chain import GENESIS, canonical, payload_hash

VERSION = 1
KEYS = {"number", "at", "actor", "action", "subject", "why", "facts", "hash"}
AT_A_TIME = 5_000  # entries in memory


class NotProven(Exception):
    """The file does not hold; the words say where and what."""


@dataclass(frozen=True)
class Proof:
    """What was found. Numbers of entries; ``proven_upto`` is None where no published head was given."""

    first: int
    last: int
    first_at: str
    last_at: str
    before: str
    head: str
    proven_upto: int | None
    front_is_proven: bool

    @property
    def entries(self) -> int:
        return self.last - self.first + 1


def lines(first: int, last: int) -> Iterator[str]:
    """The file's lines for the entries from ``first`` to ``last``, read from the database in small parts.

    Raises:
        ValueError: there are no such entries.
    """
    from rasd.ledger.models import Entry

    if not 1 <= first <= last or not Entry.objects.filter(number=last).exists():
        raise ValueError(f"there are no entries from {first} to {last}")
    before = Entry.objects.filter(number=first - 1).values_list("hash", flat=True).first()
    hash_ = bytes(before).hex() if before is not None else GENESIS.hex()
    yield _line({"ledger": "rasd", "version": VERSION, "first": first, "before": hash_})
    number = first - 1
    while number < last:
        some = Entry.objects.filter(number__gt=number, number__lte=last).order_by("number")
        for entry in some[:AT_A_TIME]:
            number, hash_ = entry.number, bytes(entry.hash).hex()
            yield _line({**entry.payload, "hash": hash_})
    yield _line({"last": last, "head": hash_, "entries": last - first + 1})


def prove(
    file: Iterable[str],
    *,
    head: str = "",
    before: str = "",
    on_entry: Callable[[], object] = lambda: None,
) -> Proof:
    """Read a file to its end, holding one line at a time.

    Args:
        head: a hash published for one of its entries, in hexadecimal: proves all entries up to that one.
        before: the hash published before the period: proves that none is missing at its front.

    Raises:
        NotProven: at the first line that does not hold.
    """
    read = enumerate(file, start=1)
    opening = _opening(next(read, (1, "")))
    proof = Proof(
        first=opening["first"],
        last=opening["first"] - 1,
        first_at="",
        last_at="",
        before=opening["before"],
        head=opening["before"],
        proven_upto=None,
        front_is_proven=bool(before) and before == opening["before"],
    )
    if before and not proof.front_is_proven:
        raise NotProven(
            f"the file begins after the hash {proof.before}, not after the one published: {before}"
        )
    first_at, last, last_at, previous, proven = "", proof.last, "", proof.head, proof.proven_upto
    for place, line in read:
        found = _object(place, line)
        if found.keys() == {"last", "head", "entries"}:
            if (found["last"], found["head"], found["entries"]) != (last, previous, last - proof.first + 1):
                raise NotProven(f"line {place}: the file's last line does not fit the entries before it")
            if (more := next(read, None)) is not None:
                raise NotProven(f"line {more[0]}: something stands after the file's last line")
            if head and proven is None:
                raise NotProven(
                    f"none of the entries {proof.first} to {last} has the published hash {head}: the file is not of the ledger "
                    "whose head was published, or it does not reach the entry for which it was"
                )
            return Proof(
                proof.first, last, first_at, last_at, proof.before, previous, proven, proof.front_is_proven
            )
        last, last_at = last + 1, _entry(place, found, expected=last + 1, previous=previous)
        first_at, previous = first_at or last_at, found["hash"]
        proven = last if head and previous == head else proven
        on_entry()
    raise NotProven(f"the file ends after entry {last} without its last line: it was cut off")


def _opening(first: tuple[int, str]) -> dict[str, Any]:
    found = _object(*first)
    if found.get("ledger") != "rasd" or found.keys() != {"ledger", "version", "first", "before"}:
        raise NotProven("line 1: this is not an exported ledger")
    if found["version"] != VERSION:
        raise NotProven(f"line 1: version {found['version']} of the format is not known here, only {VERSION}")
    if not isinstance(found["first"], int) or found["first"] < 1 or not _is_hash(found["before"]):
        raise NotProven("line 1: the first entry's number or the hash before it is not one")
    if found["first"] == 1 and found["before"] != GENESIS.hex():
        raise NotProven("line 1: something stands before entry 1")
    return found


def _entry(place: int, found: dict[str, Any], *, expected: int, previous: str) -> str:
    """When it was made.

    Raises:
        NotProven: it is not the next one, or not as it was written.
    """
    if found.keys() != KEYS or not _is_hash(found["hash"]):
        raise NotProven(f"line {place}: this is not an entry")
    if found["number"] != expected:
        raise NotProven(f"line {place}: entry {expected} should stand here, not {found['number']}")
    payload = {key: value for key, value in found.items() if key != "hash"}
    if payload_hash(bytes.fromhex(previous), payload).hex() != found["hash"]:
        raise NotProven(
            f"line {place}: entry {expected} or the one before it was changed after it was written"
        )
    return str(found["at"])


def _object(place: int, line: str) -> dict[str, Any]:
    """Raises NotProven where a line is no object, or is not written in the one way (twice the same key, say)."""
    try:
        found = json.loads(line)
        plain = canonical(found).decode() if isinstance(found, dict) else ""
    except (ValueError, RecursionError) as error:
        raise NotProven(f"line {place}: this is not JSON") from error
    if not isinstance(found, dict) or line.rstrip("\n") != plain:
        raise NotProven(f"line {place}: this is not written as an exported ledger is")
    return found


def _is_hash(text: Any) -> bool:
    try:
        return isinstance(text, str) and text == text.lower() and len(bytes.fromhex(text)) == len(GENESIS)
    except ValueError:
        return False


def _line(payload: dict[str, Any]) -> str:
    return canonical(payload).decode() + "\n"
