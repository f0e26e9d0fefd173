"""What a register is billed at a closing, and how estimates before it are made good (G2). Pure; amounts in the register's unit.

A counter's difference is taken the short way round: it goes on from zero after its highest value, and a small step back is a
step back. ``_SQL`` names beside the functions are the same for PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

DAYS_BACK = 365
"""What was used longer ago than twelve months before the reading is not billed any more. Oman: back-billing for wrong readings
reaches at most twelve months (decision 4/2020 of the regulator, for electricity)."""

PLACES = 3  # after the point: the smallest step that any register shows


@dataclass(frozen=True)
class Reckoned:
    """What a bill comes to.

    ``used``: between the last real reading and this one. ``billed``: of that by estimates already. ``own``: what falls on the
    days of this bill, ``used`` being spread evenly over its days. ``true_up``: what estimates billed too little (or, below zero,
    too much) and this bill makes good. ``forgone``: of what was billed too little, that which was used too long ago.
    ``use``: what is billed now, ``own + true_up``.
    """

    used: Decimal
    billed: Decimal
    own: Decimal
    true_up: Decimal
    forgone: Decimal
    use: Decimal


def short_way(difference: Decimal, digits: int) -> Decimal:
    """``later − earlier`` of a register of ``digits`` whole places: between minus half of the counter's round and half of it."""
    size = Decimal(10) ** digits
    return difference - size * (difference / size).quantize(Decimal(1), ROUND_HALF_UP)


def reckon(
    *,
    value: Decimal,
    at: datetime,
    previous: Decimal,
    previous_at: datetime,
    real: Decimal,
    real_at: datetime,
    digits: int,
    estimated: bool,
) -> Reckoned:
    """G2: what is billed on ``value`` at ``at``.

    ``previous``, ``previous_at``: what the bill before went up to. ``real``, ``real_at``: the last reading that was none an
    estimate; the same where the bill before was on one. ``estimated``: ``value`` itself is an estimate, and makes nothing good.
    What was billed too much is given back whole, however long ago.
    """
    used, billed = short_way(value - real, digits), short_way(previous - real, digits)
    if estimated or previous_at <= real_at or at <= previous_at:
        return Reckoned(used, billed, used - billed, Decimal(0), Decimal(0), used - billed)
    own = _rounded(used * _seconds(at - previous_at) / _seconds(at - real_at))
    gap = used - own - billed
    too_old = min(max(at - timedelta(days=DAYS_BACK) - real_at, timedelta()), previous_at - real_at)
    forgone = _rounded(max(gap, Decimal(0)) * _seconds(too_old) / _seconds(previous_at - real_at))
    return Reckoned(used, billed, own, gap - forgone, forgone, own + gap - forgone)


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / 1_000_000


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP)


def short_way_sql(difference: str, digits: str) -> str:
    """:func:`short_way` of two expressions."""
    return f"(({difference}) - 10::numeric ^ {digits} * round(({difference}) / 10::numeric ^ {digits}))"


# Put together from this module's own words only.
# ruff: noqa: S608

_MAKES_GOOD = "source <> 'estimate' AND previous_at > real_at AND taken_at > previous_at"

RECKONED = f"""
SELECT w.*, used - billed - forgone AS use, gap - forgone AS true_up FROM (
    SELECT v.*, coalesce(round(
        greatest(gap, 0) * too_old / nullif(extract(epoch FROM previous_at - real_at), 0), {PLACES}), 0) AS forgone
    FROM (
        SELECT u.*, CASE WHEN {_MAKES_GOOD} THEN used - own - billed ELSE 0 END AS gap,
            greatest(0, least(extract(epoch FROM taken_at - interval '{DAYS_BACK * 24} hours' - real_at),
                extract(epoch FROM previous_at - real_at))) AS too_old
        FROM (
            SELECT t.*, CASE WHEN {_MAKES_GOOD}
                THEN round(used * extract(epoch FROM taken_at - previous_at) / extract(epoch FROM taken_at - real_at), {PLACES})
                ELSE used - billed END AS own
            FROM (
                SELECT taken.*, coalesce({short_way_sql("value - real_value", "digits")}, first_use) AS used,
                    coalesce({short_way_sql("previous_value - real_value", "digits")}, 0) AS billed
                FROM taken
            ) AS t
        ) AS u
    ) AS v
) AS w
"""
"""Of a relation ``taken (value, taken_at, source, digits, previous_value, previous_at, real_value, real_at, first_use, …)``: its
rows with :class:`Reckoned`. ``first_use`` is for registers that have no reading before."""
