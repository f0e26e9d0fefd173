"""A cycle is closed: what each register is billed on is settled, written down in one go, sealed, and never changed again.

Steps, each in a transaction of its own and each such that done again it does only what is left: whenever a closing stops, by a
crash or because people must decide first, calling :func:`close` again goes on. The last step alone closes: the rows that are
billed, what estimates make good, ``Cycle.closed_at`` and the ledger's entry come into being together, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.utils import timezone

from rasd.ledger.models import record
from rasd.metering import adopting, comparing, exceptions, missing, reckoning, sealing, signals
from rasd.metering.importing.staging import stage
from rasd.metering.models import Closing, Cycle

LOCK = 0x434C_4F53  # "CLOS": one closing of a cycle at a time
WORK_MEMORY = "192MB"  # of a step's sorts and hashes: what joins of a million rows need
SEASON_DAYS = 800  # back from the window's end: two readings' distance and a year


class NotClosable(ValueError):
    """It is not this cycle's turn, or somebody else is closing it; the message says which and what to do."""


@dataclass(frozen=True)
class Questions:
    """What people have not decided yet. ``reviews``: photographs; ``held``: readings that a rule holds back; ``missing``:
    registers that there is nothing to bill on."""

    reviews: int
    held: int
    missing: int

    def __bool__(self) -> bool:
        return bool(self.reviews or self.held or self.missing)


class Undecided(Exception):
    """The closing waits for people; ``questions`` says how many things. Nothing is lost: close again when they have decided."""

    def __init__(self, questions: Questions) -> None:
        super().__init__(
            f"{questions.reviews} photographs are not judged, {questions.held} readings are held back,"
            f" {questions.missing} registers have nothing to bill on"
        )
        self.questions = questions


def close(
    cycle: Cycle,
    *,
    at: datetime,
    actor: str,
    with_open_reviews: bool = False,
    clock: Callable[[], datetime] = timezone.now,
    tell: Callable[[str], object] = lambda step: None,
) -> Closing:
    """Close ``cycle``; closed already, its closing is returned unchanged.

    Args:
        at: aware; when it is closed, and what is made by it is dated.
        with_open_reviews: what people have not decided is billed on an estimate; their decision later is a correction, which
            goes to billing in a delta. What there is nothing to bill on must be mended all the same: a month is whole.
        clock: for how long a step took.
        tell: called with the name of each step as it begins.

    Raises:
        NotClosable: its window is not over, an earlier cycle is open, or another process is closing it.
        Undecided: people must decide first.
    """
    with _alone(cycle):
        cycle.refresh_from_db()
        if cycle.closed_at is not None:
            return cycle.closing
        facts = facts_of(cycle, at) | {"closer": _closer(actor)}
        closing, _ = Closing.objects.get_or_create(cycle=cycle, defaults={"begun_at": at, "actor": actor})
        run = _Run(closing, facts, clock, tell)
        run.begin(actor)
        try:
            run.settle(with_open_reviews)
        except Exception as error:
            closing.error = f"{type(error).__name__}: {error}"
            closing.save(update_fields=["error"])
            raise
    cycle.refresh_from_db()
    return closing


def _closer(actor: str) -> int | None:
    """Whoever closes the month, where he is one of ours who may settle what its rules find: his is what has no owner."""
    user = get_user_model().objects.filter(username=actor.removeprefix("user:"), is_active=True).first()
    return user.pk if user and user.has_perm("metering.change_readingexception") else None


def facts_of(cycle: Cycle, at: datetime) -> dict[str, Any]:
    """What the steps' statements are told: ``before`` the cycle closed before (0: none), ``begins`` the last day of its window,
    ``closes`` of this one's, by the utility's calendar.

    Raises NotClosable.
    """
    if not re.fullmatch(r"\d{4}-\d\d", cycle.name):
        raise NotClosable(f"{cycle.name!r} is not the name of a month")
    others = cycle.district_windows.aggregate(last=models.Max("closes"))["last"]
    last = max(filter(None, [cycle.window_closes, others]))
    if timezone.localdate(at, timezone.get_default_timezone()) <= last:
        raise NotClosable(f"customers read for cycle {cycle} until {last}: close it after that day")
    earlier = Cycle.objects.filter(window_opens__lt=cycle.window_opens).order_by("-window_opens")
    if still_open := earlier.filter(closed_at=None).last():
        raise NotClosable(f"cycle {still_open} is open: close it first (rasd cycle close {still_open})")
    before = earlier.first()
    return {
        "cycle": cycle.pk,
        "before": before.pk if before else 0,
        "month": cycle.name[2:4] + cycle.name[5:7],
        "begins": before.window_closes if before else cycle.window_closes - timedelta(days=31),
        "opens": cycle.window_opens,
        "closes": cycle.window_closes,
        "zone": timezone.get_default_timezone_name(),
        "at": at,
    }


