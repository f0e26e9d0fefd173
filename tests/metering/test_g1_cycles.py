"""G1: a submission counts for the cycle in whose window the sender sent it, in the utility's time zone, whenever we got to it."""

from datetime import UTC, date, datetime, timedelta
from datetime import timezone as fixed_zone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasd.ledger.models import Entry
from rasd.metering import days
from rasd.metering.models import Cycle, NotAdoptable
from tests.metering.house import MUSCAT, NOON, make_house, seen

NOT_ASKED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent_at", "counts"),
    [
        ("2026-11-14T23:59:59+04:00", False),
        ("2026-11-15T00:00:00+04:00", True),
        ("2026-11-14T20:00:00+00:00", True),  # the 14th in London, the 15th in Muscat
        ("2026-11-25T23:59:59.999999+04:00", True),
        ("2026-11-26T00:00:00+04:00", False),
        ("2026-11-25T20:00:00+00:00", False),  # the 25th in London, the 26th in Muscat
    ],
)
def test_g1_the_window_is_of_whole_days_in_muscat(november, sent_at, counts):
    assert (Cycle.containing(datetime.fromisoformat(sent_at)) == november) is counts


@pytest.mark.django_db
def test_g1_the_zone_that_a_reader_of_pages_chose_does_not_move_the_window(november):
    with timezone.override(ZoneInfo("Pacific/Auckland")):
        assert Cycle.containing(datetime.fromisoformat("2026-11-25T23:00:00+04:00")) == november
        assert Cycle.containing(datetime.fromisoformat("2026-11-14T23:00:00+04:00")) is None


@pytest.mark.django_db
def test_g1_what_was_sent_in_time_and_processed_late_counts(house, november, send):
    submission = send(house, seen(4300), at=datetime(2026, 11, 25, 23, 50, tzinfo=MUSCAT))
    late = datetime(2026, 12, 3, 8, tzinfo=MUSCAT)
    submission.identify(house, late)
    assert submission.judge(late).verdict == "accept"
    adoption = submission.adopt(Decimal(4300), late, "machine:reader", "sure")
    assert adoption.cycle == november
    assert adoption.reading.taken_at == submission.sent_at


@pytest.mark.django_db
def test_g1_outside_the_window_it_is_kept_told_and_never_adopted(house, november, send):
    submission = send(house, seen(4300), at=datetime(2026, 11, 27, 9, tzinfo=MUSCAT))
    judgement = submission.judge(NOON)
    assert (judgement.verdict, judgement.value) == ("outside_window", 4300)
    assert submission.photographs.get().seen["digits"] == "04300"
    with pytest.raises(NotAdoptable, match="outside every window"):
        submission.adopt(Decimal(4300), NOON, "machine:reader", "sure")


MOMENTS = st.integers(1_577_836_800, 1_924_991_999).map(
    lambda one: datetime.fromtimestamp(one, UTC)
)  # 2020 to 2030


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1_767_225_600, 1_798_761_599).map(lambda one: datetime.fromtimestamp(one, UTC)))
def test_g1_every_moment_of_a_year_counts_for_the_cycle_its_day_in_muscat_says_or_for_none(year, moment):
    local = moment.astimezone(MUSCAT)
    found = Cycle.containing(moment)
    assert (found.name if found else None) == (f"{local:%Y-%m}" if 15 <= local.day <= 25 else None)


@pytest.fixture
def year(db) -> None:
    for month in range(1, 13):
        Cycle.open(f"2026-{month:02}", at=NOT_ASKED, actor="user:test")


@pytest.mark.django_db
def test_g1_the_first_photograph_sent_says_when_in_whatever_order_they_arrive(house, november, send):
    last = datetime(2026, 11, 26, 0, 0, 10, tzinfo=MUSCAT)
    submission = send(house, seen(4300), at=last)
    assert submission.cycle is None
    again = send(house, seen(4300), at=last - timedelta(seconds=30))
    assert (again, again.cycle) == (submission, november)


