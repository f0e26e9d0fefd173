"""G2, G4: a cycle is closed whole or not at all; what each register is billed on follows from the table of precedence."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from django.contrib.auth.models import User
from django.db import OperationalError, connection

from rasd.ledger.models import Entry
from rasd.metering import closing, mending, sealing
from rasd.metering.closing import NotClosable, Undecided, close
from rasd.metering.closing_cli import cycle as cycle_command
from rasd.metering.importing import import_readings
from rasd.metering.importing.bringing import Visit
from rasd.metering.models import (
    Account,
    Adoption,
    Billed,
    Cycle,
    FieldRead,
    Reader,
    Reading,
    ReadingException,
    ServicePoint,
    TrueUp,
    ValidationSetting,
)
from tests.metering.house import MUSCAT, NOON, give_history, make_house, seen

pytestmark = pytest.mark.django_db
AFTER = datetime(2026, 11, 27, 9, tzinfo=MUSCAT)


def read(
    point: ServicePoint, cycle: Cycle, value: int, source: str = "field", at: datetime = NOON
) -> Reading:
    register = point.current_register
    assert register is not None
    return Reading.objects.create(
        service_point=point, register=register, cycle=cycle, value=value, source=source, taken_at=at
    )


def billed(point: ServicePoint, cycle: Cycle) -> Billed:
    return Billed.objects.get(cycle=cycle, service_point=point)


def shut(cycle: Cycle, **how: object) -> None:
    close(cycle, at=AFTER, actor="user:manager", **how)  # type: ignore[arg-type]
    cycle.refresh_from_db()


def test_g2_the_readers_reading_is_billed_then_the_customers_then_an_estimate(
    november: Cycle, house: ServicePoint, send: Callable[..., object]
) -> None:
    both, nobody = make_house("SP-2", phone="tel:+96890000011"), make_house("SP-3", phone="tel:+96890000012")
    for one in (both, nobody):
        give_history(one)
    for point in (house, both):
        submission = send(
            point,
            seen(4305),
            identifier=f"tel:+9689{point.pk:07}",
            conversation=f"conversation:{point.pk}",
        )
        submission.adopt(Decimal(4305), NOON, "machine:reader", "sure")  # type: ignore[attr-defined]
    reader = read(both, november, 4320, at=NOON + timedelta(days=1))
    shut(november)

    assert billed(house, november).source == "customer"
    assert (billed(house, november).value, billed(house, november).use) == (4305, 305)
    assert billed(both, november).value == reader.value
    taken = Adoption.objects.get(reading=reader)
    assert (taken.rule, taken.supersedes.reading.source) == ("field", "customer")  # type: ignore[union-attr]
    estimate = billed(nobody, november)
    assert (estimate.source, estimate.quality) == ("estimate", "estimated")
    assert 200 < estimate.use < 400
    entry = Entry.objects.get(action="cycle.closed")
    assert entry.facts["registers"] == 3
    assert sum(Decimal(one["use"]) for one in entry.facts["totals"]) == sum(
        one.use for one in Billed.objects.filter(cycle=november)
    )


def test_g2_whenever_a_closing_is_killed_nothing_is_half_closed_and_the_next_one_goes_on(
    november: Cycle, house: ServicePoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_house("SP-2", phone="tel:+96890000011")
    give_history(other)
    read(house, november, 4310)
    steps = ["adopt", "compare", "estimate", "reckon", "validate", "bill"]
    for step in steps:
        done = getattr(closing._Run, step)

        def dies(run: object, cursor: object, done: Callable[..., object] = done) -> object:
            done(run, cursor)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(closing._Run, step, dies)
            dies.__name__ = step
            with pytest.raises(KeyboardInterrupt):
                shut(november)
        november.refresh_from_db()
        assert november.closed_at is None
        assert not Billed.objects.filter(cycle=november).exists()
        assert not Entry.objects.filter(action="cycle.closed").exists()
    shut(november)
    shut(november)  # again: nothing more

    assert {one.value for one in Billed.objects.filter(cycle=november)} >= {Decimal(4310)}
    assert Billed.objects.filter(cycle=november).count() == 2
    assert Adoption.objects.filter(cycle=november).count() == 2
    assert Entry.objects.filter(action="cycle.closed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_g2_a_closing_whose_session_dies_in_the_last_step_leaves_nothing_and_the_next_one_closes(
    november: Cycle, house: ServicePoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(house, november, 4310)

    def dies(cursor: Any, cycle: Cycle) -> dict[str, str]:
        assert Billed.objects.filter(cycle=cycle).count() == 1  # all but the ledger's entry is done
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise AssertionError("the session lives")

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "blocks_of", dies)
        with pytest.raises(OperationalError):
            shut(november)
    connection.close()
    november.refresh_from_db()
    assert (november.closed_at, Billed.objects.filter(cycle=november).count()) == (None, 0)
    try:
        shut(november)
        assert (november.closed_at, billed(house, november).value) == (AFTER, 4310)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS metering_billed_2026_11, metering_reckoned_2026_11")


def test_g4_a_billed_row_changed_afterwards_is_found_out(november: Cycle, house: ServicePoint) -> None:
    read(house, november, 4310)
    shut(november)
    with connection.cursor() as cursor:
        assert sealing.faults_of(cursor, november) == []
        cursor.execute("UPDATE metering_billed SET value = value + 1")
        faults = sealing.faults_of(cursor, november)
    assert "are not those of the ledger's entry" in faults[0]
    assert any("SP-1" in fault for fault in faults)


def test_g2_a_reading_held_back_stops_the_closing_until_a_person_decides_or_says_to_go_on(
    november: Cycle, house: ServicePoint
) -> None:
    wrong = read(house, november, 3900)
    with pytest.raises(Undecided) as stopped:
        shut(november)
    assert (stopped.value.questions.held, stopped.value.questions.reviews) == (1, 0)
    assert ReadingException.objects.get(reading=wrong).rule == "negative"
    shut(november, with_open_reviews=True)
    assert billed(house, november).source == "estimate"
    assert Entry.objects.get(action="cycle.closed").facts["left_open"] == {
        "reviews": 0,
        "held": 0,
        "missing": 0,
    }


def test_g2_what_a_handheld_brings_while_the_month_is_being_closed_is_billed_in_it(
    november: Cycle, house: ServicePoint
) -> None:
    """It counts for the month, which is open yet: billed on an estimate all the same, it would be billed on by nobody ever."""
    reader = Reader.objects.create(code="R-1", name="Reader One")
    visit = Visit(reader.code, "k", NOON, service_point=house.number, value=Decimal(4310))

    def meanwhile(step: str) -> None:
        if step == "validate":
            FieldRead.bring(visit, at=AFTER, actor="user:test")

    shut(november, tell=meanwhile)
    assert (billed(house, november).source, billed(house, november).value) == ("field", 4310)


def test_a_rule_is_set_for_a_class_of_customers_and_given_an_owner_and_switched_off(
    november: Cycle, house: ServicePoint, django_user_model: type[User]
) -> None:
    """A row without a class is for all classes that have none of their own."""
    shop, noor = (
        make_house("SP-2", phone="tel:+96890000022"),
        django_user_model.objects.create(username="noor"),
    )
    give_history(shop)
    Account.objects.filter(service_points=shop).update(customer_class="commercial")
    for point in (house, shop):
        read(point, november, 5200)  # four times the usual 300
    ValidationSetting.objects.create(rule="high", limit=2, owner=noor)
    ValidationSetting.objects.create(rule="high", customer_class="commercial", limit=10)
    shut(november)
    (found,) = ReadingException.objects.filter(rule="high")
    assert (found.service_point, found.owner, found.facts["limit"]) == (house, noor, 2)
    december = Cycle.open("2026-12", at=AFTER, actor="user:test")
    ValidationSetting.objects.filter(customer_class="").update(is_on=False)
    read(house, december, 6400, at=NOON + timedelta(days=30))
    close(december, at=AFTER + timedelta(days=30), actor="user:manager")
    assert not december.exceptions.filter(rule="high").exists()


def test_g4_a_value_that_a_reader_brought_of_no_meter_of_ours_is_not_passed_over_in_silence(
    november: Cycle, house: ServicePoint
) -> None:
    """No reading is made of it, so no rule would look at it: a person hears of it, and where he put the records right goes on."""
    reader = Reader.objects.create(code="R-1", name="Reader One")
    visit = Visit(reader.code, "k", NOON, service_point=house.number, serial="ANOTHER", value=Decimal(4310))
    field_read = FieldRead.bring(visit, at=NOON, actor="user:test")
    assert field_read.reading is None
    with pytest.raises(Undecided) as waits:
        shut(november)
    assert waits.value.questions.held == 1
    found = ReadingException.objects.get(rule="inactive")
    assert (found.register, found.reading, found.facts["field_read"]) == (
        house.current_register,
        None,
        field_read.pk,
    )
    shut(november, with_open_reviews=True)
    assert billed(house, november).source == "estimate"


def test_g2_nobody_is_billed_unseen_on_a_misread_first_digit_nor_is_what_a_person_refused_ever_counted_on_from(
    november: Cycle, house: ServicePoint, django_user_model: Any
) -> None:
    wrong = read(house, november, 44305)
    with pytest.raises(Undecided):
        shut(november)
    found = ReadingException.objects.get(reading=wrong, rule="implausible")
    mending.settle(
        found, "estimated", why="a 0", at=AFTER, user=django_user_model.objects.create_user("reem")
    )
    shut(november, with_open_reviews=True)
    assert billed(house, november).source == "estimate"
    assert billed(house, november).value < 5000

    december = Cycle.open("2026-12", at=AFTER, actor="user:test")
    close(december, at=AFTER + timedelta(days=30), actor="user:manager")
    assert billed(house, december).value < 5000
    assert wrong not in house.current_register.actual_readings(before=AFTER + timedelta(days=60))


def test_g2_a_photograph_judged_after_the_closing_is_a_correction_and_what_was_sealed_stays(
    november: Cycle, house: ServicePoint, send: Callable[..., Any], django_user_model: Any
) -> None:
    submission = send(house, seen(4305, 0.5))
    review = submission.send_to_review("unsure", NOON, "machine:reader")
    with pytest.raises(Undecided) as stopped:
        shut(november)
    assert stopped.value.questions.reviews == 1
    shut(november, with_open_reviews=True)
    assert billed(house, november).source == "estimate"

    adoption = review.accept(
        Decimal(4305), django_user_model.objects.create_user("reem"), AFTER + timedelta(hours=1)
    )
    assert adoption.supersedes == billed(house, november).adoption
    assert Adoption.objects.get(cycle=november, superseded_at=None) == adoption
    with connection.cursor() as cursor:
        assert sealing.faults_of(cursor, november) == []
    december = Cycle.open("2026-12", at=AFTER, actor="user:test")
    read(house, december, 4600, at=NOON + timedelta(days=30))
    close(december, at=AFTER + timedelta(days=30), actor="user:manager")
    assert (billed(house, december).previous_value, billed(house, december).use) == (4305, 295)


def test_g2_a_month_is_whole_what_has_nothing_to_bill_on_must_be_mended(
    november: Cycle, house: ServicePoint
) -> None:
    make_house("SP-2", phone="tel:+96890000011")  # years old, and nothing is known of it
    with pytest.raises(Undecided) as stopped:
        shut(november, with_open_reviews=True)
    assert stopped.value.questions.missing == 1
    assert ReadingException.objects.get(rule="missing").service_point.number == "SP-2"


def test_g2_an_estimate_that_was_too_high_is_made_good_at_the_next_reading(
    november: Cycle, house: ServicePoint
) -> None:
    shut(november)
    estimate = billed(house, november)
    december = Cycle.open("2026-12", at=AFTER, actor="user:test")
    read(house, december, 4400, at=NOON + timedelta(days=30))
    close(december, at=AFTER + timedelta(days=30), actor="user:manager")

    bill, made_good = billed(house, december), TrueUp.objects.get()
    assert estimate.use + bill.use == 400
    assert made_good.used == 400
    assert made_good.billed == estimate.use
    assert bill.true_up == made_good.difference < 0
    assert bill.use - bill.true_up == Decimal(made_good.facts["own"])


def test_g2_a_cycle_is_closed_after_its_window_and_in_its_turn(november: Cycle, house: ServicePoint) -> None:
    with pytest.raises(NotClosable, match="until 2026-11-25"):
        close(november, at=datetime(2026, 11, 25, 23, tzinfo=MUSCAT), actor="user:manager")
    december = Cycle.open("2026-12", at=AFTER, actor="user:test")
    with pytest.raises(NotClosable, match="cycle 2026-11 is open"):
        close(december, at=AFTER + timedelta(days=30), actor="user:manager")
    shut(november)
    with pytest.raises(ValueError, match="cycle 2026-11, which is closed"):
        Cycle.open("2026-10", at=AFTER, actor="user:test")  # or its days would be billed twice


def test_g2_readings_from_a_file_count_for_the_round_in_whose_window_they_were_taken(
    november: Cycle, house: ServicePoint, tmp_path: Path
) -> None:
    file = tmp_path / "smart.csv"
    file.write_text(
        "service_point,taken_at,value,source\nSP-1,2026-11-20,4333,smart\nSP-1,2026-11-05,4150,smart\n"
    )
    import_readings(file, at=AFTER, actor="user:test")
    shut(november)
    assert (billed(house, november).value, billed(house, november).source) == (4333, "smart")


def test_a_month_is_closed_and_verified_by_command(november: Cycle, house: ServicePoint) -> None:
    read(house, november, 3900)
    with time_machine.travel(AFTER, tick=False):
        waits = CliRunner().invoke(cycle_command, ["close", "2026-11"])
        assert waits.exit_code == 1
        assert "SP-1  negative" in waits.stderr
        closed = CliRunner().invoke(cycle_command, ["close", "2026-11", "--with-open-reviews"])
    assert json.loads(closed.stdout)["billed"] == 1
    sound = CliRunner().invoke(cycle_command, ["verify", "2026-11"])
    assert (sound.exit_code, json.loads(sound.stdout)["sealed"]) == (0, True)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM metering_billed")
    assert CliRunner().invoke(cycle_command, ["verify", "2026-11"]).exit_code == 1
