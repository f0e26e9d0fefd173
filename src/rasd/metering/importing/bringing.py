"""What meter readers bring, into the books: one visit or half a million in the same few statements (G2, G4).

A visit stays as it came in. Where it has a value and a meter hung there on that day, a reading of source ``field`` is made of
it. A value that the counter cannot show, and a serial number that hangs elsewhere, are kept too: the rules of the month
(:mod:`rasd.metering.validating`) are there to find them, and a reader who could not hand them in would write them on paper.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from rasd.metering.importing import staging

TOMORROW = timedelta(days=1)
"""A handheld's clock may be wrong by this much before a visit counts as one of the future."""

KEY_LONGEST = 100  # characters


@dataclass(frozen=True, slots=True)
class Visit:
    """What a reader says of one service point. Either ``value``, in the register's unit, or ``no_access``, a code of
    ``FieldRead.NoAccess``.

    reader      his code.
    key         the handheld's own name of the visit: of one reader, the same key is the same visit.
    service_point, serial  one of the two at least.
    cycle       its name; empty: the open one of the visit's month, by the utility's calendar.
    route       its number; empty: the one on which the service point lies.
    latitude, longitude, accuracy  WGS 84 degrees and metres, by the handheld.
    sha256      of a photograph that is kept as evidence already.
    """

    reader: str
    key: str
    visited_at: datetime
    service_point: str = ""
    serial: str = ""
    value: Decimal | None = None
    no_access: str = ""
    cycle: str = ""
    route: str = ""
    note: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accuracy: float | None = None
    sha256: str = ""


class Refused(NamedTuple):
    """Why the visit at ``place`` was not taken: the field of :class:`Visit`, what is wrong with it, how to mend it."""

    place: int
    field: str
    problem: str
    mend: str


@dataclass
class Brought:
    """``created`` and ``known``: place → primary key of the :class:`FieldRead`, new or on record already."""

    created: dict[int, int] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


STAGED = {"place": "integer"} | {
    one.name: {"visited_at": "timestamptz", "value": "numeric"}.get(
        one.name, "float8" if one.name in {"latitude", "longitude", "accuracy"} else "text"
    )
    for one in fields(Visit)
}


def bring(visits: Iterable[tuple[int, Visit]], *, at: datetime) -> Brought:
    """Each visit, named by a place of the caller's own, is taken, or known already, or refused; none hinders another.

    A visit is known where the same reader brought the same under the same key. With other content it is refused: what is on
    record is not overwritten. Atomic: all that is not refused, or nothing.
    """
    outcome = Brought()
    with transaction.atomic(), connection.cursor() as cursor:
        staging.hold_cycles(cursor)
        rows = ((place, *(getattr(visit, name) for name in _NAMES)) for place, visit in visits)
        staging.stage(cursor, "brought", STAGED, rows)
        staging.drop(cursor, "visit")
        about: dict[str, Any] = {
            "zone": timezone.get_default_timezone_name(),
            "latest": at + TOMORROW,
            "at": at,
        }
        cursor.execute(_FIND, about)
        cursor.execute("ANALYZE visit")
        for statement, column, problem, mend in _CHECKS:
            cursor.execute(statement, about if "%(" in statement else None)
            outcome.refused += [
                Refused(place, column, problem.format(*facts), mend.format(*facts))
                for place, *facts in cursor.fetchall()
            ]
        cursor.execute(_KNOWN)
        outcome.known = dict(cursor.fetchall())
        cursor.execute(_READINGS, about)
        cursor.execute(_JOIN_READINGS)
        cursor.execute(_FIELD_READS, about)
        cursor.execute(_CREATED)
        outcome.created = dict(cursor.fetchall())
        cursor.execute(_LEFT)
        outcome.refused += [
            Refused(place, "visited_at", "another visit was brought at the same moment", "send it again")
            for (place,) in cursor.fetchall()
        ]
    outcome.refused.sort()
    return outcome


_NAMES = [one.name for one in fields(Visit)]

