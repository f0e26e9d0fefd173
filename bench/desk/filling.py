"""A database as big as years make it, filled in minutes: rows by INSERT … SELECT in the server, the ledger by COPY."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bench.desk.chaining import chain_up
from bench.desk.saying import names, sentences
from bench.desk.size import DAYS, LINES, QUEUES, SAID, Size, username

BIG = ("channels_incoming", "channels_outgoing", "desk_message", "desk_conversation", "desk_obligation", "channels_address",
       "desk_contact", "desk_contactaddress", "ledger_entry", "desk_accountstretch")  # fmt: skip
TIME = "(%(now)s - interval '5 minutes' - ({conversations} - c) * interval '{days} days' / {conversations})"
"""When conversation ``c`` was opened: evenly over the years, the last one five minutes ago."""
ANSWERED = "make_interval(secs => CASE WHEN c %% 10 = 0 THEN 1800 + c %% 86400 ELSE 60 + c %% 1500 END)"
"""After how long: one in ten late, for half an hour is allowed."""
EACH = 50_000  # conversations in one INSERT


def fill(size: Size, tell: Callable[..., None]) -> None:
    """Into a database that is migrated and has the four groups; nobody else may be writing."""
    from django.db import connection
    from django.utils import timezone

    from rasd.desk.models import AccountDay

    began, now = time.perf_counter(), timezone.now()
    with connection.cursor() as cursor:
        _at_ease(cursor)
        _people(size)
        cursor.execute("SET session_replication_role = replica")  # what refers to what is known to be there
        indexes = _without_indexes(cursor)
        _pool(cursor)
        for rows in SMALL:
            cursor.execute(_formatted(rows, size), {"now": now})
        tell("filled", what="customers and conversations", seconds=round(time.perf_counter() - began, 1))
    _in_two(size, now)
    tell("filled", what="messages", seconds=round(time.perf_counter() - began, 1))
    with connection.cursor() as cursor:
        chain_up(now)
        for scope, column in (("person", "u.username"), ("queue", "q.name"), ("line", "l.name")):
            cursor.execute(
                _formatted(STRETCHES, size).replace("%(column)s", column), {"scope": scope, "now": now}
            )
        tell("filled", what="ledger and account", seconds=round(time.perf_counter() - began, 1))
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for index in indexes:
            cursor.execute(index)
        for table in (*BIG, "channels_delivery", "desk_handover"):
            key = "number" if table == "ledger_entry" else "id"
            if table != "ledger_entry":
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max({key})) FROM {table}"
                )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("RESET maintenance_work_mem")
        AccountDay.sum_up()
        small = ("channels_line", "desk_employee", "desk_queue", "desk_accountday", "auth_user")
        cursor.execute(f"VACUUM (ANALYZE) {', '.join((*BIG, *small, 'channels_delivery', 'desk_handover'))}")
        for name in ("max_wal_size", "synchronous_commit"):
            cursor.execute(f"ALTER SYSTEM RESET {name}")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute("CHECKPOINT")
    tell("filled", what="indexes; all of it", seconds=round(time.perf_counter() - began, 1))


def _at_ease(cursor: Any) -> None:
    """Only while it is filled: a crash would lose the bench and nothing else."""
    cursor.execute("ALTER SYSTEM SET max_wal_size = '6GB'")
    cursor.execute("ALTER SYSTEM SET synchronous_commit = off")
    cursor.execute("SELECT pg_reload_conf()")


def _people(size: Size) -> None:
    from django.contrib.auth.models import Group, User

    from rasd.channels.models import Channel, Line
    from rasd.desk.models import Employee, Queue, SavedView

    for number in range(1, LINES + 1):
        Line.objects.get_or_create(
            channel=Channel.WHATSAPP,
            external_id=f"{100000000000000 + number}",
            defaults={
                "purpose": Line.Purpose.SERVICE,
                "name": f"line {number}",
                "display_address": f"+9682400000{number}",
            },
        )
    User.objects.bulk_create(User(username=username(n), password="!") for n in range(1, size.agents + 1))
    agents = list(User.objects.order_by("pk"))
    Group.objects.get(name="agent").user_set.set(agents)
    Employee.objects.bulk_create(Employee(user=user) for user in agents)
    for number, name in enumerate(QUEUES):
        purpose = {"First line": "first_line", "Photographs": "photographs"}.get(name, "")
        queue, _ = Queue.objects.get_or_create(
            name=name, defaults={"answer_within": timedelta(minutes=30), "purpose": purpose}
        )
        queue.people.set(agents if number == 0 else agents[number - 1 :: len(QUEUES) - 1])
    for name, filters in (
        ("Billing, late", {"state": "late", "matter": "bill"}),
        ("English", {"language": "en"}),
        ("Line 2, waiting", {"state": "waiting", "line": 2}),
    ):
        SavedView.objects.create(name=name, filters=filters)
    lead = User.objects.create_user("lead", password=None)
    lead.groups.set(Group.objects.all())


def _pool(cursor: Any) -> None:
    cursor.execute("CREATE UNLOGGED TABLE bench_said (n int PRIMARY KEY, words text)")
    cursor.execute("CREATE UNLOGGED TABLE bench_name (n int PRIMARY KEY, name text)")
    for table, rows in (("bench_said", sentences()), ("bench_name", names())):
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in enumerate(rows):
                copy.write_row(row)
        cursor.execute(f"ANALYZE {table}")


def _without_indexes(cursor: Any) -> list[str]:
    """Drops those that are no constraint's; how to make them again."""
    cursor.execute(
        "SELECT x.indexdef, x.indexname FROM pg_indexes x WHERE tablename = ANY(%s) AND NOT EXISTS "
        "(SELECT FROM pg_constraint c WHERE c.conname = x.indexname)",
        [list(BIG)],
    )
    found = cursor.fetchall()
    for _definition, name in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for definition, _name in found]


