"""G5: a reader's record counts and shows how little that proves; who invents stands out, and no honest one does."""

import os
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from rasd.ledger.models import Entry
from rasd.metering import records
from rasd.metering.comparing import compare
from rasd.metering.distances import metres_between
from rasd.metering.importing.bringing import Visit
from rasd.metering.models import (
    FieldRead,
    Photograph,
    Reader,
    ReaderAnswer,
    ReaderSign,
    VisitQuestion,
)
from tests.metering.house import NOON, give_history, make_house
from tests.metering.rounds import play

Kind = ReaderSign.Kind
TEN = NOON - timedelta(hours=2)
NOW = NOON + timedelta(days=4)
SEEDS = int(
    os.environ.get("RASD_TEST_SEEDS", "2")
)  # 40 were played when the levels were chosen: docs/field-reads.md


def standings_of(cycle, seed: int, dishonest: int | None):
    with transaction.atomic():
        play(cycle, seed=seed, dishonest=dishonest)
        with connection.cursor() as cursor:
            compare(cursor, cycle, NOW)
        records.reckon(cycle, NOW)
        found = records.standings(records.counts_of([cycle]))
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
def test_g5_who_invents_a_third_of_his_round_stands_out_and_no_honest_reader_does(november):
    for seed in range(SEEDS):
        found = standings_of(november, seed, dishonest=seed % 8)
        out = {code for (code, _), one in found.items() if one.stands_out}
        assert out == {f"R-{seed % 8}"}
        kinds = {kind for (_, kind), one in found.items() if one.stands_out}
        assert {Kind.FAR, Kind.REPEATS} <= kinds
        shares = {code: one.share for (code, kind), one in found.items() if kind == Kind.DISAGREES}
        assert (
            max(shares, key=shares.__getitem__) == f"R-{seed % 8}"
        )  # though two dozen comparisons may not prove it


@pytest.mark.django_db
def test_g5_among_honest_readers_nobody_stands_out(november):
    for seed in range(100, 101):
        found = standings_of(november, seed, dishonest=None)
        assert not [key for key, one in found.items() if one.stands_out]


COUNTS = st.integers(0, 60).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
MONTH = st.dictionaries(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(list(Kind))), COUNTS)


@given(MONTH)
def test_g5_the_interval_holds_the_share_and_nobody_stands_out_by_few_visits_or_by_what_is_not_tested(counts):
    for (_, kind), one in records.standings(counts).items():
        assert 0 <= one.low <= one.share + 1e-9
        assert one.share <= one.high + 1e-9 or one.of == 0
        assert 0 <= one.p <= 1
        if one.stands_out:
            assert kind != Kind.NO_ACCESS
            assert one.found >= records.FEWEST
            assert one.low > (one.others or 0)


def test_g5_a_sign_that_all_readers_show_alike_makes_nobody_stand_out():
    counts = {(f"R-{n}", Kind.ROUND): (90, 100) for n in range(8)}
    assert not any(one.stands_out for one in records.standings(counts).values())


def test_g5_the_same_counts_prove_less_among_more_readers():
    def p(readers: int) -> float:
        counts = {(f"R-{n}", Kind.DISAGREES): (1, 50) for n in range(readers)}
        return records.standings(counts | {("R-0", Kind.DISAGREES): (8, 50)})["R-0", Kind.DISAGREES].p

    assert (
        records.standings({("R-0", Kind.DISAGREES): (8, 50)})["R-0", Kind.DISAGREES].p == 1
    )  # with nobody to compare
    assert p(3) < 0.05


LATITUDES, LONGITUDES = st.floats(-60, 60), st.floats(-179, 179)


@pytest.mark.django_db
def test_the_database_measures_as_the_rule_does():
    @given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
    def same(a, b, c, d):
        with connection.cursor() as cursor:
            sql = f"SELECT {records.metres('one', 'two')} FROM (SELECT %s::float8 latitude, %s::float8 longitude) one,"
            cursor.execute(sql + " (SELECT %s::float8 latitude, %s::float8 longitude) two", [a, b, c, d])
            assert cursor.fetchone()[0] == pytest.approx(metres_between(a, b, c, d), rel=1e-6, abs=1e-3)

    same()


def test_from_muscat_to_salalah_it_is_some_870_kilometres():
    assert metres_between(23.588, 58.383, 17.015, 54.092) == pytest.approx(855_000, rel=0.02)
    assert metres_between(23.588, 58.383, None, 54.092) is None


