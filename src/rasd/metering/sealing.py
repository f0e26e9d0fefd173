"""The seal of a closed cycle: a SHA-256 over its billed rows in their order, so that any row changed later is found out.

Each row as a line of text (:data:`LINE`) gives a SHA-256; those of the registers 0 to 9,999, 10,000 to 19,999 … in the order of
their numbers, put one behind the other, give that of a block; those of the blocks give the seal, which stands in the ledger.
PostgreSQL does it where the rows are; the blocks tell where a change is.
"""

from __future__ import annotations

import hashlib
from typing import Any

from rasd.ledger.models import Entry
from rasd.metering.models import Cycle

# Put together from this module's own words only; what comes from outside are parameters.
# ruff: noqa: S608

BLOCK = 10_000  # registers

_COLUMNS = (
    "service_point_id",
    "adoption_id",
    "district",
    "customer_class",
    "commodity",
    "source",
    "quality",
    "value",
)
_TIME = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')"
LINE = "concat(" + ", '|', ".join(
    ["register_id", *_COLUMNS, _TIME.format("taken_at"), "previous_value", _TIME.format("previous_at"), "use", "true_up"]
) + ")"  # fmt: skip
"""A billed row as text: its fields in this order between bars, times in UTC, what there is not as nothing."""

_BLOCKS = f"""
SELECT (register_id / {BLOCK})::text,
    encode(sha256(string_agg(sha256(convert_to({LINE}, 'UTF8')), ''::bytea ORDER BY register_id)), 'hex')
FROM metering_billed WHERE cycle_id = %s GROUP BY register_id / {BLOCK} ORDER BY register_id / {BLOCK}
"""

_CHANGED = f"""
SELECT p.number, b.adoption_id FROM metering_billed b JOIN metering_servicepoint p ON p.id = b.service_point_id
LEFT JOIN metering_adoption a ON a.id = b.adoption_id AND a.register_id = b.register_id AND a.cycle_id = b.cycle_id
LEFT JOIN metering_reading r ON r.id = a.reading_id
WHERE b.cycle_id = %s AND b.register_id / {BLOCK} = ANY(%s)
  AND (b.value, b.taken_at, b.source, b.quality) IS DISTINCT FROM (r.value, r.taken_at, r.source, r.quality)
ORDER BY p.number LIMIT 20
"""


def blocks_of(cursor: Any, cycle: Cycle) -> dict[str, str]:
    """Block → SHA-256 in hexadecimal, in their order."""
    cursor.execute(_BLOCKS, [cycle.pk])
    return dict(cursor.fetchall())


def seal_of(blocks: dict[str, str]) -> str:
    return hashlib.sha256(b"".join(bytes.fromhex(blocks[one]) for one in sorted(blocks, key=int))).hexdigest()


def faults_of(cursor: Any, cycle: Cycle) -> list[str]:
    """What is wrong with the billed rows of a closed cycle, in English sentences; none where they are as they were billed."""
    entry = Entry.objects.filter(subject=f"cycle:{cycle}", action="cycle.closed").order_by("number").last()
    if entry is None or "seal" not in entry.facts:
        return [f"the ledger holds no closing of cycle {cycle}"]
    now = blocks_of(cursor, cycle)
    if seal_of(now) == entry.facts["seal"]:
        return []
    faults = [f"the billed rows of cycle {cycle} are not those of the ledger's entry {entry.number}"]
    kept: dict[str, str] = next(
        (one["counts"]["blocks"] for one in cycle.closing.steps if one["step"] == "bill"), {}
    )
    if seal_of(kept) != entry.facts["seal"]:
        return [*faults, "the closing's own list of blocks was changed too, so it cannot be said where"]
    differing = [int(one) for one in sorted({*now, *kept}, key=int) if now.get(one) != kept.get(one)]
    faults += [f"changed: registers {one * BLOCK} to {(one + 1) * BLOCK - 1}" for one in differing[:20]]
    cursor.execute(_CHANGED, [cycle.pk, differing])
    return faults + [
        f"service point {number}: the row does not say what adoption {adoption} says"
        for number, adoption in cursor.fetchall()
    ]