_FIND = """
-- Three joins, each on equality. The meter is the one that hung there on that day, by the utility's calendar; of several
-- registers on it, the first, which is the one that customers read.
CREATE TEMPORARY TABLE visit ON COMMIT DROP AS
WITH dated AS (
    SELECT b.*, (b.visited_at AT TIME ZONE %(zone)s)::date AS day FROM brought b
), hung AS (
    SELECT d.*, p.id AS point_id, p.route_id AS its_route, m.id AS meter_id, 1 AS meters
    FROM dated d LEFT JOIN metering_servicepoint p ON p.number = d.service_point
    LEFT JOIN metering_meter m ON m.service_point_id = p.id AND d.serial IN ('', m.serial)
        AND d.day >= m.installed_on AND d.day < coalesce(m.removed_on, 'infinity')
    WHERE d.service_point <> ''
    UNION ALL
    SELECT d.*, p.id, p.route_id, m.id, count(m.id) OVER (PARTITION BY d.place)
    FROM dated d LEFT JOIN metering_meter m ON m.serial = d.serial
        AND d.day >= m.installed_on AND d.day < coalesce(m.removed_on, 'infinity')
    LEFT JOIN metering_servicepoint p ON p.id = m.service_point_id
    WHERE d.service_point = ''
), once AS (
    SELECT DISTINCT ON (place) * FROM hung ORDER BY place, meter_id
), counters AS (
    SELECT DISTINCT ON (meter_id) meter_id, id AS register_id FROM metering_register
    WHERE meter_id IN (SELECT meter_id FROM once) ORDER BY meter_id, id
)
SELECT o.*, g.register_id, r.id AS reader_id, c.id AS cycle_id,
    coalesce(t.id, o.its_route) AS route_id, t.id AS said_route, NULL::bigint AS reading_id
FROM once o
LEFT JOIN counters g USING (meter_id)
LEFT JOIN metering_reader r ON r.code = o.reader
LEFT JOIN metering_route t ON t.number = nullif(o.route, '')
LEFT JOIN metering_cycle c ON c.closed_at IS NULL
    AND c.name = coalesce(nullif(o.cycle, ''), to_char(o.day, 'YYYY-MM'))
"""

