"""G5: a meter reader's record: what is counted of his visits, how little that proves, and who stands out by more than chance.

No sign says that anybody did wrong: each has innocent explanations (docs/field-reads.md), and the pages show them beside it.
What a sign rests on is always the visits themselves (:func:`evidence`), and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from rasd.metering.adopting import ACTUAL
from rasd.metering.distances import EARTH
from rasd.metering.importing.cells import MIDDAY
from rasd.metering.models import Cycle, Reader, ReaderSign
from rasd.metering.statistics import wilson

Kind = ReaderSign.Kind

SIGNS = tuple(kind for kind in Kind if kind != Kind.NO_ACCESS)
"""Those by which a reader may stand out. That he often finds nobody at home is shown and not tested: streets differ."""

BY_CHANCE: dict[str, float] = {Kind.ROUND: 0.2}
"""Shares that chance alone would give: of ten last digits, two are 0 or 5."""

FEWEST = 3
"""Visits with a sign, below which nobody stands out whatever the others did."""

FAMILY = 0.01
"""How often, in a month in which all readers do the same honest work, anybody at all would stand out by any sign: the level of
Holm's procedure over all readers and all signs together."""

AT_LEAST_MORE = 0.02
"""Of all visits, by which even the low end of his interval lies above the others: with very many visits chance is ruled out for
differences too small to matter."""

# What shows a sign.

SAME = 1.0  # whole units: a use as near as that to last month's is the same
LEAST_USE = 20.0  # units between the last two readings: of an empty house every month is alike
LEAST_DAYS, MOST_DAYS = 20, 45  # between the last two readings, for "last month"
FASTEST = 130.0 / 3.6  # metres a second: 130 km/h, from one door to the next
NEAR = 300.0  # metres: nearer places say nothing of speed, as maps are wrong by as much
OFF = 250.0  # metres from the meter, beyond the accuracy that the handheld tells


@dataclass(frozen=True)
class Standing:
    """One sign of one reader over the cycles asked for.

    share, low, high  of the visits that could show it, with Wilson's 95 % interval
    others            the share of all other readers together; None where they have none that could show it
    p                 Holm's: how often chance alone, among readers all alike, would show anyone at least so much above the
                      others by any sign. 1 for what is not tested
    stands_out        by more than chance, and by more than a trifle. It is a reason to look, and no finding
    """

    found: int
    of: int
    share: float
    low: float
    high: float
    others: float | None
    p: float
    stands_out: bool


def standings(
    counts: Mapping[tuple[str, str], tuple[int, int]],
) -> dict[tuple[str, str], Standing]:
    """G5: ``counts`` by (reader, sign): how many visits showed it, of how many that could.

    Each reader is tested against all others together by Fisher's exact test (one-sided: the hypergeometric tail), and where
    chance alone gives a known share against that too, the weaker of the two counting; the p-values are adjusted by S. Holm's
    procedure (Scandinavian Journal of Statistics 6, 1979), as the one with the most among many always has much.
    """
    totals: dict[str, tuple[int, int]] = {}
    for (_, kind), (found, of) in counts.items():
        before = totals.get(kind, (0, 0))
        totals[kind] = before[0] + found, before[1] + of
    tested = [key for key, (_, of) in counts.items() if key[1] in SIGNS and of]
    chances = dict(zip(tested, _holm(_tails(tested, counts, totals)), strict=True))
    return {key: _standing(key, *counts[key], totals[key[1]], chances.get(key, 1.0)) for key in counts}


def _standing(key: tuple[str, str], found: int, of: int, total: tuple[int, int], p: float) -> Standing:
    low, high = wilson(found, of)
    their, theirs = total[0] - found, total[1] - of
    others = their / theirs if theirs else None
    usual = max(others or 0.0, BY_CHANCE.get(key[1], 0.0))
    matters = found >= FEWEST and low > usual + AT_LEAST_MORE
    return Standing(
        found, of, found / of if of else 0.0, low, high, others, p, stands_out=p < FAMILY and matters
    )


def _tails(
    keys: list[tuple[str, str]],
    counts: Mapping[tuple[str, str], tuple[int, int]],
    totals: Mapping[str, tuple[int, int]],
) -> list[float]:
    """How often chance alone would give each of ``keys`` as many as it has, or more."""
    if not keys:
        return []
    import numpy as np  # with SciPy's distributions a second to import, for few pages
    from scipy.stats import binom, hypergeom

    found, of = np.array([counts[key] for key in keys]).T
    marked, all_ = np.array([totals[kind] for _, kind in keys]).T
    expected = np.array([BY_CHANCE.get(kind, np.nan) for _, kind in keys])
    fisher = hypergeom.sf(found - 1, all_, marked, of)
    chance = np.where(np.isnan(expected), 0.0, binom.sf(found - 1, of, np.nan_to_num(expected, nan=0.5)))
    return [float(p) for p in np.maximum(fisher, chance)]