def _formatted(sql: str, size: Size) -> str:
    at = TIME.format(conversations=size.conversations, days=DAYS)
    values = {
        "at": at, "conversations": size.conversations, "customers": size.customers, "said": SAID, "agents": size.agents,
        "first_open": size.first_open, "first_owed": size.first_owed, "lines": LINES, "queues": len(QUEUES),
        "waits_from": size.conversations - (size.owed - size.agents * 8) + 1, "answered": ANSWERED,
    }  # fmt: skip
    for name, value in values.items():
        sql = sql.replace("{" + name + "}", str(value))
    return sql


def _in_two(size: Size, now: datetime) -> None:
    """Messages in two sessions: making their words searchable is what takes the time."""
    failed: list[BaseException] = []
    parts = [(low, min(low + EACH, size.conversations + 1)) for low in range(1, size.conversations + 1, EACH)]

    def some(mine: list[tuple[int, int]]) -> None:
        from django.db import connection

        try:
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")
                for low, high in mine:
                    for rows in MANY:
                        cursor.execute(_formatted(rows, size), {"now": now, "low": low, "high": high})
                cursor.execute("SET session_replication_role = origin")
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=some, args=(parts[n::2],)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


SMALL = (
    """INSERT INTO channels_address (id, channel, phone, profile_name, last_wrote_at, next_send_slot, former_phone)
    SELECT c, 'whatsapp', '+96870' || lpad(c::text, 7, '0'), name, %(now)s - interval '1 hour', %(now)s, ''
    FROM generate_series(1, {customers}) c JOIN bench_name b ON b.n = c %% (SELECT count(*) FROM bench_name)""",
    """INSERT INTO desk_contact (id, name) SELECT id, profile_name FROM channels_address""",
    """INSERT INTO desk_contactaddress (id, since, address_id, contact_id)
    SELECT id, %(now)s - interval '800 days', id, id FROM channels_address""",
    """INSERT INTO channels_delivery (id, channel, received_at, body, sorted_at, trouble)
    SELECT n, 'whatsapp', %(now)s, '{}', %(now)s, '' FROM generate_series(1, {conversations} / 100 + 1) n""",
    """INSERT INTO desk_conversation (id, line_id, address_id, contact_id, language, matter, opened_at,
        last_message_at, closed_at)
    SELECT c, l.id, a, a, CASE WHEN c %% 5 = 0 THEN 'en' ELSE 'ar' END,
        (array['', 'bill', 'meter', 'complaint', 'outage', ''])[1 + c %% 6], {at}, {at} + interval '4 minutes',
        CASE WHEN c < {first_open} THEN {at} + interval '1 day' END
    FROM generate_series(1, {conversations}) c, LATERAL (SELECT (c - 1) %% {customers} + 1) x(a),
        LATERAL (SELECT id FROM channels_line WHERE external_id =
            (100000000000001 + CASE WHEN c < {first_open} THEN c %% {lines} ELSE 0 END)::text) l""",
    """INSERT INTO desk_handover (id, conversation_id, wish, why, at)
    SELECT c, c, 'machine', 'this line is for people', {at} FROM generate_series({first_open}, {conversations}) c""",
    """INSERT INTO desk_obligation (id, kind, matter, words, queue_id, owner_id, message_id, conversation_id, since, allowance,
        spent,        running_since, due_at, discharged_at, discharged_by_id)
    SELECT c, 'answer', v.matter, '', q.id, CASE WHEN c < {waits_from} THEN u.id END,
        {said} * (c - 1) + CASE WHEN owed THEN {said} - 1 ELSE 1 END, c, at, interval '30 minutes', interval '0',
        CASE WHEN owed THEN at END, at + interval '30 minutes', CASE WHEN NOT owed THEN at + {answered} END,
        CASE WHEN NOT owed THEN {said} * (c - 1) + 2 END
    FROM (SELECT c, c >= {first_owed} AS owed,
            CASE WHEN c >= {first_owed} THEN %(now)s - (c %% 35) * interval '1 minute' ELSE {at} END AS at
          FROM generate_series(1, {conversations}) c) o
    JOIN desk_conversation v ON v.id = c
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS k FROM desk_queue) q ON q.k = c %% {queues}
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS k FROM auth_user) u ON u.k = c %% {agents} + 1
    ORDER BY c""",
)

