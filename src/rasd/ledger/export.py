"""A period of the ledger as a file, and the proof that nobody changed it: for anyone, with nothing of ours but the file, the head
that was published, and the standard library.

The file is UTF-8, one JSON object a line, each written in the one way of :func:`rasd.ledger.chain.canonical`:

1. ``{"before": HASH, "first": NUMBER, "ledger": "rasd", "version": 2}``: the hash of the entry before the first one;
2. each entry with ``number, at, actor, action, subject, why, facts, version, hash, open``;
3. ``{"entries": COUNT, "head": HASH, "last": NUMBER}``: the hash of the last one.

``hash`` is SHA-256, in hexadecimal, over the 32 bytes of the hash before it and the line without its ``hash``, ``open`` and
``erased``. A part that is sealed stands in the line as ``{"sealed": SHA-256}``, and in ``open`` under its name as
``[SALT, VALUE]``: the seal is SHA-256 over the salt's bytes and the value's canonical JSON. What was erased is not in ``open``,
and ``erased`` has the number of the entry that says by whom and why.

Entries that were written before there were seals have neither ``version`` nor ``open``; files of version 1 have only such.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rasd.ledger import chain
from rasd.ledger.chain import GENESIS, Link, Walk, canonical

if TYPE_CHECKING:
    from rasd.ledger.models import Entry

VERSIONS = (1, 2)
KEYS = {"number", "at", "actor", "action", "subject", "why", "facts", "hash"}
SEALED_KEYS = KEYS | {"version", "open"}
AT_A_TIME = 5_000  # entries in memory


class NotProven(Exception):
    """The file does not hold; the words say where and what."""


@dataclass(frozen=True)
class Proof:
    """What was found. Numbers of entries; ``proven_upto`` is None where no published head was given.

    erased       entries of which parts were erased, as an entry says; ``erased_later`` of them by one after the period.
    """

    first: int
    last: int
    first_at: str
    last_at: str
    before: str
    head: str
    proven_upto: int | None
    front_is_proven: bool
    erased: int = 0
    erased_later: int = 0

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
    yield _line({"ledger": "rasd", "version": VERSIONS[-1], "first": first, "before": hash_})
    number = first - 1
    while number < last:
        some = Entry.objects.filter(number__gt=number, number__lte=last).order_by("number")
        for entry in some[:AT_A_TIME]:
            number, hash_ = entry.number, bytes(entry.hash).hex()
            yield _line(_told(entry))
    yield _line({"last": last, "head": hash_, "entries": last - first + 1})


def _told(entry: "Entry") -> dict[str, Any]:
    link, salts = entry.link, entry.salts
    told = {**link.hashed, "hash": link.hash.hex()}
    if not link.is_old:
        values = dict(chain.parts(entry.payload))
        told["open"] = {name: [salt.hex(), values[name]] for name, salt in salts.items()}
    if link.erased_by is not None:
        told["erased"] = link.erased_by
    return told


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
    first_at, last, last_at, proven = "", proof.last, "", proof.proven_upto
    walk = Walk(bytes.fromhex(proof.head), whole=proof.first == 1)
    for place, line in read:
        found = _object(place, line)
        if found.keys() == {"last", "head", "entries"}:
            if (found["last"], found["head"], found["entries"]) != (
                last,
                walk.previous.hex(),
                last - proof.first + 1,
            ):
                raise NotProven(f"line {place}: the file's last line does not fit the entries before it")
            if (more := next(read, None)) is not None:
                raise NotProven(f"line {more[0]}: something stands after the file's last line")
            if head and proven is None:
                raise NotProven(
                    f"none of the entries {proof.first} to {last} has the published hash {head}: the file is not of the ledger "
                    "whose head was published, or it does not reach the entry for which it was"
                )
            return replace(
                proof,
                last=last,
                first_at=first_at,
                last_at=last_at,
                head=walk.previous.hex(),
                proven_upto=proven,
                erased=walk.erased,
                erased_later=sum(each.count for each in walk.to_come),
            )
        last, last_at = last + 1, _entry(place, found, walk, expected=last + 1)
        first_at = first_at or last_at
        proven = last if head and walk.previous.hex() == head else proven
        on_entry()
    raise NotProven(f"the file ends after entry {last} without its last line: it was cut off")


def _opening(first: tuple[int, str]) -> dict[str, Any]:
    found = _object(*first)
    if found.get("ledger") != "rasd" or found.keys() != {"ledger", "version", "first", "before"}:
        raise NotProven("line 1: this is not an exported ledger")
    if found["version"] not in VERSIONS:
        raise NotProven(f"line 1: version {found['version']} of the format is not known here, only 1 and 2")
    if not isinstance(found["first"], int) or found["first"] < 1 or not _is_hash(found["before"]):
        raise NotProven("line 1: the first entry's number or the hash before it is not one")
    if found["first"] == 1 and found["before"] != GENESIS.hex():
        raise NotProven("line 1: something stands before entry 1")
    return found


def _entry(place: int, found: dict[str, Any], walk: Walk, *, expected: int) -> str:
    """When it was made.

    Raises:
        NotProven: it is not the next one, or not as it was written.
    """
    hash_, opened, erased_by = found.pop("hash", None), found.pop("open", None), found.pop("erased", None)
    keys = SEALED_KEYS if opened is not None else KEYS
    if (
        found.keys() != keys - {"hash", "open"}
        or not _is_hash(hash_)
        or not isinstance(erased_by, int | None)
    ):
        raise NotProven(f"line {place}: this is not an entry")
    if found["number"] != expected:
        raise NotProven(f"line {place}: entry {expected} should stand here, not {found['number']}")
    facts, gone = (found["facts"], ()) if opened is None else _opened(place, found, opened, erased_by)
    link = Link(found, bytes.fromhex(hash_), facts, erased_by, gone)
    if wrong := walk.take(link):
        raise NotProven(f"line {place}: {wrong}")
    return str(found["at"])


def _opened(
    place: int, found: dict[str, Any], opened: Any, erased_by: int | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The facts in plain words, and the names of the parts that are gone.

    Raises:
        NotProven: a part is not what was sealed, or is gone and nobody erased it.
    """
    facts = found["facts"]
    if not isinstance(opened, dict) or not isinstance(facts, dict):
        raise NotProven(f"line {place}: this is not an entry")
    standing = {"actor": found["actor"], "why": found["why"]} | {
        f"facts.{key}": each for key, each in facts.items()
    }
    seals = {
        name: each["sealed"] for name, each in standing.items() if isinstance(each, dict) and "sealed" in each
    }
    plain = dict(facts)
    for name, pair in opened.items():
        if not (isinstance(pair, list) and len(pair) == 2 and _is_hash(pair[0])):
            raise NotProven(f"line {place}: this is not an entry")
        if chain.seal(bytes.fromhex(pair[0]), pair[1]) != seals.get(name):
            raise NotProven(f"line {place}: {name} was changed after it was written")
        plain[name.removeprefix("facts.")] = pair[1]
    gone = tuple(sorted(seals.keys() - opened.keys()))
    if bool(gone) != (erased_by is not None):
        raise NotProven(
            f"line {place}: {', '.join(gone) or 'nothing'} is gone, and it is not said that it was erased"
        )
    return plain, gone


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