# (what takes the rows out and gives place and facts, field, what is wrong, how to mend it); in their order.
_CHECKS = [
    (
        "DELETE FROM visit WHERE reader_id IS NULL RETURNING place, reader",
        "reader",
        "{0} is not on record",
        "correct the code, or import the routes with their readers first",
    ),
    (
        "DELETE FROM visit WHERE service_point <> '' AND point_id IS NULL RETURNING place, service_point",
        "service_point",
        "{0} is not on record",
        "correct it, or import the service points first",
    ),
    (
        "DELETE FROM visit WHERE point_id IS NULL RETURNING place, serial, day",
        "serial",
        "no meter {0} hung anywhere on {1}",
        "say service_point as well",
    ),
    (
        "DELETE FROM visit WHERE meters > 1 RETURNING place, serial",
        "serial",
        "{0} is the serial of several meters",
        "say service_point as well",
    ),
    (
        "DELETE FROM visit WHERE visited_at > %(latest)s RETURNING place, visited_at",
        "visited_at",
        "{0} is in the future",
        "set the handheld's clock, and correct the time",
    ),
    (
        "DELETE FROM visit WHERE cycle <> '' AND cycle_id IS NULL RETURNING place, cycle",
        "cycle",
        "{0} is not open",
        "leave it empty: the visit is kept all the same",
    ),
    (
        "DELETE FROM visit WHERE route <> '' AND said_route IS NULL RETURNING place, route",
        "route",
        "{0} is not on record",
        "correct it, leave it empty, or import the routes first",
    ),
    (
        "DELETE FROM visit WHERE (value IS NULL) = (no_access = '') RETURNING place",
        "value",
        "is there with a reason for no access, or both are missing",
        "give one of the two",
    ),
    (
        """DELETE FROM visit v USING metering_fieldread f
           WHERE f.reader_id = v.reader_id AND f.key = v.key
             AND (f.service_point_id, f.visited_at, f.value, f.no_access, f.note, f.serial, f.latitude, f.longitude)
                 IS DISTINCT FROM
                 (v.point_id, v.visited_at, v.value, v.no_access, v.note, v.serial, v.latitude, v.longitude)
           RETURNING v.place, v.key, v.reader""",
        "key",
        "{0} of reader {1} is on record with other content, which is not overwritten",
        "bring a correction under a key of its own",
    ),
    (
        """WITH first AS (SELECT DISTINCT ON (reader_id, key) * FROM visit ORDER BY reader_id, key, place)
           DELETE FROM visit v USING first o
           WHERE o.reader_id = v.reader_id AND o.key = v.key AND o.place < v.place
             AND (o.point_id, o.visited_at, o.value, o.no_access, o.note) IS DISTINCT FROM
                 (v.point_id, v.visited_at, v.value, v.no_access, v.note)
           RETURNING v.place, v.key, o.place""",
        "key",
        "{0} is there twice, with other content at {1}",
        "give each visit a key of its own",
    ),
    (
        """DELETE FROM visit v USING metering_reading r
           WHERE r.register_id = v.register_id AND r.source = 'field' AND r.taken_at = v.visited_at
             AND r.submission_id IS NULL AND v.value IS NOT NULL
             AND NOT EXISTS (SELECT FROM metering_fieldread f WHERE f.reader_id = v.reader_id AND f.key = v.key)
             AND (r.value <> v.value OR EXISTS (SELECT FROM metering_fieldread f WHERE f.reading_id = r.id))
           RETURNING v.place, trim_scale(r.value)""",
        "value",
        "a meter reader's {0} is on record for the same meter and moment",
        "what is on record is not overwritten: correct the time, or leave the visit out",
    ),
    (
        """DELETE FROM visit v USING visit o
           WHERE o.register_id = v.register_id AND o.visited_at = v.visited_at AND o.place < v.place
             AND (o.reader_id, o.key) <> (v.reader_id, v.key) AND o.value IS NOT NULL AND v.value IS NOT NULL
           RETURNING v.place, o.place""",
        "visited_at",
        "the visit at {0} is of the same meter and moment",
        "take one of the two out",
    ),
]

_KNOWN = """
DELETE FROM visit v USING metering_fieldread f WHERE f.reader_id = v.reader_id AND f.key = v.key
RETURNING v.place, f.id
"""

_READINGS = """
INSERT INTO metering_reading AS old
    (service_point_id, register_id, cycle_id, value, source, quality, taken_at, recorded_at)
SELECT DISTINCT ON (register_id, visited_at) point_id, register_id, cycle_id, value, 'field', 'valid', visited_at, %(at)s
FROM visit WHERE value IS NOT NULL AND register_id IS NOT NULL ORDER BY register_id, visited_at, place
ON CONFLICT (register_id, source, taken_at) WHERE submission_id IS NULL
DO UPDATE SET cycle_id = excluded.cycle_id WHERE old.cycle_id IS NULL AND old.value = excluded.value
"""

_JOIN_READINGS = """
UPDATE visit v SET reading_id = r.id FROM metering_reading r
WHERE r.register_id = v.register_id AND r.source = 'field' AND r.taken_at = v.visited_at AND r.submission_id IS NULL
  AND v.value = r.value
"""

_FIELD_READS = """
INSERT INTO metering_fieldread (reader_id, route_id, service_point_id, register_id, cycle_id, key, serial, visited_at,
    value, no_access, note, latitude, longitude, accuracy, reading_id, recorded_at)
SELECT reader_id, route_id, point_id, register_id, cycle_id, key, serial, visited_at,
    value, no_access, note, latitude, longitude, accuracy, reading_id, %(at)s
FROM visit WHERE value IS NULL OR register_id IS NULL OR reading_id IS NOT NULL ORDER BY place
ON CONFLICT DO NOTHING
"""

# The same visit twice in one batch is one, and both places are told its key.
_CREATED = """
DELETE FROM visit v USING metering_fieldread f
WHERE f.reader_id = v.reader_id AND f.key = v.key AND f.visited_at = v.visited_at
RETURNING v.place, f.id
"""

_LEFT = "SELECT place FROM visit"