@contextmanager
def _alone(cycle: Cycle) -> Iterator[None]:
    """A lock of the session, which the database lets go of when the process dies."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, cycle.pk])
        if cursor.fetchone() != (True,):
            raise NotClosable(f"cycle {cycle} is being closed just now by another process")
        try:
            yield
        finally:
            connection.ensure_connection()
            with connection.cursor() as other:
                other.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, cycle.pk])


def is_running(cycle: Cycle) -> bool:
    """Whether a process is at it now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
            [LOCK, cycle.pk],
        )
        return cursor.fetchone() == (True,)


class _Run:
    """One try: its steps one after the other, and how far it is for whoever looks."""

    def __init__(
        self,
        closing: Closing,
        facts: dict[str, Any],
        clock: Callable[[], datetime],
        tell: Callable[[str], object],
    ) -> None:
        self.closing, self.cycle, self.facts, self.clock, self.tell = (
            closing,
            closing.cycle,
            facts,
            clock,
            tell,
        )
        name = closing.cycle.name.replace("-", "_")
        self.table, self.partition = f"metering_reckoned_{name}", f"metering_billed_{name}"

    def begin(self, actor: str) -> None:
        self.closing.steps, self.closing.error, self.closing.actor = [], "", actor
        self.closing.save(update_fields=["steps", "error", "actor"])

    def settle(self, with_open_reviews: bool) -> None:
        for step in (self.adopt, self.compare, self.estimate, self.reckon, self.validate):
            self._do(step)
        questions = open_questions(self.cycle)
        if questions.missing or (questions and not with_open_reviews):
            raise Undecided(questions)
        if questions.held:
            self._do(self.set_aside)
        self.left_open = open_questions(self.cycle)
        if self.left_open.missing:  # of what was set aside: there is nothing to estimate from
            raise Undecided(self.left_open)
        try:
            self._do(self.bill)
        except _CameLate:
            self.closing.steps = []
            self.settle(with_open_reviews)

    def _do(self, step: Callable[[Any], dict[str, Any]]) -> None:
        name = step.__name__
        self.tell(name)
        noted: dict[str, Any] = {"step": name, "begun": self.clock().isoformat(), "ended": None, "counts": {}}
        self.closing.steps = [*self.closing.steps, noted]
        self.closing.save(update_fields=["steps"])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('work_mem', %s, true), set_config('jit', 'off', true)", [WORK_MEMORY]
            )
            noted["counts"] = step(cursor)
            noted["ended"] = self.clock().isoformat()
            self.closing.save(update_fields=["steps"])

    # The steps

    def adopt(self, cursor: Any) -> dict[str, Any]:
        """G2: what the table of precedence says."""
        cursor.execute(_ANALYZE)
        cursor.execute(_HOLD, self.facts)
        cursor.execute("SELECT coalesce(max(id), 0) FROM metering_reading")
        (self.facts["seen"],) = cursor.fetchone()
        return adopting.adopt(cursor, self.facts)

    def compare(self, cursor: Any) -> dict[str, Any]:
        """G5: the customers' readings with the meter readers'."""
        return {"compared": comparing.compare(cursor, self.cycle, self.facts["at"])}

    def estimate(self, cursor: Any) -> dict[str, Any]:
        """G2: what nobody read, or nobody read so that it could be billed on."""
        counts = missing.estimate_missing(cursor, self.cycle, self.facts["at"])
        aside = self._estimate_aside(cursor)
        return counts | {"set_aside": len(aside), "adopted": adopting.adopt(cursor, self.facts)["adopted"]}

    def _estimate_aside(self, cursor: Any) -> list[int]:
        aside = exceptions.without_reading(cursor, self.facts)
        if aside:
            missing.estimate_missing(cursor, self.cycle, self.facts["at"], only=aside)
        return aside

    def reckon(self, cursor: Any) -> dict[str, Any]:
        """What each register comes to."""
        cursor.execute(_ANALYZE)  # the steps before have written as many rows as there were
        self._stage_season(cursor)
        return {"registers": reckoning.reckon_all(cursor, self.table, self.facts)}

    def _stage_season(self, cursor: Any) -> None:
        first = self.facts["closes"] - timedelta(days=SEASON_DAYS)
        last = timezone.localdate(self.facts["at"], timezone.get_default_timezone())
        rows = reckoning.season_rows(reckoning.kinds_of(cursor), first, last)
        stage(cursor, "season", reckoning.SEASON, rows)

    def validate(self, cursor: Any) -> dict[str, Any]:
        """The rules' findings."""
        return exceptions.raise_all(cursor, self.table, self.facts)

    def set_aside(self, cursor: Any) -> dict[str, Any]:
        """What is held back and not decided is not billed on: it is estimated, and looked at again."""
        exceptions.set_aside(cursor, self.facts)
        aside = self._estimate_aside(cursor)
        adopting.adopt(cursor, self.facts, aside)
        self._stage_season(cursor)
        reckoning.reckon_again(cursor, self.table, self.facts, aside)
        return {"set_aside": len(aside)} | exceptions.raise_all(cursor, self.table, self.facts, aside)

    def bill(self, cursor: Any) -> dict[str, Any]:
        """The partition, what is made good, the seal and the ledger's entry."""
        self._take_in_late(cursor)
        names = {"table": self.table, "partition": self.partition}
        for statement in _BILL:
            cursor.execute(statement.format(**names), self.facts)
        cursor.execute(_TRUE_UPS.format(**names), self.facts)
        trued_up = cursor.rowcount
        cursor.execute(_TOTALS.format(**names))
        totals = [
            dict(zip([column.name for column in cursor.description], row, strict=True))
            for row in cursor.fetchall()
        ]
        cursor.execute(_RULES.format(**names))
        rules = dict(cursor.fetchall())
        cursor.execute(f"DROP TABLE {self.table}")
        blocks = sealing.blocks_of(cursor, self.cycle)
        rows, seal = sum(one["registers"] for one in totals), sealing.seal_of(blocks)
        closed = Cycle.objects.filter(pk=self.cycle.pk, closed_at=None).update(closed_at=self.facts["at"])
        if not closed:
            raise NotClosable(f"cycle {self.cycle} was closed by another process")
        signals.cycle_closed.send(Closing, closing=self.closing)
        record(
            self.closing.actor,
            "cycle.closed",
            f"cycle:{self.cycle}",
            at=self.facts["at"],
            facts={
                "registers": rows,
                "totals": totals,
                "seal": seal,
                "true_ups": trued_up,
                "left_open": vars(self.left_open),
            },
        )
        return {"billed": rows, "true_ups": trued_up, "rules": rules, "seal": seal, "blocks": blocks}

    def _take_in_late(self, cursor: Any) -> None:
        """G2: what was brought since the first step is billed on, too. No more can come: this transaction holds the cycle."""
        cursor.execute(_HOLD, self.facts)
        cursor.execute(_LATE, self.facts)
        if not (late := [register for (register,) in cursor.fetchall()]):
            return
        adopting.adopt(cursor, self.facts, late)
        comparing.compare(cursor, self.cycle, self.facts["at"])
        self._stage_season(cursor)
        reckoning.reckon_again(cursor, self.table, self.facts, late)
        exceptions.raise_all(cursor, self.table, self.facts, late)
        if open_questions(self.cycle).held > self.left_open.held:
            raise _CameLate