WORDS = "(SELECT words FROM bench_said b WHERE b.n = (c * 7919 + k * 104729) %% (SELECT count(*) FROM bench_said))"

MANY = (
    """INSERT INTO channels_incoming (id, line_id, address_id, delivery_id, external_id, kind, text, button_id, replies_to,
        payload,        sent_at, received_at)
    SELECT {said} * (c - 1) + k, v.line_id, v.address_id, c / 100 + 1, 'wamid.' || ({said} * (c - 1) + k), 'text', """
    + WORDS
    + """, '', '', '{}', at, at
    FROM desk_conversation v CROSS JOIN LATERAL (SELECT v.id) x(c) CROSS JOIN generate_series(1, {said}, 2) k
        CROSS JOIN LATERAL (SELECT v.opened_at + k * interval '30 seconds') t(at)
    WHERE v.id >= %(low)s AND v.id < %(high)s""",
    """INSERT INTO channels_outgoing (id, line_id, address_id, key, kind, text, content, created_at, external_id, attempts,
        called_at,        accepted_at, sent_at, delivered_at, read_at, error_words)
    SELECT {said} * (c - 1) + k, v.line_id, v.address_id, 'bench:' || ({said} * (c - 1) + k), 'text', """
    + WORDS
    + """, '{}', at, 'wamid.out.' || ({said} * (c - 1) + k), 1, at, at, at, at, at, ''
    FROM desk_conversation v CROSS JOIN LATERAL (SELECT v.id) x(c) CROSS JOIN generate_series(2, {said}, 2) k
        CROSS JOIN LATERAL (SELECT v.opened_at + k * interval '30 seconds') t(at)
    WHERE v.id >= %(low)s AND v.id < %(high)s""",
    """INSERT INTO desk_message (id, conversation_id, at, incoming_id, outgoing_id, author_id, note, words)
    SELECT m.id, v.id, m.at, m.i, m.o, CASE WHEN m.o IS NOT NULL AND v.id %% 2 = 0 THEN b.owner_id END, '', m.text
    FROM desk_conversation v JOIN desk_obligation b ON b.id = v.id, LATERAL (
        SELECT id, sent_at AS at, id AS i, NULL::bigint AS o, text FROM channels_incoming
        WHERE id > {said} * (v.id - 1) AND id <= {said} * v.id
        UNION ALL SELECT id, created_at, NULL, id, text FROM channels_outgoing
        WHERE id > {said} * (v.id - 1) AND id <= {said} * v.id) m
    WHERE v.id >= %(low)s AND v.id < %(high)s ORDER BY m.id""",
)

STRETCHES = """
INSERT INTO desk_accountstretch (
    scope, name, day, figure, obligation, kind, matter, queue, line, conversation, message, answer, began, begin,
    ended, until, how, due_at, running, inherited, passed, came_back, worked, late, late_bin
)
SELECT %(scope)s, %(column)s, (o.since AT TIME ZONE 'Asia/Muscat')::date,
    CASE WHEN o.discharged_at IS NULL THEN 'waiting' WHEN late > 0 THEN 'late' ELSE 'in_time' END,
    o.id, o.kind, o.matter, q.name, l.name, o.conversation_id, o.message_id, o.discharged_by_id,
    entry + CASE WHEN %(scope)s = 'person' THEN 1 ELSE 0 END, o.since, CASE WHEN o.discharged_at IS NOT NULL THEN entry + 2 END,
    o.discharged_at,
    CASE WHEN o.discharged_at IS NOT NULL THEN 'obligation.answered' ELSE '' END, o.due_at, true, false, late > 0, false,
    coalesce(extract(epoch FROM o.discharged_at - o.since)::int, 0), late,
    CASE WHEN late > 0 THEN least(47, greatest(0, 1 + floor(ln(late / 60.0) / ln(2) * 3)))::int END
FROM desk_obligation o JOIN desk_queue q ON q.id = o.queue_id JOIN desk_conversation v ON v.id = o.conversation_id
    JOIN channels_line l ON l.id = v.line_id LEFT JOIN auth_user u ON u.id = o.owner_id,
    LATERAL (SELECT greatest(0, extract(epoch FROM o.discharged_at - o.due_at)::int) AS late) x,
    -- the number of its first entry: three of each that is answered, two of each in somebody's hands, one of the others
    LATERAL (SELECT 3 * least(o.id, {first_owed}) - 2 + 2 * greatest(0, least(o.id, {waits_from}) - {first_owed})
        + greatest(0, o.id - {waits_from}) AS entry) y
WHERE %(column)s IS NOT NULL ORDER BY o.id"""


def is_filled(size: Size) -> bool:
    """With so many, by an earlier run.

    Raises:
        SystemExit: with another number.
    """
    from rasd.desk.models import AccountDay, Conversation

    if not AccountDay.objects.exists():
        if Conversation.objects.exists():
            raise SystemExit("the folder holds a database that was not filled to the end: choose another")
        return False
    if not Conversation.objects.filter(pk=size.conversations, obligations__isnull=False).exists():
        raise SystemExit("the folder holds a smaller database: choose another, or ask for its size")
    return True
