"""An eye on trial reads beside the one in service: what it reads is compared, and changes nothing."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rasd.ledger.models import Entry
from rasd.metering import eyes, truths
from rasd.metering.models import Cycle, EyeService, Photograph, Reading, Review, ServicePoint, ShadowReading
from rasd.metering.models import shadow as shadow_module
from rasd.metering.trial import Comparison, Finding, Pair, Record, Right, Share, Source, Told, Truth
from rasd.vision import Eye, PhotoReading, UnusableEye
from rasd.vision.eye import SHIPPED, write_manifest
from rasd.vision.rendered import render_meter
from tests.metering.house import NOON, seen
from tests.metering.house import Eye as MadeUp

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A second eye: the shipped one's files under another name."""
    shutil.copytree(SHIPPED, tmp_path / "eye")
    write_manifest(tmp_path / "eye", name="eye-on-trial", version="2")
    return tmp_path / "eye"


class Trial:
    """Stands in for the eye in shadow: sees what the test says, and knows what it was told."""

    name, version, checksum = "eye-on-trial", "2", "c" * 64

    def __init__(self) -> None:
        self.sees: PhotoReading | Exception = seen(None)
        self.calls: list[dict[str, Any]] = []

    def read(self, data: bytes, **known: Any) -> PhotoReading:
        self.calls.append(known)
        if isinstance(self.sees, Exception):
            raise self.sees
        return replace(self.sees, model=self.name)


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Trial:
    trial = Trial()
    monkeypatch.setattr(shadow_module, "in_shadow", lambda: trial)
    return trial


@pytest.fixture
def sent(
    send: Callable[..., Any], house: ServicePoint, november: Cycle
) -> Callable[[PhotoReading], Photograph]:
    """A photograph that the eye in service has read so."""
    return lambda sight: send(house, sight).photographs.get()


# Which eye


def test_without_a_folder_the_shipped_eye_is_in_service_and_none_in_shadow() -> None:
    assert eyes.in_service() is Eye.shipped()
    assert eyes.in_shadow() is None


def test_each_folder_holds_another_eye(settings: Any, folder: Path) -> None:
    settings.SHADOW_EYE = str(folder)
    shadow = eyes.in_shadow()
    assert shadow is not None
    assert (eyes.in_service().name, shadow.name) == (Eye.shipped().name, "eye-on-trial")


def test_promoting_it_is_one_setting_and_so_is_going_back(settings: Any, folder: Path) -> None:
    """What docs/operator.md says, with real weights: the photograph's row keeps the name of whichever read it (G4)."""
    picture = render_meter(45217, 5, 1, seed=1)
    assert eyes.read_photograph(picture).model == Eye.shipped().name
    settings.EYE = str(folder)
    assert eyes.read_photograph(picture).model == "eye-on-trial"
    settings.EYE = ""
    assert eyes.read_photograph(picture).model == Eye.shipped().name


def test_two_eyes_of_one_name_are_refused(settings: Any, folder: Path) -> None:
    write_manifest(folder, name=Eye.shipped().name, version="2")
    settings.SHADOW_EYE = str(folder)
    with pytest.raises(eyes.SameName, match="a name of its own"):
        eyes.in_shadow()


def test_a_damaged_shadow_is_refused(settings: Any, folder: Path) -> None:
    (folder / "calibration.json").write_text("{}")
    settings.SHADOW_EYE = str(folder)
    with pytest.raises(UnusableEye, match="SHA-256"):
        eyes.in_shadow()


def test_since_when_an_eye_is_in_service_is_a_row_and_an_entry_of_the_ledger() -> None:
    first, other = Eye.shipped(), replace(Eye.shipped(), name="other")
    EyeService.begin(first, NOON)
    EyeService.begin(first, NOON + timedelta(days=1))
    EyeService.begin(other, NOON + timedelta(days=2))
    EyeService.begin(first, NOON + timedelta(days=3))
    assert list(EyeService.objects.values_list("name", "since")) == [
        (Eye.shipped().name, NOON + timedelta(days=3)),
        ("other", NOON + timedelta(days=2)),
        (Eye.shipped().name, NOON),
    ]
    assert Entry.objects.filter(action="eye.in_service").count() == 3


# What it reads


def test_it_knows_what_the_one_in_service_knew(
    sent: Callable[..., Photograph], trial: Trial, eye: MadeUp
) -> None:
    photograph = sent(seen(4300))
    trial.sees = seen(4380, 0.97)
    kept = ShadowReading.take(photograph, NOON)
    assert trial.calls == eye.calls
    assert kept is not None
    assert (kept.seen["value"], kept.model, kept.milliseconds) == ("4380", "eye-on-trial", 1.0)
    photograph.refresh_from_db()
    assert (photograph.seen["value"], photograph.model) == ("4300", "test-eye-1")