def _holm(chances: list[float]) -> list[float]:
    adjusted = [1.0] * len(chances)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        highest = max(highest, min(1.0, chances[place] * (len(chances) - rank)))
        adjusted[place] = highest
    return adjusted


def counts_of(cycles: Iterable[Cycle]) -> dict[tuple[str, str], tuple[int, int]]:
    """By (reader's code, sign) over ``cycles``, as :func:`reckon` last counted."""
    summed: dict[tuple[str, str], tuple[int, int]] = {}
    rows = ReaderSign.objects.filter(cycle__in=list(cycles)).values_list(
        "reader__code", "kind", "found", "of"
    )
    for code, kind, found, of in rows:
        before = summed.get((code, kind), (0, 0))
        summed[code, kind] = before[0] + found, before[1] + of
    return summed


def reckon(cycle: Cycle, at: datetime) -> int:
    """Count the signs of every reader in ``cycle`` anew; how many visits there are. Some seconds for half a million."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('reader signs', %s))", [cycle.pk])
        ReaderSign.objects.filter(cycle=cycle).delete()
        columns = ", ".join(
            f"count(*) FILTER (WHERE {kind}) AS {kind}_found, count({kind}) AS {kind}_of" for kind in Kind
        )
        kinds = ", ".join(f"('{kind}', {kind}_found, {kind}_of)" for kind in Kind)
        cursor.execute(
            # Names and numbers of this module only; so in the other two statements.
            f"""WITH flagged AS ({_flags(*Kind)}), counted AS (SELECT reader_id, {columns} FROM flagged GROUP BY reader_id)
                INSERT INTO metering_readersign (reader_id, cycle_id, kind, found, "of", reckoned_at)
                SELECT reader_id, %(cycle)s, each.kind, each.found, each.of_, %(at)s
                FROM counted, LATERAL (VALUES {kinds}) AS each (kind, found, of_)""",  # noqa: S608
            _about(cycle) | {"at": at},
        )
        cursor.execute(
            'SELECT coalesce(sum("of"), 0) FROM metering_readersign WHERE cycle_id = %s AND kind = %s',
            [cycle.pk, Kind.NO_ACCESS],
        )
        return int(cursor.fetchone()[0])


@dataclass(frozen=True)
class Evidence:
    """A visit that shows a sign. The numbers, each None where it has none, are those that the sign rests on: ``use`` and
    ``last_use`` in the register's unit, ``metres`` and ``seconds`` from the place before, ``off`` in metres from the meter."""

    field_read: int
    use: float | None
    last_use: float | None
    metres: float | None
    seconds: float | None
    off: float | None


def evidence(reader: Reader, cycle: Cycle, kind: str, *, most: int = 50) -> list[Evidence]:
    """The visits of ``reader`` in ``cycle`` that show the sign ``kind``, by their time; the first ``most``."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH flagged AS ({_flags(kind)}) SELECT id, use::float8, last_use::float8, metres, seconds, off FROM flagged
                WHERE reader_id = %(reader)s AND {Kind(kind)} ORDER BY visited_at, id LIMIT %(most)s""",  # noqa: S608
            _about(cycle, reader) | {"most": most},
        )
        return [Evidence(*row) for row in cursor.fetchall()]


def _about(cycle: Cycle, reader: Reader | None = None) -> dict[str, Any]:
    return {
        "cycle": cycle.pk,
        "reader": reader.pk if reader else None,
        "zone": timezone.get_default_timezone_name(),
        "midday": MIDDAY,
    }


def metres(one: str, other: str) -> str:
    """SQL for :func:`rasd.metering.distances.metres_between`, of two tables' columns latitude and longitude."""

    def radians(degrees: str) -> str:
        # To a tenth of a millimetre: PostgreSQL stops a whole statement where the square of next to nothing underflows.
        return f"radians(round(({degrees})::numeric, 9)::float8)"

    north = f"sin({radians(f'{other}.latitude - {one}.latitude')} / 2) ^ 2"
    east = f"sin({radians(f'{other}.longitude - {one}.longitude')} / 2) ^ 2"
    cosines = f"cos({radians(f'{one}.latitude')}) * cos({radians(f'{other}.latitude')})"
    return f"2 * {EARTH} * asin(least(1, sqrt({north} + {cosines} * {east})))"


