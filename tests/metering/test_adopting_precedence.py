"""G2: one table says which reading is billed, and PostgreSQL is asked by the same table."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from rasd.metering import numbers
from rasd.metering.adopting import CHOSEN, PRECEDENCE, Candidate, choose

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 8, tzinfo=UTC)

candidates = st.lists(
    st.tuples(st.sampled_from([row.code for row in PRECEDENCE]), st.integers(0, 3)), min_size=1, max_size=8
)


def test_g2_a_meter_readers_reading_comes_before_the_customers_and_an_estimate_after_both() -> None:
    late = NOON + timedelta(days=3)
    estimate, customer = Candidate("estimate", late, 1), Candidate("customer", late, 2)
    field = Candidate("field", NOON, 3)
    assert choose([estimate, customer, field]) is field
    assert choose([estimate, customer]) is customer
    assert choose([estimate]) is estimate
    assert choose([]) is None


def test_g2_postgresql_chooses_as_the_table_says() -> None:
    @given(st.lists(candidates, min_size=1, max_size=6))
    def agrees(registers: list[list[tuple[str, int]]]) -> None:
        rows, expected, number = [], {}, 0
        for register, ones in enumerate(registers):
            theirs = []
            for rule, hours in ones:
                number += 1
                theirs.append(Candidate(rule, NOON + timedelta(hours=hours), number))
                rows.append((register, rule, theirs[-1].taken_at, number))
            chosen = choose(theirs)
            assert chosen is not None
            expected[register] = chosen.number
        values = ", ".join(["(%s::int, %s::text, %s::timestamptz, %s::int)"] * len(rows))
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH candidate (register_id, rule, taken_at, reading_id) AS (VALUES {values}) {CHOSEN}",
                [part for row in rows for part in row],
            )
            assert {register: reading for register, _rule, _at, reading in cursor.fetchall()} == expected

    agrees()


def test_g4_a_receipt_made_by_postgresql_is_the_same_as_one_made_here() -> None:
    @given(
        st.lists(st.integers(1, 10**12 - 1) | st.integers(1, 200_000), min_size=1, max_size=20),
        st.integers(2000, 2099),
        st.integers(1, 12),
    )
    def same(several: list[int], year: int, month: int) -> None:
        cycle = f"{year}-{month:02}"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {numbers.receipt_sql('%(month)s', 'n')}"
                " FROM unnest(%(several)s::bigint[]) WITH ORDINALITY t(n, i) ORDER BY i",
                {"month": cycle[2:4] + cycle[5:7], "several": several},
            )
            assert [made for (made,) in cursor.fetchall()] == [numbers.receipt(cycle, n) for n in several]

    same()