def test_read_again_the_row_is_the_same(sent: Callable[..., Photograph], trial: Trial) -> None:
    photograph = sent(seen(4300))
    trial.sees = RuntimeError("no memory")
    ShadowReading.take(photograph, NOON)
    trial.sees = seen(4380)
    ShadowReading.take(photograph, NOON + timedelta(minutes=1))
    kept = ShadowReading.objects.get()
    assert (kept.seen["value"], kept.error) == ("4380", "")


def test_whatever_goes_wrong_in_it_is_written_down_and_ends_there(
    sent: Callable[..., Photograph], trial: Trial
) -> None:
    trial.sees = RuntimeError("no memory " * 100)
    kept = ShadowReading.take(sent(seen(4300)), NOON)
    assert kept is not None
    assert kept.seen is None
    assert kept.error.startswith("RuntimeError: no memory")


def test_its_readings_are_forgotten_after_a_hundred_days(
    sent: Callable[..., Photograph], trial: Trial
) -> None:
    ShadowReading.take(sent(seen(4300)), NOON)
    assert ShadowReading.forget(NOON + timedelta(days=100)) == 0
    assert ShadowReading.forget(NOON + timedelta(days=100, seconds=1)) == 1
    assert Photograph.objects.count() == 1


# What is true


def known(photograph: Photograph) -> Truth | None:
    return truths.truths(photograph.submission.cycle).get(photograph.submission_id)


def test_the_machines_own_word_is_never_the_truth(sent: Callable[..., Photograph]) -> None:
    photograph = sent(seen(4300))
    photograph.submission.adopt(Decimal(4300), NOON, "machine:reader", "sure")
    assert known(photograph) is None


def test_what_the_customer_confirmed_is(sent: Callable[..., Photograph]) -> None:
    photograph = sent(seen(4300, 0.8))
    photograph.submission.confirm(Decimal(4310), NOON, "customer:tel:+96890000010")
    assert known(photograph) == Truth(Source.CUSTOMER, Decimal(4310))


def test_what_a_person_read_goes_before_it(sent: Callable[..., Photograph], django_user_model: Any) -> None:
    photograph = sent(seen(4300, 0.8))
    photograph.submission.confirm(Decimal(4310), NOON, "customer:tel:+96890000010")
    review = photograph.submission.send_to_review("unsure", NOON, "machine:reader")
    review.correct(Decimal(4311), django_user_model.objects.create(username="r"), NOON)
    assert known(photograph) == Truth(Source.REVIEW, Decimal(4311))


def test_no_meter_is_a_truth_too(sent: Callable[..., Photograph], django_user_model: Any) -> None:
    photograph = sent(seen(4300, 0.2))
    review = photograph.submission.send_to_review("unsure", NOON, "machine:reader")
    review.not_a_meter(django_user_model.objects.create(username="r"), NOON)
    truth = known(photograph)
    assert truth == Truth(Source.REVIEW, None)
    assert truth.bears_out(None)
    assert not truth.bears_out(Decimal(4300))


def test_asking_again_tells_nothing(sent: Callable[..., Photograph], django_user_model: Any) -> None:
    photograph = sent(seen(4300, 0.2))
    review = photograph.submission.send_to_review("unsure", NOON, "machine:reader")
    review.ask_again(django_user_model.objects.create(username="r"), NOON, "blurred")
    assert known(photograph) is None


def field_read(house: ServicePoint, value: int, *, hours: float) -> None:
    Reading.objects.create(
        service_point=house,
        register=house.current_register,
        value=value,
        source="field",
        taken_at=NOON + timedelta(hours=hours),
    )


def test_a_meter_reader_of_the_same_day_goes_before_both_and_may_be_off_by_what_was_used_between(
    sent: Callable[..., Photograph], house: ServicePoint
) -> None:
    photograph = sent(seen(4300, 0.8))
    photograph.submission.confirm(Decimal(4310), NOON, "customer:tel:+96890000010")
    field_read(house, 4304, hours=12)
    truth = known(photograph)
    assert truth is not None
    assert (truth.source, truth.value) == (Source.FIELD, 4304)
    # 304 kWh in 31.5 days since 20 October; half a day of that, twice over, and one unit.
    assert float(truth.within) == pytest.approx(1 + 304 / 31.5, abs=0.3)
    assert truth.bears_out(Decimal(4310))
    assert not truth.bears_out(Decimal(4340))


def test_a_meter_reader_of_another_day_says_nothing_about_a_photograph(
    sent: Callable[..., Photograph], house: ServicePoint
) -> None:
    photograph = sent(seen(4300, 0.8))
    field_read(house, 4340, hours=49)
    assert known(photograph) is None


# How they compare