@given(MOMENTS, st.integers(-12, 14))
def test_g1_how_the_channel_writes_the_moment_makes_no_difference(moment, hours):
    elsewhere = moment.astimezone(fixed_zone(timedelta(hours=hours)))
    assert days.local_day(elsewhere) == days.local_day(moment)


@given(st.integers(2020, 2040), st.integers(1, 12))
def test_g1_windows_of_months_never_share_a_day(year, month):
    _, closes = days.usual_window(f"{year}-{month:02}")
    following = f"{year + month // 12}-{month % 12 + 1:02}"
    assert closes < days.usual_window(following)[0]


@pytest.mark.django_db
def test_opening_a_cycle_is_on_record_and_can_be_repeated(november):
    assert (november.window_opens, november.window_closes) == (date(2026, 11, 15), date(2026, 11, 25))
    assert Cycle.open("2026-11", at=NOT_ASKED, actor="user:test") == november
    assert Entry.objects.get().action == "cycle.opened"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "window", "says"),
    [
        ("2026-13", {}, "not a month"),
        ("november", {}, "not a month"),
        ("2026-11", {"window_opens": date(2026, 11, 1)}, "open already with the window"),
        ("2026-12", {"window_opens": date(2026, 12, 9), "window_closes": date(2026, 12, 8)}, "is before"),
        (
            "2026-12",
            {"window_opens": date(2026, 11, 25), "window_closes": date(2026, 12, 8)},
            "shares days with",
        ),
    ],
)
def test_a_cycle_that_cannot_be_opened_says_why(november, name, window, says):
    with pytest.raises(ValueError, match=says):
        Cycle.open(name, at=NOT_ASKED, actor="user:test", **window)


@pytest.mark.django_db
def test_g1_the_database_itself_refuses_two_windows_that_share_a_day(november):
    with pytest.raises(IntegrityError, match="windows_do_not_overlap"), transaction.atomic():
        Cycle.objects.create(
            name="2026-12", window_opens=date(2026, 11, 25), window_closes=date(2026, 12, 25)
        )


@pytest.mark.django_db
def test_the_dates_told_are_those_of_the_window_that_is_or_comes_next(november):
    december = Cycle.open("2026-12", at=NOT_ASKED, actor="user:test")
    for day, cycle in ((1, november), (20, november), (25, november), (26, december), (30, december)):
        assert Cycle.latest(datetime(2026, 11, day, 12, tzinfo=MUSCAT)) == cycle
    assert Cycle.latest(datetime(2027, 6, 1, tzinfo=MUSCAT)) == december


@pytest.mark.django_db
def test_there_may_be_no_cycle_at_all():
    assert Cycle.latest(NOON) is None
    assert Cycle.containing(NOON) is None


@pytest.mark.django_db
def test_progress_counts_points_by_how_far_they_are(november, send):
    houses = [make_house(f"SP-{number}") for number in range(6)]
    for index, (point, sight) in enumerate(
        zip(houses, [seen(1), seen(2), seen(3, 0.8), seen(None), seen(5)], strict=False)
    ):
        submission = send(point, sight, at=NOON + timedelta(hours=index))
        submission.judge(NOON)
    first, second, *_, fifth = list(november.submissions.order_by("sent_at"))
    first.adopt(Decimal(1), datetime(2026, 11, 20, 23, tzinfo=MUSCAT), "machine:reader", "sure")
    second.send_to_review("unsure", NOON, "machine:reader")
    fifth.adopt(Decimal(5), datetime(2026, 11, 21, 1, tzinfo=MUSCAT), "machine:reader", "sure")
    assert november.progress() == {
        "points": 6, "read": 5, "adopted": 2, "in_review": 1, "asked": 2, "missing": 1,
    }  # fmt: skip
    by_day = {one["day"].day: one["adopted"] for one in november.progress_by_day()}
    assert by_day == {15: 0, 16: 0, 17: 0, 18: 0, 19: 0, 20: 1, 21: 2, 22: 2, 23: 2, 24: 2, 25: 2}