_SHOWN = {
    Kind.NO_ACCESS: "step.no_access <> ''",
    Kind.DISAGREES: "NOT c.agrees AND c.decided <> 'reader'",
    Kind.REPEATS: "past.same",
    Kind.SPEED: f"step.metres > {NEAR} AND step.metres / greatest(step.seconds, 1) > {FASTEST}",
    Kind.PHOTO_REUSED: "CASE WHEN p.read_at IS NOT NULL THEN p.same_as_id IS NOT NULL END",
    Kind.PHOTO_DIFFERS: f"""CASE WHEN p.seen ->> 'decision' = 'accept' AND step.value IS NOT NULL
        THEN abs((p.seen ->> 'value')::numeric - step.value) > {SAME} END""",
    Kind.ROUND: "CASE WHEN step.value IS NOT NULL THEN floor(step.value)::bigint %% 10 IN (0, 5) END",
    Kind.FAR: f"step.off > {OFF} + coalesce(step.accuracy, 0)",
    Kind.NOT_SEEN: "CASE WHEN q.answer <> '' THEN q.answer = 'not_seen' END",
}
"""SQL: whether a visit shows each sign; NULL where it could not."""

# Each visit of the cycle. A file of which only the days are known has noon everywhere, which says nothing of speed.
_STEPS = f"""FROM (
    SELECT f.id, f.reader_id, f.visited_at, f.value, f.no_access, f.accuracy, f.register_id, f.reading_id,
        f.photograph_id, {metres("f", "s")} AS off,
        CASE WHEN f.local_time <> %(midday)s AND lag(f.local_time) OVER round <> %(midday)s
            THEN {metres("s", "s_before")} END AS metres,
        extract(epoch FROM f.visited_at - lag(f.visited_at) OVER round)::float8 AS seconds
    FROM (
        SELECT *, (visited_at AT TIME ZONE %(zone)s)::date AS day, (visited_at AT TIME ZONE %(zone)s)::time AS local_time,
            lag(service_point_id) OVER (
                PARTITION BY reader_id, (visited_at AT TIME ZONE %(zone)s)::date ORDER BY visited_at, id) AS before_id
        FROM metering_fieldread
        WHERE cycle_id = %(cycle)s AND (%(reader)s::bigint IS NULL OR reader_id = %(reader)s)
    ) f
    JOIN metering_servicepoint s ON s.id = f.service_point_id
    LEFT JOIN metering_servicepoint s_before ON s_before.id = f.before_id
    WINDOW round AS (PARTITION BY f.reader_id, f.day ORDER BY f.visited_at, f.id)
) step
"""  # noqa: S608

# One by one from their indexes (OFFSET 0 keeps it so): of a table that was filled this minute PostgreSQL thinks that it has one
# row, and was seen to go through all comparisons for each visit.
_BESIDE = {
    "c": "LEFT JOIN LATERAL (SELECT * FROM metering_comparison WHERE field_read_id = step.id OFFSET 0) c ON true",
    "p": "LEFT JOIN LATERAL (SELECT * FROM metering_photograph WHERE id = step.photograph_id OFFSET 0) p ON true",
    "q": "LEFT JOIN LATERAL (SELECT * FROM metering_visitquestion WHERE field_read_id = step.id OFFSET 0) q ON true",
    "past": f"""LEFT JOIN LATERAL (
    SELECT use, last_use, abs(use - last_use) <= {SAME} OR abs(use - last_use / days_before * days) <= {SAME} AS same
    FROM (
        SELECT step.value - last.value AS use, last.value - earlier.value AS last_use,
            extract(epoch FROM step.visited_at - last.taken_at) / 86400 AS days,
            extract(epoch FROM last.taken_at - earlier.taken_at) / 86400 AS days_before
        FROM (
            SELECT r.value, r.taken_at FROM metering_reading r
            WHERE r.register_id = step.register_id AND r.taken_at < step.visited_at AND {ACTUAL}
              AND r.cycle_id IS DISTINCT FROM %(cycle)s
            ORDER BY r.taken_at DESC LIMIT 1
        ) last CROSS JOIN LATERAL (
            SELECT r.value, r.taken_at FROM metering_reading r
            WHERE r.register_id = step.register_id AND r.taken_at < last.taken_at AND {ACTUAL}
            ORDER BY r.taken_at DESC LIMIT 1
        ) earlier
    ) three
    WHERE last_use >= {LEAST_USE} AND days_before BETWEEN {LEAST_DAYS} AND {MOST_DAYS}
) past ON step.reading_id IS NOT NULL""",  # noqa: S608
}
"""What lies beside a visit, by the names under which :data:`_SHOWN` asks for it."""


def _flags(*kinds: str) -> str:
    """SQL: each visit of the cycle, and whether it shows the signs ``kinds``. Only what these ask for is looked up."""
    shown = {kind: _SHOWN[Kind(kind)] for kind in kinds}
    asks = " ".join(shown.values())
    asked = [beside for name, beside in _BESIDE.items() if re.search(rf"\b{name}\.", asks)]
    use = "past.use, past.last_use" if Kind.REPEATS in shown else "NULL AS use, NULL AS last_use"
    columns = ", ".join(f"{sql} AS {kind}" for kind, sql in shown.items())
    return f"""
        SELECT step.id, step.reader_id, step.visited_at, step.metres, step.seconds, step.off, {use}, {columns}
        {_STEPS} {" ".join(asked)}"""
