"""From photograph to decision, on RENDERED meters: what is clear is read, what is not is never accepted."""

import io
import math
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from PIL import Image

from rasd.vision import (
    FINDINGS,
    REASONS,
    Decision,
    History,
    PastReading,
    PhotoReading,
    RegisterHint,
    Thresholds,
    read_photograph,
)
from rasd.vision.rendered import render_meter, render_no_meter

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
FIVE_AND_TENTHS = RegisterHint(digits=5, decimals=1)


def used(last: str, monthly: int = 300, months: int = 8, **options: object) -> History:
    """A home that used `monthly` units a month up to `last`, thirty days before NOW; five digits, one decimal."""
    past = tuple(
        PastReading(NOW - timedelta(days=30 * (index + 1)), Decimal(last) - monthly * index)
        for index in reversed(range(months))
    )
    return History(past, NOW, digits=5, decimals=1, **options)  # type: ignore[arg-type]


def codes(reading: PhotoReading) -> set[str]:
    return {finding.code for finding in reading.findings}


CLEAR = [(45217, 2), (98306, 2), (120451, 3), (7718, 4), (600492, 5)]


@pytest.mark.parametrize("kind", ["roller", "lcd"])
@pytest.mark.parametrize(("shown", "seed"), CLEAR)
def test_a_clear_meter_whose_value_fits_its_history_is_accepted(shown: int, seed: int, kind: str) -> None:
    value = Decimal(shown) / 10
    # Small counters have less behind them: each home used what lets its history begin above zero.
    monthly = min(300, int(value / 12))
    reading = read_photograph(
        render_meter(shown, 5, 1, kind=kind, seed=seed), history=used(str(int(value) - monthly), monthly)
    )
    assert (reading.digits, reading.value) == (f"{shown:06d}", value)
    assert reading.decision is Decision.ACCEPT
    assert reading.reason == "sure"
    assert reading.confidence >= 0.99


@pytest.mark.parametrize("kind", ["roller", "lcd"])
def test_it_tells_wheels_from_a_display(kind: str) -> None:
    assert (
        read_photograph(render_meter(45217, 5, 1, kind=kind, seed=1), register=FIVE_AND_TENTHS).kind == kind
    )


def test_without_history_a_machine_is_not_sure_enough_to_accept() -> None:
    """However sure the pixels are, nothing is accepted without a history to agree with."""
    reading = read_photograph(render_meter(45217, 5, 1, seed=1), register=FIVE_AND_TENTHS)
    assert reading.value == Decimal("4521.7")
    assert reading.decision is Decision.CONFIRM


def test_a_clear_value_that_is_unusual_is_read_as_it_is_and_asked_about() -> None:
    reading = read_photograph(render_meter(452170, 5, 1, seed=1), history=used("4221"))
    assert reading.value == Decimal("45217.0")
    assert reading.decision is Decision.CONFIRM
    assert reading.reason == "unlikely_for_history"


def test_a_clear_value_below_the_last_one_is_asked_about_and_not_bent() -> None:
    reading = read_photograph(render_meter(39217, 5, 1, seed=1), history=used("4221"))
    assert reading.value == Decimal("3921.7")
    assert reading.decision is Decision.CONFIRM
    assert reading.reason == "below_last"


def test_a_new_meter_may_show_less_than_the_old_one() -> None:
    reading = read_photograph(render_meter(2717, 5, 1, seed=1), history=used("64221", meter_changed=True))
    assert reading.value == Decimal("271.7")
    assert reading.reason not in {"below_last", "unlikely_for_history"}


SPOILED = {
    "dark": ({"dark": 0.99}, {"too_dark"}),
    "blurred": ({"blur": 16.0}, {"blurred"}),
    "the flash in the glass": ({"glare": 0.8}, {"glare", "no_meter"}),
}


@pytest.mark.parametrize(("options", "expected"), SPOILED.values(), ids=SPOILED.keys())
def test_a_spoiled_photograph_is_asked_for_again_with_the_reason(
    options: dict[str, float], expected: set[str]
) -> None:
    reading = read_photograph(
        render_meter(45217, 5, 1, seed=2, **options),
        register=FIVE_AND_TENTHS,  # type: ignore[arg-type]
    )
    assert reading.decision is Decision.RETAKE
    assert codes(reading) & expected


def test_a_picture_without_a_meter_says_so() -> None:
    reading = read_photograph(render_no_meter(), register=FIVE_AND_TENTHS)
    assert reading.decision is Decision.RETAKE
    assert reading.value is None
    assert reading.kind == "none"
    assert codes(reading) == {"no_meter"}