class _CameLate(Exception):
    """Something that a rule holds back was brought during the last step: all steps anew, so that people see it."""


_ANALYZE = """
ANALYZE metering_reading, metering_adoption, metering_register, metering_meter, metering_servicepoint, metering_account
"""
"""Of tables filled this minute PostgreSQL knows nothing, and was seen to plan minutes of work where seconds do."""

_HOLD = "SELECT id FROM metering_cycle WHERE id = %(cycle)s FOR NO KEY UPDATE"
"""Waits for whoever is bringing readings, who wait for its end (:func:`rasd.metering.importing.staging.hold_cycles`); customers
go on."""

_LATE = """
SELECT DISTINCT register_id FROM metering_reading
WHERE id > %(seen)s AND cycle_id = %(cycle)s AND source IN ('field', 'smart')
"""


def open_questions(cycle: Cycle) -> Questions:
    """What would be billed on an estimate, or not at all, were ``cycle`` closed now."""
    with connection.cursor() as cursor:
        cursor.execute(_QUESTIONS, {"cycle": cycle.pk})
        return Questions(*cursor.fetchone())


_QUESTIONS = """
SELECT
    (SELECT count(*) FROM metering_review v JOIN metering_submission s ON s.id = v.submission_id
     WHERE v.closed_at IS NULL AND s.cycle_id = %(cycle)s AND s.service_point_id IS NOT NULL),
    (SELECT count(*) FROM metering_readingexception
     WHERE cycle_id = %(cycle)s AND closed_at IS NULL AND holds_back AND rule <> 'missing'),
    (SELECT count(*) FROM metering_readingexception
     WHERE cycle_id = %(cycle)s AND closed_at IS NULL AND holds_back AND rule = 'missing')
"""

