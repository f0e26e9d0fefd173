"""The rows of a billing file, as PostgreSQL puts them together.

A register's use at a moment T is that of the closing's row, moved by what was corrected up to T in its own value and in the one
before it. Differences are taken the short way round the counter, which goes on from zero after its highest value.
"""

from rasd.metering.truing import short_way_sql

# Put together from the pieces below only; what comes from outside are parameters.
# ruff: noqa: S608

_FACTS = """
    %(name)s, p.number, a.number, m.serial, r.name, r.unit,
    coalesce(trim_scale({previous})::text, ''),
    coalesce(to_char(b.previous_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), ''),
    trim_scale({value})::text, to_char({taken_at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    {source}, {quality},
    (%(qualities)s::jsonb) ->> CASE d.rule WHEN 'manual' THEN 'manual' ELSE {quality} END,
    {use}::text, b.true_up::text, d.receipt
"""

_JOINED = """
    JOIN metering_servicepoint p ON p.id = b.service_point_id
    JOIN metering_account a ON a.id = p.account_id
    JOIN metering_register r ON r.id = b.register_id
    JOIN metering_meter m ON m.id = r.meter_id
"""

_IN_ORDER = 'ORDER BY p.number COLLATE "C", m.serial COLLATE "C", r.name COLLATE "C"'

ALL = f"""
SELECT {
    _FACTS.format(
        value="b.value",
        taken_at="b.taken_at",
        previous="b.previous_value",
        source="b.source",
        quality="b.quality",
        use="b.use",
    )
},
    b.commodity, ''
FROM metering_billed b {_JOINED} JOIN metering_adoption d ON d.id = b.adoption_id
WHERE b.cycle_id = %(cycle)s {_IN_ORDER}
"""

CORRECTED = """
    SELECT d.register_id FROM metering_adoption d JOIN metering_cycle c ON c.id = d.cycle_id,
        (SELECT window_opens FROM metering_cycle WHERE id = %(cycle)s) AS this
    WHERE (d.adopted_at > %(since)s AND d.adopted_at <= %(as_of)s OR d.superseded_at > %(since)s AND d.superseded_at <= %(as_of)s)
      AND c.window_opens <= this.window_opens
      AND EXISTS (SELECT FROM metering_billed b WHERE b.cycle_id = %(cycle)s AND b.register_id = d.register_id)
"""

_STOOD = """
    SELECT e.*, g.value, g.taken_at, g.source, g.quality FROM metering_adoption e
    JOIN metering_reading g ON g.id = e.reading_id
    WHERE e.register_id = b.register_id AND e.cycle_id = {cycle} AND e.adopted_at <= {at}
      AND (e.superseded_at IS NULL OR e.superseded_at > {at})
"""

_MOVED = short_way_sql("{value} - b.value", "r.digits")
_MOVED_BEFORE = short_way_sql(
    "coalesce({previous}, b.previous_value, 0) - coalesce(b.previous_value, 0)", "r.digits"
)
_USE = f"(b.use + {_MOVED} - {_MOVED_BEFORE})::numeric(12, 3)"

_WHY = "CASE WHEN d.id = w.id THEN 'the month before was corrected' ELSE d.why END"

DELTA = f"""
WITH changed AS (SELECT DISTINCT register_id FROM ({CORRECTED}) AS each),
before AS (
    SELECT b.register_id, (
        SELECT c.id FROM metering_adoption e JOIN metering_cycle c ON c.id = e.cycle_id
        WHERE e.register_id = b.register_id
          AND c.window_opens < (SELECT window_opens FROM metering_cycle WHERE id = %(cycle)s)
        ORDER BY c.window_opens DESC LIMIT 1
    ) AS cycle_id
    FROM metering_billed b JOIN changed USING (register_id) WHERE b.cycle_id = %(cycle)s
)
SELECT {
    _FACTS.format(
        value="d.value",
        taken_at="d.taken_at",
        previous="coalesce(d0.value, b.previous_value)",
        source="d.source",
        quality="d.quality",
        use=_USE.format(value="d.value", previous="d0.value"),
    )
},
    trim_scale(w.value)::text, {_USE.format(value="w.value", previous="w0.value")}::text, {_WHY},
    b.commodity, {_WHY}
FROM before JOIN metering_billed b ON b.cycle_id = %(cycle)s AND b.register_id = before.register_id {_JOINED}
CROSS JOIN LATERAL ({_STOOD.format(cycle="%(cycle)s", at="%(as_of)s")}) AS d
CROSS JOIN LATERAL ({_STOOD.format(cycle="%(cycle)s", at="%(since)s")}) AS w
LEFT JOIN LATERAL ({_STOOD.format(cycle="before.cycle_id", at="%(as_of)s")}) AS d0 ON true
LEFT JOIN LATERAL ({_STOOD.format(cycle="before.cycle_id", at="%(since)s")}) AS w0 ON true
WHERE d.id <> w.id OR d0.id IS DISTINCT FROM w0.id {_IN_ORDER}
"""

MISSING = """
SELECT * FROM (
    SELECT p.number, m.serial || ' ' || r.name, 'nothing', '' FROM metering_register r
    JOIN metering_meter m ON m.id = r.meter_id JOIN metering_servicepoint p ON p.id = m.service_point_id
    JOIN metering_cycle c ON c.id = %(cycle)s
    WHERE m.removed_on IS NULL AND m.installed_on <= c.window_closes
      AND NOT EXISTS (SELECT FROM metering_billed b WHERE b.cycle_id = c.id AND b.register_id = r.id)
    UNION ALL
    SELECT p.number, coalesce(m.serial || ' ' || r.name, ''), 'person', x.rule
    FROM metering_readingexception x JOIN metering_servicepoint p ON p.id = x.service_point_id
    LEFT JOIN metering_register r ON r.id = x.register_id LEFT JOIN metering_meter m ON m.id = r.meter_id
    WHERE x.cycle_id = %(cycle)s AND x.closed_at IS NULL AND x.holds_back
    UNION ALL
    SELECT p.number, m.serial || ' ' || r.name, 'unit', r.unit
    FROM metering_billed b JOIN metering_servicepoint p ON p.id = b.service_point_id
    JOIN metering_register r ON r.id = b.register_id JOIN metering_meter m ON m.id = r.meter_id
    WHERE b.cycle_id = %(cycle)s AND NOT (b.commodity || ' ' || r.unit) = ANY(%(known)s)
) AS lacking ORDER BY 1, 2, 3, 4 LIMIT %(most)s
"""
