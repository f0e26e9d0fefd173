"""What is usual for kinds of customers: learnt from this installation's readings, kept, and given to the estimates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.utils import timezone

from rasd.metering.adopting import ACTUAL
from rasd.metering.estimating import Counter, Stretch, Usual, stretches_of
from rasd.metering.models import Season, UsualUse
from rasd.metering.seasons import LEARNS_FROM, SCORED, calibrated, learn
from rasd.vision import PastReading

KEPT = timedelta(days=25)
"""What was learnt before a closing holds for its whole length, however often it begins again; next month's learns anew."""

LEARNS_BACK = timedelta(days=3 * 366)
KIND = tuple[str, str]  # commodity, customer class ("": all)


def kinds() -> dict[KIND, Usual]:
    """What was learnt last."""
    seasons: dict[KIND, dict[int, float]] = defaultdict(dict)
    for one in Season.objects.all():
        seasons[one.commodity, one.customer_class][one.month] = one.factor
    return {
        (one.commodity, one.customer_class): Usual(
            tuple(seasons[one.commodity, one.customer_class].get(month, 1.0) for month in range(1, 13)),
            one.per_day,
            one.within,
            one.between,
            one.low,
            one.high,
        )
        for one in UsualUse.objects.all()
    }


def learn_usual(at: datetime, *, apart_from: int | None = None) -> dict[KIND, int]:
    """Learn each kind's from the actual readings of up to ``LEARNS_FROM`` of its registers, taken before ``at``.

    ``apart_from``: primary key of a cycle whose readings nobody has looked at yet, and which are therefore left out.

    Returns from how many, by kind. A kind leans to its commodity where little is known of it.
    """
    found = drawn(at, apart_from=apart_from)
    learnt: dict[KIND, tuple[Usual, int]] = {}
    for commodity in sorted({commodity for commodity, _ in found}):
        classes = {kind: counters for (of, kind), counters in found.items() if of == commodity}
        together = learn_kind([one for counters in classes.values() for one in counters], at)
        if together is None:
            continue
        learnt[commodity, ""] = together, sum(map(len, classes.values()))
        for kind, counters in classes.items():
            if kind and (usual := learn_kind(counters, at, together)):
                learnt[commodity, kind] = usual, len(counters)
    with transaction.atomic():
        for (commodity, kind), (usual, registers) in learnt.items():
            _keep(commodity, kind, usual, registers, at)
    return {kind: registers for kind, (_usual, registers) in learnt.items()}


def learn_kind(counters: list[Counter], at: datetime, leaning_to: Usual | None = None) -> Usual | None:
    """From registers of one kind; None where none of them has two readings."""
    homes: list[list[Stretch]] = [stretches_of(one, at, LEARNS_BACK) for one in counters]
    if not any(homes):
        return leaning_to
    return calibrated(learn(homes, leaning_to), counters[:: max(len(counters) // SCORED, 1)])


def _keep(commodity: str, kind: str, usual: Usual, registers: int, at: datetime) -> None:
    for month, factor in enumerate(usual.season, 1):
        Season.objects.update_or_create(
            commodity=commodity,
            customer_class=kind,
            month=month,
            defaults={"factor": factor, "registers": registers, "learnt_at": at},
        )
    _season, per_day, within, between, low, high = astuple(usual)
    UsualUse.objects.update_or_create(
        commodity=commodity,
        customer_class=kind,
        defaults={
            "per_day": per_day,
            "within": within,
            "between": between,
            "low": low,
            "high": high,
            "registers": registers,
            "learnt_at": at,
        },
    )


def drawn(
    at: datetime, *, back: timedelta = LEARNS_BACK, sample: int = LEARNS_FROM, apart_from: int | None = None
) -> dict[KIND, list[Counter]]:
    """Registers of each kind, always the same ones, with their actual readings of the time ``back`` from ``at``."""
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLE, {"at": at, "since": at - back, "sample": sample, "cycle": apart_from})
        return _by_kind(cursor)


def _by_kind(rows: Iterable[tuple[str, str, int, int, int, datetime, Decimal]]) -> dict[KIND, list[Counter]]:
    """Rows by register, oldest reading first."""
    found: dict[KIND, list[Counter]] = defaultdict(list)
    of, about = None, None
    readings: list[PastReading] = []
    for commodity, kind, register, digits, decimals, taken_at, value in rows:
        if register != of:
            if about:
                found[about[0]].append(Counter(about[1], about[2], tuple(readings)))
            of, readings, about = register, [], ((commodity, kind), digits, decimals)
        readings.append(PastReading(taken_at.astimezone(timezone.get_default_timezone()), value))
    if about:
        found[about[0]].append(Counter(about[1], about[2], tuple(readings)))
    return found


# Drawn by a hash of the number: the same ones each time, and no stripe of the city.
_SAMPLE = f"""
WITH drawn AS (
    SELECT id, digits, decimals, commodity, customer_class FROM (
        SELECT g.id, g.digits, g.decimals, p.commodity, o.customer_class,
            row_number() OVER (PARTITION BY p.commodity, o.customer_class ORDER BY hashint8extended(g.id, 0)) AS place
        FROM metering_register g
        JOIN metering_meter m ON m.id = g.meter_id AND m.removed_on IS NULL
        JOIN metering_servicepoint p ON p.id = m.service_point_id
        JOIN metering_account o ON o.id = p.account_id) every
    WHERE place <= %(sample)s
)
SELECT d.commodity, d.customer_class, d.id, d.digits, d.decimals, r.taken_at, r.value
FROM drawn d JOIN metering_reading r ON r.register_id = d.id
WHERE r.taken_at < %(at)s AND r.taken_at >= %(since)s AND {ACTUAL}
    AND (%(cycle)s::bigint IS NULL OR r.cycle_id IS DISTINCT FROM %(cycle)s::bigint)
ORDER BY d.commodity, d.customer_class, d.id, r.taken_at, r.id
"""  # noqa: S608 - of constants only
