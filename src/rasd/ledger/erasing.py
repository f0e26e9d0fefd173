"""Erasing what entries say about a person, while the chain goes on to hold.

What is erased is each customer as actor, each reason in free words, and of the facts all that is not known to be about the work
alone (``kept``): what a later version adds to an entry goes too, unless somebody says that it may stay.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from rasd.ledger import chain
from rasd.ledger.models import Entry, last_one, record

AT_A_TIME = 500  # entries in memory

_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
"""What the machine gives as a reason: a word of the code's own."""


def tombstone(part: str, erasure: int) -> str:
    """What stands in the place of what was erased by entry ``erasure``."""
    return f"{chain.CUSTOMER}erased:{erasure}" if part == "actor" else f"erased:{erasure}"


def erase(
    numbers: Iterable[int],
    *,
    kept: Collection[str],
    actor: str,
    subject: str,
    at: datetime,
    why: str,
    facts: dict[str, Any],
) -> Entry:
    """Erase what the entries ``numbers`` say about a person, and record that, in the caller's transaction, as one more entry.

    Entries in which nothing is to be erased, or that were erased before, stay as they are.

    Args:
        kept: keys of facts that are about the work alone.
        why, facts: of the new entry. They are never erased: let nothing of the person stand in them.
    """
    last = last_one()
    erasure, found = (last.number + 1 if last else 1), chain.Erasure(0)
    wanted = sorted(set(numbers))
    for entry in _erased(wanted, erasure, kept):
        found.add(entry.link)
    made = record(actor, chain.ERASED, subject, at=at, why=why, facts=facts | found.facts)
    for entry in _erased(wanted, erasure, kept):
        # One by one: the database looks at each, and lets nothing else through.
        entry.save(update_fields=["actor", "why", "facts", "salt", "erased_by", "seals"])
    return made


def _erased(numbers: list[int], erasure: int, kept: Collection[str]) -> Iterator[Entry]:
    """As they will be, in the chain's order; not saved."""
    for begin in range(0, len(numbers), AT_A_TIME):
        some = Entry.objects.filter(number__in=numbers[begin : begin + AT_A_TIME], erased_by=None)
        for entry in some.exclude(action=chain.ERASED).order_by("number"):
            if names := [
                name for name, value in chain.parts(entry.payload) if _is_personal(entry, name, value, kept)
            ]:
                yield _without(entry, names, erasure)


def _is_personal(entry: Entry, name: str, value: Any, kept: Collection[str]) -> bool:
    if name == "why":
        return not (entry.actor.startswith("machine:") and _CODE.fullmatch(value))
    return name == "actor" or name.removeprefix("facts.") not in kept


def _without(entry: Entry, names: list[str], erasure: int) -> Entry:
    payload, salts = entry.payload, entry.salts
    seals: dict[str, dict[str, str]] = {}
    if not entry.is_old:
        values = dict(chain.parts(payload))
        for name, salt in salts.items():
            seals[name] = {"seal": chain.seal(salt, values[name])} if name in names else {"salt": salt.hex()}
    rest = chain.with_parts(payload, {name: tombstone(name, erasure) for name in names})
    entry.actor, entry.why, entry.facts = rest["actor"], rest["why"], rest["facts"]
    entry.salt, entry.erased_by, entry.seals = None, erasure, seals
    return entry