def test_only_photographs_that_both_read_are_compared(
    sent: Callable[..., Photograph], trial: Trial, november: Cycle
) -> None:
    photograph = sent(seen(4300))
    trial.sees = seen(4380, 0.97)
    assert truths.pairs_in(november, "test-eye-1", trial.name, trial.checksum, {}) == []
    ShadowReading.take(photograph, NOON)
    (pair,) = truths.pairs_in(november, "test-eye-1", trial.name, trial.checksum, {})
    assert (pair.old, pair.new) == (
        Told(Decimal(4300), 0.999, "accept", 1.0),
        Told(Decimal(4380), 0.97, "confirm", 1.0),
    )
    assert truths.pairs_in(november, "test-eye-1", trial.name, "d" * 64, {}) == [], (
        "other weights of that name"
    )
    assert truths.pairs_in(november, "another", trial.name, trial.checksum, {}) == []
    assert truths.models_in(november) == ["test-eye-1"]
    assert [told for told, _ in truths.record_in(november, "test-eye-1", {}).rows] == [pair.old]


def told(value: int | None, confidence: float = 0.9, decision: str = "confirm") -> Told:
    return Told(None if value is None else Decimal(value), confidence, decision, 10.0)


def pair(old: int | None, new: int | None, truth: int | None = None, *, known: bool = True) -> Pair:
    is_true = Truth(Source.CUSTOMER, None if truth is None else Decimal(truth)) if known else None
    return Pair(1, told(old), told(new), is_true)


@pytest.mark.parametrize(
    ("of", "right"),
    [
        (pair(1, 2, 1), Right.OLD),
        (pair(1, 2, 2), Right.NEW),
        (pair(1, 2, 3), Right.NEITHER),
        (pair(None, 2, 2), Right.NEW),
        (pair(1, None, None), Right.NEW),  # there was no meter
        (pair(1, 2, known=False), Right.UNKNOWN),
        (Pair(1, told(1), told(2), Truth(Source.FIELD, Decimal(2), Decimal(5))), Right.BOTH),
    ],
)
def test_who_was_right(of: Pair, right: Right) -> None:
    assert of.right is right


@pytest.mark.parametrize(
    ("new", "old", "finding"),
    [
        (0, 0, Finding.NOTHING),
        (8, 2, Finding.CHANCE),
        (97, 31, Finding.BETTER),
        (31, 97, Finding.WORSE),
        (7, 0, Finding.CHANCE),  # p = 0.016
        (8, 0, Finding.BETTER),
    ],
)
def test_it_says_no_more_than_the_evidence_allows(new: int, old: int, finding: Finding) -> None:
    same, unknown = [pair(5, 5, 5)] * 50, [pair(1, 2, known=False)] * 15
    compared = Comparison([pair(1, 2, 2)] * new + [pair(1, 2, 1)] * old + same + unknown)
    assert compared.finding is finding
    assert len(compared.differing) == new + old + 15
    assert compared.counts[Right.UNKNOWN] == 15


def test_a_record_counts_only_what_is_known() -> None:
    true = Truth(Source.REVIEW, Decimal(7))
    record = Record(
        [
            (told(7, 0.995, "accept"), true),
            (told(8, 0.992, "accept"), true),
            (told(9, 0.999, "accept"), None),
            (told(None, 0.0, "retake"), true),
            (told(7, 0.4), true),
        ]
    )
    assert record.decisions == {"accept": 3, "retake": 1, "confirm": 1}
    assert record.right == Share(2, 4)
    assert record.right_of_accepted == Share(1, 2)
    assert [(band.low, band.share) for band in record.bands] == [(0.3, Share(1, 1)), (0.99, Share(1, 2))]
    assert record.bands[1].told == pytest.approx(0.9935)
    assert record.milliseconds == 10.0


def test_a_calibration_that_promises_too_much_is_told() -> None:
    true = Truth(Source.REVIEW, Decimal(7))
    rows = [(told(7 if n < 70 else 8, 0.97), true) for n in range(100)]
    (band,) = Record(rows).bands
    assert not band.fits
    assert Record(rows[:3]).bands[0].fits


def test_certainty_itself_belongs_to_the_last_band() -> None:
    (band,) = Record([(told(7, 1.0), Truth(Source.REVIEW, Decimal(7)))]).bands
    assert (band.low, band.high) == (0.99, 1.0)


def test_a_record_of_nothing_divides_by_nothing() -> None:
    record = Record([])
    assert (record.right.value, record.milliseconds, record.bands) == (None, None, [])
    assert (record.right.low, record.right.high) == (0.0, 1.0)


def test_the_review_that_was_taken_back_is_no_truth(
    sent: Callable[..., Photograph], django_user_model: Any
) -> None:
    photograph, user = sent(seen(4300, 0.2)), django_user_model.objects.create(username="r")
    photograph.submission.send_to_review("unsure", NOON, "machine:reader").accept(Decimal(4300), user, NOON)
    assert known(photograph) is not None
    Review.objects.get().undo(user, NOON + timedelta(seconds=5))
    assert known(photograph) is None