@pytest.fixture
def round_of_three(house, november):
    """Three places, 1 km apart, visited one minute after the other, with what each sign rests on."""
    reader = Reader.objects.create(code="R-1", name="Reader One")
    for place in range(3):
        point = house if place == 0 else make_house(f"SP-{place + 1}")
        if place:
            give_history(point, months=3)
        point.latitude, point.longitude = 23.5 + 0.01 * place, 58.4
        point.save()
        value = [4300, 4313, 4287][place]  # as last month; and two that anybody might bring
        visit = Visit(
            "R-1",
            f"k{place}",
            TEN + timedelta(minutes=place),
            service_point=point.number,
            value=Decimal(value),
            latitude=23.5 if place < 2 else point.latitude,
            longitude=58.4,
        )
        FieldRead.bring(visit, at=NOON, actor="user:test")
    return reader


@pytest.mark.django_db
def test_g5_each_sign_is_counted_of_the_visits_that_could_show_it_and_names_them(round_of_three, november):
    first, second, third = FieldRead.objects.order_by("visited_at")
    pictures = [first.keep_photograph("a" * 64), second.keep_photograph("b" * 64)]
    seen = {"decision": "accept", "value": "4310"}
    Photograph.objects.filter(pk=pictures[1].pk).update(read_at=NOON, same_as=pictures[0], seen=seen)
    Photograph.objects.filter(pk=pictures[0].pk).update(
        read_at=NOON, seen={"decision": "retake", "value": None}
    )
    VisitQuestion.objects.create(field_read=third, asked_at=NOON, answer="not_seen", answered_at=NOON)
    VisitQuestion.objects.create(field_read=second, asked_at=NOON)
    assert records.reckon(november, NOW) == 3
    counted = {kind: both for (_, kind), both in records.counts_of([november]).items()}
    assert counted == {
        Kind.NO_ACCESS: (0, 3),
        Kind.DISAGREES: (0, 0),
        Kind.REPEATS: (1, 3),
        Kind.SPEED: (0, 2),  # a kilometre a minute: 67 km/h
        Kind.PHOTO_REUSED: (1, 2),
        Kind.PHOTO_DIFFERS: (1, 1),
        Kind.ROUND: (1, 3),
        Kind.FAR: (1, 3),
        Kind.NOT_SEEN: (1, 1),
    }
    (shown,) = records.evidence(round_of_three, november, Kind.REPEATS)
    assert (shown.field_read, shown.use, shown.last_use) == (first.pk, 300, 300)
    (shown,) = records.evidence(round_of_three, november, Kind.FAR)
    assert (shown.field_read, round(shown.off)) == (second.pk, round(second.metres_off))
    assert records.reckon(november, NOW) == 3  # again: the same, and no row twice


@pytest.mark.django_db
def test_g5_too_fast_is_said_of_two_moments_on_record_never_of_days_without_a_time(round_of_three, november):
    _, second, _ = FieldRead.objects.order_by("visited_at")
    FieldRead.objects.filter(pk=second.pk).update(visited_at=TEN + timedelta(seconds=10))
    records.reckon(november, NOW)
    assert records.counts_of([november])["R-1", Kind.SPEED] == (1, 2)
    FieldRead.objects.update(visited_at=NOON)  # as a file that knows only days
    records.reckon(november, NOW)
    assert records.counts_of([november])["R-1", Kind.SPEED] == (0, 0)


@pytest.mark.django_db
def test_g5_a_reader_answers_his_record_and_the_ledger_has_it(round_of_three, november):
    with pytest.raises(ValueError, match=r"^reader: R-1 has no login"):
        ReaderAnswer.give(round_of_three, november, "I was there.", at=NOW)
    round_of_three.user = User.objects.create_user("reader1")
    given = ReaderAnswer.give(round_of_three, november, " I was there. ", at=NOW, kind=Kind.FAR)
    assert given.text == "I was there."
    entry = Entry.objects.get(action="reader.answered", subject="reader:R-1")
    assert (entry.actor, entry.facts["sign"]) == ("user:reader1", "far")
    with pytest.raises(ValueError, match=r"^text: 1 to 2000 characters, not 0"):
        ReaderAnswer.give(round_of_three, november, "  ", at=NOW)