@pytest.mark.parametrize("degrees", [-12, 12, 90, 270])
def test_a_turned_photograph_is_read(degrees: float) -> None:
    reading = read_photograph(render_meter(45217, 5, 1, seed=3, rotate=degrees), register=FIVE_AND_TENTHS)
    assert reading.digits == "045217"


def test_whole_units_alone_are_not_accepted_where_the_register_shows_decimals() -> None:
    reading = read_photograph(
        render_meter(4521, 5, 0, seed=1),
        register=FIVE_AND_TENTHS,
        history=used("4300"),
        thresholds=Thresholds(0.5, 0.1),
    )
    assert (reading.digits, reading.decision, reading.reason) == ("04521", Decision.CONFIRM, "part_unread")


@pytest.mark.parametrize("kind", ["roller", "lcd"])
def test_tenths_that_the_books_do_not_keep_are_still_tenths(kind: str) -> None:
    """Not a digit of the units: the value would be ten times too high, or lose its first digit."""
    reading = read_photograph(render_meter(45217, 5, 1, kind=kind, seed=2), register=RegisterHint(5, 0))
    assert (reading.digits, reading.decimals, reading.value) == ("045217", 1, Decimal("4521.7"))


@pytest.mark.parametrize("register", [None, RegisterHint(6, 1)])
def test_a_counter_that_goes_on_beyond_the_picture_is_asked_for_again(register: RegisterHint | None) -> None:
    with Image.open(io.BytesIO(render_meter(945217, 5, 1, seed=2))) as whole:
        left = 300 + 550 // 6 + 4  # the first wheel is outside
        cut = whole.crop((left, 0, whole.width, whole.height))
    jpeg = io.BytesIO()
    cut.save(jpeg, "JPEG", quality=90)
    reading = read_photograph(jpeg.getvalue(), register=register)
    assert reading.decision is Decision.RETAKE
    assert "cut_off" in codes(reading)


def test_more_digits_than_the_register_shows_are_never_accepted() -> None:
    reading = read_photograph(
        render_meter(45217, 5, 1, seed=1), register=RegisterHint(3), thresholds=Thresholds(0.5, 0.1)
    )
    assert reading.decision in {Decision.REVIEW, Decision.RETAKE}


@pytest.mark.parametrize(
    "data", [render_meter(45217, seed=5), render_no_meter(seed=5)], ids=["meter", "none"]
)
def test_what_it_hands_out_is_whole(data: bytes) -> None:
    """The contract others build on, whatever the picture."""
    reading = read_photograph(data, register=FIVE_AND_TENTHS)
    assert 0 <= reading.confidence <= 1
    assert reading.reason in REASONS
    assert codes(reading) <= FINDINGS.keys()
    assert sum(candidate.probability for candidate in reading.candidates) <= 1 + 1e-9
    assert [c.probability for c in reading.candidates] == sorted(
        (c.probability for c in reading.candidates), reverse=True
    )
    for place in reading.digit_readings:
        assert math.isclose(sum(place.probabilities), 1, abs_tol=1e-6)
        assert place.box is not None
        x, y, w, h = place.box
        assert min(x, y, w, h) >= 0
        assert max(x + w, y + h) <= 1.000001
    assert reading.milliseconds > 0


def test_each_digit_has_its_place_in_the_picture() -> None:
    """The review page enlarges them: left to right, inside the counter, the last one after the point."""
    reading = read_photograph(render_meter(45217, 5, 1, seed=1), register=FIVE_AND_TENTHS)
    assert [place.decimal for place in reading.digit_readings] == [False] * 5 + [True]
    lefts = [place.box[0] for place in reading.digit_readings if place.box]
    assert lefts == sorted(lefts)
    assert [max(range(10), key=place.probabilities.__getitem__) for place in reading.digit_readings] == [
        0,
        4,
        5,
        2,
        1,
        7,
    ]
    assert reading.counter_box is not None
    x, y, w, h = reading.counter_box
    # Where the renderer put it: 300 to 850 of 1200 across, 470 to 590 of 1500 down.
    assert x == pytest.approx(300 / 1200, abs=0.04)
    assert x + w == pytest.approx(850 / 1200, abs=0.04)
    assert y + h / 2 == pytest.approx(530 / 1500, abs=0.02)


def test_the_same_bytes_read_the_same_in_many_threads() -> None:
    data = render_meter(45217, 5, 1, seed=1)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(read_photograph(data).digits)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["045217"] * 4