_BILL = (
    "DROP TABLE IF EXISTS {partition}",
    "CREATE TABLE {partition} (LIKE metering_billed INCLUDING ALL)",
    """INSERT INTO {partition} SELECT %(cycle)s, register_id, service_point_id, adoption_id, district, customer_class, commodity,
        source, quality, value, taken_at, previous_value, previous_at, use, true_up
    FROM {table} WHERE adoption_id IS NOT NULL ORDER BY register_id""",
    "CREATE UNIQUE INDEX ON {partition} (register_id)",
    "CREATE INDEX ON {partition} (service_point_id)",
    # With it PostgreSQL need not look through the rows to know that they are of this cycle.
    "ALTER TABLE {partition} ADD CONSTRAINT of_this_cycle CHECK (cycle_id = %(cycle)s)",
    "ANALYZE {partition}",
    "ALTER TABLE metering_billed ATTACH PARTITION {partition} FOR VALUES IN (%(cycle)s)",
    "ALTER TABLE {partition} DROP CONSTRAINT of_this_cycle",
)

_TRUE_UPS = """
INSERT INTO metering_trueup
    (service_point_id, cycle_id, adoption_id, since, used, billed, difference, forgone, facts)
SELECT service_point_id, %(cycle)s, adoption_id, real_at, used, billed, true_up, forgone, jsonb_build_object(
    'from', real_value::text, 'to', value::text, 'estimated_up_to', previous_at, 'estimated_value', previous_value::text,
    'own', own::text, 'gap', gap::text, 'too_old_days', round((too_old / 86400)::numeric, 2)::text, 'use', use::text)
FROM {table}
WHERE adoption_id IS NOT NULL AND source <> 'estimate' AND previous_source = 'estimate' AND previous_at > real_at
ORDER BY register_id
"""

_TOTALS = """
SELECT commodity, unit, source, count(*) AS registers, sum(use) AS use, sum(true_up) AS true_up
FROM {table} WHERE adoption_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

_RULES = "SELECT coalesce(nullif(rule, ''), source), count(*) FROM {table} WHERE adoption_id IS NOT NULL GROUP BY 1"
"""How often each row of the table of precedence decided."""


@dataclass(frozen=True)
class Open:
    """One thing that people have not decided: at which service point, and a code of why (a rule, or ``review``)."""

    service_point: str
    why: str


def undecided(cycle: Cycle, most: int = 100) -> list[Open]:
    """What :func:`open_questions` counts, the first ``most``."""
    with connection.cursor() as cursor:
        cursor.execute(_UNDECIDED, {"cycle": cycle.pk, "most": most})
        return [Open(*row) for row in cursor.fetchall()]


_UNDECIDED = """
(SELECT p.number, x.rule FROM metering_readingexception x JOIN metering_servicepoint p ON p.id = x.service_point_id
 WHERE x.cycle_id = %(cycle)s AND x.closed_at IS NULL AND x.holds_back ORDER BY x.id LIMIT %(most)s)
UNION ALL
(SELECT p.number, 'review' FROM metering_review v JOIN metering_submission s ON s.id = v.submission_id
 JOIN metering_servicepoint p ON p.id = s.service_point_id
 WHERE v.closed_at IS NULL AND s.cycle_id = %(cycle)s ORDER BY v.opened_at LIMIT %(most)s)
LIMIT %(most)s
"""
